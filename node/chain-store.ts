// What a node keeps in its store, by key prefix. One atomic batch a block moves everything on together; `head` says how far.
//   b<height>            block: header, references, commit certificate       p<height>   payload: the envelopes, in order
//   h<block hash>        its height                                          r<height>   results: the encoded outcome and receipts
//   t<transaction id>    height and index of its receipt                     d<did>/<inverted place>   ids of a DID's transactions, newest first
//   s<state key>         state value                                         n<path>     page of the state tree
//   c<height>            checkpoint certificate                              m<name>     head, sync, oldest (the lowest block kept; absent: 1)
//   Blocks leave from below (pruning.ts), with their places; checkpoint certificates and the state stay.
//   w…, x…, y…, z<hash>   bodies of posts (bodies.ts)                        e<hash>   evidence (evidence.ts)
import { blockHash, blockHeader } from '../consensus/block.ts'
import { type CheckpointCertificate, checkpointCertificate, type Decision, slotCertificate } from '../consensus/certificate.ts'
import { windowMax } from '../consensus/limits.ts'
import type { Did, Hash, Height, TransactionId } from '../primitives/brand.ts'
import { equalBytes, fromUtf8, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { blockBytesMax, blockTransactionsMax, transactionBytesMax } from '../primitives/limits.ts'
import { bytes, hash, height, type Infer, integer, list, record, timeMs } from '../primitives/schema.ts'
import type { Executed } from '../state/execute.ts'
import { receiptSchema } from '../state/receipt.ts'
import { decodeTransaction, type Transaction } from '../state/transaction.ts'
import type { QuerySource } from '../state/view.ts'
import { damagedStore } from './damage.ts'
import { createPastStates, type PastState } from './past-state.ts'
import type { Store, StoreOp, StoreReader } from './world.ts'

const blockRow = record({ header: blockHeader, references: list(hash, 1, blockTransactionsMax), certificate: slotCertificate })
export type BlockRow = Infer<typeof blockRow>
const payloadRow = list(bytes(1, transactionBytesMax), 1, blockTransactionsMax)
// an outcome and receipts; their own encoding is checked when they are decoded
const resultsRow = list(bytes(1, blockBytesMax), 1, blockTransactionsMax + 1)
const placeRow = record({ height, index: integer(0, blockTransactionsMax) })
export type Place = Infer<typeof placeRow>
/** The last executed block and the state root after it. Height 0 is the genesis. */
const headRow = record({ height, hash, timeMs, stateRoot: hash })
export type HeadRow = Infer<typeof headRow>

const rowBytesMax = 16 * blockBytesMax

/** A final block with its payload: what is delivered, executed, stored and sent to those who catch up. */
export interface FinalBlock {
  readonly decision: Decision
  readonly references: readonly Hash[]
  readonly transactions: readonly Transaction[]
}

export interface ChainStore {
  readonly head: () => HeadRow
  /** The lowest height whose block is kept: above 1 when the node began from a snapshot or prunes. */
  readonly oldest: () => Height
  readonly block: (height: Height) => BlockRow | undefined
  readonly payload: (height: Height) => readonly Uint8Array[] | undefined
  readonly heightOf: (blockHash: Hash) => Height | undefined
  /** Encoded outcome, then encoded receipts. */
  readonly results: (height: Height) => readonly Uint8Array[] | undefined
  readonly placeOf: (id: TransactionId) => Place | undefined
  readonly idsOf: (did: Did, cursor: string | undefined, limit: number) => Promise<{ readonly items: readonly TransactionId[]; readonly next: string | undefined }>
  readonly stateValue: (key: string) => Uint8Array | undefined
  readonly treePage: (path: string) => Uint8Array | undefined
  /** What is there of a block above `height`, in words. */
  readonly rowsAbove: (height: Height) => Promise<string | undefined>
  /** Which entry of the indexes a stored transaction lacks, or has another than its own, in words. */
  readonly missingEntry: (height: Height, index: number, transaction: Transaction) => string | undefined
  readonly checkpoint: (height: Height) => CheckpointCertificate | undefined
  /** The highest kept at or below `height`. */
  readonly checkpointAtOrBelow: (height: Height) => Promise<CheckpointCertificate | undefined>
  readonly putGenesis: (head: HeadRow, executed: Pick<Executed, 'changes' | 'pages'>) => Promise<void>
  /** `more`: what is to be written in the same batch. */
  readonly putBlock: (block: FinalBlock, executed: Executed, more?: readonly StoreOp[]) => Promise<void>
  readonly putCheckpoint: (certificate: CheckpointCertificate) => Promise<void>
  /** Makes sure that all that was put is on the disk. */
  readonly sync: () => Promise<void>
  /** A query of one height: the state as it was stored last. It waits for nothing but its source. Throws `node/busy`. */
  readonly query: <T>(read: (head: HeadRow, source: QuerySource) => Promise<T>) => Promise<T>
  /** The state after the head. Not while a block is being stored. */
  readonly pastState: () => PastState
}

const names = { b: 'header', p: 'transactions', r: 'receipts', c: 'checkpoint' } as const
const headKey = utf8('mhead')
const syncKey = utf8('msync')
const oldestKey = utf8('moldest')

export function heightKey(prefix: string, at: Height): Uint8Array {
  const key = new Uint8Array(9)
  key[0] = prefix.charCodeAt(0)
  new DataView(key.buffer).setBigUint64(1, BigInt(at))
  return key
}

/** In UTF-8, like utf8(): from Buffer's pool it takes a fifth of the time. */
function textKey(text: string): Uint8Array {
  return Buffer.from(text)
}

function hashKey(prefix: 'h' | 't', value: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + value.length)
  key[0] = prefix.charCodeAt(0)
  key.set(value, 1)
  return key
}

