// did.stopRecovery: the holder, who has lost nothing, keeps the DID; or a registrar takes back what was asked for by mistake.
import { kind, refuse } from '../family.ts'
import { everyScope, hasRole } from '../roles.ts'
import { recoveryStopped } from './events.ts'
import { dropRequest, openRequest } from './requests.ts'
import { stopRecoveryPayload } from './types.ts'

export const stopRecovery = kind({
  kind: 'did.stopRecovery',
  summary: 'Stops the recovery that a registrar has asked for; by the DID itself or a registrar.',
  payload: stopRecoveryPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { did }) => {
    if (sender !== did && !hasRole(view, sender, 'registrar', everyScope, block.timeMs)) return refuse('did/not-registrar')
    if (openRequest(view, did, block.timeMs) === undefined) return refuse('did/no-recovery-request')
    dropRequest(view, did)
    emit(recoveryStopped({ did, by: sender }))
    return undefined
  },
})
