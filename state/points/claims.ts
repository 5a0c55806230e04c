// What merchants are owed. A merchant's purchases in a programme gather in one claim a day (by the Korean calendar), numbered from 1. The bank
// pays a claim as a whole and once: an earlier day's claim gathers nothing more, so a day is the natural cut-off, and paying today's claim
// makes the next purchase open another. A refund of a purchase in an unpaid claim lowers that claim; what is not covered there, because the claim is
// paid or lowered already, lowers the merchant's latest claim ("netted"), and is refused if that does not cover it: a claim never falls below zero.
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type Refusal, refuse } from '../family.ts'
import type { ReadView, WriteView } from '../view.ts'
import { bookTable, type Claim, claimTable } from './keys.ts'

const dayMs = 86_400_000
/** Korea is nine hours ahead of UTC all year. */
const koreaMs = 9 * 3_600_000

export function dayOf(nowMs: TimeMs): number {
  return Math.floor((nowMs + koreaMs) / dayMs)
}

/** What the bank is to pay for it. */
export function dueOf(claim: Claim): Won {
  return (claim.gross - claim.refunded - claim.netted) as Won
}

/** Adds a purchase to the merchant's claim of today, opening one if need be. Returns the claim's number. */
export function addToClaim(view: WriteView, nowMs: TimeMs, merchant: Did, programId: string, funded: number): number {
  const last = view.get(bookTable, merchant, programId)?.last ?? 0
  const latest = last === 0 ? undefined : view.get(claimTable, programId, merchant, last)
  const day = dayOf(nowMs)
  if (latest !== undefined && latest.payment === undefined && latest.day === day) {
    view.put(claimTable, [programId, merchant, last], { ...latest, purchases: latest.purchases + 1, gross: (latest.gross + funded) as Won })
    return last
  }
  const none = 0 as Won
  view.put(bookTable, [merchant, programId], { last: last + 1 })
  view.put(claimTable, [programId, merchant, last + 1], { day, purchases: 1, gross: funded as Won, refunded: none, netted: none })
  return last + 1
}

/** Takes a refund off the purchase's own claim, and what that does not cover off the merchant's latest. */
export function takeFromClaims(view: WriteView, merchant: Did, programId: string, ownNumber: number, funded: number): Refusal | undefined {
  const own = readClaim(view, programId, merchant, ownNumber)
  const fromOwn = own.payment === undefined ? Math.min(dueOf(own), funded) : 0
  const rest = funded - fromOwn
  if (rest > 0) {
    const latestNumber = view.get(bookTable, merchant, programId)?.last ?? 0
    const latest = readClaim(view, programId, merchant, latestNumber)
    const cover = latest.payment === undefined && latestNumber !== ownNumber ? dueOf(latest) : 0
    if (cover < rest) return refuse('points/refund-not-covered', { covered: fromOwn + cover, funded })
    view.put(claimTable, [programId, merchant, latestNumber], { ...latest, netted: (latest.netted + rest) as Won })
  }
  if (fromOwn > 0) view.put(claimTable, [programId, merchant, ownNumber], { ...own, refunded: (own.refunded + fromOwn) as Won })
  return undefined
}

function readClaim(view: ReadView, programId: string, merchant: Did, number: number): Claim {
  const found = view.get(claimTable, programId, merchant, number)
  assert(found !== undefined, `claim ${number} of ${merchant} in ${programId}`)
  return found
}
