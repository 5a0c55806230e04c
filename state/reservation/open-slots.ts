// reservation.openSlots: a facility's timetable, or the sessions of a course, hundreds at once; all of them or none.
import type { Did } from '../../primitives/brand.ts'
import { type BlockInfo, type Context, kind, refuse, type Refusal } from '../family.ts'
import type { WriteView } from '../view.ts'
import { putDue } from './due.ts'
import { slotOpened } from './events.ts'
import { findOpening, openSlot } from './opening.ts'
import { isOperator } from './slots.ts'
import { type Commitment, type Facility, type OpenSlots, openSlotsPayload } from './types.ts'

export const openSlots = kind({
  kind: 'reservation.openSlots',
  summary: 'Opens slots of a facility, with the course they belong to, if any. By its operator; lotteries are signed by each party to their seed.',
  payload: openSlotsPayload,
  apply: (context: Context, payload: OpenSlots): Refusal | undefined => {
    const { block, transaction, view, emit } = context
    const opening = findOpening(context, payload)
    if ('code' in opening) return opening
    const { facility, common } = opening
    const signers = transaction.signatures.map(({ signer }) => signer)
    for (const { id: slot, ...definition } of payload.slots) {
      const refusal = checkParties(view, block, facility, signers, definition.lottery) ?? openSlot(context, slot, { ...common, ...definition })
      if (refusal !== undefined) return refusal
      if (definition.lottery !== undefined) putDue(view, definition.closesMs, { what: 'draw', of: slot })
      const { startsMs, endsMs, opensMs, capacity } = definition
      emit(slotOpened({ slot, facility: facility.id, livingArea: facility.livingArea, ...(common.course !== undefined && { course: common.course }), startsMs, endsMs, opensMs, capacity }))
    }
    return undefined
  },
})

/** Each party has signed, and not all of them run the facility. */
function checkParties(view: WriteView, block: BlockInfo, facility: Facility, signers: readonly Did[], parties: readonly Commitment[] | undefined): Refusal | undefined {
  if (parties === undefined) return undefined
  const stranger = parties.find(({ by }) => !signers.includes(by))
  if (stranger !== undefined) return refuse('reservation/party-not-signed', { did: stranger.by })
  return parties.every(({ by }) => isOperator(view, by, facility, block)) ? refuse('reservation/no-outside-party', { facility: facility.id }) : undefined
}
