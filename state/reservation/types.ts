// What reservations are about: living areas, facilities, courses, slots and the seats of persons; and the payloads of the kinds.
// Positions are whole microdegrees (WGS 84), so that no rule ever meets a fraction. Nothing here names a person but by DID or pseudonym.
import type { Won } from '../../primitives/brand.ts'
import { boolean, bytes, did, hash, height, type Infer, integer, list, oneOf, optional, record, refine, slug, timeMs, transactionId } from '../../primitives/schema.ts'
import { attestation } from '../credential/attestation.ts'
import { madeUpName, publicText } from '../public-text.ts'
import { dayMs, hourMs } from '../calendar.ts'
import { day, meetsFields, patternFault, patternFields } from './pattern.ts'
import { ringFault } from './geometry.ts'

/** Slots opened by one transaction: fits the transaction's bytes and its events. */
export const slotsPerTransactionMax = 500
/** Slots opened by one timetable. */
export const timetableSlotsMax = 2_000
/** Days closed by one transaction. */
export const closedDaysMax = 31
/** Slots with a price that begin on one day in one facility: bounds the row that a closing day reads. */
export const pricedSlotsADayMax = 500
/** Signers of a lottery’s opening who each commit to a secret; a transaction has no more signers. */
export const lotteryPartiesMax = 4
/** Who enters a lottery. */
export const entrantsMax = 100_000
/** The secrets of a lottery must be shown within this time of the end of its registration. */
export const revealMs = dayMs
/** Absences remembered of one DID. */
export const absencesMax = 10
export const priceMax = 100_000_000
/** Bounds the walk that tells a place in line. */
export const waitlistMax = 1_000
export const capacityMax = 100_000
export const livingAreasMax = 200
export const genesisFacilitiesMax = 5_000
const ringPointsMax = 64
const slotLengthMsMax = 366 * dayMs
/** What the date and time of a slot’s name leave of it. */
const prefixMax = 50
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
  id: madeUpName(slug),
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
export type Closing = Infer<typeof closing>

export const facility = record({
  ...facilityFields,
  /** Absent for those of the genesis. */
  registeredBy: optional(did),
  registeredAtHeight: height,
  closed: optional(closing),
})
export type Facility = Infer<typeof facility>

export const price = record({
  amount: integer<Won>(1, priceMax),
  /** Takes the points: a merchant registered with the points family. */
  merchant: did,
})

/** Who takes part in the seed of a lottery: SHA-256 of a secret that nobody else knows until registration has ended (lottery.ts). */
export const commitment = record({ by: did, hash })
export type Commitment = Infer<typeof commitment>

const parties = refine(list(commitment, 2, lotteryPartiesMax), (each) => (distinct(each.map(({ by }) => by)) ? undefined : 'commitments of different signers'))

export const courseFields = {
  facility: slug,
  title: names,
  /** Seats, places in line and lots that one person may hold in it at a time. */
  perPersonMax: integer(1, 1_000),
  /** The claim that an attestation for `reservation:<course>` must bear. */
  qualification: optional(slug),
} as const
export const course = record(courseFields)
export type Course = Infer<typeof course>

export const slotFields = {
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
  price: optional(price),
  /** Seats and the line are drawn by lot among all who ask in time; else who comes first. */
  lottery: optional(parties),
  /** When a slot that is a whole term meets: for its readers, no rule asks. */
  meets: optional(record(meetsFields)),
} as const

