// Restart at every record of the vote log: what is rebuilt never contradicts what had been sent, whatever it then hears; and a log cut down to what is
// needed gives the same replica.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { blockHash } from '../../consensus/block.ts'
import type { Input } from '../../consensus/input.ts'
import type { Message } from '../../consensus/messages.ts'
import { needsDisk, type Output } from '../../consensus/output.ts'
import { decodeRecord, encodeRecord, type LogRecord } from '../../consensus/record.ts'
import type { Replica } from '../../consensus/replica.ts'
import { neededRecords, type ReplicaPoint } from '../../consensus/restore.ts'
import { asVerified } from '../../consensus/verification.ts'
import { voteBytes } from '../../consensus/votes.ts'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { silentLog } from '../../node/log.ts'
import { openVoteLog } from '../../node/votelog.ts'
import { Bench, chain, fingerprint, stateRootOf, type BenchReplica } from './bench.ts'

/** Blocks, a view change with prepared blocks, blocks again, a second view change. */
function busyLife(): Bench {
  const bench = new Bench(4, { pipelineDepth: 3 })
  bench.work(3)
  bench.work(3, ({ message }) => message.type !== 'commit')
  bench.expire('view')
  bench.work(2)
  bench.work(2, ({ message, to }) => message.type !== 'commit' || to === 2)
  bench.expire('view')
  bench.work(1, ({ message }) => message.type !== 'prepare')
  return bench
}

/** What a signature stands for: at most one may exist. */
function slotsOf(message: Message): { readonly slot: string; readonly content: string }[] {
  switch (message.type) {
    case 'pre-prepare':
      return [{ slot: `proposal ${message.view} ${message.header.height}`, content: toHex(blockHash(message.header)) }]
    case 'prepare':
    case 'commit':
      return [{ slot: `${message.type} ${message.view} ${message.height}`, content: toHex(message.blockHash) }]
    case 'checkpoint':
      return [{ slot: `checkpoint ${message.content.height}`, content: fingerprint(message) }]
    case 'view-change':
      return [{ slot: `view-change ${message.view}`, content: fingerprint(message) }]
    case 'new-view':
    case 'status':
    case 'certified':
      return []
  }
}

/** Records in the order of the log, each with all that can have been sent when it was the last on disk: a Prepare may be ahead of its record. */
function historyOf(one: BenchReplica): { readonly records: readonly LogRecord[]; readonly sentBy: readonly Message[][] } {
  const records: LogRecord[] = []
  const sentBy: Message[][] = [[]]
  let synced = 0
  for (const output of one.outputs) {
    for (const record of output.persist) {
      records.push(decodeRecord(encodeRecord(record)))
      sentBy.push([...(sentBy[sentBy.length - 1] as Message[])])
    }
    if (needsDisk(output)) synced = records.length
    for (const sent of sentBy.slice(synced)) sent.push(...output.send.map(({ message }) => message))
  }
  return { records, sentBy }
}

/** Answers a replica as a driver would, and notes what it says and delivers. */
function takerFor(replica: Replica, said: Message[], delivered: number[]): (output: Output) => void {
  const inputs: Input[] = []
  let busy = false
  return (output) => {
    const pending = [output]
    if (busy) throw new Error('one step at a time')
    busy = true
    for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
      said.push(...next.send.map((send) => send.message))
      for (const { blockHash: hash } of next.validate) inputs.push({ type: 'payload', blockHash: hash, verdict: 'valid' })
      for (const { header } of next.deliver) {
        delivered.push(header.height)
        inputs.push({ type: 'executed', height: header.height, blockHash: blockHash(header), stateRoot: stateRootOf(blockHash(header)) })
      }
      const input = inputs.shift()
      if (input !== undefined) pending.push(replica.step(input))
    }
    busy = false
  }
}

/** Another block in the place of a proposed one, signed by the same primary. */
function siblingOf(bench: Bench, message: Message): Message[] {
  if (message.type !== 'pre-prepare') return []
  const header = { ...message.header, timeMs: (message.header.timeMs + 1) as TimeMs }
  const signature = bench.signAs(message.view % 4, voteBytes('pre-prepare', chain, message.view, header.height, blockHash(header)))
  return [{ ...message, header, signature }]
}

