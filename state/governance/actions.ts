// What an agreed proposal does. A new kind of decision is a variant of `action` in types.ts and a case here.
import type { Did } from '../../primitives/brand.ts'
import { unreachable } from '../../primitives/errors.ts'
import type { BlockContext, Refusal } from '../family.ts'
import { changeParameters } from './parameters.ts'
import { pauseFamily, resumeFamily } from './pause.ts'
import { grantRoleTo, revokeRoleFrom } from './roles.ts'
import { activateRules } from './rule-sets.ts'
import { changeCommunity, changeReservations } from './settings.ts'
import type { Action } from './types.ts'
import { changeValidators, setAddresses } from './validators.ts'

/** `by` is the governor whose vote completed the agreement. A refusal has changed nothing. */
export function execute(context: BlockContext, action: Action, by: Did): Refusal | undefined {
  switch (action.type) {
    case 'grantRole':
      return grantRoleTo(context, action, by)
    case 'revokeRole':
      return revokeRoleFrom(context, action, by)
    case 'setParameters':
      return changeParameters(context, action)
    case 'setReservations':
      return changeReservations(context, action)
    case 'setCommunity':
      return changeCommunity(context, action)
    case 'changeValidators':
      return changeValidators(context, action)
    case 'setAddresses':
      return setAddresses(context, action)
    case 'activateRules':
      return activateRules(context, action)
    case 'pauseFamily':
      return pauseFamily(context, action)
    case 'resumeFamily':
      return resumeFamily(context, action)
    default:
      return unreachable(action)
  }
}
