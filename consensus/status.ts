// What keeps a lossy network moving: repetition while something is open and nothing moves, and answers to those who are late.
import type { View } from '../primitives/brand.ts'
import { announce, ownStatus } from './announce.ts'
import { uncertifiedCheckpoint } from './checkpoint.ts'
import { broadcast, sendTo } from './effects.ts'
import { repeatedProposalsMax } from './limits.ts'
import type { Status } from './messages.ts'
import { requestPayload } from './normal.ts'
import { isBehind, noteCommitted, requestCheckpoint, requestSync } from './sync.ts'
import { acceptedAt, isOpen, isPrimary, keyOf, lowWatermark, openHeights, type Peer, type ReplicaState } from './state.ts'
import { epochAt } from './validators.ts'
import { requestAdoptable } from './viewchange.ts'

/** Whether a Status is later than the last one kept: both view and committed height only rise in a correct replica. A replay of an older one is not. */
function supersedes(status: Status, peer: Peer): boolean {
  if (status.epoch !== peer.epoch) return status.epoch > peer.epoch
  return status.committed >= peer.committed && status.view >= peer.view
}

export function onStatus(state: ReplicaState, status: Status): void {
  const epoch = epochAt(state.schedule, status.epoch)
  const validator = epoch?.set.validators[status.validator]
  if (validator === undefined || (epoch === state.epoch && status.validator === state.self)) return
  state.wishesChanged = true
  const key = keyOf(validator)
  let peer = state.peers.get(key)
  if (peer === undefined) {
    peer = { validator, epoch: status.epoch, view: status.view, wish: status.wish, distrusts: status.active === 2, committed: status.committed }
    state.peers.set(key, peer)
  } else if (supersedes(status, peer)) {
    const isSame = status.epoch === peer.epoch && status.committed === peer.committed && status.view === peer.view
    // An impatient wish is withdrawn by progress only, so within one place the higher one counts, whatever order they come in.
    peer.wish = isSame ? (Math.max(peer.wish, status.wish) as View) : status.wish
    peer.epoch = status.epoch
    peer.distrusts = status.active === 2 || (isSame && peer.distrusts)
    peer.view = status.view
    noteCommitted(peer, status.committed)
  }
  answer(state, status, peer, key)
}

/** Tells a peer what it misses, as its Status shows; seldom, since a Status can be replayed. */
function answer(state: ReplicaState, status: Status, peer: Peer, key: string): void {
  if (state.answered.has(key)) return
  const { validator } = peer
  const before = state.effects.send.length
  const sameEpoch = status.epoch === state.epoch.activation
  const isLate = status.committed < state.committed.height || status.epoch < state.epoch.activation || (sameEpoch && status.view < state.view)
  if (isLate) {
    const own = ownStatus(state)
    if (own !== undefined) sendTo(state.effects, validator, { ...own, type: 'status' })
  }
  if (sameEpoch && state.newView !== undefined && (status.view < state.view || (status.view === state.view && status.active === 0))) {
    sendTo(state.effects, validator, { ...state.newView, type: 'new-view' })
  }
  if (state.stable !== undefined && status.checkpoint < lowWatermark(state)) sendTo(state.effects, validator, { type: 'certified', certificate: state.stable })
  const isAhead = status.committed > state.committed.height
  const lacksCheckpoint = state.self === undefined && status.checkpoint > lowWatermark(state)
  if (isAhead) requestSync(state, status.committed)
  else if (lacksCheckpoint) requestCheckpoint(state, peer)
  if (isAhead || lacksCheckpoint || state.effects.send.length > before) state.answered.add(key)
}

/** Whether anything here waits for others. */
export function needsRepetition(state: ReplicaState): boolean {
  return state.greetings > 0 || isOpen(state) || state.mode === 'changing' || state.wish > state.view || isBehind(state) || uncertifiedCheckpoint(state) !== undefined
}

export function onRetransmitTimer(state: ReplicaState): void {
  const hasMoved = state.moved
  state.moved = false
  if (state.greetings > 0) state.greetings--
  else if (hasMoved || !needsRepetition(state)) {
    // Blocks go on, so nothing else needs saying again.
    if (state.distrusts) announce(state)
    return
  }
  repeat(state)
}

function repeat(state: ReplicaState): void {
  announce(state)
  if (isBehind(state)) requestSync(state)
  if (state.halted) return
  const checkpoint = uncertifiedCheckpoint(state)
  if (checkpoint !== undefined) broadcast(state.effects, { ...checkpoint, type: 'checkpoint' })
  if (state.self === undefined) return
  if (state.mode === 'changing') {
    requestAdoptable(state, 'all')
    if (state.ownViewChange !== undefined) broadcast(state.effects, { ...state.ownViewChange, type: 'view-change' })
  } else repeatVotes(state, state.self)
}

function repeatVotes(state: ReplicaState, self: number): void {
  let proposals = 0
  for (const height of openHeights(state)) {
    const slot = state.slots.get(height)
    const accepted = acceptedAt(state, height)
    if (slot === undefined || accepted === undefined) continue
    requestPayload(state, accepted)
    if (isPrimary(state) && accepted.manifest !== undefined && proposals < repeatedProposalsMax) {
      const { view, header, manifest, signature } = accepted
      broadcast(state.effects, { type: 'pre-prepare', view, header, manifest, signature })
      proposals++
    }
    const prepare = slot.prepares.get(self)
    if (prepare?.view === state.view) broadcast(state.effects, { ...prepare, type: 'prepare' })
    const commit = slot.commits.get(self)
    if (commit?.view === state.view) broadcast(state.effects, { ...commit, type: 'commit' })
  }
}
