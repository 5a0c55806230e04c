// The conditions that make the protocol safe, by name. Handlers ask them before they sign; the simulator checks the invariants after every step.
// The argument that they suffice is in docs/consensus.md and cites them (S1 … S8).
import type { Hash, Height, View } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { blockHash, refOf, type BlockHeader } from './block.ts'
import { signersFormQuorum } from './certificate.ts'
import { acceptedAt, highWatermark, primaryOf, type ReplicaState, type Slot } from './state.ts'
import { epochAt } from './validators.ts'
import type { ForgottenVotes } from './votes.ts'

/** S1. Votes go to the view that was entered, and to no lower one after a ViewChange was sent (mode `changing`). */
export function mayVote(state: ReplicaState): boolean {
  return state.self !== undefined && !state.halted && !state.replaying && state.mode === 'normal'
}

/** S2. A proposal is accepted on the block accepted one below in this view, or on the final block that the view stands on. */
export function mayAccept(state: ReplicaState, header: BlockHeader): boolean {
  return (
    state.mode === 'normal' &&
    header.height === state.tip.height + 1 &&
    header.height > state.anchor.height &&
    header.height <= highWatermark(state) &&
    epochAt(state.schedule, header.height) === state.epoch &&
    equalBytes(header.parent, state.tip.hash) &&
    header.timeMs > state.tip.timeMs &&
    header.proposer === primaryOf(state)
  )
}

/** Prepared in this view (paper, section 4.2: the predicate prepared), or final. */
export function isSettled(state: ReplicaState, height: Height): boolean {
  if (height <= state.committed.height || height <= state.viewBase.height) return true
  const accepted = acceptedAt(state, height)
  const prepared = state.slots.get(height)?.prepared
  return accepted !== undefined && prepared !== undefined && prepared.certificate.view === state.view && equalBytes(prepared.certificate.blockHash, accepted.hash)
}

export function payloadIsValid(state: ReplicaState, hash: Hash): boolean {
  return state.payloads.get(toHex(hash))?.verdict === 'valid'
}

/**
 * S8. The first votes of a view, PrePrepare and Prepare, may leave before their records are on the disk, within an allowance that is there. A life that finds one from an
 * earlier life gives none in that view up to its height but those that it has records of.
 */
export function mayVoteFirst(state: ReplicaState, height: Height): boolean {
  const { unrecorded } = state
  return unrecorded === undefined || unrecorded.epoch !== state.epoch.activation || unrecorded.view !== state.view || height > unrecorded.height
}

/** S3. Prepare: the block is accepted in this view, its payload is here, and the slot below is settled. */
export function mayPrepare(state: ReplicaState, slot: Slot): boolean {
  const accepted = acceptedAt(state, slot.height)
  return (
    mayVote(state) &&
    mayVoteAt(state, state.view, slot.height) &&
    mayVoteFirst(state, slot.height) &&
    accepted !== undefined &&
    slot.height > state.anchor.height &&
    isSettled(state, (slot.height - 1) as Height) &&
    payloadIsValid(state, accepted.hash)
  )
}

/**
 * S4. A slot counts as prepared only when the slot below is settled, so a Commit vouches for the whole chain under it; and only when its payload is here, since a
 * ViewChange that shows what nobody can deliver any more would stand in the way of every new view.
 */
export function mayCountPrepared(state: ReplicaState, slot: Slot): boolean {
  const accepted = acceptedAt(state, slot.height)
  return state.mode === 'normal' && accepted !== undefined && slot.height > state.anchor.height && isSettled(state, (slot.height - 1) as Height) && payloadIsValid(state, accepted.hash)
}

/** S5. Commit: the slot is prepared in this view, and its payload is here. */
export function mayCommit(state: ReplicaState, slot: Slot): boolean {
  const accepted = acceptedAt(state, slot.height)
  return mayVote(state) && mayVoteAt(state, state.view, slot.height) && accepted !== undefined && slot.height > state.anchor.height && isSettled(state, slot.height) && payloadIsValid(state, accepted.hash)
}

