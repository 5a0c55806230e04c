// points.clawback: officers take back what is left of a grant that should not have been made, for a reason. What was spent stays spent, what is on hold can
// still be captured; whatever of it comes back later is taken as well. A grant of which nothing was spent frees its place. The pseudonym stays used.
import type { Won } from '../../primitives/brand.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { findOfficersProgram, findOpenProgram, isRefusal } from './access.ts'
import { clawedBack } from './events.ts'
import { leftOf, readAccount, withGrant } from './grants.ts'
import { accountTable } from './keys.ts'
import { lapse } from './lapse.ts'
import { promoteAtOnceMax } from './limits.ts'
import { moveUp } from './line.ts'
import { clawbackPayload } from './types.ts'

export const clawback = kind({
  kind: 'points.clawback',
  summary: 'takes back what is left of a citizen’s grant, with a reason; who waits in line moves up',
  payload: clawbackPayload,
  apply: (context: Context, { program: id, did, grant: number, reason }): Refusal | undefined => {
    const { view, emit } = context
    const program = findOfficersProgram(context, id, findOpenProgram)
    if (isRefusal(program)) return program
    const account = readAccount(view, id, did)
    const grant = account.grants[number - 1]
    if (grant === undefined) return refuse('points/unknown-grant', { did, grant: number })
    if (grant.revoked !== undefined || leftOf(grant) + grant.onHold === 0) return refuse('points/nothing-to-claw-back', { did, grant: number })
    const revoked = withGrant(account, number - 1, { ...grant, revoked: reason })
    view.put(accountTable, [id, did], lapse(context, program, did, revoked, number - 1))
    // all of it is on hold: what the officer did shows all the same
    if (leftOf(grant) === 0) emit(clawedBack({ program: id, did, grant: number, amount: 0 as Won, reason }))
    moveUp(context, program, promoteAtOnceMax)
    return undefined
  },
})
