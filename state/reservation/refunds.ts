// Refunds of a closed slot, by the chain itself: each payer who has not been there is given back what the merchant has not given back by itself, and the seat is given up. Where the points family
// refuses, the seat stays, void, with what was paid: its holder cancels and is given back once the merchant's account covers it.
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { refunded, refundRefused } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { giveBack } from './payment.ts'
import { dropHolding } from './persons.ts'
import { enrolledAt, offRoster, strike } from './roster.ts'
import { entryOf } from './seating.ts'
import { findSlot, readSeats, whereOf } from './slots.ts'
import type { Seats } from './types.ts'
import { putRow } from './waitlist.ts'

export function refundPayers(context: BlockContext, id: string, stepsMax: number): { readonly steps: number; readonly more: boolean } {
  const { view } = context
  let seats = readSeats(view, id)
  let steps = 0
  for (; steps < stepsMax && seats.payers > 0; steps++) seats = refundLast(context, id, seats)
  if (steps > 0) view.put(seatsTable, [id], seats)
  return { steps: Math.max(1, steps), more: seats.payers > 0 }
}

function refundLast(context: BlockContext, id: string, before: Seats): Seats {
  const { view, emit } = context
  const found = findSlot(view, id)
  const index = before.payers - 1
  const holder = enrolledAt(view, 'payers', id, index)
  const row = view.get(seatTable, holder, id)
  assert(found !== undefined && row?.paid !== undefined, `a payer of ${id}`)
  const seats = strike(view, 'payers', id, before, index)
  const told = { ...whereOf(id, found), did: holder }
  const back = row.state === 'confirmed' ? giveBack(context, found.slot, row.paid) : undefined
  if (typeof back !== 'number') {
    putRow(view, id, holder, offRoster(row))
    if (back !== undefined) emit(refundRefused({ ...told, amount: row.paid.amount, code: back.code }))
    return seats
  }
  putRow(view, id, holder, { ...entryOf(row), state: 'cancelled' })
  dropHolding(view, id, found.slot, { holder, ...(row.pseudonym !== undefined && { pseudonym: row.pseudonym }) })
  emit(refunded({ ...told, amount: back }))
  return { ...seats, confirmed: seats.confirmed - 1 }
}
