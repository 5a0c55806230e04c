// The protocol step by step, and the rows of docs' pitfalls that a few replicas side by side can show. Schedules are the simulator's business.
import t from 'tap'
import { blockHash, refOf } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import { defaultTiming } from '../../consensus/config.ts'
import { evidencePerValidatorMax } from '../../consensus/limits.ts'
import { newViewBytes, statusBytes, viewChangeBytes, type Message, type MessageOf, type PrePrepare, type SignedViewChange, type SlotVote } from '../../consensus/messages.ts'
import { onPrePrepare, onVote } from '../../consensus/normal.ts'
import { restoreState } from '../../consensus/restore.ts'
import { onStatus } from '../../consensus/status.ts'
import { epochHash, type Epoch } from '../../consensus/validators.ts'
import { checksOf } from '../../consensus/verification.ts'
import { onViewChange } from '../../consensus/viewchange.ts'
import { checkpointBytes, voteBytes } from '../../consensus/votes.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { equalBytes } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { manifestOf, payloadHash } from '../simulator/payload.ts'
import { Bench, chain, genesis, headerOn, stateRootOf } from './bench.ts'

const heightsOf = (bench: Bench, index: number): number[] => bench.at(index).delivered.map(({ header }) => header.height)
const saidBy = <K extends Message['type']>(bench: Bench, index: number, type: K): MessageOf<K>[] => bench.at(index).sent.filter((message): message is MessageOf<K> => message.type === type)
const all = [0, 1, 2, 3]

function proposal(bench: Bench, view: number, transaction: number, by: number): PrePrepare {
  const header = headerOn(genesis, by, transaction)
  return { view: view as View, header, manifest: manifestOf([transaction]), signature: bench.signAs(by, voteBytes('pre-prepare', chain, view as View, header.height, blockHash(header))) }
}

function vote(bench: Bench, kind: 'prepare' | 'commit', view: number, height: number, hash: Hash, by: number): SlotVote {
  return { view: view as View, height: height as Height, blockHash: hash, validator: by, signature: bench.signAs(by, voteBytes(kind, chain, view as View, height as Height, hash)) }
}

t.test('blocks become final in order, each once, and are certified', (t) => {
  const bench = new Bench(4)
  bench.work(6)
  for (const index of all) {
    t.same(heightsOf(bench, index), [1, 2, 3, 4, 5, 6])
    t.match(bench.at(index).status, { committed: 6, executed: 6, checkpoint: 6, view: 0, mode: 'normal', open: 0 })
    t.match(bench.at(index).waiting, { what: 'nothing' })
    t.same(bench.at(index).blames, [])
  }
  t.equal(saidBy(bench, 0, 'prepare').length, 0, 'the primary prepares by its PrePrepare')
  t.equal(saidBy(bench, 1, 'prepare').length, 6)
  t.end()
})

t.test('SmartBFT #622, #570: no deadlock of decision and abort, no double delivery. Said again in any order, nothing is delivered twice', (t) => {
  const bench = new Bench(4)
  bench.work(3)
  const everything = bench.replicas.flatMap((one) => one.sent)
  for (const message of [...everything, ...everything.reverse()]) for (const index of all) bench.hand(index, message)
  for (const index of all) t.same(heightsOf(bench, index), [1, 2, 3])
  t.end()
})

t.test('a block that came first stays: several in flight, each on the one below', (t) => {
  const bench = new Bench(4, { pipelineDepth: 3 })
  bench.work(5, ({ message }) => message.type === 'pre-prepare')
  t.equal(saidBy(bench, 0, 'pre-prepare').length, 3, 'no more than the pipeline holds')
  t.equal(bench.at(1).status.open, 3)
  t.equal(saidBy(bench, 1, 'prepare').length, 1, 'a Prepare goes out only when the slot below is prepared')
  t.end()
})

t.test('there are no empty blocks: without work nobody is asked, and nothing is a fine answer', (t) => {
  const bench = new Bench(4)
  bench.settle()
  t.ok(bench.at(0).outputs.every((output) => output.propose === undefined))
  bench.work(0)
  const asked = bench.at(0).outputs.filter((output) => output.propose !== undefined).length
  t.equal(asked, 1)
  bench.at(0).give({ type: 'work', pending: true })
  t.equal(bench.at(0).outputs.filter((output) => output.propose !== undefined).length, asked + 1, 'word of new work makes it ask again')
  t.same(heightsOf(bench, 1), [])
  t.end()
})

t.test('an idle network is silent but for a heartbeat', (t) => {
  const bench = new Bench(4)
  bench.work(2)
  for (const index of all) {
    for (let i = 0; i < 5; i++) bench.expire('retransmit', [index])
    t.same([...bench.at(index).timers.keys()].filter((name) => name !== 'answer'), ['heartbeat'])
  }
  t.end()
})

t.test('an answer that comes too late, or does not fit, is no proposal', (t) => {
  const bench = new Bench(4)
  bench.allowance = 0
  const primary = bench.at(0)
  const ask = primary.give({ type: 'work', pending: true }).propose
  if (ask === undefined) throw new Error('not asked')
  const manifest = manifestOf([1])
  const good = { type: 'proposal', view: ask.view, height: ask.height, parent: ask.parent, timeMs: 5 as TimeMs, payload: payloadHash(manifest), payloadCount: 1, manifest } as const
  const sends = (input: Parameters<typeof primary.give>[0]): boolean => primary.give(input).send.some(({ message }) => message.type === 'pre-prepare')
  t.notOk(sends({ ...good, view: 1 as View }))
  t.notOk(sends({ ...good, height: 2 as Height }))
  t.notOk(sends({ ...good, parent: good.payload }))
  t.notOk(sends({ ...good, timeMs: 0 as TimeMs }), 'not later than the parent')
  t.notOk(sends({ ...good, payloadCount: 2 }), 'the manifest says otherwise')
  t.ok(sends(good))
  t.notOk(sends(good), 'once')
  t.end()
})

