// What an agreed proposal does. A new kind of decision is a variant of `action` in types.ts and a case here.
import type { Did } from '../../primitives/brand.ts'
import { unreachable } from '../../primitives/errors.ts'
import type { BlockContext, Refusal } from '../family.ts'
import { parametersChanged } from './events.ts'
import { setParameters } from './parameters.ts'
import { grantRoleTo, revokeRoleFrom } from './roles.ts'
import type { Action } from './types.ts'

/** `by` is the governor whose vote completed the agreement. A refusal has changed nothing. */
export function execute(context: BlockContext, action: Action, by: Did): Refusal | undefined {
  switch (action.type) {
    case 'grantRole':
      return grantRoleTo(context, action, by)
    case 'revokeRole':
      return revokeRoleFrom(context, action, by)
    case 'setParameters':
      setParameters(context.view, context.block.height, action.parameters)
      context.emit(parametersChanged({ parameters: action.parameters }))
      return undefined
    default:
      return unreachable(action)
  }
}
