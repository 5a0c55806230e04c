// The driver: what leaves only after what it rests on, what a cut of the log keeps, and no input left lying.
import { join } from 'node:path'
import t from 'tap'
import type { Input } from '../../consensus/input.ts'
import type { Message } from '../../consensus/messages.ts'
import { emptyEffects, outputOf } from '../../consensus/effects.ts'
import type { Output } from '../../consensus/output.ts'
import type { LogRecord } from '../../consensus/record.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { blockBytesMax, blockTransactionsMax } from '../../primitives/limits.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { zeroHash } from '../../primitives/hash.ts'
import { createDriver, type Driver, type DriverContext } from '../../node/driver.ts'
import { unwrittenMax, voteLogCompactBytes } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { readEntries, recordEntry, votingEntry } from '../../node/vote-entries.ts'
import { openVoteLog } from '../../node/votelog.ts'
import { createManualClock, settled } from '../support/manual-clock.ts'
import { makePayload, makeTransaction } from '../support/transactions.ts'

const nothing: Output = outputOf(emptyEffects())
const timer: Input = { type: 'timer', name: 'heartbeat' }
const preparedAt = (height: number): LogRecord => ({ type: 'prepared', view: 0 as View, header: makePayload(height, [makeTransaction('one')]).header, proposal: new Uint8Array(64) })
const aStatus: Output['send'][number] = { to: 'all', message: { type: 'status', epoch: 1 as Height, view: 0 as View, active: 1, wish: 0 as View, committed: 0 as Height, checkpoint: 0 as Height, validator: 0, signature: new Uint8Array(64) } }
const toAll = (message: Message): Output['send'][number] => ({ to: 'all', message })
const signature = new Uint8Array(64)
const content = { height: 1 as Height, blockHash: zeroHash, stateRoot: zeroHash, nextSet: zeroHash }
const vote = { view: 0 as View, height: 1 as Height, blockHash: zeroHash, validator: 0, signature }
const aPrepare = toAll({ type: 'prepare', ...vote })
const aCommit = toAll({ type: 'commit', ...vote })
const aCheckpoint = toAll({ type: 'checkpoint', content, validator: 0, signature })
const aViewChange = toAll({ type: 'view-change', epoch: 1 as Height, view: 1 as View, validator: 0, prepared: [], signature })
const certificateAt = (height: number): LogRecord => {
  const { header } = makePayload(height, [makeTransaction('one')])
  return { type: 'certificate', header, certificate: { view: 0 as View, height: height as Height, blockHash: zeroHash, signatures: [{ validator: 0, signature }] } }
}

interface Rig {
  readonly driver: Driver
  readonly events: string[]
  readonly appended: Uint8Array[]
  /** Lets the oldest append that waits come to its end. */
  readonly synced: () => Promise<void>
  readonly rewritten: Uint8Array[][]
}

function rig(step: (input: Input) => Output, changes: Partial<DriverContext> & { readonly sizeBytes?: () => number; readonly immediate?: boolean; readonly onDeliver?: (height: number) => void } = {}): Rig {
  const events: string[] = []
  const waiting: (() => void)[] = []
  const appended: Uint8Array[] = []
  const rewritten: Uint8Array[][] = []
  const nobody = (): void => {}
  const driver = createDriver({
    replica: { step, closing: () => undefined },
    votes: {
      append: (records) =>
        new Promise((resolve) => {
          events.push(`append ${records.length}`)
          appended.push(...records)
          if (changes.immediate === true) resolve()
          else waiting.push(resolve)
        }),
      rewrite: async (records) => void rewritten.push([...records]),
      sizeBytes: changes.sizeBytes ?? (() => 0),
    },
    records: [],
    transport: { send: (peer) => events.push(`send ${peer}`) > 0 },
    clock: createManualClock(),
    effects: { deliver: ({ header }) => changes.onDeliver?.(header.height), validate: nobody, propose: nobody, sync: nobody, certified: nobody, blame: nobody, viewChanged: nobody, halt: nobody },
    validators: () => ['other'],
    followers: () => [],
    stored: () => ({ stored: 0 as Height, stable: 0 as Height }),
    syncStore: async () => {},
    otherEntries: () => [],
    onFatal: (error) => {
      throw error
    },
    ...changes,
  })
  return {
    driver,
    events,
    appended,
    rewritten,
    synced: async () => {
      waiting.shift()?.()
      await settled()
    },
  }
}

