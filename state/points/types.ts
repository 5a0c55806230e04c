// What a programme is, and the payloads of the points family. A programme is data, never code: every amount comes from whoever opens it.
import type { Won } from '../../primitives/brand.ts'
import { boolean, bytes, did, type Infer, integer, list, oneOf, optional, record, refine, type Schema, slug, timeMs, token, transactionId } from '../../primitives/schema.ts'
import { attestation } from '../credential/attestation.ts'
import { madeUpName, publicText } from '../public-text.ts'
import { accountGrantsMax, budgetMax, categoriesMax, daysMax, decideBatchMax, genesisMerchantsMax, issueBatchMax, reclaimBatchMax, settleBatchMax, tiersMax, waitlistMax } from './limits.ts'

/** An amount that moves: at least one won, at most a whole budget. */
export const amount: Schema<Won> = integer<Won>(1, budgetMax)
const budget: Schema<Won> = integer<Won>(0, budgetMax)

/** 32 bytes of the issuer's making: the same for one person (or household) in one programme, unlinkable between programmes. */
export const pseudonym = bytes(32, 32)

/** The bank's reference of a payment. Settlements are listed in the order of their references, so one that starts with the date sorts by date. */
export const paymentReference = madeUpName(token(/[A-Za-z0-9][A-Za-z0-9._-]*/, 64, 'a payment reference of letters, digits, dots, hyphens and underscores, at most 64'))

/** What a shop's till or a ticket office calls its sale. Never a name or a number of a person. */
export const saleReference = madeUpName(token(/[A-Za-z0-9][A-Za-z0-9._-]*/, 40, 'a reference of letters, digits, dots, hyphens and underscores, at most 40'))

/** Why an officer or merchant did it, as a word of the city's own list, such as `not-resident`: no free text, so no person's details. */
export const reason = madeUpName(slug)

export const tier = record({
  tier: slug,
  /**
   * Won that the fund grants. In a pass this is what the fund pays at most per pass, without the citizen's own share.
   */
  amount,
  /** The grant ends with this many Korean days after the day on which it is made, though never after the programme's use. Absent: with the programme's use. */
  useDays: optional(integer(1, daysMax)),
})
export type Tier = Infer<typeof tier>

/**
 * Kind `pass`, read from "10,000 won buys up to 110,000 won of performances": a pass is worth its own share and its tier's amount together
 * (10,000 + 100,000). The citizen pays the own share first, at the counter and outside the chain, on the first tickets of each pass; the fund
 * pays what comes after it, never more than the tier's amount; what a ticket costs beyond that is the citizen's again. The chain records
 * all three and moves the fund's part alone. With `points` there is no own share: what is spent is paid by points or refused.
 */
export const programKind = oneOf('points', 'pass')

const windows = {
  /** Windows are closed at the start and open at the end: from `opens` on, until just before `closes`. */
  applicationOpensMs: timeMs,
  applicationClosesMs: timeMs,
  useOpensMs: timeMs,
  useClosesMs: timeMs,
} as const

const termFields = {
  kind: programKind,
  title: publicText(1, 100),
  tiers: list(tier, 1, tiersMax),
  ...windows,
  /** Categories of merchants that take these points. */
  categories: list(slug, 1, categoriesMax),
  /** The most that one citizen's grants may have spent together, refunds taken off. */
  capPerCitizen: optional(amount),
  /** The most that the fund pays in one purchase. */
  capPerPurchase: optional(amount),
  /** The same in one Korean day, and in one Korean month. */
  capPerDay: optional(amount),
  capPerMonth: optional(amount),
  /** Passes only: won that the citizen pays per pass before the fund does. */
  ownShare: optional(amount),
  /** Whose pseudonym the issuer attests, one grant for each. Absent: a person's. */
  unit: optional(oneOf('person', 'household')),
  /** automatic: a good attestation is granted in the transaction that brings it. officer: it waits, its place in line kept, for points.decide. */
  decide: oneOf('automatic', 'officer'),
  /** Grants that may be made in all: 5,000 passes, first come, first served. Absent: as many as the budget bears. */
  grantsMax: optional(integer(1, 100_000_000)),
  /** How many may wait in line for budget or a place to be freed. Absent: nobody waits, an application that cannot be granted is refused. */
  waitlistMax: optional(integer(1, waitlistMax)),
  /** Of every act of officers in this programme: how many officers must sign the transaction. Absent: one. */
  officersNeeded: optional(integer(1, 2)),
  /** What a merchant gives back of an expired grant can be used for this many Korean days after the day. Absent: it lapses at once. */
  refundGraceDays: optional(integer(1, daysMax)),
  /** What a merchant may owe the bank for refunds of purchases that it was paid for, beyond what it has earned since. Absent: no bound but what it was paid. */
  merchantDebtMax: optional(budget),
  /** Where what is left of an expired grant goes: `reclaimed` lapses to the city; `unallocated` can be granted again. */
  leftover: oneOf('reclaimed', 'unallocated'),
} as const

/** What of a programme's terms does not go together, if anything. */
function termsFault(terms: Infer<typeof plainTerms>): string | undefined {
  if (!windowsHold(terms)) return 'windows that open before they close, and applications that end no later than the use'
  if (!distinct(terms.tiers.map((each) => each.tier))) return 'tiers of different names'
  if (!distinct(terms.categories)) return 'different categories'
  if ((terms.kind === 'pass') !== (terms.ownShare !== undefined)) return 'an own share in a pass, and only there'
  return undefined
}

