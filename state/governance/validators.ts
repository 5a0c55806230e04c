// Decisions on who votes. A change of the set takes effect `window` + 1 blocks above the block that agreed on it, and one at a time: until it is in force no other
// is agreed on. So a checkpoint of each set names the next one, and whoever follows checkpoints from the genesis misses none (docs/consensus.md, epochs).
import type { Height } from '../../primitives/brand.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { validatorAddressesSet, validatorSetScheduled } from './events.ts'
import { organisations } from './organisations.ts'
import { changeSet } from './set-changes.ts'
import type { Action } from './types.ts'
import { type NumberedSet, latestSet, putSet, readWindow, scheduledSet, setInForce, validatorSetTable } from './validator-sets.ts'

type ActionOf<T extends Action['type']> = Extract<Action, { readonly type: T }>

export function changeValidators({ block, view, emit }: BlockContext, { changes }: ActionOf<'changeValidators'>): Refusal | undefined {
  const pending = scheduledSet(view, block.height)
  if (pending !== undefined) return refuse('governance/set-change-pending', { activation: pending.row.activation })
  const { number, row } = latestSet(view)
  const after = changeSet(row, changes, organisations(view).map(({ name }) => name))
  if ('code' in after) return after
  const activation = (block.height + readWindow(view) + 1) as Height
  putSet(view, number + 1, { activation, scheduledAtHeight: block.height, ...after })
  emit(validatorSetScheduled({ number: number + 1, activation, validators: after.validators, minimums: after.minimums }))
  return undefined
}

/** At once, in the set in force and the scheduled one: an address is where a node is dialled, and proves nothing. */
export function setAddresses({ block, view, emit }: BlockContext, { name, addresses }: ActionOf<'setAddresses'>): Refusal | undefined {
  const scheduled = scheduledSet(view, block.height)
  const sets: readonly NumberedSet[] = [setInForce(view, block.height), ...(scheduled === undefined ? [] : [scheduled])]
  const holding = sets.filter(({ row }) => row.validators.some((one) => one.name === name))
  if (holding.length === 0) return refuse('governance/unknown-validator', { validator: name })
  for (const { number, row } of holding) view.put(validatorSetTable, [number], { ...row, validators: row.validators.map((one) => (one.name === name ? { ...one, addresses } : one)) })
  emit(validatorAddressesSet({ validator: name, addresses }))
  return undefined
}
