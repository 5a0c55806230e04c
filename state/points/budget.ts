// points.topUp and points.cutBudget: the city puts more into a programme, or takes out what is not granted.
import type { Won } from '../../primitives/brand.ts'
import { type Context, kind, refuse } from '../family.ts'
import { findOfficersProgram, findOpenProgram, findProgram, isRefusal } from './access.ts'
import { budgetChanged } from './events.ts'
import { budgetMax, promoteAtOnceMax } from './limits.ts'
import { moveUp } from './line.ts'
import { move, readSums } from './sums.ts'
import { budgetPayload } from './types.ts'

export const topUp = kind({
  kind: 'points.topUp',
  summary: 'adds to a programme’s budget; who waits in line moves up',
  payload: budgetPayload,
  apply: (context, { program: id, amount }) => {
    const program = findOfficersProgram(context, id, findOpenProgram)
    if (isRefusal(program)) return program
    const { budget } = readSums(context.view, id)
    if (budget + amount > budgetMax) return refuse('points/budget-too-large', { budget, budgetMax })
    move(context, program, 'toppedUp', amount)
    tell(context, id, budget)
    moveUp(context, program, promoteAtOnceMax)
    return undefined
  },
})

/** Also of a closed programme: what was never granted goes back to the city. */
export const cutBudget = kind({
  kind: 'points.cutBudget',
  summary: 'takes unallocated won out of a programme’s budget',
  payload: budgetPayload,
  apply: (context, { program: id, amount }) => {
    const program = findOfficersProgram(context, id, findProgram)
    if (isRefusal(program)) return program
    const { budget, unallocated } = readSums(context.view, id)
    if (amount > unallocated) return refuse('points/budget-committed', { unallocated })
    move(context, program, 'cut', amount)
    tell(context, id, budget)
    return undefined
  },
})

function tell({ view, emit, transaction }: Context, program: string, before: Won): void {
  emit(budgetChanged({ program, before, after: readSums(view, program).budget, officer: transaction.sender }))
}
