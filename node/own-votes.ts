// A validator's own votes in the hands of others. Its vote log says what it has signed; a data folder put back from an older copy is consistent in itself and
// says less. What others show of it then gives it away: certificates bear its signature for blocks that it has no record of having voted for.
import type { CheckpointCertificate, Decision, Foundation, SlotCertificate } from '../consensus/certificate.ts'
import type { ReplicaConfig } from '../consensus/config.ts'
import type { Message, SignedViewChange } from '../consensus/messages.ts'
import type { LogRecord } from '../consensus/record.ts'
import { isBeyond } from '../consensus/safety.ts'
import { epochAt, indexOfKey, primaryIndex, type Schedule, setAt } from '../consensus/validators.ts'
import type { Height, View } from '../primitives/brand.ts'
import { compareViews, higher, type ViewPlace } from './recovery.ts'

export interface OwnVote {
  readonly kind: 'prepare' | 'commit' | 'checkpoint'
  readonly height: Height
  readonly view: number
}

export interface OwnVotes {
  /** What is or was put into the vote log. */
  readonly note: (record: LogRecord) => void
  /** A vote of ours above `committed` that is in the message or the decision and that no record tells of; their signatures have been checked. */
  readonly forgottenIn: (shown: Message | { readonly type: 'decision'; readonly decision: Decision }, committed: Height) => OwnVote | undefined
}

/** `found`: the records that this life began with. */
export function createOwnVotes({ publicKey, forgotten }: Pick<ReplicaConfig, 'publicKey' | 'forgotten'>, schedule: () => Schedule, found: readonly LogRecord[]): OwnVotes {
  // of one height the record of the highest view stays
  const prepared = new Map<Height, number>()
  const certified = new Map<Height, number>()
  const checkpoints = new Set<Height>()
  let final = 0
  /** The highest view that this validator has left others for: it votes in none below, and what it voted there was before the record that says so. */
  let left: ViewPlace | undefined
  const raise = (views: Map<Height, number>, height: Height, view: number): void => void views.set(height, Math.max(view, views.get(height) ?? 0))

  const wasLeft = (height: Height, view: number): boolean => {
    const epoch = epochAt(schedule(), height)
    return left !== undefined && epoch !== undefined && compareViews({ epoch: epoch.activation, view: view as View }, left) < 0
  }

  /** Of a time of which it is known that the log does not tell: no vote is given there any more (consensus/safety.ts, S7). */
  const isKnownLost = (kind: OwnVote['kind'], height: Height, view: number): boolean => {
    if (forgotten === undefined) return false
    const epoch = epochAt(schedule(), height)
    return kind === 'checkpoint' ? height <= forgotten.height : epoch !== undefined && !isBeyond(forgotten, { epoch: epoch.activation, view: view as View, height })
  }

  const allowance = found.findLast((record) => record.type === 'allowance')

  /** Given within an allowance just before a crash: its record need not have reached the disk, and it is not given again (consensus/safety.ts, S8). */
  const isAllowed = (kind: OwnVote['kind'], height: Height, view: number): boolean =>
    kind === 'prepare' && allowance?.type === 'allowance' && height <= allowance.height && view === allowance.view && epochAt(schedule(), height)?.activation === allowance.epoch

  const isForgotten = ({ kind, height, view }: OwnVote, committed: Height): boolean => {
    if (height <= committed || height <= final || isKnownLost(kind, height, view) || isAllowed(kind, height, view)) return false
    if (kind === 'checkpoint') return !checkpoints.has(height)
    if (wasLeft(height, view)) return false
    const commit = certified.get(height) ?? -1
    return (kind === 'commit' ? commit : Math.max(commit, prepared.get(height) ?? -1)) < view
  }

  const isOwn = (height: Height, validator: number): boolean => {
    const set = setAt(schedule(), height)
    return set !== undefined && indexOfKey(set, publicKey) === validator
  }
  const inCertificate = (kind: OwnVote['kind'], { height, view, signatures }: SlotCertificate): OwnVote[] => (signatures.some(({ validator }) => isOwn(height, validator)) ? [{ kind, height, view }] : [])
  const inViewChange = ({ base, prepared: shown }: SignedViewChange): OwnVote[] => [...(base === undefined ? [] : inCertificate('commit', base.certificate)), ...shown.flatMap(({ certificate }) => inCertificate('prepare', certificate))]
  const inCheckpoint = ({ content, signatures }: CheckpointCertificate): OwnVote[] => (signatures.some(({ validator }) => isOwn(content.height, validator)) ? [{ kind: 'checkpoint', height: content.height, view: 0 }] : [])
  const inFoundation = (foundation: Foundation | undefined): OwnVote[] =>
    foundation === undefined ? [] : [...(foundation.checkpoint === undefined ? [] : inCheckpoint(foundation.checkpoint)), ...foundation.decided.flatMap(({ certificate }) => inCertificate('commit', certificate))]

  const votesIn = (shown: Parameters<OwnVotes['forgottenIn']>[0]): readonly OwnVote[] => {
    switch (shown.type) {
      case 'decision':
        return inCertificate('commit', shown.decision.certificate)
      case 'view-change':
        return [...inViewChange(shown), ...inFoundation(shown.foundation)]
      case 'new-view':
        return [...shown.viewChanges.flatMap(inViewChange), ...inFoundation(shown.foundation)]
      case 'certified':
        return inCheckpoint(shown.certificate)
      case 'prepare':
      case 'commit':
        return isOwn(shown.height, shown.validator) ? [{ kind: shown.type, height: shown.height, view: shown.view }] : []
      case 'checkpoint':
        return isOwn(shown.content.height, shown.validator) ? [{ kind: 'checkpoint', height: shown.content.height, view: 0 }] : []
      default:
        return []
    }
  }

  const note = (record: LogRecord): void => {
    switch (record.type) {
      case 'proposed':
      case 'prepared':
        raise(prepared, record.header.height, record.view)
        return
      case 'viewChange':
        left = higher(record, left)
        return
      case 'newView': {
        left = higher(record, left)
        // the primary's signatures for the blocks that it adopted count as its Prepares
        const set = setAt(schedule(), record.epoch)
        if (set === undefined || indexOfKey(set, publicKey) !== primaryIndex(set, record.view)) return
        const base = Math.max(record.epoch - 1, ...record.viewChanges.map((one) => one.base?.header.height ?? 0))
        for (let i = 1; i <= record.adopted.length; i++) raise(prepared, (base + i) as Height, record.view)
        return
      }
      case 'certificate':
        raise(certified, record.header.height, record.certificate.view)
        return
      case 'committed':
        final = Math.max(final, record.header.height)
        for (const views of [prepared, certified]) for (const height of views.keys()) if (height <= final) views.delete(height)
        return
      case 'checkpoint':
        checkpoints.add(record.height)
        for (const height of checkpoints) if (height <= final && height < record.height) checkpoints.delete(height)
        return
      default:
    }
  }
  for (const record of found) note(record)

  return {
    note,
    forgottenIn: (shown, committed) => votesIn(shown).find((vote) => isForgotten(vote, committed)),
  }
}
