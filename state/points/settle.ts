// points.settle: the bank has paid, or pays, claims of many merchants under one payment reference. All of the batch or none; each claim once,
// and for exactly what it comes to, so that the bank's books and the chain say the same.
import type { Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { hasRole } from '../roles.ts'
import { findProgram, isRefusal } from './access.ts'
import { dueOf } from './claims.ts'
import { settled } from './events.ts'
import { claimTable, settlementTable } from './keys.ts'
import { budgetMax, settleBatchMax } from './limits.ts'
import { move } from './sums.ts'
import { type SettlementItem, settlePayload } from './types.ts'

export const settle = kind({
  kind: 'points.settle',
  summary: 'settles merchants’ claims under a payment reference of the bank, all or none',
  payload: settlePayload,
  apply: (context, { payment, items }) => {
    const { view, block, transaction } = context
    if (view.get(settlementTable, payment) !== undefined) return refuse('points/payment-exists', { payment })
    const allowed = new Set<string>()
    for (const item of items) {
      if (!allowed.has(item.program) && !hasRole(view, transaction.sender, 'settler', item.program, block.timeMs)) return refuse('points/not-settler', { program: item.program })
      allowed.add(item.program)
      const refusal = settleOne(context, payment, item)
      if (refusal !== undefined) return refusal
    }
    const amount = items.reduce((total, item) => total + item.amount, 0)
    assert(amount <= settleBatchMax * budgetMax && Number.isSafeInteger(amount), 'a settlement within the budgets')
    view.put(settlementTable, [payment], { settler: transaction.sender, height: block.height, timeMs: block.timeMs, amount: amount as Won, items })
    return undefined
  },
})

function settleOne({ view, emit, transaction }: Context, payment: string, { merchant, program: id, claim: number, amount }: SettlementItem): Refusal | undefined {
  const program = findProgram(view, id)
  if (isRefusal(program)) return program
  const claim = view.get(claimTable, id, merchant, number)
  if (claim === undefined) return refuse('points/unknown-claim', { merchant, claim: number })
  if (claim.payment !== undefined) return refuse('points/claim-settled', { merchant, claim: number, payment: claim.payment })
  const due = dueOf(claim)
  if (due !== amount) return refuse('points/claim-amount-differs', { merchant, claim: number, due, amount })
  view.put(claimTable, [id, merchant, number], { ...claim, payment })
  move(view, program, 'unsettled', 'settled', amount)
  emit(settled({ program: id, merchant, claim: number, amount, payment, settler: transaction.sender }))
  return undefined
}