t.test('a block with a missing payload is not voted for until the verdict comes, however late', (t) => {
  const bench = new Bench(4)
  const replica = bench.at(1).restarted([])
  replica.step({ type: 'start' })
  const message = proposal(bench, 0, 7, 0)
  const verified = bench.verified(1, { ...message, type: 'pre-prepare' })
  if (verified === undefined) throw new Error('refused')
  const output = replica.step({ type: 'message', message: verified })
  t.equal(output.validate.length, 1)
  t.notOk(output.send.some((send) => send.message.type === 'prepare'))
  const late = replica.step({ type: 'payload', blockHash: blockHash(message.header), verdict: 'valid' })
  t.ok(late.send.some((send) => send.message.type === 'prepare'))
  t.ok(late.persist.some((record) => record.type === 'prepared'), 'and the record goes before it')
  t.end()
})

t.test('a refused payload is not voted for, and the primary is distrusted', (t) => {
  const bench = new Bench(4)
  const replica = bench.at(1).restarted([])
  replica.step({ type: 'start' })
  const message = proposal(bench, 0, 7, 0)
  const verified = bench.verified(1, { ...message, type: 'pre-prepare' })
  if (verified === undefined) throw new Error('refused')
  replica.step({ type: 'message', message: verified })
  const output = replica.step({ type: 'payload', blockHash: blockHash(message.header), verdict: 'invalid' })
  t.notOk(output.send.some((send) => send.message.type === 'prepare'))
  t.equal(replica.status().wish, 1)
  t.end()
})

t.test('arXiv 2002.03613: two decisions at one height in IBFT. A dead primary is replaced, and what was prepared survives each view', (t) => {
  const bench = new Bench(4)
  bench.work(2, ({ message, to }) => message.type !== 'commit' || to === 3)
  t.same(heightsOf(bench, 3), [1, 2], 'replica 3 alone knows that they are final')
  t.same(heightsOf(bench, 1), [])
  // It and the primary are gone; the other two and the old primary go on without it.
  const without = ({ from, to }: { from: number; to: number }): boolean => from !== 3 && to !== 3
  bench.expire('view', [0, 1, 2], without)
  for (const index of [0, 1, 2]) {
    t.equal(bench.at(index).status.view, 1)
    t.same(heightsOf(bench, index), [1, 2])
    t.ok(equalBytes(blockHash(bench.at(index).delivered[1]!.header), blockHash(bench.at(3).delivered[1]!.header)))
  }
  t.end()
})

t.test('besu #1734: timer and commit race. After committing a height a replica never signs for it again', (t) => {
  const bench = new Bench(4)
  bench.work(2, ({ message, to }) => message.type !== 'commit' || to === 3)
  const before = bench.at(3).sent.length
  bench.expire('view')
  for (const message of bench.at(3).sent.slice(before)) {
    if (message.type === 'prepare' || message.type === 'commit') t.ok(message.height > 2, `a ${message.type} for ${message.height}`)
  }
  for (const index of all) t.same(heightsOf(bench, index), [1, 2])
  t.end()
})

t.test('neo #642: commit accepted after a view change began. After its ViewChange a replica sends no Prepare and no Commit for a lower view', (t) => {
  const bench = new Bench(4)
  bench.work(1, ({ message }) => message.type !== 'commit')
  // Everyone has sent its ViewChange; nobody hears of the new view. Now the old votes arrive.
  bench.expire('view', all, ({ message }) => message.type !== 'new-view' && message.type !== 'commit')
  const replica = bench.at(2)
  t.match(replica.status, { view: 1, mode: 'changing' })
  const before = replica.sent.length
  for (const message of bench.replicas.flatMap((one) => one.sent)) if (message.type === 'prepare' || message.type === 'pre-prepare') bench.hand(2, message)
  replica.expire('retransmit')
  t.notOk(replica.sent.slice(before).some((message) => (message.type === 'prepare' || message.type === 'commit') && message.view < 1))
  // Commits of the old view still count: what is final is final.
  for (const one of bench.replicas) for (const message of one.sent) if (message.type === 'commit') bench.hand(2, message)
  t.same(heightsOf(bench, 2), [1])
  t.end()
})

t.test('sawtooth-pbft #90: stays "view changing" after catching up. A replica that was cut off has only wished, and goes on voting when it is back', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  bench.allowance = 1
  bench.syncs = false
  bench.pend()
  bench.settle(({ to, from }) => to !== 3 && from !== 3)
  t.same(heightsOf(bench, 0), [1, 2])
  t.same(heightsOf(bench, 3), [1])
  for (let i = 0; i < 5; i++) bench.expire('view', [3], ({ to, from }) => to !== 3 && from !== 3)
  t.match(bench.at(3).status, { view: 0, mode: 'normal', wish: 1 })
  t.match(bench.at(3).waiting, { what: 'viewChange' })
  // Back: it catches up by the block with its certificate, and its wish is withdrawn.
  bench.at(3).give({ type: 'synced', decision: bench.at(0).delivered[1] as never })
  t.match(bench.at(3).status, { view: 0, mode: 'normal', wish: 0, committed: 2 })
  bench.work(1)
  t.equal(saidBy(bench, 3, 'commit').at(-1)?.height, 3)
  for (const index of all) t.equal(bench.at(index).status.view, 0)
  t.end()
})

const wishing = (bench: Bench, index: number, committed: number, wish: number): Message => {
  const content = { epoch: 1 as Height, view: 0 as View, active: 1, wish: wish as View, committed: committed as Height, checkpoint: 0 as Height, validator: index }
  return { type: 'status', ...content, signature: bench.signAs(index, statusBytes(chain, content)) }
}

