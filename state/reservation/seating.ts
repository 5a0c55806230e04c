// Giving seats: at once, or kept for a time until they are confirmed; and moving up from the line.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import type { WriteView } from '../view.ts'
import { readSettings } from './absences.ts'
import { putDue } from './due.ts'
import { promoted } from './events.ts'
import { enrol } from './roster.ts'
import { type Found, isVoid, seatsLeft, whereOf } from './slots.ts'
import type { Seat, Seats, Slot } from './types.ts'
import { leaveLine, putRow, unlinked, waitingRow } from './waitlist.ts'

/** What of a row stays the same from state to state. */
export type Entry = Pick<Seat, 'number' | 'atMs' | 'pseudonym'>

export function entryOf({ number, atMs, pseudonym }: Entry): Entry {
  return { number, atMs, ...(pseudonym !== undefined && { pseudonym }) }
}

export function confirmSeat(view: WriteView, id: string, holder: Did, entry: Entry, seats: Seats, paid: Seat['paid']): Seats {
  const after = { ...seats, confirmed: seats.confirmed + 1 }
  putRow(view, id, holder, { ...entry, state: 'confirmed', ...(paid !== undefined && { paid, index: seats.payers }) })
  return paid === undefined ? after : enrol(view, 'payers', id, after, holder)
}

/** The seat is taken, and free again at `untilMs` unless it is confirmed before. */
export function keepSeat(view: WriteView, id: string, holder: Did, entry: Entry, seats: Seats, untilMs: TimeMs): Seats {
  putRow(view, id, holder, { ...entry, state: 'held', heldUntilMs: untilMs })
  putDue(view, untilMs, { what: 'hold', of: id, did: holder })
  return { ...seats, held: seats.held + 1 }
}

/** A seat for one who did not ask in this transaction: a seat with a price is kept for the payment. */
export function giveSeat({ block, view }: BlockContext, id: string, slot: Slot, holder: Did, entry: Entry, seats: Seats): { readonly seats: Seats; readonly heldUntilMs?: TimeMs } {
  if (slot.price === undefined) return { seats: confirmSeat(view, id, holder, entry, seats, undefined) }
  const heldUntilMs = Math.min(block.timeMs + readSettings(view).offerMs, slot.startsMs) as TimeMs
  return { seats: keepSeat(view, id, holder, entry, seats, heldUntilMs), heldUntilMs }
}

/** True while someone in line can be given a seat: there is one, and the slot takes place and has not begun. */
export function canMoveUp({ block }: BlockContext, found: Found, seats: Seats): boolean {
  return seats.first !== undefined && seatsLeft(found.slot, seats) > 0 && !isVoid(found) && block.timeMs < found.slot.startsMs
}

/** Gives a free seat to the first in line, if that can be. Who waits has passed every check when joining. Returns the counters to write. */
export function moveUp(context: BlockContext, id: string, found: Found, seats: Seats): Seats {
  const { first } = seats
  if (first === undefined || !canMoveUp(context, found, seats)) return seats
  const row = waitingRow(context.view, id, first)
  assert(row.previous === undefined, 'nobody before the first in line')
  const { seats: after, ...until } = giveSeat(context, id, found.slot, first, entryOf(unlinked(row)), leaveLine(context.view, id, seats, row))
  context.emit(promoted({ ...whereOf(id, found), did: first, number: row.number, ...until, seatsLeft: seatsLeft(found.slot, after), waiting: after.waiting }))
  return after
}
