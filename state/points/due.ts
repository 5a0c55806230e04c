// What falls due: a queue in the state, by the minute. A minute's items stand in rows of some dozens; the minutes that have any are a binary heap
// (heap.ts), each once, so the next one is found with one read and no scan. Items are taken in the order of
// their minutes, within a minute in the order in which they came. An item says where to look, not what to do: what it names may have changed or gone.
import { assert } from '../../primitives/errors.ts'
import { minuteMs } from '../calendar.ts'
import { type Heap, popHeap, pushHeap } from '../heap.ts'
import type { WriteView } from '../view.ts'
import { dueChunkTable, dueHeapTable, type DueItem, dueSizeTable, dueTable } from './keys.ts'
import { dueChunkItems } from './limits.ts'

const heap = 'heap'
const minutes: Heap<number> = { table: dueHeapTable, isBefore: (a, b) => a < b }

/** The first minute that begins at or after a time: nothing is taken before its time, and at most a minute after, as blocks go. */
export function minuteFrom(ms: number): number {
  return Math.ceil(ms / minuteMs)
}

/** The minute of a time: due with the next block. */
export function minuteOf(ms: number): number {
  return Math.floor(ms / minuteMs)
}

export function putDue(view: WriteView, minute: number, item: DueItem): void {
  const queue = view.get(dueTable, minute)
  if (queue === undefined) pushMinute(view, minute)
  const added = queue?.added ?? 0
  const chunk = Math.floor(added / dueChunkItems)
  const before = added % dueChunkItems === 0 ? [] : view.get(dueChunkTable, minute, chunk)
  assert(before !== undefined, `items ${chunk} of minute ${minute}`)
  view.put(dueChunkTable, [minute, chunk], [...before, item])
  view.put(dueTable, [minute], { added: added + 1, done: queue?.done ?? 0 })
}

/** Takes the next item whose minute has begun, if there is one. */
export function takeDue(view: WriteView, nowMs: number): DueItem | undefined {
  const minute = view.get(dueHeapTable, 1)
  if (minute === undefined || minute * minuteMs > nowMs) return undefined
  const queue = view.get(dueTable, minute)
  assert(queue !== undefined && queue.done < queue.added, `items of minute ${minute}`)
  const chunk = Math.floor(queue.done / dueChunkItems)
  const item = view.get(dueChunkTable, minute, chunk)?.[queue.done % dueChunkItems]
  assert(item !== undefined, `item ${queue.done} of minute ${minute}`)
  const done = queue.done + 1
  if (done === queue.added || done % dueChunkItems === 0) view.remove(dueChunkTable, [minute, chunk])
  if (done === queue.added) {
    view.remove(dueTable, [minute])
    popMinute(view)
  } else view.put(dueTable, [minute], { added: queue.added, done })
  return item
}

function pushMinute(view: WriteView, minute: number): void {
  const size = view.get(dueSizeTable, heap) ?? 0
  pushHeap(view, minutes, size, minute)
  view.put(dueSizeTable, [heap], size + 1)
}

function popMinute(view: WriteView): void {
  const size = view.get(dueSizeTable, heap) ?? 0
  popHeap(view, minutes, size)
  view.put(dueSizeTable, [heap], size - 1)
}
