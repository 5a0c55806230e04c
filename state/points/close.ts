// points.closeProgram: the end, for good. Only while nobody holds anything, nothing is on hold for a merchant and no grace runs, so that no promise is broken
// by it; after the end of use the chain takes back what is left by itself.
import { kind, refuse } from '../family.ts'
import { findOfficersProgram, findOpenProgram, isRefusal } from './access.ts'
import { programClosed } from './events.ts'
import { programTable } from './keys.ts'
import { readSums } from './sums.ts'
import { closeProgramPayload, type Program } from './types.ts'

export const closeProgram = kind({
  kind: 'points.closeProgram',
  summary: 'closes a programme for good; refunds, settlement and reclaim go on',
  payload: closeProgramPayload,
  apply: (context, { program: id }) => {
    const { view, emit, transaction } = context
    const program = findOfficersProgram(context, id, findOpenProgram)
    if (isRefusal(program)) return program
    const { held } = readSums(view, id)
    if (held > 0) return refuse('points/still-held', { held })
    const closed: Program = { ...program, status: 'closed' }
    view.put(programTable, [id], closed)
    emit(programClosed({ program: id, officer: transaction.sender }))
    return undefined
  },
})