t.test('a wish that comes late, from before a block that is final here, counts no more: it was withdrawn by that block', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  for (const index of [1, 2]) bench.hand(3, wishing(bench, index, 0, 5))
  t.match(bench.at(3).status, { view: 0, mode: 'normal', wish: 0 })
  for (const index of [1, 2]) bench.hand(3, wishing(bench, index, 1, 5))
  t.match(bench.at(3).status, { view: 5, mode: 'changing' }, 'those of the same place do')
  t.end()
})

t.test('a wish is given up when nothing waits here and fewer than f + 1 others ask', (t) => {
  const bench = new Bench(7)
  bench.work(1)
  for (const index of [1, 2, 3]) bench.hand(6, wishing(bench, index, 1, 5))
  t.match(bench.at(6).status, { view: 0, mode: 'normal', wish: 5 }, 'f + 1 that ask are joined')
  bench.hand(6, wishing(bench, 1, 2, 0))
  t.equal(bench.at(6).status.wish, 0)
  bench.at(6).give({ type: 'work', pending: true })
  bench.at(6).give({ type: 'suspect', reason: 'test' })
  bench.hand(6, wishing(bench, 2, 2, 0))
  t.equal(bench.at(6).status.wish, 1, 'its own stands while something waits')
  bench.at(6).give({ type: 'work', pending: false })
  t.equal(bench.at(6).status.wish, 0, 'and is given up with it')
  t.end()
})

t.test('sawtooth-pbft #133: view-change timer started too early. It starts when a quorum asks for the view; a replica that asks alone neither leaves its view nor counts down', (t) => {
  const bench = new Bench(4)
  const replica = bench.at(2)
  replica.give({ type: 'work', pending: true })
  bench.expire('view', [2], () => false)
  t.match(replica.status, { view: 0, mode: 'normal', wish: 1 })
  t.notOk(replica.timers.has('view'))
  t.equal(saidBy(bench, 2, 'view-change').length, 0)
  bench.hand(2, bench.statusBy(0, 1))
  t.match(replica.status, { view: 0, mode: 'normal', wish: 1 }, 'two of three')
  t.notOk(replica.timers.has('view'))
  bench.hand(2, bench.statusBy(3, 1))
  t.match(replica.status, { view: 1, mode: 'changing' }, 'three: nobody is alone in the next view')
  t.equal(replica.timers.get('view'), 2 * defaultTiming.viewTimeoutMs)
  t.end()
})

t.test('besu #7642: back-off uncapped. The view timer doubles with each view that fails, up to the cap, and comes down with progress', (t) => {
  const bench = new Bench(4)
  const replica = bench.at(2)
  const waits: number[] = []
  // Views fail one after the other, since no NewView ever arrives.
  const noNewView = ({ message }: { message: Message }): boolean => message.type !== 'new-view'
  bench.pend()
  for (let i = 0; i < 8; i++) {
    bench.expire('view', all, noNewView)
    waits.push(replica.timers.get('view') ?? 0)
  }
  t.same(waits.slice(0, 4), [2_000, 4_000, 8_000, 8_000])
  t.ok(waits.every((wait) => wait <= defaultTiming.viewTimeoutMaxMs))
  const failed = replica.status.view
  bench.expire('view')
  t.ok(replica.status.view > failed && replica.status.mode === 'normal', 'one view in which messages arrive is enough')
  bench.work(12)
  t.equal(heightsOf(bench, 2).length, 12)
  replica.give({ type: 'work', pending: true })
  t.equal(replica.timers.get('view'), 1_000)
  t.end()
})

t.test('quorum #1664: f + 1 higher views are joined, and one is not', (t) => {
  const bench = new Bench(4)
  const replica = bench.at(0)
  bench.hand(0, bench.statusBy(1, 7))
  t.equal(replica.status.wish, 0, 'one alone may be lying')
  bench.hand(0, bench.statusBy(2, 5))
  t.equal(replica.status.wish, 5, 'what f + 1 others want at least')
  t.equal(replica.status.view, 5, 'and with itself they are a quorum')
  t.equal(replica.status.mode, 'changing')
  t.end()
})

t.test('after the loss of the primary the next block waits for one view timeout and for nothing else; timers adapt back with it', (t) => {
  const bench = new Bench(4)
  bench.work(2)
  bench.allowance = 1
  bench.pend([1, 2, 3])
  const alive = ({ from, to }: { from: number; to: number }): boolean => from !== 0 && to !== 0
  for (const index of [1, 2, 3]) t.equal(bench.at(index).timers.get('view'), defaultTiming.viewTimeoutMs)
  bench.expire('view', [1, 2, 3], alive)
  for (const index of [1, 2, 3]) t.match(bench.at(index).status, { view: 1, mode: 'normal', committed: 3 })
  t.ok(defaultTiming.viewTimeoutMs < 2_000, 'well below the two seconds that are promised')
  bench.allowance = 1
  bench.pend([1, 2, 3])
  bench.settle(alive)
  bench.pend([1, 2, 3])
  for (const index of [1, 2, 3]) t.equal(bench.at(index).timers.get('view'), defaultTiming.viewTimeoutMs, 'one block undoes one failure')
  t.end()
})

t.test('a slow primary is replaced: what it has proposed comes after the view timeout, and nobody votes for it', (t) => {
  const bench = new Bench(4)
  bench.allowance = 1
  bench.pend()
  const late = bench.posted.splice(0)
  t.ok(late.some(({ message }) => message.type === 'pre-prepare'))
  bench.allowance = 1
  bench.expire('view', [1, 2, 3])
  for (const { to, message } of late) bench.hand(to, message)
  bench.settle()
  for (const index of all) t.match(bench.at(index).status, { view: 1, mode: 'normal', committed: 1 })
  for (const index of [1, 2, 3]) t.ok(saidBy(bench, index, 'prepare').every(({ view }) => view === 1))
  t.equal(bench.at(0).delivered[0]?.header.proposer, 1)
  t.end()
})

