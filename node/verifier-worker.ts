// A worker of the verifier: takes a parcel of signatures in one buffer, gives it back with the verdicts at its start.
import { parentPort } from 'node:worker_threads'
import { verifyParcel } from './verifier-parcel.ts'

parentPort?.on('message', (parcel: ArrayBuffer) => {
  verifyParcel(parcel)
  parentPort?.postMessage(parcel, [parcel])
})
