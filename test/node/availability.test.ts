// Gathering what a proposal orders: gossip on its way is waited for, what stays away is asked for.
import t from 'tap'
import type { Hash } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { verify } from '../../primitives/ed25519.ts'
import { type Availability, createAvailability } from '../../node/availability.ts'
import { decodeFetchQuestion, encodeFetchAnswer } from '../../node/exchange.ts'
import { gossipGraceMs, gossipSettleMs } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { manifestOf, type Payload } from '../../node/payloads.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { makePayload, makeTransaction, testChain } from '../support/transactions.ts'

interface Rig {
  readonly clock: ManualClock
  readonly availability: Availability
  readonly checking: Set<string>
  /** What was asked for, by question. */
  readonly asked: number[]
  readonly arrive: (ready: ReadyTransaction) => void
  readonly gather: (payload: Payload, final?: boolean) => { readonly got: () => Payload | undefined }
}

const key = (reference: Hash): string => toBase64url(reference)

function rig(holds: Payload, gossipSettled: () => Promise<void> = async () => {}): Rig {
  const clock = createManualClock()
  const mempool = new Map<string, ReadyTransaction>()
  const checking = new Set<string>()
  const asked: number[] = []
  const availability = createAvailability({
    chainId: testChain,
    mempool: { byReference: (reference) => mempool.get(reference) },
    admission: { isChecking: (reference) => checking.has(reference) },
    gossipSettled,
    transport: {
      request: async (_peer, _protocol, encoded) => {
        const question = decodeFetchQuestion(encoded)
        const wanted = question.type === 'envelopes' ? question.references : holds.references
        asked.push(wanted.length)
        return encodeFetchAnswer({ references: holds.references, envelopes: wanted.map((reference) => (holds.byReference.get(key(reference)) as ReadyTransaction).transaction.bytes) })
      },
    },
    verifier: { verifyBatch: async (items) => items.map(({ publicKey, message, signature }) => verify(signature, message, publicKey)) },
    clock,
    log: silentLog,
    blockBytesMax: 4_194_304,
    own: () => undefined,
  })
  return {
    clock,
    availability,
    checking,
    asked,
    arrive: (ready) => {
      mempool.set(key(ready.transaction.reference), ready)
      availability.arrived(ready)
    },
    gather: (payload, final = false) => {
      let got: Payload | undefined
      void availability.obtain({ header: payload.header, manifest: () => manifestOf(payload.references), holders: () => ['primary'], isWanted: () => true, final }).then((one) => (got = one))
      return { got: () => got }
    },
  }
}

const two = (): { readonly first: ReadyTransaction; readonly second: ReadyTransaction; readonly payload: Payload } => {
  const [first, second] = [makeTransaction('first'), makeTransaction('second')]
  return { first, second, payload: makePayload(1, [first, second]) }
}

for (const final of [false, true]) {
  t.test(`what comes a little after the ${final ? 'certificate' : 'proposal'} is not asked for`, async (t) => {
    const { first, second, payload } = two()
    const { clock, arrive, gather, asked } = rig(payload)
    const gathering = gather(payload, final)
    await clock.advance(gossipGraceMs / 2)
    arrive(first)
    await clock.advance(gossipGraceMs / 4)
    t.equal(gathering.got(), undefined)
    arrive(second)
    await clock.advance(0)
    t.same(gathering.got()?.references, payload.references)
    t.same(asked, [])
  })
}

t.test('what stays away is asked for, and that alone', async (t) => {
  const { first, payload } = two()
  const { clock, arrive, gather, asked } = rig(payload)
  const gathering = gather(payload)
  arrive(first)
  await clock.advance(gossipGraceMs - 1)
  t.same(asked, [])
  await clock.advance(1)
  t.same(asked, [1])
  t.same(gathering.got()?.references, payload.references)
})

t.test('what is being checked is not asked for, however long that takes, unless it does not hold', async (t) => {
  const { first, second, payload } = two()
  const { clock, arrive, gather, checking, asked } = rig(payload)
  for (const { transaction } of [first, second]) checking.add(key(transaction.reference))
  const gathering = gather(payload)
  await clock.advance(20 * gossipGraceMs)
  t.same(asked, [])
  checking.delete(key(first.transaction.reference))
  arrive(first)
  checking.delete(key(second.transaction.reference))
  await clock.advance(gossipGraceMs)
  t.same(asked, [1])
  t.same(gathering.got()?.references, payload.references)
})

t.test('what has come in and is not looked through yet is waited for, and not for ever', async (t) => {
  const { first, second, payload } = two()
  let settle = (): void => {}
  const busy = rig(payload, () => new Promise((resolve) => (settle = resolve)))
  const gathering = busy.gather(payload)
  await busy.clock.advance(4 * gossipGraceMs)
  t.same(busy.asked, [])
  settle()
  for (const one of [first, second]) busy.arrive(one)
  await busy.clock.advance(0)
  t.same(gathering.got()?.references, payload.references)
  const flooded = rig(payload, () => new Promise(() => {}))
  flooded.gather(payload)
  await flooded.clock.advance(gossipSettleMs + gossipGraceMs)
  t.same(flooded.asked, [2])
})

t.test('two that gather the same transaction both get it', async (t) => {
  const { first, second, payload } = two()
  const other = makePayload(2, [first])
  const { clock, arrive, gather, asked } = rig(payload)
  const [one, another] = [gather(payload), gather(other)]
  for (const ready of [first, second]) arrive(ready)
  await clock.advance(0)
  t.same([one.got()?.references, another.got()?.references], [payload.references, other.references])
  t.same(asked, [])
})
