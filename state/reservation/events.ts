// What happened, for those who follow: each event carries the living area, and each change of seats how many are left.
import type { Won } from '../../primitives/brand.ts'
import { boolean, did, hash, integer, oneOf, optional, slug, text, timeMs, token } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { day } from './pattern.ts'
import { capacityMax, category, entrantsMax, priceMax, timetableSlotsMax, waitlistMax } from './types.ts'

const where = { slot: slug, facility: slug, livingArea: slug } as const
const counts = { seatsLeft: integer(0, capacityMax), waiting: integer(0, waitlistMax) } as const
const paid = integer<Won>(1, priceMax)

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
export const reserved = event('reservation.reserved', 'A seat was reserved.', { ...where, did, number: integer(1), paid: optional(paid), ...counts })
export const waitlisted = event('reservation.waitlisted', 'The slot was full; a place in line was taken.', { ...where, did, number: integer(1), place: integer(1, waitlistMax) })
export const promoted = event('reservation.promoted', 'The first in line got a free seat; with heldUntilMs, to be confirmed before then.', { ...where, did, number: integer(1), heldUntilMs: optional(timeMs), ...counts })
export const cancelled = event('reservation.cancelled', 'A seat, a place in line or a lot was given up, and what had not come back of a payment came back.', { ...where, did, wasWaiting: boolean, refunded: optional(paid), ...counts })
export const checkedIn = event('reservation.checkedIn', 'A holder came.', { ...where, did, by: did })
export const missed = event('reservation.missed', 'A holder did not come.', { ...where, did, by: did })
export const timetableOpened = event('reservation.timetableOpened', 'Slots were opened by a pattern; reservation_slots lists them.', {
  facility: slug,
  livingArea: slug,
  course: optional(slug),
  prefix: slug,
  slots: integer(1, timetableSlotsMax),
  firstStartsMs: timeMs,
  lastStartsMs: timeMs,
})
export const slotAmended = event('reservation.slotAmended', 'The seats of a slot or the length of its waitlist were changed.', { ...where, capacity: integer(1, capacityMax), waitlistMax: integer(0, waitlistMax), ...counts })
export const daysClosed = event('reservation.daysClosed', 'A facility is closed on some days; its slots that begin on them are void.', { facility: slug, livingArea: slug, firstDay: day, lastDay: day, by: did, reason: text(1, 200) })
export const held = event('reservation.held', 'A seat is kept until a time.', { ...where, did, number: integer(1), heldUntilMs: timeMs, ...counts })
export const confirmed = event('reservation.confirmed', 'A seat that was kept was confirmed.', { ...where, did, number: integer(1), paid: optional(paid), ...counts })
export const lapsed = event('reservation.lapsed', 'A seat that was kept was not confirmed in time.', { ...where, did, ...counts })
export const entered = event('reservation.entered', 'A lot was taken.', { ...where, did, number: integer(1), entered: integer(1, entrantsMax) })
export const registrationEnded = event('reservation.registrationEnded', 'Registration for a lottery ended; the hash of this block goes into its seed.', { ...where, entered: integer(0, entrantsMax) })
export const secretShown = event('reservation.secretShown', 'A party of a lottery showed its secret; with the last the seed is known.', { ...where, by: did, seed: optional(hash) })
export const drawn = event('reservation.drawn', 'A lot was drawn; with heldUntilMs the seat is to be confirmed before then.', { ...where, did, order: integer(1, entrantsMax), outcome: oneOf('seat', 'line', 'lost'), heldUntilMs: optional(timeMs) })
export const drawFailed = event('reservation.drawFailed', 'A secret for a lottery was withheld: the slot is closed.', { ...where, missing: did })
export const refunded = event('reservation.refunded', 'A slot was closed; what was paid for a seat came back, as far as the merchant had not given it back before, and the seat is given up.', { ...where, did, amount: integer<Won>(0, priceMax) })
export const refundRefused = event('reservation.refundRefused', 'What was paid for a seat of a closed slot could not be given back yet; the holder cancels to try again.', { ...where, did, amount: paid, code: token(/[a-z]+\/[a-z-]+/, 60, 'a code') })

export const reservationEvents = [
  facilityRegistered,
  facilityClosed,
  slotOpened,
  timetableOpened,
  slotAmended,
  slotClosed,
  daysClosed,
  reserved,
  waitlisted,
  promoted,
  held,
  confirmed,
  lapsed,
  cancelled,
  refunded,
  refundRefused,
  entered,
  registrationEnded,
  secretShown,
  drawn,
  drawFailed,
  checkedIn,
  missed,
]
