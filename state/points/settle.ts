// points.settle: the bank has paid, or pays, claims of many merchants under one payment reference. All of the batch or none; each claim once, and for
// exactly what it comes to less what the merchant owes, so that the bank's books and the chain say the same.
import type { Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { hasRole } from '../roles.ts'
import { findProgram, isRefusal } from './access.ts'
import { dayOf } from '../calendar.ts'
import { dueOf, payableOf, readBook } from './claims.ts'
import { settled } from './events.ts'
import { bookTable, claimTable, settlementTable } from './keys.ts'
import { budgetMax, settleBatchMax } from './limits.ts'
import { move } from './sums.ts'
import { type SettlementItem, settlePayload } from './types.ts'

export const settle = kind({
  kind: 'points.settle',
  summary: 'settles merchants’ claims under a payment reference of the bank, all or none',
  payload: settlePayload,
  apply: (context, { payment, cutOffDay, items }) => {
    const { view, block, transaction } = context
    if (view.get(settlementTable, payment) !== undefined) return refuse('points/payment-exists', { payment })
    const today = dayOf(block.timeMs)
    if (cutOffDay !== undefined && cutOffDay >= today) return refuse('points/cut-off-open', { cutOffDay, today })
    const allowed = new Set<string>()
    for (const item of items) {
      const denied = allowed.has(item.program) ? undefined : checkSettler(context, item.program)
      if (denied !== undefined) return denied
      allowed.add(item.program)
      const refusal = settleOne(context, payment, cutOffDay, item)
      if (refusal !== undefined) return refusal
    }
    const amount = items.reduce((total, item) => total + item.amount, 0)
    assert(amount <= settleBatchMax * budgetMax && Number.isSafeInteger(amount), 'a settlement within the budgets')
    view.put(settlementTable, [payment], { settler: transaction.sender, height: block.height, timeMs: block.timeMs, amount: amount as Won, cutOffDay, items })
    return undefined
  },
})

export function checkSettler({ view, block, transaction }: Context, program: string): Refusal | undefined {
  return hasRole(view, transaction.sender, 'settler', program, block.timeMs) ? undefined : refuse('points/not-settler', { program })
}

function settleOne(context: Context, payment: string, cutOffDay: number | undefined, { merchant, program: id, claim: number, amount }: SettlementItem): Refusal | undefined {
  const { view, emit, transaction } = context
  const program = findProgram(view, id)
  if (isRefusal(program)) return program
  const claim = view.get(claimTable, id, merchant, number)
  if (claim === undefined) return refuse('points/unknown-claim', { merchant, claim: number })
  if (claim.payment !== undefined) return refuse('points/claim-settled', { merchant, claim: number, payment: claim.payment })
  if (cutOffDay !== undefined && claim.day > cutOffDay) return refuse('points/after-cut-off', { merchant, claim: number, day: claim.day, cutOffDay })
  const due = dueOf(claim)
  const book = readBook(view, merchant, id)
  const { netted, payable } = payableOf(due, book.owed)
  if (payable !== amount) return refuse('points/claim-amount-differs', { merchant, claim: number, due, netted, payable, amount })
  view.put(claimTable, [id, merchant, number], { ...claim, netted, payment })
  if (netted > 0) view.put(bookTable, [merchant, id], { ...book, owed: (book.owed - netted) as Won })
  move(context, program, 'settled', due, { owed: 0 - netted, paid: payable })
  emit(settled({ program: id, merchant, claim: number, amount, netted, payment, settler: transaction.sender }))
  return undefined
}
