// A validator that has lost its votes: how far it follows before it votes.
import t from 'tap'
import type { BlockHeader } from '../../consensus/block.ts'
import type { CheckpointCertificate, SlotCertificate } from '../../consensus/certificate.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { type Schedule, scheduleOf, type ValidatorSet } from '../../consensus/validators.ts'
import type { Height, TimeMs, View } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { decodeSyncAnswer, encodeSyncAnswer, encodeSyncQuestion } from '../../node/exchange.ts'
import { askedView, createHorizon, followFirst, forgottenAt, higher, preparedHeight, type Standing } from '../../node/recovery.ts'
import { createOwnVotes, type OwnVote } from '../../node/own-votes.ts'
import { createPayloads } from '../../node/payloads.ts'
import { createServing } from '../../node/serving.ts'
import { silentLog } from '../../node/log.ts'
import { createVoting } from '../../node/voting.ts'
import { answerCostBytes, servedBurstBytes, servedBytesPerSecond } from '../../node/limits.ts'
import { sha256, zeroHash } from '../../primitives/hash.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { blockTransactionsMax } from '../../primitives/limits.ts'
import { decodeFetchAnswer, encodeFetchQuestion } from '../../node/exchange.ts'
import type { Hash } from '../../primitives/brand.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { makePayload, makeTransaction } from '../support/transactions.ts'

const set: ValidatorSet = {
  validators: [0, 1, 2, 3].map((i) => ({ name: `validator-${i}`, organisation: i % 2 === 0 ? 'busan' : 'bnk', publicKey: new Uint8Array(32).fill(i + 1) })),
  minimums: [],
}

function standing(top: number, epoch: number, view: number): Standing {
  return { top: top as Height, epoch: epoch as Height, view: view as View }
}

t.test('what is merely proposed or voted for holds nobody back: a new network would wait for its own votes', (t) => {
  const at = (height: number): BlockHeader => ({ chain: 'test-0123456789abcdef', height: height as Height, parent: zeroHash, timeMs: 1 as TimeMs, proposer: 0, payload: zeroHash, payloadCount: 1 })
  const signature = new Uint8Array(64)
  const certificate = (height: number): SlotCertificate => ({ view: 0 as View, height: height as Height, blockHash: zeroHash, signatures: [{ validator: 0, signature }] })
  t.equal(preparedHeight({ type: 'proposed', view: 0 as View, header: at(9) }), undefined)
  t.equal(preparedHeight({ type: 'prepared', view: 0 as View, header: at(9), proposal: signature }), undefined)
  for (const type of ['certificate', 'committed'] as const) t.equal(preparedHeight({ type, header: at(9), certificate: certificate(9) }), 9, type)
  t.equal(preparedHeight({ type: 'anchor', header: at(9), certificate: certificate(9), foundation: { decided: [] } }), 9)
  t.end()
})

t.test('it waits for the lowest answers that make a quorum: a liar keeps it waiting for nothing', async (t) => {
  const horizon = createHorizon(set, 3)
  horizon.note(0, standing(12, 1, 4))
  t.equal(horizon.standing(), undefined)
  horizon.note(1, standing(Number.MAX_SAFE_INTEGER, 900, 900))
  horizon.note(2, standing(10, 9, 0))
  t.same(horizon.standing(), standing(12, 9, 0), 'heights and views each by themselves: a later epoch is higher than any view of an earlier one')
})

t.test('what may be forgotten: up to the highest view that a quorum has asked for, and a window above what it has prepared', async (t) => {
  const since = 1 as Height
  t.same(forgottenAt(standing(12, 9, 3), since, 64), { epoch: 9, view: 3, height: 76 })
  t.equal(forgottenAt(standing(0, 1, 0), since, 64), undefined, 'a new network begins at once')
  t.same(forgottenAt(standing(1, 1, 0), since, 64), { epoch: 1, view: 0, height: 65 }, 'not once something is prepared')
  t.same(forgottenAt(standing(0, 1, 1), since, 64), { epoch: 1, view: 1, height: 64 }, 'nor once a view was asked for')
  t.equal(forgottenAt(standing(30, 1, 2), 32 as Height, 64), undefined, 'its first set is still to come')
  t.same(forgottenAt(standing(31, 1, 2), 32 as Height, 64), { epoch: 1, view: 2, height: 95 }, 'and begins when the block below is final')
})

