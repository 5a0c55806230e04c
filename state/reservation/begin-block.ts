// What a block does before its transactions: what has fallen due, in order, within a bounded number of steps. The rest waits for the next block: no seat
// is in danger meanwhile, since each rule looks at times and counters itself.
import { assert, unreachable } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { drawLots, endRegistration, endSecrets } from './drawing.ts'
import { putDue, takeDue } from './due.ts'
import { lapsed } from './events.ts'
import { type DueItem, pricedDayTable, seatsTable, seatTable } from './keys.ts'
import { dropHolding } from './persons.ts'
import { refundPayers } from './refunds.ts'
import { canMoveUp, entryOf, moveUp } from './seating.ts'
import { findSlot, readSeats, seatsLeft, whereOf } from './slots.ts'
import { putRow } from './waitlist.ts'

/** Steps of a block: each ends a hold, gives a seat, draws a lot, refunds a payer or takes up a slot of a closed day. */
export const blockStepsMax = 250
/** Steps that one item may take before others have their turn. */
const turnStepsMax = 50

interface Work {
  readonly steps: number
  readonly more: boolean
}

const oneStep: Work = { steps: 1, more: false }

export function beginBlock(context: BlockContext): void {
  const { block, view } = context
  for (let left = blockStepsMax; left > 0; ) {
    const item = takeDue(view, block.timeMs)
    if (item === undefined) return
    const { steps, more } = work(context, item, Math.min(left, turnStepsMax))
    if (more) putDue(view, block.timeMs, item)
    left -= steps
  }
}

function work(context: BlockContext, item: DueItem, stepsMax: number): Work {
  switch (item.what) {
    case 'hold':
      return endHold(context, item)
    case 'draw':
      endRegistration(context, item.of)
      return oneStep
    case 'secrets':
      endSecrets(context, item.of)
      return oneStep
    case 'lots':
      return drawLots(context, item.of, stepsMax)
    case 'fill':
      return fillSeats(context, item.of, stepsMax)
    case 'refund':
      return refundPayers(context, item.of, stepsMax)
    case 'refundDay':
      return refundDay(context, item, stepsMax)
    default:
      return unreachable(item.what)
  }
}

/** The seat goes to the first in line, if anyone waits. A row that is no longer held, or held anew until later, is left alone. */
function endHold(context: BlockContext, { of: id, did: holder }: DueItem): Work {
  const { block, view, emit } = context
  assert(holder !== undefined, 'the holder of a hold')
  const row = view.get(seatTable, holder, id)
  if (row?.state !== 'held' || row.heldUntilMs === undefined || row.heldUntilMs > block.timeMs) return oneStep
  const found = findSlot(view, id)
  assert(found !== undefined, `slot ${id} of the queue`)
  const before = readSeats(view, id)
  const freed = { ...before, held: before.held - 1 }
  putRow(view, id, holder, { ...entryOf(row), state: 'lapsed' })
  dropHolding(view, id, found.slot, { holder, ...(row.pseudonym !== undefined && { pseudonym: row.pseudonym }) })
  emit(lapsed({ ...whereOf(id, found), did: holder, seatsLeft: seatsLeft(found.slot, freed), waiting: freed.waiting }))
  view.put(seatsTable, [id], moveUp(context, id, found, freed))
  return oneStep
}

function fillSeats(context: BlockContext, id: string, stepsMax: number): Work {
  const { view } = context
  const found = findSlot(view, id)
  assert(found !== undefined, `slot ${id} of the queue`)
  let seats = readSeats(view, id)
  let steps = 0
  for (; steps < stepsMax && canMoveUp(context, found, seats); steps++) seats = moveUp(context, id, found, seats)
  if (steps > 0) view.put(seatsTable, [id], seats)
  return { steps: Math.max(1, steps), more: canMoveUp(context, found, seats) }
}

/** No slots are opened on a closed day any more, so what of its list is taken up leaves it. */
function refundDay({ block, view }: BlockContext, { of: facility, day }: DueItem, stepsMax: number): Work {
  assert(day !== undefined, 'the day of refunds')
  const slots = view.get(pricedDayTable, facility, day) ?? []
  for (const slot of slots.slice(0, stepsMax)) putDue(view, block.timeMs, { what: 'refund', of: slot })
  const left = slots.slice(stepsMax)
  if (left.length > 0) view.put(pricedDayTable, [facility, day], left)
  else view.remove(pricedDayTable, [facility, day])
  return { steps: Math.max(1, slots.length - left.length), more: left.length > 0 }
}
