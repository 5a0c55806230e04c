// What ends a hold: points.capture and points.void by the merchant, or its expiry by the chain.
import type { Did, TransactionId, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { type BlockContext, kind, type Refusal, refuse } from '../family.ts'
import { findProgram, isRefusal } from './access.ts'
import { addToClaim } from './claims.ts'
import { captured, released } from './events.ts'
import { captureParts, readAccount, undo } from './grants.ts'
import { accountTable, type Hold, holdTable, merchantTable, purchaseTable } from './keys.ts'
import { settleBack } from './lapse.ts'
import { move, note } from './sums.ts'
import { capturePayload, type Program, voidPayload } from './types.ts'

/** All of the hold or a part, once; the rest goes back to the citizen. Also after the grants or the time of use have ended: the amount was set aside before. */
export const capture = kind({
  kind: 'points.capture',
  summary: 'takes what was put on hold, all of it or a part; the rest goes back',
  payload: capturePayload,
  apply: (context, { purchase, amount }) => {
    const { view, block, emit, transaction } = context
    const merchant = transaction.sender
    const hold = findHold(context, merchant, purchase)
    if (isRefusal(hold)) return hold
    if (view.get(merchantTable, merchant)?.status === 'suspended') return refuse('points/merchant-suspended', { merchant })
    if (amount > hold.price) return refuse('points/over-capture', { price: hold.price })
    const program = programOf(context, hold)
    const row = [merchant, toBase64url(purchase)] as const
    const { account: less, parts: held, excess: beyond, back, funded: freed } = undo(readAccount(view, program.id, hold.citizen), hold, 'onHold', hold.price - amount)
    const { account, parts, excess: paidElsewhere } = captureParts(program, less, held)
    const excess = (beyond + paidElsewhere) as Won
    const funded = parts.reduce((sum, part) => sum + part.funded, 0)
    const own = amount - funded
    const claim = addToClaim(view, block.timeMs, merchant, program.id, funded)
    move(context, program, 'spent', funded, { onHold: -(funded + freed), ownPaid: own })
    view.remove(holdTable, row)
    view.put(purchaseTable, row, { program: program.id, citizen: hold.citizen, claim, timeMs: hold.timeMs, price: amount, refunded: 0 as Won, parts, excess, reference: hold.reference })
    emit(captured({ program: program.id, did: hold.citizen, merchant, purchase, funded: funded as Won, own: own as Won, released: freed as Won, claim, reference: hold.reference }))
    view.put(accountTable, [program.id, hold.citizen], settleBack(context, program, hold.citizen, account, back, true))
    return undefined
  },
})

/** Also by a suspended merchant. A citizen cannot take back by himself what he has promised. */
export const voidHold = kind({
  kind: 'points.void',
  summary: 'gives back what was put on hold',
  payload: voidPayload,
  apply: (context, { purchase }) => {
    const merchant = context.transaction.sender
    const hold = findHold(context, merchant, purchase)
    return isRefusal(hold) ? hold : release(context, merchant, purchase, hold, 'void')
  },
})

function findHold({ view, block }: BlockContext, merchant: Did, purchase: TransactionId): Hold | Refusal {
  const hold = view.get(holdTable, merchant, toBase64url(purchase))
  if (hold === undefined) return refuse('points/unknown-hold')
  return block.timeMs < hold.expiresMs ? hold : refuse('points/hold-expired', { expiresMs: hold.expiresMs })
}

function programOf({ view }: BlockContext, { program: id }: Hold): Program {
  const program = findProgram(view, id)
  assert(!isRefusal(program), `programme ${id} of a hold`)
  return program
}

/** Gives all of it back to the grants. What has expired meanwhile lapses: with the grace of refunds if the merchant gave it back, without if nobody did anything. */
export function release(context: BlockContext, merchant: Did, purchase: TransactionId, hold: Hold, by: 'void' | 'expiry'): undefined {
  const { view, emit } = context
  const program = programOf(context, hold)
  const { account, back, funded, own } = undo(readAccount(view, program.id, hold.citizen), hold, 'onHold', hold.price)
  view.remove(holdTable, [merchant, toBase64url(purchase)])
  note(context, program, { onHold: -funded })
  emit(released({ program: program.id, did: hold.citizen, merchant, purchase, funded: funded as Won, own: own as Won, by }))
  view.put(accountTable, [program.id, hold.citizen], settleBack(context, program, hold.citizen, account, back, by === 'void'))
  return undefined
}
