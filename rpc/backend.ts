// What the RPC needs of the node it answers for. node/ implements it; rpc/ knows no more of the node than this.
import type { BlockHeader } from '../consensus/block.ts'
import type { CheckpointCertificate, SlotCertificate } from '../consensus/certificate.ts'
import type { Epoch } from '../consensus/validators.ts'
import type { Did, Hash, Height, TimeMs, TransactionId } from '../primitives/brand.ts'
import type { JsonObject } from '../primitives/schema.ts'
import type { BlockInfo } from '../state/family.ts'
import type { BlockOutcome, Receipt } from '../state/receipt.ts'
import type { Transaction } from '../state/transaction.ts'
import type { StateProof } from '../state/tree.ts'
import type { QueryView } from '../state/view.ts'
import type { NodeStatus, PeerStatus } from './api/node.ts'
import type { SnapshotInfo } from './api/state.ts'

export type { NodeStatus, PeerStatus, SnapshotInfo }

export interface Backend {
  readonly chainId: string
  readonly genesisHash: Hash
  /** genesis.json as it was read. */
  readonly genesis: JsonObject
  /** Its canonical encoding. */
  readonly genesisBytes: Uint8Array
  readonly status: () => NodeStatus
  readonly peers: () => readonly PeerStatus[]
  /** The last executed block: what every query answers from. Height 0 is the genesis. */
  readonly head: () => Head
  /** The lowest height whose block and results are kept here: 1 unless the node prunes or began from a snapshot. */
  readonly oldestHeight: () => Height
  readonly block: (height: Height) => StoredBlock | undefined
  readonly heightOf: (blockHash: Hash) => Height | undefined
  /** Receipts and events of an executed block. */
  readonly results: (height: Height) => { readonly outcome: BlockOutcome; readonly receipts: readonly Receipt[] } | undefined
  /** The highest certified checkpoint at or below `height` (of all, if absent). */
  readonly checkpoint: (height?: Height) => Promise<CheckpointCertificate | undefined>
  /** The set that governs `height` (the height after the head, if absent); undefined when it is not known yet, or no more. */
  readonly validators: (height?: Height) => Epoch | undefined
  /** Those that joining nodes can get here, oldest first. */
  readonly snapshots: () => readonly SnapshotInfo[]
  /** The set that is agreed on and governs a height above the next. */
  readonly scheduledSet: () => Epoch | undefined
  /** The set of this number, from 1, with a certificate of the set before that names it; without one when it is not here (yet). undefined: there is no such set. */
  readonly setChange: (number: number) => Promise<{ readonly epoch: Epoch; readonly checkpoint?: CheckpointCertificate } | undefined>
  /** Pairs of contradictory messages, in JSON. At most 1,000. */
  readonly evidence: () => readonly JsonObject[]
  /** A transaction that has run, with its receipt. */
  readonly transaction: (id: TransactionId) => { readonly transaction: Transaction; readonly receipt: Receipt } | undefined
  /** Transactions a DID sent or countersigned, newest first. */
  readonly transactionsByDid: (did: Did, cursor: string | undefined, limit: number) => Promise<{ readonly items: readonly TransactionId[]; readonly next: string | undefined }>
  /**
   * Takes a transaction into the mempool and on to the validators.
   * Throws DongbaekError: `codec/…`, `tx/…` (see state/families.ts), `mempool/full`, `mempool/sender-limit`, `mempool/sender-rate`, `verifier/busy`, `node/not-ready`.
   * A transaction that is pending or has run already is not an error: its id is the answer.
   */
  readonly submit: (encoded: Uint8Array) => Promise<TransactionId>
  /** The final receipt, or undefined when `timeoutMs` has passed, or `signal` says that nobody waits any more. */
  readonly waitReceipt: (id: TransactionId, timeoutMs: number, signal: AbortSignal) => Promise<Receipt | undefined>
  /** The receipt it would have in the next block. Throws like `submit` for what could not even be ordered. */
  readonly simulate: (encoded: Uint8Array) => Promise<Receipt>
  /** Runs `read` on the state of one height, the last that is stored; the view is not to be used after `read` has settled. */
  readonly query: <R>(read: (view: QueryView, head: BlockInfo) => R | Promise<R>) => Promise<R>
  /** Proofs of state keys at one certified height. Waits shortly for the certificate of the head. Throws `node/not-certified`. */
  readonly prove: (keys: readonly string[]) => Promise<CertifiedProof>
  /** Calls back after each executed block, once `head`, `block` and `results` answer with it; returns the way to stop it. Must not throw. */
  readonly onBlock: (listener: (height: Height) => void) => () => void
  /** Bodies of posts, kept outside the blocks by their hash. Throws `community/body-…`. */
  readonly putBody: (body: Uint8Array) => Promise<Hash>
  readonly getBody: (hash: Hash) => Promise<Uint8Array | undefined>
  /** Prometheus text. */
  readonly metrics: () => Promise<string>
}

export interface Head {
  readonly height: Height
  readonly hash: Hash
  readonly timeMs: TimeMs
}

export interface StoredBlock {
  readonly hash: Hash
  readonly header: BlockHeader
  readonly ids: readonly TransactionId[]
  /** What makes it final; every stored block has one. */
  readonly certificate: SlotCertificate
  readonly transactions: () => readonly Transaction[]
}

export interface CertifiedProof {
  readonly height: Height
  readonly stateRoot: Hash
  readonly checkpoint: CheckpointCertificate
  readonly entries: readonly { readonly key: string; readonly value: Uint8Array | undefined; readonly proof: StateProof }[]
}
