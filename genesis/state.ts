// The state that a genesis gives, computed in memory: what height 0 of every node must come to.
import type { Hash } from '../primitives/brand.ts'
import { AssertionError, DongbaekError } from '../primitives/errors.ts'
import { executeGenesis, type State } from '../state/execute.ts'
import { createSeenIds } from '../state/seen.ts'
import { createStateTree } from '../state/tree.ts'
import { createValueCache } from '../state/view.ts'
import { type Genesis, genesisBlock, sectionsOf } from './genesis.ts'

const cachedEntries = 100_000

/** Applies every section to an empty state. Throws `genesis/state` when one contradicts itself or another. */
export function genesisStateRoot(genesis: Genesis): Hash {
  const empty: State = {
    source: { get: () => undefined },
    cache: createValueCache(cachedEntries),
    tree: createStateTree(() => undefined, cachedEntries),
    seen: createSeenIds(),
  }
  try {
    return executeGenesis(empty, genesisBlock(genesis), sectionsOf(genesis)).stateRoot
  } catch (cause) {
    // the rules assert on a genesis, which at this point is an operator's input and no bug of ours
    if (!(cause instanceof AssertionError || cause instanceof DongbaekError)) throw cause
    throw new DongbaekError('genesis/state', `state: the sections do not fit together (${cause.message}). Build the genesis again from its preset, or correct the entry named`, { field: 'state' }, { cause })
  }
}
