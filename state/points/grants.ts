// A citizen's grants: what is left of each, in which order they pay, and how a payment is undone. Pure.
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { ReadView } from '../view.ts'
import { dayOf, monthOf } from '../calendar.ts'
import { type Account, accountTable, type Grant, type Part, type Period } from './keys.ts'
import type { Program } from './types.ts'

const emptyAccount: Account = { grants: [] }

export function readAccount(view: ReadView, programId: string, did: Did): Account {
  return view.get(accountTable, programId, did) ?? emptyAccount
}

/** What it can still pay, if it has not expired. */
export function leftOf(grant: Grant): Won {
  return (grant.amount - grant.spent - grant.reclaimed - grant.onHold) as Won
}

export function expiresMsOf(program: Program, grant: Grant): TimeMs {
  return grant.expiresMs ?? program.useClosesMs
}

/** From its expiry on, once it is clawed back, or once the programme is closed, a grant pays nothing more. */
export function isExpired(program: Program, grant: Grant, nowMs: TimeMs): boolean {
  return grant.revoked !== undefined || program.status === 'closed' || nowMs >= expiresMsOf(program, grant)
}

export function withGrant(account: Account, index: number, grant: Grant): Account {
  return { ...account, grants: account.grants.with(index, grant) }
}

export function spentOf(account: Account): number {
  return account.grants.reduce((total, grant) => total + grant.spent, 0)
}

export function onHoldOf(account: Account): number {
  return account.grants.reduce((total, grant) => total + grant.onHold, 0)
}

/** What the unexpired grants hold, without what is on hold, and of it what can be used now: the time of use may not have begun. */
export function balanceOf(program: Program, account: Account, nowMs: TimeMs): { readonly balance: Won; readonly usable: Won } {
  const balance = account.grants.reduce((total, grant) => total + (isExpired(program, grant, nowMs) ? 0 : leftOf(grant)), 0) as Won
  return { balance, usable: nowMs >= program.useOpensMs ? balance : (0 as Won) }
}

/** A purchase pays at once; an authorisation puts on hold. */
export type Into = 'spent' | 'onHold'

export interface Payment {
  readonly account: Account
  readonly parts: readonly Part[]
  readonly funded: number
  /** What is left of the price: a pass's citizen pays it, points refuse. */
  readonly rest: number
}

/**
 * Pays a price from the usable grants, the one that expires first paying first, its own share (of a pass) before the fund's part; the fund
 * pays at most `fundedMax`. An own share on hold is not paid yet: it may go back, and must not have let others off.
 */
export function pay(program: Program, account: Account, nowMs: TimeMs, into: Into, price: number, fundedMax: number): Payment {
  const usable = account.grants
    .map((grant, index) => ({ grant, index }))
    .filter(({ grant }) => !isExpired(program, grant, nowMs) && leftOf(grant) > 0)
    .sort((a, b) => expiresMsOf(program, a.grant) - expiresMsOf(program, b.grant) || a.index - b.index)
  const grants = [...account.grants]
  const parts: Part[] = []
  let funded = 0
  let rest = price
  for (const { grant, index } of usable) {
    if (rest === 0 || funded === fundedMax) break
    const own = Math.min(rest, (program.ownShare ?? 0) - grant.ownPaid)
    const fund = Math.min(rest - own, leftOf(grant), fundedMax - funded)
    grants[index] = { ...grant, [into]: (grant[into] + fund) as Won, ownPaid: (grant.ownPaid + (into === 'spent' ? own : 0)) as Won }
    parts.push({ grant: index + 1, own: own as Won, funded: fund as Won })
    funded += fund
    rest -= own + fund
  }
  return { account: usePeriods(program, { ...account, grants }, nowMs, funded), parts, funded, rest }
}

export interface Paid {
  readonly parts: readonly Part[]
  readonly excess: Won
  /** When it was paid or authorised: in this day and month it counts. */
  readonly timeMs: TimeMs
}

