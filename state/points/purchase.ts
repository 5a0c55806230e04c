// What a purchase takes from a citizen's grants, paid at once or put on hold: the rules that points.spend and points.authorise share.
import type { Did, TimeMs, TransactionId, Won } from '../../primitives/brand.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import { findOpenProgram, findTakingMerchant, isRefusal } from './access.ts'
import { dayOf, monthOf } from '../calendar.ts'
import { balanceOf, type Into, isExpired, onHoldOf, pay, type Payment, readAccount, spentOf, usedIn } from './grants.ts'
import type { Account } from './keys.ts'
import type { Program } from './types.ts'

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

/** Pays from the grants by all rules, or refuses. Writes nothing: the account is in the payment. */
export function takeFromGrants(context: BlockContext, order: Debit, into: Into): { readonly program: Program; readonly payment: Payment } | Refusal {
  const { view, block } = context
  const { citizen, merchant, amount } = order
  const program = findOpenProgram(view, order.program)
  if (isRefusal(program)) return program
  const account = readAccount(view, program.id, citizen)
  const { useOpensMs, useClosesMs } = program
  // past the end of use there may be grants that a refund has given some days of grace
  const isOver = block.timeMs >= useClosesMs && account.grants.every((grant) => isExpired(program, grant, block.timeMs))
  if (block.timeMs < useOpensMs || isOver) return refuse('points/use-window', { useOpensMs, useClosesMs })
  if (merchant === citizen) return refuse('points/own-shop')
  const taking = findTakingMerchant(context, merchant, program)
  if (isRefusal(taking)) return taking
  const pays = program.kind === 'points' ? payByPoints : payByPass
  const payment = pays(program, account, block.timeMs, into, order, amount)
  return isRefusal(payment) ? payment : { program, payment }
}

interface Room {
  readonly code: string
  readonly cap: number
  readonly used: number
}

/** The caps of a citizen and what of each is used up, purchases on hold included. */
function roomsOf({ capPerCitizen, capPerDay, capPerMonth }: Program, account: Account, nowMs: TimeMs): readonly Room[] {
  return [
    ...(capPerCitizen === undefined ? [] : [{ code: 'points/over-citizen-cap', cap: capPerCitizen, used: spentOf(account) + onHoldOf(account) }]),
    ...(capPerDay === undefined ? [] : [{ code: 'points/over-day-cap', cap: capPerDay, used: usedIn(account.day, dayOf(nowMs)) }]),
    ...(capPerMonth === undefined ? [] : [{ code: 'points/over-month-cap', cap: capPerMonth, used: usedIn(account.month, monthOf(nowMs)) }]),
  ]
}

/** All of the price, or a refusal. */
function payByPoints(program: Program, account: Account, nowMs: TimeMs, into: Into, _order: Debit, amount: Won): Payment | Refusal {
  const { capPerPurchase } = program
  if (capPerPurchase !== undefined && amount > capPerPurchase) return refuse('points/over-purchase-cap', { capPerPurchase })
  const passed = roomsOf(program, account, nowMs).find(({ cap, used }) => used + amount > cap)
  if (passed !== undefined) return refuse(passed.code, { cap: passed.cap, used: passed.used })
  const payment = pay(program, account, nowMs, into, amount, amount)
  return payment.rest > 0 ? refuse('points/insufficient-balance', { usable: balanceOf(program, account, nowMs).usable }) : payment
}

/** The own share first, then the fund up to the ceiling and the caps; the citizen pays what is beyond. Refused when the fund has nothing left to pay with. */
function payByPass(program: Program, account: Account, nowMs: TimeMs, into: Into, { ownShareMax }: Debit, amount: Won): Payment | Refusal {
  const rooms = roomsOf(program, account, nowMs)
  const full = rooms.find(({ cap, used }) => used >= cap)
  if (full !== undefined) return refuse(full.code, { cap: full.cap, used: full.used })
  if (balanceOf(program, account, nowMs).usable === 0) return refuse('points/insufficient-balance', { usable: 0 })
  const payment = pay(program, account, nowMs, into, amount, Math.min(amount, program.capPerPurchase ?? amount, ...rooms.map(({ cap, used }) => cap - used)))
  const own = amount - payment.funded
  return ownShareMax !== undefined && own > ownShareMax ? refuse('points/own-share-differs', { own, ownShareMax }) : payment
}