t.test('a Status goes to those who follow without a vote as well, a vote does not', async (t) => {
  const { driver, events } = rig(() => ({ ...nothing, send: [aStatus, aPrepare] }), { followers: () => ['observer'] })
  driver.input(timer)
  await settled()
  t.same(events, ['send other', 'send observer', 'send other'])
})

t.test('a Prepare goes out at once, and what it rests on goes to the disk with the certificate, before the Commit', async (t) => {
  const outputs: Output[] = [
    { ...nothing, persist: [preparedAt(1)], send: [aPrepare] },
    { ...nothing, persist: [certificateAt(1)], send: [aCommit] },
  ]
  const { driver, events, appended, synced } = rig(() => outputs.shift() ?? nothing)
  driver.keepPayload(utf8('payload'))
  driver.input(timer)
  await settled()
  t.same(events, ['send other'])
  driver.input(timer)
  await settled()
  t.same(events, ['send other', 'append 3'])
  t.same(appended[0], utf8('payload'))
  t.same(readEntries(appended.slice(1)).records.map(({ type }) => type), ['prepared', 'certificate'])
  await synced()
  t.same(events, ['send other', 'append 3', 'send other'])
})

t.test('of the outputs of one turn those go out at once that stand before the first that the disk must have', async (t) => {
  const outputs: Output[] = [
    { ...nothing, send: [aStatus] },
    { ...nothing, persist: [certificateAt(1)], send: [aCommit] },
    { ...nothing, send: [aPrepare] },
  ]
  const { driver, events, synced } = rig(() => outputs.shift() ?? nothing)
  for (let i = 0; i < 3; i++) driver.input(timer)
  await settled()
  t.same(events, ['send other', 'append 1'])
  await synced()
  t.same(events, ['send other', 'append 1', 'send other', 'send other'])
})

t.test('an allowance is on the disk before the first vote that needs it leaves', async (t) => {
  const { driver, events, synced } = rig(() => ({ ...nothing, persist: [{ type: 'allowance', epoch: 1 as Height, view: 0 as View, height: 9 as Height }, preparedAt(1)], send: [aPrepare] }))
  driver.input(timer)
  await settled()
  t.same(events, ['append 2'])
  await synced()
  t.same(events, ['append 2', 'send other'])
})

t.test('a Commit that needs no record of its own waits for the payload that it vouches for, and so does whatever else vouches', async (t) => {
  for (const message of [aCommit, aCheckpoint, aViewChange]) {
    const { driver, events, synced } = rig(() => ({ ...nothing, send: [message] }))
    driver.keepPayload(utf8('payload'))
    driver.input(timer)
    await settled()
    t.same(events, ['append 1'])
    await synced()
    t.same(events, ['append 1', 'send other'])
  }
})

t.test('what has become final is carried out at once, and goes to the disk with the next certificate, before the Commit', async (t) => {
  const header = makePayload(1, [makeTransaction('one')]).header
  const decision = { header, certificate: { view: 0 as View, height: 1 as Height, blockHash: zeroHash, signatures: [{ validator: 0, signature: new Uint8Array(64) }] } }
  const outputs: Output[] = [{ ...nothing, persist: [{ ...decision, type: 'committed' }], deliver: [decision] }, { ...nothing, persist: [certificateAt(2)], send: [aCommit] }]
  const delivered: number[] = []
  const { driver, events, appended, synced } = rig(() => outputs.shift() ?? nothing, { onDeliver: (height) => delivered.push(height) })
  driver.input(timer)
  await settled()
  t.same([delivered, events], [[1], []])
  driver.input(timer)
  await settled()
  t.same(events, ['append 2'])
  t.same(readEntries(appended).records.map(({ type }) => type), ['committed', 'certificate'])
  await synced()
  t.same(events, ['append 2', 'send other'])
})

