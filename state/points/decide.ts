// points.decide: an officer approves or rejects applications that wait, all of the batch or none. A rejection frees the pseudonym, so that
// the same person may apply again, at a new place.
import type { Infer } from '../../primitives/schema.ts'
import { assert } from '../../primitives/errors.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { checkOfficer, findOpenProgram, findProgram, isRefusal } from './access.ts'
import { rejected } from './events.ts'
import { makeGrant, readAccount } from './grants.ts'
import { accountTable, pseudonymKey, pseudonymTable } from './keys.ts'
import { decidePayload, type Program } from './types.ts'

type Decision = Infer<typeof decidePayload>['decisions'][number]

export const decide = kind({
  kind: 'points.decide',
  summary: 'approves or rejects pending applications, all or none',
  payload: decidePayload,
  apply: (context, { program: id, decisions }) => {
    const denied = checkOfficer(context, id)
    if (denied !== undefined) return denied
    // what still waits in a closed programme can be rejected, not granted
    const program = decisions.some(({ approve }) => approve) ? findOpenProgram(context.view, id) : findProgram(context.view, id)
    if (isRefusal(program)) return program
    for (const decision of decisions) {
      const refusal = decideOne(context, program, decision)
      if (refusal !== undefined) return refusal
    }
    return undefined
  },
})

function decideOne(context: Context, program: Program, { did, approve, reason }: Decision): Refusal | undefined {
  const { view, emit, transaction } = context
  const officer = transaction.sender
  const account = readAccount(view, program.id, did)
  const { application } = account
  if (application?.status !== 'pending') return refuse('points/not-pending', { did })
  const { tier, place, appliedMs, pseudonym } = application
  if (approve) return makeGrant(context, program, { did, account: { ...account, application: { tier, place, appliedMs, status: 'granted' } } }, { tier, officer })
  assert(pseudonym !== undefined && reason !== undefined, 'a pending application has its pseudonym, a rejection its reason')
  view.remove(pseudonymTable, pseudonymKey(program.id, pseudonym))
  view.put(accountTable, [program.id, did], { ...account, application: { tier, place, appliedMs, status: 'rejected', reason } })
  emit(rejected({ program: program.id, did, reason, officer }))
  return undefined
}
