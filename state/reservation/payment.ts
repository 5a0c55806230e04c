// Points for a seat: taken in the transaction that gets it and given back in the one that gives it up, both or neither, by the rules of the points family.
import type { BlockContext, Context, Refusal } from '../family.ts'
import { refuse } from '../family.ts'
import { credit } from '../points/refund.ts'
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

/** Gives all of it back. A refusal has changed nothing. */
export function giveBack(context: BlockContext, { price }: Slot, { purchase, amount }: Paid): Refusal | undefined {
  return price === undefined ? undefined : credit(context, { purchase, merchant: price.merchant, amount })
}
