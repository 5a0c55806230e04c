// reservation.checkIn: the operator enters that a holder came; it also sets right an absence that was entered by mistake.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { removeAbsence } from './absences.ts'
import { checkedIn } from './events.ts'
import { seatsTable, seatTable } from './keys.ts'
import { operatedSlot, readSeats, tookPlace, whereOf } from './slots.ts'
import { type Attendance, attendanceLateMs, attendancePayload, checkInEarlyMs } from './types.ts'
import { putRow } from './waitlist.ts'

export const checkIn = kind({
  kind: 'reservation.checkIn',
  summary: 'Enters that a holder came. By the operator of the facility.',
  payload: attendancePayload,
  apply: ({ block, transaction, view, emit }: Context, { slot: id, did }: Attendance): Refusal | undefined => {
    const found = operatedSlot(view, id, transaction.sender, block)
    if ('code' in found) return found
    const { slot } = found
    if (!tookPlace(found)) return refuse('reservation/slot-closed', { slot: id })
    const fromMs = Math.max(0, slot.startsMs - checkInEarlyMs)
    if (block.timeMs < fromMs) return refuse('reservation/too-early', { fromMs })
    if (block.timeMs > slot.endsMs + attendanceLateMs) return refuse('reservation/too-late', { untilMs: slot.endsMs + attendanceLateMs })
    const row = view.get(seatTable, did, id)
    if (row === undefined || (row.state !== 'confirmed' && row.state !== 'absent')) return refuse('reservation/no-reservation', { slot: id, did })
    const seats = readSeats(view, id)
    const from = row.state
    if (from === 'absent') removeAbsence(view, did, id)
    putRow(view, id, did, { ...row, state: 'attended' })
    view.put(seatsTable, [id], { ...seats, [from]: seats[from] - 1, attended: seats.attended + 1 })
    emit(checkedIn({ ...whereOf(id, found), did, by: transaction.sender }))
    return undefined
  },
})
