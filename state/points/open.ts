// points.openProgram: a programme begins, with its terms and its budget, all of it unallocated.
import { kind, refuse } from '../family.ts'
import { checkOfficers } from './access.ts'
import { programOpened } from './events.ts'
import { countTable, programTable } from './keys.ts'
import { programsMax } from './limits.ts'
import { createSums } from './sums.ts'
import { openProgramPayload, type Program } from './types.ts'

const programs = 'programs'

export const openProgram = kind({
  kind: 'points.openProgram',
  summary: 'opens a programme with its terms and budget',
  payload: openProgramPayload,
  apply: (context, { program: id, budget, terms }) => {
    const { view, block, emit, transaction } = context
    const denied = checkOfficers(context, id, terms)
    if (denied !== undefined) return denied
    if (view.get(programTable, id) !== undefined) return refuse('points/program-exists', { program: id })
    if (block.timeMs >= terms.useClosesMs) return refuse('points/window-past', { useClosesMs: terms.useClosesMs })
    const opened = view.get(countTable, programs) ?? 0
    if (opened >= programsMax) return refuse('points/too-many-programs', { programs: programsMax })
    const program: Program = { id, status: 'open', ...terms }
    view.put(countTable, [programs], opened + 1)
    view.put(programTable, [id], program)
    createSums(context, program, budget)
    emit(programOpened({ program: id, kind: program.kind, budget, officer: transaction.sender }))
    return undefined
  },
})
