// credential.registerIssuer: a holder of the role issuer says what institution it is. Sent again, it replaces what it said.
import { kind, refuse } from '../family.ts'
import { hasRole } from '../roles.ts'
import { issuerRegistered } from './events.ts'
import { issuerTable } from './keys.ts'
import { registerIssuerPayload } from './types.ts'

export const registerIssuer = kind({
  kind: 'credential.registerIssuer',
  summary: 'Publishes the issuer’s name and website; needs the role issuer for the scope.',
  payload: registerIssuerPayload,
  apply: ({ block, transaction: { sender }, view, emit }, { scope, name, website }) => {
    if (!hasRole(view, sender, 'issuer', scope, block.timeMs)) return refuse('credential/not-issuer', { scope })
    const before = view.get(issuerTable, sender)
    view.put(issuerTable, [sender], { scope, name, website, registeredMs: before?.registeredMs ?? block.timeMs, updatedMs: block.timeMs })
    emit(issuerRegistered({ issuer: sender, scope }))
    return undefined
  },
})
