// What a node that does not keep every block lets go of: the lowest blocks and their places in the indexes, a few with each block that is stored, in the same
// batch. What the chain itself or a joining node still needs stays: blocks whose ids could run again, the snapshots' included. The state is not touched.
import type { Height, TimeMs } from '../primitives/brand.ts'
import { longestValidityMs } from '../state/governance/parameters.ts'
import type { State } from '../state/execute.ts'
import { createOverlay } from '../state/view.ts'
import { type ChainStore, dropOps, oldestOp } from './chain-store.ts'
import { prunedBlocksMax } from './limits.ts'
import type { StoreOp } from './world.ts'

export interface PruningContext {
  readonly store: Pick<ChainStore, 'oldest' | 'block' | 'payload' | 'placeOf'>
  readonly state: Pick<State, 'source' | 'cache'>
  /** At least so many blocks are kept; 0: all are. */
  readonly keepBlocks: number
  /** The lowest height that a snapshot kept here is of. */
  readonly lowestSnapshot: () => Height | undefined
}

/** What goes into the batch of the block at `height`: at most prunedBlocksMax blocks leave with it, two more than come, so that a node that begins to prune catches up. */
export function pruneOps({ store, state, keepBlocks, lowestSnapshot }: PruningContext, height: Height, nowMs: TimeMs): readonly StoreOp[] {
  if (keepBlocks === 0) return []
  const oldest = store.oldest()
  const snapshot = lowestSnapshot()
  const neededMs = (snapshot === undefined ? nowMs : (store.block(snapshot)?.header.timeMs ?? nowMs)) - longestValidityMs(createOverlay(state.source, state.cache))
  const ops: StoreOp[] = []
  let next = oldest
  // one block below the window stays, as where a node begins that joined by a snapshot
  while (next - oldest < prunedBlocksMax && next <= height - keepBlocks && (store.block((next + 1) as Height)?.header.timeMs ?? nowMs) < neededMs) {
    ops.push(...dropOps(store, next))
    next = (next + 1) as Height
  }
  return next === oldest ? [] : [...ops, oldestOp(next)]
}
