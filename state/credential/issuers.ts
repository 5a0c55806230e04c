// Who may act as an issuer of credentials now.
import type { Did, TimeMs } from '../../primitives/brand.ts'
import { type Refusal, refuse } from '../family.ts'
import { everyScope, hasRole } from '../roles.ts'
import type { ReadView } from '../view.ts'
import { issuerTable } from './keys.ts'

/** An issuer for every scope, or one that has registered for the scope that it still holds. */
export function refuseUnlessIssuer(view: ReadView, issuer: Did, nowMs: TimeMs): Refusal | undefined {
  if (hasRole(view, issuer, 'issuer', everyScope, nowMs)) return undefined
  const registered = view.get(issuerTable, issuer)
  if (registered === undefined) return refuse('credential/issuer-not-registered')
  return hasRole(view, issuer, 'issuer', registered.scope, nowMs) ? undefined : refuse('credential/not-issuer', { scope: registered.scope })
}
