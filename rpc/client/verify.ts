// Checking what a node says without trusting it: value → state root → checkpoint certificate → validator set → genesis.
// Nothing here asks a node anything, and everything throws `proof/…` rather than answer false, so that no result goes unlooked at.
import type { Hash, TransactionId } from '../../primitives/brand.ts'
import { emptyBytes, equalBytes } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import { verify } from '../../primitives/ed25519.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { stateValueBytesMax } from '../../primitives/limits.ts'
import { merkleRoot, verifyMerkleProof } from '../../primitives/merkle.ts'
import type { Infer, Json } from '../../primitives/schema.ts'
import { blockHash } from '../../consensus/block.ts'
import { type CheckpointCertificate, checkpointCertificate, checkpointChecks, signersFormQuorum } from '../../consensus/certificate.ts'
import { type Epoch, epochHash, type ValidatorSet } from '../../consensus/validators.ts'
import { verifyStateProof } from '../../state/proof.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import { eventSchema } from '../../state/events.ts'
import { blockOutcomeSchema, type Receipt, receiptSchema } from '../../state/receipt.ts'
import { decodeValue, stateKey } from '../../state/table.ts'
import { eventItem, eventsBlockProof, eventsProof } from '../api/events.ts'
import { type ProvenEntry, stateProof } from '../api/state.ts'
import { txProof } from '../api/tx.ts'
import { receiptLeafBytesMax } from '../limits.ts'
import type { JsonOf } from './json-of.ts'

/** What a phone believes already: the chain, and the validator sets it has followed from the genesis on. */
export interface Trust {
  readonly chain: string
  /** Ascending by activation; the first is that of the genesis. */
  readonly epochs: readonly Epoch[]
}

export function trustFromGenesis(chain: string, set: ValidatorSet): Trust {
  return { chain, epochs: [{ activation: 1 as Epoch['activation'], set }] }
}

type LeafProof = Omit<Infer<typeof eventsProof.result>, 'place'>

/** Throws `proof/checkpoint` unless a quorum of the set of its height signed it. */
export function verifyCheckpoint(trust: Trust, certificate: CheckpointCertificate): void {
  const set = trust.epochs.findLast(({ activation }) => activation <= certificate.content.height)?.set
  if (set === undefined || !signersFormQuorum(set, certificate.signatures)) throw new DongbaekError('proof/checkpoint', 'the checkpoint is not signed by a quorum of the known validators')
  const good = checkpointChecks(certificate, set, trust.chain).every(({ publicKey, bytes, signature }) => verify(signature, bytes, publicKey))
  if (!good) throw new DongbaekError('proof/checkpoint', 'a signature on the checkpoint does not verify')
}

/**
 * Learns the next validator set: a checkpoint of the sets known so far names it by its hash.
 * Throws `proof/checkpoint`, or `proof/validator-set` when it is another than the checkpoint names.
 */
export function trustNext(trust: Trust, certificate: CheckpointCertificate, next: Epoch): Trust {
  verifyCheckpoint(trust, certificate)
  if (!equalBytes(epochHash(next), certificate.content.nextSet)) throw new DongbaekError('proof/validator-set', 'the checkpoint names another validator set')
  const last = trust.epochs.at(-1)
  if (last !== undefined && next.activation <= last.activation) return trust
  return { chain: trust.chain, epochs: [...trust.epochs, next] }
}

/**
 * The proven values of a `state_proof` answer, by key: undefined for what is proven to be absent. `keys` are those that were asked for.
 * Throws `codec/invalid`, `proof/checkpoint` or `proof/state`.
 */
export function verifyStateProofs(trust: Trust, keys: readonly string[], answer: Json): { readonly height: number; readonly values: ReadonlyMap<string, Uint8Array | undefined> } {
  const { checkpoint, entries, height, stateRoot } = stateProof.result.fromJson(answer, '')
  verifyCheckpoint(trust, checkpoint)
  if (height !== checkpoint.content.height || !equalBytes(stateRoot, checkpoint.content.stateRoot)) throw stateError('the answer and its checkpoint differ')
  const values = new Map<string, Uint8Array | undefined>()
  for (const entry of entries) values.set(entry.key, provenValue(checkpoint.content.stateRoot, entry))
  for (const key of keys) if (!values.has(key)) throw stateError(`the answer says nothing of ${key}`)
  return { height, values }
}

/**
 * The proven receipt of a `tx_proof` answer, with the hash and header of its block and the reference of the envelope that ran.
 * Throws `codec/…`, `proof/checkpoint`, `proof/state` or `proof/transaction`.
 */
export function verifyTransactionProof(trust: Trust, id: TransactionId, answer: Json): { readonly receipt: Receipt; readonly reference: Hash; readonly header: Infer<typeof txProof.result>['header'] } {
  const { transaction, ...rest } = txProof.result.fromJson(answer, '')
  const { receipt, header } = rest
  verifyLeaf(trust, rest, transactionError)
  const proven = decode(receiptSchema, receipt.leaf, receiptLeafBytesMax)
  if (!equalBytes(proven.id, id)) throw transactionError('the receipt is another transaction’s')
  if (receipt.index !== proven.index + 1 || transaction.index !== proven.index) throw transactionError('the receipt names another place')
  if (transaction.count !== header.payloadCount) throw transactionError('the block has another number of transactions')
  if (!verifyMerkleProof(header.payload, transaction.reference, transaction.index, transaction.count, transaction.path)) throw transactionError('the transaction is not in its block')
  return { receipt: proven, reference: transaction.reference, header }
}