t.test('views that were asked for are told, whatever became of them', (t) => {
  const signature = new Uint8Array(64)
  t.same(askedView({ type: 'wished', epoch: 1 as Height, view: 3 as View }), { type: 'wished', epoch: 1, view: 3 })
  t.match(askedView({ type: 'viewChange', epoch: 1 as Height, view: 3 as View, validator: 0, prepared: [], signature }), { epoch: 1, view: 3 })
  t.match(askedView({ type: 'newView', epoch: 5 as Height, view: 3 as View, viewChanges: [], adopted: [], signature }), { epoch: 5, view: 3 })
  t.equal(higher({ epoch: 5 as Height, view: 0 as View }, { epoch: 1 as Height, view: 9 as View }).epoch, 5)
  t.equal(higher({ epoch: 5 as Height, view: 0 as View }, { epoch: 5 as Height, view: 1 as View }).view, 1)
  t.end()
})

t.test('an old vote that others show is no reason to follow once more where it is known that votes were lost', (t) => {
  const publicKey = set.validators[3]?.publicKey as Uint8Array
  const schedule = (): Schedule => scheduleOf([{ activation: 1 as Height, set }], 5 as Height, 64)
  const shown = (view: number, height: number): OwnVote | undefined =>
    createOwnVotes({ publicKey, forgotten: { epoch: 1 as Height, view: 2 as View, height: 20 as Height } }, schedule, []).forgottenIn({ type: 'prepare', view: view as View, height: height as Height, blockHash: zeroHash, validator: 3, signature: new Uint8Array(64) }, 5 as Height)
  t.equal(shown(2, 20), undefined)
  t.match(shown(2, 21), { kind: 'prepare', height: 21, view: 2 })
  t.match(shown(3, 20), { kind: 'prepare', height: 20, view: 3 })
  t.end()
})

t.test('a Prepare within the allowance of the life before is no sign of lost votes; a Commit is, and a Prepare beyond it or in another view', (t) => {
  const publicKey = set.validators[3]?.publicKey as Uint8Array
  const allowance = (height: number): LogRecord => ({ type: 'allowance', epoch: 1 as Height, view: 2 as View, height: height as Height })
  const shown = (found: readonly LogRecord[], type: 'prepare' | 'commit', view: number, height: number): OwnVote | undefined =>
    createOwnVotes({ publicKey }, () => scheduleOf([{ activation: 1 as Height, set }], 5 as Height, 64), found).forgottenIn({ type, view: view as View, height: height as Height, blockHash: zeroHash, validator: 3, signature: new Uint8Array(64) }, 5 as Height)
  const found = [allowance(9), allowance(12)]
  t.equal(shown(found, 'prepare', 2, 12), undefined)
  t.match(shown(found, 'prepare', 2, 13), { kind: 'prepare', height: 13 })
  t.match(shown(found, 'prepare', 3, 12), { kind: 'prepare', view: 3 })
  t.match(shown(found, 'commit', 2, 12), { kind: 'commit', height: 12 })
  t.match(shown([...found, allowance(0)], 'prepare', 2, 6), { kind: 'prepare', height: 6 }, 'after a stop in order the log is all')
  t.end()
})

t.test('a primary knows the blocks that its NewView adopted as its own votes', (t) => {
  const publicKey = set.validators[3]?.publicKey as Uint8Array
  const votes = createOwnVotes({ publicKey }, () => scheduleOf([{ activation: 1 as Height, set }], 5 as Height, 64), [])
  const shown = { type: 'prepare', view: 3 as View, height: 2 as Height, blockHash: zeroHash, validator: 3, signature: new Uint8Array(64) } as const
  t.match(votes.forgottenIn(shown, 0 as Height), { height: 2, view: 3 })
  const one = { blockHash: zeroHash, signature: new Uint8Array(64) }
  votes.note({ type: 'newView', epoch: 1 as Height, view: 3 as View, viewChanges: [], adopted: [one, one], signature: new Uint8Array(64) })
  t.equal(votes.forgottenIn(shown, 0 as Height), undefined)
  t.match(votes.forgottenIn({ ...shown, height: 3 as Height }, 0 as Height), { height: 3, view: 3 }, 'and no others')
  t.end()
})

t.test('a view that was left is no business of the log any more: what was signed there was signed before it was left', (t) => {
  const publicKey = set.validators[3]?.publicKey as Uint8Array
  const votes = createOwnVotes({ publicKey }, () => scheduleOf([{ activation: 1 as Height, set }], 5 as Height, 64), [])
  const shown = (type: 'prepare' | 'commit', view: number): OwnVote | undefined => votes.forgottenIn({ type, view: view as View, height: 2 as Height, blockHash: zeroHash, validator: 3, signature: new Uint8Array(64) }, 0 as Height)
  t.match(shown('prepare', 2), { height: 2, view: 2 })
  // the log is cut when it leaves a view, and then lacks the NewView by which it voted for the blocks that it adopted
  votes.note({ type: 'viewChange', epoch: 1 as Height, view: 3 as View, validator: 3, prepared: [], signature: new Uint8Array(64) })
  t.equal(shown('prepare', 2), undefined)
  t.equal(shown('commit', 2), undefined)
  t.match(shown('prepare', 3), { height: 2, view: 3 }, 'a later vote is')
  votes.note({ type: 'newView', epoch: 1 as Height, view: 4 as View, viewChanges: [], adopted: [], signature: new Uint8Array(64) })
  t.equal(shown('prepare', 3), undefined)
  t.match(shown('prepare', 4), { height: 2, view: 4 })
  t.end()
})

