// What the chain begins with: parameters, organisations, and the roles of the first day.
import type { BlockContext } from '../family.ts'
import { grantRole } from '../roles.ts'
import { organisationsTable, putGovernors } from './organisations.ts'
import { setParameters } from './parameters.ts'
import { type GovernanceGenesis, governanceGenesis } from './types.ts'

function apply({ block, view }: BlockContext, { parameters, organisations, roles }: GovernanceGenesis): void {
  setParameters(view, block.height, parameters)
  view.put(organisationsTable, ['all'], organisations)
  for (const { name } of organisations) {
    putGovernors(
      view,
      name,
      roles.filter(({ role, scope }) => role === 'governor' && scope === name).map(({ did }) => did),
    )
  }
  for (const { did, role, scope } of roles) grantRole(view, did, role, scope, { grantedAtHeight: block.height })
}

export const genesis = { schema: governanceGenesis, apply }