export function windowsHold(times: { readonly [K in keyof typeof windows]: number }): boolean {
  return times.applicationOpensMs < times.applicationClosesMs && times.useOpensMs < times.useClosesMs && times.applicationClosesMs <= times.useClosesMs
}

export function distinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}

const plainTerms = record(termFields)
export const programTerms = refine(plainTerms, termsFault)
export type ProgramTerms = Infer<typeof programTerms>

export const programFields = { id: slug, status: oneOf('open', 'closed'), ...termFields } as const
export const program = record(programFields)
export type Program = Infer<typeof program>

export const merchant = record({
  /** What it sells, in the words that programmes use, such as `bookshop` or `performance`. */
  category: slug,
  livingArea: optional(slug),
  status: oneOf('active', 'suspended'),
})
export type Merchant = Infer<typeof merchant>

// Payloads, by kind.

export const registerMerchantPayload = record({ merchant: did, category: slug, livingArea: optional(slug) })
export const amendMerchantPayload = record({ merchant: did, category: optional(slug), livingArea: optional(slug) })
export const suspendMerchantPayload = record({ merchant: did, reason })
export const resumeMerchantPayload = record({ merchant: did })

export const openProgramPayload = record({ program: madeUpName(slug), budget, terms: programTerms })
/** What may change while a programme runs, so that nobody who was granted anything is worse off: see amend.ts. Absent fields stay. */
export const amendProgramPayload = record({
  program: slug,
  title: optional(publicText(1, 100)),
  applicationClosesMs: optional(timeMs),
  useClosesMs: optional(timeMs),
  categories: optional(refine(list(slug, 1, categoriesMax), (names) => (distinct(names) ? undefined : 'different categories'))),
  capPerCitizen: optional(amount),
  capPerPurchase: optional(amount),
  capPerDay: optional(amount),
  capPerMonth: optional(amount),
  grantsMax: optional(integer(1, 100_000_000)),
  waitlistMax: optional(integer(1, waitlistMax)),
  merchantDebtMax: optional(budget),
})
export const budgetPayload = record({ program: slug, amount })
export const closeProgramPayload = record({ program: slug })

export const applyPayload = record({ program: slug, attestation })
export const decidePayload = record({
  program: slug,
  decisions: list(
    refine(record({ did, approve: boolean, reason: optional(reason) }), (each) => (each.approve || each.reason !== undefined ? undefined : 'a reason with every rejection')),
    1,
    decideBatchMax,
  ),
})
export const issuePayload = record({
  program: slug,
  grants: list(
    record({
      did,
      tier: slug,
      /** By the issuer, as in an attestation: keeps the same person or household from a second grant by any way. */
      pseudonym,
      /** Before the programme's own end of use only. Absent: that end, wherever it is moved. */
      expiresMs: optional(timeMs),
    }),
    1,
    issueBatchMax,
  ),
})

/** Takes back all that is left of one grant. */
export const clawbackPayload = record({
  program: slug,
  did,
  /** Place among the citizen's grants in the programme, from 1. */
  grant: integer(1, accountGrantsMax),
  reason,
})

const purchaseFields = {
  program: slug,
  merchant: did,
  /** The price: of points, what is debited; of a pass, what the ticket costs. */
  amount,
  /** Passes: refuse if the citizen would have to pay more than this at the counter. */
  ownShareMax: optional(budget),
  reference: optional(saleReference),
} as const
export const spendPayload = record(purchaseFields)
export const authorisePayload = record({
  ...purchaseFields,
  /** From then on the merchant cannot capture any more. At most 30 days ahead. */
  expiresMs: timeMs,
})
export const capturePayload = record({
  /** Id of the transaction that authorised. Refunds name the purchase by it too. */
  purchase: transactionId,
  /** Of the price; what is not captured goes back to the citizen. */
  amount,
})
export const voidPayload = record({ purchase: transactionId })
export const refundPayload = record({
  /** Id of the transaction that spent. */
  purchase: transactionId,
  /** Of the price; all of it or a part, and again later, until the price is used up. */
  amount,
  reason: optional(reason),
})

export const settlementItem = record({
  merchant: did,
  program: slug,
  /** The claim's number, as points_claims lists it. */
  claim: integer(1),
  /** What the bank pays for it: what the claim comes to without what the merchant owes. Must be what the chain says at that moment, or nothing of the batch is settled. */
  amount: budget,
})
export type SettlementItem = Infer<typeof settlementItem>
export const settlePayload = record({
  payment: paymentReference,
  /** A Korean day that has ended: no claim of a later day is in the batch. Absent: claims of today may be in it. */
  cutOffDay: optional(integer()),
  items: list(settlementItem, 1, settleBatchMax),
})
/** A merchant paid back outside the chain what it owed. */
export const repayPayload = record({ payment: paymentReference, merchant: did, program: slug, amount })

export const reclaimPayload = record({ program: slug, dids: list(did, 1, reclaimBatchMax) })

/** Programmes are opened by transaction, by an officer, so genesis holds merchants only; it may hold none. */
export const genesisSection = record({
  merchants: list(record({ did, category: slug, livingArea: optional(slug) }), 0, genesisMerchantsMax),
})
export type PointsGenesis = Infer<typeof genesisSection>

