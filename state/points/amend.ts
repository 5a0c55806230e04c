// points.amendProgram: the terms that may change while a programme runs, each only so that what citizens were promised stands: the use may end
// later, caps may rise, the number of grants may not fall below those made. Categories are the city's to correct. Kind, tiers, own share, who decides
// and what becomes of leftovers never change: that is another programme.
import { kind, type Refusal, refuse } from '../family.ts'
import { checkOfficer, checkUseNotEnded, findOpenProgram, isRefusal } from './access.ts'
import { programAmended } from './events.ts'
import { programTable } from './keys.ts'
import { readSums } from './sums.ts'
import { amendProgramPayload, type Program, windowsHold } from './types.ts'

export const amendProgram = kind({
  kind: 'points.amendProgram',
  summary: 'changes terms of a running programme within bounds; fields left out stay',
  payload: amendProgramPayload,
  apply: (context, { program: id, ...changes }) => {
    const { view, block, emit, transaction } = context
    const denied = checkOfficer(context, id)
    if (denied !== undefined) return denied
    const before = findOpenProgram(view, id)
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
      grantsMax: changes.grantsMax ?? before.grantsMax,
    }
    if (!windowsHold(after)) return refuse('points/windows-invalid')
    const narrowed = findNarrowed(before, after, readSums(view, id).grants)
    if (narrowed !== undefined) return narrowed
    view.put(programTable, [id], after)
    emit(programAmended({ program: id, officer: transaction.sender }))
    return undefined
  },
})

function findNarrowed(before: Program, after: Program, grants: number): Refusal | undefined {
  const narrowed = (term: string): Refusal => refuse('points/amend-narrows', { term })
  if (after.useClosesMs < before.useClosesMs) return narrowed('useClosesMs')
  if (isLower(before.capPerCitizen, after.capPerCitizen)) return narrowed('capPerCitizen')
  if (isLower(before.capPerPurchase, after.capPerPurchase)) return narrowed('capPerPurchase')
  if (after.grantsMax !== undefined && after.grantsMax < grants) return narrowed('grantsMax')
  return undefined
}

/** An absent cap is above every cap. */
function isLower(before: number | undefined, after: number | undefined): boolean {
  return after !== undefined && (before === undefined || after < before)
}
