// What happened, for those who follow: each event carries the living area, and each change of seats how many are left.
import { boolean, did, integer, slug, timeMs, optional, text } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { capacityMax, category, waitlistMax } from './types.ts'

const where = { slot: slug, facility: slug, livingArea: slug } as const
const counts = { seatsLeft: integer(0, capacityMax), waiting: integer(0, waitlistMax) } as const

export const facilityRegistered = event('reservation.facilityRegistered', 'A public facility was registered.', { facility: slug, livingArea: slug, category, by: did })
export const facilityClosed = event('reservation.facilityClosed', 'A facility was closed: no new slots, no new reservations.', { facility: slug, livingArea: slug, by: did, reason: text(1, 200) })
export const slotOpened = event('reservation.slotOpened', 'A slot was opened.', { ...where, course: optional(slug), startsMs: timeMs, endsMs: timeMs, opensMs: timeMs, capacity: integer(1, capacityMax) })
export const slotClosed = event('reservation.slotClosed', 'A slot was closed; its seats and places in line are void.', {
  ...where,
  confirmed: integer(0, capacityMax),
  waiting: integer(0, waitlistMax),
  by: did,
  reason: text(1, 200),
})
export const reserved = event('reservation.reserved', 'A seat was reserved.', { ...where, did, number: integer(1), ...counts })
export const waitlisted = event('reservation.waitlisted', 'The slot was full; a place in line was taken.', { ...where, did, number: integer(1), place: integer(1, waitlistMax) })
export const promoted = event('reservation.promoted', 'The first in line got the seat that was freed.', { ...where, did, number: integer(1), ...counts })
export const cancelled = event('reservation.cancelled', 'A seat or a place in line was given up.', { ...where, did, wasWaiting: boolean, ...counts })
export const checkedIn = event('reservation.checkedIn', 'A holder came.', { ...where, did, by: did })
export const missed = event('reservation.missed', 'A holder did not come.', { ...where, did, by: did })

export const reservationEvents = [facilityRegistered, facilityClosed, slotOpened, slotClosed, reserved, waitlisted, promoted, cancelled, checkedIn, missed]