t.test('besu #7642, quorum #1664: n replicas in n different views meet again, within one capped timeout and nobody restarted', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  bench.pend()
  // Each has seen a quorum ask for another view, and nobody has heard of the others since.
  for (const index of all) {
    for (const other of all) {
      if (other === index) continue
      const content = { epoch: 1 as Height, view: 0 as View, active: 1, wish: (index < 2 ? 3 + 7 * index : 28 + index) as View, committed: 1 as Height, checkpoint: 1 as Height, validator: other }
      bench.hand(index, { type: 'status', ...content, signature: bench.signAs(other, statusBytes(chain, content)) })
    }
    t.match(bench.at(index).status, { mode: 'changing' })
    bench.posted = []
  }
  bench.allowance = 1
  bench.expire('retransmit')
  bench.expire('retransmit')
  for (const index of all) t.ok((bench.at(index).timers.get('view') ?? 0) <= defaultTiming.viewTimeoutMaxMs)
  if (bench.at(0).status.committed < 2) bench.expire('view')
  t.same(all.map((index) => bench.at(index).status.committed), [2, 2, 2, 2])
  // Who is ahead of f + 1 others has promised to vote in no lower view; it is one view ahead at most, since f + 1 correct ones stood behind that.
  t.same(all.map((index) => bench.at(index).status.view), [30, 30, 30, 31])
  bench.at(0).give({ type: 'suspect', reason: 'test' })
  bench.at(1).give({ type: 'suspect', reason: 'test' })
  bench.settle()
  for (const index of all) t.match(bench.at(index).status, { view: 31, mode: 'normal' }, 'and the next view has all of them')
  t.end()
})

t.test('indy-node #1720: a view-change loop. Views settle: after ten that came to nothing the next one stays, whatever old is said again', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  for (let i = 0; i < 10; i++) {
    bench.pend()
    bench.expire('view', all, ({ message }) => message.type !== 'new-view')
  }
  t.same(all.map((index) => bench.at(index).status.view), [10, 10, 10, 10])
  for (const name of ['answer', 'retransmit', 'retransmit'] as const) bench.expire(name)
  const settled = { view: 10, mode: 'normal', wish: 10 } as const
  for (const index of all) t.match(bench.at(index).status, settled)
  const said = all.map((from) => [...bench.at(from).sent])
  for (let round = 0; round < 3; round++) {
    bench.work(5)
    for (const to of all) said.forEach((messages, from) => from === to || messages.forEach((message) => bench.hand(to, message)))
    bench.settle()
    for (const name of ['retransmit', 'heartbeat', 'answer'] as const) bench.expire(name)
    for (const index of all) t.match(bench.at(index).status, { ...settled, committed: 1 + 5 * (round + 1) })
  }
  t.end()
})

t.test('a primary that proposes twice is blamed with both proposals, and left', (t) => {
  const bench = new Bench(4)
  const one = proposal(bench, 0, 1, 0)
  const two = proposal(bench, 0, 2, 0)
  for (const index of [1, 2, 3]) {
    bench.hand(index, { ...(index === 1 ? two : one), type: 'pre-prepare' })
    bench.hand(index, { ...(index === 1 ? one : two), type: 'pre-prepare' })
    t.match(bench.at(index).blames, [{ validator: { name: 'v0' }, kind: 'pre-prepare', height: 1, view: 0 }])
    t.equal(bench.at(index).blames[0]?.messages.length, 2)
  }
  bench.settle()
  for (const index of [1, 2, 3]) t.equal(bench.at(index).status.view, 1)
  t.end()
})

t.test('two contradictory votes of one validator are evidence; one twice is none', (t) => {
  const bench = new Bench(4)
  const [a, b] = [taggedHash('a'), taggedHash('b')]
  for (const kind of ['prepare', 'commit'] as const) {
    bench.hand(1, { ...vote(bench, kind, 0, 1, a, 2), type: kind })
    bench.hand(1, { ...vote(bench, kind, 0, 1, a, 2), type: kind })
    bench.hand(1, { ...vote(bench, kind, 1, 1, b, 2), type: kind })
  }
  t.same(bench.at(1).blames, [], 'another view is another vote')
  bench.hand(1, { ...vote(bench, 'commit', 1, 1, a, 2), type: 'commit' })
  t.match(bench.at(1).blames, [{ validator: { name: 'v2' }, kind: 'commit', height: 1, view: 1 }])
  t.end()
})

t.test('fabric #1111: new view computed over another set than the backups. Another choice than the own one is refused and blamed', (t) => {
  const bench = new Bench(4)
  bench.work(1, ({ message }) => message.type !== 'commit')
  bench.expire('view', all, ({ message }) => message.type !== 'new-view')
  const [honest] = saidBy(bench, 1, 'new-view')
  if (honest === undefined) throw new Error('no new view')
  t.equal(honest.adopted.length, 1)
  const content = { epoch: honest.epoch, view: honest.view, viewChanges: honest.viewChanges, adopted: [] }
  const lie: Message = { type: 'new-view', ...content, signature: bench.signAs(1, newViewBytes(chain, content)) }
  t.ok(bench.verified(2, lie), 'every signature in it is right')
  bench.hand(2, lie)
  t.match(bench.at(2).status, { mode: 'changing', view: 1, wish: 2 })
  t.match(bench.at(2).blames, [{ validator: { name: 'v1' }, kind: 'new-view', view: 1 }])
  t.end()
})

