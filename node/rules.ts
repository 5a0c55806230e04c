// What the node itself reads of the rules in the stored state: parameters, and a rule set that is scheduled and that this program does not know.
import { DongbaekError } from '../primitives/errors.ts'
import { ruleSetsTable, unknownRuleSet } from '../state/governance/rule-sets.ts'
import type { RuleSetRow } from '../state/governance/types.ts'
import { parametersTable } from '../state/parameters.ts'
import { decodeValue, stateKey } from '../state/table.ts'
import { createOverlay, createValueCache } from '../state/view.ts'
import type { ChainStore } from './chain-store.ts'

export const ruleSetsKey = stateKey(ruleSetsTable, ['all'])

export function readUnknownRules(store: Pick<ChainStore, 'stateValue'>): RuleSetRow | undefined {
  return unknownRuleSet(createOverlay({ get: store.stateValue }, createValueCache(1)))
}

/** How far ahead a transaction's validity may lie. Throws `store/damaged`. */
export function readValidityMs(store: Pick<ChainStore, 'stateValue'>): number {
  const encoded = store.stateValue(stateKey(parametersTable, ['current']))
  if (encoded === undefined) throw new DongbaekError('store/damaged', 'the stored state has no parameters: move the data folder away and start again')
  return decodeValue(parametersTable, encoded).transactionValidityMsMax
}
