// Rule sets: versions of the rules of execution. Governance lets a version take effect at a height; a node whose program does not know it says so as soon as it is
// scheduled, and stops at that height instead of computing something else than the others. Versions only rise, by one, and each takes effect once.
import type { Height } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { list } from '../../primitives/schema.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { table } from '../table.ts'
import type { ReadView } from '../view.ts'
import { ruleSetScheduled } from './events.ts'
import { type RuleSetRow, ruleSetRow } from './types.ts'
import { readWindow } from './validator-sets.ts'

/** The newest version that this program knows; it knows all before it too. */
export const newestRuleSet = 1
/** A scheduled version may lie this many blocks ahead at most. */
export const ruleSetAheadMax = 10_000_000

/** governance.ruleSets/all: the version of the genesis is 1 and not listed; the others ascend. */
export const ruleSetsTable = table('governance.ruleSets', list(ruleSetRow, 0, 1_000))

function listed(view: ReadView): readonly RuleSetRow[] {
  return view.get(ruleSetsTable, 'all') ?? []
}

/** The version that governs the execution of `at`. */
export function ruleSetAt(view: ReadView, at: Height): number {
  return listed(view).findLast(({ fromHeight }) => fromHeight <= at)?.version ?? 1
}

/** The version that takes effect after `at`; there is at most one. */
export function scheduledRuleSet(view: ReadView, at: Height): RuleSetRow | undefined {
  return listed(view).find(({ fromHeight }) => fromHeight > at)
}

/** The version, scheduled or in force, that this program does not know. */
export function unknownRuleSet(view: ReadView): RuleSetRow | undefined {
  return listed(view).find(({ version }) => version > newestRuleSet)
}

/** The version that takes effect with this very block. */
export function ruleSetBeginning(view: ReadView, at: Height): RuleSetRow | undefined {
  return listed(view).find(({ fromHeight }) => fromHeight === at)
}

/** The next version, or another height for the one that is scheduled. */
export function activateRules({ block, view, emit }: BlockContext, { version, fromHeight }: RuleSetRow): Refusal | undefined {
  const before = listed(view).filter((one) => one.fromHeight <= block.height)
  const next = (before.at(-1)?.version ?? 1) + 1
  if (version !== next) return refuse('governance/rules-not-next', { version, next })
  const earliest = block.height + readWindow(view) + 1
  const latest = block.height + ruleSetAheadMax
  if (fromHeight < earliest || fromHeight > latest) return refuse('governance/rules-height', { fromHeight, earliest, latest })
  view.put(ruleSetsTable, ['all'], [...before, { version, fromHeight }])
  emit(ruleSetScheduled({ ruleSet: { version, fromHeight } }))
  return undefined
}

/** Throws `state/rules-unknown` when this program cannot execute `at` as the others do. */
export function checkRulesKnown(view: ReadView, at: Height, newest = newestRuleSet): void {
  const version = ruleSetAt(view, at)
  if (version <= newest) return
  throw new DongbaekError('state/rules-unknown', `from block ${at} on the chain runs by rule set ${version}, and this program knows rule sets up to ${newest}. Nothing is lost: install the release that the network runs, and start again with the same data folder`, { height: at, version, newest })
}
