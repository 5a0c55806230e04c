// The driver: carries out consensus/README.md's duties for one replica. Inputs queue up; each round steps through those that wait, acts on the outputs that need not
// wait for the disk, puts all records there with one sync, and then lets the others out. What arrives during the sync makes the next round. Payloads, first votes and
// what became final go with the next record that is waited for: mostly the certificate before a Commit.
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { Input, TimerName } from '../consensus/input.ts'
import { encodeMessage } from '../consensus/messages.ts'
import { type Blame, type Halt, needsDisk, type Output, type Propose, type Send, type Sync, type Validate, type ViewNote } from '../consensus/output.ts'
import type { LogRecord } from '../consensus/record.ts'
import type { Replica } from '../consensus/replica.ts'
import { type Durable, neededRecords } from '../consensus/restore.ts'
import type { Height } from '../primitives/brand.ts'
import { recordsPruneMin, timerLateMs, unwrittenMax, voteLogCompactBytes } from './limits.ts'
import { recordEntry } from './vote-entries.ts'
import type { Clock, Transport, VoteLog } from './world.ts'

export interface Driver {
  readonly input: (input: Input) => void
  /** Keeps the entry of a payload; whatever a later input leads to goes to the disk after it, or with it. */
  readonly keepPayload: (entry: Uint8Array) => void
  /** Rejects when the vote log does not take what it had not got yet; a log that was not whole at the end is not closed, so that the next start gives no first vote in this view. */
  readonly stop: () => Promise<void>
}

/** Where the effects go, once what they rest on is on the disk. */
export interface Effects {
  readonly deliver: (decision: Decision) => void
  readonly validate: (request: Validate) => void
  readonly propose: (request: Propose) => void
  readonly sync: (request: Sync) => void
  readonly certified: (certificate: CheckpointCertificate) => void
  readonly blame: (blame: Blame) => void
  /** For the log: an operator must see why a view was left. */
  readonly viewChanged: (note: ViewNote) => void
  readonly halt: (halt: Halt) => void
}

export interface DriverContext {
  readonly replica: Pick<Replica, 'step' | 'closing'>
  readonly votes: Pick<VoteLog, 'append' | 'rewrite' | 'sizeBytes'>
  /** Read back at the start, still needed. */
  readonly records: readonly LogRecord[]
  readonly transport: Pick<Transport, 'send'>
  readonly clock: Clock
  readonly effects: Effects
  /** Names of the validators that votes go to. */
  readonly validators: () => readonly string[]
  /** Of those who follow without a vote: from a Status they learn what they miss when the message that told of it was lost. */
  readonly followers: () => readonly string[]
  /** How far the store has come; what it has may still be in memory. */
  readonly stored: () => Durable
  /** Puts what the store has onto the disk. */
  readonly syncStore: () => Promise<void>
  /** What stays in front of the records when the log is cut: payloads above a stored height among it. */
  readonly otherEntries: (stored: Height) => readonly Uint8Array[]
  /** The vote log failed, or our own code: the node must stop. */
  readonly onFatal: (error: unknown) => void
}

