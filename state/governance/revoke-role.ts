import { kind, refuse } from '../family.ts'
import { recount } from './count.ts'
import { reaches, revokeRoleFrom } from './roles.ts'
import { revokeRolePayload } from './types.ts'

export const revokeRole = kind({
  kind: 'governance.revokeRole',
  summary: 'Takes a role back, by a holder whose own role reaches that far; anybody lays down a role of their own.',
  payload: revokeRolePayload,
  apply: (context, payload) => {
    const { sender } = context.transaction
    const { role, scope } = payload
    const isOwn = payload.did === sender
    if (!isOwn && !reaches(context.view, { block: context.block, granter: sender, role, scope })) return refuse('governance/beyond-reach', { role, scope })
    const refusal = revokeRoleFrom(context, payload, sender)
    if (refusal === undefined && role === 'governor') recount(context, sender)
    return refusal
  },
})
