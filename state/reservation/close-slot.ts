// reservation.closeSlot: marks the slot. Holders see it through the slot, so the work does not grow with their number; those who
// have paid are refunded by the blocks that follow.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { putDue } from './due.ts'
import { slotClosed } from './events.ts'
import { slotTable } from './keys.ts'
import { operatedSlot, readSeats, whereOf } from './slots.ts'
import { type CloseSlot, closeSlotPayload } from './types.ts'

export const closeSlot = kind({
  kind: 'reservation.closeSlot',
  summary: 'Closes a slot: its seats and its waitlist are void. By the operator of its facility.',
  payload: closeSlotPayload,
  apply: ({ block, transaction, view, emit }: Context, { slot: id, reason }: CloseSlot): Refusal | undefined => {
    const found = operatedSlot(view, id, transaction.sender, block)
    if ('code' in found) return found
    if (found.closed !== undefined) return refuse('reservation/slot-closed', { slot: id })
    view.put(slotTable, [id], { ...found.slot, closed: { by: transaction.sender, atMs: block.timeMs, reason } })
    const { confirmed, waiting, payers } = readSeats(view, id)
    if (payers > 0) putDue(view, block.timeMs, { what: 'refund', of: id })
    emit(slotClosed({ ...whereOf(id, found), confirmed, waiting, by: transaction.sender, reason }))
    return undefined
  },
})