/**
 * Whether an item of the feed of events, from `events_since` or a subscription, is true, by the `events_proof` answer for its height and index. What is proven is the event, its block and
 * time and the transaction; of two events alike in one block also which one it is is told by `place`: in the transaction's receipt, or in what the block did by itself.
 * Throws `codec/…`, `proof/checkpoint`, `proof/state` or `proof/event`.
 */
export function verifyEventProof(trust: Trust, item: Json, answer: Json): { readonly place: number; readonly header: Infer<typeof eventsProof.result>['header'] } {
  const told = eventItem.fromJson(item, 'item')
  const { place, ...rest } = eventsProof.result.fromJson(answer, '')
  const { receipt, header } = rest
  verifyLeaf(trust, rest, eventError)
  const ofBlock = receipt.index === 0
  const { events, id } = ofBlock ? { ...decode(blockOutcomeSchema, receipt.leaf, receiptLeafBytesMax), id: undefined } : decode(receiptSchema, receipt.leaf, receiptLeafBytesMax)
  const event = events[place]
  if (event === undefined || !equalBytes(encode(eventSchema, event), encode(eventSchema, told.event))) throw eventError('another event stands at its place, or none')
  if (told.height !== header.height || told.timeMs !== header.timeMs) throw eventError('it is of another block')
  if (!equalBytes(id ?? emptyBytes, told.transaction ?? emptyBytes)) throw eventError('another transaction did it, or the block by itself')
  if (ofBlock && told.index !== place) throw eventError('it stands at another place of the block')
  return { place, header }
}

/** An item of the feed of events in JSON, without the cursor, which is the node's and not the chain's. */
export type ProvenEvent = Omit<JsonOf<Infer<typeof eventItem>>, 'cursor'>

/**
 * All events of a block by its `events_blockProof` answer, as `events_since` without a filter tells them: what is not among them the block has not done. So a feed is checked for what it
 * leaves out, which the proof of a single event cannot tell.
 * Throws `codec/…`, `proof/checkpoint`, `proof/state` or `proof/event`.
 */
export function verifyBlockEvents(trust: Trust, height: number, answer: Json): { readonly header: Infer<typeof eventsProof.result>['header']; readonly items: readonly ProvenEvent[] } {
  const { leaves, ...rest } = eventsBlockProof.result.fromJson(answer, '')
  const { header } = rest
  if (header.height !== height) throw eventError('it is of another block')
  const root = verifyBlock(trust, rest, eventError)
  if (leaves.length !== header.payloadCount + 1) throw eventError('the block has another number of transactions')
  if (!equalBytes(merkleRoot(leaves), root)) throw eventError('the receipts are not those of the block')
  const [first, ...others] = leaves as [Uint8Array, ...Uint8Array[]]
  const own = decode(blockOutcomeSchema, first, receiptLeafBytesMax).events.map((event) => ({ event, transaction: undefined }))
  const done = others.flatMap((leaf) => {
    const { id, events } = decode(receiptSchema, leaf, receiptLeafBytesMax)
    return events.map((event) => ({ event, transaction: id }))
  })
  const { height: at, timeMs } = header
  const items = [...own, ...done].map(({ event, transaction }, index) => {
    const { cursor: _, ...item } = eventItem.toJson({ cursor: '', height: at, timeMs, index, transaction, event }) as unknown as JsonOf<Infer<typeof eventItem>>
    return item
  })
  return { header, items }
}

/** Throws unless a quorum certified a state in which this block stands, with this leaf at this place of its receipts. */
function verifyLeaf(trust: Trust, { receipt, ...rest }: LeafProof, error: (why: string) => DongbaekError): void {
  const root = verifyBlock(trust, rest, error)
  // a path alone does not say how many leaves there are
  if (receipt.count !== rest.header.payloadCount + 1) throw error('the block has another number of transactions')
  if (!verifyMerkleProof(root, receipt.leaf, receipt.index, receipt.count, receipt.path)) throw error('the receipt is not in the receipts of its block')
}

/** The receipts root of a block. Throws unless a quorum certified a state in which the block stands with this header. */
function verifyBlock(trust: Trust, { header, block, checkpoint }: Omit<LeafProof, 'receipt'>, error: (why: string) => DongbaekError): Hash {
  verifyCheckpoint(trust, checkpoint)
  const value = provenValue(checkpoint.content.stateRoot, block)
  if (value === undefined || block.key !== stateKey(blockRecordTable, [header.height])) throw error('the block is not in the state')
  const record = decodeValue(blockRecordTable, value)
  if (!equalBytes(blockHash(header), record.hash)) throw error('the header is another block’s')
  return record.receiptsRoot
}

/** Reads a checkpoint from the JSON of `chain_getCheckpoint`. */
export function checkpointFromJson(answer: Json): CheckpointCertificate {
  return checkpointCertificate.fromJson(answer, '')
}

function provenValue(root: Hash, { key, value, proof }: ProvenEntry): Uint8Array | undefined {
  if (value !== undefined && value.length > stateValueBytesMax) throw stateError(`the value of ${key} is too large`)
  if (!verifyStateProof(root, key, value, proof)) throw stateError(`the proof of ${key} does not hold`)
  return value
}

function stateError(why: string): DongbaekError {
  return new DongbaekError('proof/state', why)
}

function eventError(why: string): DongbaekError {
  return new DongbaekError('proof/event', why)
}

function transactionError(why: string): DongbaekError {
  return new DongbaekError('proof/transaction', why)
}
