// did.register: a DID comes into being. Self-certifying, so nobody can take another's; countersigned, so each stands for a citizen whom a registrar has met.
import { equalBytes } from '../../primitives/bytes.ts'
import { countersigner, kind, refuse } from '../family.ts'
import { everyScope, hasRole } from '../roles.ts'
import { createDid, readDid } from './documents.ts'
import { registered } from './events.ts'
import { exposesRecovery, signingKey } from './recovery.ts'
import { didOf, registerPayload } from './types.ts'

export const register = kind({
  kind: 'did.register',
  summary: 'Registers the sender’s DID with its first keys; a registrar countersigns.',
  payload: registerPayload,
  createsSender: true,
  apply: ({ block, transaction, view, emit }, { keys, services, recovery }) => {
    const { sender } = transaction
    if (sender !== didOf(keys)) return refuse('did/not-self-certifying', { expected: didOf(keys) })
    if (readDid(view, sender) !== undefined) return refuse('did/already-registered')
    const signed = signingKey(transaction)
    if (!keys.some(({ key, relationships }) => relationships.includes('authentication') && equalBytes(key, signed))) return refuse('did/key-not-listed')
    if (exposesRecovery(keys, recovery)) return refuse('did/recovery-key-exposed')
    const registrar = countersigner(transaction, (signer) => hasRole(view, signer, 'registrar', everyScope, block.timeMs))
    if (registrar === undefined) return refuse('did/registrar-missing')
    createDid(view, block, sender, { keys, services, recovery })
    emit(registered({ did: sender, registrar }))
    return undefined
  },
})
