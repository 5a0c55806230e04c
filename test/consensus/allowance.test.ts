// One sync a block: PrePrepares and Prepares leave before their records are on the disk, within an allowance that is (safety.ts, S8); and what that asks of the others:
// nothing counts as prepared without its payload (S4), and a new view begins with nothing whose payload is gone.
import t from 'tap'
import { blockHash, refOf } from '../../consensus/block.ts'
import { viewChangeBytes, type Message } from '../../consensus/messages.ts'
import { needsDisk } from '../../consensus/output.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { restoreReplica } from '../../consensus/replica.ts'
import { neededRecords } from '../../consensus/restore.ts'
import { asVerified } from '../../consensus/verification.ts'
import { voteBytes } from '../../consensus/votes.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { Bench, type BenchReplica, chain, genesis, headerOn } from './bench.ts'

const firstVotes = (sent: readonly Message[]): string[] =>
  sent.flatMap((one) => (one.type === 'prepare' ? [`prepare ${one.view} ${one.height} ${toHex(one.blockHash)}`] : one.type === 'pre-prepare' ? [`proposal ${one.view} ${one.header.height} ${toHex(blockHash(one.header))}`] : []))

/** Power is cut before these records reach the disk. */
function loses(one: BenchReplica, isLost: (record: LogRecord) => boolean): void {
  const first = one.log.findIndex(isLost)
  one.log = one.log.slice(0, first)
  one.restart()
}

/** A PrePrepare of this validator for another block in the same place. */
function another(bench: Bench, { header, view }: Extract<Message, { type: 'pre-prepare' }>): Message {
  const other = headerOn({ height: (header.height - 1) as Height, hash: header.parent, timeMs: header.timeMs }, header.proposer, 777)
  const manifest = Uint8Array.from(Buffer.from('other'))
  return { type: 'pre-prepare', view, header: other, manifest, signature: bench.signAs(header.proposer, voteBytes('pre-prepare', chain, view, other.height, blockHash(other))) }
}

t.test('a block waits for one sync at each validator: that of its certificate, before the Commit', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  const before = bench.replicas.map(({ outputs }) => outputs.length)
  for (let i = 0; i < 20; i++) bench.work(1)
  for (const { index, outputs } of bench.replicas) {
    const late = outputs.slice(before[index])
    const synced = late.filter(needsDisk)
    t.equal(synced.filter(({ persist }) => persist.some(({ type }) => type === 'certificate')).length, 20, 'each certificate')
    t.ok(synced.every(({ persist, send }) => persist.some(({ type }) => type === 'certificate' || type === 'checkpoint') || send.some(({ message }) => message.type === 'commit')), 'and nothing else but checkpoints')
    t.ok(late.some((output) => !needsDisk(output) && output.send.some(({ message }) => message.type === (index === 0 ? 'pre-prepare' : 'prepare'))), 'first votes do not wait')
  }
  t.end()
})

t.test('the first vote of a view waits for an allowance, and so does one beyond it', (t) => {
  const bench = new Bench(4, { pipelineDepth: 2 })
  bench.work(1)
  for (const { index, outputs } of bench.replicas) {
    const first = outputs.find(({ send }) => send.some(({ message }) => message.type === 'pre-prepare' || message.type === 'prepare'))
    t.ok(first !== undefined && needsDisk(first), `v${index}`)
  }
  // one that never has a block certified itself: each Prepare without a certificate uses the allowance up
  const late = bench.at(3)
  bench.work(12, ({ to, message }) => to !== 3 || message.type !== 'prepare')
  const granted = late.log.filter((record) => record.type === 'allowance').map(({ height }) => height)
  const voted = late.sent.flatMap((one) => (one.type === 'prepare' ? [one.height] : []))
  t.ok(voted.length > 8 && Math.max(...voted) <= Math.max(...granted), `voted up to ${Math.max(...voted)}, allowed up to ${Math.max(...granted)}`)
  t.same(granted, [...granted].sort((a, b) => a - b))
  t.end()
})