export interface Undone {
  readonly account: Account
  /** What stands of the payment. */
  readonly parts: readonly Part[]
  readonly excess: Won
  /** What came back: the fund's part of it, by grant, and the citizen's. */
  readonly back: readonly Back[]
  readonly funded: number
  readonly own: number
}

export interface Back {
  /** In the account's grants, from 0. */
  readonly index: number
  readonly funded: number
}

/**
 * Undoes `amount` of a payment from its end, as if it had cost that much less: first what the citizen paid beyond the ceiling, then the
 * grants in the reverse of the order in which they paid, of each the fund's part before the own share.
 */
export function undo(account: Account, payment: Paid, from: Into, amount: number): Undone {
  const excess = Math.min(payment.excess, amount)
  const grants = [...account.grants]
  const parts = [...payment.parts]
  const back: Back[] = []
  let rest = amount - excess
  let funded = 0
  let own = excess
  for (let i = parts.length - 1; i >= 0 && rest > 0; i--) {
    const paid = parts[i] as Part
    const index = paid.grant - 1
    const grant = grants[index] as Grant
    const fundedBack = Math.min(paid.funded, rest)
    const ownBack = Math.min(paid.own, rest - fundedBack)
    grants[index] = { ...grant, [from]: (grant[from] - fundedBack) as Won, ownPaid: (grant.ownPaid - (from === 'spent' ? ownBack : 0)) as Won }
    parts[i] = { ...paid, own: (paid.own - ownBack) as Won, funded: (paid.funded - fundedBack) as Won }
    if (fundedBack > 0) back.push({ index, funded: fundedBack })
    funded += fundedBack
    own += ownBack
    rest -= fundedBack + ownBack
  }
  assert(rest === 0, 'a refund within its purchase')
  return { account: unusePeriods({ ...account, grants }, payment.timeMs, funded), parts, excess: (payment.excess - excess) as Won, back, funded, own }
}

export interface Captured {
  readonly account: Account
  readonly parts: readonly Part[]
  /** Own shares that other purchases have paid since: they are the citizen's, beyond the share, and the fund has so much more left. */
  readonly excess: number
}

/** Turns what is on hold for a payment into what is spent. */
export function captureParts({ ownShare = 0 as Won }: Program, account: Account, held: readonly Part[]): Captured {
  const grants = [...account.grants]
  let excess = 0
  const parts = held.map((part) => {
    const grant = grants[part.grant - 1] as Grant
    const own = Math.min(part.own, ownShare - grant.ownPaid) as Won
    excess += part.own - own
    grants[part.grant - 1] = { ...grant, onHold: (grant.onHold - part.funded) as Won, spent: (grant.spent + part.funded) as Won, ownPaid: (grant.ownPaid + own) as Won }
    return { ...part, own }
  })
  return { account: { ...account, grants }, parts, excess }
}

/** What counts against a cap of the day or month with this number. */
export function usedIn(period: Period | undefined, number: number): number {
  return period?.number === number ? period.used : 0
}

function usePeriods({ capPerDay, capPerMonth }: Program, account: Account, nowMs: TimeMs, funded: number): Account {
  const used = (period: Period | undefined, number: number): Period => ({ number, used: (usedIn(period, number) + funded) as Won })
  return {
    ...account,
    ...(capPerDay !== undefined && { day: used(account.day, dayOf(nowMs)) }),
    ...(capPerMonth !== undefined && { month: used(account.month, monthOf(nowMs)) }),
  }
}

/** What comes back counts no more in the day and month in which it was paid, if they are the latest. */
function unusePeriods(account: Account, paidMs: TimeMs, funded: number): Account {
  const { day, month } = account
  return {
    ...account,
    ...(day?.number === dayOf(paidMs) && { day: { ...day, used: (day.used - funded) as Won } }),
    ...(month?.number === monthOf(paidMs) && { month: { ...month, used: (month.used - funded) as Won } }),
  }
}
