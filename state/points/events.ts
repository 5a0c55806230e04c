// What the points family tells indexers, statements and apps: who, in which programme, how much, under which purchase or payment.
import { boolean, did, integer, oneOf, optional, slug, timeMs, transactionId, won } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { paymentReference, programKind, reason, saleReference } from './types.ts'

const program = slug

export const merchantRegistered = event('points.merchantRegistered', 'a merchant may take points', { merchant: did, category: slug, livingArea: optional(slug), officer: did })
export const merchantAmended = event('points.merchantAmended', 'a merchant’s category or living area changed', { merchant: did, category: slug, livingArea: optional(slug), officer: did })
export const merchantSuspended = event('points.merchantSuspended', 'a merchant takes no points until resumed', { merchant: did, reason, officer: did })
export const merchantResumed = event('points.merchantResumed', 'a suspended merchant takes points again', { merchant: did, officer: did })

export const programOpened = event('points.programOpened', 'a programme was opened with its budget', { program, kind: programKind, budget: won, officer: did })
export const programAmended = event('points.programAmended', 'terms of a programme changed: read the programme', { program, officer: did })
export const budgetChanged = event('points.budgetChanged', 'a budget was topped up or cut', { program, before: won, after: won, officer: did })
export const programClosed = event('points.programClosed', 'a programme was closed for good', { program, officer: did })

export const applied = event('points.applied', 'a citizen applied and has a place in line', { program, did, tier: slug, place: integer(1) })
export const waitlisted = event('points.waitlisted', 'an application waits in line for budget or a place', {
  program,
  did,
  place: integer(1),
  /** Number in the line: nobody with a higher one is granted before. */
  line: integer(1),
  /** How many waited when it came. */
  ahead: integer(),
})
export const rejected = event('points.rejected', 'an application was rejected', {
  program,
  did,
  reason,
  /** Absent: by the chain, since the DID was deactivated before its turn came. */
  officer: optional(did),
})
export const granted = event('points.granted', 'a citizen was granted an amount', {
  program,
  did,
  /** Place among the citizen’s grants in the programme, from 1. */
  grant: integer(1),
  tier: slug,
  amount: won,
  expiresMs: timeMs,
  /** Absent: the programme grants by itself. */
  officer: optional(did),
})
export const clawedBack = event('points.clawedBack', 'what was left of a grant that should not have been made was taken back (0: all of it is on hold), or came back later', { program, did, grant: integer(1), amount: won, reason })

export const authorised = event('points.authorised', 'a citizen put a price on hold for a merchant', {
  program,
  did,
  merchant: did,
  purchase: transactionId,
  /** Of the citizen’s grants; they hold it still. */
  funded: won,
  own: won,
  expiresMs: timeMs,
  reference: optional(saleReference),
})
export const captured = event('points.captured', 'a merchant took what was on hold', {
  program,
  did,
  merchant: did,
  purchase: transactionId,
  funded: won,
  own: won,
  /** No longer on hold, and back in the citizen’s grants. */
  released: won,
  claim: integer(1),
  reference: optional(saleReference),
})
export const released = event('points.released', 'what was on hold went back to the citizen', { program, did, merchant: did, purchase: transactionId, funded: won, own: won, by: oneOf('void', 'expiry') })

export const spent = event('points.spent', 'a citizen paid a merchant', {
  program,
  did,
  merchant: did,
  purchase: transactionId,
  /** What the fund pays: debited from the citizen’s grants and added to the claim. */
  funded: won,
  /** Passes: what the citizen paid at the counter. */
  own: won,
  claim: integer(1),
  reference: optional(saleReference),
})
export const refunded = event('points.refunded', 'a merchant gave back a purchase or a part of it', {
  program,
  did,
  merchant: did,
  purchase: transactionId,
  /** Back into the citizen’s grants, off the merchant’s claim. */
  funded: won,
  /** To be given back at the counter. */
  own: won,
  /** The bank had paid the claim: the merchant owes it now. */
  wasPaid: boolean,
  reason: optional(reason),
})
export const settled = event('points.settled', 'the bank paid a claim', {
  program,
  merchant: did,
  claim: integer(1),
  /** What was paid, and what was kept back for what the merchant owed. */
  amount: won,
  netted: won,
  payment: paymentReference,
  settler: did,
})
export const repaid = event('points.repaid', 'a merchant paid back what it owed', { program, merchant: did, amount: won, payment: paymentReference, settler: did })
export const reclaimed = event('points.reclaimed', 'what was left of a citizen’s expired grant was taken back', { program, did, grant: integer(1), amount: won, to: oneOf('reclaimed', 'unallocated') })

export const events = [
  merchantRegistered,
  merchantAmended,
  merchantSuspended,
  merchantResumed,
  programOpened,
  programAmended,
  budgetChanged,
  programClosed,
  applied,
  waitlisted,
  rejected,
  granted,
  clawedBack,
  authorised,
  captured,
  released,
  spent,
  refunded,
  settled,
  repaid,
  reclaimed,
]
