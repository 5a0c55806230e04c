// Rosters: the entrants of a lottery, and those who have paid, of one slot, numbered from 0 without gaps, so that the rules, which never scan, can
// draw from them and walk them. Who leaves, from wherever, is replaced by the last. The rows bear their place; the lengths stand in the counters.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { Table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { entrantTable, payerTable, seatTable } from './keys.ts'
import type { Seat, Seats } from './types.ts'

export type Roster = 'entered' | 'payers'

const tables: Readonly<Record<Roster, Table<{ readonly did: Did }>>> = { entered: entrantTable, payers: payerTable }

/** Appends the holder; the caller writes its row, with the place that the counters had. Returns the counters to write. */
export function enrol(view: WriteView, roster: Roster, slot: string, seats: Seats, holder: Did): Seats {
  view.put(tables[roster], [slot, seats[roster]], { did: holder })
  return { ...seats, [roster]: seats[roster] + 1 }
}

/** Takes the row at a place off the roster; the caller writes that row, without its place. Returns the counters to write. */
export function strike(view: WriteView, roster: Roster, slot: string, seats: Seats, index: number): Seats {
  const last = seats[roster] - 1
  assert(index <= last, `place ${index} of ${roster} of ${slot}`)
  if (index < last) {
    const moved = enrolledAt(view, roster, slot, last)
    const row = view.get(seatTable, moved, slot)
    assert(row?.index === last, `the row of the last of ${roster} of ${slot}`)
    view.put(tables[roster], [slot, index], { did: moved })
    view.put(seatTable, [moved, slot], { ...row, index })
  }
  view.remove(tables[roster], [slot, last])
  return { ...seats, [roster]: last }
}

export function enrolledAt(view: ReadView, roster: Roster, slot: string, index: number): Did {
  const entry = view.get(tables[roster], slot, index)
  assert(entry !== undefined, `place ${index} of ${roster} of ${slot}`)
  return entry.did
}

/** The row without its place. */
export function offRoster({ index: _index, ...row }: Seat): Seat {
  return row
}
