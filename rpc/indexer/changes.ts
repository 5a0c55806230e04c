// From an event of the chain to what it changes on the map. Pure: an event and the transaction that it came from say everything, so the same events
// give the same rows, whenever and from whichever node they are read.
import { DongbaekError, unreachable } from '../../primitives/errors.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import type { Event, EventType, Kind } from '../../state/family.ts'
import { secretWithheld } from '../../state/reservation/drawing.ts'
import {
  cancelled,
  checkedIn,
  confirmed,
  daysClosed,
  drawFailed,
  drawn,
  entered,
  facilityClosed,
  facilityRegistered,
  held,
  lapsed,
  missed,
  promoted,
  refunded,
  refundRefused,
  registrationEnded,
  reserved,
  secretShown,
  slotAmended,
  slotClosed,
  slotOpened,
  timetableOpened,
  waitlisted,
} from '../../state/reservation/events.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { openTimetable, slotsOf } from '../../state/reservation/open-timetable.ts'
import { registerFacility } from '../../state/reservation/register-facility.ts'
import type { FacilityDefinition, OpenSlots, SlotDefinition } from '../../state/reservation/types.ts'

/** An event of the feed with what it stands on. */
export interface Occurrence {
  readonly height: number
  readonly timeMs: number
  readonly event: Event
  /** Of the kinds in `needsTransaction`; absent for what a block did by itself. */
  readonly transaction?: ReadyTransaction
}

export interface Closing {
  readonly atMs: number
  readonly reason: string
}

export type Course = NonNullable<OpenSlots['course']>

export type Change =
  | { readonly what: 'facility'; readonly facility: FacilityDefinition; readonly height: number }
  | { readonly what: 'facilityClosed'; readonly facility: string; readonly closing: Closing }
  | { readonly what: 'course'; readonly facility: string; readonly course: Course; readonly qualification: string | undefined }
  /** Those of them that begin on no closed day; as many as the chain says. */
  | { readonly what: 'slots'; readonly of: Pick<OpenSlots, 'facility' | 'qualification'> & { readonly course: string | undefined }; readonly slots: readonly SlotDefinition[]; readonly opened: number }
  | { readonly what: 'seats'; readonly slot: string; readonly seatsLeft: number; readonly waiting: number }
  | { readonly what: 'waiting'; readonly slot: string; readonly waiting: number }
  /** By how many more or fewer. */
  | { readonly what: 'shift'; readonly slot: string; readonly seatsLeft: number; readonly waiting: number }
  | { readonly what: 'slotAmended'; readonly slot: string; readonly capacity: number; readonly waitlistMax: number }
  | { readonly what: 'slotClosed'; readonly slot: string; readonly closing: Closing }
  | { readonly what: 'daysClosed'; readonly facility: string; readonly firstDay: number; readonly lastDay: number; readonly closing: Closing }

/** Events that only say that something came to be: what it is stands in the transaction. */
export const needsTransaction: ReadonlySet<string> = new Set([facilityRegistered.type, slotOpened.type, timetableOpened.type])

type Reader = (at: Occurrence) => readonly Change[]

function on<T extends Event>({ type }: EventType<T>, read: (event: T, at: Occurrence) => readonly Change[]): readonly [string, Reader] {
  // an event of this type has been read by the schema of this type
  return [type, (at) => read(at.event as T, at)]
}

const none = (): readonly Change[] => []
const seats = ({ slot, seatsLeft, waiting }: { readonly slot: string; readonly seatsLeft: number; readonly waiting: number }): readonly Change[] => [{ what: 'seats', slot, seatsLeft, waiting }]

const readers: ReadonlyMap<string, Reader> = new Map([
  on(facilityRegistered, ({ facility: id }, at) => {
    const facility = payloadOf(at, registerFacility)
    if (facility.id !== id) throw eventFault(at, `the transaction registers ${facility.id}, not ${id}`)
    return [{ what: 'facility', facility, height: at.height }]
  }),
  on(facilityClosed, ({ facility, reason }, { timeMs }) => [{ what: 'facilityClosed', facility, closing: { atMs: timeMs, reason } }]),
  on(slotOpened, ({ slot: id }, at) => {
    const payload = payloadOf(at, openSlots)
    const slot = payload.slots.find((one) => one.id === id)
    if (slot === undefined) throw eventFault(at, `the transaction opens no slot ${id}`)
    return opened(payload, [slot], 1)
  }),
  on(timetableOpened, ({ slots }, at) => {
    const payload = payloadOf(at, openTimetable)
    return opened(payload, slotsOf(payload, () => false), slots)
  }),
  on(slotAmended, ({ slot, capacity, waitlistMax, ...counts }) => [{ what: 'slotAmended', slot, capacity, waitlistMax }, ...seats({ slot, ...counts })]),
  on(slotClosed, ({ slot, reason }, { timeMs }) => [{ what: 'slotClosed', slot, closing: { atMs: timeMs, reason } }]),
  on(drawFailed, ({ slot }, { timeMs }) => [{ what: 'slotClosed', slot, closing: { atMs: timeMs, reason: secretWithheld } }]),
  on(daysClosed, ({ facility, firstDay, lastDay, reason }, { timeMs }) => [{ what: 'daysClosed', facility, firstDay, lastDay, closing: { atMs: timeMs, reason } }]),
  on(reserved, seats),
  on(promoted, seats),
  on(cancelled, seats),
  on(held, seats),
  on(confirmed, seats),
  on(lapsed, seats),
  on(waitlisted, ({ slot, place }) => [{ what: 'waiting', slot, waiting: place }]),
  on(refunded, ({ slot }) => [{ what: 'shift', slot, seatsLeft: 1, waiting: 0 }]),
  on(drawn, ({ slot, outcome }) => {
    switch (outcome) {
      case 'seat':
        return [{ what: 'shift', slot, seatsLeft: -1, waiting: 0 }]
      case 'line':
        return [{ what: 'shift', slot, seatsLeft: 0, waiting: 1 }]
      case 'lost':
        return []
      default:
        return unreachable(outcome)
    }
  }),
  // seats that are used or missed stay taken, and a lottery takes none before it is drawn
  on(checkedIn, none),
  on(missed, none),
  on(entered, none),
  on(registrationEnded, none),
  on(secretShown, none),
  on(refundRefused, none),
])

/** Throws `indexer/events` for an event that is unknown here or does not fit its transaction. */
export function changesOf(at: Occurrence): readonly Change[] {
  const read = readers.get(at.event.type)
  if (read === undefined) throw eventFault(at, 'this version of the indexer does not know it. Use the release that the network runs')
  return read(at)
}

function opened(payload: Pick<OpenSlots, 'facility' | 'course' | 'qualification'>, slots: readonly SlotDefinition[], count: number): readonly Change[] {
  const { facility, course, qualification } = payload
  const rows: Change = { what: 'slots', of: { facility, course: course?.id, qualification }, slots, opened: count }
  return course === undefined ? [rows] : [{ what: 'course', facility, course, qualification }, rows]
}

function payloadOf<P>(at: Occurrence, { kind }: Pick<Kind<P>, 'kind'> & { readonly payload: Kind<P>['payload'] }): P {
  if (at.transaction?.kind.kind !== kind) throw eventFault(at, `it comes from no transaction of the kind ${kind}`)
  // decoded by the schema of this kind
  return at.transaction.payload
}

export function eventFault({ height, event }: Pick<Occurrence, 'height' | 'event'>, why: string): DongbaekError {
  return new DongbaekError('indexer/events', `the event ${event.type} of block ${height}: ${why}`, { height, type: event.type })
}
