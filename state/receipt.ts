// Receipts: what became of a transaction, at its place in the chain. The receipts root of a block binds them and the block's own events,
// and is itself kept in the state, so a receipt is proven from a certified state root.
import type { Hash } from '../primitives/brand.ts'
import { encode } from '../primitives/codec.ts'
import { merkleRoot } from '../primitives/merkle.ts'
import { attributes, height, type Infer, integer, list, oneOf, optional, record, token, transactionId } from '../primitives/schema.ts'
import { eventSchema } from './events.ts'

/** A batch of hundreds of grants has an event for each. */
export const transactionEventsMax = 1_200
/** What blocks do by themselves is bounded by the families; this bounds them together. */
export const blockEventsMax = 10_000

export const receiptSchema = record({
  id: transactionId,
  height,
  /** Place in the block, from 0. */
  index: integer(),
  status: oneOf('ok', 'refused'),
  /** Only when refused: the code of the rule and its data. */
  code: optional(token(/[a-z]+\/[a-z-]+/, 60, 'a code such as points/insufficient-balance')),
  data: optional(attributes),
  events: list(eventSchema, 0, transactionEventsMax),
})
export type Receipt = Infer<typeof receiptSchema>

/** What a block did before its transactions: expiries, promotions. */
export const blockOutcomeSchema = record({ height, events: list(eventSchema, 0, blockEventsMax) })
export type BlockOutcome = Infer<typeof blockOutcomeSchema>

/** The leaves of a block's receipts tree: the block's outcome, then each receipt in order. */
export function receiptLeaves(outcome: BlockOutcome, receipts: readonly Receipt[]): readonly Uint8Array[] {
  return [encode(blockOutcomeSchema, outcome), ...receipts.map((receipt) => encode(receiptSchema, receipt))]
}

export function receiptsRoot(leaves: readonly Uint8Array[]): Hash {
  return merkleRoot(leaves)
}
