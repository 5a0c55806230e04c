// Judging proposals of a primary that lies: about the time, about what it holds, about how much there is.
import t from 'tap'
import type { Validate } from '../../consensus/output.ts'
import type { Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { blockHash } from '../../consensus/block.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { createAvailability } from '../../node/availability.ts'
import { decodeFetchQuestion, encodeFetchAnswer, type FetchAnswer } from '../../node/exchange.ts'
import { systemClock } from '../../node/clock.ts'
import { createJudging, type Judging } from '../../node/judging.ts'
import { gossipGraceMs, judgedAheadMax, judgeLifetimeMs } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { manifestOf, type Payload } from '../../node/payloads.ts'
import { verify } from '../../primitives/ed25519.ts'
import { createManualClock, type ManualClock } from '../support/manual-clock.ts'
import { makePayload, makeTransaction, testChain } from '../support/transactions.ts'

interface Rig {
  readonly clock: ManualClock
  readonly judging: Judging
  readonly verdicts: string[]
  readonly kept: Payload[]
  readonly asked: string[]
  committed: number
}

/** `hold`: what each peer answers; a peer without an answer refuses. */
function rig(hold: Readonly<Record<string, (question: 'block' | 'envelopes') => FetchAnswer>>, mempool: Payload | undefined): Rig {
  const clock = createManualClock()
  const asked: string[] = []
  const availability = createAvailability({
    chainId: testChain,
    admission: { isChecking: () => false },
    gossipSettled: async () => {},
    mempool: { byReference: (reference) => mempool?.byReference.get(reference) },
    transport: {
      request: async (peer, _protocol, question) => {
        asked.push(peer)
        const answer = hold[peer]
        if (answer === undefined) throw new DongbaekError('transport/not-connected', 'not there')
        const { type } = decodeFetchQuestion(question)
        if (type !== 'envelopes' && type !== 'block') throw new DongbaekError('transport/no-handler', 'not here')
        return encodeFetchAnswer(answer(type))
      },
    },
    verifier: { verifyBatch: async (items) => items.map(({ publicKey, message, signature }) => verify(signature, message, publicKey)) },
    clock,
    log: silentLog,
    blockBytesMax: 4_194_304,
    own: () => undefined,
  })
  const one: Rig = {
    clock,
    verdicts: [],
    kept: [],
    asked,
    committed: 0,
    judging: createJudging({
      availability,
      clock,
      log: silentLog,
      committed: () => one.committed as Height,
      transactionsMax: 2,
      maxClockDriftMs: 2_000,
      keep: (payload) => void one.kept.push(payload),
      verdict: (_, verdict) => void one.verdicts.push(verdict),
      onFatal: (error) => {
        throw error
      },
    }),
  }
  return one
}

const validator = (name: string): Validate['holders'][number] => ({ name, organisation: 'busan', publicKey: new Uint8Array(32) })
const request = ({ header, references }: Payload, holders: readonly string[] = ['primary']): Validate => ({ header, blockHash: blockHash(header), manifest: manifestOf(references), holders: holders.map(validator) })
const answerOf = ({ references, transactions }: Payload): FetchAnswer => ({ references, envelopes: transactions.map(({ transaction }) => transaction.bytes) })

t.test('what is here is kept first, then called valid', async (t) => {
  const payload = makePayload(1, [makeTransaction('one')])
  const { judging, clock, verdicts, kept } = rig({}, payload)
  judging.judge(request(payload))
  await clock.advance(1)
  t.same(verdicts, ['valid'])
  t.equal(kept.length, 1)
})

t.test('a time that lies years ahead is never valid, and is given up with its view', async (t) => {
  const payload = makePayload(1, [makeTransaction('one')], { timeMs: 4_000_000_000_000 as TimeMs })
  const { judging, clock, verdicts } = rig({}, payload)
  judging.judge(request(payload))
  await clock.advance(judgeLifetimeMs * 2)
  t.same(verdicts, [])
  t.equal(judging.isUnderWay(blockHash(payload.header)), false)
})

t.test('a time a little ahead is waited for, by the clock as it is set meanwhile', async (t) => {
  const clockMs = 1_780_000_000_000
  const payload = makePayload(1, [makeTransaction('one')], { timeMs: (clockMs + 6_000) as TimeMs })
  const { judging, clock, verdicts } = rig({}, payload)
  judging.judge(request(payload))
  await clock.advance(1_000)
  t.same(verdicts, [])
  clock.set(clockMs + 5_000)
  await clock.advance(1_000)
  t.same(verdicts, ['valid'])
})

t.test('holders that become known later are asked too', async (t) => {
  const payload = makePayload(1, [makeTransaction('one')])
  const { judging, clock, verdicts } = rig({ signer: () => answerOf(payload) }, undefined)
  judging.judge(request(payload, ['primary']))
  await clock.advance(1_000)
  t.same(verdicts, [], 'its maker is gone')
  judging.judge(request(payload, ['next primary', 'signer']))
  await clock.advance(1_000)
  t.same(verdicts, ['valid'], 'a view later those who prepared it are known')
})

t.test('what nobody has is asked for only while the replica asks for it', async (t) => {
  const payload = makePayload(1, [makeTransaction('one')])
  const { judging, clock, asked } = rig({}, undefined)
  judging.judge(request(payload))
  await clock.advance(judgeLifetimeMs + 1_000)
  const before = asked.length
  await clock.advance(60_000)
  t.equal(asked.length, before)
  judging.judge(request(payload))
  await clock.advance(1_000)
  t.ok(asked.length > before)
})

t.test('blocks far above the final ones wait until they come within reach', async (t) => {
  const payload = makePayload(judgedAheadMax + 2, [makeTransaction('one')])
  const one = rig({}, payload)
  one.judging.judge(request(payload))
  one.committed = 1
  one.judging.advance()
  await one.clock.advance(1)
  t.same(one.verdicts, [])
  one.committed = 2
  one.judging.advance()
  await one.clock.advance(1)
  t.same(one.verdicts, ['valid'])
})

t.test('a block with more transactions than the genesis allows is invalid', async (t) => {
  const payload = makePayload(1, [makeTransaction('one'), makeTransaction('two'), makeTransaction('three')])
  const { judging, clock, verdicts } = rig({}, payload)
  judging.judge(request(payload))
  await clock.advance(1)
  t.same(verdicts, ['invalid'])
})

t.test('an envelope whose signature does not verify makes the block invalid', async (t) => {
  const good = makeTransaction('one')
  const bytes = Uint8Array.from(good.transaction.bytes)
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1
  const { decodeTransaction } = await import('../../state/transaction.ts')
  const payload = makePayload(1, [{ ...good, transaction: decodeTransaction(bytes) }])
  const { judging, clock, verdicts } = rig({ primary: () => answerOf(payload) }, undefined)
  judging.judge(request(payload))
  await clock.advance(gossipGraceMs)
  t.same(verdicts, ['invalid'])
})

t.test('CometBFT ASA-2025-002: a part is bound to its place. References at other places than the header binds are no payload, whoever brings them', async (t) => {
  const transactions = [makeTransaction('one'), makeTransaction('two')]
  const payload = makePayload(1, transactions)
  const [first, second] = payload.references as [Hash, Hash]
  for (const references of [[second, first], [first, first], [second, second], [first], [first, second, second]]) {
    const brought = rig({ primary: () => answerOf(payload) }, payload)
    brought.judging.judge({ ...request(payload), manifest: manifestOf(references) })
    await brought.clock.advance(1)
    t.same([brought.verdicts, brought.kept], [['invalid'], []])
    const answered = rig({ liar: () => ({ ...answerOf(payload), references }), honest: () => answerOf(payload) }, undefined)
    const { manifest: _, ...unbrought } = request(payload, ['liar', 'honest'])
    answered.judging.judge(unbrought)
    await answered.clock.advance(1_000)
    t.same([answered.verdicts, answered.asked], [['valid'], ['liar', 'honest']])
  }
  // envelopes in another order go where the references say
  const shuffled = rig({ primary: () => ({ references: payload.references, envelopes: answerOf(payload).envelopes.toReversed() }) }, undefined)
  shuffled.judging.judge(request(payload))
  await shuffled.clock.advance(1_000)
  t.same(shuffled.kept[0]?.transactions.map(({ transaction }) => transaction.reference), payload.references)
})

t.test('a final block is fetched though the first to answer names its envelopes and gives none', async (t) => {
  const payload = makePayload(1, [makeTransaction('one'), makeTransaction('two')])
  const clock = createManualClock()
  const availability = createAvailability({
    chainId: testChain,
    mempool: { byReference: () => undefined },
    admission: { isChecking: () => false },
    gossipSettled: async () => {},
    transport: {
      request: async (peer, _protocol, question) => {
        if (peer === 'liar') return encodeFetchAnswer({ references: payload.references, envelopes: [] })
        // a node that has stored the block knows its envelopes by the block only
        return encodeFetchAnswer(decodeFetchQuestion(question).type === 'block' ? answerOf(payload) : { references: [], envelopes: [] })
      },
    },
    verifier: { verifyBatch: async (items) => items.map(() => true) },
    clock,
    log: silentLog,
    blockBytesMax: 4_194_304,
    own: () => undefined,
  })
  let got: Payload | undefined
  void availability.obtain({ header: payload.header, manifest: () => undefined, holders: () => ['liar', 'honest'], isWanted: () => true, final: true }).then((one) => (got = one))
  await clock.advance(2_000)
  t.equal(got?.transactions.length, 2)
})

t.test('a timer that is set for years does not fire at once', async (t) => {
  let fired = false
  const cancel = systemClock.after(4_000_000_000, () => (fired = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  cancel()
  t.equal(fired, false)
})