t.test('it votes when it has executed what it may have had a part in, and not while blocks wait to be executed', async (t) => {
  const clock = createManualClock()
  let executed: number | undefined = 3
  let done: Standing | undefined
  const until: number[] = []
  void followFirst({
    set,
    self: 3,
    measure: 'top',
    transport: {
      request: async (peer) => {
        if (peer === 'validator-0') throw new DongbaekError('transport/not-connected', 'away')
        return encodeSyncAnswer({ blocks: [], head: 4 as Height, top: 5 as Height, epoch: 1 as Height, view: 2 as View })
      },
    },
    clock,
    stopped: () => false,
    follow: () => {},
    reached: () => executed as Height | undefined,
    onHorizon: ({ top, view }) => until.push(top, view),
  }).then((standing) => (done = standing))
  await clock.advance(1_000)
  t.same([until, done], [[5, 2], undefined])
  executed = undefined
  await clock.advance(1_000)
  t.equal(done, undefined)
  executed = 5
  await clock.advance(1_000)
  t.match(done, { top: 5, view: 2 })
})

/** Three others: the first lies and answers at once, the others when `late` lets them. */
function follow(clock: ReturnType<typeof createManualClock>, measure: 'top' | 'head', reached: () => number, isSilent: (peer: string) => boolean): { readonly until: number[]; readonly outcome: () => Standing | undefined } {
  const until: number[] = []
  let done: Standing | undefined
  followFirst({
    set,
    self: 3,
    measure,
    transport: {
      request: async (peer) => {
        if (isSilent(peer)) throw new DongbaekError('transport/not-connected', 'away')
        const isLiar = peer === 'validator-0'
        return encodeSyncAnswer({ blocks: [], head: (isLiar ? 900 : 4) as Height, top: (isLiar ? 900 : 5) as Height, epoch: 1 as Height, view: (isLiar ? 800 : 2) as View })
      },
    },
    clock,
    stopped: () => false,
    follow: () => {},
    reached: () => reached() as Height,
    onHorizon: ({ top, view }) => until.push(top, view),
  }).then(
    (standing) => (done = standing),
    (error: unknown) => t.fail(String(error)),
  )
  return { until, outcome: () => done }
}

for (const measure of ['head', 'top'] as const) {
  t.test(`a liar among the first who answer keeps nobody waiting for what never comes: those who answer later tell (${measure})`, async (t) => {
    const clock = createManualClock()
    let late = true
    const { until, outcome } = follow(clock, measure, () => 5, (peer) => late && peer === 'validator-2')
    await clock.advance(5_000)
    t.same([until, outcome()], [[900, 800], undefined])
    late = false
    await clock.advance(1_000)
    t.same(until.slice(2), [measure === 'head' ? 4 : 5, 2])
    t.match(outcome(), { view: 2 })
  })
}

t.test('one without its votes hears those who answer a little later, and does not wait for the silent for ever', async (t) => {
  const late = createManualClock()
  let answers = 0
  const heard = follow(late, 'top', () => 900, (peer) => peer === 'validator-2' && ++answers < 4)
  await late.advance(1_500)
  t.match(heard.outcome(), { top: 5, view: 2 }, 'and so gives up no more views than it must')
  const silent = createManualClock()
  const alone = follow(silent, 'top', () => 900, (peer) => peer === 'validator-2')
  await silent.advance(1_500)
  t.equal(alone.outcome(), undefined)
  await silent.advance(1_500)
  t.match(alone.outcome(), { top: 900, view: 800 })
})

t.test('an answer that got lost is asked for again, though another validator never answers', async (t) => {
  const clock = createManualClock()
  const asked: string[] = []
  const until: number[] = []
  void followFirst({
    set,
    self: 3,
    measure: 'head',
    transport: {
      request: async (peer, _protocol, _question, { timeoutMs }) => {
        const isFirst = !asked.includes(peer)
        asked.push(peer)
        if (peer === 'validator-0' || isFirst) return new Promise((_, reject) => clock.after(timeoutMs, () => reject(new DongbaekError('transport/timeout', 'no answer'))))
        return encodeSyncAnswer({ blocks: [], head: 4 as Height, top: 5 as Height, epoch: 1 as Height, view: 2 as View })
      },
    },
    clock,
    stopped: () => until.length > 0,
    follow: () => {},
    reached: () => 0 as Height,
    onHorizon: ({ top }) => until.push(top),
  })
  await clock.advance(3_000)
  t.same(until, [4])
})

