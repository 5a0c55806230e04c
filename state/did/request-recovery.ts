// did.requestRecovery: a registrar, who has met the citizen again, names the new keys. Nothing changes yet.
import type { TimeMs } from '../../primitives/brand.ts'
import { kind, refuse } from '../family.ts'
import { readParameters } from '../parameters.ts'
import { everyScope, hasRole } from '../roles.ts'
import { readActive } from './documents.ts'
import { recoveryRequested } from './events.ts'
import { exposesRecovery } from './recovery.ts'
import { holdsOffice, openRequest, recoveryRequestTable } from './requests.ts'
import { requestRecoveryPayload } from './types.ts'

export const requestRecovery = kind({
  kind: 'did.requestRecovery',
  summary: 'A registrar asks for new keys of a citizen’s DID; they may be taken after the waiting period, unless the holder stops it.',
  payload: requestRecoveryPayload,
  apply: ({ block, transaction: { sender: registrar }, view, emit }, { did, keys, services, recovery }) => {
    if (!hasRole(view, registrar, 'registrar', everyScope, block.timeMs)) return refuse('did/not-registrar')
    const current = readActive(view, did)
    if ('code' in current) return current
    if (holdsOffice(view, did, block.timeMs)) return refuse('did/holds-office')
    const open = openRequest(view, did, block.timeMs)
    if (open !== undefined) return refuse('did/recovery-requested', { registrar: open.registrar, readyMs: open.readyMs })
    if (exposesRecovery(keys, recovery)) return refuse('did/recovery-key-exposed')
    const waitMs = readParameters(view).recoveryWaitMs
    const readyMs = (block.timeMs + waitMs) as TimeMs
    view.put(recoveryRequestTable, [did], { registrar, keys, services, recovery, requestedMs: block.timeMs, readyMs, untilMs: (readyMs + waitMs) as TimeMs })
    emit(recoveryRequested({ did, registrar, readyMs }))
    return undefined
  },
})
