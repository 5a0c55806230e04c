// The anchor: the highest final block known here with its certificate. A ViewChange shows it together with its foundation, the certificates of every final block from a
// certified checkpoint up to it, as the paper's shows its checkpoint (section 4.4, the C of VIEW-CHANGE). What the checkpoint covers a quorum has executed;
// what lies above it may be held by the sender alone, and is lost with its disk unless the others get it with the new view.
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { blockHash, refOf } from './block.ts'
import type { Decision, Foundation } from './certificate.ts'
import { windowMax } from './limits.ts'
import { dropUnchained, lowWatermark, type ReplicaState } from './state.ts'

/** Keeps what has just become final here, for as long as no checkpoint above it is stable. */
export function noteFinal(state: ReplicaState, decision: Decision): void {
  const { height } = decision.header
  const known = state.finals.get(height)
  assert(known === undefined || equalBytes(blockHash(known.header), blockHash(decision.header)), 'final blocks form one chain; if not, more than f validators lie')
  state.finals.set(height, decision)
  // Without checkpoints there is no foundation in the end, but no endless list either.
  state.finals.delete((height - windowMax - 1) as Height)
}

/** What the anchor stands on; undefined when too many blocks lie between it and the last checkpoint known here. */
export function foundationOf({ stable, anchor, anchorDecision, anchorCheckpoint, finals }: ReplicaState): Foundation | undefined {
  if (anchorDecision === undefined) return undefined
  const checkpoint = anchorCheckpoint !== undefined && anchorCheckpoint.content.height > (stable?.content.height ?? 0) ? anchorCheckpoint : stable
  const decided: Decision[] = []
  for (let height = (checkpoint?.content.height ?? 0) + 1; height < anchor.height; height++) {
    const decision = finals.get(height as Height)
    if (decision === undefined) return undefined
    decided.push(decision)
  }
  return { decided, ...(checkpoint === undefined ? {} : { checkpoint }) }
}

/** A block above what is committed here is known to be final: what this replica votes for from now on stands on it, and what lies between needs no fetching. */
export function raiseAnchor(state: ReplicaState, decision: Decision, foundation: Foundation): void {
  if (decision.header.height <= state.anchor.height) return
  state.effects.persist.push({ ...decision, type: 'anchor', foundation })
  state.anchor = refOf(decision.header)
  state.anchorDecision = decision
  state.anchorCheckpoint = foundation.checkpoint
  for (const one of [...foundation.decided, decision]) if (one.header.height > Math.max(lowWatermark(state), state.committed.height)) state.finals.set(one.header.height, one)
  dropUnchained(state, state.anchor)
}
