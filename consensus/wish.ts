// How replicas agree to leave a view. The paper lets a replica leave on its own timer; one that was merely cut off then stands outside
// its view until the next view change. Here it first *wishes*, in its Status, and goes on voting; it leaves, with the binding ViewChange,
// when a quorum wishes for as much. f + 1 wishes are joined, so that what one correct replica sees to be needed all will ask for.
// (The two thresholds are those of Bravo, Chockler and Gotsman, "Making Byzantine consensus live", DISC 2020.)
import type { View } from '../primitives/brand.ts'
import { raiseWish } from './announce.ts'
import { isQuorum, weakQuorumSize } from './quorum.ts'
import { peerOf } from './sync.ts'
import { isOpen, type ReplicaState } from './state.ts'
import { startViewChange } from './viewchange.ts'

/**
 * The view that a validator would be in: from its Status, or its ViewChange, which binds. A wish from before a block that is final here was withdrawn by that block, or
 * is when it comes there, unless it is the primary that is distrusted: joined late, it would take this replica out of a view in which the others stay.
 */
export function wishOf(state: ReplicaState, index: number): View {
  if (index === state.self) return state.wish
  const peer = peerOf(state, index)
  const stated = peer === undefined || peer.epoch !== state.epoch.activation ? 0 : peer.committed < state.committed.height && !peer.distrusts ? peer.view : Math.max(peer.view, peer.wish)
  return Math.max(stated, state.viewChanges.get(index)?.view ?? 0) as View
}

function descending(state: ReplicaState): { readonly index: number; readonly view: View }[] {
  return state.epoch.set.validators.map((_, index) => ({ index, view: wishOf(state, index) })).sort((a, b) => b.view - a.view)
}

/** A replica with nothing to wait for asks for no view of its own accord: else what it asked for before the last block would stand until the next one. */
function waitsForNothing(state: ReplicaState): boolean {
  return state.mode === 'normal' && !state.pending && !isOpen(state)
}

export function followWishes(state: ReplicaState): boolean {
  if (!state.wishesChanged) return false
  state.wishesChanged = false
  const others = descending(state).filter(({ index }) => index !== state.self)
  const joined = others[weakQuorumSize(state.epoch.set.validators.length) - 1]?.view ?? (0 as View)
  if (waitsForNothing(state)) {
    state.distrusts = false
    state.wish = Math.min(state.wish, Math.max(state.view, joined)) as View
  }
  raiseWish(state, joined, 'others')

  const asking = new Set<number>()
  for (const { index, view } of descending(state)) {
    asking.add(index)
    if (view <= state.view) return false
    if (!isQuorum(state.epoch.set, asking)) continue
    startViewChange(state, view)
    return true
  }
  return false
}
