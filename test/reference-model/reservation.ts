// The reference model of what citizens and operators do with slots: docs/transactions.md, reservation.amendSlot to reservation.noShow.
import { equalBytes, toHex as hex, utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Infer } from '../../primitives/schema.ts'
import type * as types from '../../state/reservation/types.ts'
import { spend } from './points-purchases.ts'
import { active, addTask, blockedUntil, canPromote, count, counts, facilityOf, giveBack, heldInCourse, isDrawing, isSlotClosed, isVoid, letGo, operatedSlot, operates, promote, slotNamed, take, taken, whereOf } from './seats.ts'
import { checkAttestation, dayMs, found, hourMs, koreanDay, must, refuse, tell, type Order, type Seat, type Slot, type World } from './world.ts'

export function amendSlot(world: World, { sender }: Order, { slot: id, capacity, waitlistMax }: Infer<typeof types.amendSlotPayload>): void {
  const slot = operatedSlot(world, sender, id)
  must(!isDrawing(world, slot), 'reservation/drawing')
  must((capacity ?? Infinity) >= taken(slot) && (waitlistMax ?? Infinity) >= slot.line.length, 'reservation/below-taken')
  slot.capacity = capacity ?? slot.capacity
  slot.waitlistMax = waitlistMax ?? slot.waitlistMax
  if (canPromote(world, slot)) addTask(world, world.nowMs, { what: 'promote', slot: id })
  tell(world, 'reservation.slotAmended', { ...whereOf(world, slot), capacity: slot.capacity, waitlistMax: slot.waitlistMax, ...counts(slot) })
}

export function closeSlot(world: World, { sender }: Order, { slot: id, reason }: Infer<typeof types.closeSlotPayload>): void {
  const slot = operatedSlot(world, sender, id)
  slot.isClosed = true
  if (slot.payers.length > 0) addTask(world, world.nowMs, { what: 'refundSlot', slot: id })
  tell(world, 'reservation.slotClosed', { ...whereOf(world, slot), confirmed: count(slot, 'confirmed'), waiting: slot.line.length, by: sender, reason })
}

export function closeDays(world: World, { sender }: Order, { facility: id, firstDay, lastDay, reason }: Infer<typeof types.closeDaysPayload>): void {
  const facility = found(world.facilities.get(id), 'reservation/unknown-facility')
  must(operates(world, sender, facility), 'reservation/not-operator')
  must(!facility.isClosed, 'reservation/facility-closed')
  must(firstDay >= koreanDay(world.nowMs), 'reservation/day-in-past')
  const days = Array.from({ length: lastDay - firstDay + 1 }, (_, i) => firstDay + i)
  must(!days.some((day) => facility.closedDays.has(day)), 'reservation/day-closed')
  for (const day of days) {
    facility.closedDays.add(day)
    const slots = pricedOn(world, id, day).map((slot) => slot.id)
    if (slots.length > 0) addTask(world, world.nowMs, { what: 'refundDay', slots })
  }
  tell(world, 'reservation.daysClosed', { facility: id, livingArea: facility.livingArea, firstDay, lastDay, by: sender, reason })
}

/** Slots with a price that begin in the facility on the day. */
export function pricedOn(world: World, facility: string, day: number): readonly Slot[] {
  return [...world.slots.values()].filter((slot) => slot.facility === facility && slot.price !== undefined && koreanDay(slot.startsMs) === day)
}

