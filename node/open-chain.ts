// Opening the chain that a data folder holds, or making it from the genesis, with the checks that keep a damaged or foreign store from being served.
import { randomInt } from 'node:crypto'
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
import { auditChain } from './audit.ts'
import { asDamage, damagedStore } from './damage.ts'
import { startAudit, stateEntryBytes, treePageBytes } from './limits.ts'
import type { Log, Store } from './world.ts'

const multiplierMax = 2 ** 32

export interface OpenChain {
  readonly store: ChainStore
  readonly state: State
}

/** Throws `store/…` with the way out when what is there is not the chain of this genesis, whole. */
export async function openChain(database: Store, genesis: Genesis, cacheMiB: number, log: Log): Promise<OpenChain> {
  try {
    return await openWhole(database, genesis, cacheMiB, log)
  } catch (error) {
    throw asDamage(database.place, error)
  }
}

async function openWhole(database: Store, genesis: Genesis, cacheMiB: number, log: Log): Promise<OpenChain> {
  const store = createChainStore(database)
  const cacheBytes = cacheMiB * 1_048_576
  const tree = createStateTree(store.treePage, Math.floor(cacheBytes / 2 / treePageBytes))
  const state: State = {
    source: { get: store.stateValue },
    cache: createValueCache(Math.floor(cacheBytes / 2 / stateEntryBytes)),
    tree,
    seen: createSeenIds(randomInt(multiplierMax) | 1),
  }
  if (readHead(database) === undefined) {
    if ((await database.page({ limit: 1 })).length > 0) throw damagedStore(database.place, 'it holds data and no head row')
    const executed = executeGenesis(state, genesisBlock(genesis), sectionsOf(genesis))
    await store.putGenesis({ height: 0 as Height, hash: genesisHash(genesis), timeMs: genesis.timeMs, stateRoot: executed.stateRoot }, executed)
    log.info('genesis-stored', { stateRoot: toBase64url(executed.stateRoot) })
  }
  checkHead(store, state, genesis, database.place)
  const audited = await auditChain(database, store, tree, startAudit)
  log.info('store-audited', { head: store.head().height, ...audited })
  recallIds(state.seen, createOverlay(state.source, state.cache), store.head().timeMs, blocksOf(store))
  return { store, state }
}

function checkHead(store: ChainStore, state: State, genesis: Genesis, place: string): void {
  const head = store.head()
  if (head.height === 0 && !equalBytes(head.hash, genesisHash(genesis))) throw new DongbaekError('store/other-genesis', 'the store was made from another genesis: start with the right genesis file, or in an empty data folder')
  if (head.height > 0) {
    const block = store.block(head.height)
    if (block === undefined || !equalBytes(blockHash(block.header), head.hash)) throw damagedStore(place, `its last block ${head.height} is another than the head row names`, { height: head.height })
  }
  if (!equalBytes(state.tree.root(), head.stateRoot)) throw damagedStore(place, `its state is not that of its head ${head.height}`, { height: head.height })
}

/** The blocks up to the head, newest first, read as they are asked for. A node that began from a snapshot has those whose ids could run again. */
function* blocksOf(store: ChainStore): Iterable<RanBlock> {
  for (let height = store.head().height; height >= store.oldest(); height = (height - 1) as Height) {
    const block = store.block(height)
    if (block !== undefined) yield { height, timeMs: block.header.timeMs, transactions: (store.payload(height) ?? []).map((envelope) => decodeTransaction(envelope)) }
  }
}
