// What a phone does with a proof, in a process of its own so that its first time is cold: node [--jitless] phone.mjs CLIENT MATERIAL ROUNDS. Plain JavaScript, since
// without a JIT there is no WebAssembly either, and Node strips types with it. Prints one line of JSON, in milliseconds.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [client, file, rounds] = process.argv.slice(2)
const begun = performance.now()
const { checkpointFromJson, fromBase64url, trustFromGenesis, trustNext, verifyEventProof, verifyStateProofs, verifyTransactionProof } = await import(pathToFileURL(client).href)
const loaded = performance.now() - begun

const { kind, chain, epochs, checkpoints, answer, asked } = JSON.parse(readFileSync(file, 'utf8'))
const epochOf = ({ activation, set }) => ({ activation, set: { validators: set.validators.map((one) => ({ ...one, publicKey: fromBase64url(one.publicKey) })), minimums: set.minimums } })
const [first, ...later] = epochs.map(epochOf)

/** From the validators of the genesis, through every change of them, to the value: from the text that came over the network on. */
function verify() {
  let trust = trustFromGenesis(chain, first.set)
  for (const [i, next] of later.entries()) trust = trustNext(trust, checkpointFromJson(checkpoints[i]), next)
  const json = JSON.parse(answer)
  switch (kind) {
    case 'balance':
      if (verifyStateProofs(trust, [asked], json).values.get(asked) === undefined) throw new Error('a value was expected')
      break
    case 'absence':
      if (verifyStateProofs(trust, [asked], json).values.get(asked) !== undefined) throw new Error('nothing was expected')
      break
    case 'transaction':
      verifyTransactionProof(trust, fromBase64url(asked), json)
      break
    case 'event':
      verifyEventProof(trust, asked, json)
      break
    default:
      throw new Error(`no such proof: ${kind}`)
  }
}

const times = []
for (let round = 0; round <= Number(rounds); round++) {
  const from = performance.now()
  verify()
  times.push(performance.now() - from)
}
console.log(JSON.stringify({ loaded, cold: times[0], warm: times.slice(1) }))
