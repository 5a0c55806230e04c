// Where the family keeps what. Each list of the queries is a prefix of one of these tables.
import { did, integer, record } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import { course, facility, livingArea, seat, seats, slot } from './types.ts'

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

export const present = {} as const
