// What the points family keeps. Programme first where an auditor reads a programme, merchant first where a merchant reads its own.
import { toBase64url } from '../../primitives/bytes.ts'
import { boolean, did, height, type Infer, integer, list, oneOf, optional, record, slug, timeMs, transactionId, union, won } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import { accountGrantsMax, dueChunkItems, settleBatchMax } from './limits.ts'
import { merchant, paymentReference, program, pseudonym, reason, saleReference, settlementItem } from './types.ts'

/** points.program/<program> */
export const programTable = table('points.program', program)

/** points.count/programs: how many were ever opened. */
export const countTable = table('points.count', integer())

/** All that ever moved, by movement (see sums.ts), modulo `flowsModulus`. */
export const flows = record({
  toppedUp: won,
  cut: won,
  granted: won,
  spent: won,
  /** Refunds of purchases that the bank had not paid, and of those that it had. */
  refunded: won,
  refundedPaid: won,
  settled: won,
  /** Of expired grants: gone for good, or free to be granted again. */
  lapsed: won,
  returned: won,
  clawedBack: won,
})
export type Flows = Infer<typeof flows>

/** The terms of promise 5, what stands behind them, and the counts. Written by sums.ts alone. */
export const sums = record({
  budget: won,
  /** Of the budget: not yet granted. */
  unallocated: won,
  /** In the balances of citizens. */
  held: won,
  /** Spent, in claims that the bank has not paid. */
  unsettled: won,
  /** Paid to merchants by the bank, without what they owe it again. */
  settled: won,
  /** Left over in expired grants and taken back for good. */
  reclaimed: won,
  /** Of what is held: authorised for merchants, not yet captured. */
  onHold: won,
  /** What merchants owe the bank for refunds of purchases that it had paid. */
  owed: won,
  /** What the bank paid to merchants less what they paid back: settled + owed. */
  paid: won,
  /** Grants made; of them, taken back whole; and the places in line given out. */
  grants: integer(),
  revoked: integer(),
  applications: integer(),
  /** What citizens paid by themselves with their passes, outside the fund. Modulo `flowsModulus`, as the flows are. */
  ownPaid: won,
  flows,
  /** How many blocks changed these sums, and the last of them. */
  changes: integer(1),
  height,
  timeMs,
})
export type Sums = Infer<typeof sums>
/** points.sums/<program> */
export const sumsTable = table('points.sums', sums)

export const grant = record({
  tier: slug,
  amount: won,
  /** Paid to merchants out of this grant, refunds taken off. What is left is the amount without this, what was reclaimed, and what is on hold. */
  spent: won,
  reclaimed: won,
  /** Authorised for merchants, not yet captured. */
  onHold: won,
  /** Of a pass's own share: what the citizen has paid. What is on hold is not. */
  ownPaid: won,
  /** Absent: the programme's end of use. */
  expiresMs: optional(timeMs),
  /** Why it was clawed back. It pays nothing more. */
  revoked: optional(reason),
})
export type Grant = Infer<typeof grant>

export const applicationFields = {
  tier: slug,
  /** Place in line, from 1: the order of the chain. */
  place: integer(1),
  appliedMs: timeMs,
  /** pending: for an officer. waiting: in line, for budget or a place. */
  status: oneOf('pending', 'waiting', 'granted', 'rejected'),
  /** While waiting: its number in the line. */
  line: optional(integer(1)),
  /** While pending or waiting only: a rejection frees it. */
  pseudonym: optional(pseudonym),
  /** Of a rejection. */
  reason: optional(reason),
} as const
export const application = record(applicationFields)
export type Application = Infer<typeof application>

/** What a citizen has spent, or has on hold, of the purchases of one Korean day or month: only in programmes with such a cap. */
export const period = record({ number: integer(), used: won })
export type Period = Infer<typeof period>

/** A citizen in a programme: one record, so that applying, granting and spending each write one key of the citizen's. */
export const accountFields = { application: optional(application), grants: list(grant, 0, accountGrantsMax), day: optional(period), month: optional(period) } as const
export const account = record(accountFields)
export type Account = Infer<typeof account>
/** points.account/<program>/<did> */
export const accountTable = table('points.account', account)

/** points.pseudonym/<program>/<pseudonym in base64url>: whose application or grant has used it. */
export const pseudonymTable = table('points.pseudonym', record({ did }))

/** points.merchant/<did> */
export const merchantTable = table('points.merchant', merchant)