export const slotDefinition = refine(record({ id: madeUpName(slug), ...slotFields }), (value) => {
  if (value.endsMs <= value.startsMs || value.endsMs - value.startsMs > slotLengthMsMax) return 'endsMs after startsMs, by at most 366 days'
  if (value.closesMs <= value.opensMs || value.closesMs > value.endsMs) return 'closesMs after opensMs and not after endsMs'
  if (value.lottery !== undefined && value.closesMs + revealMs > value.startsMs) return 'closesMs a day before startsMs, for the secrets of the lottery'
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

/** The counters of a slot; no record yet means all zero. confirmed + held + attended + absent never passes the capacity. */
export const seats = record({
  confirmed: integer(0, capacityMax),
  /** Kept for someone until a time, not confirmed. */
  held: integer(0, capacityMax),
  attended: integer(0, capacityMax),
  absent: integer(0, capacityMax),
  waiting: integer(0, waitlistMax),
  /** In the lottery, not drawn yet; and those who have paid, whom a closing refunds. Lengths of their rosters (roster.ts). */
  entered: integer(0, entrantsMax),
  payers: integer(0, capacityMax),
  /** Numbers given out so far: each reservation gets the next, in the order of the chain. */
  numbers: integer(),
  /** The ends of the waitlist, a list linked through the rows of those who wait. */
  first: optional(did),
  last: optional(did),
})
export type Seats = Infer<typeof seats>

/** entered: in the lottery · held: kept until heldUntilMs · lapsed: held and not confirmed in time · lost: not drawn. */
export const seatStates = ['confirmed', 'waiting', 'cancelled', 'attended', 'absent', 'entered', 'held', 'lapsed', 'lost'] as const

export const paid = record({ purchase: transactionId, amount: integer<Won>(1, priceMax) })

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
  heldUntilMs: optional(timeMs),
  /** What was taken for the seat, by which purchase. */
  paid: optional(paid),
  /** Place in the roster of the entrants or of the payers. */
  index: optional(integer(0, entrantsMax)),
})
export type Seat = Infer<typeof seat>

/** How far a lottery is: the block whose hash is in the seed, the secrets shown so far, in the order of the commitments, and the seed once all are there. */
export const drawFields = {
  height,
  secrets: list(record({ by: did, secret: bytes(32, 32) }), 0, lotteryPartiesMax),
  seed: optional(hash),
  drawn: integer(0, entrantsMax),
  done: boolean,
} as const
export const draw = record(drawFields)
export type Draw = Infer<typeof draw>

/** When a DID did not come, oldest first. */
export const absences = list(record({ slot: slug, atMs: timeMs }), 1, absencesMax)
export type Absences = Infer<typeof absences>

const settingsFields = {
  /** A seat taken by reservation.hold is kept so long. */
  holdMs: integer(60_000, dayMs),
  /** A seat with a price that somebody is given from the line or by lot is kept so long for the payment. */
  offerMs: integer(60_000, 30 * dayMs),
  /** So many absences within absenceWindowMs, and the DID reserves nothing new until blockMs after the last; 0: no such rule. */
  absencesMax: integer(0, absencesMax),
  absenceWindowMs: integer(dayMs, 366 * dayMs),
  blockMs: integer(dayMs, 366 * dayMs),
} as const
/** The same for all facilities of the city. */
export const settings = record(settingsFields)
export type Settings = Infer<typeof settings>
/** Some of them, within the same bounds, as governance decides. */
export const settingsChange = refine(record({ holdMs: optional(settingsFields.holdMs), offerMs: optional(settingsFields.offerMs), absencesMax: optional(settingsFields.absencesMax), absenceWindowMs: optional(settingsFields.absenceWindowMs), blockMs: optional(settingsFields.blockMs) }), (change) => (Object.values(change).some((value) => value !== undefined) ? undefined : 'at least one setting'))
export type SettingsChange = Infer<typeof settingsChange>

/** `current` with what the change names. */
export function changedSettings(current: Settings, change: SettingsChange): Settings {
  return {
    holdMs: change.holdMs ?? current.holdMs,
    offerMs: change.offerMs ?? current.offerMs,
    absencesMax: change.absencesMax ?? current.absencesMax,
    absenceWindowMs: change.absenceWindowMs ?? current.absenceWindowMs,
    blockMs: change.blockMs ?? current.blockMs,
  }
}

/** Of a genesis that names no settings. */
export const settingsDefault: Settings = { holdMs: 10 * 60_000, offerMs: dayMs, absencesMax: 3, absenceWindowMs: 90 * dayMs, blockMs: 30 * dayMs }

// Payloads, by kind.
export const registerFacilityPayload = facilityDefinition
export const closeFacilityPayload = record({ facility: slug, reason: publicText(1, 200) })