export function createDriver(context: DriverContext): Driver {
  const { replica, votes, transport, clock, effects, onFatal } = context
  let records: LogRecord[] = [...context.records]
  let pruneAt = records.length + recordsPruneMin
  let compactAt = voteLogCompactBytes
  let inputs: Input[] = []
  let running: Promise<void> | undefined
  /** Entries that the log does not have yet, in order. */
  let unwritten: Uint8Array[] = []
  let stopped = false
  let failed = false
  const timers = new Map<TimerName, () => void>()

  /**
   * A timer that fires late means that this machine was held up. What the others said meanwhile lies unread behind it, and must not be taken for silence: the view
   * timer gives it as long as the delay was, once and at most its own time again.
   */
  const setTimer = (name: TimerName, afterMs: number | undefined, isExtended = false): void => {
    timers.get(name)?.()
    timers.delete(name)
    if (afterMs === undefined || stopped) return
    const dueMs = clock.monotonic() + afterMs
    timers.set(
      name,
      clock.after(afterMs, () => {
        timers.delete(name)
        const lateMs = clock.monotonic() - dueMs
        if (name === 'view' && lateMs > timerLateMs && !isExtended) setTimer(name, Math.min(lateMs, afterMs), true)
        else input({ type: 'timer', name })
      }),
    )
  }

  const send = ({ to, message }: Send): void => {
    const encoded = encodeMessage(message)
    if (to !== 'all') transport.send(to.name, 'consensus', encoded)
    else for (const name of message.type === 'status' ? [...context.validators(), ...context.followers()] : context.validators()) transport.send(name, 'consensus', encoded)
  }

  const act = (output: Output): void => {
    for (const { name, afterMs } of output.timers) setTimer(name, afterMs)
    for (const one of output.send) send(one)
    for (const decision of output.deliver) effects.deliver(decision)
    for (const request of output.validate) effects.validate(request)
    for (const certificate of output.certified) effects.certified(certificate)
    for (const blame of output.blame) effects.blame(blame)
    for (const note of output.views) effects.viewChanged(note)
    if (output.propose !== undefined) effects.propose(output.propose)
    if (output.sync !== undefined) effects.sync(output.sync)
    if (output.halt !== undefined) effects.halt(output.halt)
  }

  /** The log on the disk keeps them until it is cut, and it is cut after the store was synced: so what the store has in memory counts here. */
  const prune = (): void => {
    records = neededRecords(records, context.stored())
    pruneAt = 2 * records.length + recordsPruneMin
  }

  const compact = async (): Promise<void> => {
    // read before the sync: blocks that are stored during it are not on the disk after it
    const durable = context.stored()
    await context.syncStore()
    records = neededRecords(records, durable)
    const kept = [...context.otherEntries(durable.stored), ...records.map(recordEntry)]
    // all of it is in what the log is cut down to
    unwritten = []
    await votes.rewrite(kept)
    // when much is still needed, cutting again at once would gain nothing
    compactAt = Math.max(voteLogCompactBytes, 2 * votes.sizeBytes())
  }

  const round = async (): Promise<void> => {
    try {
      while (inputs.length > 0 && !stopped) {
        const batch = inputs
        inputs = []
        const outputs = batch.map((one) => replica.step(one))
        const fresh = outputs.flatMap(({ persist }) => persist)
        records.push(...fresh)
        unwritten.push(...fresh.map(recordEntry))
        const bound = outputs.findIndex(needsDisk)
        const free = bound < 0 ? outputs.length : bound
        for (const output of outputs.slice(0, free)) act(output)
        if (bound >= 0 || unwritten.length >= unwrittenMax) {
          await votes.append(unwritten.splice(0))
          if (stopped) return
        }
        for (const output of outputs.slice(free)) act(output)
        if (records.length > pruneAt) prune()
        if (votes.sizeBytes() > compactAt) await compact()
      }
    } catch (error) {
      // who stops us waits for this round, and is told by it
      if (stopped) throw error
      stopped = true
      failed = true
      onFatal(error)
    } finally {
      // in the same turn as the last look at `inputs`, or one that comes in between would wait for the next
      running = undefined
    }
  }

  const input = (one: Input): void => {
    if (stopped) return
    inputs.push(one)
    running ??= Promise.resolve().then(round)
  }

  return {
    input,
    keepPayload: (entry) => {
      unwritten.push(entry)
    },
    stop: async () => {
      stopped = true
      for (const cancel of timers.values()) cancel()
      timers.clear()
      await running
      // of a log that has failed it was told already
      if (failed) return
      // the next start goes on from what is final here, and votes where it has not voted
      const closing = replica.closing()
      const rest = [...unwritten.splice(0), ...(closing === undefined ? [] : [recordEntry(closing)])]
      if (rest.length > 0) await votes.append(rest)
    },
  }
}
