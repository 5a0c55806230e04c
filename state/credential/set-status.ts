// credential.setStatus: revokes for good, suspends, or lifts a suspension, many credentials at once. The first use of a list's name makes it the sender's.
import { kind, refuse } from '../family.ts'
import { statusSet } from './events.ts'
import { refuseUnlessIssuer } from './issuers.ts'
import { statusListTable, writeStatus } from './status.ts'
import { setStatusPayload } from './types.ts'

export const setStatus = kind({
  kind: 'credential.setStatus',
  summary: 'Sets or clears bits of a status list of the issuer.',
  payload: setStatusPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { list, purpose, indexes, status }) => {
    const refusal = refuseUnlessIssuer(view, sender, block.timeMs)
    if (refusal !== undefined) return refusal
    if (purpose === 'revocation' && !status) return refuse('credential/revocation-final')
    const known = view.get(statusListTable, list)
    if (known === undefined) view.put(statusListTable, [list], { issuer: sender, purpose })
    else {
      if (known.issuer !== sender) return refuse('credential/list-of-other', { list, issuer: known.issuer })
      if (known.purpose !== purpose) return refuse('credential/list-purpose', { list, purpose: known.purpose })
    }
    const changed = writeStatus(view, list, indexes, status)
    const madeEmpty = known === undefined && indexes.length === 0
    if (changed.length === 0 && !madeEmpty) return refuse('credential/status-unchanged', { list })
    emit(statusSet({ issuer: sender, list, purpose, indexes: changed, status }))
    return undefined
  },
})
