// reservation.hold: keeps a seat for some minutes, while its holder pays or asks the family; reservation.reserve confirms it. Once for each person and
// slot in a row: whoever let one lapse reserves at once or not at all, so that nobody can keep a seat from others for nothing.
import type { TimeMs } from '../../primitives/brand.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { readSettings } from './absences.ts'
import { admit } from './admission.ts'
import { held } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { enterHolding } from './persons.ts'
import { entryOf, keepSeat } from './seating.ts'
import { findSlot, readSeats, seatsLeft, whereOf } from './slots.ts'
import { type Hold, holdPayload } from './types.ts'

export const hold = kind({
  kind: 'reservation.hold',
  summary: 'Keeps a free seat for the sender for some minutes, to be confirmed by reservation.reserve.',
  payload: holdPayload,
  apply: (context: Context, { slot: id, attestation }: Hold): Refusal | undefined => {
    const { block, transaction, view, emit } = context
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    const { slot } = found
    if (slot.lottery !== undefined) return refuse('reservation/by-lottery', { slot: id })
    if (view.get(seatTable, transaction.sender, id)?.state === 'lapsed') return refuse('reservation/held-before', { slot: id })
    const admitted = admit(context, id, found, attestation)
    if ('code' in admitted) return admitted
    const before = readSeats(view, id)
    if (seatsLeft(slot, before) === 0 || before.waiting > 0) return refuse('reservation/no-seat-to-hold', { waiting: before.waiting })

    const number = before.numbers + 1
    const heldUntilMs = Math.min(block.timeMs + readSettings(view).holdMs, slot.closesMs) as TimeMs
    const entry = entryOf({ number, atMs: block.timeMs, pseudonym: admitted.pseudonym })
    const after = keepSeat(view, id, transaction.sender, entry, { ...before, numbers: number }, heldUntilMs)
    view.put(seatsTable, [id], after)
    enterHolding(view, id, slot, admitted)
    emit(held({ ...whereOf(id, found), did: transaction.sender, number, heldUntilMs, seatsLeft: seatsLeft(slot, after), waiting: after.waiting }))
    return undefined
  },
})
