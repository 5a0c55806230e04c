// The primary's side of the normal case: ask the driver for a block when there is room and work, and propose what it answers.
import type { Height } from '../primitives/brand.ts'
import { equalBytes, toHex } from '../primitives/bytes.ts'
import { blockHash, type BlockHeader } from './block.ts'
import { broadcast } from './effects.ts'
import type { NoProposal, Proposal } from './input.ts'
import type { PrePrepare } from './messages.ts'
import { accept } from './normal.ts'
import { assertSignsOnce, mayVote, mayVoteAt, mayVoteFirst, payloadIsValid } from './safety.ts'
import { acceptedAt, allowUpTo, highWatermark, isPrimary, openHeights, slotAt, type ReplicaState } from './state.ts'
import { epochAt } from './validators.ts'
import { voteBytes } from './votes.ts'

/** The next block is this replica's to propose. */
function mayPropose(state: ReplicaState): boolean {
  const next = (state.tip.height + 1) as Height
  return mayVote(state) && isPrimary(state) && mayVoteAt(state, state.view, next) && mayVoteFirst(state, next) && hasRoom(state)
}

function hasRoom(state: ReplicaState): boolean {
  const next = (state.tip.height + 1) as Height
  return (
    state.tip.height - state.committed.height < state.config.pipelineDepth && next <= highWatermark(state) && epochAt(state.schedule, next) === state.epoch
  )
}

/** The primary cannot avoid ordering a thing twice when it does not know what the open blocks order. */
function knowsOpenPayloads(state: ReplicaState): boolean {
  for (const height of openHeights(state)) {
    const accepted = acceptedAt(state, height)
    if (accepted === undefined || !payloadIsValid(state, accepted.hash)) return false
  }
  return true
}

export function askForProposal(state: ReplicaState): void {
  if (!state.pending || !mayPropose(state) || !knowsOpenPayloads(state)) return
  const { view, tip, asked } = state
  if (asked !== undefined && asked.view === view && equalBytes(asked.parent, tip.hash)) return
  state.asked = { view, parent: tip.hash, refused: false }
  state.effects.propose = { view, height: (tip.height + 1) as Height, parent: tip.hash, parentTimeMs: tip.timeMs }
}

export function onProposal(state: ReplicaState, input: Proposal): void {
  const { tip, view, config } = state
  const fits = input.view === view && input.height === tip.height + 1 && equalBytes(input.parent, tip.hash) && input.timeMs > tip.timeMs
  if (!fits || state.asked === undefined || !mayPropose(state)) return
  const { height, parent, timeMs, payload, payloadCount, manifest } = input
  const header: BlockHeader = { chain: config.chain, height, parent, timeMs, proposer: state.self as number, payload, payloadCount }
  if (!config.bindsManifest(header, manifest)) return
  const hash = blockHash(header)
  const slot = slotAt(state, height)
  assertSignsOnce(slot.accepted === undefined ? undefined : { view: slot.accepted.view, blockHash: slot.accepted.hash }, view, hash)
  const signature = config.sign(voteBytes('pre-prepare', config.chain, view, height, hash))
  const proposal: PrePrepare = { view, header, manifest, signature }
  allowUpTo(state, height)
  state.effects.persist.push({ type: 'proposed', view, header })
  state.payloads.set(toHex(hash), { height, verdict: 'valid' })
  accept(state, { view, header, hash, signature, manifest })
  broadcast(state.effects, { ...proposal, type: 'pre-prepare' })
}

/** Nothing to put on this parent now. Another parent, or word of new work, makes us ask again. */
export function onNoProposal(state: ReplicaState, input: NoProposal): void {
  const { asked } = state
  if (asked !== undefined && asked.view === input.view && state.tip.height + 1 === input.height) state.asked = { ...asked, refused: true }
}

export function onWork(state: ReplicaState, pending: boolean): void {
  state.pending = pending
  // a wish may have lost its reason
  if (!pending) state.wishesChanged = true
  if (pending && state.asked?.refused === true) state.asked = undefined
}