t.test('a stop writes what has become final and that this is all, and says so when the log does not take it', async (t) => {
  const decision = { header: makePayload(1, [makeTransaction('one')]).header, certificate: { view: 0 as View, height: 1 as Height, blockHash: zeroHash, signatures: [{ validator: 0, signature: new Uint8Array(64) }] } }
  const step = (): Output => ({ ...nothing, persist: [{ ...decision, type: 'committed' }] })
  const closing: LogRecord = { type: 'allowance', epoch: 1 as Height, view: 0 as View, height: 0 as Height }
  const { driver, appended } = rig(step, { immediate: true, replica: { step, closing: () => closing } })
  driver.input(timer)
  await settled()
  await driver.stop()
  t.same(readEntries(appended).records.map(({ type }) => type), ['committed', 'allowance'])
  const full = new DongbaekError('votelog/failed', 'the disk is full')
  const failing = rig(step, { votes: { append: async () => Promise.reject(full), rewrite: async () => {}, sizeBytes: () => 0 } })
  failing.driver.input(timer)
  await settled()
  await t.rejects(failing.driver.stop(), full)
})

t.test('one that never votes keeps few final blocks in memory', async (t) => {
  const decision = { header: makePayload(1, [makeTransaction('one')]).header, certificate: { view: 0 as View, height: 1 as Height, blockHash: zeroHash, signatures: [{ validator: 0, signature: new Uint8Array(64) }] } }
  const { driver, events } = rig(() => ({ ...nothing, persist: [{ ...decision, type: 'committed' }] }), { immediate: true })
  for (let i = 0; i < 3 * unwrittenMax; i++) {
    driver.input(timer)
    await settled()
  }
  t.same(events, Array(3).fill(`append ${unwrittenMax}`))
})

t.test('no input is left lying, whenever it comes', async (t) => {
  const seen: Input[] = []
  const { driver } = rig((input) => {
    seen.push(input)
    return nothing
  })
  for (let depth = 0; depth < 12; depth++) {
    driver.input(timer)
    let later = Promise.resolve()
    for (let i = 0; i < depth; i++) later = later.then(() => {})
    void later.then(() => driver.input(timer))
    await settled()
    t.equal(seen.length, 2 * (depth + 1), `${depth} turns later`)
  }
})

t.test('a view timer that fires late gives what lies unread as long again, once; others, and one in time, do not wait', async (t) => {
  let nowMs = 0
  const due: { readonly ms: number; readonly fire: () => void }[] = []
  const clock = { ...createManualClock(), monotonic: () => nowMs, after: (ms: number, fire: () => void) => (due.push({ ms, fire }), () => {}) }
  const seen: string[] = []
  const set = (name: 'view' | 'heartbeat'): Output => ({ ...nothing, timers: [{ name, afterMs: 1_000 }] })
  const { driver } = rig((input) => (input.type === 'timer' ? (seen.push(input.name), nothing) : set(input.type === 'work' ? 'view' : 'heartbeat')), { clock })
  const fireAt = async (ms: number): Promise<number | undefined> => {
    nowMs = ms
    due.shift()?.fire()
    await settled()
    return due[0]?.ms
  }
  driver.input({ type: 'work', pending: true })
  await settled()
  t.equal(await fireAt(1_050), undefined)
  t.same(seen, ['view'], 'in time')
  driver.input({ type: 'work', pending: true })
  await settled()
  t.equal(await fireAt(1_050 + 1_000 + 400), 400, 'held up for 400 ms: 400 ms to read')
  t.same(seen, ['view'])
  t.equal(await fireAt(9_000), undefined, 'held up again, it is taken as it is')
  t.same(seen, ['view', 'view'])
  driver.input({ type: 'start' })
  await settled()
  await fireAt(20_000)
  t.same(seen, ['view', 'view', 'heartbeat'])
})

const forgotten = { epoch: 1 as Height, view: 3 as View, height: 70 as Height }

