// reservation.noShow: the operator enters, once the slot has begun, that a holder did not come. The seat is spent: nobody moves up. Absences add up (absences.ts).
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { addAbsence } from './absences.ts'
import { missed } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { operatedSlot, readSeats, tookPlace, whereOf } from './slots.ts'
import { type Attendance, attendanceLateMs, attendancePayload } from './types.ts'
import { putRow } from './waitlist.ts'

export const noShow = kind({
  kind: 'reservation.noShow',
  summary: 'Enters that a holder did not come. By the operator of the facility, from the start of the slot on.',
  payload: attendancePayload,
  apply: ({ block, transaction, view, emit }: Context, { slot: id, did }: Attendance): Refusal | undefined => {
    const found = operatedSlot(view, id, transaction.sender, block)
    if ('code' in found) return found
    const { slot } = found
    if (!tookPlace(found)) return refuse('reservation/slot-closed', { slot: id })
    if (block.timeMs < slot.startsMs) return refuse('reservation/too-early', { fromMs: slot.startsMs })
    if (block.timeMs > slot.endsMs + attendanceLateMs) return refuse('reservation/too-late', { untilMs: slot.endsMs + attendanceLateMs })
    const row = view.get(seatTable, did, id)
    if (row === undefined || row.state !== 'confirmed') return refuse('reservation/no-reservation', { slot: id, did })
    const seats = readSeats(view, id)
    putRow(view, id, did, { ...row, state: 'absent' })
    view.put(seatsTable, [id], { ...seats, confirmed: seats.confirmed - 1, absent: seats.absent + 1 })
    addAbsence(view, did, id, block.timeMs)
    emit(missed({ ...whereOf(id, found), did, by: transaction.sender }))
    return undefined
  },
})
