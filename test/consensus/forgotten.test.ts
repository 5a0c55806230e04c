// A replica that has lost its votes gives none where it may have given one (safety.ts, S7), and the network goes on with it all the same.
import t from 'tap'
import { blockHash } from '../../consensus/block.ts'
import type { Message } from '../../consensus/messages.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { neededRecords } from '../../consensus/restore.ts'
import { isBeyond } from '../../consensus/safety.ts'
import type { ForgottenVotes } from '../../consensus/votes.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { Bench, type BenchReplica, fingerprint } from './bench.ts'

function upTo(epoch: number, view: number, height: number): ForgottenVotes {
  return { epoch: epoch as Height, view: view as View, height: height as Height }
}

/** Places at which it has signed two things, over all its lives. */
function contradictions({ sent }: BenchReplica): readonly string[] {
  const first = new Map<string, string>()
  const twice: string[] = []
  const once = (place: string, content: string): void => {
    if ((first.get(place) ?? content) !== content) twice.push(place)
    first.set(place, content)
  }
  for (const message of sent) {
    if (message.type === 'pre-prepare') once(`proposal ${message.view} ${message.header.height}`, toHex(blockHash(message.header)))
    else if (message.type === 'prepare' || message.type === 'commit') once(`${message.type} ${message.view} ${message.height}`, toHex(message.blockHash))
    else if (message.type === 'view-change' || message.type === 'new-view') once(`${message.type} ${message.view}`, fingerprint(message))
  }
  return twice
}

function votesIn(sent: readonly Message[]): readonly string[] {
  return sent.flatMap((one) => (one.type === 'prepare' || one.type === 'commit' ? [`${one.type} ${one.view} ${one.height}`] : one.type === 'pre-prepare' ? [`proposal ${one.view} ${one.header.height}`] : []))
}

t.test('views count within their epoch, and in a later epoch only the first view can have been reached', (t) => {
  const forgotten = upTo(10, 3, 20)
  for (const [epoch, view, height, expected] of [
    [1, 9, 99, false],
    [10, 2, 99, false],
    [10, 3, 20, false],
    [10, 3, 21, true],
    [10, 4, 1, true],
    [15, 0, 20, false],
    [15, 0, 21, true],
    [15, 1, 15, true],
  ] as const) t.equal(isBeyond(forgotten, upTo(epoch, view, height)), expected, `${epoch} ${view} ${height}`)
  t.end()
})

t.test('a primary that has proposed and lost its votes proposes nothing in that view; the next view goes on with its vote', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  bench.work(1, () => false)
  const one = bench.at(0)
  t.ok(votesIn(one.sent).includes('proposal 0 2'))
  one.loseVotes(upTo(1, 0, 9))
  const before = one.sent.length
  bench.work(1)
  t.same(votesIn(one.sent.slice(before)), [])
  // its vote is needed: another one is down
  bench.expire('view', [0, 1, 2], ({ from, to }) => from !== 3 && to !== 3)
  bench.settle(({ from, to }) => from !== 3 && to !== 3)
  t.equal(bench.at(1).status.view, 1)
  t.equal(bench.at(1).status.committed, 2)
  t.ok(votesIn(one.sent).includes('commit 1 2'))
  t.same(contradictions(one), [])
  t.same(bench.replicas.flatMap(({ blames }) => blames), [])
  t.end()
})

t.test('a Prepare of a block that nobody else knows is not given again for another one', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  // the primary, which lies, shows this block to one alone, and another to all
  bench.work(1, ({ message, to }) => message.type === 'pre-prepare' && to === 2)
  const one = bench.at(2)
  t.ok(votesIn(one.sent).includes('prepare 0 2'))
  one.loseVotes(upTo(1, 0, 9))
  const primary = bench.at(0)
  primary.log = primary.log.filter((record) => record.type !== 'allowance' && (record.type !== 'proposed' || record.header.height < 2))
  primary.restart()
  bench.work(1)
  t.equal(bench.at(1).status.committed, 2, 'the others make it final')
  t.equal(one.status.committed, 2)
  t.same(contradictions(one), [])
  t.end()
})

t.test('above the last height that it may have voted for it votes, in the same view', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  const one = bench.at(3)
  one.loseVotes(upTo(1, 0, 4))
  const before = one.sent.length
  bench.work(5)
  t.equal(one.status.committed, 6)
  t.same(votesIn(one.sent.slice(before)), ['prepare 0 5', 'commit 0 5', 'prepare 0 6', 'commit 0 6'])
  t.end()
})

t.test('it stays so after a restart', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  const one = bench.at(3)
  one.loseVotes(upTo(1, 0, 4))
  one.restart()
  const before = one.sent.length
  bench.work(2)
  t.equal(one.status.committed, 3)
  t.same(votesIn(one.sent.slice(before)), [])
  t.end()
})

t.test('a ViewChange that it may have sent is not sent again, nor a NewView; the view above has both', (t) => {
  for (const index of [1, 2]) {
    const bench = new Bench(4)
    bench.work(1)
    bench.pend()
    // leaves for view 1, and nobody hears of it
    for (const i of [0, 1, 2, 3]) bench.at(i).expire('view')
    bench.settle(({ message, to }) => message.type === 'status' && to === index)
    const one = bench.at(index)
    t.ok(one.sent.some(({ type, ...rest }) => type === 'view-change' && 'view' in rest && rest.view === 1))
    one.loseVotes(upTo(1, 1, 9))
    bench.allowance = 1
    bench.pend([index])
    const before = one.sent.length
    const without3 = ({ from, to }: { readonly from: number; readonly to: number }): boolean => from !== 3 && to !== 3
    for (let i = 0; i < 6 && bench.at(0).status.committed < 2; i++) {
      bench.expire('retransmit', [0, 1, 2], without3)
      bench.expire('view', [0, 1, 2], without3)
    }
    t.equal(bench.at(0).status.committed, 2, 'with three of four, it goes on in view 2')
    const changes = one.sent.slice(before).flatMap((message) => (message.type === 'view-change' || message.type === 'new-view' ? [message.view as number] : []))
    t.ok(changes.length > 0 && changes.every((view) => view > 1), changes.join(' '))
    t.same(contradictions(one), [])
    t.same(bench.replicas.flatMap(({ blames }) => blames), [])
  }
  t.end()
})

t.test('what a validator asks for is on disk before it says so, and the highest stays when the log is cut', (t) => {
  const bench = new Bench(4)
  bench.pend()
  bench.at(1).expire('view')
  const asked = bench.at(1).outputs.find(({ send }) => send.some(({ message }) => message.type === 'status' && message.wish === 1))
  t.same(asked?.persist, [{ type: 'wished', epoch: 1, view: 1 }])
  const wished = (epoch: number, view: number): LogRecord => ({ type: 'wished', epoch: epoch as Height, view: view as View })
  t.same(neededRecords([wished(1, 3), wished(1, 9), wished(1, 4)], { stored: 0 as Height, stable: 0 as Height }), [wished(1, 9)])
  t.same(neededRecords([wished(1, 3), wished(5, 1)], { stored: 0 as Height, stable: 0 as Height }), [wished(5, 1)])
  t.end()
})
