// reservation.closeDays: a facility is closed on some days. Slots that begin on them are void, seen so through the day, and no new ones are opened; what was
// paid for them comes back with the next blocks.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { putDue } from './due.ts'
import { daysClosed } from './events.ts'
import { closedDayTable, facilityTable, pricedDayTable } from './keys.ts'
import { dayOf } from '../calendar.ts'
import { isOperator } from './slots.ts'
import { type CloseDays, closeDaysPayload } from './types.ts'

export const closeDays = kind({
  kind: 'reservation.closeDays',
  summary: 'Closes a facility on some days to come: its slots on them are void. By its operator.',
  payload: closeDaysPayload,
  apply: ({ block, transaction, view, emit }: Context, { facility: id, firstDay, lastDay, reason }: CloseDays): Refusal | undefined => {
    const facility = view.get(facilityTable, id)
    if (facility === undefined) return refuse('reservation/unknown-facility', { facility: id })
    const { sender } = transaction
    if (!isOperator(view, sender, facility, block)) return refuse('reservation/not-operator', { facility: id })
    if (facility.closed !== undefined) return refuse('reservation/facility-closed', { facility: id })
    const today = dayOf(block.timeMs)
    if (firstDay < today) return refuse('reservation/day-in-past', { today })
    for (let day = firstDay; day <= lastDay; day++) {
      if (view.get(closedDayTable, id, day) !== undefined) return refuse('reservation/day-closed', { day })
      view.put(closedDayTable, [id, day], { by: sender, atMs: block.timeMs, reason })
      if (view.get(pricedDayTable, id, day) !== undefined) putDue(view, block.timeMs, { what: 'refundDay', of: id, day })
    }
    emit(daysClosed({ facility: id, livingArea: facility.livingArea, firstDay, lastDay, by: sender, reason }))
    return undefined
  },
})
