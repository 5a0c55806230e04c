// What reservations are about: living areas, facilities, courses, slots and the seats of persons; and the payloads of the kinds.
// Positions are whole microdegrees (WGS 84), so that no rule ever meets a fraction. Nothing here names a person but by DID or pseudonym.
import { bytes, did, hash, height, type Infer, integer, list, oneOf, optional, record, refine, slug, timeMs } from '../../primitives/schema.ts'
import { attestation } from '../credential/attestation.ts'
import { publicText } from '../public-text.ts'
import { ringFault } from './geometry.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Slots opened by one transaction: fits the transaction's bytes and its events. */
export const slotsPerTransactionMax = 500
/** Bounds the walk that tells a place in line. */
export const waitlistMax = 1_000
export const capacityMax = 100_000
export const livingAreasMax = 200
export const genesisFacilitiesMax = 5_000
const ringPointsMax = 64
const slotLengthMsMax = 366 * dayMs
/** A holder may be checked in this long before the slot begins. */
export const checkInEarlyMs = 2 * hourMs
/** Attendance may be entered or set right until this long after the end. */
export const attendanceLateMs = 7 * dayMs

/** A point in Korea, in microdegrees. */
export const position = record({ longitude: integer(124_000_000, 132_000_000), latitude: integer(33_000_000, 39_000_000) })
export type Position = Infer<typeof position>

/** A name in Korean, and in English where there is one. */
export const names = record({ ko: publicText(1, 120), en: optional(publicText(1, 160)) })

/** A simple polygon, anticlockwise, the first point not repeated at the end. */
const ring = refine(list(position, 3, ringPointsMax), ringFault)

export const livingArea = record({
  id: slug,
  name: record({ ko: publicText(1, 60), en: publicText(1, 80) }),
  /** The gu or gun it lies in. */
  district: record({ ko: publicText(1, 40), en: publicText(1, 60) }),
  centre: position,
  polygon: ring,
})
export type LivingArea = Infer<typeof livingArea>

export const categories = ['citizen-centre', 'community-centre', 'library', 'sports', 'children', 'lecture', 'culture', 'youth', 'senior', 'welfare', 'park'] as const
export const category = oneOf(...categories)
export type Category = Infer<typeof category>

const facilityFields = {
  id: slug,
  livingArea: slug,
  category,
  title: names,
  position,
  /** Salted hash of the contact details, which are kept outside the chain. */
  contactHash: optional(hash),
  /** A further operator scope that may run it, such as the office in charge of all libraries. */
  operatorScope: optional(slug),
} as const

export const facilityDefinition = record(facilityFields)
export type FacilityDefinition = Infer<typeof facilityDefinition>

export const closing = record({ by: did, atMs: timeMs, reason: publicText(1, 200) })

export const facility = record({
  ...facilityFields,
  /** Absent for those of the genesis. */
  registeredBy: optional(did),
  registeredAtHeight: height,
  closed: optional(closing),
})
export type Facility = Infer<typeof facility>

export const course = record({
  facility: slug,
  title: names,
  /** Seats and places in line that one person may hold in it at a time. */
  perPersonMax: integer(1, 1_000),
  /** The claim that an attestation for `reservation:<course>` must bear. */
  qualification: optional(slug),
})
export type Course = Infer<typeof course>

const slotFields = {
  startsMs: timeMs,
  endsMs: timeMs,
  /** Reservations are taken from here … */
  opensMs: timeMs,
  /** … until before here. */
  closesMs: timeMs,
  /** The last moment to give a seat back. */
  cancelUntilMs: timeMs,
  capacity: integer(1, capacityMax),
  waitlistMax: integer(0, waitlistMax),
} as const

export const slotDefinition = refine(record({ id: slug, ...slotFields }), (value) => {
  if (value.endsMs <= value.startsMs || value.endsMs - value.startsMs > slotLengthMsMax) return 'endsMs after startsMs, by at most 366 days'
  if (value.closesMs <= value.opensMs || value.closesMs > value.endsMs) return 'closesMs after opensMs and not after endsMs'
  return value.cancelUntilMs > value.startsMs ? 'cancelUntilMs not after startsMs' : undefined
})
export type SlotDefinition = Infer<typeof slotDefinition>

export const slot = record({
  facility: slug,
  course: optional(slug),
  qualification: optional(slug),
  ...slotFields,
  closed: optional(closing),
})
export type Slot = Infer<typeof slot>

/** The counters of a slot; no record yet means all zero. confirmed + attended + absent never passes the capacity. */
export const seats = record({
  confirmed: integer(0, capacityMax),
  attended: integer(0, capacityMax),
  absent: integer(0, capacityMax),
  waiting: integer(0, waitlistMax),
  /** Numbers given out so far: each reservation gets the next, in the order of the chain. */
  numbers: integer(),
  /** The ends of the waitlist, a list linked through the rows of those who wait. */
  first: optional(did),
  last: optional(did),
})
export type Seats = Infer<typeof seats>

export const seatStates = ['confirmed', 'waiting', 'cancelled', 'attended', 'absent'] as const

/** One person's row in one slot. */
export const seat = record({
  state: oneOf(...seatStates),
  /** Place in the order of arrival at this slot, from 1. */
  number: integer(1),
  atMs: timeMs,
  /** Where a qualification is asked for: the same for one person, whatever DID. */
  pseudonym: optional(bytes(32, 32)),
  /** Neighbours in the waitlist, while waiting. */
  previous: optional(did),
  next: optional(did),
})
export type Seat = Infer<typeof seat>

// Payloads, by kind.
export const registerFacilityPayload = facilityDefinition
export const closeFacilityPayload = record({ facility: slug, reason: publicText(1, 200) })
export const openSlotsPayload = record({
  facility: slug,
  /** The slots are the sessions of this course; it is opened with them, or named again exactly as it is. */
  course: optional(record({ id: slug, title: names, perPersonMax: integer(1, 1_000) })),
  /** The claim asked of everyone who reserves, by an attestation for `reservation:<course, or else facility>`. */
  qualification: optional(slug),
  slots: list(slotDefinition, 1, slotsPerTransactionMax),
})
export const closeSlotPayload = record({ slot: slug, reason: publicText(1, 200) })
export const reservePayload = record({ slot: slug, attestation: optional(attestation) })
export const cancelPayload = record({ slot: slug })
export const attendancePayload = record({ slot: slug, did })

export type RegisterFacility = Infer<typeof registerFacilityPayload>
export type CloseFacility = Infer<typeof closeFacilityPayload>
export type OpenSlots = Infer<typeof openSlotsPayload>
export type CloseSlot = Infer<typeof closeSlotPayload>
export type Reserve = Infer<typeof reservePayload>
export type Cancel = Infer<typeof cancelPayload>
export type Attendance = Infer<typeof attendancePayload>

const distinct = (values: readonly string[]): boolean => new Set(values).size === values.length

export const genesisSection = refine(record({ livingAreas: list(livingArea, 0, livingAreasMax), facilities: list(facilityDefinition, 0, genesisFacilitiesMax) }), ({ livingAreas, facilities }) => {
  const areas: ReadonlySet<string> = new Set(livingAreas.map(({ id }) => id))
  if (!distinct([...livingAreas, ...facilities].map(({ id }) => id))) return 'ids of living areas and facilities that differ'
  const stray = facilities.find((item) => !areas.has(item.livingArea))
  return stray === undefined ? undefined : `a living area of the list for the facility ${stray.id}`
})
export type ReservationGenesis = Infer<typeof genesisSection>

