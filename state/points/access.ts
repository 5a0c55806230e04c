// Who may do what, and where: the questions that most kinds begin with.
import type { Did } from '../../primitives/brand.ts'
import { type BlockContext, type BlockInfo, type Context, countersigner, type Refusal, refuse } from '../family.ts'
import { hasRole } from '../roles.ts'
import type { ReadView } from '../view.ts'
import { merchantTable, programTable } from './keys.ts'
import type { Merchant, Program } from './types.ts'

export function isRefusal(value: object): value is Refusal {
  return 'code' in value
}

/** Officers hold their role for a programme or for all; merchants belong to no programme, so their scope is `*`. */
export function checkOfficer({ view, block, transaction }: Context, scope: string): Refusal | undefined {
  return hasRole(view, transaction.sender, 'officer', scope, block.timeMs) ? undefined : refuse('points/not-officer', { scope })
}

/** The sender is an officer of the programme; where its terms ask for two, another one of them has signed the transaction as well. */
export function checkOfficers(context: Context, programId: string, terms: Pick<Program, 'officersNeeded'>): Refusal | undefined {
  const { view, block, transaction } = context
  const denied = checkOfficer(context, programId)
  if (denied !== undefined || terms.officersNeeded !== 2) return denied
  const second = countersigner(transaction, (signer) => signer !== transaction.sender && hasRole(view, signer, 'officer', programId, block.timeMs))
  return second === undefined ? refuse('points/second-officer-missing', { program: programId }) : undefined
}

/** The programme, if the sender may act on it as its officer. */
export function findOfficersProgram(context: Context, id: string, find: (view: ReadView, id: string) => Program | Refusal): Program | Refusal {
  // who is no officer learns no more than that
  const denied = checkOfficer(context, id)
  if (denied !== undefined) return denied
  const program = find(context.view, id)
  return isRefusal(program) ? program : (checkOfficers(context, id, program) ?? program)
}

export function findProgram(view: ReadView, id: string): Program | Refusal {
  return view.get(programTable, id) ?? refuse('points/unknown-program', { program: id })
}

export function findOpenProgram(view: ReadView, id: string): Program | Refusal {
  const found = findProgram(view, id)
  return !isRefusal(found) && found.status === 'closed' ? refuse('points/program-closed', { program: id }) : found
}

export function checkUseNotEnded(block: BlockInfo, program: Program): Refusal | undefined {
  return block.timeMs < program.useClosesMs ? undefined : refuse('points/use-ended', { useClosesMs: program.useClosesMs })
}

/** A merchant that may take points of this programme now. */
export function findTakingMerchant({ view }: BlockContext, did: Did, program: Program): Merchant | Refusal {
  const found = view.get(merchantTable, did)
  if (found === undefined) return refuse('points/unknown-merchant', { merchant: did })
  if (found.status === 'suspended') return refuse('points/merchant-suspended', { merchant: did })
  if (!program.categories.includes(found.category)) return refuse('points/category-not-allowed', { category: found.category })
  return found
}
