// What the points family keeps. Programme first where an auditor reads a programme, merchant first where a merchant reads its own.
import { toBase64url } from '../../primitives/bytes.ts'
import { did, height, type Infer, integer, list, oneOf, optional, record, slug, timeMs, won } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import { accountGrantsMax, settleBatchMax } from './limits.ts'
import { merchant, paymentReference, program, pseudonym, reason, saleReference, settlementItem } from './types.ts'

/** points.program/<program> */
export const programTable = table('points.program', program)

/** points.count/programs: how many were ever opened. */
export const countTable = table('points.count', integer())

/** The terms of promise 5, and three counts. Written by sums.ts alone. */
export const sums = record({
  budget: won,
  /** Of the budget: not yet granted. */
  unallocated: won,
  /** In the balances of citizens. */
  held: won,
  /** Spent, in claims that the bank has not paid. */
  unsettled: won,
  /** Paid to merchants by the bank. */
  settled: won,
  /** Left over in expired grants and taken back for good. */
  reclaimed: won,
  /** Grants made, and the places in line given out. */
  grants: integer(),
  applications: integer(),
  /** What citizens paid by themselves with their passes, outside the fund. */
  ownPaid: won,
})
export type Sums = Infer<typeof sums>
/** points.sums/<program> */
export const sumsTable = table('points.sums', sums)

export const grant = record({
  tier: slug,
  amount: won,
  /** Paid to merchants out of this grant, refunds taken off. What is left is the amount without this and what was reclaimed. */
  spent: won,
  reclaimed: won,
  /** Of a pass's own share: what the citizen has paid. */
  ownPaid: won,
  /** Absent: the programme's end of use. */
  expiresMs: optional(timeMs),
})
export type Grant = Infer<typeof grant>

export const application = record({
  tier: slug,
  /** Place in line, from 1: the order of the chain. */
  place: integer(1),
  appliedMs: timeMs,
  status: oneOf('pending', 'granted', 'rejected'),
  /** While pending only: a rejection frees it. */
  pseudonym: optional(pseudonym),
  /** Of a rejection. */
  reason: optional(reason),
})
export type Application = Infer<typeof application>

/** A citizen in a programme: one record, so that applying, granting and spending each write one key of the citizen's. */
export const account = record({ application: optional(application), grants: list(grant, 0, accountGrantsMax) })
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

/** points.book/<merchant>/<program>: the number of the merchant's latest claim. */
export const bookTable = table('points.book', record({ last: integer(1) }))

/** What a merchant is owed for one day's purchases in a programme, or for a part of the day when the bank settled during it. See claims.ts. */
export const claim = record({
  /** Days since the epoch by the Korean calendar. */
  day: integer(),
  purchases: integer(),
  gross: won,
  /** Refunds of its own purchases. */
  refunded: won,
  /** Refunds of purchases in claims that were settled before. */
  netted: won,
  /** Under which the bank paid it. */
  payment: optional(paymentReference),
})
export type Claim = Infer<typeof claim>
/** points.claim/<program>/<merchant>/<number> */
export const claimTable = table('points.claim', claim)

export const settlement = record({ settler: did, height, timeMs, amount: won, items: list(settlementItem, 1, settleBatchMax) })
export type Settlement = Infer<typeof settlement>
/** points.settlement/<payment reference> */
export const settlementTable = table('points.settlement', settlement)

export function pseudonymKey(programId: string, value: Uint8Array): readonly [string, string] {
  return [programId, toBase64url(value)]
}