const inverted = Number.MAX_SAFE_INTEGER

function didPlace(at: Height, index: number): string {
  return `${String(inverted - at).padStart(16, '0')}.${String(blockTransactionsMax - index).padStart(4, '0')}`
}

/** Reads the head of a store that has one; undefined for an empty store. */
export function readHead(store: StoreReader): HeadRow | undefined {
  const encoded = store.get(headKey)
  return encoded === undefined ? undefined : decode(headRow, encoded, rowBytesMax)
}

type StoredState = Pick<Executed, 'changes' | 'pages'>

export function stateOps({ changes, pages }: StoredState): StoreOp[] {
  const ops: StoreOp[] = []
  for (const { key, value } of changes) ops.push(value === undefined ? { type: 'del', key: textKey(`s${key}`) } : { type: 'put', key: textKey(`s${key}`), value })
  for (const { path, page } of pages) ops.push(page === undefined ? { type: 'del', key: textKey(`n${path}`) } : { type: 'put', key: textKey(`n${path}`), value: page })
  return ops
}

/** A block with what it gave, and its place in the indexes. */
export function blockOps(store: StoreReader, { decision, references, transactions }: FinalBlock, { leaves, receipts }: Pick<Executed, 'leaves' | 'receipts'>): StoreOp[] {
  const { header, certificate } = decision
  const at = header.height
  const ops: StoreOp[] = [
    { type: 'put', key: heightKey('b', at), value: encode(blockRow, { header, references, certificate }) },
    { type: 'put', key: heightKey('p', at), value: encode(payloadRow, transactions.map((transaction) => transaction.bytes)) },
    { type: 'put', key: heightKey('r', at), value: encode(resultsRow, leaves) },
    { type: 'put', key: hashKey('h', blockHash(header)), value: encode(height, at) },
  ]
  receipts.forEach((receipt, index) => {
    const { id, signatures } = transactions[index] as Transaction
    // an id that ran keeps its receipt: what the envelope's rules refuse later (a duplicate, or the same once it has expired) is no run
    if (receipt.code?.startsWith('tx/') === true && store.get(hashKey('t', id)) !== undefined) return
    ops.push({ type: 'put', key: hashKey('t', id), value: encode(placeRow, { height: at, index }) })
    for (const { signer } of signatures) ops.push({ type: 'put', key: textKey(`d${signer}/${didPlace(at, index)}`), value: id })
  })
  return ops
}

/** Takes back what blockOps put. A place that tells of another block is that one's. */
export function dropOps(store: Pick<ChainStore, 'block' | 'payload' | 'placeOf'>, at: Height): StoreOp[] {
  const row = store.block(at)
  if (row === undefined) return []
  const keys = [heightKey('b', at), heightKey('p', at), heightKey('r', at), hashKey('h', blockHash(row.header))]
  for (const [index, envelope] of (store.payload(at) ?? []).entries()) {
    const { id, signatures } = decodeTransaction(envelope)
    if (store.placeOf(id)?.height !== at) continue
    keys.push(hashKey('t', id), ...signatures.map(({ signer }) => textKey(`d${signer}/${didPlace(at, index)}`)))
  }
  return keys.map((key) => ({ type: 'del', key }))
}

/** The final blocks above a stable checkpoint, and always the last one: what the replica shows when it leaves a view. */
export function decisionsAbove(store: Pick<ChainStore, 'head' | 'block'>, stable: Height): readonly Decision[] {
  const { height: last } = store.head()
  const decisions: Decision[] = []
  for (let at = last; at > 0 && (at === last || at > stable) && last - at <= windowMax; at = (at - 1) as Height) {
    const row = store.block(at)
    if (row === undefined) break
    decisions.unshift({ header: row.header, certificate: row.certificate })
  }
  return decisions
}

export function headOp(head: HeadRow): StoreOp {
  return { type: 'put', key: headKey, value: encode(headRow, head) }
}

export function oldestOp(oldest: Height): StoreOp {
  return { type: 'put', key: oldestKey, value: encode(height, oldest) }
}

export function checkpointOp(certificate: CheckpointCertificate): StoreOp {
  return { type: 'put', key: heightKey('c', certificate.content.height), value: encode(checkpointCertificate, certificate) }
}

