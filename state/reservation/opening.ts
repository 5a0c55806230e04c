// What opening slots one by one and by a timetable have in common.
import { type Context, refuse, type Refusal } from '../family.ts'
import { merchantTable } from '../points/keys.ts'
import type { WriteView } from '../view.ts'
import { dayOf } from '../calendar.ts'
import { closedDayTable, courseTable, facilityTable, present, pricedDayTable, slotByStartTable, slotTable } from './keys.ts'
import { isNameTaken } from './register-facility.ts'
import { isOperator } from './slots.ts'
import { type Course, type Facility, type OpenSlots, pricedSlotsADayMax, type Slot } from './types.ts'

/** The facility, if the sender may open slots there now, with the course opened or found as it is named. */
export function findOpening({ block, transaction, view }: Context, { facility: id, course, qualification }: Pick<OpenSlots, 'facility' | 'course' | 'qualification'>): { readonly facility: Facility; readonly common: Pick<Slot, 'facility' | 'course' | 'qualification'> } | Refusal {
  const facility = view.get(facilityTable, id)
  if (facility === undefined) return refuse('reservation/unknown-facility', { facility: id })
  if (!isOperator(view, transaction.sender, facility, block)) return refuse('reservation/not-operator', { facility: id })
  if (facility.closed !== undefined) return refuse('reservation/facility-closed', { facility: id })
  const asked = qualification !== undefined && { qualification }
  if (course !== undefined) {
    const { id: courseId, ...definition } = course
    const refusal = openCourse(view, courseId, { facility: id, ...definition, ...asked })
    if (refusal !== undefined) return refusal
  }
  return { facility, common: { facility: id, ...(course !== undefined && { course: course.id }), ...asked } }
}

export function openSlot({ block, view }: Context, id: string, slot: Slot): Refusal | undefined {
  const { facility, startsMs, price } = slot
  if (view.get(slotTable, id) !== undefined) return refuse('reservation/slot-exists', { slot: id })
  if (startsMs <= block.timeMs) return refuse('reservation/slot-in-past', { slot: id, blockTimeMs: block.timeMs })
  const day = dayOf(startsMs)
  if (view.get(closedDayTable, facility, day) !== undefined) return refuse('reservation/day-closed', { slot: id, day })
  if (price !== undefined) {
    if (view.get(merchantTable, price.merchant) === undefined) return refuse('reservation/unknown-merchant', { merchant: price.merchant })
    const priced = view.get(pricedDayTable, facility, day) ?? []
    if (priced.length >= pricedSlotsADayMax) return refuse('reservation/day-full', { day, slotsMax: pricedSlotsADayMax })
    view.put(pricedDayTable, [facility, day], [...priced, id])
  }
  view.put(slotTable, [id], slot)
  view.put(slotByStartTable, [facility, startsMs, id], present)
  return undefined
}

function openCourse(view: WriteView, id: string, course: Course): Refusal | undefined {
  const known = view.get(courseTable, id)
  if (known === undefined) {
    if (isNameTaken(view, id)) return refuse('reservation/name-taken', { id })
    view.put(courseTable, [id], course)
    return undefined
  }
  const same =
    known.facility === course.facility &&
    known.title.ko === course.title.ko &&
    known.title.en === course.title.en &&
    known.perPersonMax === course.perPersonMax &&
    known.qualification === course.qualification
  return same ? undefined : refuse('reservation/course-differs', { course: id })
}