t.test('a Prepare whose record a crash took is not given again for another block; in the next view votes go on', (t) => {
  const bench = new Bench(4, { pipelineDepth: 2 })
  bench.work(1)
  bench.work(1, ({ message }) => message.type === 'pre-prepare')
  const one = bench.at(2)
  const proposal = bench.at(0).sent.findLast((message) => message.type === 'pre-prepare')
  if (proposal?.type !== 'pre-prepare') throw new Error('nothing was proposed')
  t.equal(firstVotes(one.sent).length, 2)
  loses(one, (record) => record.type === 'prepared' && record.header.height === 2)
  const before = one.sent.length
  t.ok(bench.hand(2, another(bench, proposal)), 'the primary lies')
  one.expire('retransmit')
  t.same(firstVotes(one.sent.slice(before)), [])
  // another primary
  bench.pend()
  bench.expire('view')
  bench.work(1)
  t.equal(one.status.view, 1)
  t.ok(firstVotes(one.sent.slice(before)).some((vote) => vote.startsWith('prepare 1 ')))
  t.end()
})

t.test('one that lost power votes again in the same view once the others are beyond its allowance', (t) => {
  const bench = new Bench(4, { pipelineDepth: 2 })
  bench.work(3)
  const one = bench.at(3)
  one.restart()
  const before = one.sent.length
  bench.work(8)
  const heights = one.sent.slice(before).flatMap((message) => (message.type === 'prepare' ? [message.height] : []))
  const allowed = Math.max(...one.log.flatMap((record) => (record.type === 'allowance' && record.height <= 7 ? [record.height] : [])))
  t.equal(allowed, 7, 'three blocks and two pipelines')
  t.same(heights, [8, 9, 10, 11])
  t.equal(one.status.committed, 11)
  t.equal(one.status.view, 0)
  t.end()
})

t.test('a primary that lost power proposes nothing in its view within its allowance, and the others replace it', (t) => {
  const bench = new Bench(4)
  bench.work(1)
  bench.work(1, () => false)
  const primary = bench.at(0)
  loses(primary, (record) => record.type === 'proposed' && record.header.height === 2)
  const before = primary.sent.length
  bench.work(1)
  t.same(firstVotes(primary.sent.slice(before)), [])
  t.same(primary.replica.waiting(), { what: 'allowance', height: 9 }, 'and it says so')
  bench.expire('view')
  for (const { status } of bench.replicas) t.match(status, { view: 1, committed: 2 })
  t.end()
})

t.test('one that was stopped in order votes at once, unless an earlier life lost power in this view', (t) => {
  const stopped = new Bench(4)
  stopped.work(1)
  stopped.at(3).restartInOrder()
  stopped.work(1)
  t.ok(stopped.at(3).sent.some((message) => message.type === 'prepare' && message.height === 2))

  const bench = new Bench(4, { pipelineDepth: 2 })
  bench.work(1)
  const one = bench.at(3)
  one.restart()
  bench.work(1)
  one.restartInOrder()
  bench.work(6)
  const heights = one.sent.flatMap((message) => (message.type === 'prepare' ? [message.height] : []))
  t.same(heights, [1, 6, 7, 8], 'the allowance of the first life went up to 5')
  t.end()
})

t.test('what an allowance covers grows with a new view that adopts more than a pipeline, and never shrinks', (t) => {
  const bench = new Bench(4, { parameters: { window: 24, checkpointInterval: 4 }, pipelineDepth: 8 })
  bench.work(8, ({ message }) => message.type !== 'commit')
  // all of them are prepared, and none is final; after the restart the pipeline is shorter
  for (const one of bench.replicas) {
    one.config = { ...one.config, pipelineDepth: 1 }
    one.restart()
  }
  bench.pend()
  bench.expire('view', [0, 1, 2, 3], ({ message }) => message.type !== 'commit')
  for (const one of bench.replicas) {
    t.equal(one.status.view, 1)
    const ofView = one.log.flatMap((record) => (record.type === 'allowance' && record.view === 1 ? [record.height] : []))
    const voted = one.sent.flatMap((message) => (message.type === 'prepare' && message.view === 1 ? [message.height] : []))
    t.same(ofView, [...ofView].sort((a, b) => a - b))
    if (voted.length > 0) t.ok(Math.max(...voted) === 8 && (ofView.at(-1) ?? 0) >= 8, `voted up to ${Math.max(...voted)}, allowed up to ${ofView.at(-1)}`)
  }
  t.end()
})

