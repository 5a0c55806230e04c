// The conservation sum of a programme (promise 5): budget = unallocated + held + unsettled + settled + reclaimed, nothing below zero.
// Money moves by the movements of movements.ts and no other way, and each is totalled, so the terms can be told from the flows as well.
// Every write goes through `writeSums`, which asserts both: a break is our own bug and stops the node.
import type { Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import type { ReadView } from '../view.ts'
import { keepBooks } from './books.ts'
import { type Flows, type Sums, sumsTable, type SumTerms } from './keys.ts'
import { budgetMax, flowsModulus } from './limits.ts'
import { addUp, type Movement, movements, noFlows, noTerms, sameTerms, type Term, terms, termsAfter, termsOf } from './movements.ts'
import type { Program } from './types.ts'

export function readSums(view: ReadView, programId: string): Sums {
  const current = view.get(sumsTable, programId)
  assert(current !== undefined, `sums of programme ${programId}`)
  return current
}

const whole = ['budget', 'onHold', 'owed', 'paid', 'grants', 'revoked', 'applications', 'ownPaid', ...terms] as const

/** True if the terms add up to the budget, none is below zero or past the safe integers, and the flows since the opening come to the same terms. */
export function sumsHold(current: Sums): boolean {
  const { held, onHold, settled, owed, paid, grants, revoked } = current
  return (
    whole.every((name) => Number.isSafeInteger(current[name]) && current[name] >= 0) &&
    addUp(current) &&
    onHold <= held &&
    paid === settled + owed &&
    revoked <= grants &&
    sameTerms(current, termsAfter(noTerms, current.flows))
  )
}

/** What changes beside a movement: by how much, up or down. */
export interface Beside {
  readonly onHold?: number
  readonly owed?: number
  readonly paid?: number
  readonly grants?: number
  readonly revoked?: number
  readonly applications?: number
  readonly ownPaid?: number
}

export function createSums(context: BlockContext, program: Program, budget: Won): void {
  const { view, block } = context
  assert(view.get(sumsTable, program.id) === undefined, `no sums before programme ${program.id} opens`)
  const none = 0 as Won
  const empty: Sums = { ...noTerms, onHold: none, owed: none, paid: none, grants: 0, revoked: 0, applications: 0, ownPaid: none, flows: noFlows, changes: 1, height: block.height, timeMs: block.timeMs }
  writeSums(context, program, empty, change(empty, 'toppedUp', budget, {}))
}

/** Money moves; with it the counts may change. */
export function move(context: BlockContext, program: Program, movement: Movement, amount: number, beside: Beside = {}): void {
  const current = readSums(context.view, program.id)
  writeSums(context, program, current, change(current, movement, amount, beside))
}

/** The counts change and no money moves. */
export function note(context: BlockContext, program: Program, beside: Beside): void {
  const current = readSums(context.view, program.id)
  writeSums(context, program, current, counted(current, beside))
}

/** The next place in line. */
export function takePlace(context: BlockContext, program: Program): number {
  note(context, program, { applications: 1 })
  return readSums(context.view, program.id).applications
}

function change(current: Sums, movement: Movement, amount: number, beside: Beside): Sums {
  assert(Number.isSafeInteger(amount) && amount >= 0, 'a whole amount moves')
  const { from, to } = movements[movement]
  const next: Record<Term | 'outside' | 'budget', number> = { ...termsOf(current), outside: 0 }
  next[from] -= amount
  next[to] += amount
  next.budget -= next.outside
  const { budget, unallocated, held, unsettled, settled, reclaimed } = next
  const flows: Flows = { ...current.flows, [movement]: (current.flows[movement] + amount) % flowsModulus }
  return counted({ ...current, ...({ budget, unallocated, held, unsettled, settled, reclaimed } as SumTerms), flows }, beside)
}

function counted(current: Sums, { onHold = 0, owed = 0, paid = 0, grants = 0, revoked = 0, applications = 0, ownPaid = 0 }: Beside): Sums {
  return {
    ...current,
    onHold: (current.onHold + onHold) as Won,
    owed: (current.owed + owed) as Won,
    paid: (current.paid + paid) as Won,
    grants: current.grants + grants,
    revoked: current.revoked + revoked,
    applications: current.applications + applications,
    // whatever a price was, the remainder stays a whole number from 0 on
    ownPaid: ((((current.ownPaid + ownPaid) % flowsModulus) + flowsModulus) % flowsModulus) as Won,
  }
}

function writeSums(context: BlockContext, program: Program, before: Sums, next: Sums): void {
  const { view, block } = context
  assert(sumsHold(next), `the sums of programme ${program.id} hold`)
  assert(next.budget <= budgetMax, `the budget of programme ${program.id} within bounds`)
  assert(program.grantsMax === undefined || next.grants - next.revoked <= program.grantsMax, `the grants of programme ${program.id} within their maximum`)
  if (before.height === block.height) view.put(sumsTable, [program.id], next)
  else {
    keepBooks(context, program.id, before)
    view.put(sumsTable, [program.id], { ...next, changes: before.changes + 1, height: block.height, timeMs: block.timeMs })
  }
}
