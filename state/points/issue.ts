// points.issue: an officer grants without an application, one citizen or hundreds, all or none. The pseudonyms come from the issuer as those of
// attestations do, so the same person or household is granted once, whichever way. A DID may hold several grants only under several pseudonyms.
import { isActive } from '../did/authority.ts'
import { kind, refuse } from '../family.ts'
import { findOfficersProgram, findOpenProgram, isRefusal } from './access.ts'
import { makeGrant } from './granting.ts'
import { readAccount } from './grants.ts'
import { pseudonymKey, pseudonymTable } from './keys.ts'
import { isSomebodyWaiting } from './line.ts'
import { issuePayload } from './types.ts'

export const issue = kind({
  kind: 'points.issue',
  summary: 'grants to one or up to 500 citizens, all or none',
  payload: issuePayload,
  apply: (context, { program: id, grants }) => {
    const { view, block, transaction } = context
    const program = findOfficersProgram(context, id, findOpenProgram)
    if (isRefusal(program)) return program
    if (isSomebodyWaiting(view, id)) return refuse('points/line-waits', { program: id })
    for (const { did, tier, pseudonym, expiresMs } of grants) {
      if (expiresMs !== undefined && (expiresMs <= block.timeMs || expiresMs > program.useClosesMs)) return refuse('points/expiry-invalid', { did, expiresMs })
      if (!isActive(view, did)) return refuse('points/unknown-did', { did })
      const pseudonymRow = pseudonymKey(id, pseudonym)
      if (view.get(pseudonymTable, ...pseudonymRow) !== undefined) return refuse('points/pseudonym-used', { program: id, did })
      view.put(pseudonymTable, pseudonymRow, { did })
      const refusal = makeGrant(context, program, { did, account: readAccount(view, id, did) }, { tier, expiresMs, officer: transaction.sender })
      if (refusal !== undefined) return refusal
    }
    return undefined
  },
})
