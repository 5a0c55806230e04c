// What a node says of itself, in words: an operator must see at once what is wrong or waited for, and from whom.
import type { Waiting } from '../consensus/report.ts'
import type { ValidatorSet } from '../consensus/validators.ts'
import { faultsTolerated, isQuorum } from '../consensus/quorum.ts'
import type { View } from '../primitives/brand.ts'
import { unreachable } from '../primitives/errors.ts'

/** A validator that follows without a vote. */
export interface Recovering {
  readonly why: string
  /** It votes again once it has executed this block; not known while it asks the others. */
  readonly until?: number
}

export interface Situation {
  readonly view: View
  readonly waiting: Waiting
  readonly set: ValidatorSet
  /** Names of connected peers. */
  readonly connected: ReadonlySet<string>
  readonly self: string
  readonly role: 'validator' | 'observer'
  /** This node's key was that of a validator, up to this height. */
  readonly former: { readonly name: string; readonly until: number } | undefined
  readonly unknownRules: { readonly version: number; readonly fromHeight: number } | undefined
  /** Contradictions kept, by the validator's name. */
  readonly evidence: ReadonlyMap<string, number>
  readonly syncTarget: number
  readonly behindMs: number
  /** An observer that is further behind is not ready. */
  readonly staleMs: number
  readonly stored: number
  readonly pending: number
  /** undefined: voting, or an observer. */
  readonly recovering: Recovering | undefined
  readonly halted: string | undefined
}

export interface Judgement {
  readonly syncing: boolean
  /** Enough validators are connected to know of later blocks. */
  readonly inTouch: boolean
  readonly ready: boolean
  readonly problems: readonly string[]
}

export function judge(situation: Situation): Judgement {
  const { view, waiting, set, connected, self, role, former, unknownRules, evidence, syncTarget, stored, behindMs, staleMs, recovering, halted } = situation
  const problems: string[] = []
  const inSight = placesInSight(set, self, connected)
  const away = set.validators.filter((_, index) => !inSight.has(index)).map(({ name }) => name)
  const inTouch = isInTouch(set, inSight, role)
  const needed = faultsTolerated(set.validators.length) + 1
  const syncing = syncTarget > stored
  if (halted !== undefined) problems.push(halted)
  if (away.length > 0) problems.push(`not connected to ${away.join(', ')}${inTouch ? '' : role === 'validator' ? ': too few validators are in sight to make blocks' : `: ${inSight.size === 0 ? 'no validator is' : `${inSight.size} of the ${needed} that are needed are`} in sight, so what this node shows may be old`}`)
  if (former !== undefined) problems.push(`this node's key was that of ${former.name} and is in no validator set since block ${former.until}: it follows and does not vote. Governance can add it again; if it is to stay an observer, list it among the observers of the others`)
  if (unknownRules !== undefined) problems.push(`the chain runs by rule set ${unknownRules.version} from block ${unknownRules.fromHeight} on, which this program does not know: install the release that does before then, or this node stops there`)
  for (const [validator, count] of evidence) problems.push(`${validator} signed contradictory messages (${count} kept): see chain_getEvidence, and have governance remove it or replace its key`)
  if (syncing) problems.push(`catching up: block ${stored} of ${syncTarget}`)
  if (recovering !== undefined) {
    problems.push(
      recovering.until === undefined
        ? `${recovering.why}: it asks the others how far they are before it votes`
        : `${recovering.why}: it votes again once it has executed block ${recovering.until}`,
    )
  }
  // an observer takes no part in views: it waits for blocks only
  const awaited = role === 'validator' || waiting.what === 'blocks' || waiting.what === 'operator' ? describe(waiting, view) : undefined
  if (awaited !== undefined && halted === undefined) problems.push(awaited)
  const isStale = role === 'observer' && behindMs > staleMs
  if (isStale) problems.push(`what this node shows may be ${Math.round(behindMs / 1_000)} s old`)
  // an observer is always a little behind while blocks go by, and serves all the same
  const fit = role === 'validator' ? !syncing && inTouch : !isStale
  return { syncing, inTouch, ready: fit && halted === undefined && recovering === undefined, problems }
}

/** A validator needs a quorum to go on; an observer one honest validator that tells it of blocks, so one more than may lie: a single one could keep the truth from it. */
export function isInTouch(set: ValidatorSet, inSight: ReadonlySet<number>, role: 'validator' | 'observer'): boolean {
  return role === 'validator' ? isQuorum(set, inSight) : inSight.size > faultsTolerated(set.validators.length)
}

/** Places in the set of this node and of those that it is connected to. */
export function placesInSight(set: ValidatorSet, self: string, connected: ReadonlySet<string>): ReadonlySet<number> {
  return new Set(set.validators.flatMap(({ name }, index) => (name === self || connected.has(name) ? [index] : [])))
}

function describe(waiting: Waiting, view: View): string | undefined {
  const names = 'from' in waiting ? waiting.from.map(({ name }) => name).join(', ') : ''
  switch (waiting.what) {
    case 'nothing':
      return undefined
    case 'proposal':
      return `waiting for a block from the primary ${names} in view ${view}`
    case 'allowance':
      return `this validator was not stopped in order as the primary of view ${view}, and proposes nothing there up to block ${waiting.height}, where it may have done so: the others open the next view`
    case 'newView':
      return `waiting for the primary ${names} to open view ${view}`
    case 'payload':
      return `fetching the transactions of block ${waiting.height}`
    case 'prepares':
      return `waiting for prepare votes on block ${waiting.height} from ${names}`
    case 'commits':
      return `waiting for commit votes on block ${waiting.height} from ${names}`
    case 'checkpoints':
      return `waiting for the state of block ${waiting.height} to be certified by ${names}`
    case 'viewChange':
      return `asking for view ${waiting.view}; ${names} do not (yet)`
    case 'blocks':
      return `fetching final blocks up to ${waiting.height} from ${names}`
    case 'operator':
      return 'stopped: the state computed here differs from what a quorum certified'
    default:
      return unreachable(waiting)
  }
}
