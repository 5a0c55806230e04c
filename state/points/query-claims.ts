// What merchants are owed and were paid: claims, the purchases behind them, and the bank's settlements.
import type { Did, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { did, height, type Infer, integer, optional, record, slug, timeMs, transactionId, won } from '../../primitives/schema.ts'
import { pageFields, pageOf, pageResult, query } from '../query.ts'
import type { QueryView } from '../view.ts'
import { dueOf, payableOf, readBook } from './claims.ts'
import { book, bookTable, type Claim, claimTable, hold, holdTable, programTable, purchase, purchaseTable, repayment, repaymentTable, settlement, settlementTable } from './keys.ts'
import { programsMax } from './limits.ts'
import { paymentReference, type SettlementItem, settlementItem } from './types.ts'

const claimItem = record({
  program: slug,
  merchant: did,
  claim: integer(1),
  /** Days since the epoch by the Korean calendar. */
  day: integer(),
  purchases: integer(),
  gross: won,
  refunded: won,
  netted: won,
  /** What it comes to: what the bank is to pay before what the merchant owes is kept back, or what it paid under `payment`. */
  due: won,
  payment: optional(paymentReference),
})
type ClaimItem = Infer<typeof claimItem>

/** From a claim's key `<program>/<merchant>/<number>`. */
function claimItemOf({ key, value }: { readonly key: readonly string[]; readonly value: Claim }): ClaimItem {
  const [program, merchant, number] = key as readonly [string, Did, string]
  return { program, merchant, claim: Number(number), ...value, due: (dueOf(value) - value.netted) as Won }
}

export const claimsQuery = query({
  method: 'points_claims',
  summary: 'A merchant’s claims in one programme or in all, paid ones included, in order.',
  params: record({ merchant: did, program: optional(slug), ...pageFields }),
  result: pageResult(claimItem),
  run: async (view, params) => {
    const { cursor, limit } = pageOf(params)
    // `<program>/<number>` of the last claim given
    const [reached, after] = cursor?.split('/') ?? []
    const programs = (await programsOf(view, params.merchant, params.program)).filter((program) => reached === undefined || program >= reached)
    const items: ClaimItem[] = []
    for (const program of programs) {
      const page = await view.scan(claimTable, [program, params.merchant], { cursor: program === reached ? after : undefined, limit: limit - items.length })
      items.push(...page.items.map(claimItemOf))
      const last = page.items.at(-1)?.key[2]
      const isMore = page.next !== undefined || program !== programs.at(-1)
      if (items.length === limit) return { items, next: isMore && last !== undefined ? `${program}/${last}` : undefined }
    }
    return { items, next: undefined }
  },
})

/** The programmes whose points a merchant has taken. */
async function programsOf(view: QueryView, merchant: Did, program: string | undefined): Promise<readonly string[]> {
  if (program !== undefined) return [program]
  return (await view.scan(bookTable, [merchant], { limit: programsMax })).items.map(({ key }) => key[1] as string)
}

export const programClaimsQuery = query({
  method: 'points_programClaims',
  summary: 'Every claim in a programme: for the bank to pay and an auditor to add up.',
  params: record({ program: slug, ...pageFields }),
  result: pageResult(claimItem),
  run: async (view, params) => {
    if (view.get(programTable, params.program) === undefined) return undefined
    const { items, next } = await view.scan(claimTable, [params.program], pageOf(params))
    return { items: items.map(claimItemOf), next }
  },
})

export const purchaseQuery = query({
  method: 'points_purchase',
  summary: 'A purchase as it stands after refunds.',
  params: record({ merchant: did, purchase: transactionId }),
  result: purchase,
  run: (view, params) => view.get(purchaseTable, params.merchant, toBase64url(params.purchase)),
})

export const dueQuery = query({
  method: 'points_due',
  summary: 'What the bank is to pay: the unpaid claims of a programme up to a day, each as an item of points.settle, in the order in which they are to stand there. `limit` counts claims looked at.',
  params: record({
    program: slug,
    /** Days since the epoch by the Korean calendar. Absent: today’s claims too. */
    cutOffDay: optional(integer()),
    ...pageFields,
  }),
  result: pageResult(settlementItem),
  run: async (view, params) => {
    const { program, cutOffDay } = params
    if (view.get(programTable, program) === undefined) return undefined
    const { cursor, limit } = pageOf(params)
    // `<merchant>/<claim>/<what it still owes after that claim>`
    const [reached, after, rest] = cursor?.split('/') ?? []
    const page = await view.scan(claimTable, [program], { cursor: reached === undefined ? undefined : `${reached}/${after}`, limit })
    const items: SettlementItem[] = []
    let [latest, owed] = [reached, Number(rest ?? 0) as Won]
    for (const { key, value } of page.items) {
      const [, merchant, number] = key as readonly [string, Did, string]
      if (merchant !== latest) [latest, owed] = [merchant, readBook(view, merchant, program).owed]
      if (value.payment !== undefined || (cutOffDay !== undefined && value.day > cutOffDay)) continue
      const { netted, payable } = payableOf(dueOf(value), owed)
      owed = (owed - netted) as Won
      items.push({ merchant, program, claim: Number(number), amount: payable })
    }
    return { items, next: page.next === undefined ? undefined : `${page.next}/${owed}` }
  },
})

export const debtQuery = query({
  method: 'points_debt',
  summary: 'What a merchant owes the bank in a programme for refunds of purchases that were paid.',
  params: record({ merchant: did, program: slug }),
  result: book,
  run: (view, params) => view.get(bookTable, params.merchant, params.program),
})

export const holdQuery = query({
  method: 'points_hold',
  summary: 'What is on hold for a merchant under the id of the transaction that authorised.',
  params: record({ merchant: did, purchase: transactionId }),
  result: hold,
  run: (view, params) => view.get(holdTable, params.merchant, toBase64url(params.purchase)),
})

const settlementSummary = record({ payment: paymentReference, settler: did, height, timeMs, amount: won, cutOffDay: optional(integer()), claims: integer(1) })

export const settlementsQuery = query({
  method: 'points_settlements',
  summary: 'Settlements by the bank, in the order of their payment references.',
  params: record(pageFields),
  result: pageResult(settlementSummary),
  run: async (view, params) => {
    const { items, next } = await view.scan(settlementTable, [], pageOf(params))
    return { items: items.map(({ key, value: { items: claims, ...rest } }) => ({ payment: key[0] as string, ...rest, claims: claims.length })), next }
  },
})

export const settlementQuery = query({
  method: 'points_settlement',
  summary: 'A settlement with every claim that it paid.',
  params: record({ payment: paymentReference }),
  result: settlement,
  run: (view, params) => view.get(settlementTable, params.payment),
})

export const repaymentQuery = query({
  method: 'points_repayment',
  summary: 'What a merchant paid back to the bank under a payment reference.',
  params: record({ payment: paymentReference }),
  result: repayment,
  run: (view, params) => view.get(repaymentTable, params.payment),
})
