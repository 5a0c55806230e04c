// A validator that starts says nothing until it has heard a quorum: it asks how far they are, and has what they have before it votes. Others hold its own
// signatures, in the certificates of those blocks too, and one that its vote log does not tell of means that the log is not all (own-votes.ts).
//
// A validator without its votes (a new folder, or one whose votes were lost) does not know what it has signed. It follows without a vote until what it could
// have had a part in is final: it asks the others how far they have blocks prepared, and waits until it has executed that far itself. A quorum of answers, its
// own place in it included, meets every quorum that can have decided anything with its old votes, as long as it counts as one of the f faulty until then.
// From then on it votes, and never where its old votes may be: forgottenAt says up to where, and consensus keeps to it (consensus/safety.ts, S7).
// That it may vote is an entry of the vote log itself (vote-entries.ts): a restart while it follows finds a log without it, and follows again.
import type { LogRecord } from '../consensus/record.ts'
import type { ValidatorSet } from '../consensus/validators.ts'
import { isQuorum } from '../consensus/quorum.ts'
import type { ForgottenVotes } from '../consensus/votes.ts'
import type { Height, View } from '../primitives/brand.ts'
import { DongbaekError, unreachable } from '../primitives/errors.ts'
import { decodeSyncAnswer, encodeSyncQuestion } from './exchange.ts'
import { answerBytesMax, horizonGraceMs, horizonRetryMs, horizonTimeoutMs, recoveryLookMs } from './limits.ts'
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
    case 'allowance':
    case 'wished':
    case 'viewChange':
    case 'newView':
    case 'checkpoint':
    case 'halted':
      return undefined
    default:
      return unreachable(record)
  }
}

export type ViewPlace = Pick<ForgottenVotes, 'epoch' | 'view'>

/** The view that a record speaks of: this validator has asked for it, or been in it. */
export function askedView(record: LogRecord): ViewPlace | undefined {
  switch (record.type) {
    case 'wished':
    case 'viewChange':
    case 'newView':
      return record
    case 'allowance':
    case 'certificate':
    case 'committed':
    case 'anchor':
    case 'proposed':
    case 'prepared':
    case 'checkpoint':
    case 'halted':
      return undefined
    default:
      return unreachable(record)
  }
}

/** Views count within an epoch. */
export function compareViews(a: ViewPlace, b: ViewPlace): number {
  return a.epoch - b.epoch || a.view - b.view
}

export function higher(one: ViewPlace, other: ViewPlace | undefined): ViewPlace {
  return other !== undefined && compareViews(other, one) > 0 ? other : one
}

/** How far a validator has come, as it says. */
export interface Standing extends ViewPlace {
  /** The highest height at which it has had a block prepared. */
  readonly top: Height
}

export interface Horizon {
  /** What a validator answered. */
  readonly note: (validator: number, standing: Standing) => void
  /** How far a quorum has come: the height to have executed before voting, and the highest view; undefined while too few have answered. */
  readonly standing: () => Standing | undefined
}

/**
 * Where a validator without its votes may have given some. Of heights: none is voted for more than `window` above a stable checkpoint, which a quorum has
 * executed. Of views: a quorum has asked for the view before anyone sends a ViewChange for it. Either quorum meets that of the answers in a correct validator
 * besides this one, as long as this one counts as one of the f faulty. undefined: it has had nothing to vote on, since its first set is still to come, or since
 * nobody has anything prepared and the network is new. (What it signed on a new network before anything was prepared there is not covered.)
 */
export function forgottenAt({ top, epoch, view }: Standing, since: Height | undefined, window: number): ForgottenVotes | undefined {
  const isNew = (top === 0 && view === 0) || (since !== undefined && top + 1 < since)
  return isNew ? undefined : { epoch, view, height: (top + window) as Height }
}

export function createHorizon(set: ValidatorSet, self: number): Horizon {
  const answers = new Map<number, Standing>()
  // the lowest answers that make a quorum: once the correct ones have answered, a liar cannot keep us waiting for a height or a view that never comes
  const highestOfLowest = (compare: (a: Standing, b: Standing) => number): Standing | undefined => {
    const members = new Set([self])
    if (isQuorum(set, members)) return { top: 0 as Height, epoch: 1 as Height, view: 0 as View }
    for (const [validator, standing] of [...answers].sort((a, b) => compare(a[1], b[1]) || a[0] - b[0])) {
      members.add(validator)
      if (isQuorum(set, members)) return standing
    }
    return undefined
  }
  return {
    note: (validator, standing) => {
      if (validator !== self && !answers.has(validator)) answers.set(validator, standing)
    },
    standing: () => {
      const blocks = highestOfLowest((a, b) => a.top - b.top)
      const views = highestOfLowest(compareViews)
      return blocks === undefined || views === undefined ? undefined : { top: blocks.top, epoch: views.epoch, view: views.view }
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
  /** How far to follow, as far as is known; what another one answers can bring it down. */
  readonly onHorizon: (standing: Standing) => void
}

/**
 * Resolves once this validator may vote, with how far the others are; undefined when the node stops first. All others are asked until then: a liar among the
 * first answers says what never comes, and those of the correct, once they are enough, show it to be nothing to wait for. Throws what a request throws that is
 * no `DongbaekError`.
 */
export async function followFirst({ set, self, transport, clock, stopped, follow, reached, measure, onHorizon }: RecoveryContext): Promise<Standing | undefined> {
  const horizon = createHorizon(set, self)
  let over = false
  let unanswered = set.validators.length - 1
  const failures: unknown[] = []
  // each by itself: one that is silent must not keep us from asking the others again
  const ask = async (name: string, index: number): Promise<void> => {
    while (!over) {
      try {
        const answer = decodeSyncAnswer(await transport.request(name, 'sync', encodeSyncQuestion({ from: Number.MAX_SAFE_INTEGER as Height, count: 1 }), { timeoutMs: horizonTimeoutMs, responseBytesMax: answerBytesMax }))
        if (over) return
        horizon.note(index, { top: answer[measure], epoch: answer.epoch, view: answer.view })
        unanswered--
        follow(answer.head, name)
        return
      } catch (error) {
        // not there yet
        if (!(error instanceof DongbaekError)) throw error
      }
      await pause(clock, horizonRetryMs)
    }
  }
  for (const [index, { name }] of set.validators.entries()) if (index !== self) ask(name, index).catch((error: unknown) => failures.push(error))

  let standing: Standing | undefined
  // what it gives up it gives up for good, so it hears all who answer soon
  let graceMs = measure === 'top' ? horizonGraceMs : 0
  try {
    while (!stopped()) {
      if (failures.length > 0) throw failures[0]
      const now = horizon.standing()
      if (now !== undefined && (standing === undefined || now.top !== standing.top || compareViews(now, standing) !== 0)) {
        standing = now
        onHorizon(now)
      }
      const height = reached()
      if (standing !== undefined && height !== undefined && height >= standing.top && (graceMs <= 0 || unanswered === 0)) return standing
      await pause(clock, recoveryLookMs)
      if (standing !== undefined) graceMs -= recoveryLookMs
    }
    return undefined
  } finally {
    over = true
  }
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve))
}
