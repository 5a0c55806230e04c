// events_since, and the three feeds that WebSocket subscriptions follow. A cursor is the place of the next thing to look at, with the mark of its channel and filter (rpc/cursor.ts).
import { boolean, bytes, type Json, did, hash, height, type Infer, integer, list, oneOf, optional, record, slug, timeMs, token, transactionId } from '../../primitives/schema.ts'
import { blockHeight } from '../../consensus/block.ts'
import { blockTransactionsMax } from '../../primitives/limits.ts'
import { eventSchema } from '../../state/events.ts'
import { pageItemsMax } from '../../state/query.ts'
import { blockEventsMax, transactionEventsMax } from '../../state/receipt.ts'
import { answer, count, declare } from './declare.ts'
import { receiptLeafBytesMax } from '../limits.ts'
import { receiptLeaf, upToCheckpoint } from './tx.ts'

/** `1.0` is the beginning of block 1, in every feed. The empty cursor is the genesis. */
export const cursorToken = token(/(?:[1-9][0-9]{0,15}\.(?:0|(?:0|[1-9][0-9]{0,6})\.[bet](?:[A-Za-z0-9_-]{8})?))?/, 34, 'a cursor from an earlier answer, "" for the genesis, or <height>.0 for the beginning of a block')

const eventsOfBlockMax = blockEventsMax + blockTransactionsMax * transactionEventsMax

export const channel = oneOf('blocks', 'events', 'transactions')
export type Channel = Infer<typeof channel>

/**
 * Every condition given must hold. `types`: names such as points.granted, or a whole family such as points (for transactions: kinds).
 * `did`: it appears in a field of the event (for transactions: it signed). The others: the event has the field with this value.
 */
export const filter = record({
  types: optional(list(token(/[a-z]+(?:\.[a-zA-Z]+)?/, 60, 'a type such as points.granted, or a family such as points'), 1, 64)),
  did: optional(did),
  livingArea: optional(slug),
  program: optional(slug),
  facility: optional(slug),
  merchant: optional(did),
  board: optional(slug),
})
export type Filter = Infer<typeof filter>

export const eventItem = record({
  /** To go on after this item. */
  cursor: cursorToken,
  height,
  timeMs,
  /** Place among the events of the block, from 0. */
  index: integer(),
  /** Absent for what the block did by itself before its transactions. */
  transaction: optional(transactionId),
  event: eventSchema,
})

export const transactionItem = record({
  cursor: cursorToken,
  height,
  timeMs,
  index: integer(),
  id: transactionId,
  kind: answer<string>({ type: 'string' }),
  sender: did,
  status: oneOf('ok', 'refused'),
  code: optional(answer<string>({ type: 'string' })),
})

export const blockItem = record({ cursor: cursorToken, height, hash, timeMs, transactions: count, events: count })

/** Items of a feed in JSON, ready to send. */
export const feedPage = record({
  items: list(answer<Json>(eventItem.jsonSchema), 0, pageItemsMax),
  /** Where to go on; the same cursor when there is nothing new. */
  next: cursorToken,
  /** Every block up to this one has been looked at in whole: what fits the filter of them is in this page or those before. 0 before block 1. */
  lookedTo: height,
  /** The head of this node when it answered. */
  height,
})

export const eventsSince = declare({
  method: 'events_since',
  summary: 'Every event of every final transaction and of the blocks themselves, in order, exactly once, from a cursor on. A cursor belongs to the filter it came from. A page may be empty and still move the cursor on; all is read when `next` equals the cursor.',
  params: record({ cursor: optional(cursorToken), filter: optional(filter), limit: optional(integer(1, pageItemsMax)) }),
  result: feedPage,
  example: { cursor: '', limit: 100 },
  errors: ['rpc/cursor-ahead', 'rpc/cursor-filter', 'chain/pruned'],
  cost: 20,
})

/**
 * Proves one event. To check: the leaf, as in tx_proof, is in the receipts of its block; decoded, it is what the block did by itself (index 0) or a receipt; the event
 * stands in it at `place`.
 */
export const eventsProof = declare({
  method: 'events_proof',
  summary: 'A proof of one event, by its block and its place among the events of the block as events_since tells it, that is checked from a checkpoint certificate alone.',
  params: record({ height: blockHeight, index: integer(0, eventsOfBlockMax) }),
  result: record({ receipt: receiptLeaf, place: integer(0, blockEventsMax), ...upToCheckpoint }),
  example: { height: 1, index: 0 },
  errors: ['events/not-found', 'chain/not-found', 'chain/pruned', 'node/not-certified'],
  cost: 100,
})

/**
 * Proves all events of a block and that there are no others. To check: the Merkle root of the leaves is the receipts root that `block` holds, and there is one more of them than the header's
 * payload has transactions. The first leaf is what the block did by itself, the others are the receipts in order; their events in this order are those of the block.
 */
export const eventsBlockProof = declare({
  method: 'events_blockProof',
  summary: 'All events of a block, with a proof that none is left out or put in, checked from a checkpoint certificate alone: for whoever follows events_since and trusts no node.',
  params: record({ height: blockHeight }),
  result: record({ leaves: list(bytes(1, receiptLeafBytesMax), 1, blockTransactionsMax + 1), ...upToCheckpoint }),
  example: { height: 1 },
  errors: ['chain/not-found', 'chain/pruned', 'node/not-certified'],
  cost: 200,
})

export const subscriptionId = token(/s[0-9]{1,15}/, 16, 'the id of a subscription of this connection')

export const subscribe = declare({
  method: 'subscribe',
  summary:
    'WebSocket only. Follows a feed: from `from` on, or from now on without it. Each item comes as a notification `subscription { id, item }`, whose `cursor` is where to go on after it; `subscription { id, error }` ends it. With `progress` there are also `subscription { id, cursor, lookedTo }`: when all up to the head has been sent, and while blocks go by, at most one a second.',
  params: record({ channel, filter: optional(filter), from: optional(cursorToken), progress: optional(boolean) }),
  result: record({ id: subscriptionId, cursor: cursorToken }),
  example: { channel: 'events', from: '', filter: { types: ['points'] } },
  errors: ['rpc/websocket-only', 'rpc/too-many-subscriptions', 'rpc/cursor-ahead', 'rpc/cursor-filter', 'chain/pruned'],
})

export const unsubscribe = declare({
  method: 'unsubscribe',
  summary: 'WebSocket only. Ends a subscription; no notification of it follows the answer.',
  params: record({ id: subscriptionId }),
  result: record({}),
  example: { id: 's1' },
  errors: ['rpc/websocket-only', 'rpc/no-such-subscription'],
})
