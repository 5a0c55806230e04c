// reservation.cancel: gives up a seat, a place in line or a lot. A freed seat goes to the first in line, and what was paid comes back, in the same
// transaction. Of a slot that does not take place everything can be given up at any time.
import { unreachable } from '../../primitives/errors.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { cancelled } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { giveBack } from './payment.ts'
import { dropHolding } from './persons.ts'
import { strike } from './roster.ts'
import { entryOf, moveUp } from './seating.ts'
import { findSlot, type Found, isDrawing, isVoid, readSeats, seatsLeft, whereOf } from './slots.ts'
import { type Cancel, cancelPayload, type Seat, type Seats } from './types.ts'
import { leaveLine, putRow } from './waitlist.ts'

export const cancel = kind({
  kind: 'reservation.cancel',
  summary: 'Gives up the sender’s seat, place in line or lot; a freed seat goes to the first in line, points that were paid come back.',
  payload: cancelPayload,
  apply: (context: Context, { slot: id }: Cancel): Refusal | undefined => {
    const { block, transaction, view, emit } = context
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    const row = view.get(seatTable, transaction.sender, id)
    if (row === undefined) return refuse('reservation/no-reservation', { slot: id })
    const after = withdraw(context, id, found, row)
    if ('code' in after) return after
    const { paid } = row
    const back = paid === undefined ? undefined : giveBack(context, found.slot, paid)
    if (typeof back === 'object') return back
    putRow(view, id, transaction.sender, { ...entryOf(row), atMs: block.timeMs, state: row.state === 'held' ? 'lapsed' : 'cancelled' })
    dropHolding(view, id, found.slot, { holder: transaction.sender, ...(row.pseudonym !== undefined && { pseudonym: row.pseudonym }) })
    const wasWaiting = row.state === 'waiting'
    emit(cancelled({ ...whereOf(id, found), did: transaction.sender, wasWaiting, ...(back !== undefined && back > 0 && { refunded: back }), seatsLeft: seatsLeft(found.slot, after), waiting: after.waiting }))
    view.put(seatsTable, [id], moveUp(context, id, found, after))
    return undefined
  },
})

/** The counters without the row, which the caller writes. */
function withdraw({ block, view }: Context, id: string, found: Found, row: Seat): Seats | Refusal {
  const { slot } = found
  const seats = readSeats(view, id)
  switch (row.state) {
    case 'waiting':
      return leaveLine(view, id, seats, row)
    case 'held':
      return { ...seats, held: seats.held - 1 }
    case 'entered':
      if (isDrawing(view, id, slot, block) && !isVoid(found)) return refuse('reservation/drawing', { slot: id })
      return strike(view, 'entered', id, seats, row.index ?? 0)
    case 'confirmed': {
      if (block.timeMs > slot.cancelUntilMs && !isVoid(found)) return refuse('reservation/too-late-to-cancel', { cancelUntilMs: slot.cancelUntilMs })
      const freed = { ...seats, confirmed: seats.confirmed - 1 }
      // who paid and is no longer on the roster was passed by when the slot was closed, and is given back now
      return row.index === undefined ? freed : strike(view, 'payers', id, freed, row.index)
    }
    case 'cancelled':
    case 'lapsed':
    case 'lost':
    case 'attended':
    case 'absent':
      return refuse('reservation/no-reservation', { slot: id })
    default:
      return unreachable(row.state)
  }
}
