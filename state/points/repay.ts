// points.repay: a merchant that sells no more has paid back to the bank, outside the chain, what it owed for refunds; the bank says so.
import { kind, refuse } from '../family.ts'
import { findProgram, isRefusal } from './access.ts'
import { repaid } from './events.ts'
import { bookTable, repaymentTable } from './keys.ts'
import { checkSettler } from './settle.ts'
import { note } from './sums.ts'
import { repayPayload } from './types.ts'

export const repay = kind({
  kind: 'points.repay',
  summary: 'notes that a merchant paid back what it owed for refunds',
  payload: repayPayload,
  apply: (context, { payment, merchant, program: id, amount }) => {
    const { view, block, emit, transaction } = context
    const denied = checkSettler(context, id)
    if (denied !== undefined) return denied
    if (view.get(repaymentTable, payment) !== undefined) return refuse('points/payment-exists', { payment })
    const program = findProgram(view, id)
    if (isRefusal(program)) return program
    const book = view.get(bookTable, merchant, id)
    const owed = book?.owed ?? 0
    if (book === undefined || amount > owed) return refuse('points/over-repayment', { owed })
    view.put(bookTable, [merchant, id], { ...book, owed: (owed - amount) as typeof amount })
    view.put(repaymentTable, [payment], { settler: transaction.sender, height: block.height, timeMs: block.timeMs, merchant, program: id, amount })
    note(context, program, { owed: 0 - amount, paid: 0 - amount })
    emit(repaid({ program: id, merchant, amount, payment, settler: transaction.sender }))
    return undefined
  },
})
