// Who may take a seat, a place in line or a lot: the rules that reservation.reserve and reservation.hold share.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type Attestation, checkAttestation } from '../credential/attestation.ts'
import { type Context, refuse, type Refusal } from '../family.ts'
import { blockedUntil } from './absences.ts'
import { courseTable, seatTable } from './keys.ts'
import { heldInCourse, type Holding, personInSlot } from './persons.ts'
import { type Found, qualificationPurpose } from './slots.ts'
import type { Seat, Slot } from './types.ts'

/** Rows of the past: whoever has one may try again. */
const isOver: Readonly<Record<Seat['state'], boolean>> = { confirmed: false, waiting: false, entered: false, held: false, attended: false, absent: false, cancelled: true, lapsed: true, lost: true }

/** The person as whom the sender is admitted. The signature of an attestation comes last, since it costs more than all the rest. */
export function admit(context: Context, id: string, { slot, facility, closed }: Found, attestation: Attestation | undefined): Holding | Refusal {
  const { block, transaction, view } = context
  const holder: Did = transaction.sender
  if (closed !== undefined) return refuse('reservation/slot-closed', { slot: id })
  if (facility.closed !== undefined) return refuse('reservation/facility-closed', { facility: facility.id })
  if (block.timeMs < slot.opensMs) return refuse('reservation/not-open-yet', { opensMs: slot.opensMs })
  if (block.timeMs >= slot.closesMs) return refuse('reservation/window-closed', { closesMs: slot.closesMs })
  const row = view.get(seatTable, holder, id)
  if (row !== undefined && !isOver[row.state]) return refuse('reservation/already-reserved', { slot: id, state: row.state })
  const untilMs = blockedUntil(view, holder, block.timeMs)
  if (untilMs !== undefined) return refuse('reservation/blocked', { untilMs })
  const refusal = checkQualification(context, id, slot, attestation)
  if (refusal !== undefined) return refusal
  const holding = slot.qualification === undefined || attestation === undefined ? { holder } : { holder, pseudonym: attestation.pseudonym }
  if (slot.course === undefined) return holding
  const course = view.get(courseTable, slot.course)
  assert(course !== undefined, `the course of slot ${id}`)
  return heldInCourse(view, slot.course, holding) < course.perPersonMax ? holding : refuse('reservation/course-limit', { course: slot.course, perPersonMax: course.perPersonMax })
}

function checkQualification({ block, transaction, view }: Context, id: string, slot: Slot, attestation: Attestation | undefined): Refusal | undefined {
  const { qualification } = slot
  if (qualification === undefined) return undefined
  const purpose = qualificationPurpose(slot)
  if (attestation === undefined) return refuse('reservation/qualification-required', { purpose, claim: qualification })
  const refusal = checkAttestation(view, block, attestation, { purpose, subject: transaction.sender })
  if (refusal !== undefined) return refusal
  if (attestation.claim !== qualification) return refuse('reservation/qualification-differs', { purpose, claim: qualification })
  return personInSlot(view, id, attestation.pseudonym) === undefined ? undefined : refuse('reservation/person-has-seat', { slot: id })
}
