// reservation.closeFacility: no new slots and no new reservations. What is reserved there becomes void and is seen so through the facility.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { facilityClosed } from './events.ts'
import { facilityTable } from './keys.ts'
import { isOperator } from './slots.ts'
import { type CloseFacility, closeFacilityPayload } from './types.ts'

export const closeFacility = kind({
  kind: 'reservation.closeFacility',
  summary: 'Closes a facility for good: its open slots are void. By its operator.',
  payload: closeFacilityPayload,
  apply: ({ block, transaction, view, emit }: Context, { facility: id, reason }: CloseFacility): Refusal | undefined => {
    const facility = view.get(facilityTable, id)
    if (facility === undefined) return refuse('reservation/unknown-facility', { facility: id })
    if (!isOperator(view, transaction.sender, facility, block)) return refuse('reservation/not-operator', { facility: id })
    if (facility.closed !== undefined) return refuse('reservation/facility-closed', { facility: id })
    view.put(facilityTable, [id], { ...facility, closed: { by: transaction.sender, atMs: block.timeMs, reason } })
    emit(facilityClosed({ facility: id, livingArea: facility.livingArea, by: transaction.sender, reason }))
    return undefined
  },
})