t.test('a restarted primary that has led a view and forgotten it does not lead it again', (t) => {
  const bench = new Bench(4)
  bench.work(1, ({ message }) => message.type !== 'commit')
  bench.expire('view')
  const committed = bench.at(1).delivered[0]
  t.equal(committed?.certificate.view, 1)
  const replica = bench.at(1).restarted([], { epochs: [bench.epoch], decisions: [committed!], executed: { height: 1 as Height, blockHash: blockHash(committed!.header), stateRoot: stateRootOf(blockHash(committed!.header)) } })
  replica.step({ type: 'start' })
  t.match(replica.status(), { view: 1, mode: 'changing' }, 'the certificate proves that view 1 was entered')
  for (const index of [0, 2, 3]) {
    for (const change of saidBy(bench, index, 'view-change')) {
      const message = bench.verified(1, change)
      if (message !== undefined) replica.step({ type: 'message', message })
    }
  }
  t.match(replica.status(), { view: 1, mode: 'changing' })
  t.end()
})

t.test('suspicion that the primary leaves transactions out, held by f + 1, replaces it', (t) => {
  const bench = new Bench(4)
  bench.pend()
  bench.settle()
  bench.at(3).give({ type: 'suspect', reason: 'test' })
  bench.settle()
  t.equal(bench.at(3).status.view, 0, 'one alone moves nothing')
  bench.at(2).give({ type: 'suspect', reason: 'test' })
  bench.settle()
  for (const index of all) t.equal(bench.at(index).status.view, 1)
  t.end()
})

t.test('a primary that leaves transactions out is replaced although it goes on making blocks, and those who hold them notice at different times', (t) => {
  const bench = new Bench(4)
  const block = (blocks: number): void => {
    bench.allowance = blocks
    bench.pend()
    bench.settle()
  }
  block(1)
  bench.at(3).give({ type: 'suspect', reason: 'test' })
  bench.settle()
  block(3)
  t.match(bench.at(3).status, { committed: 4, view: 0, wish: 1 }, 'no block takes the suspicion back')
  bench.at(2).give({ type: 'suspect', reason: 'test' })
  bench.settle()
  for (const index of all) t.equal(bench.at(index).status.view, 1)
  block(1)
  for (const index of all) t.match(bench.at(index).status, { committed: 5, view: 1, wish: 1 }, 'and the next primary begins without it')
  t.same(bench.at(3).outputs.flatMap((output) => output.views), [{ what: 'asked', view: 1, reason: 'suspicion' }, { what: 'left', view: 1, reason: 'suspicion' }, { what: 'entered', view: 1 }])
  t.match(bench.at(0).outputs.flatMap((output) => output.views), [{ what: 'asked', view: 1, reason: 'others' }, { what: 'left', view: 1, reason: 'others' }, { what: 'entered', view: 1 }])
  t.end()
})

t.test('a suspicion is given up when nothing waits any more, and said again while blocks go by', (t) => {
  const bench = new Bench(4)
  const suspicious = bench.at(3)
  suspicious.give({ type: 'work', pending: true })
  suspicious.give({ type: 'suspect', reason: 'test' })
  bench.allowance = 2
  bench.pend()
  bench.settle()
  const before = saidBy(bench, 3, 'status').length
  for (let i = 0; i < 4; i++) suspicious.expire('retransmit')
  const said = saidBy(bench, 3, 'status').slice(before)
  t.ok(said.length > 0 && said.every(({ wish, active }) => wish === 1 && active === 2))
  suspicious.give({ type: 'work', pending: false })
  t.match(suspicious.status, { view: 0, wish: 0 })
  t.end()
})

t.test('a replica whose state differs from the certified one halts, says so, and never signs again, also after a restart', (t) => {
  const bench = new Bench(4, { stateRoot: (replica, hash) => (replica === 2 ? taggedHash('wrong') : stateRootOf(hash)) })
  bench.work(2)
  const replica = bench.at(2)
  t.ok(replica.halted)
  t.match(replica.waiting, { what: 'operator' })
  t.ok(replica.log.some((record) => record.type === 'halted'))
  const before = replica.sent.length
  bench.work(2)
  bench.expire('retransmit')
  t.equal(replica.sent.length, before)
  for (const index of [0, 1, 3]) t.equal(bench.at(index).status.checkpoint, 4, 'the others go on')
  const restarted = replica.restarted(replica.log)
  t.same(restarted.step({ type: 'start' }).send, [])
  t.match(restarted.waiting(), { what: 'operator' })
  t.end()
})

t.test('checkpoints may be spaced; an idle chain still ends certified', (t) => {
  const bench = new Bench(4, { parameters: { window: 8, checkpointInterval: 4 } })
  bench.work(6)
  for (const index of all) t.equal(bench.at(index).status.checkpoint, 4)
  bench.expire('checkpoint')
  for (const index of all) t.equal(bench.at(index).status.checkpoint, 6)
  t.end()
})

t.test('the window stops a primary that runs ahead of the stable checkpoint', (t) => {
  const bench = new Bench(4, { parameters: { window: 4, checkpointInterval: 1 }, pipelineDepth: 16 })
  bench.work(10, ({ message }) => message.type !== 'checkpoint')
  t.equal(saidBy(bench, 0, 'pre-prepare').length, 4)
  bench.expire('retransmit')
  bench.expire('retransmit')
  t.equal(heightsOf(bench, 1).length, 10, 'and goes on when the checkpoint is there')
  t.end()
})