/**
 * S7. A replica that has lost its votes gives none where it may have given one: it votes in no view below the highest that it may have sent a ViewChange for, and
 * within that view only above the last height that it may have voted for. In a later epoch it can have voted in view 0 at most.
 */
export function isBeyond({ epoch, view, height }: ForgottenVotes, at: ForgottenVotes): boolean {
  if (at.epoch < epoch) return false
  const floor = at.epoch === epoch ? view : 0
  return at.view > floor || (at.view === floor && at.height > height)
}

/** S7, for a proposal, a Prepare or a Commit. */
export function mayVoteAt(state: ReplicaState, view: View, height: Height): boolean {
  const { forgotten } = state.config
  return forgotten === undefined || isBeyond(forgotten, { epoch: state.epoch.activation, view, height })
}

/** S7, for a ViewChange, and for the NewView that needs the own one: it speaks for no height, so the view alone must be new. */
export function mayChangeTo(state: ReplicaState, view: View): boolean {
  return mayVoteAt(state, view, 0 as Height)
}

/** S6. One signature of a kind for a view and height. Broken, it would be our own bug: stop before the signature exists. */
export function assertSignsOnce(last: { readonly view: View; readonly blockHash: Hash } | undefined, view: View, hash: Hash): void {
  assert(last === undefined || view > last.view || (view === last.view && equalBytes(hash, last.blockHash)), 'a vote never contradicts an earlier one')
}

/** Names of the invariants that do not hold; empty in a replica that follows the protocol. */
export function brokenInvariants(state: ReplicaState): readonly string[] {
  const broken: string[] = []
  const must = (holds: boolean, name: string): void => {
    if (!holds) broken.push(name)
  }
  const { committed, anchor, tip, executed, slots, config } = state
  must(executed <= committed.height, 'executed is committed')
  must(committed.height <= executed + config.parameters.window, 'committed stays within the window of what is executed')
  must((state.stable?.content.height ?? 0) <= executed, 'the stable checkpoint is executed')
  must(anchor.height >= committed.height, 'the anchor is the highest final block')
  must(tip.height >= committed.height, 'the tip is not below what is committed')
  must(state.wish >= state.view, 'a replica wishes for no lower view')
  must(epochAt(state.schedule, (committed.height + 1) as Height) === state.epoch, 'the epoch is that of the next height')
  must(state.mode === 'normal' || state.view > 0, 'view 0 needs no view change')
  for (const slot of slots.values()) {
    must(slot.height > committed.height, 'slots are above what is committed')
    must(slot.height <= anchor.height + 2 * config.parameters.window, 'slots are within the log')
    if (slot.prepared !== undefined) {
      const { header, certificate } = slot.prepared
      must(certificate.view <= state.view, 'nothing is prepared in a later view')
      must(equalBytes(blockHash(header), certificate.blockHash) && header.height === slot.height, 'a prepared certificate is for its block')
      const set = epochAt(state.schedule, slot.height)?.set
      must(set !== undefined && signersFormQuorum(set, certificate.signatures), 'a prepared certificate has a quorum')
    }
  }
  // Prepared certificates above the anchor form one chain on it, their views not rising with the height.
  let parent = anchor
  let view: number = Number.POSITIVE_INFINITY
  for (let height = anchor.height + 1; ; height++) {
    const prepared = slots.get(height as Height)?.prepared
    if (prepared === undefined) break
    must(equalBytes(prepared.header.parent, parent.hash), 'prepared blocks form a chain on the anchor')
    must(prepared.certificate.view <= view, 'views of prepared blocks do not rise with the height')
    view = prepared.certificate.view
    parent = refOf(prepared.header)
  }
  for (let height = Math.max(committed.height, state.viewBase.height) + 1; height <= tip.height; height++) {
    must(acceptedAt(state, height as Height) !== undefined, 'every height up to the tip is accepted in this view')
  }
  return broken
}
