// Which rule set is scheduled that this program does not know: to be said long before the node stops at it.
import { ruleSetsTable, unknownRuleSet } from '../state/governance/rule-sets.ts'
import type { RuleSetRow } from '../state/governance/types.ts'
import { stateKey } from '../state/table.ts'
import { createOverlay, createValueCache } from '../state/view.ts'
import type { ChainStore } from './chain-store.ts'

export const ruleSetsKey = stateKey(ruleSetsTable, ['all'])

export function readUnknownRules(store: Pick<ChainStore, 'stateValue'>): RuleSetRow | undefined {
  return unknownRuleSet(createOverlay({ get: store.stateValue }, createValueCache(1)))
}
