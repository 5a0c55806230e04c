// One moment of the protocol in every order in which it can come about: where others' faults were a race, one schedule shows nothing.
import t from 'tap'
import { blockHash } from '../../consensus/block.ts'
import type { Input } from '../../consensus/input.ts'
import type { Message } from '../../consensus/messages.ts'
import { asVerified } from '../../consensus/verification.ts'
import { toHex } from '../../primitives/bytes.ts'
import { Bench } from './bench.ts'

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items]
  return items.flatMap((item, i) => permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]))
}

const finalAt = (bench: Bench, index: number, height: number): string | undefined => {
  const decision = bench.at(index).delivered.find(({ header }) => header.height === height)
  return decision === undefined ? undefined : toHex(blockHash(decision.header))
}

t.test('besu #1734: timer and commit race. Commits, the view timer and the new view in all 720 orders: nothing is signed for a height once it is final', (t) => {
  // Height 1 is prepared by all in view 0 and final nowhere, and v0, v1 and v2 have gone on to view 1 with it; of that v3 has heard nothing.
  const bench = new Bench(4)
  bench.syncs = false
  bench.work(1, ({ message }) => message.type !== 'commit')
  bench.expire('view', [0, 1, 2], ({ from, to, message }) => from !== 3 && to !== 3 && message.type !== 'commit')
  const said = (by: number, type: Message['type'], view: number): Input => {
    const message = bench.at(by).sent.find((one) => one.type === type && 'view' in one && one.view === view)
    if (message === undefined) throw new Error(`v${by} has said no ${type} in view ${view}`)
    return { type: 'message', message: asVerified(message) }
  }
  const events: readonly Input[] = [said(0, 'commit', 0), said(1, 'commit', 0), { type: 'timer', name: 'view' }, said(1, 'new-view', 1), said(0, 'prepare', 1), said(2, 'prepare', 1)]
  const last: readonly Input[] = [said(0, 'commit', 1), said(1, 'commit', 1), said(2, 'commit', 1), ...events, { type: 'timer', name: 'retransmit' }]
  let [votesBefore, votesAfter] = [0, 0]
  for (const order of permutations(events)) {
    const replica = bench.at(3).restarted(bench.at(3).log)
    let isFinal = false
    const give = (input: Input): void => {
      const { send, deliver, validate } = replica.step(input)
      const votes = send.filter(({ message }) => (message.type === 'prepare' || message.type === 'commit') && message.view === 1).length
      if (isFinal) votesAfter += votes
      else votesBefore += votes
      isFinal ||= deliver.length > 0
      for (const { blockHash: hash } of validate) give({ type: 'payload', blockHash: hash, verdict: 'valid' })
    }
    for (const input of [{ type: 'start' } as const, ...order, ...last]) give(input)
    if (!isFinal) t.fail(`not final after ${order.map((input) => events.indexOf(input)).join(' ')}`)
  }
  t.equal(votesAfter, 0)
  t.ok(votesBefore > 100, `it votes in the new view where it does not know the block as final yet (${votesBefore} votes)`)
  t.end()
})

t.test('arXiv 1901.07160: the lock of IBFT stops the next decision. Two replicas that have prepared different blocks hold nobody up, whichever of them is there', (t) => {
  for (const absent of [undefined, 2, 3]) {
    const bench = new Bench(4)
    // View 0: only v2 learns that the first block is prepared. View 1, without v2: only v3 learns it of the second.
    bench.work(1, ({ message, to }) => message.type !== 'prepare' || to === 2)
    bench.pend([0, 1, 3])
    bench.allowance = 1
    bench.expire('view', [0, 1, 3], ({ message, from, to }) => from !== 2 && to !== 2 && (message.type !== 'prepare' || to === 3))
    const prepared = [2, 3].map((index) => bench.at(index).log.flatMap((record) => (record.type === 'certificate' ? [toHex(record.certificate.blockHash)] : [])))
    t.same(prepared.map((hashes) => hashes.length), [1, 1])
    t.not(prepared[0]?.[0], prepared[1]?.[0], 'two blocks at one height')
    const there = [0, 1, 2, 3].filter((index) => index !== absent)
    // From here on everything arrives, but for the votes of those two views: they would settle the matter before view 2 has to.
    for (let i = 0; i < 3; i++) {
      bench.pend(there)
      for (const name of ['view', 'retransmit'] as const) bench.expire(name, there, ({ from, to, message }) => from !== absent && to !== absent && !(message.type === 'prepare' && message.view < 2))
    }
    bench.allowance = 1
    bench.pend(there)
    bench.settle(({ from, to }) => from !== absent && to !== absent)
    const wanted = absent === 3 ? prepared[0]?.[0] : prepared[1]?.[0]
    for (const index of there) {
      t.equal(finalAt(bench, index, 1), wanted, `v${index}, without v${absent}: the block of the highest view that is shown`)
      t.ok(bench.at(index).status.committed >= 2, 'and the next one on it')
    }
  }
  t.end()
})

t.test('fabric #5076: a block committed again in sync panics. Here handing it in again, in whatever order, changes nothing', (t) => {
  const bench = new Bench(4)
  bench.syncs = false
  bench.work(4, ({ to }) => to !== 3)
  const blocks = bench.at(0).delivered
  t.equal(blocks.length, 4)
  for (const order of permutations([0, 1, 2, 3])) {
    const replica = bench.at(3).restarted([])
    const delivered: number[] = []
    const give = (index: number): { readonly persist: number; readonly send: number } => {
      const decision = blocks[index]
      if (decision === undefined) throw new Error(`no block ${index}`)
      const { deliver, persist, send } = replica.step({ type: 'synced', decision: asVerified(decision) })
      delivered.push(...deliver.map(({ header }) => header.height))
      return { persist: persist.length, send: send.length }
    }
    replica.step({ type: 'start' })
    // Each order leaves out what does not fit yet; four rounds bring all of them, most of them again.
    for (let round = 0; round < 4; round++) for (const index of order) give(index)
    if (delivered.join() !== '1,2,3,4') t.fail(`${order.join(' ')}: delivered ${delivered.join()}`)
    for (const index of order) if (give(index).persist > 0) t.fail('what is known is written again')
    if (replica.status().committed !== 4 || replica.brokenInvariants().length > 0) t.fail(replica.brokenInvariants().join('; '))
  }
  t.end()
})
