// The driver: carries out consensus/README.md's duties for one replica. Inputs queue up; each round steps through those that wait, puts all
// records on the disk with one sync, and only then lets the effects out. What arrives during the sync makes the next round.
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { Input, TimerName } from '../consensus/input.ts'
import { encodeMessage } from '../consensus/messages.ts'
import type { Blame, Halt, Output, Propose, Send, Sync, Validate } from '../consensus/output.ts'
import type { LogRecord } from '../consensus/record.ts'
import type { Replica } from '../consensus/replica.ts'
import { neededRecords } from '../consensus/restore.ts'
import type { Height } from '../primitives/brand.ts'
import { voteLogCompactBytes } from './limits.ts'
import { recordEntry } from './vote-entries.ts'
import type { Clock, Transport, VoteLog } from './world.ts'

export interface Driver {
  readonly input: (input: Input) => void
  /** Appends the entry of a payload; whatever an input given later leads to is on the disk after it. */
  readonly keepPayload: (entry: Uint8Array) => void
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
  readonly halt: (halt: Halt) => void
}

export interface DriverContext {
  readonly replica: Replica
  readonly votes: VoteLog
  /** Read back at the start, still needed. */
  readonly records: readonly LogRecord[]
  readonly transport: Transport
  readonly clock: Clock
  readonly effects: Effects
  /** Names of the validators that votes go to. */
  readonly validators: () => readonly string[]
  /** Makes sure that the store has everything up to the returned heights on the disk, for the cutting of the log. */
  readonly settle: () => Promise<{ readonly stored: Height; readonly stable: Height }>
  /** Entries of payloads above a stored height. */
  readonly payloadEntries: (stored: Height) => readonly Uint8Array[]
  /** The vote log failed, or our own code: the node must stop. */
  readonly onFatal: (error: unknown) => void
}

export function createDriver(context: DriverContext): Driver {
  const { replica, votes, transport, clock, effects, onFatal } = context
  let records: LogRecord[] = [...context.records]
  let inputs: Input[] = []
  let running: Promise<void> | undefined
  let stopped = false
  const timers = new Map<TimerName, () => void>()

  const fail = (error: unknown): void => {
    if (stopped) return
    stopped = true
    onFatal(error)
  }

  const setTimer = (name: TimerName, afterMs: number | undefined): void => {
    timers.get(name)?.()
    timers.delete(name)
    if (afterMs === undefined || stopped) return
    timers.set(
      name,
      clock.after(afterMs, () => {
        timers.delete(name)
        input({ type: 'timer', name })
      }),
    )
  }

  const send = ({ to, message }: Send): void => {
    const encoded = encodeMessage(message)
    if (to !== 'all') transport.send(to.name, 'consensus', encoded)
    else for (const name of context.validators()) transport.send(name, 'consensus', encoded)
  }

  const act = (output: Output): void => {
    for (const { name, afterMs } of output.timers) setTimer(name, afterMs)
    for (const one of output.send) send(one)
    for (const decision of output.deliver) effects.deliver(decision)
    for (const request of output.validate) effects.validate(request)
    for (const certificate of output.certified) effects.certified(certificate)
    for (const blame of output.blame) effects.blame(blame)
    if (output.propose !== undefined) effects.propose(output.propose)
    if (output.sync !== undefined) effects.sync(output.sync)
    if (output.halt !== undefined) effects.halt(output.halt)
  }

  const compact = async (): Promise<void> => {
    const durable = await context.settle()
    records = neededRecords(records, durable)
    await votes.rewrite([...context.payloadEntries(durable.stored), ...records.map(recordEntry)])
  }

  const round = async (): Promise<void> => {
    while (inputs.length > 0 && !stopped) {
      const batch = inputs
      inputs = []
      const outputs = batch.map((one) => replica.step(one))
      const fresh = outputs.flatMap(({ persist }) => persist)
      if (fresh.length > 0) {
        records.push(...fresh)
        await votes.append(fresh.map(recordEntry))
      }
      if (stopped) return
      for (const output of outputs) act(output)
      if (votes.sizeBytes() > voteLogCompactBytes) await compact()
    }
  }

  const input = (one: Input): void => {
    if (stopped) return
    inputs.push(one)
    running ??= Promise.resolve()
      .then(round)
      .catch(fail)
      .finally(() => {
        running = undefined
      })
  }

  return {
    input,
    keepPayload: (entry) => {
      votes.append([entry]).catch(fail)
    },
    stop: async () => {
      stopped = true
      for (const cancel of timers.values()) cancel()
      timers.clear()
      await running
    },
  }
}
