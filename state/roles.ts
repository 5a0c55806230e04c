// Roles: what a DID may do, over which scope, until when. Granted by governance and by those whose role reaches that far; every family asks here.
import type { Did, TimeMs } from '../primitives/brand.ts'
import { did, height, type Infer, oneOf, optional, record, timeMs } from '../primitives/schema.ts'
import { table } from './table.ts'
import type { ReadView, WriteView } from './view.ts'

/**
 * governor: votes for an organisation (scope: its name) · registrar: countersigns registrations · issuer: signs attestations and credentials ·
 * officer: opens and runs programmes (scope: a programme) · merchant: takes points (scope: its category) · settler: the bank's settlement ·
 * operator: facilities (scope: a facility or a living area) · moderator: boards (scope: a living area). Scope `*` is every scope.
 */
export const roleNames = ['governor', 'registrar', 'issuer', 'officer', 'merchant', 'settler', 'operator', 'moderator'] as const
export const roleName = oneOf(...roleNames)
export type RoleName = Infer<typeof roleName>

export const everyScope = '*'

export const roleGrant = record({
  grantedBy: optional(did),
  grantedAtHeight: height,
  /** The last block time at which it holds; absent: until revoked. */
  untilMs: optional(timeMs),
})
export type RoleGrant = Infer<typeof roleGrant>

/** role/<did>/<role>/<scope> */
export const roleTable = table('role', roleGrant)

/** True if the DID holds the role for this scope, or for every scope, at the block time. */
export function hasRole(view: ReadView, holder: Did, role: RoleName, scope: string, nowMs: TimeMs): boolean {
  return [scope, everyScope].some((held) => {
    const grant = view.get(roleTable, holder, role, held)
    return grant !== undefined && (grant.untilMs === undefined || nowMs <= grant.untilMs)
  })
}

export function grantRole(view: WriteView, holder: Did, role: RoleName, scope: string, grant: RoleGrant): void {
  view.put(roleTable, [holder, role, scope], grant)
}

export function revokeRole(view: WriteView, holder: Did, role: RoleName, scope: string): void {
  view.remove(roleTable, [holder, role, scope])
}