t.test('the validator set changes at its height: the new one leads and votes, and certificates chain', (t) => {
  const sets = new Map<number, Epoch>()
  const bench = new Bench(5, { members: 4, parameters: { window: 4, checkpointInterval: 1 }, setChanges: sets })
  // v1 leaves and v4 comes.
  sets.set(2, { activation: 8 as Height, set: { validators: [0, 2, 3, 4].map((i) => bench.members[i]!), minimums: [] } })
  for (let i = 0; i < 10; i++) bench.work(1)
  for (let index = 0; index < 5; index++) t.same(heightsOf(bench, index), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], `v${index} follows`)
  t.match(bench.at(4).status, { epoch: 8, index: 3, view: 0 })
  t.match(bench.at(1).status, { epoch: 8, index: undefined })
  t.ok(saidBy(bench, 4, 'commit').every((message) => message.height >= 8) && saidBy(bench, 4, 'commit').length > 0)
  t.ok(saidBy(bench, 1, 'commit').every((message) => message.height < 8) && saidBy(bench, 1, 'commit').length > 0)
  // The primary of view 0 in the new epoch dies; its successor is found in the new set.
  const withoutPrimary = ({ from, to }: { from: number; to: number }): boolean => from !== 0 && to !== 0
  bench.allowance = 1
  bench.pend([2, 3, 4])
  bench.expire('view', [2, 3, 4], withoutPrimary)
  t.match(bench.at(4).status, { epoch: 8, view: 1 })
  t.same(heightsOf(bench, 4).at(-1), 11)
  t.end()
})

t.test('a validator that leaves the set still certifies the last height that it governed', (t) => {
  const sets = new Map<number, Epoch>()
  const minimums = ['city', 'bank'].map((organisation) => ({ organisation, minimum: 2 }))
  const bench = new Bench(5, { members: 4, parameters: { window: 4, checkpointInterval: 2 }, minimums, setChanges: sets })
  // v0 leaves and v4 comes; without v0 the old set has too few of the city.
  sets.set(2, { activation: 8 as Height, set: { validators: [1, 2, 3, 4].map((i) => bench.members[i]!), minimums } })
  for (let i = 0; i < 7; i++) bench.work(1)
  t.match(bench.at(0).status, { epoch: 8, index: undefined, committed: 7, checkpoint: 6 })
  bench.expire('checkpoint', undefined, ({ message }) => message.type !== 'checkpoint')
  t.equal(bench.at(1).status.checkpoint, 6, 'all votes are lost')
  for (let i = 0; i < 4; i++) bench.expire('retransmit')
  t.equal(bench.at(1).status.checkpoint, 7, 'and is said again')
  t.end()
})

t.test('besu GHSA-23rh-rrqg-wq82: unbounded round numbers fill memory. One validator\'s flood takes a bounded place', (t) => {
  const bench = new Bench(4)
  const { members, epoch } = bench
  const state = restoreState(bench.configOf(1), { epochs: [epoch] })
  t.equal(members.length, 4)
  const hash = taggedHash('flood')
  for (let i = 1; i < 3_000; i++) {
    const view = (i * 3) as View
    const votes: SlotVote = { view, height: (1 + (i % 500)) as Height, blockHash: hash, validator: 2, signature: new Uint8Array(64) }
    onVote(state, 'prepare', votes)
    onVote(state, 'commit', votes)
    onVote(state, 'commit', { ...votes, blockHash: taggedHash('other', Uint8Array.of(i & 255)) })
    onPrePrepare(state, { ...proposal(bench, 0, i, 0), view: (4 * i + 2) as View })
    onViewChange(state, { epoch: 1 as Height, view, validator: 2, prepared: [], signature: new Uint8Array(64) })
    onStatus(state, { epoch: 1 as Height, view, active: 1, wish: view, committed: i as Height, checkpoint: 0 as Height, validator: 2, signature: new Uint8Array(64) })
  }
  const window = 8
  t.ok(state.slots.size <= window)
  for (const slot of state.slots.values()) t.ok(slot.prepares.size <= 4 && slot.commits.size <= 4 && slot.proposals.size <= 4)
  t.ok(state.viewChanges.size <= 4 && state.peers.size <= 4 && state.checkpoints.size <= window && state.payloads.size <= window)
  t.ok(state.effects.blame.length <= evidencePerValidatorMax * 4)
  t.equal(state.wish, 0, 'and moves nobody')
  t.end()
})

t.test('a lone validator is a network of its own', (t) => {
  const bench = new Bench(1)
  bench.work(3)
  t.same(heightsOf(bench, 0), [1, 2, 3])
  t.equal(bench.at(0).status.checkpoint, 3)
  t.end()
})

t.test('sawtooth-pbft #125: a whole network restarted never resumed. All stop with blocks in flight, all start, and go on', (t) => {
  for (const how of ['stopped', 'cut'] as const) {
    for (const kept of ['pre-prepare', 'prepare', 'commit'] as const) {
      const bench = new Bench(4)
      bench.work(2)
      bench.work(2, ({ message }) => message.type !== 'commit' && (kept !== 'pre-prepare' || message.type !== 'prepare') && (kept === 'commit' || message.type !== 'checkpoint'))
      for (const one of bench.replicas) one[how === 'stopped' ? 'restartInOrder' : 'restart']()
      bench.settle()
      for (let i = 0; i < 4; i++) bench.expire('retransmit')
      bench.work(1)
      // after a loss of power nobody gives a first vote within its allowance, and the view timer brings a new view
      if (how === 'cut') bench.expire('view')
      // what was merely proposed goes with the view; its transactions still wait
      const least = how === 'cut' && kept === 'pre-prepare' ? 3 : 5
      for (const index of all) {
        t.ok(bench.at(index).status.committed >= least, `v${index} is at ${bench.at(index).status.committed}`)
        t.equal(bench.at(index).status.view, how === 'cut' ? 1 : 0)
      }
    }
  }
  t.end()
})

