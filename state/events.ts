// Every event that there is: the families' schemas alone, without their rules, so that receipts can be read where nothing is executed, as in the client.
import { type Schema, union } from '../primitives/schema.ts'
import { communityEvents } from './community/events.ts'
import { credentialEvents } from './credential/events.ts'
import { didEvents } from './did/events.ts'
import type { Event, EventType } from './family.ts'
import { governanceEvents } from './governance/events.ts'
import { events as pointsEvents } from './points/events.ts'
import { reservationEvents } from './reservation/events.ts'

/** In the order of the families. A test compares them with the families' own lists. */
const events = [...governanceEvents, ...didEvents, ...credentialEvents, ...pointsEvents, ...reservationEvents, ...communityEvents] as unknown as readonly EventType<never>[]

export const eventSchema = union(Object.fromEntries(events.map(({ type, schema }) => [type, schema as unknown as Schema<never>] as const))) as unknown as Schema<Event>