t.test('of several allowances a log that is cut keeps the last', (t) => {
  const bench = new Bench(4)
  for (let i = 0; i < 5; i++) bench.work(1)
  const { log } = bench.at(1)
  const all = log.filter((record) => record.type === 'allowance')
  const kept = neededRecords(log, { stored: 5 as Height, stable: 0 as Height }).filter((record) => record.type === 'allowance')
  t.ok(all.length > 3)
  t.same(kept, all.slice(-1))
  t.end()
})

t.test('nothing counts as prepared while its payload is missing, and a ViewChange does not show it', (t) => {
  const bench = new Bench(4)
  const replica = restoreReplica(bench.configOf(3), { epochs: [bench.epoch] }, [])
  replica.step({ type: 'start' })
  replica.step({ type: 'work', pending: true })
  bench.work(1, ({ message }) => message.type !== 'commit')
  const heard = bench.replicas.flatMap(({ index, sent }) => (index === 3 ? [] : sent)).filter(({ type }) => type === 'pre-prepare' || type === 'prepare')
  const persisted: LogRecord[] = []
  let hash: Uint8Array | undefined
  for (const message of heard) {
    const { persist, validate } = replica.step({ type: 'message', message: asVerified(message) })
    persisted.push(...persist)
    hash ??= validate[0]?.blockHash
  }
  t.same(persisted, [])
  const block = bench.at(0).log.find((record) => record.type === 'proposed')
  if (block?.type !== 'proposed' || hash === undefined) throw new Error('nothing was proposed')
  t.same(hash, blockHash(block.header))
  const { persist, send } = replica.step({ type: 'payload', blockHash: blockHash(block.header), verdict: 'valid' })
  t.same(persist.map(({ type }) => type), ['allowance', 'prepared', 'certificate'])
  t.same(send.map(({ message }) => message.type), ['prepare', 'commit'])
  t.end()
})

t.test('after a restart no record stands for a payload: each block that a vote may rest on is asked for, and none is given before it is here', (t) => {
  const bench = new Bench(4)
  bench.work(1, ({ message }) => message.type !== 'commit')
  const one = bench.at(3)
  const inView = [...one.log]
  bench.expire('view', [3], () => true)
  bench.expire('view', [0, 1, 2], ({ message }) => message.type === 'status')
  const left = [...one.log]
  const certified = inView.find((record) => record.type === 'certificate')
  if (certified?.type !== 'certificate' || !left.some(({ type }) => type === 'viewChange')) throw new Error('the view was not left with a prepared block')
  const { blockHash: hash } = certified.certificate
  const begin = (records: readonly LogRecord[]) => {
    const replica = restoreReplica(one.config, { epochs: [bench.epoch] }, records)
    const { validate } = replica.step({ type: 'start' })
    return { replica, asked: validate.map(({ blockHash: each }) => toHex(each)) }
  }
  for (const [name, log] of Object.entries({ 'in its view': inView, 'the view left': left })) {
    const { replica, asked } = begin(log)
    t.same(asked, [toHex(hash)], name)
    t.ok(replica.needsPayload(hash), `${name}: the driver keeps it`)
  }
  t.same(begin(left.filter(({ type }) => type === 'certificate' || type === 'viewChange')).asked, [toHex(hash)], 'a certificate alone')

  const commitsOf = (log: readonly LogRecord[], answered: boolean): number => {
    const { replica } = begin(log)
    if (answered) replica.step({ type: 'payload', blockHash: hash, verdict: 'valid' })
    const heard = bench.replicas.flatMap(({ index, sent }) => (index === 3 ? [] : sent)).filter((message) => message.type !== 'commit' && 'view' in message && message.view === 0)
    return heard.flatMap((message) => replica.step({ type: 'message', message: asVerified(message) }).send).filter(({ message }) => message.type === 'commit').length
  }
  const withoutCertificate = inView.filter(({ type }) => type !== 'certificate')
  t.equal(commitsOf(withoutCertificate, false), 0)
  t.equal(commitsOf(withoutCertificate, true), 1)
  t.end()
})

