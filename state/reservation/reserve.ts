// reservation.reserve: a seat, or a place in line when all are taken. The place in the chain is the place in line. In a lottery, a lot; and for
// whoever has a seat kept, its confirmation. A seat with a price is paid for in the same transaction, both or neither.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { admit } from './admission.ts'
import { confirmed, entered, reserved, waitlisted } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { takePayment } from './payment.ts'
import { enterHolding, type Holding } from './persons.ts'
import { enrol } from './roster.ts'
import { confirmSeat, type Entry, entryOf } from './seating.ts'
import { findSlot, type Found, isVoid, readSeats, seatsLeft, whereOf } from './slots.ts'
import { entrantsMax, type Reserve, reservePayload, type Seat } from './types.ts'
import { joinLine, putRow } from './waitlist.ts'

export const reserve = kind({
  kind: 'reservation.reserve',
  summary: 'Reserves a seat for the sender, or confirms the one that is kept; joins the waitlist when the slot is full, or the lottery of a slot that has one.',
  payload: reservePayload,
  apply: (context: Context, payload: Reserve): Refusal | undefined => {
    const { transaction, view } = context
    const { slot: id, attestation, payment } = payload
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    if (payment !== undefined && found.slot.price === undefined) return refuse('reservation/nothing-to-pay', { slot: id })
    const row = view.get(seatTable, transaction.sender, id)
    if (row?.state === 'held') return confirmHeld(context, payload, found, row)
    const admitted = admit(context, id, found, attestation)
    if ('code' in admitted) return admitted
    return found.slot.lottery === undefined ? takeSeat(context, payload, found, admitted) : enterLottery(context, id, found, admitted)
  },
})

function newEntry({ block }: Context, { pseudonym }: Holding, number: number): Entry {
  return entryOf({ number, atMs: block.timeMs, pseudonym })
}

/** Who comes first is first: while others wait for a seat that has come free, nobody passes them. */
function takeSeat(context: Context, { slot: id, payment }: Reserve, found: Found, holding: Holding): Refusal | undefined {
  const { block, view, emit } = context
  const { slot } = found
  const before = readSeats(view, id)
  const left = seatsLeft(slot, before)
  const mustWait = left === 0 || (before.waiting > 0 && block.timeMs < slot.startsMs)
  if (mustWait && before.waiting >= slot.waitlistMax) return refuse('reservation/full', { capacity: slot.capacity, waiting: before.waiting })
  const number = before.numbers + 1
  const entry = newEntry(context, holding, number)
  const who = { ...whereOf(id, found), did: holding.holder, number }
  if (mustWait) {
    const after = joinLine(view, id, { ...before, numbers: number }, holding.holder, entry)
    view.put(seatsTable, [id], after)
    emit(waitlisted({ ...who, place: after.waiting }))
  } else {
    const paid = takePayment(context, slot, payment)
    if (paid !== undefined && 'code' in paid) return paid
    view.put(seatsTable, [id], confirmSeat(view, id, holding.holder, entry, { ...before, numbers: number }, paid))
    emit(reserved({ ...who, ...(paid !== undefined && { paid: paid.amount }), seatsLeft: left - 1, waiting: before.waiting }))
  }
  enterHolding(view, id, slot, holding)
  return undefined
}

function enterLottery(context: Context, id: string, found: Found, holding: Holding): Refusal | undefined {
  const { view, emit } = context
  const before = readSeats(view, id)
  if (before.entered >= entrantsMax) return refuse('reservation/full', { capacity: found.slot.capacity, waiting: before.entered })
  const number = before.numbers + 1
  putRow(view, id, holding.holder, { ...newEntry(context, holding, number), state: 'entered', index: before.entered })
  const after = enrol(view, 'entered', id, { ...before, numbers: number }, holding.holder)
  view.put(seatsTable, [id], after)
  enterHolding(view, id, found.slot, holding)
  emit(entered({ ...whereOf(id, found), did: holding.holder, number, entered: after.entered }))
  return undefined
}

/** It has passed every check when it was taken, and its time runs past the end of the window. */
function confirmHeld(context: Context, { slot: id, payment }: Reserve, found: Found, row: Seat): Refusal | undefined {
  const { block, transaction, view, emit } = context
  const { slot } = found
  if (isVoid(found)) return refuse('reservation/slot-closed', { slot: id })
  if (row.heldUntilMs !== undefined && block.timeMs >= row.heldUntilMs) return refuse('reservation/hold-expired', { heldUntilMs: row.heldUntilMs })
  const paid = takePayment(context, slot, payment)
  if (paid !== undefined && 'code' in paid) return paid
  const before = readSeats(view, id)
  const after = confirmSeat(view, id, transaction.sender, entryOf(row), { ...before, held: before.held - 1 }, paid)
  view.put(seatsTable, [id], after)
  emit(confirmed({ ...whereOf(id, found), did: transaction.sender, number: row.number, ...(paid !== undefined && { paid: paid.amount }), seatsLeft: seatsLeft(slot, after), waiting: after.waiting }))
  return undefined
}
