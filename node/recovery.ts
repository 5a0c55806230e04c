// A validator that starts says nothing until it has heard a quorum: it asks how far they are, and has what they have before it votes. Others hold its own
// signatures, in the certificates of those blocks too, and one that its vote log does not tell of means that the log is not all (own-votes.ts).
//
// A validator without its votes (a new folder, or one whose votes were lost) does not know what it has signed. It follows without a vote until what it could
// have had a part in is final: it asks the others how far they have blocks prepared, and waits until it has executed that far itself. A quorum of answers, its
// own place in it included, meets every quorum that can have decided anything with its old votes, as long as it counts as one of the f faulty until then.
// That it may vote is an entry of the vote log itself (vote-entries.ts): a restart while it follows finds a log without it, and follows again.
import type { LogRecord } from '../consensus/record.ts'
import type { ValidatorSet } from '../consensus/validators.ts'
import { isQuorum } from '../consensus/quorum.ts'
import type { Height } from '../primitives/brand.ts'
import { DongbaekError, unreachable } from '../primitives/errors.ts'
import { decodeSyncAnswer, encodeSyncQuestion } from './exchange.ts'
import { answerBytesMax, horizonRetryMs, recoveryLookMs, syncTimeoutMs } from './limits.ts'
import type { Clock, Transport } from './world.ts'

/**
 * The height that a record speaks of when something may have been decided there: a block is decided only if a quorum had it prepared, certificate on disk.
 * A block that is merely proposed or voted for does not count: on a new network the first to vote would propose, and all others would wait for a block
 * that needs their own votes.
 */
export function preparedHeight(record: LogRecord): Height | undefined {
  switch (record.type) {
    case 'certificate':
    case 'committed':
    case 'anchor':
      return record.header.height
    case 'proposed':
    case 'prepared':
    case 'viewChange':
    case 'newView':
    case 'checkpoint':
    case 'halted':
      return undefined
    default:
      return unreachable(record)
  }
}

export interface Horizon {
  /** What a validator answered: the highest height at which it has had a block prepared. */
  readonly note: (validator: number, top: Height) => void
  /** The height to have executed before voting; undefined while too few have answered. */
  readonly height: () => Height | undefined
}

export function createHorizon(set: ValidatorSet, self: number): Horizon {
  const answers = new Map<number, Height>()
  return {
    note: (validator, top) => {
      if (validator !== self && !answers.has(validator)) answers.set(validator, top)
    },
    height: () => {
      // the lowest answers that make a quorum: a liar cannot keep us waiting for a height that never comes
      const members = new Set([self])
      let highest = 0 as Height
      if (isQuorum(set, members)) return highest
      for (const [validator, top] of [...answers].sort((a, b) => a[1] - b[1] || a[0] - b[0])) {
        members.add(validator)
        highest = top
        if (isQuorum(set, members)) return highest
      }
      return undefined
    },
  }
}

export interface RecoveryContext {
  readonly set: ValidatorSet
  readonly self: number
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Clock
  readonly stopped: () => boolean
  /** Someone has final blocks up to here. */
  readonly follow: (head: Height, peer: string) => void
  /** How far this node has come; undefined while that is not settled. */
  readonly reached: () => Height | undefined
  /** Without its votes a validator follows as far as others have had blocks prepared; with them as far as others have blocks. */
  readonly measure: 'top' | 'head'
  /** It is known how far to follow. */
  readonly onHorizon: (until: Height) => void
}

/** Asks the other validators until enough have answered; the height to have executed before voting, undefined when the node stops first. */
async function askHorizon({ set, self, transport, clock, stopped, follow, measure }: RecoveryContext): Promise<Height | undefined> {
  const horizon = createHorizon(set, self)
  const ask = async (name: string, index: number): Promise<void> => {
    try {
      const answer = decodeSyncAnswer(await transport.request(name, 'sync', encodeSyncQuestion({ from: Number.MAX_SAFE_INTEGER as Height, count: 1 }), { timeoutMs: syncTimeoutMs, responseBytesMax: answerBytesMax }))
      horizon.note(index, answer[measure])
      follow(answer.head, name)
    } catch (error) {
      // not there yet: asked again in the next round
      if (!(error instanceof DongbaekError)) throw error
    }
  }
  while (!stopped()) {
    const round = Promise.all(set.validators.map(async ({ name }, index) => (index === self ? undefined : ask(name, index))))
    // whoever is slow to answer is not waited for when the others are enough
    await Promise.race([round, pause(clock, horizonRetryMs)])
    if (horizon.height() === undefined) await Promise.all([round, pause(clock, horizonRetryMs)])
    const height = horizon.height()
    if (height !== undefined) {
      round.catch(() => undefined)
      return height
    }
  }
  return undefined
}

/** Resolves once this validator may vote; false when the node stops first. */
export async function followFirst(context: RecoveryContext): Promise<boolean> {
  const until = await askHorizon(context)
  if (until === undefined) return false
  context.onHorizon(until)
  while (!context.stopped()) {
    const reached = context.reached()
    if (reached !== undefined && reached >= until) return true
    await pause(context.clock, recoveryLookMs)
  }
  return false
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve))
}
