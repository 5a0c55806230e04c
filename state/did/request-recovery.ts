// did.requestRecovery: a registrar, who has met the citizen again, names the new keys. Nothing changes yet. With a second registrar it is firm (requests.ts).
import type { Did, TimeMs } from '../../primitives/brand.ts'
import { countersigner, kind, refuse } from '../family.ts'
import { readParameters } from '../parameters.ts'
import { everyScope, hasRole } from '../roles.ts'
import { readActive } from './documents.ts'
import { recoveryRequested } from './events.ts'
import { exposesRecovery } from './recovery.ts'
import { holdsOffice, openRequest, recoveryRequestTable } from './requests.ts'
import { requestRecoveryPayload } from './types.ts'

export const requestRecovery = kind({
  kind: 'did.requestRecovery',
  summary: 'A registrar asks for new keys of a citizen’s DID; they may be taken after the waiting period, unless the holder stops it; countersigned by another registrar, after twice as long, and only registrars stop it.',
  payload: requestRecoveryPayload,
  apply: ({ block, transaction, view, emit }, { did, keys, services, recovery }) => {
    const { sender: registrar } = transaction
    const isRegistrar = (who: Did): boolean => hasRole(view, who, 'registrar', everyScope, block.timeMs)
    if (!isRegistrar(registrar)) return refuse('did/not-registrar')
    const current = readActive(view, did)
    if ('code' in current) return current
    if (holdsOffice(view, did, block.timeMs)) return refuse('did/holds-office')
    const open = openRequest(view, did, block.timeMs)
    if (open !== undefined) return refuse('did/recovery-requested', { registrar: open.registrar, readyMs: open.readyMs })
    if (exposesRecovery(keys, recovery)) return refuse('did/recovery-key-exposed')
    const second = countersigner(transaction, isRegistrar)
    const waitMs = readParameters(view).recoveryWaitMs * (second === undefined ? 1 : 2)
    const readyMs = (block.timeMs + waitMs) as TimeMs
    view.put(recoveryRequestTable, [did], { registrar, second, keys, services, recovery, requestedMs: block.timeMs, readyMs, untilMs: (readyMs + waitMs) as TimeMs })
    emit(recoveryRequested({ did, registrar, second, readyMs }))
    return undefined
  },
})
