// By which movements money goes from one term of a programme to another, and what the terms are after some of them. There is no other way.
import type { Won } from '../../primitives/brand.ts'
import type { Flows, SumTerms } from './keys.ts'
import { flowsModulus } from './limits.ts'

export type Term = 'unallocated' | 'held' | 'unsettled' | 'settled' | 'reclaimed'
export const terms: readonly Term[] = ['unallocated', 'held', 'unsettled', 'settled', 'reclaimed']

export type Movement = keyof Flows
/** From where to where each movement goes; outside is the city's own till. */
export const movements: { readonly [M in Movement]: { readonly from: Term | 'outside'; readonly to: Term | 'outside' } } = {
  toppedUp: { from: 'outside', to: 'unallocated' },
  cut: { from: 'unallocated', to: 'outside' },
  granted: { from: 'unallocated', to: 'held' },
  spent: { from: 'held', to: 'unsettled' },
  refunded: { from: 'unsettled', to: 'held' },
  refundedPaid: { from: 'settled', to: 'held' },
  settled: { from: 'unsettled', to: 'settled' },
  lapsed: { from: 'held', to: 'reclaimed' },
  returned: { from: 'held', to: 'unallocated' },
  clawedBack: { from: 'held', to: 'unallocated' },
}
export const movementNames = Object.keys(movements) as readonly Movement[]

const none = 0 as Won
export const noFlows: Flows = { toppedUp: none, cut: none, granted: none, spent: none, refunded: none, refundedPaid: none, settled: none, lapsed: none, returned: none, clawedBack: none }

/** The terms that follow from these by these flows, modulo `flowsModulus`; exact as long as a term stays below it, which a budget bounds. */
export function termsAfter(before: SumTerms, flows: Flows): SumTerms {
  const after: Record<Term | 'outside' | 'budget', number> = { ...before, outside: 0 }
  for (const name of movementNames) {
    const { from, to } = movements[name]
    after[from] = (after[from] + flowsModulus - flows[name]) % flowsModulus
    after[to] = (after[to] + flows[name]) % flowsModulus
  }
  const budget = (((before.budget + flows.toppedUp) % flowsModulus) + (flowsModulus - flows.cut)) % flowsModulus
  return { budget, unallocated: after.unallocated, held: after.held, unsettled: after.unsettled, settled: after.settled, reclaimed: after.reclaimed } as SumTerms
}

export function termsOf({ budget, unallocated, held, unsettled, settled, reclaimed }: SumTerms): SumTerms {
  return { budget, unallocated, held, unsettled, settled, reclaimed }
}

export function sameTerms(a: SumTerms, b: SumTerms): boolean {
  return a.budget === b.budget && terms.every((term) => a[term] === b[term])
}

export const noTerms: SumTerms = { budget: none, unallocated: none, held: none, unsettled: none, settled: none, reclaimed: none }

/** True if the terms add up to the budget. */
export function addUp(current: SumTerms): boolean {
  return terms.reduce((total, term) => total + current[term], 0) === current.budget
}

/** What moved between two totals. */
export function flowsBetween(before: Flows, after: Flows): Flows {
  const moved: Record<string, number> = {}
  for (const name of movementNames) moved[name] = (after[name] + flowsModulus - before[name]) % flowsModulus
  return moved as { readonly [M in Movement]: Won }
}