t.test('one that stops meanwhile never votes', async (t) => {
  const clock = createManualClock()
  let stopped = false
  let done: { readonly standing: Standing | undefined } | undefined
  void followFirst({ set, self: 3, measure: 'top', transport: { request: async () => Promise.reject(new DongbaekError('transport/not-connected', 'away')) }, clock, stopped: () => stopped, follow: () => {}, reached: () => 0 as Height, onHorizon: () => t.fail('nobody has answered') }).then((standing) => (done = { standing }))
  await clock.advance(5_000)
  stopped = true
  await clock.advance(5_000)
  t.same(done, { standing: undefined })
})

t.test('the log counts as whole only when the new one stands: the life that ends must not say so in a cut of the old one', async (t) => {
  const clock = createManualClock()
  const seen: boolean[] = []
  const { promise: written, resolve: write } = Promise.withResolvers<void>()
  const voting = createVoting({
    place: () => ({ epoch: { activation: 1 as Height, set }, index: 3 }),
    since: () => 1 as Height,
    window: 64,
    transport: { request: async () => encodeSyncAnswer({ blocks: [], head: 5 as Height, top: 5 as Height, epoch: 1 as Height, view: 0 as View }) },
    clock,
    log: silentLog,
    votes: { renew: async () => {} },
    isWhole: false,
    why: undefined,
    ordering: () => ({ status: () => ({ committed: 500 as Height }), driver: { input: () => {} } }),
    head: () => 500 as Height,
    follow: () => {},
    hasEnded: () => false,
    voteAgain: async () => {
      seen.push(voting.isWhole())
      await written
      seen.push(voting.isWhole())
    },
    onFatal: (error) => t.fail(String(error)),
  })
  voting.see()
  await clock.advance(5_000)
  t.same([seen, voting.recovering() === undefined], [[false], false])
  write()
  await clock.advance(1_000)
  t.same([seen, voting.isWhole(), voting.recovering()], [[false, false], true, undefined])
})

function serving(clock = createManualClock()): ReturnType<typeof createServing> {
  const payloads = createPayloads()
  for (let height = 1; height <= 4; height++) payloads.put(makePayload(height, Array.from({ length: 500 }, (_, i) => makeTransaction(`${height} ${i}`))), true)
  const certificate = async (): Promise<CheckpointCertificate | undefined> => undefined
  return createServing({
    store: { head: () => ({ height: 0 as Height, hash: new Uint8Array(32) as Hash, timeMs: 0 as never, stateRoot: new Uint8Array(32) as Hash }), oldest: () => 1 as Height, block: () => undefined, results: () => undefined, payload: () => undefined, heightOf: () => undefined, checkpointAtOrBelow: certificate },
    snapshots: { manifest: () => new Uint8Array(), part: async () => new Uint8Array() },
    mempool: { byReference: () => undefined },
    payloads,
    setChanges: async () => [], bodyOf: () => undefined,
    clock,
    standing: () => standing(7, 1, 4),
  })
}

t.test('a question for thousands of envelopes that are not here costs milliseconds', async (t) => {
  const { fetch } = serving()
  const question = encodeFetchQuestion({ type: 'envelopes', references: Array.from({ length: blockTransactionsMax }, (_, i) => sha256(utf8(String(i))) as Hash) })
  // of the processor, since the machine may be busy with other tests
  const before = process.cpuUsage()
  t.same(decodeFetchAnswer(await fetch('peer', question)).envelopes, [])
  const tookMs = process.cpuUsage(before).user / 1_000
  t.comment(`${tookMs.toFixed(1)} ms`)
  t.ok(tookMs < 500)
})

t.test('a peer that asks without end is answered at its pace, and the others at theirs', async (t) => {
  const clock = createManualClock()
  const { sync } = serving(clock)
  const question = encodeSyncQuestion({ from: 1 as Height, count: 1 })
  let answers = 0
  const flood = async (): Promise<void> => {
    for (;;) {
      await sync('liar', question)
      answers++
    }
  }
  void flood()
  await clock.advance(10)
  const burst = answers
  t.ok(burst <= (servedBurstBytes + servedBytesPerSecond / 50) / answerCostBytes, `${burst} at once`)
  await clock.advance(1_000)
  t.ok(answers - burst <= (1.02 * servedBytesPerSecond) / answerCostBytes, `${answers - burst} in the next second`)
  t.match(decodeSyncAnswer(await sync('honest', question)), standing(7, 1, 4))
})