t.test('the report names what is waited for, and from whom', (t) => {
  const bench = new Bench(4)
  bench.work(1, ({ from, to, message }) => from !== 3 && to !== 3 && !(message.type === 'prepare' && from === 2))
  t.match(bench.at(0).waiting, { what: 'prepares', height: 1, from: [{ name: 'v2' }, { name: 'v3' }] })
  bench.at(1).give({ type: 'work', pending: true })
  const fresh = new Bench(4)
  fresh.at(2).give({ type: 'work', pending: true })
  t.match(fresh.at(2).waiting, { what: 'proposal', from: [{ name: 'v0' }] })
  t.end()
})

t.test('the own ViewChange of one view never changes, and two of another are evidence', (t) => {
  const bench = new Bench(4)
  const content = { epoch: 1 as Height, view: 1 as View, validator: 2, prepared: [] }
  const first: Message = { type: 'view-change', ...content, signature: bench.signAs(2, viewChangeBytes(chain, content)) }
  const header = headerOn(genesis, 0, 5)
  const signatures = [0, 1, 2].map((validator) => ({ validator, signature: bench.signAs(validator, voteBytes(validator === 0 ? 'pre-prepare' : 'prepare', chain, 0 as View, 1 as Height, blockHash(header))) }))
  const other = { ...content, prepared: [{ header, certificate: { view: 0 as View, height: 1 as Height, blockHash: blockHash(header), signatures } }] }
  const second: Message = { type: 'view-change', ...other, signature: bench.signAs(2, viewChangeBytes(chain, other)) }
  t.ok(bench.hand(1, first))
  t.ok(bench.hand(1, second))
  t.match(bench.at(1).blames, [{ validator: { name: 'v2' }, kind: 'view-change', view: 1 }])
  t.equal(refOf(header).height, 1)
  t.end()
})

/** A network of four in which v1, primary of view 1, is a liar; nothing was final in view 0, but its block is prepared for whoever gathers the votes. */
function twoNewViews(): { readonly bench: Bench; readonly empty: Message; readonly adopting: Message } {
  const bench = new Bench(4)
  const first = proposal(bench, 0, 1, 0)
  const hash = blockHash(first.header)
  const certificate = { view: 0 as View, height: 1 as Height, blockHash: hash, signatures: [0, 1, 2].map((validator) => ({ validator, signature: bench.signAs(validator, voteBytes(validator === 0 ? 'pre-prepare' : 'prepare', chain, 0 as View, 1 as Height, hash)) })) }
  const change = (validator: number, prepared: MessageOf<'view-change'>['prepared']): MessageOf<'view-change'> => {
    const content = { epoch: 1 as Height, view: 1 as View, validator, prepared }
    return { type: 'view-change', ...content, signature: bench.signAs(validator, viewChangeBytes(chain, content)) }
  }
  const open = (own: MessageOf<'view-change'>, adopted: MessageOf<'new-view'>['adopted']): Message => {
    const content = { epoch: 1 as Height, view: 1 as View, viewChanges: [change(0, []), own, change(2, [])], adopted }
    return { type: 'new-view', ...content, signature: bench.signAs(1, newViewBytes(chain, content)) }
  }
  const shown = [{ header: first.header, certificate }]
  return { bench, empty: open(change(1, []), []), adopting: open(change(1, shown), [{ blockHash: hash, signature: bench.signAs(1, voteBytes('pre-prepare', chain, 1 as View, 1 as Height, hash)) }]) }
}

t.test('a primary that opens its view twice stops nobody: a replica that knows what became final on one side refuses the other', (t) => {
  const { bench, empty, adopting } = twoNewViews()
  t.ok(bench.verified(3, adopting), 'either is right in itself')
  for (const index of [0, 2]) t.ok(bench.hand(index, empty))
  const block = proposal(bench, 1, 9, 1)
  for (const index of [0, 2]) bench.hand(index, { ...block, type: 'pre-prepare' })
  bench.settle(({ to }) => to !== 3)
  for (const index of [0, 2]) bench.hand(index, { ...vote(bench, 'commit', 1, 1, blockHash(block.header), 1), type: 'commit' })
  t.same(heightsOf(bench, 0), [1])
  bench.at(3).give({ type: 'synced', decision: bench.at(0).delivered[0] as never })
  t.match(bench.at(3).status, { view: 1, mode: 'changing', committed: 1 })
  t.ok(bench.hand(3, adopting))
  t.match(bench.at(3).status, { view: 1, mode: 'changing', wish: 2 }, 'not followed, and its primary is distrusted')
  bench.hand(3, empty)
  t.match(bench.at(3).status, { view: 1, mode: 'normal' }, 'the one that the others are in is followed')
  t.end()
})

