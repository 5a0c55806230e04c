// The books of a programme: its sums as they were after every block that changed them, for audits of earlier heights, and as they were at the end of every
// Korean day on which they changed, for statements. Both are written when the next change comes, so the latest are the sums themselves. Changes
// are numbered, and only the latest `historyKept` of them stay; days stay for good.
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import type { ReadView } from '../view.ts'
import { dayOf } from '../calendar.ts'
import { dayTable, historyTable, type Sums, sumsTable } from './keys.ts'
import { historyKept } from './limits.ts'

/** Called before the first change of a programme's sums in a block, with the sums as the last change left them. */
export function keepBooks({ view, block }: BlockContext, programId: string, before: Sums): void {
  const { changes, height, timeMs } = before
  assert(height < block.height, 'books are kept once a block')
  view.put(historyTable, [programId, changes], before)
  if (changes > historyKept) view.remove(historyTable, [programId, changes - historyKept])
  if (dayOf(timeMs) < dayOf(block.timeMs)) view.put(dayTable, [programId, dayOf(timeMs)], before)
}

/** The sums as they were after the block of `height`: undefined before the programme opened, and when the height is no longer kept. */
export function sumsAt(view: ReadView, programId: string, height: number): Sums | undefined {
  const latest = view.get(sumsTable, programId)
  if (latest === undefined || latest.height <= height) return latest
  let low = Math.max(1, latest.changes - historyKept)
  let high = latest.changes - 1
  let found: Sums | undefined
  while (low <= high) {
    const middle = Math.floor((low + high) / 2)
    const change = view.get(historyTable, programId, middle)
    assert(change !== undefined, `change ${middle} of ${programId}`)
    if (change.height <= height) {
      found = change
      low = middle + 1
    } else high = middle - 1
  }
  return found
}
