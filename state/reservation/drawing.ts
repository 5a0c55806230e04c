// What blocks do for a lottery by themselves: end its registration, end the time for its secrets, and draw, a bounded number of lots at a time: a
// shuffle (Durstenfeld, CACM 1964) of the roster of entrants from its seed. Who is drawn gets a seat, then a place in line, then nothing.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { putDue } from './due.ts'
import { drawFailed, drawn, registrationEnded } from './events.ts'
import { drawTable, seatsTable, seatTable, slotTable } from './keys.ts'
import { drawnPlace, missingParties } from './lottery.ts'
import { dropHolding } from './persons.ts'
import { enrolledAt, strike } from './roster.ts'
import { entryOf, giveSeat } from './seating.ts'
import { findSlot, type Found, isVoid, readSeats, seatsLeft, whereOf } from './slots.ts'
import { revealMs, type Seats } from './types.ts'
import { joinLine, putRow } from './waitlist.ts'

/** The block that this happens in is the one whose hash goes into the seed. Without entrants there is nothing to draw. */
export function endRegistration({ block, view, emit }: BlockContext, id: string): void {
  const found = openSlot(view, id)
  if (found === undefined) return
  const { entered } = readSeats(view, id)
  view.put(drawTable, [id], { height: block.height, secrets: [], drawn: 0, done: entered === 0 })
  emit(registrationEnded({ ...whereOf(id, found), entered }))
  if (entered > 0) putDue(view, (block.timeMs + revealMs) as TimeMs, { what: 'secrets', of: id })
}

/** Why such a slot is closed. */
export const secretWithheld = '추첨 비밀값 미공개 (the secret for the lottery was not shown)'

/** A secret that is withheld closes the slot: whoever knows all the others must gain nothing by waiting with the last. */
export function endSecrets({ block, view, emit }: BlockContext, id: string): void {
  const found = openSlot(view, id)
  const draw = view.get(drawTable, id)
  if (found === undefined || draw === undefined || draw.seed !== undefined) return
  const [missing] = missingParties(found.slot.lottery ?? [], draw)
  assert(missing !== undefined, `a secret of ${id} that is missing`)
  view.put(slotTable, [id], { ...found.slot, closed: { by: missing, atMs: block.timeMs, reason: secretWithheld } })
  emit(drawFailed({ ...whereOf(id, found), missing }))
}

/** Draws up to `stepsMax` lots. True while there are more. */
export function drawLots(context: BlockContext, id: string, stepsMax: number): { readonly steps: number; readonly more: boolean } {
  const { view } = context
  const found = openSlot(view, id)
  const draw = view.get(drawTable, id)
  if (found === undefined || draw?.seed === undefined) return { steps: 1, more: false }
  let seats = readSeats(view, id)
  let steps = 0
  for (; steps < stepsMax && seats.entered > 0; steps++) {
    const holder = enrolledAt(view, 'entered', id, drawnPlace(draw.seed, draw.drawn + steps, seats.entered))
    seats = drawOne(context, id, found, holder, draw.drawn + steps + 1, seats)
  }
  view.put(seatsTable, [id], seats)
  view.put(drawTable, [id], { ...draw, drawn: draw.drawn + steps, done: seats.entered === 0 })
  return { steps: Math.max(1, steps), more: seats.entered > 0 }
}

function drawOne(context: BlockContext, id: string, found: Found, holder: Did, order: number, before: Seats): Seats {
  const { view, emit } = context
  const { slot } = found
  const row = view.get(seatTable, holder, id)
  assert(row?.state === 'entered' && row.index !== undefined, `an entrant of ${id}`)
  const entry = entryOf(row)
  const seats = strike(view, 'entered', id, before, row.index)
  const told = { ...whereOf(id, found), did: holder, order }
  if (seatsLeft(slot, seats) > 0) {
    const { seats: after, ...until } = giveSeat(context, id, slot, holder, entry, seats)
    emit(drawn({ ...told, outcome: 'seat', ...until }))
    return after
  }
  if (seats.waiting < slot.waitlistMax) {
    emit(drawn({ ...told, outcome: 'line' }))
    return joinLine(view, id, seats, holder, entry)
  }
  putRow(view, id, holder, { ...entry, state: 'lost' })
  dropHolding(view, id, slot, { holder, ...(row.pseudonym !== undefined && { pseudonym: row.pseudonym }) })
  emit(drawn({ ...told, outcome: 'lost' }))
  return seats
}

/** The slot, if it takes place. */
function openSlot(view: BlockContext['view'], id: string): Found | undefined {
  const found = findSlot(view, id)
  assert(found !== undefined, `slot ${id} of the queue`)
  return isVoid(found) ? undefined : found
}
