// points.spend, and `debit`, by which another family takes points within its own transaction. The hot path: it writes the account, the
// sums, the claim and the purchase, and the merchant's book once a day.
import type { Did, TransactionId, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { type BlockContext, kind, type Refusal, refuse } from '../family.ts'
import { findOpenProgram, findTakingMerchant, isRefusal } from './access.ts'
import { addToClaim } from './claims.ts'
import { spent } from './events.ts'
import { balanceOf, type Payment, pay, readAccount, spentOf } from './grants.ts'
import { type Account, accountTable, purchaseTable } from './keys.ts'
import { move } from './sums.ts'
import { type Program, spendPayload } from './types.ts'

export interface Debit {
  /** Names the purchase for refunds: the id of the transaction that pays, which pays once. */
  readonly purchase: TransactionId
  readonly program: string
  readonly citizen: Did
  readonly merchant: Did
  /** The price. */
  readonly amount: Won
  readonly ownShareMax?: Won | undefined
  readonly reference?: string | undefined
}

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
  const program = findOpenProgram(view, id)
  if (isRefusal(program)) return program
  const { useOpensMs, useClosesMs } = program
  if (block.timeMs < useOpensMs || block.timeMs >= useClosesMs) return refuse('points/use-window', { useOpensMs, useClosesMs })
  if (merchant === citizen) return refuse('points/own-shop')
  const taking = findTakingMerchant(context, merchant, program)
  if (isRefusal(taking)) return taking
  const account = readAccount(view, id, citizen)
  const payment = program.kind === 'points' ? payByPoints(context, program, account, amount) : payByPass(context, program, account, order)
  if (isRefusal(payment)) return payment

  const { parts, funded, rest: excess } = payment
  const own = amount - funded
  const purchaseRow = [merchant, toBase64url(purchase)] as const
  assert(view.get(purchaseTable, ...purchaseRow) === undefined, 'one purchase a transaction')
  const claim = addToClaim(view, block.timeMs, merchant, id, funded)
  view.put(accountTable, [id, citizen], payment.account)
  view.put(purchaseTable, purchaseRow, { program: id, citizen, claim, timeMs: block.timeMs, price: amount, refunded: 0 as Won, parts, excess: excess as Won, reference })
  move(view, program, 'held', 'unsettled', funded, { ownPaid: own })
  emit(spent({ program: id, did: citizen, merchant, purchase, funded: funded as Won, own: own as Won, claim, reference }))
  return undefined
}

/** All of the price, or a refusal. */
function payByPoints({ block }: BlockContext, program: Program, account: Account, amount: Won): Payment | Refusal {
  const { capPerPurchase, capPerCitizen } = program
  if (capPerPurchase !== undefined && amount > capPerPurchase) return refuse('points/over-purchase-cap', { capPerPurchase })
  const spentBefore = spentOf(account)
  if (capPerCitizen !== undefined && spentBefore + amount > capPerCitizen) return refuse('points/over-citizen-cap', { capPerCitizen, spent: spentBefore })
  const payment = pay(program, account, block.timeMs, amount, amount)
  return payment.rest > 0 ? refuse('points/insufficient-balance', { usable: balanceOf(program, account, block.timeMs).usable }) : payment
}

/** The own share first, then the fund up to the ceiling and the caps; the citizen pays what is beyond. Refused when the fund has nothing left to pay with. */
function payByPass({ block }: BlockContext, program: Program, account: Account, { amount, ownShareMax }: Debit): Payment | Refusal {
  const { capPerPurchase, capPerCitizen } = program
  const spentBefore = spentOf(account)
  const underCitizenCap = capPerCitizen === undefined ? amount : capPerCitizen - spentBefore
  if (underCitizenCap <= 0) return refuse('points/over-citizen-cap', { capPerCitizen: spentBefore + underCitizenCap, spent: spentBefore })
  if (balanceOf(program, account, block.timeMs).usable === 0) return refuse('points/insufficient-balance', { usable: 0 })
  const payment = pay(program, account, block.timeMs, amount, Math.min(amount, underCitizenCap, capPerPurchase ?? amount))
  const own = amount - payment.funded
  return ownShareMax !== undefined && own > ownShareMax ? refuse('points/own-share-differs', { own, ownShareMax }) : payment
}
