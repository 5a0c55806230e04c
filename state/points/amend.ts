// points.amendProgram: the terms that may change while a programme runs, each only so that what citizens were promised stands: the use may end
// later, caps may rise, the number of grants may not fall below
// those made, the line not below those who wait. Categories are the city's to correct. Kind, tiers, own share, who decides
// and what becomes of leftovers never change: that is another programme.
import { kind, type Refusal, refuse } from '../family.ts'
import { checkUseNotEnded, findOfficersProgram, findOpenProgram, isRefusal } from './access.ts'
import { programAmended } from './events.ts'
import { type Line, programTable, type Sums } from './keys.ts'
import { promoteAtOnceMax } from './limits.ts'
import { moveUp, readLine } from './line.ts'
import { readSums } from './sums.ts'
import { amendProgramPayload, type Program, windowsHold } from './types.ts'

export const amendProgram = kind({
  kind: 'points.amendProgram',
  summary: 'changes terms of a running programme within bounds; fields left out stay',
  payload: amendProgramPayload,
  apply: (context, { program: id, ...changes }) => {
    const { view, block, emit, transaction } = context
    const before = findOfficersProgram(context, id, findOpenProgram)
    if (isRefusal(before)) return before
    const ended = checkUseNotEnded(block, before)
    if (ended !== undefined) return ended
    if (Object.values(changes).every((change) => change === undefined)) return refuse('points/nothing-to-amend')
    const after: Program = {
      ...before,
      title: changes.title ?? before.title,
      applicationClosesMs: changes.applicationClosesMs ?? before.applicationClosesMs,
      useClosesMs: changes.useClosesMs ?? before.useClosesMs,
      categories: changes.categories ?? before.categories,
      capPerCitizen: changes.capPerCitizen ?? before.capPerCitizen,
      capPerPurchase: changes.capPerPurchase ?? before.capPerPurchase,
      capPerDay: changes.capPerDay ?? before.capPerDay,
      capPerMonth: changes.capPerMonth ?? before.capPerMonth,
      grantsMax: changes.grantsMax ?? before.grantsMax,
      waitlistMax: changes.waitlistMax ?? before.waitlistMax,
      merchantDebtMax: changes.merchantDebtMax ?? before.merchantDebtMax,
    }
    if (!windowsHold(after)) return refuse('points/windows-invalid')
    const narrowed = findNarrowed(before, after, readSums(view, id), readLine(view, id))
    if (narrowed !== undefined) return narrowed
    view.put(programTable, [id], after)
    emit(programAmended({ program: id, officer: transaction.sender }))
    moveUp(context, after, promoteAtOnceMax)
    return undefined
  },
})

function findNarrowed(before: Program, after: Program, { grants, revoked }: Sums, { waiting }: Line): Refusal | undefined {
  const narrowed = (term: string): Refusal => refuse('points/amend-narrows', { term })
  if (after.useClosesMs < before.useClosesMs) return narrowed('useClosesMs')
  if (isLower(before.capPerCitizen, after.capPerCitizen)) return narrowed('capPerCitizen')
  if (isLower(before.capPerPurchase, after.capPerPurchase)) return narrowed('capPerPurchase')
  if (isLower(before.capPerDay, after.capPerDay)) return narrowed('capPerDay')
  if (isLower(before.capPerMonth, after.capPerMonth)) return narrowed('capPerMonth')
  if (after.grantsMax !== undefined && after.grantsMax < grants - revoked) return narrowed('grantsMax')
  if (after.waitlistMax !== undefined && after.waitlistMax < waiting) return narrowed('waitlistMax')
  return undefined
}

/** An absent cap is above every cap. */
function isLower(before: number | undefined, after: number | undefined): boolean {
  return after !== undefined && (before === undefined || after < before)
}
