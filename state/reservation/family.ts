// Reservations: living areas, public facilities and the seats of their slots. Capacity is never passed; who comes first in the chain comes
// first in line, and what is freed goes to the next in line by itself.
import { family } from '../family.ts'
import { amendSlot } from './amend-slot.ts'
import { beginBlock } from './begin-block.ts'
import { cancel } from './cancel.ts'
import { checkIn } from './check-in.ts'
import { closeDays } from './close-days.ts'
import { closeFacility } from './close-facility.ts'
import { closeSlot } from './close-slot.ts'
import { reservationCodes } from './codes.ts'
import { reservationEvents } from './events.ts'
import { reservationGenesis } from './genesis.ts'
import { hold } from './hold.ts'
import { noShow } from './no-show.ts'
import { openSlots } from './open-slots.ts'
import { openTimetable } from './open-timetable.ts'
import { reservationQueries } from './queries.ts'
import { registerFacility } from './register-facility.ts'
import { reserve } from './reserve.ts'
import { reveal } from './reveal.ts'

export const reservationFamily = family({
  name: 'reservation',
  kinds: [registerFacility, closeFacility, openSlots, openTimetable, amendSlot, closeSlot, closeDays, hold, reserve, cancel, reveal, checkIn, noShow],
  events: reservationEvents,
  codes: reservationCodes,
  queries: reservationQueries,
  genesis: reservationGenesis,
  beginBlock,
})
