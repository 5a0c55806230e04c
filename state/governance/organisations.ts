// Organisations and their governors, kept in one small record each, so that a majority is counted without a scan.
// The lists and the role `governor` change together, through grantRoleTo and revokeRoleFrom only (roles.ts beside this file).
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { did, list } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import type { ReadView, WriteView } from '../view.ts'
import { governorsMax, type Organisation, organisation, organisationsMax } from './types.ts'

/** governance.organisations/all */
export const organisationsTable = table('governance.organisations', list(organisation, 1, organisationsMax))
/** governance.governors/<organisation>, in the order of their grants. */
export const governorsTable = table('governance.governors', list(did, 0, governorsMax))

export function organisations(view: ReadView): readonly Organisation[] {
  const all = view.get(organisationsTable, 'all')
  assert(all !== undefined, 'organisations set by genesis')
  return all
}

export function governorsOf(view: ReadView, name: string): readonly Did[] {
  return view.get(governorsTable, name) ?? []
}

export function putGovernors(view: WriteView, name: string, governors: readonly Did[]): void {
  view.put(governorsTable, [name], governors)
}

/** The organisation that the DID is a governor of; it is never more than one. */
export function organisationOf(view: ReadView, governor: Did): string | undefined {
  return organisations(view).find(({ name }) => governorsOf(view, name).includes(governor))?.name
}
