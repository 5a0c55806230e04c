// reservation.reserve: a seat, or a place in line when all are taken. The place in the chain is the place in line.
import { assert } from '../../primitives/errors.ts'
import { checkAttestation } from '../credential/attestation.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { reserved, waitlisted } from './events.ts'
import { courseTable, seatsTable, seatTable } from './keys.ts'
import { enterHolding, heldInCourse, personInSlot } from './persons.ts'
import { findSlot, qualificationPurpose, readSeats, seatsLeft, whereOf } from './slots.ts'
import { type Reserve, reservePayload, type Slot } from './types.ts'
import { joinLine, putRow } from './waitlist.ts'

export const reserve = kind({
  kind: 'reservation.reserve',
  summary: 'Reserves a seat for the sender, or joins the waitlist when the slot is full.',
  payload: reservePayload,
  apply: (context: Context, payload: Reserve): Refusal | undefined => {
    const { block, transaction, view, emit } = context
    const { slot: id } = payload
    const found = findSlot(view, id)
    if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
    const { slot, facility } = found
    if (slot.closed !== undefined) return refuse('reservation/slot-closed', { slot: id })
    if (facility.closed !== undefined) return refuse('reservation/facility-closed', { facility: facility.id })
    if (block.timeMs < slot.opensMs) return refuse('reservation/not-open-yet', { opensMs: slot.opensMs })
    if (block.timeMs >= slot.closesMs) return refuse('reservation/window-closed', { closesMs: slot.closesMs })

    const row = view.get(seatTable, transaction.sender, id)
    if (row !== undefined && row.state !== 'cancelled') return refuse('reservation/already-reserved', { slot: id, state: row.state })
    const refusal = checkQualification(context, id, slot, payload)
    if (refusal !== undefined) return refusal
    const pseudonym = slot.qualification === undefined ? undefined : payload.attestation?.pseudonym
    const holding = { holder: transaction.sender, ...(pseudonym !== undefined && { pseudonym }) }
    if (slot.course !== undefined) {
      const course = view.get(courseTable, slot.course)
      assert(course !== undefined, `the course of slot ${id}`)
      if (heldInCourse(view, slot.course, holding) >= course.perPersonMax) return refuse('reservation/course-limit', { course: slot.course, perPersonMax: course.perPersonMax })
    }

    const before = readSeats(view, id)
    const left = seatsLeft(slot, before)
    if (left === 0 && before.waiting >= slot.waitlistMax) return refuse('reservation/full', { capacity: slot.capacity, waiting: before.waiting })
    const number = before.numbers + 1
    const entry = { number, atMs: block.timeMs, ...(pseudonym !== undefined && { pseudonym }) }
    const who = { ...whereOf(id, found), did: transaction.sender, number }
    enterHolding(view, id, slot, holding)
    if (left === 0) {
      const after = joinLine(view, id, { ...before, numbers: number }, transaction.sender, entry)
      view.put(seatsTable, [id], after)
      emit(waitlisted({ ...who, place: after.waiting }))
    } else {
      putRow(view, id, transaction.sender, { ...entry, state: 'confirmed' })
      view.put(seatsTable, [id], { ...before, numbers: number, confirmed: before.confirmed + 1 })
      emit(reserved({ ...who, seatsLeft: left - 1, waiting: before.waiting }))
    }
    return undefined
  },
})

function checkQualification({ block, transaction, view }: Context, id: string, slot: Slot, { attestation }: Reserve): Refusal | undefined {
  const { qualification } = slot
  if (qualification === undefined) return undefined
  const purpose = qualificationPurpose(slot)
  if (attestation === undefined) return refuse('reservation/qualification-required', { purpose, claim: qualification })
  const refusal = checkAttestation(view, block, attestation, { purpose, subject: transaction.sender })
  if (refusal !== undefined) return refusal
  if (attestation.claim !== qualification) return refuse('reservation/qualification-differs', { purpose, claim: qualification })
  return personInSlot(view, id, attestation.pseudonym) === undefined ? undefined : refuse('reservation/person-has-seat', { slot: id })
}
