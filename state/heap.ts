// A binary heap whose places are rows of the state (Williams, "Heapsort", CACM 1964): putting and taking touch as many rows as the logarithm of its size, and looking at
// the first touches one. Who uses it keeps its size in a row of its own.
import { assert } from '../primitives/errors.ts'
import type { Table } from './table.ts'
import type { ReadView, WriteView } from './view.ts'

export interface Heap<E> {
  /** One row for each place, from 1. */
  readonly table: Table<E>
  /** Equal entries are before each other in neither order. */
  readonly isBefore: (a: E, b: E) => boolean
}

/** `size`: before the entry is put in. */
export function pushHeap<E>(view: WriteView, { table, isBefore }: Heap<E>, size: number, entry: E): void {
  let place = size + 1
  while (place > 1) {
    const above = Math.floor(place / 2)
    const other = entryAt(view, table, above)
    if (!isBefore(entry, other)) break
    view.put(table, [place], other)
    place = above
  }
  view.put(table, [place], entry)
}

/** Removes the first of `size` entries: the last takes its place and sinks to where it belongs. */
export function popHeap<E>(view: WriteView, { table, isBefore }: Heap<E>, size: number): void {
  assert(size > 0, 'an entry to take off the heap')
  const last = entryAt(view, table, size)
  view.remove(table, [size])
  if (size === 1) return
  let place = 1
  for (;;) {
    const left = place * 2
    if (left >= size) break
    const lesser = left + 1 < size && isBefore(entryAt(view, table, left + 1), entryAt(view, table, left)) ? left + 1 : left
    const below = entryAt(view, table, lesser)
    if (!isBefore(below, last)) break
    view.put(table, [place], below)
    place = lesser
  }
  view.put(table, [place], last)
}

function entryAt<E>(view: ReadView, table: Table<E>, place: number): E {
  const entry = view.get(table, place)
  assert(entry !== undefined, `place ${place} of the heap`)
  return entry
}