const courseOfSlots = {
  /** The slots are the sessions of this course; it is opened with them, or named again exactly as it is. */
  course: optional(record({ id: madeUpName(slug), title: names, perPersonMax: integer(1, 1_000) })),
  /** The claim asked of everyone who reserves, by an attestation for `reservation:<course, or else facility>`. */
  qualification: optional(slug),
} as const
export const openSlotsPayload = record({ facility: slug, ...courseOfSlots, slots: list(slotDefinition, 1, slotsPerTransactionMax) })
const beforeStart = integer(0, 366 * dayMs)
/** Many slots of one kind, expanded by the chain (timetable.ts): on each of the weekdays from firstDay to lastDay, at each of the times. */
export const openTimetablePayload = refine(
  record({
    facility: slug,
    ...courseOfSlots,
    /** The slots are named `<prefix>-<yyyymmdd>-<hhmm>`, in Korean time. */
    prefix: madeUpName(slug),
    ...patternFields,
    /** Reservations open at this time, or so long before each slot. */
    opensMs: optional(timeMs),
    opensBeforeMs: optional(beforeStart),
    /** How long before each slot reservations end, and cancelling does. */
    closesBeforeMs: beforeStart,
    cancelBeforeMs: beforeStart,
    capacity: integer(1, capacityMax),
    waitlistMax: integer(0, waitlistMax),
    price: optional(price),
  }),
  (value) => {
    if (value.prefix.length > prefixMax) return `a prefix of at most ${prefixMax} characters`
    if ((value.opensMs === undefined) === (value.opensBeforeMs === undefined)) return 'either opensMs or opensBeforeMs'
    if (value.opensBeforeMs !== undefined && value.opensBeforeMs <= value.closesBeforeMs) return 'opensBeforeMs above closesBeforeMs'
    return patternFault(value, timetableSlotsMax)
  },
)
/** Fields left out stay. */
export const amendSlotPayload = refine(record({ slot: slug, capacity: optional(integer(1, capacityMax)), waitlistMax: optional(integer(0, waitlistMax)) }), (value) =>
  value.capacity === undefined && value.waitlistMax === undefined ? 'a capacity or a waitlistMax' : undefined,
)
export const closeSlotPayload = record({ slot: slug, reason: publicText(1, 200) })
export const closeDaysPayload = refine(record({ facility: slug, firstDay: day, lastDay: day, reason: publicText(1, 200) }), ({ firstDay, lastDay }) =>
  lastDay < firstDay || lastDay - firstDay >= closedDaysMax ? `lastDay not before firstDay, and at most ${closedDaysMax} days` : undefined,
)
export const holdPayload = record({ slot: slug, attestation: optional(attestation) })
export const reservePayload = record({
  slot: slug,
  attestation: optional(attestation),
  /** Taken with the seat, both or neither: not for a place in line or in a lottery. */
  payment: optional(
    record({
      program: slug,
      /** Passes: refuse if the citizen would have to pay more than this. */
      ownShareMax: optional(integer<Won>(0, priceMax)),
    }),
  ),
})
export const cancelPayload = record({ slot: slug })
export const revealPayload = record({ slot: slug, secret: bytes(32, 32) })
export const attendancePayload = record({ slot: slug, did })

export type RegisterFacility = Infer<typeof registerFacilityPayload>
export type CloseFacility = Infer<typeof closeFacilityPayload>
export type OpenSlots = Infer<typeof openSlotsPayload>
export type OpenTimetable = Infer<typeof openTimetablePayload>
export type AmendSlot = Infer<typeof amendSlotPayload>
export type CloseDays = Infer<typeof closeDaysPayload>
export type Hold = Infer<typeof holdPayload>
export type Reveal = Infer<typeof revealPayload>
export type CloseSlot = Infer<typeof closeSlotPayload>
export type Reserve = Infer<typeof reservePayload>
export type Cancel = Infer<typeof cancelPayload>
export type Attendance = Infer<typeof attendancePayload>

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length
}

export const genesisSection = refine(record({ livingAreas: list(livingArea, 0, livingAreasMax), facilities: list(facilityDefinition, 0, genesisFacilitiesMax), settings: optional(settings) }), ({ livingAreas, facilities }) => {
  const areas: ReadonlySet<string> = new Set(livingAreas.map(({ id }) => id))
  if (!distinct([...livingAreas, ...facilities].map(({ id }) => id))) return 'ids of living areas and facilities that differ'
  const stray = facilities.find((item) => !areas.has(item.livingArea))
  return stray === undefined ? undefined : `a living area of the list for the facility ${stray.id}`
})
export type ReservationGenesis = Infer<typeof genesisSection>

