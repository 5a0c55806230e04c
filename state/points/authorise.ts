// points.authorise: a citizen puts the price of a ticket or an online order on hold for a merchant, which captures it when it delivers, or voids it. By the
// rules of points.spend, and counted in the caps at once; what is not captured in time goes back by itself.
import { toBase64url } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { kind, refuse } from '../family.ts'
import type { Won } from '../../primitives/brand.ts'
import { isRefusal } from './access.ts'
import { minuteFrom, putDue } from './due.ts'
import { authorised } from './events.ts'
import { accountTable, holdTable } from './keys.ts'
import { holdMsMax } from './limits.ts'
import { takeFromGrants } from './purchase.ts'
import { note } from './sums.ts'
import { authorisePayload } from './types.ts'

export const authorise = kind({
  kind: 'points.authorise',
  summary: 'puts the price of a later purchase on hold for a merchant',
  payload: authorisePayload,
  apply: (context, { expiresMs, ...order }) => {
    const { view, block, emit, transaction } = context
    const { program: id, merchant, amount, reference } = order
    const latestMs = block.timeMs + holdMsMax
    if (expiresMs <= block.timeMs || expiresMs > latestMs) return refuse('points/hold-expiry-invalid', { expiresMs, latestMs })
    const { sender: citizen, id: purchase } = transaction
    const taken = takeFromGrants(context, { ...order, citizen, purchase }, 'onHold')
    if (isRefusal(taken)) return taken
    const { program, payment } = taken
    const { parts, funded, rest: excess } = payment
    const row = [merchant, toBase64url(purchase)] as const
    assert(view.get(holdTable, ...row) === undefined, 'one hold a transaction')
    view.put(accountTable, [id, citizen], payment.account)
    view.put(holdTable, row, { program: id, citizen, timeMs: block.timeMs, expiresMs, price: amount, parts, excess: excess as Won, reference })
    note(context, program, { onHold: funded })
    putDue(view, minuteFrom(expiresMs), { type: 'hold', merchant, purchase })
    emit(authorised({ program: id, did: citizen, merchant, purchase, funded: funded as Won, own: (amount - funded) as Won, expiresMs, reference }))
    return undefined
  },
})
