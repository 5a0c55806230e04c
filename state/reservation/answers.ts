// What the queries answer with: records joined for a reader, with the counters of a slot made plain.
import { did, type Infer, integer, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
import type { ReadView } from '../view.ts'
import { courseTable } from './keys.ts'
import { findSlot, type Found, readSeats, seatsLeft } from './slots.ts'
import { capacityMax, closing, names, type Seat, seatStates, waitlistMax } from './types.ts'

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
  attended: count,
  absent: count,
  waiting: integer(0, waitlistMax),
  waitlistMax: integer(0, waitlistMax),
  /** Closed by itself or with its facility: what is reserved is void. */
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
})
export type SeatAnswer = Infer<typeof seatAnswer>

const stateOf = ({ slot, facility }: Found): 'open' | 'closed' => (slot.closed === undefined && facility.closed === undefined ? 'open' : 'closed')

export function answerSlot(view: ReadView, id: string): SlotAnswer | undefined {
  const found = findSlot(view, id)
  if (found === undefined) return undefined
  const { slot, facility } = found
  const seats = readSeats(view, id)
  const course = slot.course === undefined ? undefined : view.get(courseTable, slot.course)
  const closed = slot.closed ?? facility.closed
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
    attended: seats.attended,
    absent: seats.absent,
    waiting: seats.waiting,
    waitlistMax: slot.waitlistMax,
    state: stateOf(found),
    ...(closed !== undefined && { closed }),
  }
}

export function answerSeat(view: ReadView, holder: SeatAnswer['did'], id: string, { state, number, atMs }: Seat): SeatAnswer | undefined {
  const found = findSlot(view, id)
  if (found === undefined) return undefined
  const { facility, startsMs, endsMs, cancelUntilMs } = found.slot
  return { slot: id, did: holder, facility, livingArea: found.facility.livingArea, startsMs, endsMs, cancelUntilMs, slotState: stateOf(found), state, number, atMs }
}
