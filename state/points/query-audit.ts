// points_audit: the terms of a programme's sum and whether they hold, from the sums that are kept: one read at the head, some twenty at an earlier height.
// On demand they are counted again from every account and claim of the head, so that the kept sums need not be believed.
import { boolean, height as heightSchema, type Infer, integer, optional, record, slug, won } from '../../primitives/schema.ts'
import type { Won } from '../../primitives/brand.ts'
import { query } from '../query.ts'
import type { QueryView } from '../view.ts'
import { sumsAt } from './books.ts'
import { dueOf } from './claims.ts'
import { leftOf } from './grants.ts'
import { type Account, accountTable, type Claim, claimTable, programTable, type Sums, sums } from './keys.ts'
import { auditRowsMax, flowsModulus } from './limits.ts'
import { readSums, sumsHold } from './sums.ts'

/** What the rows of a programme come to. */
export const recount = record({
  accounts: integer(),
  claims: integer(),
  grants: integer(),
  granted: won,
  /** Left in grants, on hold or not, expired ones too until they are reclaimed. */
  held: won,
  onHold: won,
  /** Grants taken back whole. */
  revoked: integer(),
  /** Taken back from grants that expired or were clawed back, whichever term it went to. */
  takenBack: won,
  /** Paid out of grants. Must equal unsettled and settled together. */
  spent: won,
  unsettled: won,
  /** What claims that were paid came to. Refunds after the payment are not taken off: flows.refundedPaid has them. Modulo 2^52. */
  claimed: won,
})
export type Recount = Infer<typeof recount>

export const emptyRecount: Recount = (() => {
  const none = 0 as Won
  return { accounts: 0, claims: 0, grants: 0, granted: none, held: none, onHold: none, revoked: 0, takenBack: none, spent: none, unsettled: none, claimed: none }
})()

export function addAccount(count: Recount, { grants }: Pick<Account, 'grants'>): Recount {
  const total = (of: (grant: Account['grants'][number]) => number): number => grants.reduce((sum, grant) => sum + of(grant), 0)
  return {
    ...count,
    accounts: count.accounts + 1,
    grants: count.grants + grants.length,
    granted: (count.granted + total((grant) => grant.amount)) as Won,
    held: (count.held + total((grant) => leftOf(grant) + grant.onHold)) as Won,
    onHold: (count.onHold + total((grant) => grant.onHold)) as Won,
    revoked: count.revoked + total((grant) => (grant.revoked !== undefined && grant.reclaimed === grant.amount ? 1 : 0)),
    takenBack: (count.takenBack + total((grant) => grant.reclaimed)) as Won,
    spent: (count.spent + total((grant) => grant.spent)) as Won,
  }
}

export function addClaim(count: Recount, claim: Claim): Recount {
  const due = dueOf(claim)
  return { ...count, claims: count.claims + 1, ...(claim.payment === undefined ? { unsettled: (count.unsettled + due) as Won } : { claimed: ((count.claimed + due) % flowsModulus) as Won }) }
}

/** True if the kept sums are what the rows come to. */
export function matches(kept: Sums, count: Recount): boolean {
  const { flows } = kept
  return (
    kept.grants === count.grants &&
    kept.revoked === count.revoked &&
    kept.held === count.held &&
    kept.onHold === count.onHold &&
    kept.unsettled === count.unsettled &&
    (kept.settled + flows.refundedPaid) % flowsModulus === count.claimed &&
    flows.granted === count.granted % flowsModulus &&
    (flows.lapsed + flows.returned + flows.clawedBack) % flowsModulus === count.takenBack % flowsModulus &&
    count.spent === count.unsettled + kept.settled
  )
}

const audit = record({
  program: slug,
  height: heightSchema,
  /** After the block of this height. */
  sums,
  /** budget = unallocated + held + unsettled + settled + reclaimed, nothing below zero, the flows come to the same; and the recount, where there is one, says so too. */
  holds: boolean,
  /** Absent unless asked for, and when the programme has more rows than one answer may count. */
  recount: optional(recount),
})

export const auditQuery = query({
  method: 'points_audit',
  summary: 'The terms of a programme’s sum after a height and whether they hold; on demand the same counted again from its accounts and claims.',
  params: record({
    program: slug,
    /** The latest 100,000 blocks in which the programme’s money moved are kept, with all heights between; of older days see points_statement. Absent: the head. */
    height: optional(heightSchema),
    /** Count again, at the head only: up to 200,000 accounts and claims, which takes seconds. */
    recount: optional(boolean),
  }),
  result: audit,
  run: async (view, params, head) => {
    const { program, height = head.height } = params
    if (view.get(programTable, program) === undefined || height > head.height) return undefined
    const kept = height === head.height ? readSums(view, program) : sumsAt(view, program, height)
    if (kept === undefined) return undefined
    const counted = params.recount === true && height === head.height ? await recountRows(view, program, kept) : undefined
    return { program, height, sums: kept, holds: sumsHold(kept) && (counted === undefined || matches(kept, counted)), recount: counted }
  },
})

const scanRows = 1_000

async function recountRows(view: QueryView, programId: string, kept: Sums): Promise<Recount | undefined> {
  // nearly every account has one grant, so a count that would not end within the bound is not begun
  if (kept.grants > auditRowsMax) return undefined
  let count = emptyRecount
  for (const add of [
    async (cursor: string | undefined) => {
      const page = await view.scan(accountTable, [programId], { cursor, limit: scanRows })
      for (const { value } of page.items) count = addAccount(count, value)
      return page.next
    },
    async (cursor: string | undefined) => {
      const page = await view.scan(claimTable, [programId], { cursor, limit: scanRows })
      for (const { value } of page.items) count = addClaim(count, value)
      return page.next
    },
  ]) {
    let cursor: string | undefined
    do {
      cursor = await add(cursor)
      if (count.accounts + count.claims > auditRowsMax) return undefined
    } while (cursor !== undefined)
  }
  return count
}
