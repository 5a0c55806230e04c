// points.apply: a citizen shows the issuer's attestation and is granted at once, or waits for an officer with a place in line. The place is
// the order of the chain, so first come, first served can be proven; a refused application takes no place.
import { checkAttestation } from '../credential/attestation.ts'
import { kind, refuse } from '../family.ts'
import { findOpenProgram, isRefusal } from './access.ts'
import { applied } from './events.ts'
import { makeGrant, readAccount } from './grants.ts'
import { type Account, accountTable, pseudonymKey, pseudonymTable } from './keys.ts'
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
    // last, since a signature costs more than all the rest
    const distrusted = checkAttestation(view, block, attestation, { purpose: `points:${id}`, subject: did })
    if (distrusted !== undefined) return distrusted

    const place = takePlace(view, program)
    const isAutomatic = program.decide === 'automatic'
    const next: Account = {
      ...account,
      application: isAutomatic ? { tier, place, appliedMs: block.timeMs, status: 'granted' } : { tier, place, appliedMs: block.timeMs, status: 'pending', pseudonym },
    }
    view.put(pseudonymTable, pseudonymRow, { did })
    emit(applied({ program: id, did, tier, place }))
    if (isAutomatic) return makeGrant(context, program, { did, account: next }, { tier })
    view.put(accountTable, [id, did], next)
    return undefined
  },
})
