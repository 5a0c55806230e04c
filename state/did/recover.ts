// did.recover: the holder of the recovery key gives the DID new keys, whoever has the old ones. The key signs as the sender and is used up.
import { equalBytes } from '../../primitives/bytes.ts'
import { kind, refuse } from '../family.ts'
import { readActive, replaceDid, versionsMax } from './documents.ts'
import { recovered } from './events.ts'
import { exposesRecovery, signingKey } from './recovery.ts'
import { dropRequest, openRequest } from './requests.ts'
import { recoverPayload, recoveryHashOf } from './types.ts'

export const recover = kind({
  kind: 'did.recover',
  summary: 'Replaces the keys of the sender’s DID; signed by the recovery key that was committed.',
  payload: recoverPayload,
  // the recovery key is no authentication key, so the rules here judge it
  createsSender: true,
  apply: ({ block, transaction, view, emit }, { keys, services, recovery }) => {
    const { sender } = transaction
    const current = readActive(view, sender)
    if ('code' in current) return current
    if (current.recovery === undefined) return refuse('did/no-recovery-key')
    if (!equalBytes(recoveryHashOf(signingKey(transaction)), current.recovery)) return refuse('did/recovery-key-wrong')
    if (recovery !== undefined && equalBytes(recovery, current.recovery)) return refuse('did/recovery-key-reused')
    // neither the key just shown nor the next one may stand in the document
    if (exposesRecovery(keys, current.recovery) || exposesRecovery(keys, recovery)) return refuse('did/recovery-key-exposed')
    if (current.version >= versionsMax) return refuse('did/version-limit', { max: versionsMax })
    const { version } = replaceDid(view, block, sender, { keys, services, recovery })
    // a thief who committed a recovery key of his own before anybody noticed must not be able to go on for ever
    if (openRequest(view, sender, block.timeMs)?.second === undefined) dropRequest(view, sender)
    emit(recovered({ did: sender, version, by: 'recovery-key' }))
    return undefined
  },
})
