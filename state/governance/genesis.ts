// What the chain begins with: parameters, organisations, and the roles of the first day.
import type { Height } from '../../primitives/brand.ts'
import type { BlockContext } from '../family.ts'
import { grantRole } from '../roles.ts'
import { organisationsTable, putGovernors } from './organisations.ts'
import { setParameters } from './parameters.ts'
import { type GovernanceGenesis, governanceGenesis } from './types.ts'
import { putSet, type ValidatorSetRow, windowTable } from './validator-sets.ts'

/** The section of the genesis with what stands elsewhere in it. */
export interface GovernanceSection extends GovernanceGenesis {
  readonly founding: Pick<ValidatorSetRow, 'validators' | 'minimums'> & { readonly window: number }
}

function apply({ block, view }: BlockContext, { parameters, organisations, roles, founding }: GovernanceSection): void {
  setParameters(view, block.height, parameters)
  view.put(organisationsTable, ['all'], organisations)
  for (const { name } of organisations) {
    putGovernors(
      view,
      name,
      roles.filter(({ role, scope }) => role === 'governor' && scope === name).map(({ did }) => did),
    )
  }
  const { validators, minimums, window } = founding
  putSet(view, 0, { activation: 1 as Height, scheduledAtHeight: block.height, validators, minimums })
  view.put(windowTable, ['all'], window)
  for (const { did, role, scope } of roles) grantRole(view, did, role, scope, { grantedAtHeight: block.height })
}

export const genesis = { schema: governanceGenesis, apply }
