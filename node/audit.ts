// Whether all is there that the head row stands for. LevelDB loses rows without a word (a damaged record in its log, an older MANIFEST, a flipped key), and
// what is gone has no checksum. Blocks are walked from the head down by their hashes, each with its payload, results, and the entries of its transactions
// in the indexes; the state is counted and compared with the tree, key by key.
import { blockHash } from '../consensus/block.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { equalBytes, fromUtf8, utf8 } from '../primitives/bytes.ts'
import { keyHashOf } from '../state/proof.ts'
import type { StateTree } from '../state/tree.ts'
import { decodeTransaction } from '../state/transaction.ts'
import type { ChainStore } from './chain-store.ts'
import { checkValue } from './checked-state.ts'
import { damagedStore } from './damage.ts'
import type { Store } from './world.ts'

export interface AuditLimits {
  /** Of the blocks that are walked, newest first. */
  readonly transactionsMax: number
  /** A larger state is not walked. */
  readonly stateBytesMax: number
}

/** All of it: minutes for a large store. */
export const wholeAudit: AuditLimits = { transactionsMax: Infinity, stateBytesMax: Infinity }

export interface Audited {
  /** The walk of the blocks came down to here. */
  readonly fromHeight: number
  readonly transactions: number
  /** undefined: the state was too large for the limits. */
  readonly stateKeys: number | undefined
}

/** Throws `store/damaged`. Nothing else may write to the store meanwhile. */
export async function auditChain(database: Store, store: ChainStore, tree: StateTree, { transactionsMax, stateBytesMax }: AuditLimits): Promise<Audited> {
  const { place } = database
  const above = await store.rowsAbove(store.head().height)
  if (above !== undefined) throw damagedStore(place, `it holds ${above} above its own head ${store.head().height}: older and newer files are mixed`)
  const walked = auditBlocks(store, place, transactionsMax)
  const stateBytes = (await database.approximateBytes(utf8('s'), utf8('t'))) + (await database.approximateBytes(utf8('n'), utf8('o')))
  return { ...walked, stateKeys: stateBytes > stateBytesMax ? undefined : await auditState(database, tree) }
}

function auditBlocks(store: ChainStore, place: string, transactionsMax: number): Omit<Audited, 'stateKeys'> {
  let { height, hash }: { height: Height; hash: Hash } = store.head()
  let transactions = 0
  const oldest = store.oldest()
  for (; height >= oldest && transactions < transactionsMax; height = (height - 1) as Height) {
    const row = store.block(height)
    if (row === undefined || row.header.height !== height || !equalBytes(blockHash(row.header), hash)) throw damagedStore(place, `block ${height} is not the one that the block after it names`, { height })
    if (store.heightOf(hash) !== height) throw damagedStore(place, `the hash of block ${height} is not in the index`, { height })
    const payload = store.payload(height) ?? []
    if (payload.length !== row.references.length || store.results(height)?.length !== payload.length + 1) throw damagedStore(place, `the transactions or receipts of block ${height} are not all there`, { height })
    payload.forEach((envelope, index) => {
      const missing = store.missingEntry(height, index, decodeTransaction(envelope))
      if (missing !== undefined) throw damagedStore(place, `${missing} of transaction ${index} of block ${height} is missing`, { height, index })
    })
    transactions += payload.length
    hash = row.header.parent
  }
  return { fromHeight: height + 1, transactions }
}

/** Each stored key has the value of its leaf, and there are as many as leaves: so none is missing either. */
async function auditState(database: Store, tree: StateTree): Promise<number> {
  let keys = 0
  for await (const { key, value } of database.iterate({ gte: utf8('s'), lt: utf8('t') })) {
    const name = fromUtf8(key).slice(1)
    checkValue(name, value, tree.leaf(keyHashOf(name)), database.place)
    keys++
  }
  const leaves = tree.count()
  if (leaves !== keys) throw damagedStore(database.place, `its state has ${keys} keys where its tree has ${leaves}`, { keys, leaves })
  return keys
}
