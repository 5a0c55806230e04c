// points.refund, and `credit` for another family's own transaction: the merchant gives back a purchase or a part of it, also after the grant has
// expired (lapse.ts says what becomes of it) and after the bank has paid (then the merchant owes it to the bank, see claims.ts).
import type { Did, TransactionId, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { type BlockContext, kind, type Refusal, refuse } from '../family.ts'
import type { ReadView } from '../view.ts'
import { findProgram, isRefusal } from './access.ts'
import { takeFromClaim } from './claims.ts'
import { refunded } from './events.ts'
import { readAccount, undo } from './grants.ts'
import { accountTable, purchaseTable } from './keys.ts'
import { settleBack } from './lapse.ts'
import { move } from './sums.ts'
import { refundPayload } from './types.ts'

export interface Credit {
  readonly purchase: TransactionId
  readonly merchant: Did
  /** Of the price. */
  readonly amount: Won
  readonly reason?: string | undefined
}

export const refund = kind({
  kind: 'points.refund',
  summary: 'gives back a purchase or a part of it, by the merchant that was paid',
  payload: refundPayload,
  apply: (context, payload) => credit(context, { ...payload, merchant: context.transaction.sender }),
})

/** What of a purchase has not been given back. */
export function refundableOf(view: ReadView, merchant: Did, purchase: TransactionId): Won {
  const row = view.get(purchaseTable, merchant, toBase64url(purchase))
  return ((row?.price ?? 0) - (row?.refunded ?? 0)) as Won
}

/** Gives back to the grants that paid, by all rules of points.refund. On a refusal the caller must drop its own writes too. */
export function credit(context: BlockContext, { purchase: id, merchant, amount, reason }: Credit): Refusal | undefined {
  const { view, emit } = context
  const purchaseRow = [merchant, toBase64url(id)] as const
  const purchase = view.get(purchaseTable, ...purchaseRow)
  if (purchase === undefined) return refuse('points/unknown-purchase')
  const refundable = purchase.price - purchase.refunded
  if (amount > refundable) return refuse('points/over-refund', { refundable })
  const program = findProgram(view, purchase.program)
  assert(!isRefusal(program), `programme ${purchase.program} of a purchase`)

  const { citizen } = purchase
  const { account, parts, excess, back, funded, own } = undo(readAccount(view, program.id, citizen), purchase, 'spent', amount)
  const movement = takeFromClaim(view, merchant, program, purchase.claim, funded)
  if (typeof movement !== 'string') return movement
  view.put(purchaseTable, purchaseRow, { ...purchase, refunded: (purchase.refunded + amount) as Won, parts, excess })
  move(context, program, movement, funded, { ownPaid: -own, owed: movement === 'refundedPaid' ? funded : 0 })
  emit(refunded({ program: program.id, did: citizen, merchant, purchase: id, funded: funded as Won, own: own as Won, wasPaid: movement === 'refundedPaid', reason }))
  view.put(accountTable, [program.id, citizen], settleBack(context, program, citizen, account, back, true))
  return undefined
}
