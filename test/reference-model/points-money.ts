// The money of the reference model: what is left of grants, what a programme's sums come to, how a grant is made and how money comes back.
import { assert } from '../../primitives/errors.ts'
import { midnight, koreanDay, must, minuteMs, refuse, remove, sum, tell, type Account, type Book, type Due, type Grant, type Part, type Program, type Purchase, type World } from './world.ts'

const grantsOfOneMax = 16
const promotedAtOnceMax = 100

export function accountOf(program: Program, did: string): Account {
  const account = program.accounts.get(did) ?? { did, application: undefined, grants: [] }
  program.accounts.set(did, account)
  return account
}

export function purchasesOf(world: World, program: Program, did: string): Purchase[] {
  const key = `${program.id}/${did}`
  const purchases = world.purchasesOf.get(key) ?? []
  world.purchasesOf.set(key, purchases)
  return purchases
}

export function bookOf(world: World, program: string, merchant: string): Book {
  const key = `${program}/${merchant}`
  const book = world.books.get(key) ?? { claims: [], owed: 0 }
  world.books.set(key, book)
  return book
}

export function fundedOf(purchase: Purchase): number {
  return sum(purchase.parts, (part) => part.funded)
}

export function partsOf(world: World, program: Program, did: string, grant: number, state?: Purchase['state']): Part[] {
  return purchasesOf(world, program, did).flatMap((purchase) => (state === undefined || purchase.state === state ? purchase.parts.filter((part) => part.grant === grant) : []))
}

export function takenBack(grant: Grant): number {
  return grant.lapsed + grant.returned + grant.clawedBack
}

/** What the citizen can still use or has taken back: neither spent nor on hold. */
export function leftOf(world: World, program: Program, did: string, at: number): number {
  const grant = program.accounts.get(did)?.grants[at]
  assert(grant !== undefined, 'a grant')
  return grant.amount - takenBack(grant) - sum(partsOf(world, program, did, at), (part) => part.funded)
}

export function endOf(program: Program, grant: Grant): number {
  return grant.graceUntilMs ?? Math.min(program.terms.useClosesMs, grant.ownEndMs ?? Infinity)
}

export interface Sums {
  readonly budget: number
  readonly unallocated: number
  readonly held: number
  readonly onHold: number
  readonly unsettled: number
  readonly settled: number
  readonly reclaimed: number
  readonly owed: number
  readonly paid: number
}

export function dueOf({ gross, refunded, payment }: Book['claims'][number]): number {
  return payment === undefined ? gross - refunded : 0
}

/** Where every won of a programme is, counted from the grants, purchases and claims. */
export function sumsOf(world: World, program: Program): Sums {
  const accounts = [...program.accounts.values()]
  const grants = accounts.flatMap((account) => account.grants)
  const onHold = sum(accounts, ({ did }) => sum(purchasesOf(world, program, did), (each) => (each.state === 'held' ? fundedOf(each) : 0)))
  const left = sum(accounts, ({ did, grants: own }) => sum(own.keys(), (at) => leftOf(world, program, did, at)))
  const books = [...world.books].filter(([key]) => key.startsWith(`${program.id}/`)).map(([, book]) => book)
  const unsettled = sum(books, (book) => sum(book.claims, dueOf))
  const owed = sum(books, (book) => book.owed)
  const paid = world.paid.get(program.id) ?? 0
  const reclaimed = sum(grants, (grant) => grant.lapsed)
  return {
    budget: program.budget,
    unallocated: unallocatedOf(program),
    held: left + onHold,
    onHold,
    unsettled,
    settled: paid - owed,
    reclaimed,
    owed,
    paid,
  }
}

export function unallocatedOf(program: Program): number {
  const grants = [...program.accounts.values()].flatMap((account) => account.grants)
  return program.budget - sum(grants, (grant) => grant.amount - grant.returned - grant.clawedBack)
}

/** Grants that count in grantsMax: one that was clawed back, and of which nothing is spent or on hold, does not. */
export function countedGrants(world: World, program: Program): number {
  return sum(program.accounts.values(), ({ did, grants }) => sum(grants.entries(), ([at, grant]) => (grant.clawbackReason !== undefined && sum(partsOf(world, program, did, at), (part) => part.funded) === 0 ? 0 : 1)))
}

export function amountOf(program: Program, tier: string): number | undefined {
  return program.terms.tiers.find((each) => each.tier === tier)?.amount
}

export function isThereFor(world: World, program: Program, amount: number): boolean {
  return unallocatedOf(program) >= amount && countedGrants(world, program) < (program.terms.grantsMax ?? Infinity)
}

export function mayHaveMore(account: Account): void {
  must(account.grants.length < grantsOfOneMax, 'points/too-many-grants')
}

