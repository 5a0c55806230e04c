// reservation.openSlots: a facility's timetable, or the sessions of a course, hundreds at once; all of them or none.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import type { WriteView } from '../view.ts'
import { slotOpened } from './events.ts'
import { courseTable, facilityTable, present, slotByStartTable, slotTable } from './keys.ts'
import { isNameTaken } from './register-facility.ts'
import { isOperator } from './slots.ts'
import { type Course, type OpenSlots, openSlotsPayload } from './types.ts'

export const openSlots = kind({
  kind: 'reservation.openSlots',
  summary: 'Opens slots of a facility, with the course they belong to, if any. By its operator.',
  payload: openSlotsPayload,
  apply: ({ block, transaction, view, emit }: Context, { facility: id, course, qualification, slots }: OpenSlots): Refusal | undefined => {
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
    for (const { id: slot, ...definition } of slots) {
      if (view.get(slotTable, slot) !== undefined) return refuse('reservation/slot-exists', { slot })
      if (definition.startsMs <= block.timeMs) return refuse('reservation/slot-in-past', { slot, blockTimeMs: block.timeMs })
      const partOf = course !== undefined && { course: course.id }
      view.put(slotTable, [slot], { facility: id, ...partOf, ...asked, ...definition })
      view.put(slotByStartTable, [id, definition.startsMs, slot], present)
      const { startsMs, endsMs, opensMs, capacity } = definition
      emit(slotOpened({ slot, facility: id, livingArea: facility.livingArea, ...partOf, startsMs, endsMs, opensMs, capacity }))
    }
    return undefined
  },
})

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
