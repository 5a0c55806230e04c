// The reference model of seats: who has one, who waits, who moves up, what a slot counts.
import { assert } from '../../primitives/errors.ts'
import { refundable, refundPurchase } from './points-purchases.ts'
import { dayMs, found, hasRole, koreanDay, must, remove, tell, type Facility, type Seat, type SeatState, type Slot, type Task, type World } from './world.ts'

export const holding: ReadonlySet<SeatState> = new Set(['confirmed', 'held', 'attended', 'absent'])
/** A lot, a place in line or a seat. */
export const active: ReadonlySet<SeatState> = new Set([...holding, 'waiting', 'entered'])

export function facilityOf(world: World, slot: Slot): Facility {
  const facility = world.facilities.get(slot.facility)
  assert(facility !== undefined, 'the facility of a slot')
  return facility
}

export function whereOf(world: World, slot: Slot): Readonly<Record<string, string>> {
  return { slot: slot.id, facility: slot.facility, livingArea: facilityOf(world, slot).livingArea }
}

export function count(slot: Slot, ...states: readonly SeatState[]): number {
  return [...slot.seats.values()].filter(({ state }) => states.includes(state)).length
}

export function taken(slot: Slot): number {
  return count(slot, ...holding)
}

export function counts(slot: Slot): { readonly seatsLeft: number; readonly waiting: number } {
  return { seatsLeft: slot.capacity - taken(slot), waiting: slot.line.length }
}

/** The operator closed the slot, or the day on which it begins. */
export function isSlotClosed(world: World, slot: Slot): boolean {
  return slot.isClosed || facilityOf(world, slot).closedDays.has(koreanDay(slot.startsMs))
}

export function isVoid(world: World, slot: Slot): boolean {
  return isSlotClosed(world, slot) || facilityOf(world, slot).isClosed
}

export function operates(world: World, did: string, facility: Facility): boolean {
  return hasRole(world, did, 'operator', facility.id, facility.livingArea, facility.operatorScope)
}

export function slotNamed(world: World, id: string): Slot {
  return found(world.slots.get(id), 'reservation/unknown-slot')
}

/** The slot of an operator's act. */
export function operatedSlot(world: World, sender: string, id: string): Slot {
  const slot = slotNamed(world, id)
  must(operates(world, sender, facilityOf(world, slot)), 'reservation/not-operator')
  must(!isSlotClosed(world, slot), 'reservation/slot-closed')
  return slot
}

/** From the end of its registration until all its lots are drawn. */
export function isDrawing(world: World, { lottery, closesMs, draw }: Slot): boolean {
  return lottery !== undefined && world.nowMs >= closesMs && draw?.isDone !== true
}

export function addTask(world: World, atMs: number, task: Task): void {
  world.tasks.push({ atMs, order: ++world.taskOrder, task })
}

/** A new row for a DID in a slot: its next number. */
export function take(slot: Slot, did: string, person: string, state: SeatState): Seat {
  const seat: Seat = { did, state, number: ++slot.numbers, person, heldUntilMs: undefined, paid: undefined }
  slot.seats.set(did, seat)
  return seat
}

/** The end of a free seat's offer, where the slot has a price. */
export function offerUntil(world: World, slot: Slot): number | undefined {
  return slot.price === undefined ? undefined : Math.min(world.nowMs + world.settings.offerMs, slot.startsMs)
}

export function giveSeat(world: World, slot: Slot, seat: Seat): void {
  seat.heldUntilMs = offerUntil(world, slot)
  seat.state = seat.heldUntilMs === undefined ? 'confirmed' : 'held'
  if (seat.heldUntilMs !== undefined) addTask(world, seat.heldUntilMs, { what: 'lapse', slot: slot.id, did: seat.did })
}

export function canPromote(world: World, slot: Slot): boolean {
  return slot.line.length > 0 && taken(slot) < slot.capacity && !isVoid(world, slot) && world.nowMs < slot.startsMs
}

export function promote(world: World, slot: Slot): void {
  const did = slot.line.shift()
  const seat = slot.seats.get(did ?? '')
  assert(seat !== undefined, 'somebody in line')
  giveSeat(world, slot, seat)
  tell(world, 'reservation.promoted', { ...whereOf(world, slot), did, number: seat.number, heldUntilMs: seat.heldUntilMs, ...counts(slot) })
}

/** Who leaves is replaced by the last. */
export function leaveRoster(roster: string[], did: string): void {
  const at = roster.indexOf(did)
  assert(at >= 0, 'in the roster')
  const last = roster.pop()
  if (last !== undefined && at < roster.length) roster[at] = last
}

/** All that was paid for a seat comes back, by the rules of points.refund; the amount. */
export function giveBack(world: World, seat: Seat): number | undefined {
  const purchase = world.purchases.get(seat.paid?.purchase ?? '')
  if (purchase === undefined) return undefined
  const amount = refundable(purchase)
  if (amount === 0) return undefined
  refundPurchase(world, purchase, amount, undefined)
  return amount
}

/** The seat, place or lot is free again. A kept seat that was let go is remembered as lapsed, whether its time was over or not. */
export function letGo(slot: Slot, seat: Seat): void {
  if (seat.state === 'waiting') remove(slot.line, seat.did)
  if (seat.state === 'entered') leaveRoster(slot.lots, seat.did)
  if (slot.payers.includes(seat.did)) leaveRoster(slot.payers, seat.did)
  seat.state = seat.state === 'held' ? 'lapsed' : 'cancelled'
  seat.paid = undefined
  seat.heldUntilMs = undefined
}

/** Seats, places and lots of a course that a person has. */
export function heldInCourse(world: World, course: string, person: string): number {
  return [...world.slots.values()].filter((slot) => slot.course === course).flatMap((slot) => [...slot.seats.values()]).filter((seat) => active.has(seat.state) && seat.person === person).length
}

export function blockedUntil(world: World, did: string): number {
  const { absencesMax, absenceWindowMs, blockMs } = world.settings
  const absences = world.absences.get(did) ?? []
  const last = absences.at(-1)
  if (absencesMax === 0 || last === undefined) return 0
  const recent = absences.filter(({ atMs }) => atMs > last.atMs - absenceWindowMs)
  return recent.length >= absencesMax ? last.atMs + blockMs : 0
}

export const revealMs = dayMs
