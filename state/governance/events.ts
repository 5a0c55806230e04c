// What governance tells those who follow the chain.
import { validatorsMax } from '../../primitives/limits.ts'
import { did, hash, height, integer, list, oneOf, optional, slug, timeMs, token } from '../../primitives/schema.ts'
import { settings as communitySettings } from '../community/types.ts'
import { event } from '../family.ts'
import { parameters } from '../parameters.ts'
import { settings as reservationSettings } from '../reservation/types.ts'
import { roleName } from '../roles.ts'
import { action, pausableFamily, proposalNumber, roleScope, ruleSetRow, vote } from './types.ts'
import { address, addressesMax, minimumEntry, validatorEntry } from './validator-sets.ts'

export const proposed = event('governance.proposed', 'A proposal was opened for votes.', { proposal: proposalNumber, proposer: did, action, expiresMs: timeMs, evidence: optional(hash) })
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

export const reservationsSet = event('governance.reservationsSet', 'What holds for all facilities was set.', { settings: reservationSettings })
export const communitySet = event('governance.communitySet', 'The limits of posting were set.', { settings: communitySettings })

export const validatorSetScheduled = event('governance.validatorSetScheduled', 'Another validator set was agreed on; it governs from the activation on.', {
  number: integer(1),
  activation: height,
  validators: list(validatorEntry, 1, validatorsMax),
  minimums: list(minimumEntry, 0, validatorsMax),
})
export const validatorSetActivated = event('governance.validatorSetActivated', 'The validator set agreed on before governs from this block on.', { number: integer(1) })
export const validatorAddressesSet = event('governance.validatorAddressesSet', 'A validator is reached at other addresses.', { validator: slug, addresses: list(address, 1, addressesMax) })
export const ruleSetScheduled = event('governance.ruleSetScheduled', 'A rule set was agreed on; blocks from this height on are executed by it.', { ruleSet: ruleSetRow })
export const ruleSetActivated = event('governance.ruleSetActivated', 'Blocks are executed by this rule set from this one on. Once a version.', { ruleSet: ruleSetRow })
export const familyPaused = event('governance.familyPaused', 'Transactions of a family are refused until it is resumed.', { family: pausableFamily })
export const familyResumed = event('governance.familyResumed', 'Transactions of a family run again.', { family: pausableFamily })

export const governanceEvents = [
  proposed,
  voted,
  closed,
  roleGranted,
  roleRevoked,
  parametersChanged,
  reservationsSet,
  communitySet,
  validatorSetScheduled,
  validatorSetActivated,
  validatorAddressesSet,
  ruleSetScheduled,
  ruleSetActivated,
  familyPaused,
  familyResumed,
]