t.test('a cut of the log keeps what was stored only during the sync of the store', async (t) => {
  let head = 1
  const above: number[] = []
  const { driver, rewritten } = rig(() => ({ ...nothing, persist: [preparedAt(1), preparedAt(2), preparedAt(3)] }), {
    immediate: true,
    sizeBytes: () => voteLogCompactBytes + 1,
    stored: () => ({ stored: head as Height, stable: 0 as Height }),
    // block 2 is stored while the sync is under way: it may lie behind it on the disk
    syncStore: async () => {
      head = 2
    },
    otherEntries: (stored) => {
      above.push(stored)
      return [votingEntry(forgotten)]
    },
  })
  driver.input(timer)
  await settled()
  t.equal(rewritten.length, 1)
  const { records, mayVote, forgotten: kept } = readEntries(rewritten[0] as Uint8Array[])
  t.same(records.map((record) => 'header' in record && record.header.height), [2, 3])
  t.same(above, [1])
  t.same([mayVote, kept], [true, forgotten])
})

t.test('a log whose cut fails during a stop is not closed, and who stops it is told', async (t) => {
  const { promise: storeSynced, resolve: syncNow } = Promise.withResolvers<void>()
  const step = (): Output => ({ ...nothing, persist: [preparedAt(1)], send: [aPrepare] })
  const { driver, appended, rewritten } = rig(step, {
    immediate: true,
    sizeBytes: () => voteLogCompactBytes + 1,
    replica: { step, closing: () => ({ type: 'allowance', epoch: 1 as Height, view: 0 as View, height: 0 as Height }) },
    syncStore: () => storeSynced,
    otherEntries: () => {
      throw new DongbaekError('store/damaged', 'a block cannot be read')
    },
  })
  driver.input(timer)
  await settled()
  const stopping = driver.stop()
  syncNow()
  await t.rejects(stopping, { code: 'store/damaged' })
  t.same([appended.length, rewritten.length], [0, 0], 'the vote that left is in no record: the allowance on the disk must go on to bind')
})

t.test('a log that stays large is not cut again at once', async (t) => {
  const { driver, rewritten } = rig(() => nothing, { immediate: true, sizeBytes: () => voteLogCompactBytes + 1 })
  for (let i = 0; i < 10; i++) {
    driver.input(timer)
    await settled()
  }
  t.equal(rewritten.length, 1)
})

t.test('records in memory stay few while the store keeps up', async (t) => {
  let height = 0
  const { driver, rewritten } = rig(() => ({ ...nothing, persist: [preparedAt(++height)] }), {
    immediate: true,
    stored: () => ({ stored: height as Height, stable: 0 as Height }),
    sizeBytes: () => (height < 9_000 ? 0 : voteLogCompactBytes + 1),
  })
  for (let i = 0; i < 9_000; i++) driver.input(timer)
  await settled()
  t.equal(rewritten.length, 1)
  t.equal(readEntries(rewritten[0] as Uint8Array[]).records.length, 0)
})

t.test('a vote log without the entry says that its validator is not to vote yet', async (t) => {
  t.equal(readEntries([]).mayVote, false)
  t.equal(readEntries([recordEntry(preparedAt(1))]).mayVote, false, 'a node that followed first and was restarted')
  t.equal(readEntries([recordEntry(preparedAt(1)), votingEntry(undefined)]).mayVote, true)
  t.equal(readEntries([votingEntry(undefined)]).forgotten, undefined)
  t.same(readEntries([votingEntry(forgotten), recordEntry(preparedAt(1))]).forgotten, forgotten)
})

t.test('the payload of the largest block fits into the vote log', async (t) => {
  const folder = join(t.testdir(), 'votes')
  const opened = openVoteLog({ folder, chainId: 'test', publicKey: new Uint8Array(32), log: silentLog })
  const largest = new Uint8Array(blockBytesMax + blockTransactionsMax * 48)
  await opened.log.append([largest])
  await opened.log.append([utf8('a vote')])
  await opened.log.close()
  const again = openVoteLog({ folder, chainId: 'test', publicKey: new Uint8Array(32), log: silentLog })
  t.same(again.records.map(({ length }) => length), [largest.length, 6])
  await again.log.close()
})
