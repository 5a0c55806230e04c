// A citizen's grants: what is left of each, in which order they pay, and how a payment is undone. Pure, apart from `makeGrant`.
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type BlockContext, type Refusal, refuse } from '../family.ts'
import type { ReadView } from '../view.ts'
import { checkUseNotEnded } from './access.ts'
import { granted } from './events.ts'
import { type Account, accountTable, type Grant, type Part } from './keys.ts'
import { accountGrantsMax } from './limits.ts'
import { move, readSums } from './sums.ts'
import type { Program } from './types.ts'

const emptyAccount: Account = { grants: [] }

export function readAccount(view: ReadView, programId: string, did: Did): Account {
  return view.get(accountTable, programId, did) ?? emptyAccount
}

export function leftOf(grant: Grant): Won {
  return (grant.amount - grant.spent - grant.reclaimed) as Won
}

export function expiresMsOf(program: Program, grant: Grant): TimeMs {
  return grant.expiresMs ?? program.useClosesMs
}

/** From its expiry on, or once the programme is closed, a grant pays nothing more and can be reclaimed. */
export function isExpired(program: Program, grant: Grant, nowMs: TimeMs): boolean {
  return program.status === 'closed' || nowMs >= expiresMsOf(program, grant)
}

export function spentOf(account: Account): number {
  return account.grants.reduce((total, grant) => total + grant.spent, 0)
}

/** What the unexpired grants hold, and of it what can be used now: the time of use may not have begun. */
export function balanceOf(program: Program, account: Account, nowMs: TimeMs): { readonly balance: Won; readonly usable: Won } {
  const balance = account.grants.reduce((total, grant) => total + (isExpired(program, grant, nowMs) ? 0 : leftOf(grant)), 0) as Won
  return { balance, usable: nowMs >= program.useOpensMs ? balance : (0 as Won) }
}

/** Makes a grant and writes the account, whose other changes the caller has made already. */
export function makeGrant(context: BlockContext, program: Program, holder: { readonly did: Did; readonly account: Account }, made: { readonly tier: string; readonly expiresMs?: TimeMs | undefined; readonly officer?: Did }): Refusal | undefined {
  const { view, block, emit } = context
  const { did, account } = holder
  const ended = checkUseNotEnded(block, program)
  if (ended !== undefined) return ended
  const tier = program.tiers.find((each) => each.tier === made.tier)
  if (tier === undefined) return refuse('points/unknown-tier', { tier: made.tier })
  if (account.grants.length >= accountGrantsMax) return refuse('points/too-many-grants', { did, grants: accountGrantsMax })
  const { grants, unallocated } = readSums(view, program.id)
  if (program.grantsMax !== undefined && grants >= program.grantsMax) return refuse('points/budget-exhausted', { grants, grantsMax: program.grantsMax })
  if (unallocated < tier.amount) return refuse('points/budget-exhausted', { unallocated, amount: tier.amount })
  const none = 0 as Won
  const grant: Grant = { tier: tier.tier, amount: tier.amount, spent: none, reclaimed: none, ownPaid: none, expiresMs: made.expiresMs }
  move(view, program, 'unallocated', 'held', tier.amount, { grants: 1 })
  view.put(accountTable, [program.id, did], { ...account, grants: [...account.grants, grant] })
  emit(granted({ program: program.id, did, grant: account.grants.length + 1, tier: tier.tier, amount: tier.amount, expiresMs: expiresMsOf(program, grant), officer: made.officer }))
  return undefined
}

export interface Payment {
  readonly account: Account
  readonly parts: readonly Part[]
  readonly funded: number
  /** What is left of the price: a pass's citizen pays it, points refuse. */
  readonly rest: number
}

/**
 * Pays a price from the usable grants, the one that expires first paying first, its own share (of a pass) before the fund's part; the fund
 * pays at most `fundedMax`.
 */
export function pay(program: Program, account: Account, nowMs: TimeMs, price: number, fundedMax: number): Payment {
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
    grants[index] = { ...grant, spent: (grant.spent + fund) as Won, ownPaid: (grant.ownPaid + own) as Won }
    parts.push({ grant: index + 1, own: own as Won, funded: fund as Won })
    funded += fund
    rest -= own + fund
  }
  return { account: { ...account, grants }, parts, funded, rest }
}

export interface Undone {
  readonly account: Account
  /** What stands of the payment. */
  readonly parts: readonly Part[]
  readonly excess: Won
  readonly funded: number
  readonly own: number
}

/**
 * Undoes `amount` of a payment from its end, as if it had cost that much less: first what the citizen paid beyond the ceiling, then the
 * grants in the reverse of the order in which they paid, of each the fund's part before the own share.
 */
export function undo(account: Account, payment: { readonly parts: readonly Part[]; readonly excess: Won }, amount: number): Undone {
  const excess = Math.min(payment.excess, amount)
  const grants = [...account.grants]
  const parts = [...payment.parts]
  let rest = amount - excess
  let funded = 0
  let own = excess
  for (let i = parts.length - 1; i >= 0 && rest > 0; i--) {
    const paid = parts[i] as Part
    const grant = grants[paid.grant - 1] as Grant
    const fundedBack = Math.min(paid.funded, rest)
    const ownBack = Math.min(paid.own, rest - fundedBack)
    grants[paid.grant - 1] = { ...grant, spent: (grant.spent - fundedBack) as Won, ownPaid: (grant.ownPaid - ownBack) as Won }
    parts[i] = { ...paid, own: (paid.own - ownBack) as Won, funded: (paid.funded - fundedBack) as Won }
    funded += fundedBack
    own += ownBack
    rest -= fundedBack + ownBack
  }
  assert(rest === 0, 'a refund within its purchase')
  return { account: { ...account, grants }, parts, excess: (payment.excess - excess) as Won, funded, own }
}
