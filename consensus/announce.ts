// Saying where this replica stands. A Status binds to nothing: it is how views meet again (wish.ts) and how the late are noticed (status.ts).
import type { View } from '../primitives/brand.ts'
import { broadcast } from './effects.ts'
import { statusBytes, type Status, type StatusContent } from './messages.ts'
import { lowWatermark, type ReplicaState } from './state.ts'

/** undefined for a follower, and for a replica that has halted. */
export function ownStatus(state: ReplicaState): Status | undefined {
  if (state.self === undefined || state.halted || state.replaying) return undefined
  const content: StatusContent = {
    epoch: state.epoch.activation,
    view: state.view,
    active: state.mode === 'normal' ? 1 : 0,
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
export function raiseWish(state: ReplicaState, view: number): void {
  if (view <= state.wish) return
  state.wish = view as View
  state.wishesChanged = true
  announce(state)
}
