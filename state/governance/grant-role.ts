import { kind, refuse } from '../family.ts'
import { grantRoleTo, reaches } from './roles.ts'
import { grantRolePayload } from './types.ts'

export const grantRole = kind({
  kind: 'governance.grantRole',
  summary: 'Grants a role for one named scope, or changes its term, by a holder whose own role reaches that far.',
  payload: grantRolePayload,
  apply: (context, payload) => {
    const { sender } = context.transaction
    const { role, scope } = payload
    if (!reaches(context.view, { block: context.block, granter: sender, role, scope })) return refuse('governance/beyond-reach', { role, scope })
    return grantRoleTo(context, payload, sender)
  },
})
