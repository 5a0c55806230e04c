// reservation.amendSlot: more or fewer seats, a longer or shorter line; never below what is taken. Those in line move up with the next blocks.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { putDue } from './due.ts'
import { slotAmended } from './events.ts'
import { slotTable } from './keys.ts'
import { isDrawing, operatedSlot, readSeats, whereOf } from './slots.ts'
import { type AmendSlot, amendSlotPayload } from './types.ts'

export const amendSlot = kind({
  kind: 'reservation.amendSlot',
  summary: 'Changes the seats of a slot or the length of its waitlist. By the operator of its facility.',
  payload: amendSlotPayload,
  apply: ({ block, transaction, view, emit }: Context, payload: AmendSlot): Refusal | undefined => {
    const { slot: id } = payload
    const found = operatedSlot(view, id, transaction.sender, block)
    if ('code' in found) return found
    if (found.closed !== undefined) return refuse('reservation/slot-closed', { slot: id })
    if (isDrawing(view, id, found.slot, block)) return refuse('reservation/drawing', { slot: id })
    const { confirmed, held, attended, absent, waiting } = readSeats(view, id)
    const { capacity = found.slot.capacity, waitlistMax = found.slot.waitlistMax } = payload
    const taken = confirmed + held + attended + absent
    if (capacity < taken) return refuse('reservation/below-taken', { taken })
    if (waitlistMax < waiting) return refuse('reservation/below-taken', { waiting })
    view.put(slotTable, [id], { ...found.slot, capacity, waitlistMax })
    if (waiting > 0 && capacity > taken) putDue(view, block.timeMs, { what: 'fill', of: id })
    emit(slotAmended({ ...whereOf(id, found), capacity, waitlistMax, seatsLeft: capacity - taken, waiting }))
    return undefined
  },
})
