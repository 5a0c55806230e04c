// reservation.cancel: gives up a seat or a place in line. A freed seat goes to the first in line, in the same transaction.
import { assert } from '../../primitives/errors.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import type { WriteView } from '../view.ts'
import { cancelled, promoted } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { dropHolding } from './persons.ts'
import { findSlot, type Found, isVoid, readSeats, seatsLeft, whereOf } from './slots.ts'
import { type Cancel, cancelPayload, type Seats } from './types.ts'
import { leaveLine, putRow, unlinked, waitingRow } from './waitlist.ts'

export const cancel = kind({
  kind: 'reservation.cancel',
  summary: 'Gives up the sender’s seat or place in line; a freed seat goes to the first in line.',
  payload: cancelPayload,
  apply: ({ block, transaction, view, emit }: Context, { slot: id }: Cancel): Refusal | undefined => {
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    const { slot } = found
    const row = view.get(seatTable, transaction.sender, id)
    if (row === undefined || (row.state !== 'confirmed' && row.state !== 'waiting')) return refuse('reservation/no-reservation', { slot: id })
    const wasWaiting = row.state === 'waiting'
    if (!wasWaiting && block.timeMs > slot.cancelUntilMs && !isVoid(found)) return refuse('reservation/too-late-to-cancel', { cancelUntilMs: slot.cancelUntilMs })

    const before = readSeats(view, id)
    const after = wasWaiting ? leaveLine(view, id, before, row) : { ...before, confirmed: before.confirmed - 1 }
    putRow(view, id, transaction.sender, { ...unlinked(row), state: 'cancelled', atMs: block.timeMs })
    dropHolding(view, id, slot, { holder: transaction.sender, ...(row.pseudonym !== undefined && { pseudonym: row.pseudonym }) })
    emit(cancelled({ ...whereOf(id, found), did: transaction.sender, wasWaiting, seatsLeft: seatsLeft(slot, after), waiting: after.waiting }))
    view.put(seatsTable, [id], wasWaiting || isVoid(found) ? after : moveUp(view, id, found, after, emit))
    return undefined
  },
})

/** Gives the freed seat to the first in line, if anyone waits. Who waits has passed every check when joining. */
function moveUp(view: WriteView, id: string, found: Found, seats: Seats, emit: Context['emit']): Seats {
  const { first } = seats
  if (first === undefined) return seats
  const row = waitingRow(view, id, first)
  assert(row.previous === undefined, 'nobody before the first in line')
  const shorter = leaveLine(view, id, seats, row)
  const after = { ...shorter, confirmed: shorter.confirmed + 1 }
  putRow(view, id, first, { ...unlinked(row), state: 'confirmed' })
  emit(promoted({ ...whereOf(id, found), did: first, number: row.number, seatsLeft: seatsLeft(found.slot, after), waiting: after.waiting }))
  return after
}
