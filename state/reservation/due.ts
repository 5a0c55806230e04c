// What falls due, in a queue of the state: a binary heap (Williams, "Heapsort", CACM 1964) by time, then in the order in which it came. Putting
// and taking touch as many rows as the logarithm of its size, and looking at the next one touches one, so an idle queue costs a block one read.
import type { TimeMs } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { Infer } from '../../primitives/schema.ts'
import type { ReadView, WriteView } from '../view.ts'
import { dueEndTable, type DueItem, dueTable } from './keys.ts'

type Entry = Infer<typeof dueTable.schema>

export function putDue(view: WriteView, atMs: TimeMs, item: DueItem): void {
  const { size, last } = view.get(dueEndTable, 'heap') ?? { size: 0, last: 0 }
  const entry: Entry = { atMs, number: last + 1, item }
  let place = size + 1
  while (place > 1) {
    const above = Math.floor(place / 2)
    const other = entryAt(view, above)
    if (isBefore(other, entry)) break
    view.put(dueTable, [place], other)
    place = above
  }
  view.put(dueTable, [place], entry)
  view.put(dueEndTable, ['heap'], { size: size + 1, last: last + 1 })
}

/** Takes the next item whose time has come, if there is one. */
export function takeDue(view: WriteView, nowMs: TimeMs): DueItem | undefined {
  const first = view.get(dueTable, 1)
  if (first === undefined || first.atMs > nowMs) return undefined
  const end = view.get(dueEndTable, 'heap')
  assert(end !== undefined && end.size > 0, 'the end of the queue')
  const { size, last } = end
  const moved = entryAt(view, size)
  view.remove(dueTable, [size])
  view.put(dueEndTable, ['heap'], { size: size - 1, last })
  if (size > 1) sink(view, moved, size - 1)
  return first.item
}

/** Puts an entry at the top and moves it down to where it belongs. */
function sink(view: WriteView, entry: Entry, size: number): void {
  let place = 1
  for (;;) {
    const left = place * 2
    if (left > size) break
    const lesser = left < size && isBefore(entryAt(view, left + 1), entryAt(view, left)) ? left + 1 : left
    const below = entryAt(view, lesser)
    if (isBefore(entry, below)) break
    view.put(dueTable, [place], below)
    place = lesser
  }
  view.put(dueTable, [place], entry)
}

function entryAt(view: ReadView, place: number): Entry {
  const entry = view.get(dueTable, place)
  assert(entry !== undefined, `place ${place} of the queue`)
  return entry
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number)
}
