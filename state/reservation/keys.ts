// Where the family keeps what. Each list of the queries is a prefix of one of these tables.
import { did, type Infer, integer, list, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import { absences, closing, course, draw, facility, livingArea, pricedSlotsADayMax, seat, seats, settings, slot } from './types.ts'

const mark = record({})

/** reservation.area/<living area> */
export const areaTable = table('reservation.area', livingArea)
/** reservation.facility/<facility> */
export const facilityTable = table('reservation.facility', facility)
/** reservation.facilityByArea/<living area>/<facility> */
export const facilityByAreaTable = table('reservation.facilityByArea', mark)
/** reservation.facilityByCategory/<category>/<facility> */
export const facilityByCategoryTable = table('reservation.facilityByCategory', mark)
/** reservation.course/<course> */
export const courseTable = table('reservation.course', course)
/** reservation.slot/<slot> */
export const slotTable = table('reservation.slot', slot)
/** reservation.slotByStart/<facility>/<startsMs>/<slot> */
export const slotByStartTable = table('reservation.slotByStart', mark)
/** reservation.seats/<slot>: the counters and the ends of the waitlist */
export const seatsTable = table('reservation.seats', seats)
/** reservation.seat/<did>/<slot>: a person's row */
export const seatTable = table('reservation.seat', seat)
/** reservation.holder/<slot>/<did>: who has a row in the slot that is not cancelled */
export const holderTable = table('reservation.holder', mark)
/** reservation.person/<slot>/<pseudonym>: the DID under which a qualified person holds a seat or waits */
export const personTable = table('reservation.person', record({ did }))
/** reservation.held/<course>/<person>: seats and places in line of one person in a course, the person being a pseudonym where a qualification is asked for, else a DID */
export const heldTable = table('reservation.held', record({ count: integer(1) }))
/** reservation.entrant/<slot>/<index> and reservation.payer/<slot>/<index>: the rosters */
export const entrantTable = table('reservation.entrant', record({ did }))
export const payerTable = table('reservation.payer', record({ did }))
/** reservation.draw/<slot>: of a lottery whose registration has ended */
export const drawTable = table('reservation.draw', draw)
/** reservation.closedDay/<facility>/<day> */
export const closedDayTable = table('reservation.closedDay', closing)
/** reservation.pricedDay/<facility>/<day>: the slots with a price that begin on the day; of a closed day, those whose refunds are not taken up yet */
export const pricedDayTable = table('reservation.pricedDay', list(slug, 1, pricedSlotsADayMax))
/** reservation.absences/<did> */
export const absencesTable = table('reservation.absences', absences)
/** reservation.settings/current */
export const settingsTable = table('reservation.settings', settings)

/**
 * What a block is to do by itself, once its time has come. It says where to look: what is there may have changed.
 * hold: end a hold · draw: end the registration of a lottery · secrets: end the time for its secrets · lots: draw · fill: seats for those in line ·
 * refund: the payers of a closed slot · refundDay: those of the slots of a closed day.
 */
export const dueItem = record({ what: oneOf('hold', 'draw', 'secrets', 'lots', 'fill', 'refund', 'refundDay'), of: slug, did: optional(did), day: optional(integer()) })
export type DueItem = Infer<typeof dueItem>
/** reservation.due/<place>: a binary heap by time, then by number; place 1 is the next */
export const dueTable = table('reservation.due', record({ atMs: timeMs, number: integer(1), item: dueItem }))
/** reservation.dueEnd/heap: how many there are, and the last number given */
export const dueEndTable = table('reservation.dueEnd', record({ size: integer(), last: integer() }))

export const present = {} as const
