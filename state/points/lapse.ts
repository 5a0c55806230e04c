// What becomes of money in grants that pay nothing more: expired, clawed back, or of a closed programme.
import type { Did, Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import type { BlockContext } from '../family.ts'
import { dayEndsMs, dayOf } from '../calendar.ts'
import { minuteFrom, putDue } from './due.ts'
import { clawedBack, reclaimed } from './events.ts'
import { type Back, isExpired, leftOf, withGrant } from './grants.ts'
import type { Account, Grant } from './keys.ts'
import { wakeLine } from './line.ts'
import { move } from './sums.ts'
import type { Program } from './types.ts'

/** Takes what is left of a grant, or a part of it, where the programme says; of one that was clawed back, to be granted again. The caller writes the account. */
export function lapse(context: BlockContext, program: Program, did: Did, account: Account, index: number, amount?: number): Account {
  const grant = account.grants[index] as Grant
  const taken = amount ?? leftOf(grant)
  assert(taken <= leftOf(grant), 'no more lapses than is left')
  if (taken === 0) return account
  const after: Grant = { ...grant, reclaimed: (grant.reclaimed + taken) as Won }
  const told = { program: program.id, did, grant: index + 1, amount: taken as Won }
  if (grant.revoked === undefined) {
    move(context, program, program.leftover === 'reclaimed' ? 'lapsed' : 'returned', taken)
    context.emit(reclaimed({ ...told, to: program.leftover }))
  } else {
    // nothing of it was ever spent: its place is free as well
    move(context, program, 'clawedBack', taken, { revoked: after.reclaimed === after.amount ? 1 : 0 })
    context.emit(clawedBack({ ...told, reason: grant.revoked }))
  }
  if (grant.revoked !== undefined || program.leftover === 'unallocated') wakeLine(context, program.id)
  return withGrant(account, index, after)
}

/**
 * Deals with what came back to grants: in those that have expired it lapses at once, or, `withGrace` and where the programme says so, can be
 * used for some days more. The account has it already; the caller writes the account that is returned.
 */
export function settleBack(context: BlockContext, program: Program, did: Did, account: Account, back: readonly Back[], withGrace: boolean): Account {
  const { view, block } = context
  let next = account
  for (const { index, funded } of back) {
    const grant = next.grants[index] as Grant
    if (!isExpired(program, grant, block.timeMs)) continue
    if (!withGrace || program.refundGraceDays === undefined || grant.revoked !== undefined || program.status === 'closed') {
      next = lapse(context, program, did, next, index)
      continue
    }
    // what was left before and has not lapsed yet is not to come to life again
    next = lapse(context, program, did, next, index, leftOf(grant) - funded)
    const expiresMs = dayEndsMs(dayOf(block.timeMs) + program.refundGraceDays)
    next = withGrant(next, index, { ...(next.grants[index] as Grant), expiresMs })
    putDue(view, minuteFrom(expiresMs), { type: 'grant', program: program.id, did, grant: index + 1 })
  }
  return next
}
