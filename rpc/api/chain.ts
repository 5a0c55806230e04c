// chain_…: blocks, certificates, validators.
import { bytes, type JsonObject, hash, height, integer, list, oneOf, optional, record, refine, timeMs, transactionId } from '../../primitives/schema.ts'
import { blockHeader, blockHeight } from '../../consensus/block.ts'
import { checkpointCertificate, slotCertificate } from '../../consensus/certificate.ts'
import { epoch, validatorSet } from '../../consensus/validators.ts'
import { blockOutcomeSchema, receiptSchema } from '../../state/receipt.ts'
import { pageItemsMax } from '../../state/query.ts'
import { blockTransactionsMax } from '../../primitives/limits.ts'
import { genesisBytesMax } from '../limits.ts'
import { answer, count, declare, sentence, transactionsForm } from './declare.ts'
import { transactionView } from './tx.ts'

const none = record({})
const notFound = ['chain/not-found']
const notFoundOrPruned = ['chain/not-found', 'chain/pruned']

export const chainHead = declare({
  method: 'chain_head',
  summary: 'The last executed block; height 0 is the genesis.',
  params: none,
  result: record({ height, hash, timeMs }),
  example: {},
})

export const chainGenesis = declare({
  method: 'chain_genesis',
  summary: 'The genesis as the node read it, and the hash that names the chain.',
  params: none,
  result: record({ chainId: sentence, hash, genesis: answer<JsonObject>({ type: 'object' }) }),
  example: {},
  cost: 20,
})

export const chainGenesisBytes = declare({
  method: 'chain_genesisBytes',
  summary: 'The genesis in its canonical encoding: hashed under the tag "genesis", it is the hash that names the chain. What a client begins from that knows that hash and nothing else.',
  params: none,
  result: record({ bytes: bytes(1, genesisBytesMax) }),
  example: {},
  cost: 20,
})

export const blockView = record({
  height,
  hash,
  header: blockHeader,
  certificate: slotCertificate,
  ids: list(transactionId, 0, blockTransactionsMax),
  /** Only with transactions: full, as are the next two. */
  transactions: optional(list(transactionView, 0, blockTransactionsMax)),
  receipts: optional(list(receiptSchema, 0, blockTransactionsMax)),
  /** What the block did before its transactions. */
  outcome: optional(blockOutcomeSchema),
})

export const chainGetBlock = declare({
  method: 'chain_getBlock',
  summary: 'A block by its height or its hash, with the ids of its transactions, or with transactions, receipts and outcome in full.',
  params: refine(record({ height: optional(blockHeight), hash: optional(hash), transactions: optional(transactionsForm) }), (value) =>
    (value.height === undefined) === (value.hash === undefined) ? 'either a height or a hash' : undefined,
  ),
  result: blockView,
  example: { height: 1, transactions: 'full' },
  errors: notFoundOrPruned,
  cost: 20,
})

export const blockSummary = record({ height, hash, parent: hash, timeMs, proposer: count, transactions: count })

export const chainGetBlocks = declare({
  method: 'chain_getBlocks',
  summary: 'Summaries of blocks from one height on, upwards or downwards. `next` is the `from` of the next page; without it there is no more.',
  params: record({ from: optional(blockHeight), limit: optional(integer(1, pageItemsMax)), order: optional(oneOf('ascending', 'descending')) }),
  result: record({ items: list(blockSummary, 0, pageItemsMax), next: optional(height) }),
  example: { from: 1, limit: 10 },
  errors: ['chain/pruned'],
  cost: 10,
})

export const chainGetCertificate = declare({
  method: 'chain_getCertificate',
  summary: 'The commit certificate that makes the block of a height final.',
  params: record({ height: blockHeight }),
  result: slotCertificate,
  example: { height: 1 },
  errors: notFoundOrPruned,
})

export const chainGetCheckpoint = declare({
  method: 'chain_getCheckpoint',
  summary: 'The highest checkpoint certificate at or below a height, or the latest: block hash, state root and next validator set, signed by a quorum.',
  params: record({ height: optional(blockHeight) }),
  result: checkpointCertificate,
  example: {},
  errors: notFound,
})

export const chainGetValidators = declare({
  method: 'chain_getValidators',
  summary: 'The validator set that governs a height (the next one, if left out), and the height from which on it does.',
  params: record({ height: optional(blockHeight) }),
  /** `scheduled`: agreed on, and not in force yet at the head. */
  result: record({ activation: blockHeight, set: validatorSet, scheduled: optional(epoch) }),
  example: {},
  errors: notFound,
})

/** Sets of the largest size with their certificates are some 20 KiB each. */
const setChangesMax = 50

export const chainGetSetChanges = declare({
  method: 'chain_getSetChanges',
  summary: 'The validator sets after that of the genesis (number 0), each with a checkpoint certificate of the set before that names it: so anybody follows them from the genesis on. A scheduled set is listed once it is certified.',
  params: record({ from: optional(integer(1)), limit: optional(integer(1, setChangesMax)) }),
  result: record({ items: list(record({ number: integer(1), activation: blockHeight, set: validatorSet, checkpoint: checkpointCertificate }), 0, setChangesMax), next: optional(integer(1)) }),
  example: {},
  errors: notFound,
  cost: 10,
})

export const chainGetEvidence = declare({
  method: 'chain_getEvidence',
  summary: 'Pairs of contradictory messages signed by one validator, as this node has seen them.',
  params: none,
  result: record({ items: list(answer<JsonObject>({ type: 'object' }), 0, pageItemsMax) }),
  example: {},
})