/** Lets a replica hear everything that was ever said, twice, with all its timers expiring, and gives back what it says. */
function provoke(bench: Bench, replica: Replica, order: 'forward' | 'backward'): Message[] {
  const said: Message[] = []
  const take = takerFor(replica, said, [])
  take(replica.step({ type: 'start' }))
  const all = bench.replicas.flatMap((one) => one.sent)
  // A primary that lies proposes something else this time, before anything else is heard.
  for (const message of order === 'forward' ? [] : all.flatMap((one) => siblingOf(bench, one))) take(replica.step({ type: 'message', message: asVerified(message) }))
  for (let round = 0; round < 2; round++) {
    for (const message of order === 'forward' ? all : [...all].reverse()) take(replica.step({ type: 'message', message: asVerified(message) }))
    for (const name of ['retransmit', 'view', 'checkpoint', 'answer', 'heartbeat'] as const) take(replica.step({ type: 'timer', name }))
  }
  return said
}

const bench = busyLife()

t.test('the life is worth it', (t) => {
  const kinds = new Set(bench.replicas.flatMap((one) => one.log.map((record) => record.type)))
  for (const kind of ['proposed', 'prepared', 'certificate', 'committed', 'viewChange', 'newView', 'checkpoint'] as const) t.ok(kinds.has(kind), kind)
  t.ok(bench.at(2).delivered.length >= 8, `${bench.at(2).delivered.length} blocks`)
  t.ok(bench.at(0).status.view >= 2)
  t.end()
})

t.test('cometbft #5668: double-sign guard off by one. Restarted at every record, no replica contradicts what it had sent', (t) => {
  let restarts = 0
  for (const one of bench.replicas) {
    const { records, sentBy } = historyOf(one)
    for (let kept = 0; kept <= records.length; kept++) {
      for (const order of ['forward', 'backward'] as const) {
        const before = new Map((sentBy[kept] as Message[]).flatMap(slotsOf).map(({ slot, content }) => [slot, content]))
        const replica = one.restarted(records.slice(0, kept))
        restarts++
        let conflict: string | undefined
        for (const { slot, content } of provoke(bench, replica, order).flatMap(slotsOf)) {
          const known = before.get(slot)
          if (known !== undefined && known !== content) conflict = slot
          before.set(slot, content)
        }
        if (conflict !== undefined || replica.brokenInvariants().length > 0) t.fail(`replica ${one.index} after ${kept} records: ${conflict ?? replica.brokenInvariants().join('; ')}`)
      }
    }
  }
  t.comment(`${restarts} restarts`)
  t.ok(restarts > 200)
  t.end()
})

t.test('cometbft #5668: a crash at every byte of the vote log. What is read back is what had been synced, and no replica contradicts what had left by then', async (t) => {
  const root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'votes-bytes-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const one = bench.at(1)
  const open = (folder: string) => openVoteLog({ folder, chainId: chain, publicKey: one.config.publicKey, log: silentLog })
  const whole = path.join(root, 'whole')
  const segment = path.join(whole, '00000001.votes')
  // Where the file ends after each step that must be on disk, how many records there are then, and what had left the machine before the next one.
  const ends: { readonly bytes: number; readonly records: number; readonly sent: Message[] }[] = []
  const { log } = open(whole)
  ends.push({ bytes: statSync(segment).size, records: 0, sent: [] })
  const unwritten: LogRecord[] = []
  for (const output of one.outputs) {
    const last = ends.at(-1)
    unwritten.push(...output.persist)
    if (needsDisk(output) && unwritten.length > 0) {
      const records = unwritten.splice(0)
      await log.append(records.map(encodeRecord))
      ends.push({ bytes: statSync(segment).size, records: (last?.records ?? 0) + records.length, sent: [...(last?.sent ?? [])] })
    }
    ends.at(-1)?.sent.push(...output.send.map(({ message }) => message))
  }
  await log.close()
  const file = readFileSync(segment)
  const [first, last] = [ends[0]?.bytes ?? 0, ends.at(-1)?.bytes ?? 0]
  const cut = path.join(root, 'cut')
  cpSync(whole, cut, { recursive: true })
  const readAt = async (bytes: number): Promise<readonly Uint8Array[]> => {
    writeFileSync(path.join(cut, '00000001.votes'), file.subarray(0, bytes))
    const opened = open(cut)
    await opened.log.close()
    return opened.records
  }
  for (let bytes = first; bytes <= last; bytes++) {
    const synced = ends.findLast((end) => end.bytes <= bytes)
    const records = await readAt(bytes)
    if (records.length !== synced?.records) t.fail(`cut at ${bytes}: ${records.length} records of ${synced?.records}`)
    if (synced?.bytes !== bytes) continue
    const replica = one.restarted(records.map(decodeRecord))
    const before = new Map(synced.sent.flatMap(slotsOf).map(({ slot, content }) => [slot, content]))
    for (const { slot, content } of provoke(bench, replica, 'backward').flatMap(slotsOf)) {
      if ((before.get(slot) ?? content) !== content) t.fail(`cut at ${bytes}: ${slot} contradicts`)
      before.set(slot, content)
    }
  }
  t.comment(`${last - first} places, ${ends.length} of them between two steps`)
  t.ok(ends.length > 20)
})

