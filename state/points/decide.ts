// points.decide: officers approve or reject applications that wait for them, all of the batch or none; what is approved and cannot be granted waits in line,
// where the programme has one, from where it can still be rejected. A rejection frees the pseudonym, so that the same person may apply again, at a new place.
import type { Infer } from '../../primitives/schema.ts'
import { assert } from '../../primitives/errors.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { findOfficersProgram, findOpenProgram, findProgram, isRefusal } from './access.ts'
import { rejected } from './events.ts'
import { exhausted, findGrantable, makeGrant } from './granting.ts'
import { readAccount } from './grants.ts'
import { accountTable, pseudonymKey, pseudonymTable } from './keys.ts'
import { checkLine, isSomebodyWaiting, joinLine, leaveLine, wakeLine } from './line.ts'
import { decidePayload, type Program } from './types.ts'

type Decision = Infer<typeof decidePayload>['decisions'][number]

export const decide = kind({
  kind: 'points.decide',
  summary: 'approves or rejects pending applications, all or none',
  payload: decidePayload,
  apply: (context, { program: id, decisions }) => {
    // what still waits in a closed programme can be rejected, not granted
    const program = findOfficersProgram(context, id, decisions.some(({ approve }) => approve) ? findOpenProgram : findProgram)
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
  if (application?.status !== 'pending' && (approve || application?.status !== 'waiting')) return refuse('points/not-pending', { did })
  const { tier, place, appliedMs, pseudonym, status } = application
  assert(pseudonym !== undefined, 'an application that waits has its pseudonym')
  if (approve) {
    const holder = { did, account: { ...account, application: { tier, place, appliedMs, status: 'granted' as const } } }
    const grantable = findGrantable(context, program, holder, tier)
    const mustWait = program.waitlistMax !== undefined && (isSomebodyWaiting(view, program.id) || (isRefusal(grantable) && grantable.code === exhausted))
    if (!mustWait) return makeGrant(context, program, holder, { tier, officer })
    if (isRefusal(grantable) && grantable.code !== exhausted) return grantable
    const full = checkLine(view, program)
    if (full === undefined) joinLine(context, program, { did, account }, { tier, place, appliedMs, pseudonym })
    return full
  }
  assert(reason !== undefined, 'a rejection has its reason')
  if (status === 'waiting') {
    leaveLine(view, program.id)
    wakeLine(context, program.id)
  }
  view.remove(pseudonymTable, pseudonymKey(program.id, pseudonym))
  view.put(accountTable, [program.id, did], { ...account, application: { tier, place, appliedMs, status: 'rejected', reason } })
  emit(rejected({ program: program.id, did, reason, officer }))
  return undefined
}
