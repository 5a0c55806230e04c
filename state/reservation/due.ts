// What falls due, in a queue of the state: a binary heap (heap.ts) by time, then in the order in which it came. Putting
// and taking touch as many rows as the logarithm of its size, and looking at the next one touches one, so an idle queue costs a block one read.
import type { TimeMs } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { Infer } from '../../primitives/schema.ts'
import { type Heap, popHeap, pushHeap } from '../heap.ts'
import type { WriteView } from '../view.ts'
import { dueEndTable, type DueItem, dueTable } from './keys.ts'

type Entry = Infer<typeof dueTable.schema>
const entries: Heap<Entry> = { table: dueTable, isBefore: (a, b) => a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number) }

export function putDue(view: WriteView, atMs: TimeMs, item: DueItem): void {
  const { size, last } = view.get(dueEndTable, 'heap') ?? { size: 0, last: 0 }
  const entry: Entry = { atMs, number: last + 1, item }
  pushHeap(view, entries, size, entry)
  view.put(dueEndTable, ['heap'], { size: size + 1, last: last + 1 })
}

/** Takes the next item whose time has come, if there is one. */
export function takeDue(view: WriteView, nowMs: TimeMs): DueItem | undefined {
  const first = view.get(dueTable, 1)
  if (first === undefined || first.atMs > nowMs) return undefined
  const end = view.get(dueEndTable, 'heap')
  assert(end !== undefined && end.size > 0, 'the end of the queue')
  const { size, last } = end
  popHeap(view, entries, size)
  view.put(dueEndTable, ['heap'], { size: size - 1, last })
  return first.item
}
