// Checks signatures off the thread that votes: parcels on a pool of worker threads, tiny batches on the spot. The rules are those of
// primitives/signature.ts everywhere, so it never matters which thread looked. A worker that dies is replaced and its parcel done again.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { DongbaekError } from '../primitives/errors.ts'
import { publicKeyBytesOf, signatureBytes, type SignedItem, verifySigned } from '../primitives/signature.ts'
import { verifyInlineMax, verifyParcelItems, verifyRestartsMax, verifyWaitingMax, verifyWorkersMax } from './limits.ts'
import { packParcel, readVerdicts } from './verifier-parcel.ts'
import type { Log, Verifier } from './world.ts'

export interface VerifierOptions {
  readonly log: Log
  /** Threads; defaultWorkers() when left out; 0 checks everything on the calling thread. */
  readonly workers?: number
  /** For tests. */
  readonly workerFile?: URL
}

interface Parcel {
  readonly items: readonly SignedItem[]
  readonly done: (verdicts: readonly boolean[]) => void
  readonly failed: (error: Error) => void
}

interface Slot {
  worker: Worker | undefined
  current: Parcel | undefined
  /** Ends without a finished parcel in between. */
  failures: number
}

/** One less than there are cores, at most verifyWorkersMax: the thread that votes needs one. */
export function defaultWorkers(): number {
  return Math.min(availableParallelism() - 1, verifyWorkersMax)
}

export function createVerifier(options: VerifierOptions): Verifier {
  const log = options.log.child({ part: 'verifier' })
  const workers = options.workers ?? defaultWorkers()
  const slots: Slot[] = Array.from({ length: workers }, () => ({ worker: undefined, current: undefined, failures: 0 }))
  let queue: Parcel[] = []
  let waitingItems = 0
  let stopped = false

  function start(slot: Slot): Worker {
    const worker = new Worker(options.workerFile ?? new URL('./verifier-worker.ts', import.meta.url), { name: 'verifier' })
    worker.on('message', (buffer: ArrayBuffer) => {
      const parcel = slot.current
      slot.current = undefined
      slot.failures = 0
      parcel?.done(readVerdicts(buffer))
      next(slot)
    })
    worker.on('error', (error) => log.error('verifier-worker-failed', { error }))
    worker.on('exit', (exitCode) => ended(slot, worker, exitCode))
    // an idle pool does not keep the process
    worker.unref()
    slot.worker = worker
    return worker
  }

  function ended(slot: Slot, worker: Worker, exitCode: number): void {
    if (slot.worker !== worker || stopped) return
    slot.worker = undefined
    slot.failures++
    log.warn('verifier-worker-ended', { exitCode, failures: slot.failures })
    const parcel = slot.current
    slot.current = undefined
    if (parcel !== undefined) queue.unshift(parcel)
    next(slot)
  }

  function next(slot: Slot): void {
    if (stopped || slot.current !== undefined) return
    const parcel = queue.shift()
    if (parcel === undefined) {
      slot.worker?.unref()
      return
    }
    if (slot.failures > verifyRestartsMax) {
      // threads do not live here: slower, and right. One parcel a turn, so that the loop breathes
      setImmediate(() => {
        parcel.done(parcel.items.map(verifySigned))
        next(slot)
      })
      return
    }
    const worker = slot.worker ?? start(slot)
    slot.current = parcel
    worker.ref()
    const buffer = packParcel(parcel.items)
    worker.postMessage(buffer, [buffer])
  }

  function submit(items: readonly SignedItem[]): Promise<readonly boolean[]> {
    return new Promise((resolve, reject) => {
      const verdicts: boolean[] = new Array<boolean>(items.length)
      let open = Math.ceil(items.length / verifyParcelItems)
      for (let from = 0; from < items.length; from += verifyParcelItems) {
        const done = (part: readonly boolean[]): void => {
          for (let i = 0; i < part.length; i++) verdicts[from + i] = part[i] as boolean
          waitingItems -= part.length
          if (--open === 0) resolve(verdicts)
        }
        queue.push({ items: items.slice(from, from + verifyParcelItems), done, failed: reject })
      }
      waitingItems += items.length
      for (const slot of slots) next(slot)
    })
  }

  return {
    verifyNow: verifySigned,
    async verifyBatch(items) {
      if (stopped) throw stoppedError()
      if (items.length <= verifyInlineMax || slots.length === 0) return items.map(verifySigned)
      if (waitingItems + items.length > verifyWaitingMax) throw new DongbaekError('verifier/busy', `${waitingItems} signatures wait; at most ${verifyWaitingMax} may`, { waitingItems })
      const shaped = items.filter(hasShape)
      if (shaped.length === items.length) return submit(items)
      const verdicts = shaped.length === 0 ? [] : await submit(shaped)
      let at = 0
      return items.map((item) => hasShape(item) && verdicts[at++] === true)
    },
    async stop() {
      if (stopped) return
      stopped = true
      const error = stoppedError()
      for (const parcel of [...slots.flatMap(({ current }) => current ?? []), ...queue]) parcel.failed(error)
      queue = []
      await Promise.all(slots.map(async ({ worker }) => worker?.terminate()))
    },
  }
}

function hasShape({ algorithm, publicKey, signature }: SignedItem): boolean {
  return publicKey.length === publicKeyBytesOf[algorithm] && signature.length === signatureBytes
}

function stoppedError(): DongbaekError {
  return new DongbaekError('verifier/stopped', 'the verifier is stopped')
}
