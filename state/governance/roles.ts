// Granting and revoking, by a proposal or by a holder whose own role reaches that far. Both come through here.
import type { Did } from '../../primitives/brand.ts'
import { isActive } from '../did/authority.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { everyScope, grantRole, hasRole, type RoleName, revokeRole, roleTable } from '../roles.ts'
import type { ReadView } from '../view.ts'
import { roleGranted, roleRevoked } from './events.ts'
import { governorsOf, organisationOf, organisations, putGovernors } from './organisations.ts'
import { type GrantRolePayload, governorsMax, type RevokeRolePayload } from './types.ts'

/**
 * Who may grant what without a proposal, to one named scope each: the holder of the role with scope `*` on the left, the roles on the right.
 * All else (governor, registrar, issuer, settler, and every role with scope `*`) takes a proposal: those who meet citizens, attest or move the
 * bank's money are agreed on by the organisations together.
 */
const reach: Readonly<Partial<Record<RoleName, readonly RoleName[]>>> = {
  officer: ['officer', 'merchant'],
  operator: ['operator'],
  moderator: ['moderator'],
}

/** True if the DID holds a role whose reach covers the grant. */
export function reaches(view: ReadView, { block, granter, role, scope }: { readonly block: BlockContext['block']; readonly granter: Did; readonly role: RoleName; readonly scope: string }): boolean {
  if (scope === everyScope) return false
  return Object.entries(reach).some(([held, granted]) => granted.includes(role) && hasRole(view, granter, held as RoleName, everyScope, block.timeMs))
}

export function grantRoleTo({ block, view, emit }: BlockContext, { did, role, scope, untilMs }: GrantRolePayload, grantedBy: Did): Refusal | undefined {
  if (!isActive(view, did)) return refuse('governance/holder-not-active', { did })
  if (untilMs !== undefined && untilMs <= block.timeMs) return refuse('governance/term-past', { untilMs, blockTimeMs: block.timeMs })
  if (role === 'governor') {
    if (!organisations(view).some(({ name }) => name === scope)) return refuse('governance/unknown-organisation', { organisation: scope })
    const other = organisationOf(view, did)
    if (other !== undefined) return refuse('governance/already-governor', { did, organisation: other })
    const governors = governorsOf(view, scope)
    if (governors.length >= governorsMax) return refuse('governance/too-many-governors', { organisation: scope, max: governorsMax })
    putGovernors(view, scope, [...governors, did])
  }
  grantRole(view, did, role, scope, { grantedBy, grantedAtHeight: block.height, untilMs })
  emit(roleGranted({ did, role, scope, untilMs, grantedBy }))
  return undefined
}

export function revokeRoleFrom({ view, emit }: BlockContext, { did, role, scope }: RevokeRolePayload, revokedBy: Did): Refusal | undefined {
  if (view.get(roleTable, did, role, scope) === undefined) return refuse('governance/not-held', { did, role, scope })
  if (role === 'governor') {
    const governors = governorsOf(view, scope)
    if (governors.length === 1) return refuse('governance/last-governor', { organisation: scope })
    putGovernors(
      view,
      scope,
      governors.filter((governor) => governor !== did),
    )
  }
  revokeRole(view, did, role, scope)
  emit(roleRevoked({ did, role, scope, revokedBy }))
  return undefined
}
