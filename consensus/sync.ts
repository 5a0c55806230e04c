// Noticing that others have final blocks which this replica lacks, and asking the driver to fetch them.
import type { Height } from '../primitives/brand.ts'
import { weakQuorumSize } from './quorum.ts'
import { keyOf, mayDecideNext, validatorAt, type Peer, type ReplicaState } from './state.ts'
import { provenHeight } from './tally.ts'

/** What at least one correct validator claims to have: f + 1 claim as much. A single claim may be a lie. */
function credibleHeight(state: ReplicaState): Height {
  const claims = [...state.peers.values()].map((peer) => peer.committed).sort((a, b) => b - a)
  return claims[weakQuorumSize(state.epoch.set.validators.length) - 1] ?? (0 as Height)
}

/** The highest height that is known to be final elsewhere: claimed by f + 1, or proven by certificates or votes. */
export function knownFinal(state: ReplicaState): Height {
  return Math.max(state.anchor.height, state.ahead?.content.height ?? 0, credibleHeight(state), provenHeight(state)) as Height
}

export function isBehind(state: ReplicaState): boolean {
  return mayDecideNext(state) && knownFinal(state) > state.committed.height
}

/** A follower tells nobody where it stands, so nobody brings it the certificate that it has missed. */
export function requestCheckpoint(state: ReplicaState, peer: Peer): void {
  const { height } = state.committed
  state.effects.sync = { from: (height + 1) as Height, to: height, peers: [{ validator: peer.validator, committed: peer.committed }] }
}

/** `claimed`: a height that one peer claims, worth one try. */
export function requestSync(state: ReplicaState, claimed = 0 as Height): void {
  const { height } = state.committed
  const to = Math.max(knownFinal(state), claimed) as Height
  if (to <= height || !mayDecideNext(state)) return
  const claiming = [...state.peers.values()].filter((peer: Peer) => peer.committed > height)
  const peers =
    claiming.length > 0
      ? claiming.map(({ validator, committed }) => ({ validator, committed }))
      : state.epoch.set.validators.map((_, index) => ({ validator: validatorAt(state.epoch, index), committed: to })).filter((_, index) => index !== state.self)
  state.effects.sync = { from: (height + 1) as Height, to, peers }
}

/** A peer's word on where it stands, or what its messages show. */
export function noteCommitted(peer: Peer, committed: Height): void {
  if (committed > peer.committed) peer.committed = committed
}

export function peerOf(state: ReplicaState, index: number): Peer | undefined {
  return state.peers.get(keyOf(validatorAt(state.epoch, index)))
}
