// What the queries answer with: records joined for a reader, with the counters of a slot made plain.
import { did, type Infer, integer, list, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
import type { ReadView } from '../view.ts'
import { courseTable } from './keys.ts'
import { findSlot, type Found, isVoid, readSeats, seatsLeft } from './slots.ts'
import { absences, capacityMax, closing, courseFields, drawFields, entrantsMax, names, paid, type Seat, seatStates, slotFields, waitlistMax } from './types.ts'

const count = integer(0, capacityMax)
const slotState = oneOf('open', 'closed')

export const slotAnswer = record({
  id: slug,
  facility: slug,
  livingArea: slug,
  course: optional(record({ id: slug, title: names, perPersonMax: integer(1, 1_000) })),
  /** The claim asked for, by an attestation for this purpose. */
  qualification: optional(slug),
  startsMs: timeMs,
  endsMs: timeMs,
  opensMs: timeMs,
  closesMs: timeMs,
  cancelUntilMs: timeMs,
  capacity: count,
  seatsLeft: count,
  confirmed: count,
  /** Kept for someone until a time. */
  held: count,
  attended: count,
  absent: count,
  waiting: integer(0, waitlistMax),
  waitlistMax: integer(0, waitlistMax),
  /** In the lottery, not drawn yet. */
  entered: integer(0, entrantsMax),
  price: slotFields.price,
  lottery: slotFields.lottery,
  meets: slotFields.meets,
  /** Closed by itself, with its day or with its facility: what is reserved is void. */
  state: slotState,
  closed: optional(closing),
})
export type SlotAnswer = Infer<typeof slotAnswer>

export const seatAnswer = record({
  slot: slug,
  did,
  facility: slug,
  livingArea: slug,
  startsMs: timeMs,
  endsMs: timeMs,
  cancelUntilMs: timeMs,
  slotState,
  state: oneOf(...seatStates),
  /** Place in the order of arrival at the slot. */
  number: integer(1),
  atMs: timeMs,
  /** Place in line now; in reservation_seat only. */
  place: optional(integer(1, waitlistMax)),
  /** To be confirmed before then. */
  heldUntilMs: optional(timeMs),
  paid: optional(paid),
})
export type SeatAnswer = Infer<typeof seatAnswer>

/** How far a lottery is. With the hash of the block at `height`, the secrets in this order give the seed: see lottery.ts. */
export const drawAnswer = record({ slot: slug, entered: integer(0, entrantsMax), commitments: slotFields.lottery, ...drawFields, missing: list(did, 0, 4) })

export const courseAnswer = record({ id: slug, ...courseFields })

/** Whether a DID may reserve: it may not until blockedUntilMs. */
export const standingAnswer = record({ did, absences: optional(absences), blockedUntilMs: optional(timeMs) })

const stateOf = (found: Found): 'open' | 'closed' => (isVoid(found) ? 'closed' : 'open')

export function answerSlot(view: ReadView, id: string): SlotAnswer | undefined {
  const found = findSlot(view, id)
  if (found === undefined) return undefined
  const { slot, facility } = found
  const seats = readSeats(view, id)
  const course = slot.course === undefined ? undefined : view.get(courseTable, slot.course)
  const closed = found.closed ?? facility.closed
  return {
    id,
    facility: slot.facility,
    livingArea: facility.livingArea,
    ...(slot.course !== undefined && course !== undefined && { course: { id: slot.course, title: course.title, perPersonMax: course.perPersonMax } }),
    ...(slot.qualification !== undefined && { qualification: slot.qualification }),
    startsMs: slot.startsMs,
    endsMs: slot.endsMs,
    opensMs: slot.opensMs,
    closesMs: slot.closesMs,
    cancelUntilMs: slot.cancelUntilMs,
    capacity: slot.capacity,
    seatsLeft: seatsLeft(slot, seats),
    confirmed: seats.confirmed,
    held: seats.held,
    attended: seats.attended,
    absent: seats.absent,
    waiting: seats.waiting,
    waitlistMax: slot.waitlistMax,
    entered: seats.entered,
    ...(slot.price !== undefined && { price: slot.price }),
    ...(slot.lottery !== undefined && { lottery: slot.lottery }),
    ...(slot.meets !== undefined && { meets: slot.meets }),
    state: stateOf(found),
    ...(closed !== undefined && { closed }),
  }
}

export function answerSeat(view: ReadView, holder: SeatAnswer['did'], id: string, { state, number, atMs, heldUntilMs, paid: by }: Seat): SeatAnswer | undefined {
  const found = findSlot(view, id)
  if (found === undefined) return undefined
  const { facility, startsMs, endsMs, cancelUntilMs } = found.slot
  return { slot: id, did: holder, facility, livingArea: found.facility.livingArea, startsMs, endsMs, cancelUntilMs, slotState: stateOf(found), state, number, atMs, ...(heldUntilMs !== undefined && { heldUntilMs }), ...(by !== undefined && { paid: by }) }
}
