// points.apply: a citizen shows the issuer's attestation and is granted at once, or waits for an officer, or in line when nothing is left. The place is
// the order of the chain, so first come, first served can be proven; a refused application takes no place.
import { checkAttestation } from '../credential/attestation.ts'
import { kind, refuse } from '../family.ts'
import { findOpenProgram, isRefusal } from './access.ts'
import { applied } from './events.ts'
import { exhausted, findGrantable, makeGrant } from './granting.ts'
import { readAccount } from './grants.ts'
import { accountTable, pseudonymKey, pseudonymTable } from './keys.ts'
import { checkLine, isSomebodyWaiting, joinLine } from './line.ts'
import { takePlace } from './sums.ts'
import { applyPayload } from './types.ts'

export const apply = kind({
  kind: 'points.apply',
  summary: 'applies to a programme with an issuer’s attestation of the tier',
  payload: applyPayload,
  apply: (context, { program: id, attestation }) => {
    const { view, block, emit, transaction } = context
    const did = transaction.sender
    const program = findOpenProgram(view, id)
    if (isRefusal(program)) return program
    const { applicationOpensMs, applicationClosesMs } = program
    if (block.timeMs < applicationOpensMs || block.timeMs >= applicationClosesMs) return refuse('points/application-window', { applicationOpensMs, applicationClosesMs })
    const { claim: tier, pseudonym } = attestation
    if (!program.tiers.some((each) => each.tier === tier)) return refuse('points/unknown-tier', { tier })
    const account = readAccount(view, id, did)
    if (account.application !== undefined && account.application.status !== 'rejected') return refuse('points/already-applied', { status: account.application.status })
    const pseudonymRow = pseudonymKey(id, pseudonym)
    if (view.get(pseudonymTable, ...pseudonymRow) !== undefined) return refuse('points/pseudonym-used', { program: id })
    const isAutomatic = program.decide === 'automatic'
    const grantable = isAutomatic ? findGrantable(context, program, { did, account }, tier) : undefined
    const isShort = grantable !== undefined && isRefusal(grantable) && grantable.code === exhausted
    if (grantable !== undefined && isRefusal(grantable) && (!isShort || program.waitlistMax === undefined)) return grantable
    const mustWait = isAutomatic && (isShort || isSomebodyWaiting(view, id))
    const full = mustWait ? checkLine(view, program) : undefined
    if (full !== undefined) return full
    // last, since a signature costs more than all the rest
    const distrusted = checkAttestation(view, block, attestation, { purpose: `points:${id}`, subject: did })
    if (distrusted !== undefined) return distrusted

    const application = { tier, place: takePlace(context, program), appliedMs: block.timeMs }
    view.put(pseudonymTable, pseudonymRow, { did })
    emit(applied({ program: id, did, tier, place: application.place }))
    if (mustWait) joinLine(context, program, { did, account }, { ...application, pseudonym })
    else if (isAutomatic) return makeGrant(context, program, { did, account: { ...account, application: { ...application, status: 'granted' } } }, { tier })
    else view.put(accountTable, [id, did], { ...account, application: { ...application, status: 'pending', pseudonym } })
    return undefined
  },
})