/** With the first block of the next full minute. */
export function addDue(world: World, atMs: number, what: DistributiveOmit<Due, 'minute' | 'order'>): void {
  world.due.push({ ...what, minute: Math.ceil(atMs / minuteMs), order: ++world.dueOrder })
}
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** Makes a grant; that it is there was looked at. */
export function grant(world: World, program: Program, did: string, tier: string, { officer, expiresMs }: { readonly officer?: string | undefined; readonly expiresMs?: number | undefined }): void {
  const { amount, useDays } = program.terms.tiers.find((each) => each.tier === tier) ?? refuse('points/unknown-tier')
  const account = accountOf(program, did)
  const daysEndMs = useDays === undefined ? Infinity : midnight(koreanDay(world.nowMs) + useDays + 1)
  const ownEndMs = expiresMs ?? (daysEndMs < program.terms.useClosesMs ? daysEndMs : undefined)
  const made: Grant = { tier, amount, officer, ownEndMs, graceUntilMs: undefined, lapsed: 0, returned: 0, clawedBack: 0, clawbackReason: undefined }
  account.grants.push(made)
  addDue(world, endOf(program, made), { what: 'grant', program: program.id, did, grant: account.grants.length - 1 })
  tell(world, 'points.granted', { program: program.id, did, grant: account.grants.length, tier, amount, expiresMs: endOf(program, made), officer })
}

/** The application is granted, or waits in line where the programme has one, or is refused. */
export function grantOrWait(world: World, program: Program, account: Account, officer?: string): void {
  const { application } = account
  assert(application !== undefined, 'an application')
  mayHaveMore(account)
  if (program.line.length === 0 && isThereFor(world, program, amountOf(program, application.tier) ?? 0)) {
    application.status = 'granted'
    grant(world, program, account.did, application.tier, { officer })
    return
  }
  must(program.terms.waitlistMax !== undefined, 'points/budget-exhausted')
  must(program.line.length < (program.terms.waitlistMax ?? 0), 'points/waitlist-full')
  application.status = 'waiting'
  application.line = ++program.lineNumbers
  tell(world, 'points.waitlisted', { program: program.id, did: account.did, place: application.place, line: application.line, ahead: program.line.length })
  program.line.push(account.did)
}

/** Whether who is first in line would move now. */
export function canMove(world: World, program: Program): boolean {
  const [first] = program.line
  if (first === undefined || program.isClosed) return false
  if (!world.activeDids.has(first)) return true
  return world.nowMs < program.terms.useClosesMs && isThereFor(world, program, amountOf(program, program.accounts.get(first)?.application?.tier ?? '') ?? 0)
}

/** Moves one up: granted, or passed over if the DID was deactivated. */
export function moveFirst(world: World, program: Program): void {
  const did = program.line.shift()
  assert(did !== undefined, 'somebody in line')
  const { application } = accountOf(program, did)
  assert(application !== undefined, 'an application in line')
  if (world.activeDids.has(did)) {
    application.status = 'granted'
    grant(world, program, did, application.tier, {})
  } else reject(world, program, did, 'did-inactive')
}

export function reject(world: World, program: Program, did: string, reason: string, officer?: string): void {
  const { application } = accountOf(program, did)
  assert(application !== undefined, 'an application')
  if (program.line.includes(did)) {
    remove(program.line, did)
    noteLine(world, program)
  }
  application.status = 'rejected'
  program.pseudonyms.delete(application.pseudonym)
  tell(world, 'points.rejected', { program: program.id, did, reason, officer })
}

/** Up to so many numbers of the line, those who left it included; how many it looked at. */
export function moveUp(world: World, program: Program, max = promotedAtOnceMax): number {
  let looked = 0
  while (program.line.length > 0) {
    const next = program.accounts.get(program.line[0] as string)?.application?.line ?? 0
    const numbers = next - program.lineHead
    if (looked + numbers >= max) {
      program.lineHead += max - looked
      noteLine(world, program)
      return max
    }
    looked += numbers
    program.lineHead = next
    if (!canMove(world, program)) return looked
    moveFirst(world, program)
    looked++
    program.lineHead++
  }
  return looked
}

/** The line is to be looked at with the next block. */
export function noteLine(world: World, program: Program): void {
  if (program.line.length === 0 || program.isLineDue) return
  program.isLineDue = true
  world.due.push({ what: 'line', program: program.id, minute: Math.floor(world.nowMs / minuteMs), order: ++world.dueOrder })
}

/** Takes what is left of a grant that is over to where the programme says. True if there was anything. */
export function reclaimGrant(world: World, program: Program, did: string, at: number, left = leftOf(world, program, did, at)): boolean {
  if (left === 0) return false
  const taken = program.accounts.get(did)?.grants[at] as Grant
  const to = program.terms.leftover
  if (to === 'reclaimed') taken.lapsed += left
  else taken.returned += left
  tell(world, 'points.reclaimed', { program: program.id, did, grant: at + 1, amount: left, to })
  if (to === 'unallocated') noteLine(world, program)
  return true
}

/** What is left of a grant that was clawed back goes the same way. */
export function takeAll(world: World, program: Program, did: string, at: number): void {
  const taken = program.accounts.get(did)?.grants[at] as Grant
  const left = leftOf(world, program, did, at)
  taken.clawedBack += left
  tell(world, 'points.clawedBack', { program: program.id, did, grant: at + 1, amount: left, reason: taken.clawbackReason })
  noteLine(world, program)
}
