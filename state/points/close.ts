// points.closeProgram: the end, for good. Before the end of use only while nobody holds anything, so that no promise is broken by it.
import { kind, refuse } from '../family.ts'
import { checkOfficer, findOpenProgram, isRefusal } from './access.ts'
import { programClosed } from './events.ts'
import { programTable } from './keys.ts'
import { readSums } from './sums.ts'
import { closeProgramPayload, type Program } from './types.ts'

export const closeProgram = kind({
  kind: 'points.closeProgram',
  summary: 'closes a programme for good; refunds, settlement and reclaim go on',
  payload: closeProgramPayload,
  apply: (context, { program: id }) => {
    const { view, block, emit, transaction } = context
    const denied = checkOfficer(context, id)
    if (denied !== undefined) return denied
    const program = findOpenProgram(view, id)
    if (isRefusal(program)) return program
    const { held } = readSums(view, id)
    if (block.timeMs < program.useClosesMs && held > 0) return refuse('points/still-held', { held, useClosesMs: program.useClosesMs })
    const closed: Program = { ...program, status: 'closed' }
    view.put(programTable, [id], closed)
    emit(programClosed({ program: id, officer: transaction.sender }))
    return undefined
  },
})
