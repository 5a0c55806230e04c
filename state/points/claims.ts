// What merchants are owed, and what they owe. A merchant's purchases in a programme gather in one claim a Korean day, numbered from 1. The bank pays a
// claim as a whole and once: an earlier day's claim gathers nothing more, so a day is the natural cut-off, and paying today's claim makes the next purchase
// open another. A refund of a purchase in an unpaid claim lowers that claim. Of one that was paid it is a debt of the merchant, which the next
// settlement keeps back ("netted").
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type Refusal, refuse } from '../family.ts'
import type { ReadView, WriteView } from '../view.ts'
import { dayOf } from '../calendar.ts'
import { bookTable, type Claim, claimTable } from './keys.ts'
import { budgetMax } from './limits.ts'
import { readSums } from './sums.ts'
import type { Program } from './types.ts'

/** What its purchases come to without their refunds. */
export function dueOf(claim: Claim): Won {
  return (claim.gross - claim.refunded) as Won
}

/** What the bank pays for a claim of this due to a merchant that owes this: the rest of the debt stays. */
export function payableOf(due: Won, owed: Won): { readonly netted: Won; readonly payable: Won } {
  const netted = Math.min(due, owed) as Won
  return { netted, payable: (due - netted) as Won }
}

/** Adds a purchase to the merchant's claim of today, opening one if need be. Returns the claim's number. */
export function addToClaim(view: WriteView, nowMs: TimeMs, merchant: Did, programId: string, funded: number): number {
  const book = view.get(bookTable, merchant, programId)
  const last = book?.last ?? 0
  const latest = last === 0 ? undefined : view.get(claimTable, programId, merchant, last)
  const day = dayOf(nowMs)
  // a claim that purchases and refunds have gone through time and again is ended before its totals grow too large
  if (latest !== undefined && latest.payment === undefined && latest.day === day && latest.gross + funded <= budgetMax) {
    view.put(claimTable, [programId, merchant, last], { ...latest, purchases: latest.purchases + 1, gross: (latest.gross + funded) as Won })
    return last
  }
  const none = 0 as Won
  view.put(bookTable, [merchant, programId], { last: last + 1, owed: book?.owed ?? none })
  view.put(claimTable, [programId, merchant, last + 1], { day, purchases: 1, gross: funded as Won, refunded: none, netted: none })
  return last + 1
}

/** Takes a refund off the purchase's claim, or, if that is paid, adds it to what the merchant owes. Returns which of the two movements it is. */
export function takeFromClaim(view: WriteView, merchant: Did, program: Program, number: number, funded: number): 'refunded' | 'refundedPaid' | Refusal {
  const claim = readClaim(view, program.id, merchant, number)
  if (claim.payment === undefined) {
    view.put(claimTable, [program.id, merchant, number], { ...claim, refunded: (claim.refunded + funded) as Won })
    return 'refunded'
  }
  const book = readBook(view, merchant, program.id)
  const latest = readClaim(view, program.id, merchant, book.last)
  const earned = latest.payment === undefined ? dueOf(latest) : 0
  const debt = book.owed + funded - earned
  const { merchantDebtMax } = program
  if (merchantDebtMax !== undefined && debt > merchantDebtMax) return refuse('points/refund-not-covered', { earned, owed: book.owed, merchantDebtMax })
  const { owed } = readSums(view, program.id)
  if (owed + funded > budgetMax) return refuse('points/refund-not-covered', { owed, budgetMax })
  view.put(bookTable, [merchant, program.id], { ...book, owed: (book.owed + funded) as Won })
  return 'refundedPaid'
}

function readClaim(view: ReadView, programId: string, merchant: Did, number: number): Claim {
  const found = view.get(claimTable, programId, merchant, number)
  assert(found !== undefined, `claim ${number} of ${merchant} in ${programId}`)
  return found
}

export function readBook(view: ReadView, merchant: Did, programId: string): { readonly last: number; readonly owed: Won } {
  const found = view.get(bookTable, merchant, programId)
  assert(found !== undefined, `the book of ${merchant} in ${programId}`)
  return found
}