t.test('cometbft #5953: equivocation between sync and consensus. A block that came by catching up is signed for no more, and what had been signed before stands, over restarts too', (t) => {
  const bench = new Bench(4)
  bench.syncs = false
  // v3 alone has prepared the first proposal of view 0; the others make another block final in view 1, and v3 gets that one by catching up.
  bench.work(1, ({ to, message }) => to === 3 && (message.type === 'pre-prepare' || message.type === 'prepare'))
  bench.pend([0, 1, 2])
  bench.allowance = 1
  for (const name of ['view', 'retransmit'] as const) bench.expire(name, [0, 1, 2], ({ from, to, message }) => from !== 3 && to !== 3 && !('view' in message && message.view === 0 && message.type !== 'status'))
  const one = bench.at(3)
  const decision = bench.at(0).delivered[0]
  if (decision === undefined) throw new Error('nothing is final')
  t.same(one.sent.flatMap(slotsOf).map(({ slot }) => slot), ['prepare 0 1'])
  t.not(one.sent.flatMap(slotsOf)[0]?.content, toHex(blockHash(decision.header)), 'it has signed for another block')
  one.give({ type: 'synced', decision: asVerified(decision) })
  t.same(one.delivered.map(({ header }) => toHex(blockHash(header))), [toHex(blockHash(decision.header))])
  const hash = blockHash(decision.header)
  const stored: ReplicaPoint = { epochs: [bench.epoch], decisions: [decision], executed: { height: 1 as Height, blockHash: hash, stateRoot: stateRootOf(hash) } }
  const votesFor1 = (messages: readonly Message[]): readonly Message[] => messages.filter((message) => (message.type === 'prepare' || message.type === 'commit') && message.height === 1)
  const before = one.sent.length
  const heard = bench.replicas.flatMap(({ sent }) => sent)
  for (const message of [...heard, ...heard.flatMap((each) => siblingOf(bench, each)), ...heard]) bench.hand(3, message)
  t.same(votesFor1(one.sent.slice(before)), [], 'as it is')
  const lives: Readonly<Record<string, () => Replica>> = {
    'restarted, the store behind': () => one.restarted(one.log),
    'restarted, log and store': () => one.restarted(one.log, stored),
    'restarted, the block in the store alone': () => one.restarted(one.log.filter(({ type }) => type !== 'committed'), stored),
  }
  for (const [life, begin] of Object.entries(lives)) for (const order of ['forward', 'backward'] as const) t.same(votesFor1(provoke(bench, begin(), order)), [], `${life}, ${order}`)
  t.end()
})

t.test('after its ViewChange a restarted replica votes in no lower view', (t) => {
  for (const one of bench.replicas) {
    const { records } = historyOf(one)
    records.forEach((record, i) => {
      if (record.type !== 'viewChange') return
      const said = provoke(bench, one.restarted(records.slice(0, i + 1)), 'forward')
      t.notOk(said.some((message) => (message.type === 'prepare' || message.type === 'commit' || message.type === 'pre-prepare') && message.view < record.view), `replica ${one.index}, view ${record.view}`)
    })
  }
  t.end()
})