t.test('a life that gives no first vote leaves the allowance as it is', (t) => {
  const bench = new Bench(4, { pipelineDepth: 4 })
  bench.work(1)
  const one = bench.at(3)
  for (let life = 0; life < 3; life++) {
    one.restart()
    bench.work(2)
  }
  t.same(one.log.flatMap((record) => (record.type === 'allowance' ? [record.height] : [])), [9])
  bench.work(4)
  t.ok(one.sent.some((message) => message.type === 'prepare' && message.height === 10), 'beyond it, it votes')
  t.end()
})

t.test('a new primary begins with nothing whose payload is gone: it asks those who show it and have signed for it, and goes on without', (t) => {
  const bench = new Bench(4)
  // v3 lies: it shows a block as prepared of which all others have lost everything with their power
  const header = headerOn(genesis, 0, 5)
  const hash = blockHash(header)
  const signatures = [0, 2, 3].map((validator) => ({ validator, signature: bench.signAs(validator, voteBytes(validator === 0 ? 'pre-prepare' : 'prepare', chain, 0 as View, 1 as Height, hash)) }))
  const content = { epoch: 1 as Height, view: 1 as View, validator: 3, prepared: [{ header, certificate: { view: 0 as View, height: 1 as Height, blockHash: hash, signatures } }] }
  const lie: Message = { type: 'view-change', ...content, signature: bench.signAs(3, viewChangeBytes(chain, content)) }
  const fresh = (verdict: 'valid' | undefined) => {
    const replica = restoreReplica(bench.configOf(1), { epochs: [bench.epoch] }, [])
    replica.step({ type: 'start' })
    replica.step({ type: 'work', pending: true })
    for (const by of [0, 2, 3]) replica.step({ type: 'message', message: asVerified(bench.statusBy(by, 1)) })
    t.match(replica.status(), { view: 1, mode: 'changing' })
    const { validate } = replica.step({ type: 'message', message: asVerified(lie) })
    t.same(validate.map(({ blockHash: asked, holders }) => [toHex(asked), holders.map(({ name }) => name).sort()]), [[toHex(hash), ['v0', 'v2', 'v3']]])
    const again = replica.step({ type: 'timer', name: 'retransmit' }).validate
    t.same(again.map(({ blockHash: asked }) => toHex(asked)), [toHex(hash)], 'asked for again')
    if (verdict !== undefined) replica.step({ type: 'payload', blockHash: hash, verdict })
    const opened: Message[] = []
    for (const by of [2, 0]) {
      const own = { epoch: 1 as Height, view: 1 as View, validator: by, prepared: [] }
      opened.push(...replica.step({ type: 'message', message: asVerified({ type: 'view-change', ...own, signature: bench.signAs(by, viewChangeBytes(chain, own)) }) }).send.map(({ message }) => message))
    }
    return opened.find((message) => message.type === 'new-view')
  }
  const without = fresh(undefined)
  if (without?.type !== 'new-view') throw new Error('no new view')
  t.same(without.viewChanges.map(({ validator }) => validator), [0, 1, 2])
  t.same(without.adopted, [])
  const withIt = fresh('valid')
  if (withIt?.type !== 'new-view') throw new Error('no new view')
  t.same(withIt.viewChanges.map(({ validator }) => validator), [1, 2, 3], 'a quorum without v0')
  t.same(withIt.adopted.map((one) => toHex(one.blockHash)), [toHex(refOf(header).hash)])
  t.end()
})