/** A chain over an opened store. The store's head must exist already, or `putGenesis` comes first. */
export function createChainStore(store: Store): ChainStore {
  let head = readHead(store)
  let puts = 0
  const past = createPastStates(store)
  const known = (): HeadRow => {
    if (head === undefined) throw new DongbaekError('store/empty', 'the store holds no chain yet: start the node with its genesis file')
    return head
  }
  const { place } = store
  const oldest = (): Height => read<Height>(oldestKey, height) ?? (1 as Height)
  /** A row of each block that is kept, up to the head; without one the store is damaged. */
  const ofBlock = <T>(prefix: 'b' | 'p' | 'r', at: Height, row: Parameters<typeof decode<T>>[0]): T | undefined => {
    const found = read<T>(heightKey(prefix, at), row)
    if (found === undefined && at <= (head?.height ?? 0) && at >= oldest()) throw damagedStore(place, `the ${names[prefix]} of block ${at} of ${head?.height ?? 0} is missing`, { height: at })
    return found
  }
  const read = <T>(key: Uint8Array, row: Parameters<typeof decode<T>>[0]): T | undefined => {
    const encoded = store.get(key)
    return encoded === undefined ? undefined : decode(row, encoded, rowBytesMax)
  }
  const put = async (ops: readonly StoreOp[], sync: boolean): Promise<void> => {
    puts++
    await store.batch(ops, { sync })
  }

  return {
    head: known,
    oldest,
    block: (at) => ofBlock('b', at, blockRow),
    payload: (at) => ofBlock('p', at, payloadRow),
    heightOf: (block) => read(hashKey('h', block), height),
    results: (at) => ofBlock('r', at, resultsRow),
    placeOf: (id) => read(hashKey('t', id), placeRow),
    idsOf: async (did, cursor, limit) => {
      const prefix = `d${did}/`
      const rows = await store.page({ gt: utf8(prefix + (cursor ?? '')), lt: utf8(`d${did}0`), limit: limit + 1 })
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return { items: rows.slice(0, limit).map(({ value }) => value as TransactionId), next: last === undefined ? undefined : fromUtf8(last.key).slice(prefix.length) }
    },
    stateValue: (key) => store.get(textKey(`s${key}`)),
    treePage: (path) => store.get(textKey(`n${path}`)),
    rowsAbove: async (at) => {
      for (const prefix of ['b', 'p', 'r', 'c'] as const) {
        const [row] = await store.page({ gt: heightKey(prefix, at), lte: heightKey(prefix, Number.MAX_SAFE_INTEGER as Height), limit: 1 })
        if (row !== undefined) return `the ${names[prefix]} of block ${new DataView(row.key.buffer, row.key.byteOffset).getBigUint64(1)}`
      }
      return undefined
    },
    missingEntry: (at, index, { id, signatures }) => {
      const entry = read<Place>(hashKey('t', id), placeRow)
      // an id that ran keeps its place until that block leaves; what was refused as its repetition never had one
      if (entry === undefined) return oldest() > 1 && isRefusedEnvelope(read<readonly Uint8Array[]>(heightKey('r', at), resultsRow)?.[index + 1]) ? undefined : 'the place'
      if (entry.height !== at || entry.index !== index) {
        // another envelope with the same id may have run elsewhere: its receipt is the one
        const there = read<readonly Uint8Array[]>(heightKey('p', entry.height), payloadRow)?.[entry.index]
        return entry.height < oldest() || (there !== undefined && equalBytes(decodeTransaction(there).id, id)) ? undefined : 'the place'
      }
      const isListed = (signer: Did): boolean => equalBytes(store.get(utf8(`d${signer}/${didPlace(at, index)}`)) ?? new Uint8Array(), id)
      return signatures.every(({ signer }) => isListed(signer)) ? undefined : `the entry in a signer's list`
    },
    checkpoint: (at) => read(heightKey('c', at), checkpointCertificate),
    checkpointAtOrBelow: async (at) => {
      const [row] = await store.page({ gte: heightKey('c', 0 as Height), lte: heightKey('c', at), reverse: true, limit: 1 })
      return row === undefined ? undefined : decode(checkpointCertificate, row.value, rowBytesMax)
    },
    putGenesis: async (genesisHead, executed) => {
      await put([...stateOps(executed), headOp(genesisHead)], true)
      head = genesisHead
    },
    putBlock: async (block, executed, more = []) => {
      const { header } = block.decision
      const next: HeadRow = { height: header.height, hash: blockHash(header), timeMs: header.timeMs, stateRoot: executed.stateRoot }
      await past.storing(executed.changes, () => put([...stateOps(executed), ...blockOps(store, block, executed), headOp(next), ...more], false))
      head = next
    },
    putCheckpoint: async (certificate) => put([checkpointOp(certificate)], false),
    sync: async () => put([{ type: 'put', key: syncKey, value: encode(integer(), puts) }], true),
    // the reader's head: a batch that is about to be acknowledged is in the store already
    query: (read) => past.query((reader) => readHead(reader) ?? known(), read),
    pastState: past.open,
  }
}

/** Whether the rules of the envelope refused it: it ran nothing. */
function isRefusedEnvelope(encoded: Uint8Array | undefined): boolean {
  return encoded !== undefined && decode(receiptSchema, encoded, rowBytesMax).code?.startsWith('tx/') === true
}
