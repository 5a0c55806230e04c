// What governance tells those who follow the chain.
import { did, oneOf, optional, slug, timeMs, token } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { parameters } from '../parameters.ts'
import { roleName } from '../roles.ts'
import { action, proposalNumber, roleScope, vote } from './types.ts'

export const proposed = event('governance.proposed', 'A proposal was opened for votes.', { proposal: proposalNumber, proposer: did, action, expiresMs: timeMs })
export const voted = event('governance.voted', 'A governor voted.', { proposal: proposalNumber, organisation: slug, governor: did, vote })
/** Once a proposal, and the last of it. */
export const closed = event('governance.closed', 'A proposal was executed, rejected, or agreed on and found impossible (failed, with the code).', {
  proposal: proposalNumber,
  outcome: oneOf('executed', 'rejected', 'failed'),
  code: optional(token(/[a-z]+\/[a-z-]+/, 60, 'a refusal code')),
})
export const roleGranted = event('governance.roleGranted', 'A DID was granted a role, or its term was changed.', { did, role: roleName, scope: roleScope, untilMs: optional(timeMs), grantedBy: did })
export const roleRevoked = event('governance.roleRevoked', 'A role was taken back or laid down.', { did, role: roleName, scope: roleScope, revokedBy: did })
export const parametersChanged = event('governance.parametersChanged', 'The parameters of the chain’s rules were set.', { parameters })

export const governanceEvents = [proposed, voted, closed, roleGranted, roleRevoked, parametersChanged]
