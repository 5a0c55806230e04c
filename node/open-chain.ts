// Opening the chain that a data folder holds, or making it from the genesis, with the checks that keep a damaged or foreign store from being served.
import { createStateTree } from '../state/tree.ts'
import { blockHash } from '../consensus/block.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes, toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { executeGenesis, type State } from '../state/execute.ts'
import { createSeenIds, type RanBlock, recallIds } from '../state/seen.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { createOverlay, createValueCache } from '../state/view.ts'
import { type Genesis, genesisBlock, genesisHash, sectionsOf } from '../genesis/genesis.ts'
import { type ChainStore, createChainStore, readHead } from './chain-store.ts'
import { stateEntryBytes, treePageBytes } from './limits.ts'
import type { Log, Store } from './world.ts'

export interface OpenChain {
  readonly store: ChainStore
  readonly state: State
}

const wayOut = 'Rebuild this node from its peers: move the data folder away and start it again'

/** Throws `store/…` with the way out when what is there is not the chain of this genesis, whole. */
export async function openChain(database: Store, genesis: Genesis, cacheMiB: number, log: Log): Promise<OpenChain> {
  const store = createChainStore(database)
  const cacheBytes = cacheMiB * 1_048_576
  const state: State = {
    source: { get: store.stateValue },
    cache: createValueCache(Math.floor(cacheBytes / 2 / stateEntryBytes)),
    tree: createStateTree(store.treePage, Math.floor(cacheBytes / 2 / treePageBytes)),
    seen: createSeenIds(),
  }
  if (readHead(database) === undefined) {
    const executed = executeGenesis(state, genesisBlock(genesis), sectionsOf(genesis))
    await store.putGenesis({ height: 0 as Height, hash: genesisHash(genesis), timeMs: genesis.timeMs, stateRoot: executed.stateRoot }, executed)
    log.info('genesis-stored', { stateRoot: toBase64url(executed.stateRoot) })
  }
  checkHead(store, state, genesis)
  recallIds(state.seen, createOverlay(state.source, state.cache), store.head().timeMs, blocksOf(store))
  return { store, state }
}

function checkHead(store: ChainStore, state: State, genesis: Genesis): void {
  const head = store.head()
  if (head.height === 0 && !equalBytes(head.hash, genesisHash(genesis))) throw new DongbaekError('store/other-genesis', 'the store was made from another genesis: start with the right genesis file, or in an empty data folder')
  if (head.height > 0) {
    const block = store.block(head.height)
    if (block === undefined || !equalBytes(blockHash(block.header), head.hash)) throw new DongbaekError('store/damaged', `the store's last block ${head.height} is missing or another. ${wayOut}`, { height: head.height })
  }
  if (!equalBytes(state.tree.root(), head.stateRoot)) throw new DongbaekError('store/damaged', `the stored state is not that of height ${head.height}. ${wayOut}`, { height: head.height })
}

/** The blocks up to the head, newest first, read as they are asked for. A node that began from a snapshot has those whose ids could run again. */
function* blocksOf(store: ChainStore): Iterable<RanBlock> {
  for (let height = store.head().height; height >= store.oldest(); height = (height - 1) as Height) {
    const block = store.block(height)
    const payload = store.payload(height)
    if (block === undefined || payload === undefined) throw new DongbaekError('store/damaged', `block ${height} is missing from the store. ${wayOut}`, { height })
    yield { height, timeMs: block.header.timeMs, transactions: payload.map((envelope) => decodeTransaction(envelope)) }
  }
}
