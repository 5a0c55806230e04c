// Following the events of the chain from a cursor, each exactly once, over whatever node answers.
import type { Client } from './client.ts'
import type { ParamsJson } from './methods.ts'
import { pause } from './platform.ts'
import type { Json } from '../../primitives/schema.ts'

export interface FollowOptions {
  /** Where to begin: the cursor stored last, or "" for the genesis. */
  readonly cursor: string
  readonly filter?: NonNullable<ParamsJson<'events_since'>['filter']>
  readonly limit?: number
  /** Between two questions at the head. Default 500 ms. */
  readonly everyMs?: number
}

export interface EventPage {
  readonly items: readonly Json[]
  /** Store it together with what the items changed, and begin there again: then nothing is missed or done twice. */
  readonly next: string
  /** Every block up to this one has been looked at in whole. */
  readonly lookedTo: number
  readonly height: number
}

/** Pages without end; leave the loop to stop. Throws like `client.call`. */
export async function* followEvents(client: Client, { cursor, filter, limit = 100, everyMs = 500 }: FollowOptions): AsyncGenerator<EventPage, never, void> {
  let at = cursor
  for (;;) {
    const page = await client.call('events_since', { cursor: at, limit, ...(filter === undefined ? {} : { filter }) })
    if (page.next === at) await pause(everyMs)
    else yield page
    at = page.next
  }
}
