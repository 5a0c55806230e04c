// Reservations: living areas, public facilities and the seats of their slots.
import { family } from '../family.ts'

export const reservationFamily = family({ name: 'reservation', kinds: [], events: [], queries: [], codes: {} })
