// did.completeRecovery: after the waiting period one of the new keys takes the DID, and shows by its signature that somebody holds it.
import { equalBytes } from '../../primitives/bytes.ts'
import { kind, refuse } from '../family.ts'
import { readActive, replaceDid, versionsMax } from './documents.ts'
import { recovered } from './events.ts'
import { signingKey } from './recovery.ts'
import { dropRequest, openRequest } from './requests.ts'
import { deactivatePayload as nothing } from './types.ts'

export const completeRecovery = kind({
  kind: 'did.completeRecovery',
  summary: 'Gives the sender’s DID the keys that a registrar has asked for, after the waiting period; signed by one of them.',
  payload: nothing,
  // the new key is no authentication key yet, so the rules here judge it
  createsSender: true,
  apply: ({ block, transaction, view, emit }) => {
    const { sender } = transaction
    const current = readActive(view, sender)
    if ('code' in current) return current
    const request = openRequest(view, sender, block.timeMs)
    if (request === undefined) return refuse('did/no-recovery-request')
    const signed = signingKey(transaction)
    if (!request.keys.some(({ key, relationships }) => relationships.includes('authentication') && equalBytes(key, signed))) return refuse('did/key-not-listed')
    if (block.timeMs < request.readyMs) return refuse('did/recovery-waiting', { readyMs: request.readyMs })
    if (current.version >= versionsMax) return refuse('did/version-limit', { max: versionsMax })
    const { version } = replaceDid(view, block, sender, { keys: request.keys, services: request.services, recovery: request.recovery })
    dropRequest(view, sender)
    emit(recovered({ did: sender, version, by: 'registrar' }))
    return undefined
  },
})
