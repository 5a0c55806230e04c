// Points for a seat: taken in the transaction that gets it and given back in the one that gives it up, both or neither, by the rules of the points family.
import type { Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext, Context, Refusal } from '../family.ts'
import { refuse } from '../family.ts'
import { credit, refundableOf } from '../points/refund.ts'
import { debit } from '../points/spend.ts'
import type { Reserve, Seat, Slot } from './types.ts'

type Paid = NonNullable<Seat['paid']>

/** Takes the price of a slot that has one. */
export function takePayment(context: Context, { price }: Slot, payment: Reserve['payment']): Paid | Refusal | undefined {
  if (price === undefined) return undefined
  if (payment === undefined) return refuse('reservation/payment-required', { amount: price.amount })
  const { sender, id } = context.transaction
  return debit(context, { ...payment, purchase: id, citizen: sender, merchant: price.merchant, amount: price.amount }) ?? { purchase: id, amount: price.amount }
}

/** Gives back all of it that the merchant has not given back by itself: how much that was. A refusal has changed nothing. */
export function giveBack(context: BlockContext, { price }: Slot, { purchase }: Paid): Won | Refusal {
  assert(price !== undefined, 'a slot with a payment has its price')
  const { merchant } = price
  const amount = refundableOf(context.view, merchant, purchase)
  return amount === 0 ? amount : (credit(context, { purchase, merchant, amount }) ?? amount)
}
