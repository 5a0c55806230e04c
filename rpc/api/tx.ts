// tx_…: handing in transactions, waiting for them, reading and proving them.
import { transactionBytesMax, blockTransactionsMax, transactionSignaturesMax } from '../../primitives/limits.ts'
import { type JsonObject, bytes, did, hash, height, integer, list, oneOf, optional, record, timeMs, token, transactionId } from '../../primitives/schema.ts'
import { blockHeader } from '../../consensus/block.ts'
import { checkpointCertificate } from '../../consensus/certificate.ts'
import { pageFields, pageResult } from '../../state/query.ts'
import { receiptSchema } from '../../state/receipt.ts'
import { chainIdSchema, saltBytes, signatureSchema } from '../../state/transaction.ts'
import { receiptLeafBytesMax, waitMsMax } from '../limits.ts'
import { answer, declare, exampleDid, exampleHash } from './declare.ts'
import { provenEntry } from './state.ts'

const encodedTransaction = bytes(1, transactionBytesMax)
const kindName = token(/[a-z]+\.[a-zA-Z]+/, 40, 'a kind such as points.spend')
/** Well-formed as bytes, and no transaction. */
export const exampleTransaction = 'kgAA'
const admissionErrors = [
  'codec/malformed',
  'codec/invalid',
  'codec/not-canonical',
  'codec/too-large',
  'tx/signers',
  'tx/signature-invalid',
  'tx/unknown-kind',
  'tx/payload-invalid',
  'tx/wrong-chain',
  'tx/expired',
  'tx/valid-until-too-far',
  'verifier/busy',
]

/** A transaction for reading. `payload` is decoded by the schema of its kind; `bytes` is what was signed and ordered. */
export const transactionView = record({
  id: transactionId,
  reference: hash,
  chain: chainIdSchema,
  kind: kindName,
  sender: did,
  validUntilMs: timeMs,
  salt: bytes(saltBytes, saltBytes),
  payload: answer<JsonObject>({ type: 'object', description: 'By the schema of its kind: see x-kinds.' }),
  signatures: list(signatureSchema, 1, transactionSignaturesMax),
  bytes: encodedTransaction,
})

export const txSubmit = declare({
  method: 'tx_submit',
  summary: 'Hands in a signed transaction. The same bytes may be handed in again and anywhere: one id runs at most once. What a key signed that may not sign for its DID is refused here, and a registration by any rule.',
  params: record({ transaction: encodedTransaction }),
  result: record({ id: transactionId }),
  example: { transaction: exampleTransaction },
  errors: [...admissionErrors, 'tx/key-not-authorised', 'mempool/full', 'mempool/sender-limit', 'mempool/sender-rate', 'node/not-ready'],
  cost: 2,
})

export const txWait = declare({
  method: 'tx_wait',
  summary: 'The final receipt of a transaction, as soon as there is one. After `timeoutMs` the answer is tx/not-final: its fate is open, ask again.',
  params: record({ id: transactionId, timeoutMs: optional(integer(0, waitMsMax)) }),
  result: receiptSchema,
  example: { id: exampleHash, timeoutMs: 0 },
  errors: ['tx/not-final', 'rpc/stopping'],
})

export const txGet = declare({
  method: 'tx_get',
  summary: 'A final transaction with its receipt.',
  params: record({ id: transactionId }),
  result: record({ transaction: transactionView, receipt: receiptSchema }),
  example: { id: exampleHash },
  errors: ['tx/not-found'],
})

export const txSimulate = declare({
  method: 'tx_simulate',
  summary: 'The receipt that a transaction would have in the next block. Changes nothing.',
  params: record({ transaction: encodedTransaction }),
  result: receiptSchema,
  example: { transaction: exampleTransaction },
  errors: [...admissionErrors, 'node/not-ready'],
  cost: 5,
})

export const transactionSummary = record({ id: transactionId, height, index: integer(), kind: kindName, sender: did, status: oneOf('ok', 'refused') })

export const txGetByDid = declare({
  method: 'tx_getByDid',
  summary: 'Final transactions that a DID sent or countersigned, newest first.',
  params: record({ did, ...pageFields }),
  result: pageResult(transactionSummary),
  example: { did: exampleDid, limit: 10 },
  cost: 10,
})

const path = list(hash, 0, 16)

/** A receipt, or what the block did by itself (the leaf at 0), among the `count` leaves of the block's receipts tree. */
export const receiptLeaf = record({ leaf: bytes(1, receiptLeafBytesMax), index: integer(0, blockTransactionsMax), count: integer(1, blockTransactionsMax + 1), path })
/** From a leaf up to what the validators signed: the header, which has the number of leaves; the block's entry in the state; the checkpoint. */
export const upToCheckpoint = { header: blockHeader, block: provenEntry, checkpoint: checkpointCertificate }

/**
 * Proves that a transaction stands at its place and what became of it. To check: the receipt is the leaf at `index` of `count` under the
 * receipts root that `block` holds; `block` is the state entry chain.block/<height> under the state root that `checkpoint` certifies; the
 * header hashes to the block hash that `block` holds; and the transaction's reference is the leaf at `transaction.index` of
 * `transaction.count` under the header's payload.
 */
export const txProof = declare({
  method: 'tx_proof',
  summary: 'A proof of a transaction’s place and receipt that is checked from a checkpoint certificate alone.',
  params: record({ id: transactionId }),
  result: record({
    receipt: receiptLeaf,
    transaction: record({ reference: hash, index: integer(0, blockTransactionsMax), count: integer(1, blockTransactionsMax), path }),
    ...upToCheckpoint,
  }),
  example: { id: exampleHash },
  errors: ['tx/not-found', 'chain/pruned', 'node/not-certified'],
  cost: 100,
})
