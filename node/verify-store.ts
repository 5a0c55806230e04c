// Looking at everything that a store holds: each block from the oldest to the head with its certificate, transactions and receipts, each checkpoint certificate, each page of the
// state tree, and each value of the state; then the walk of a start (audit.ts) without its limits, which looks at the indexes too. For an operator who wants to know,
// since a start looks at the recent part alone. One thing at a time in memory.
import { blockHash } from '../consensus/block.ts'
import { checkpointChecks, certifies, commitChecks, signersFormQuorum, type SignatureCheck } from '../consensus/certificate.ts'
import type { Epoch, ValidatorSet } from '../consensus/validators.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { equalBytes, fromUtf8, utf8 } from '../primitives/bytes.ts'
import { verify } from '../primitives/ed25519.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { blockRecordTable } from '../state/block-record.ts'
import { receiptsRoot } from '../state/receipt.ts'
import { decodeValue, stateKey } from '../state/table.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { createStateTree } from '../state/tree.ts'
import { decodePage, empty, hashAt, kindAt, leaf, slotsOfPage } from '../state/tree-page.ts'
import { nibbles } from '../state/tree-path.ts'
import { auditChain, wholeAudit } from './audit.ts'
import type { ChainStore } from './chain-store.ts'
import type { OpenChain } from './open-chain.ts'
import { bindsReferences } from './payloads.ts'
import { endOfPrefix } from './store-range.ts'
import type { Store } from './world.ts'

export interface StoreReport {
  readonly head: Height
  readonly oldest: Height
  readonly stateRoot: Hash
  readonly blocks: number
  readonly transactions: number
  readonly certificates: number
  readonly values: number
}

const pagesMax = 4_096

/** Throws `store/damaged` at the first thing that does not hold, naming it. */
export async function verifyStore(database: Store, { store, state }: OpenChain, chainId: string, epochs: readonly Epoch[], onProgress: (height: Height) => void): Promise<StoreReport> {
  const head = store.head()
  const oldest = store.oldest()
  const setAt = (height: Height): ValidatorSet => (epochs.findLast(({ activation }) => activation <= height) as Epoch).set
  let transactions = 0
  let blocks = 0
  let above: Hash | undefined
  for (let height = head.height; height >= oldest && height > 0; height = (height - 1) as Height) {
    transactions += verifyBlock(store, height, above ?? head.hash, chainId, setAt(height))
    above = store.block(height)?.header.parent
    blocks++
    if (blocks % 1_000 === 0) onProgress(height)
  }
  const certificates = await verifyCheckpoints(store, head.height, chainId, setAt)
  const values = await verifyState(database, store, head.stateRoot)
  await auditChain(database, store, state.tree, wholeAudit)
  return { head: head.height, oldest, stateRoot: head.stateRoot, blocks, transactions, certificates, values }
}

function verifyBlock(store: ChainStore, height: Height, hash: Hash, chainId: string, set: ValidatorSet): number {
  const row = store.block(height)
  const envelopes = store.payload(height)
  const leaves = store.results(height)
  const encoded = store.stateValue(stateKey(blockRecordTable, [height]))
  if (row === undefined || envelopes === undefined || leaves === undefined || encoded === undefined) throw damaged(`block ${height}, its transactions, its receipts or its record in the state is missing`)
  const { header, certificate, references } = row
  if (!equalBytes(blockHash(header), hash) || header.height !== height || store.heightOf(hash) !== height) throw damaged(`block ${height} is not the one that the block above names`)
  if (!certifies({ header, certificate }, set) || !commitChecks(certificate, set, chainId).every(holds)) throw damaged(`the commit certificate of block ${height} does not hold`)
  if (!bindsReferences(header, references) || envelopes.some((envelope, i) => !equalBytes(decodeTransaction(envelope).reference, references[i] as Hash))) throw damaged(`the transactions of block ${height} are not those that it binds`)
  const record = decodeValue(blockRecordTable, encoded)
  if (!equalBytes(record.hash, hash) || !equalBytes(record.receiptsRoot, receiptsRoot(leaves))) throw damaged(`the receipts of block ${height} are not those that the state binds`)
  return envelopes.length
}

async function verifyCheckpoints(store: ChainStore, head: Height, chainId: string, setAt: (height: Height) => ValidatorSet): Promise<number> {
  let count = 0
  for (let one = await store.checkpointAtOrBelow(head); one !== undefined; one = await store.checkpointAtOrBelow((one.content.height - 1) as Height)) {
    const { height, blockHash: hash, stateRoot } = one.content
    const set = setAt(height)
    const block = store.block(height)
    if (!signersFormQuorum(set, one.signatures) || !checkpointChecks(one, set, chainId).every(holds)) throw damaged(`the checkpoint certificate of height ${height} does not hold`)
    if (block !== undefined && !equalBytes(block.certificate.blockHash, hash)) throw damaged(`the checkpoint certificate of height ${height} is for another block`)
    if (height === store.head().height && !equalBytes(stateRoot, store.head().stateRoot)) throw damaged('the certified state root of the head is not the one stored')
    count++
    if (height === 1) break
  }
  return count
}

/** Every page below the root is the one that its parent names, and the leaves are the values that are stored, no more and no fewer. */
async function verifyState(database: Store, store: ChainStore, stateRoot: Hash): Promise<number> {
  let leaves = 0
  const walk = (path: string): Uint8Array => {
    const page = store.treePage(path)
    if (page === undefined) throw damaged(`page ${path} of the state tree is missing`)
    const decoded = decodePage(page)
    for (let slot = 0; slot < slotsOfPage; slot++) {
      const kind = kindAt(decoded, slot)
      const below = path + (nibbles[slot] as string)
      if (kind === leaf) leaves++
      else if (kind !== empty && !equalBytes(walk(below), hashAt(decoded, slotsOfPage + slot))) throw damaged(`page ${below} of the state tree is not the one that its parent names`)
    }
    return hashAt(decoded, 1)
  }
  if (!equalBytes(walk(''), stateRoot)) throw damaged('the root of the state tree is not the one of the head')
  const tree = createStateTree(store.treePage, pagesMax)
  const from = utf8('s')
  const end = endOfPrefix(from)
  let values = 0
  for await (const { key, value } of database.iterate({ gte: from, ...(end === undefined ? {} : { lt: end }) })) {
    const keyHash = sha256(key.subarray(1))
    const { terminal } = tree.prove(keyHash)
    if (terminal === undefined || !equalBytes(terminal.keyHash, keyHash) || !equalBytes(terminal.valueHash, sha256(value))) throw damaged(`the value of ${fromUtf8(key.subarray(1))} is not the one in the state tree`)
    values++
  }
  if (values !== leaves) throw damaged(`the state tree has ${leaves} values, and ${values} are stored`)
  return values
}

function holds({ publicKey, bytes, signature }: SignatureCheck): boolean {
  return verify(signature, bytes, publicKey)
}

function damaged(what: string): DongbaekError {
  return new DongbaekError('store/damaged', `${what}. Rebuild this node from its peers: dongbaek resync`)
}