/** What a grant paid of a purchase. */
export const part = record({
  /** Place in the account's grants, from 1. */
  grant: integer(1, accountGrantsMax),
  own: won,
  funded: won,
})
export type Part = Infer<typeof part>

/** A purchase as it stands after refunds: price = refunded + every part's own and funded + excess. */
export const purchase = record({
  program: slug,
  citizen: did,
  claim: integer(1),
  timeMs,
  price: won,
  refunded: won,
  /** In the order in which they paid. */
  parts: list(part, 0, accountGrantsMax),
  /** Passes: what the citizen paid beyond the ceiling. */
  excess: won,
  reference: optional(saleReference),
})
export type Purchase = Infer<typeof purchase>
/** points.purchase/<merchant>/<id of the transaction that spent> */
export const purchaseTable = table('points.purchase', purchase)

/** What is authorised for a merchant and not yet captured: price = every part's own and funded + excess. */
export const hold = record({
  program: slug,
  citizen: did,
  timeMs,
  expiresMs: timeMs,
  price: won,
  parts: list(part, 0, accountGrantsMax),
  excess: won,
  reference: optional(saleReference),
})
export type Hold = Infer<typeof hold>
/** points.hold/<merchant>/<id of the transaction that authorised> */
export const holdTable = table('points.hold', hold)

/** The number of a merchant's latest claim in a programme, and what it owes the bank for refunds of purchases that were paid. */
export const book = record({ last: integer(1), owed: won })
/** points.book/<merchant>/<program> */
export const bookTable = table('points.book', book)

/** What a merchant is owed for one day's purchases in a programme, or for a part of the day when the bank settled during it. See claims.ts. */
export const claim = record({
  /** Days since the epoch by the Korean calendar. */
  day: integer(),
  purchases: integer(),
  gross: won,
  /** Refunds of its own purchases. */
  refunded: won,
  /** Once paid: what was kept back of it for what the merchant owed. */
  netted: won,
  /** Under which the bank paid it. */
  payment: optional(paymentReference),
})
export type Claim = Infer<typeof claim>
/** points.claim/<program>/<merchant>/<number> */
export const claimTable = table('points.claim', claim)

export const settlement = record({ settler: did, height, timeMs, amount: won, cutOffDay: optional(integer()), items: list(settlementItem, 1, settleBatchMax) })
export type Settlement = Infer<typeof settlement>
/** points.settlement/<payment reference> */
export const settlementTable = table('points.settlement', settlement)

export const repayment = record({ settler: did, height, timeMs, merchant: did, program: slug, amount: won })
/** points.repayment/<payment reference> */
export const repaymentTable = table('points.repayment', repayment)

/** Who waits in a programme: numbers `head` to `tail` of the line, of whom some may have left it. */
export const line = record({ head: integer(1), tail: integer(), waiting: integer(), queued: boolean })
export type Line = Infer<typeof line>
/** points.line/<program> */
export const lineTable = table('points.line', line)
/** points.lineRow/<program>/<number> */
export const lineRowTable = table('points.lineRow', record({ did }))

/** Something that falls due: the end of a grant, the end of a hold, or a line of which somebody may move up. */
export const dueItem = union({
  grant: record({ program: slug, did, grant: integer(1, accountGrantsMax) }),
  hold: record({ merchant: did, purchase: transactionId }),
  line: record({ program: slug }),
})
export type DueItem = Infer<typeof dueItem>
/** The queue of due.ts. points.dueHeap/<place>: a minute since the epoch; points.dueSize/heap: how many there are. */
export const dueHeapTable = table('points.dueHeap', integer())
export const dueSizeTable = table('points.dueSize', integer())
/** points.due/<minute>: how many items were put there and how many are done. */
export const dueTable = table('points.due', record({ added: integer(1), done: integer() }))
/** points.dueChunk/<minute>/<number> */
export const dueChunkTable = table('points.dueChunk', list(dueItem, 1, dueChunkItems))

/** points.history/<program>/<number of the change>: the sums after the block that made it, once the next has come. */
export const historyTable = table('points.history', sums)
/** points.day/<program>/<Korean day>: the sums at its end, of days on which they changed, once a later change has come. */
export const dayTable = table('points.day', sums)

export const sumTerms = record({ budget: won, unallocated: won, held: won, unsettled: won, settled: won, reclaimed: won })
export type SumTerms = Infer<typeof sumTerms>

export function pseudonymKey(programId: string, value: Uint8Array): readonly [string, string] {
  return [programId, toBase64url(value)]
}

