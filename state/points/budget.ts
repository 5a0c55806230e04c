// points.topUp and points.cutBudget: the city puts more into a programme, or takes out what is not granted.
import type { Won } from '../../primitives/brand.ts'
import { type Context, kind, type Refusal, refuse } from '../family.ts'
import { checkOfficer, findOpenProgram, findProgram, isRefusal } from './access.ts'
import { budgetChanged } from './events.ts'
import { budgetMax } from './limits.ts'
import { changeBudget, readSums } from './sums.ts'
import { budgetPayload, type Program } from './types.ts'

export const topUp = kind({
  kind: 'points.topUp',
  summary: 'adds to a programme’s budget',
  payload: budgetPayload,
  apply: (context, { program: id, amount }) => {
    const denied = checkOfficer(context, id)
    if (denied !== undefined) return denied
    const program = findOpenProgram(context.view, id)
    if (isRefusal(program)) return program
    const { budget } = readSums(context.view, id)
    if (budget + amount > budgetMax) return refuse('points/budget-too-large', { budget, budgetMax })
    return change(context, program, amount)
  },
})

/** Also of a closed programme: what was never granted goes back to the city. */
export const cutBudget = kind({
  kind: 'points.cutBudget',
  summary: 'takes unallocated won out of a programme’s budget',
  payload: budgetPayload,
  apply: (context, { program: id, amount }) => {
    const denied = checkOfficer(context, id)
    if (denied !== undefined) return denied
    const program = findProgram(context.view, id)
    if (isRefusal(program)) return program
    const { unallocated } = readSums(context.view, id)
    if (amount > unallocated) return refuse('points/budget-committed', { unallocated })
    return change(context, program, 0 - amount)
  },
})

function change({ view, emit, transaction }: Context, program: Program, by: number): Refusal | undefined {
  const { budget } = readSums(view, program.id)
  changeBudget(view, program, by)
  emit(budgetChanged({ program: program.id, before: budget, after: (budget + by) as Won, officer: transaction.sender }))
  return undefined
}