t.test('a new view that begins below a block known to be final stands on that block', (t) => {
  const bench = new Bench(4)
  bench.syncs = false
  bench.work(2, ({ message, to }) => message.type !== 'commit' || to === 3)
  t.same(heightsOf(bench, 3), [1, 2])
  const [first, decision] = bench.at(3).delivered as [Decision, Decision]
  const change = (validator: number, view: number, base: Decision | undefined, prepared: MessageOf<'view-change'>['prepared']): SignedViewChange => {
    const content = { epoch: 1 as Height, view: view as View, validator, prepared, ...(base === undefined ? {} : { base }) }
    return { ...content, signature: bench.signAs(validator, viewChangeBytes(chain, content)) }
  }
  // Height 1 is certified, so its own certificate need not be shown.
  const hash = blockHash(first.header)
  const certified = { height: 1 as Height, blockHash: hash, stateRoot: stateRootOf(hash), nextSet: epochHash(bench.epoch) }
  const foundation = { checkpoint: { content: certified, signatures: [0, 1, 3].map((validator) => ({ validator, signature: bench.signAs(validator, checkpointBytes(chain, certified)) })) }, decided: [] }
  const open = (view: number, viewChanges: readonly SignedViewChange[], adopted: readonly Hash[]): Message => {
    const signed = adopted.map((hash, i) => ({ blockHash: hash, signature: bench.signAs(view % 4, voteBytes('pre-prepare', chain, view as View, (i + 1) as Height, hash)) }))
    const content = { epoch: 1 as Height, view: view as View, viewChanges, adopted: signed }
    return { type: 'new-view', ...content, signature: bench.signAs(view % 4, newViewBytes(chain, content)), ...(viewChanges.some(({ base }) => base !== undefined) ? { foundation } : {}) }
  }
  // View 1 shows that height 2 is final; view 2 is made of those who know it, and the one below, as prepared only.
  const prepared = bench.at(1).log.flatMap((record) => (record.type === 'certificate' ? [{ header: record.header, certificate: record.certificate }] : []))
  t.equal(prepared.length, 2)
  t.ok(bench.hand(0, open(1, [change(0, 1, undefined, []), change(1, 1, undefined, []), change(3, 1, decision, [])], [])))
  t.match(bench.at(0).status, { view: 1, mode: 'normal', committed: 0 })
  t.ok(bench.hand(0, open(2, [change(0, 2, undefined, []), change(1, 2, undefined, prepared), change(2, 2, undefined, [])], [first, decision].map(({ header }) => blockHash(header)))))
  t.match(bench.at(0).status, { view: 2, mode: 'normal', committed: 0 })
  // And the next block is prepared on it before it has arrived here.
  const header = headerOn(refOf(decision.header), 2, 77)
  bench.hand(0, { type: 'pre-prepare', view: 2 as View, header, manifest: manifestOf([77]), signature: bench.signAs(2, voteBytes('pre-prepare', chain, 2 as View, 3 as Height, blockHash(header))) })
  t.ok(saidBy(bench, 0, 'prepare').some((message) => message.height === 3 && message.view === 2))
  bench.at(0).give({ type: 'synced', decision: first as never })
  t.match(bench.at(0).status, { committed: 2, open: 1 }, 'their arrival does not take away what stands on them')
  t.end()
})

/** Blocks become final at replica 3 alone; it takes part in the change to view 1, and never says anything again. Those of 0, 1 and 3 make the NewView. */
function keptByOne(blocks: number): Bench {
  const bench = new Bench(4)
  bench.syncs = false
  bench.work(blocks, ({ message, to }) => message.type !== 'commit' || to === 3)
  bench.pend([0, 1, 2, 3])
  for (const index of all) bench.at(index).expire('view')
  bench.settle(({ message, from }) => message.type !== 'commit' && !(from === 2 && message.type === 'view-change') && (from !== 3 || message.type === 'status' || message.type === 'view-change'))
  return bench
}

t.test('blocks that are final by what a NewView shows are taken from there: who showed them may be gone with its disk, and nobody else have them', (t) => {
  for (const blocks of [1, 2, 4]) {
    const bench = keptByOne(blocks)
    t.same([0, 1, 2].map((index) => bench.at(index).status.view), [1, 1, 1])
    const heights = Array.from({ length: blocks }, (_, i) => i + 1)
    t.same([0, 1, 2].map((index) => heightsOf(bench, index)), [heights, heights, heights])
    bench.work(1, ({ from, to }) => from !== 3 && to !== 3)
    const more = [...heights, blocks + 1]
    t.same([0, 1, 2].map((index) => heightsOf(bench, index)), [more, more, more], 'and the chain goes on')
  }
  t.end()
})

t.test('what a NewView showed to be final survives a restart by the record of it alone', (t) => {
  const bench = keptByOne(3)
  const one = bench.at(2)
  const restarted = one.restarted(one.log.filter(({ type }) => type === 'anchor'))
  t.equal(restarted.step({ type: 'start' }).deliver.length, 3)
  t.end()
})

t.test('nobody takes the last of several final blocks without those below it: a liar that kept them to itself would stop the others', (t) => {
  const bench = keptByOne(3)
  const change = saidBy(bench, 3, 'view-change')[0]
  if (change?.foundation === undefined) throw new Error('no view change on a final block')
  const { foundation: { decided }, ...bare } = change
  t.same(decided.map(({ header }) => header.height), [1, 2])
  t.ok(bench.verified(0, change))
  const shown: readonly (readonly [string, Message])[] = [
    ['none', bare],
    ['nothing below the base', { ...bare, foundation: { decided: [] } }],
    ['not from the beginning', { ...bare, foundation: { decided: decided.slice(1) } }],
    ['a gap below the base', { ...bare, foundation: { decided: decided.slice(0, 1) } }],
    ['upside down', { ...bare, foundation: { decided: [...decided].reverse() } }],
  ]
  const schedule = bench.at(0).replica.schedule()
  for (const [what, message] of shown) t.match(checksOf(message, { chain, genesis, schedule }), { ok: false, code: 'malformed' }, what)
  // a checkpoint that no quorum signed holds nothing up
  const below = decided[1] as Decision
  const content = { height: 2 as Height, blockHash: blockHash(below.header), stateRoot: stateRootOf(blockHash(below.header)), nextSet: epochHash(bench.epoch) }
  const certified = (signers: readonly number[]): Message => ({ ...bare, foundation: { decided: [], checkpoint: { content, signatures: signers.map((validator) => ({ validator, signature: bench.signAs(validator, checkpointBytes(chain, content)) })) } } })
  t.ok(bench.verified(0, certified([0, 1, 3])), 'a certified checkpoint right below it does')
  t.notOk(bench.verified(0, certified([0, 1])))
  t.notOk(bench.verified(0, { ...certified([0, 1, 3]), foundation: { decided: [below] } } as Message))
  t.end()
})
