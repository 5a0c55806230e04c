// points.spend, and `debit`, by which another family takes points within its own transaction. The hot path: it writes the account, the
// sums, the claim and the purchase, and the merchant's book once a day.
import type { Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { type BlockContext, kind, type Refusal } from '../family.ts'
import { isRefusal } from './access.ts'
import { addToClaim } from './claims.ts'
import { spent } from './events.ts'
import { accountTable, purchaseTable } from './keys.ts'
import { type Debit, takeFromGrants } from './purchase.ts'
import { move } from './sums.ts'
import { spendPayload } from './types.ts'

export const spend = kind({
  kind: 'points.spend',
  summary: 'pays a merchant by points or with a pass',
  payload: spendPayload,
  apply: (context, payload) => debit(context, { ...payload, citizen: context.transaction.sender, purchase: context.transaction.id }),
})

/** Pays a merchant from a citizen's grants, by all rules of points.spend. On a refusal the caller must drop its own writes too. */
export function debit(context: BlockContext, order: Debit): Refusal | undefined {
  const { view, block, emit } = context
  const { program: id, citizen, merchant, amount, purchase, reference } = order
  const taken = takeFromGrants(context, order, 'spent')
  if (isRefusal(taken)) return taken
  const { program, payment } = taken
  const { parts, funded, rest: excess } = payment
  const own = amount - funded
  const claim = addToClaim(view, block.timeMs, merchant, id, funded)
  view.put(accountTable, [id, citizen], payment.account)
  // an id runs once, and pays once
  view.putNew(purchaseTable, [merchant, toBase64url(purchase)], { program: id, citizen, claim, timeMs: block.timeMs, price: amount, refunded: 0 as Won, parts, excess: excess as Won, reference })
  move(context, program, 'spent', funded, { ownPaid: own })
  emit(spent({ program: id, did: citizen, merchant, purchase, funded: funded as Won, own: own as Won, claim, reference }))
  return undefined
}