/** The rules of admission; the person who stands behind the DID. */
function admit(world: World, sender: string, slot: Slot, attestation: Infer<typeof types.reservePayload>['attestation']): string {
  must(!isSlotClosed(world, slot), 'reservation/slot-closed')
  must(!facilityOf(world, slot).isClosed, 'reservation/facility-closed')
  must(world.nowMs >= slot.opensMs, 'reservation/not-open-yet')
  must(world.nowMs < slot.closesMs, 'reservation/window-closed')
  must(!active.has(slot.seats.get(sender)?.state ?? 'cancelled'), 'reservation/already-reserved')
  must(world.nowMs >= blockedUntil(world, sender), 'reservation/blocked')
  let person = sender
  if (slot.qualification !== undefined) {
    if (attestation === undefined) refuse('reservation/qualification-required')
    checkAttestation(world, attestation, `reservation:${slot.course ?? slot.facility}`, sender)
    must(attestation.claim === slot.qualification, 'reservation/qualification-differs')
    person = hex(attestation.pseudonym)
    must(![...slot.seats.values()].some((seat) => seat.person === person && active.has(seat.state)), 'reservation/person-has-seat')
  }
  if (slot.course !== undefined) must(heldInCourse(world, slot.course, person) < (world.courses.get(slot.course)?.perPersonMax ?? 0), 'reservation/course-limit')
  return person
}

export function hold(world: World, { sender }: Order, { slot: id, attestation }: Infer<typeof types.holdPayload>): void {
  const slot = slotNamed(world, id)
  must(slot.lottery === undefined, 'reservation/by-lottery')
  must(slot.seats.get(sender)?.state !== 'lapsed', 'reservation/held-before')
  const person = admit(world, sender, slot, attestation)
  must(taken(slot) < slot.capacity && slot.line.length === 0, 'reservation/no-seat-to-hold')
  const seat = take(slot, sender, person, 'held')
  seat.heldUntilMs = Math.min(world.nowMs + world.settings.holdMs, slot.closesMs)
  addTask(world, seat.heldUntilMs, { what: 'lapse', slot: id, did: sender })
  tell(world, 'reservation.held', { ...whereOf(world, slot), did: sender, number: seat.number, heldUntilMs: seat.heldUntilMs, ...counts(slot) })
}

export function reserve(world: World, order: Order, { slot: id, attestation, payment }: Infer<typeof types.reservePayload>): void {
  const { sender } = order
  const slot = slotNamed(world, id)
  must(payment === undefined || slot.price !== undefined, 'reservation/nothing-to-pay')
  const pay = (): Seat['paid'] => {
    if (slot.price === undefined) return undefined
    if (payment === undefined) refuse('reservation/payment-required')
    const { id: purchase } = spend(world, order, { program: payment.program, merchant: slot.price.merchant, amount: slot.price.amount, ownShareMax: payment.ownShareMax })
    return { purchase, amount: slot.price.amount }
  }
  const settleIn = (seat: Seat, paid: Seat['paid'], type: string): void => {
    Object.assign(seat, { state: 'confirmed', heldUntilMs: undefined, paid })
    if (paid !== undefined) slot.payers.push(sender)
    tell(world, type, { ...whereOf(world, slot), did: sender, number: seat.number, paid: paid?.amount, ...counts(slot) })
  }
  const kept = slot.seats.get(sender)
  if (kept?.state === 'held') {
    must(!isVoid(world, slot), 'reservation/slot-closed')
    must(world.nowMs < (kept.heldUntilMs ?? 0), 'reservation/hold-expired')
    return settleIn(kept, pay(), 'reservation.confirmed')
  }
  const person = admit(world, sender, slot, attestation)
  if (slot.lottery !== undefined) {
    const seat = take(slot, sender, person, 'entered')
    slot.lots.push(sender)
    return tell(world, 'reservation.entered', { ...whereOf(world, slot), did: sender, number: seat.number, entered: slot.lots.length })
  }
  // from the start on nobody moves up
  if (taken(slot) < slot.capacity && (slot.line.length === 0 || world.nowMs >= slot.startsMs)) {
    const paid = pay()
    return settleIn(take(slot, sender, person, 'confirmed'), paid, 'reservation.reserved')
  }
  must(slot.line.length < slot.waitlistMax, 'reservation/full')
  const seat = take(slot, sender, person, 'waiting')
  slot.line.push(sender)
  tell(world, 'reservation.waitlisted', { ...whereOf(world, slot), did: sender, number: seat.number, place: slot.line.length })
}

