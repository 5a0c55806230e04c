// Reservations: living areas, public facilities and the seats of their slots. Capacity is never passed; who comes first in the chain comes
// first in line, and what is freed goes to the next in line by itself.
import { family } from '../family.ts'
import { cancel } from './cancel.ts'
import { checkIn } from './check-in.ts'
import { closeFacility } from './close-facility.ts'
import { closeSlot } from './close-slot.ts'
import { reservationCodes } from './codes.ts'
import { reservationEvents } from './events.ts'
import { reservationGenesis } from './genesis.ts'
import { noShow } from './no-show.ts'
import { openSlots } from './open-slots.ts'
import { reservationQueries } from './queries.ts'
import { registerFacility } from './register-facility.ts'
import { reserve } from './reserve.ts'

export const reservationFamily = family({
  name: 'reservation',
  kinds: [registerFacility, closeFacility, openSlots, closeSlot, reserve, cancel, checkIn, noShow],
  events: reservationEvents,
  codes: reservationCodes,
  queries: reservationQueries,
  genesis: reservationGenesis,
})
