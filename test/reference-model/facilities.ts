// The reference model of facilities and the opening of slots: docs/transactions.md, reservation.registerFacility to reservation.openTimetable.
import type { Infer } from '../../primitives/schema.ts'
import type * as types from '../../state/reservation/types.ts'
import { pricedOn } from './reservation.ts'
import { addTask, operates, whereOf } from './seats.ts'
import { found, hasRole, koreanDay, midnight, minuteMs, must, plain, tell, type Facility, type Order, type World } from './world.ts'

const pricedADayMax = 500

export function registerFacility(world: World, { sender }: Order, definition: Infer<typeof types.registerFacilityPayload>): void {
  const { id, livingArea, category, operatorScope } = definition
  must(world.livingAreas.has(livingArea), 'reservation/unknown-living-area')
  must(hasRole(world, sender, 'operator', livingArea, id), 'reservation/not-operator')
  must(!world.livingAreas.has(id) && !world.facilities.has(id) && !world.courses.has(id), 'reservation/name-taken')
  world.facilities.set(id, { id, livingArea, operatorScope, isClosed: false, closedDays: new Set() })
  tell(world, 'reservation.facilityRegistered', { facility: id, livingArea, category, by: sender })
}

function operatedFacility(world: World, sender: string, id: string): Facility {
  const facility = found(world.facilities.get(id), 'reservation/unknown-facility')
  must(operates(world, sender, facility), 'reservation/not-operator')
  must(!facility.isClosed, 'reservation/facility-closed')
  return facility
}

export function closeFacility(world: World, { sender }: Order, { facility: id, reason }: Infer<typeof types.closeFacilityPayload>): void {
  const facility = operatedFacility(world, sender, id)
  facility.isClosed = true
  facility.closedMs = world.nowMs
  tell(world, 'reservation.facilityClosed', { facility: id, livingArea: facility.livingArea, by: sender, reason })
}

type CourseOfSlots = Pick<Infer<typeof types.openSlotsPayload>, 'course' | 'qualification'>

function checkCourse(world: World, facility: Facility, { course, qualification }: CourseOfSlots): void {
  if (course === undefined) return
  must(!world.livingAreas.has(course.id) && !world.facilities.has(course.id), 'reservation/name-taken')
  const before = world.courses.get(course.id)
  const named = { facility: facility.id, title: plain(course.title), perPersonMax: course.perPersonMax, qualification }
  must(before === undefined || plain(before) === plain(named), 'reservation/course-differs')
}

/** The rules of each slot, those before it in the same transaction counted. */
function checkSlots(world: World, facility: Facility, slots: readonly Infer<typeof types.slotDefinition>[], alsoFirst: (slot: Infer<typeof types.slotDefinition>) => void = () => undefined): void {
  const opened: Infer<typeof types.slotDefinition>[] = []
  for (const slot of slots) {
    alsoFirst(slot)
    const day = koreanDay(slot.startsMs)
    must(!world.slots.has(slot.id) && !opened.some(({ id }) => id === slot.id), 'reservation/slot-exists')
    must(slot.startsMs > world.nowMs, 'reservation/slot-in-past')
    must(!facility.closedDays.has(day), 'reservation/day-closed')
    if (slot.price !== undefined) {
      must(world.merchants.has(slot.price.merchant), 'reservation/unknown-merchant')
      const priced = pricedOn(world, facility.id, day).length + opened.filter((each) => each.price !== undefined && koreanDay(each.startsMs) === day).length
      must(priced < pricedADayMax, 'reservation/day-full')
    }
    opened.push(slot)
  }
}

function open(world: World, facility: Facility, { course, qualification }: CourseOfSlots, slots: readonly Infer<typeof types.slotDefinition>[]): void {
  if (course !== undefined) world.courses.set(course.id, { facility: facility.id, title: plain(course.title), perPersonMax: course.perPersonMax, qualification })
  for (const slot of slots) {
    world.slots.set(slot.id, { ...slot, facility: facility.id, course: course?.id, qualification, isClosed: false, numbers: 0, seats: new Map(), line: [], lots: [], payers: [], draw: undefined })
    if (slot.lottery !== undefined) addTask(world, slot.closesMs, { what: 'endRegistration', slot: slot.id })
  }
}

export function openSlots(world: World, { sender, signers }: Order, payload: Infer<typeof types.openSlotsPayload>): void {
  const facility = operatedFacility(world, sender, payload.facility)
  checkCourse(world, facility, payload)
  for (const { lottery } of payload.slots) {
    if (lottery === undefined) continue
    must(lottery.every(({ by }) => signers.includes(by)), 'reservation/party-not-signed')
    must(!lottery.every(({ by }) => operates(world, by, facility)), 'reservation/no-outside-party')
  }
  checkSlots(world, facility, payload.slots)
  open(world, facility, payload, payload.slots)
  for (const { id, startsMs, endsMs, opensMs, capacity } of payload.slots) {
    const slot = found(world.slots.get(id), 'opened')
    tell(world, 'reservation.slotOpened', { ...whereOf(world, slot), course: slot.course, startsMs, endsMs, opensMs, capacity })
  }
}

export function openTimetable(world: World, { sender }: Order, payload: Infer<typeof types.openTimetablePayload>): void {
  const { firstDay, lastDay, weekdays, times, minutes, exceptDays, prefix, capacity, waitlistMax, price } = payload
  const facility = operatedFacility(world, sender, payload.facility)
  checkCourse(world, facility, payload)
  const days = Array.from({ length: lastDay - firstDay + 1 }, (_, i) => firstDay + i)
    // 1 January 1970 was a Thursday
    .filter((day) => weekdays.includes(((day + 3) % 7) + 1) && !exceptDays.includes(day) && !facility.closedDays.has(day))
  must(days.length > 0, 'reservation/day-closed')
  const slots = days.flatMap((day) =>
    times.map((time) => {
      const startsMs = midnight(day) + time * minuteMs
      const local = new Date(startsMs + 9 * 3_600_000).toISOString()
      const closesMs = startsMs - payload.closesBeforeMs
      const opensMs = payload.opensMs ?? startsMs - (payload.opensBeforeMs ?? 0)
      const id = `${prefix}-${local.slice(0, 10).replaceAll('-', '')}-${local.slice(11, 16).replace(':', '')}`
      return { id, startsMs, endsMs: startsMs + minutes * minuteMs, opensMs, closesMs, cancelUntilMs: startsMs - payload.cancelBeforeMs, capacity, waitlistMax, price } as Infer<typeof types.slotDefinition>
    }),
  )
  const first = slots[0] as Infer<typeof types.slotDefinition>
  must(first.startsMs > world.nowMs, 'reservation/slot-in-past')
  checkSlots(world, facility, slots, ({ opensMs, closesMs }) => must(opensMs < closesMs, 'reservation/opens-too-late'))
  open(world, facility, payload, slots)
  tell(world, 'reservation.timetableOpened', { facility: facility.id, livingArea: facility.livingArea, course: payload.course?.id, prefix, slots: slots.length, firstStartsMs: first.startsMs, lastStartsMs: slots.at(-1)?.startsMs })
}
