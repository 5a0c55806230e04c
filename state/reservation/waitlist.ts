// The waitlist of a slot: a list linked in both directions through the rows of those who wait, its ends in the counters. Joining, leaving
// from the middle and moving up touch at most two neighbours, however long the line is; the order is that of the chain.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { ReadView, WriteView } from '../view.ts'
import { seatTable } from './keys.ts'
import type { Seat, Seats } from './types.ts'

export function putRow(view: WriteView, slot: string, holder: Did, row: Seat): void {
  view.put(seatTable, [holder, slot], row)
}

/** The row without its place in line. */
export function unlinked({ previous: _previous, next: _next, ...row }: Seat): Seat {
  return row
}

/** Puts the row at the end of the line. Returns the counters to write. */
export function joinLine(view: WriteView, slot: string, seats: Seats, holder: Did, row: Omit<Seat, 'state' | 'previous' | 'next'>): Seats {
  const { last } = seats
  if (last !== undefined) relink(view, slot, last, (neighbour) => ({ ...neighbour, next: holder }))
  putRow(view, slot, holder, { ...row, state: 'waiting', ...(last !== undefined && { previous: last }) })
  return { ...seats, waiting: seats.waiting + 1, first: seats.first ?? holder, last: holder }
}

/** Takes the row, which waits, out of the line; the caller writes the row itself. Returns the counters to write. */
export function leaveLine(view: WriteView, slot: string, seats: Seats, row: Seat): Seats {
  const { previous, next } = row
  if (previous !== undefined) relink(view, slot, previous, (neighbour) => withEnds(neighbour, neighbour.previous, next))
  if (next !== undefined) relink(view, slot, next, (neighbour) => withEnds(neighbour, previous, neighbour.next))
  const { first, last, ...counters } = seats
  const newFirst = previous === undefined ? next : first
  const newLast = next === undefined ? previous : last
  return { ...counters, waiting: seats.waiting - 1, ...(newFirst !== undefined && { first: newFirst }), ...(newLast !== undefined && { last: newLast }) }
}

/** The place in line of a row that waits, counted from 1: a walk to the front, bounded by the waitlist’s capacity. For queries only. */
export function placeInLine(view: ReadView, slot: string, row: Seat): number {
  let place = 1
  for (let at = row.previous; at !== undefined; place++) at = waitingRow(view, slot, at).previous
  return place
}

export function waitingRow(view: ReadView, slot: string, holder: Did): Seat {
  const row = view.get(seatTable, holder, slot)
  assert(row !== undefined && row.state === 'waiting', `a waiting row of ${slot}`)
  return row
}

function relink(view: WriteView, slot: string, holder: Did, change: (row: Seat) => Seat): void {
  putRow(view, slot, holder, change(waitingRow(view, slot, holder)))
}

function withEnds(row: Seat, previous: Did | undefined, next: Did | undefined): Seat {
  return { ...unlinked(row), ...(previous !== undefined && { previous }), ...(next !== undefined && { next }) }
}
