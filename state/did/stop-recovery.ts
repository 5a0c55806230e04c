// did.stopRecovery: the holder, who has lost nothing, keeps the DID; or a registrar takes back what was asked for by mistake. What two registrars asked for, only a registrar stops.
import { kind, refuse } from '../family.ts'
import { everyScope, hasRole } from '../roles.ts'
import { recoveryStopped } from './events.ts'
import { dropRequest, openRequest } from './requests.ts'
import { stopRecoveryPayload } from './types.ts'

export const stopRecovery = kind({
  kind: 'did.stopRecovery',
  summary: 'Stops the recovery that a registrar has asked for; by the DID itself or a registrar; if two registrars asked, by a registrar.',
  payload: stopRecoveryPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { did }) => {
    const isRegistrar = hasRole(view, sender, 'registrar', everyScope, block.timeMs)
    if (sender !== did && !isRegistrar) return refuse('did/not-registrar')
    const open = openRequest(view, did, block.timeMs)
    if (open === undefined) return refuse('did/no-recovery-request')
    if (open.second !== undefined && !isRegistrar) return refuse('did/recovery-firm', { registrar: open.registrar, second: open.second })
    dropRequest(view, did)
    emit(recoveryStopped({ did, by: sender }))
    return undefined
  },
})
