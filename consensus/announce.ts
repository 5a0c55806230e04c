// Saying where this replica stands. A Status binds to nothing: it is how views meet again (wish.ts) and how the late are noticed (status.ts).
import type { View } from '../primitives/brand.ts'
import { broadcast } from './effects.ts'
import { statusBytes, type Status, type StatusContent } from './messages.ts'
import type { WishReason } from './output.ts'
import { lowWatermark, type ReplicaState } from './state.ts'

/** undefined for a follower, and for a replica that has halted. */
export function ownStatus(state: ReplicaState): Status | undefined {
  if (state.self === undefined || state.halted || state.replaying) return undefined
  const content: StatusContent = {
    epoch: state.epoch.activation,
    view: state.view,
    active: state.mode !== 'normal' ? 0 : state.distrusts ? 2 : 1,
    wish: state.wish,
    committed: state.committed.height,
    checkpoint: lowWatermark(state),
    validator: state.self,
  }
  return { ...content, signature: state.config.sign(statusBytes(state.config.chain, content)) }
}

export function announce(state: ReplicaState): void {
  const status = ownStatus(state)
  if (status !== undefined) broadcast(state.effects, { ...status, type: 'status' })
}

/** Ask for a higher view. Nothing is promised by it: until a quorum asks, this replica goes on voting where it is. */
export function raiseWish(state: ReplicaState, view: number, reason: WishReason): void {
  if (view <= state.wish) return
  state.wish = view as View
  state.wishReason = reason
  state.wishesChanged = true
  if (state.self !== undefined && !state.halted) state.effects.persist.push({ type: 'wished', epoch: state.epoch.activation, view: state.wish })
  state.effects.views.push({ what: 'asked', view: state.wish, reason })
  announce(state)
}

/**
 * The primary itself is at fault, or suspected: no block that it goes on making takes that back. Without this one that leaves a transaction out could stay for
 * good, since the correct replicas notice at different times, and each block between would undo what the one before has asked for.
 */
export function distrustPrimary(state: ReplicaState, reason: WishReason): void {
  if (state.mode === 'normal') state.distrusts = true
  if (state.wish > state.view) announce(state)
  else raiseWish(state, state.view + 1, reason)
}
