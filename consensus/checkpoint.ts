// Checkpoints (paper, section 4.3): signed results of execution. A quorum of equal ones certifies a height; the log below it is done with, and
// snapshots, light clients and pruning stand on it. A replica that computed something else stops.
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import type { CheckpointCertificate } from './certificate.ts'
import { broadcast } from './effects.ts'
import { blame } from './evidence.ts'
import type { Executed } from './input.ts'
import type { Checkpoint } from './messages.ts'
import { isQuorum } from './quorum.ts'
import { requestSync } from './sync.ts'
import { isOpen, lowWatermark, type ReplicaState } from './state.ts'
import { epochHash, extendSchedule, indexOfKey, latestEpoch, setAt } from './validators.ts'
import { checkpointBytes, type CheckpointContent } from './votes.ts'

export function sameContent(a: CheckpointContent, b: CheckpointContent): boolean {
  return a.height === b.height && equalBytes(a.blockHash, b.blockHash) && equalBytes(a.stateRoot, b.stateRoot) && equalBytes(a.nextSet, b.nextSet)
}

export function onExecuted(state: ReplicaState, input: Executed): void {
  const { height, blockHash, stateRoot, nextSet } = input
  if (height <= state.executed) return
  const { window, checkpointInterval } = state.config.parameters
  assert(height === state.executed + 1 && height <= state.committed.height, 'final blocks are executed in order')
  state.executed = height
  state.schedule = extendSchedule(state.schedule, height, window, nextSet)
  if (nextSet !== undefined) state.latestEpochHash = epochHash(latestEpoch(state.schedule))
  const content: CheckpointContent = { height, blockHash, stateRoot, nextSet: state.latestEpochHash }
  state.results.set(height, content)
  state.results.delete((height - 2 * window) as Height)
  state.running.delete('checkpoint')

  const { ahead } = state
  if (ahead !== undefined && ahead.content.height <= height) {
    state.ahead = undefined
    adoptCertificate(state, ahead)
  }
  // A height that schedules a set is always certified, so that nobody who follows checkpoints misses a set.
  if (height % checkpointInterval === 0 || nextSet !== undefined) castCheckpoint(state, content)
  certify(state, height)
}

/** Signs the result of a height, unless that height is certified already. */
function castCheckpoint(state: ReplicaState, content: CheckpointContent): void {
  const self = selfAt(state, content.height)
  if (self === undefined || state.halted || state.replaying || content.height <= Math.max(lowWatermark(state), state.ahead?.content.height ?? 0)) return
  const votes = votesAt(state, content.height)
  const known = votes.get(self)
  assert(known === undefined || sameContent(known.content, content), 'a checkpoint vote never contradicts an earlier one')
  if (known !== undefined) return
  state.effects.persist.push({ ...content, type: 'checkpoint' })
  broadcast(state.effects, { ...resumeCheckpoint(state, content, self), type: 'checkpoint' })
}

/** The own vote, just cast or read back from the log. */
export function resumeCheckpoint(state: ReplicaState, content: CheckpointContent, self: number): Checkpoint {
  const vote: Checkpoint = { content, validator: self, signature: state.config.sign(checkpointBytes(state.config.chain, content)) }
  votesAt(state, content.height).set(self, vote)
  return vote
}

function votesAt(state: ReplicaState, height: Height): Map<number, Checkpoint> {
  let votes = state.checkpoints.get(height)
  if (votes === undefined) {
    votes = new Map()
    state.checkpoints.set(height, votes)
  }
  return votes
}

export function onCheckpoint(state: ReplicaState, message: Checkpoint): void {
  const { content, validator } = message
  const set = setAt(state.schedule, content.height)
  if (set === undefined || content.height <= lowWatermark(state) || content.height > state.committed.height + state.config.parameters.window) return
  const votes = votesAt(state, content.height)
  const known = votes.get(validator)
  if (known === undefined) votes.set(validator, message)
  else if (!sameContent(known.content, content)) {
    blame(state, set, validator, 'checkpoint', { height: content.height }, [{ ...known, type: 'checkpoint' }, { ...message, type: 'checkpoint' }])
    return
  }
  certify(state, content.height)
}

/** A quorum of equal votes at this height makes a certificate. */
function certify(state: ReplicaState, height: Height): void {
  const votes = state.checkpoints.get(height)
  const set = setAt(state.schedule, height)
  if (votes === undefined || set === undefined) return
  for (const { content } of votes.values()) {
    const equal = [...votes.values()].filter((vote) => sameContent(vote.content, content)).sort((a, b) => a.validator - b.validator)
    if (!isQuorum(set, new Set(equal.map((vote) => vote.validator)))) continue
    adoptCertificate(state, { content, signatures: equal.map(({ validator, signature }) => ({ validator, signature })) })
    return
  }
}

/** The certificate becomes stable when the own execution has reached and confirmed it. */
export function adoptCertificate(state: ReplicaState, certificate: CheckpointCertificate): void {
  const { content } = certificate
  if (content.height <= lowWatermark(state)) return
  if (content.height > state.executed) {
    if (state.ahead === undefined || content.height > state.ahead.content.height) state.ahead = certificate
    if (content.height > state.committed.height + 1) requestSync(state)
    return
  }
  const own = state.results.get(content.height)
  if (own !== undefined && !sameContent(own, content)) {
    if (!state.halted) {
      state.halted = true
      state.effects.persist.push({ type: 'halted', certified: content, own })
      state.effects.halt = { own, certified: certificate }
    }
    return
  }
  state.stable = certificate
  state.moved = true
  state.effects.certified.push(certificate)
  for (const height of state.checkpoints.keys()) if (height <= content.height) state.checkpoints.delete(height)
  for (const height of state.results.keys()) if (height < content.height) state.results.delete(height)
  for (const height of state.finals.keys()) if (height <= content.height) state.finals.delete(height)
}

/** The chain is idle and its last state not certified: ask for it, once. Asked of those who were in the set of that height: one that has left it owes it still. */
export function idleCheckpointDue(state: ReplicaState): boolean {
  const { executed } = state
  if (executed <= lowWatermark(state) || executed !== state.committed.height || isOpen(state) || state.halted || !state.results.has(executed)) return false
  return selfAt(state, executed) !== undefined && ownCheckpoint(state, executed) === undefined
}

function selfAt(state: ReplicaState, height: Height): number | undefined {
  const set = setAt(state.schedule, height)
  return set === undefined ? undefined : indexOfKey(set, state.config.publicKey)
}

export function castIdleCheckpoint(state: ReplicaState): void {
  const content = state.results.get(state.executed)
  if (content !== undefined && idleCheckpointDue(state)) {
    castCheckpoint(state, content)
    certify(state, content.height)
  }
}

export function ownCheckpoint(state: ReplicaState, height: Height): Checkpoint | undefined {
  const votes = state.checkpoints.get(height)
  const self = selfAt(state, height)
  return self === undefined ? undefined : votes?.get(self)
}

/** The highest own vote that is not certified yet, to be repeated. */
export function uncertifiedCheckpoint(state: ReplicaState): Checkpoint | undefined {
  let highest: Checkpoint | undefined
  for (const height of state.checkpoints.keys()) {
    const own = ownCheckpoint(state, height)
    if (own !== undefined && (highest === undefined || height > highest.content.height)) highest = own
  }
  return highest
}
