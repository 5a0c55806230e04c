// The conservation sum of a programme (promise 5): budget = unallocated + held + unsettled + settled + reclaimed, nothing below zero.
// Every write of a programme's sums goes through `writeSums` here, which asserts it: a break is our own bug and stops the node.
import type { Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { ReadView, WriteView } from '../view.ts'
import { type Sums, sumsTable } from './keys.ts'
import { budgetMax } from './limits.ts'
import type { Program } from './types.ts'

export type Term = 'unallocated' | 'held' | 'unsettled' | 'settled' | 'reclaimed'
export const terms: readonly Term[] = ['unallocated', 'held', 'unsettled', 'settled', 'reclaimed']

export function readSums(view: ReadView, programId: string): Sums {
  const current = view.get(sumsTable, programId)
  assert(current !== undefined, `sums of programme ${programId}`)
  return current
}

/** True if the terms add up to the budget and none is below zero or past the safe integers. */
export function sumsHold(current: Sums): boolean {
  const whole = [current.budget, current.grants, current.applications, current.ownPaid, ...terms.map((term) => current[term])]
  return whole.every((value) => Number.isSafeInteger(value) && value >= 0) && terms.reduce((total, term) => total + current[term], 0) === current.budget
}

export function createSums(view: WriteView, program: Program, budget: Won): void {
  assert(view.get(sumsTable, program.id) === undefined, `no sums before programme ${program.id} opens`)
  const none = 0 as Won
  writeSums(view, program, { budget, unallocated: budget, held: none, unsettled: none, settled: none, reclaimed: none, grants: 0, applications: 0, ownPaid: none })
}

/** Money moves from one term to another; with it, a grant may be counted and a citizen's own payment noted. */
export function move(view: WriteView, program: Program, from: Term, to: Term, amount: number, beside: { readonly grants?: number; readonly ownPaid?: number } = {}): void {
  assert(from !== to, 'money moves between two terms')
  const current = readSums(view, program.id)
  writeSums(view, program, {
    ...current,
    [from]: current[from] - amount,
    [to]: current[to] + amount,
    grants: current.grants + (beside.grants ?? 0),
    ownPaid: (current.ownPaid + (beside.ownPaid ?? 0)) as Won,
  })
}

/** The budget grows or shrinks by what is unallocated. */
export function changeBudget(view: WriteView, program: Program, by: number): void {
  const current = readSums(view, program.id)
  writeSums(view, program, { ...current, budget: (current.budget + by) as Won, unallocated: (current.unallocated + by) as Won })
}

/** The next place in line. */
export function takePlace(view: WriteView, program: Program): number {
  const current = readSums(view, program.id)
  const place = current.applications + 1
  writeSums(view, program, { ...current, applications: place })
  return place
}

function writeSums(view: WriteView, program: Program, next: Sums): void {
  assert(sumsHold(next), `the sums of programme ${program.id} hold`)
  assert(next.budget <= budgetMax, `the budget of programme ${program.id} within bounds`)
  assert(program.grantsMax === undefined || next.grants <= program.grantsMax, `the grants of programme ${program.id} within their maximum`)
  view.put(sumsTable, [program.id], next)
}
