// Where a replica stands and what it waits for, in data, for node_status: an operator must see why a chain stands still.
import type { Height, View } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { ownCheckpoint } from './checkpoint.ts'
import { isBehind, knownFinal } from './sync.ts'
import { acceptedAt, isPrimary, lowWatermark, primaryOf, validatorAt, type ReplicaState } from './state.ts'
import type { SlotVote } from './messages.ts'
import type { Validator } from './validators.ts'
import { mayVoteFirst, payloadIsValid } from './safety.ts'
import { wishOf } from './wish.ts'

export type Waiting =
  /** Nothing to order, and the last state is certified. */
  | { readonly what: 'nothing' }
  | { readonly what: 'proposal' | 'newView'; readonly from: readonly Validator[] }
  | { readonly what: 'payload' | 'prepares' | 'commits' | 'checkpoints'; readonly height: Height; readonly from: readonly Validator[] }
  /** The primary gives no first vote of this view up to `height`, where a life before it may have given some (safety.ts, S8). */
  | { readonly what: 'allowance'; readonly height: Height }
  /** A quorum to leave the view with; `from`: those who do not ask for it (yet). */
  | { readonly what: 'viewChange'; readonly view: View; readonly from: readonly Validator[] }
  /** Final blocks up to `height` that this replica lacks. */
  | { readonly what: 'blocks'; readonly height: Height; readonly from: readonly Validator[] }
  /** Stopped: the own state differs from the certified one. */
  | { readonly what: 'operator' }

export interface ReplicaStatus {
  readonly epoch: Height
  readonly view: View
  readonly mode: 'normal' | 'changing'
  readonly wish: View
  readonly primary: Validator
  /** undefined for a follower. */
  readonly index: number | undefined
  readonly committed: Height
  readonly executed: Height
  readonly checkpoint: Height
  /** Blocks proposed and not final yet. */
  readonly open: number
}

export function statusOf(state: ReplicaState): ReplicaStatus {
  return {
    epoch: state.epoch.activation,
    view: state.view,
    mode: state.mode,
    wish: state.wish,
    primary: validatorAt(state.epoch, primaryOf(state)),
    index: state.self,
    committed: state.committed.height,
    executed: state.executed,
    checkpoint: lowWatermark(state),
    open: Math.max(0, state.tip.height - state.committed.height),
  }
}

function others(state: ReplicaState, lacks: (index: number) => boolean): Validator[] {
  return state.epoch.set.validators.filter((_, index) => index !== state.self && lacks(index))
}

/** What it waits for, and from whom. For those who ask: to find out takes longer than most steps do. */
export function waitingOf(state: ReplicaState): Waiting {
  const primary = primaryOf(state)
  if (state.halted) return { what: 'operator' }
  if (isBehind(state)) {
    const height = knownFinal(state)
    return { what: 'blocks', height, from: [...state.peers.values()].filter((peer) => peer.committed > state.committed.height).map((peer) => peer.validator) }
  }
  if (state.wish > state.view) return { what: 'viewChange', view: state.wish, from: others(state, (index) => wishOf(state, index) < state.wish) }
  if (state.mode === 'changing') return { what: 'newView', from: others(state, (index) => index === primary) }

  const height = (state.committed.height + 1) as Height
  const slot = state.slots.get(height)
  const accepted = acceptedAt(state, height)
  if (slot !== undefined && accepted !== undefined) {
    if (!payloadIsValid(state, accepted.hash)) return { what: 'payload', height, from: others(state, (index) => index === primary) }
    const missing = (votes: ReadonlyMap<number, SlotVote>) => (index: number): boolean => {
      const vote = votes.get(index)
      return vote === undefined || vote.view < state.view || !equalBytes(vote.blockHash, accepted.hash)
    }
    if (slot.prepared?.certificate.view !== state.view) return { what: 'prepares', height, from: others(state, (index) => index !== primary && missing(slot.prepares)(index)) }
    return { what: 'commits', height, from: others(state, missing(slot.commits)) }
  }
  if (state.pending && isPrimary(state) && state.unrecorded !== undefined && !mayVoteFirst(state, height)) return { what: 'allowance', height: state.unrecorded.height }
  if (state.pending) return { what: 'proposal', from: others(state, (index) => index === primary) }
  if (ownCheckpoint(state, state.executed) !== undefined) {
    const votes = state.checkpoints.get(state.executed)
    return { what: 'checkpoints', height: state.executed, from: others(state, (index) => votes?.has(index) !== true) }
  }
  return { what: 'nothing' }
}
