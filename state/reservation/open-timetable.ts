// reservation.openTimetable: slots by the thousand from a pattern of weekdays and times, expanded by the chain in one way only. Days on which the facility
// is closed, and those named, are left out.
import type { TimeMs } from '../../primitives/brand.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { dayOf, minuteMs, timeOn } from '../calendar.ts'
import { clockOf, compactDateOf, daysOf } from './pattern.ts'
import { timetableOpened } from './events.ts'
import { closedDayTable } from './keys.ts'
import { findOpening, openSlot } from './opening.ts'
import { type OpenTimetable, openTimetablePayload, type SlotDefinition } from './types.ts'

export const openTimetable = kind({
  kind: 'reservation.openTimetable',
  summary: 'Opens slots of a facility on days of the week at times of the day, for up to a year. By its operator.',
  payload: openTimetablePayload,
  apply: (context: Context, payload: OpenTimetable): Refusal | undefined => {
    const opening = findOpening(context, payload)
    if ('code' in opening) return opening
    const { facility, common } = opening
    const slots = slotsOf(payload, (day) => context.view.get(closedDayTable, facility.id, day) !== undefined)
    const [first, last] = [slots[0], slots.at(-1)]
    if (first === undefined || last === undefined) return refuse('reservation/day-closed', { day: payload.firstDay })
    if (first.startsMs <= context.block.timeMs) return refuse('reservation/slot-in-past', { blockTimeMs: context.block.timeMs })
    for (const { id, ...fields } of slots) {
      const slot = { ...common, ...fields }
      const refusal = slot.opensMs >= slot.closesMs ? refuse('reservation/opens-too-late', { slot: id, closesMs: slot.closesMs }) : openSlot(context, id, slot)
      if (refusal !== undefined) return refusal
    }
    const { prefix } = payload
    context.emit(timetableOpened({ facility: facility.id, livingArea: facility.livingArea, ...(common.course !== undefined && { course: common.course }), prefix, slots: slots.length, firstStartsMs: first.startsMs, lastStartsMs: last.startsMs }))
    return undefined
  },
})

/** The slots of a pattern, in order, without those of closed days. */
export function slotsOf(payload: OpenTimetable, isClosed: (day: number) => boolean): readonly SlotDefinition[] {
  const days = daysOf(payload).filter((day) => !isClosed(day))
  return days.flatMap((day) => payload.times.map((minutes) => slotAt(payload, timeOn(day, minutes))))
}

function nameOf(prefix: string, startsMs: number): string {
  const day = dayOf(startsMs)
  return `${prefix}-${compactDateOf(day)}-${clockOf((startsMs - timeOn(day, 0)) / minuteMs)}`
}

function slotAt({ prefix, minutes, opensMs, opensBeforeMs, closesBeforeMs, cancelBeforeMs, capacity, waitlistMax, price }: OpenTimetable, startsMs: number): SlotDefinition {
  const before = (ms: number): TimeMs => Math.max(0, startsMs - ms) as TimeMs
  return {
    id: nameOf(prefix, startsMs),
    startsMs: startsMs as TimeMs,
    endsMs: (startsMs + minutes * minuteMs) as TimeMs,
    opensMs: opensMs ?? before(opensBeforeMs ?? 0),
    closesMs: before(closesBeforeMs),
    cancelUntilMs: before(cancelBeforeMs),
    capacity,
    waitlistMax,
    ...(price !== undefined && { price }),
  }
}
