// points_audit: the terms of a programme's sum and whether they hold; and the same counted again from every account and claim, so that
// the kept sums need not be believed. A programme too large for one answer is counted by paging through points_accounts and
// points_programClaims, adding with `addAccount` and `addClaim`.
import { boolean, height as heightSchema, type Infer, integer, optional, record, slug, won } from '../../primitives/schema.ts'
import type { Won } from '../../primitives/brand.ts'
import { query } from '../query.ts'
import type { QueryView } from '../view.ts'
import { dueOf } from './claims.ts'
import { leftOf } from './grants.ts'
import { type Account, accountTable, type Claim, claimTable, programTable, type Sums, sums } from './keys.ts'
import { auditRowsMax } from './limits.ts'
import { readSums, sumsHold } from './sums.ts'
import type { Program } from './types.ts'

/** What the rows of a programme come to. */
export const recount = record({
  accounts: integer(),
  claims: integer(),
  grants: integer(),
  granted: won,
  /** Left in grants, expired ones too as long as nobody reclaimed them. */
  held: won,
  /** Taken back from expired grants, whichever term it went to. */
  takenBack: won,
  /** Paid out of grants. Must equal unsettled and settled together. */
  spent: won,
  unsettled: won,
  settled: won,
})
export type Recount = Infer<typeof recount>

export const emptyRecount: Recount = (() => {
  const none = 0 as Won
  return { accounts: 0, claims: 0, grants: 0, granted: none, held: none, takenBack: none, spent: none, unsettled: none, settled: none }
})()

export function addAccount(count: Recount, { grants }: Pick<Account, 'grants'>): Recount {
  const total = (of: (grant: Account['grants'][number]) => number): number => grants.reduce((sum, grant) => sum + of(grant), 0)
  return {
    ...count,
    accounts: count.accounts + 1,
    grants: count.grants + grants.length,
    granted: (count.granted + total((grant) => grant.amount)) as Won,
    held: (count.held + total(leftOf)) as Won,
    takenBack: (count.takenBack + total((grant) => grant.reclaimed)) as Won,
    spent: (count.spent + total((grant) => grant.spent)) as Won,
  }
}

export function addClaim(count: Recount, claim: Claim): Recount {
  const due = dueOf(claim)
  return { ...count, claims: count.claims + 1, ...(claim.payment === undefined ? { unsettled: (count.unsettled + due) as Won } : { settled: (count.settled + due) as Won }) }
}

/** True if the kept sums are what the rows come to. */
export function matches(program: Program, kept: Sums, count: Recount): boolean {
  const takenBackForGood = program.leftover === 'reclaimed' ? count.takenBack : 0
  return (
    kept.grants === count.grants &&
    kept.held === count.held &&
    kept.unsettled === count.unsettled &&
    kept.settled === count.settled &&
    kept.reclaimed === takenBackForGood &&
    kept.unallocated === kept.budget - count.granted + count.takenBack - takenBackForGood &&
    count.spent === count.unsettled + count.settled
  )
}

const audit = record({
  program: slug,
  height: heightSchema,
  sums,
  /** budget = unallocated + held + unsettled + settled + reclaimed, nothing below zero; and the recount, where there is one, says the same. */
  holds: boolean,
  /** Absent when the programme has more rows than one answer may count. */
  recount: optional(recount),
})

export const auditQuery = query({
  method: 'points_audit',
  summary: 'The terms of a programme’s sum, whether they hold, and the same counted again from its accounts and claims.',
  params: record({
    program: slug,
    /** A height whose state is kept. Absent: the head. */
    height: optional(heightSchema),
  }),
  result: audit,
  run: async (view, params, head) => {
    // whoever serves an earlier height hands in its state with its block as the head
    if (params.height !== undefined && params.height !== head.height) return undefined
    const program = view.get(programTable, params.program)
    if (program === undefined) return undefined
    const kept = readSums(view, program.id)
    const counted = await recountRows(view, program.id, kept)
    return { program: program.id, height: head.height, sums: kept, holds: sumsHold(kept) && (counted === undefined || matches(program, kept, counted)), recount: counted }
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