export function cancel(world: World, { sender }: Order, { slot: id }: Infer<typeof types.cancelPayload>): void {
  const slot = slotNamed(world, id)
  const seat = slot.seats.get(sender)
  if (seat === undefined || !['confirmed', 'held', 'waiting', 'entered'].includes(seat.state)) refuse('reservation/no-reservation')
  const isOver = isVoid(world, slot)
  if (seat.state === 'entered') must(isOver || !isDrawing(world, slot), 'reservation/drawing')
  if (seat.state === 'confirmed') must(isOver || world.nowMs <= slot.cancelUntilMs, 'reservation/too-late-to-cancel')
  const refunded = giveBack(world, seat)
  const wasWaiting = seat.state === 'waiting'
  letGo(slot, seat)
  tell(world, 'reservation.cancelled', { ...whereOf(world, slot), did: sender, wasWaiting, refunded, ...counts(slot) })
  if (canPromote(world, slot)) promote(world, slot)
}

export function reveal(world: World, { sender }: Order, { slot: id, secret }: Infer<typeof types.revealPayload>): void {
  const slot = slotNamed(world, id)
  const party = found(slot.lottery?.find(({ by }) => by === sender), 'reservation/not-a-party')
  must(!isVoid(world, slot), 'reservation/slot-closed')
  const { draw } = slot
  if (draw === undefined || world.height <= draw.height) refuse('reservation/too-early')
  must(!draw.isDone && !draw.secrets.has(sender), 'reservation/secret-shown')
  must(world.nowMs < draw.endedMs + dayMs, 'reservation/too-late')
  must(equalBytes(taggedHash('lottery-secret', utf8(`${id}/${sender}/`), secret), party.hash), 'reservation/secret-differs')
  draw.secrets.set(sender, secret)
  const seed = seedOf(slot)
  if (seed !== undefined) addTask(world, world.nowMs, { what: 'lots', slot: id })
  tell(world, 'reservation.secretShown', { ...whereOf(world, slot), by: sender, seed })
}

/** Known when all secrets are. */
export function seedOf({ id, lottery = [], draw }: Slot): Uint8Array | undefined {
  const secrets = lottery.map(({ by }) => draw?.secrets.get(by))
  if (draw === undefined || secrets.some((secret) => secret === undefined)) return undefined
  return taggedHash('lottery-seed', utf8(`${id}/`), draw.blockHash, ...(secrets as readonly Uint8Array[]))
}

/** Its facility had not closed before it began. */
function slotThatTookPlace(world: World, sender: string, id: string): Slot {
  const slot = operatedSlot(world, sender, id)
  must((facilityOf(world, slot).closedMs ?? Infinity) >= slot.startsMs, 'reservation/slot-closed')
  return slot
}

export function checkIn(world: World, { sender }: Order, { slot: id, did }: Infer<typeof types.attendancePayload>): void {
  const slot = slotThatTookPlace(world, sender, id)
  must(world.nowMs >= slot.startsMs - 2 * hourMs, 'reservation/too-early')
  must(world.nowMs <= slot.endsMs + 7 * dayMs, 'reservation/too-late')
  const seat = slot.seats.get(did)
  if (seat === undefined || !['confirmed', 'absent'].includes(seat.state)) refuse('reservation/no-reservation')
  seat.state = 'attended'
  world.absences.set(did, (world.absences.get(did) ?? []).filter((absence) => absence.slot !== id))
  tell(world, 'reservation.checkedIn', { ...whereOf(world, slot), did, by: sender })
}

export function noShow(world: World, { sender }: Order, { slot: id, did }: Infer<typeof types.attendancePayload>): void {
  const slot = slotThatTookPlace(world, sender, id)
  must(world.nowMs >= slot.startsMs, 'reservation/too-early')
  must(world.nowMs <= slot.endsMs + 7 * dayMs, 'reservation/too-late')
  const seat = slot.seats.get(did)
  if (seat?.state !== 'confirmed') refuse('reservation/no-reservation')
  seat.state = 'absent'
  world.absences.set(did, [...(world.absences.get(did) ?? []), { slot: id, atMs: world.nowMs }].slice(-10))
  tell(world, 'reservation.missed', { ...whereOf(world, slot), did, by: sender })
}