t.test('a log cut down to what is needed gives the same replica', (t) => {
  let dropped = 0
  for (const one of bench.replicas) {
    const { records } = historyOf(one)
    for (let kept = 0; kept <= records.length; kept++) {
      const log = records.slice(0, kept)
      // The store may hold any beginning of what is committed, and the log must do for the rest.
      const committed = log.filter((record) => record.type === 'committed')
      for (const stored of new Set([0, Math.floor(committed.length / 2), committed.length])) {
        const decision = committed[stored - 1]
        const decisions = committed.slice(0, stored).map(({ header, certificate }) => ({ header, certificate }))
        const point: ReplicaPoint =
          decision === undefined
            ? { epochs: [bench.epoch] }
            : { epochs: [bench.epoch], decisions, executed: { height: stored as Height, blockHash: blockHash(decision.header), stateRoot: stateRootOf(blockHash(decision.header)) } }
        const short = neededRecords(log, { stored: stored as Height, stable: 0 as Height })
        dropped += log.length - short.length
        const [whole, cut] = [one.restarted(log, point), one.restarted(short, point)]
        const said = [whole, cut].map((replica) => provoke(bench, replica, 'forward').map(fingerprint))
        t.same(said[1], said[0], `replica ${one.index}, ${kept} records, stored ${stored}`)
        t.same(cut.status(), whole.status())
        t.same(neededRecords(short, { stored: stored as Height, stable: 0 as Height }), short, 'cutting twice changes nothing')
      }
    }
  }
  t.comment(`${dropped} records dropped in all`)
  t.end()
})

t.test('blocks that the log knows as final and the store does not are delivered again, each once', (t) => {
  const one = bench.at(2)
  const { records } = historyOf(one)
  const heights = one.delivered.map(({ header }) => header.height)
  for (const stored of [0, 3, heights.length]) {
    const decision = one.delivered[stored - 1]
    const point: ReplicaPoint =
      decision === undefined
        ? { epochs: [bench.epoch] }
        : { epochs: [bench.epoch], decisions: one.delivered.slice(0, stored), executed: { height: decision.header.height, blockHash: blockHash(decision.header), stateRoot: stateRootOf(blockHash(decision.header)) } }
    const output = one.restarted(records, point).step({ type: 'start' })
    // The rest follows when execution has told the sets above the window of 8.
    t.same(output.deliver.map(({ header }) => header.height), heights.slice(stored, stored + 8))
    t.same(output.persist, [])
  }
  t.end()
})

t.test('a log that knows more final blocks than the window allows is replayed as execution goes on', (t) => {
  const bench = new Bench(4, { parameters: { window: 2, checkpointInterval: 1 } })
  for (let i = 0; i < 8; i++) bench.work(1)
  const one = bench.at(1)
  t.equal(one.delivered.length, 8)
  const { records } = historyOf(one)
  const replica = one.restarted(records)
  const delivered: number[] = []
  const said: Message[] = []
  const take = takerFor(replica, said, delivered)
  const first = replica.step({ type: 'start' })
  t.same(first.deliver.map(({ header }) => header.height), [1, 2])
  t.same(first.send, [], 'silent until it knows all that it has signed')
  take(first)
  t.same(delivered, [1, 2, 3, 4, 5, 6, 7, 8])
  t.equal(replica.status().committed, 8)
  t.end()
})

t.test('a final block learned from a NewView alone stays under what is prepared on it, also in a log cut short', (t) => {
  const bench = new Bench(4)
  bench.syncs = false
  bench.work(2, ({ message, to }) => message.type !== 'commit' || to !== 3)
  const one = bench.at(3)
  bench.pend()
  bench.expire('view')
  t.match(one.status, { committed: 0, view: 1, mode: 'normal' })
  bench.work(1, ({ message }) => message.type !== 'commit')
  bench.pend()
  bench.expire('view', [0, 1, 2, 3], ({ message }) => message.type !== 'new-view')
  t.match(one.status, { committed: 0, view: 2, mode: 'changing' })
  const short = neededRecords(one.log, { stored: 0 as Height, stable: 0 as Height })
  for (const log of [one.log, short]) {
    const replica = one.restarted(log)
    const said: Message[] = []
    const take = takerFor(replica, said, [])
    take(replica.step({ type: 'start' }))
    for (const by of [0, 1, 2]) take(replica.step({ type: 'message', message: asVerified(bench.statusBy(by, 3)) }))
    const change = said.find((message) => message.type === 'view-change' && message.view === 3)
    if (change?.type !== 'view-change') throw new Error('no view change')
    t.equal(change.base?.header.height, 2)
    t.same(change.prepared.map(({ header }) => header.height), [3])
  }
  t.end()
})
