// The reference model of purchases, holds, refunds, claims and settlements: docs/transactions.md, points.spend to points.repay; and what falls due.
import { toHex as hex } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import type { Infer } from '../../primitives/schema.ts'
import type * as types from '../../state/points/types.ts'
import { addDue, bookOf, dueOf, endOf, fundedOf, leftOf, moveUp, partsOf, purchasesOf, reclaimGrant, takeAll } from './points-money.ts'
import { dayMs, found, hasRole, koreanDay, koreanMonth, midnight, minuteMs, must, refuse, remove, sum, tell, type Claim, type Grant, type Order, type Part, type Program, type Purchase, type World } from './world.ts'

const holdMsMax = 30 * dayMs
const dueWorkMax = 1_000

interface Wanted {
  readonly program: string
  readonly merchant: string
  readonly amount: number
  readonly ownShareMax?: number | undefined
  readonly reference?: string | undefined
}

/** The rules of a purchase or a hold, in order, and who pays what of it. */
function pricePaid(world: World, order: Order, { program: id, merchant, amount, ownShareMax, reference }: Wanted, expiresMs?: number): Purchase {
  const { sender } = order
  const program = found(world.programs.get(id), 'points/unknown-program')
  const { terms } = program
  must(!program.isClosed, 'points/program-closed')
  const grants = [...(program.accounts.get(sender)?.grants.entries() ?? [])].filter(([, each]) => each.clawbackReason === undefined && world.nowMs < endOf(program, each))
  const isInGrace = grants.some(([, each]) => each.graceUntilMs !== undefined)
  must(terms.useOpensMs <= world.nowMs && (world.nowMs < terms.useClosesMs || isInGrace), 'points/use-window')
  must(merchant !== sender, 'points/own-shop')
  const shop = found(world.merchants.get(merchant), 'points/unknown-merchant')
  must(!shop.isSuspended, 'points/merchant-suspended')
  must(terms.categories.includes(shop.category), 'points/category-not-allowed')

  const made = purchasesOf(world, program, sender)
  const spentIn = (isIn: (each: Purchase) => boolean): number => sum(made.filter(isIn), fundedOf)
  const today = (each: Purchase): boolean => koreanDay(each.timeMs) === koreanDay(world.nowMs)
  const thisMonth = (each: Purchase): boolean => koreanMonth(each.timeMs) === koreanMonth(world.nowMs)
  const roomOf = {
    purchase: terms.capPerPurchase ?? Infinity,
    citizen: (terms.capPerCitizen ?? Infinity) - spentIn(() => true),
    day: (terms.capPerDay ?? Infinity) - spentIn(today),
    month: (terms.capPerMonth ?? Infinity) - spentIn(thisMonth),
  }
  const inOrder = grants.sort(([a, one], [b, other]) => endOf(program, one) - endOf(program, other) || a - b)
  const left = (at: number): number => leftOf(world, program, sender, at)
  if (terms.kind === 'points') {
    for (const cap of ['purchase', 'citizen', 'day', 'month'] as const) must(amount <= roomOf[cap], `points/over-${cap}-cap`)
    must(sum(inOrder, ([at]) => left(at)) >= amount, 'points/insufficient-balance')
  } else {
    // a pass of which the fund can pay nothing more is none
    for (const cap of ['citizen', 'day', 'month'] as const) must(roomOf[cap] > 0, `points/over-${cap}-cap`)
    must(inOrder.some(([at]) => left(at) > 0), 'points/insufficient-balance')
  }
  let rest = amount
  let room = Math.min(amount, ...Object.values(roomOf))
  const parts: Part[] = []
  for (const [at] of inOrder) {
    const ownLeft = (terms.ownShare ?? 0) - sum(partsOf(world, program, sender, at, 'paid'), (part) => part.own)
    // a pass that the fund cannot pay with asks for no own share
    if (left(at) === 0 || room === 0) continue
    const own = Math.min(rest, ownLeft)
    const funded = Math.min(rest - own, left(at), room)
    if (own + funded > 0) parts.push({ grant: at, own, funded })
    rest -= own + funded
    room -= funded
  }
  const own = sum(parts, (part) => part.own) + rest
  if (terms.kind === 'pass') must(own <= (ownShareMax ?? Infinity), 'points/own-share-differs')
  return { id: order.id, program: id, citizen: sender, merchant, price: amount, timeMs: world.nowMs, parts, excess: rest, refunded: 0, reference, expiresMs, state: 'held', claim: undefined }
}

function keep(world: World, program: Program, purchase: Purchase): void {
  world.purchases.set(purchase.id, purchase)
  purchasesOf(world, program, purchase.citizen).push(purchase)
}

function forget(world: World, program: Program, purchase: Purchase): void {
  world.purchases.delete(purchase.id)
  remove(purchasesOf(world, program, purchase.citizen), purchase)
}

function ownOf(purchase: Purchase): number {
  return purchase.excess + sum(purchase.parts, (part) => part.own)
}

/** Today's claim, if it is not paid; else a new one. */
function claimFor(world: World, purchase: Purchase): Claim {
  const { claims } = bookOf(world, purchase.program, purchase.merchant)
  const latest = claims.at(-1)
  if (latest !== undefined && latest.payment === undefined && latest.day === koreanDay(world.nowMs)) return latest
  const opened: Claim = { number: claims.length + 1, day: koreanDay(world.nowMs), gross: 0, refunded: 0, netted: 0, payment: undefined }
  claims.push(opened)
  return opened
}

function pay(world: World, purchase: Purchase): void {
  purchase.state = 'paid'
  purchase.claim = claimFor(world, purchase)
  purchase.claim.gross += fundedOf(purchase)
}

export function spend(world: World, order: Order, payload: Wanted): Purchase {
  const purchase = pricePaid(world, order, payload)
  keep(world, world.programs.get(payload.program) as Program, purchase)
  pay(world, purchase)
  tell(world, 'points.spent', { program: payload.program, did: order.sender, merchant: payload.merchant, purchase: order.id, funded: fundedOf(purchase), own: ownOf(purchase), claim: purchase.claim?.number, reference: payload.reference })
  return purchase
}

export function authorise(world: World, order: Order, payload: Infer<typeof types.authorisePayload>): void {
  const { expiresMs } = payload
  must(expiresMs > world.nowMs && expiresMs <= world.nowMs + holdMsMax, 'points/hold-expiry-invalid')
  const purchase = pricePaid(world, order, payload, expiresMs)
  keep(world, world.programs.get(payload.program) as Program, purchase)
  addDue(world, expiresMs, { what: 'hold', purchase: order.id })
  tell(world, 'points.authorised', { program: payload.program, did: order.sender, merchant: payload.merchant, purchase: order.id, funded: fundedOf(purchase), own: ownOf(purchase), expiresMs, reference: payload.reference })
}

/** Takes a part off a purchase as if it had cost that much less; what of it comes from which grants, in the order in which it comes back. */
function takeOff(purchase: Purchase, amount: number): { readonly funded: number; readonly own: number; readonly grants: readonly number[] } {
  const before = { funded: fundedOf(purchase), own: ownOf(purchase) }
  let rest = amount
  const take = (there: number): number => {
    const taken = Math.min(there, rest)
    rest -= taken
    return taken
  }
  purchase.excess -= take(purchase.excess)
  const grants: number[] = []
  for (const part of [...purchase.parts].reverse()) {
    const funded = take(part.funded)
    part.funded -= funded
    part.own -= take(part.own)
    if (funded > 0) grants.push(part.grant)
  }
  return { funded: before.funded - fundedOf(purchase), own: before.own - ownOf(purchase), grants }
}

/** What came back to grants that are clawed back or over goes on from there. `hasGrace`: a merchant gave it back. */
function comeBack(world: World, program: Program, did: string, grants: readonly number[], hasGrace: boolean, leftBefore: ReadonlyMap<number, number>): void {
  for (const at of grants) {
    const each = program.accounts.get(did)?.grants[at] as Grant
    if (each.clawbackReason !== undefined) takeAll(world, program, did, at)
    else if (program.isClosed || world.nowMs >= endOf(program, each)) {
      const days = program.terms.refundGraceDays
      if (hasGrace && !program.isClosed && days !== undefined) {
        // what had been left before has no grace
        reclaimGrant(world, program, did, at, leftBefore.get(at))
        each.graceUntilMs = midnight(koreanDay(world.nowMs) + days + 1)
        addDue(world, each.graceUntilMs, { what: 'grant', program: program.id, did, grant: at })
      } else reclaimGrant(world, program, did, at)
    }
  }
}

function leftBefore(world: World, program: Program, purchase: Purchase): ReadonlyMap<number, number> {
  return new Map(purchase.parts.map((part) => [part.grant, leftOf(world, program, purchase.citizen, part.grant)]))
}

function heldFor(world: World, { sender }: Order, id: string): Purchase {
  const purchase = world.purchases.get(id)
  if (purchase === undefined || purchase.state !== 'held' || purchase.merchant !== sender) refuse('points/unknown-hold')
  must(world.nowMs < (purchase.expiresMs ?? 0), 'points/hold-expired')
  return purchase
}

export function capture(world: World, order: Order, { purchase: named, amount }: Infer<typeof types.capturePayload>): void {
  const purchase = heldFor(world, order, hex(named))
  must(world.merchants.get(order.sender)?.isSuspended === false, 'points/merchant-suspended')
  must(amount <= purchase.price, 'points/over-capture')
  const program = world.programs.get(purchase.program) as Program
  const before = leftBefore(world, program, purchase)
  const { funded: released, grants } = takeOff(purchase, purchase.price - amount)
  forget(world, program, purchase)
  const captured: Purchase = { ...purchase, price: amount }
  // an own share that others have paid since is the citizen's beyond it
  for (const part of captured.parts) {
    const paid = sum(partsOf(world, program, captured.citizen, part.grant, 'paid'), (each) => each.own)
    const beyond = Math.max(0, paid + part.own - (program.terms.ownShare ?? 0))
    part.own -= beyond
    captured.excess += beyond
  }
  keep(world, program, captured)
  pay(world, captured)
  tell(world, 'points.captured', { program: program.id, did: captured.citizen, merchant: captured.merchant, purchase: captured.id, funded: fundedOf(captured), own: ownOf(captured), released, claim: captured.claim?.number, reference: captured.reference })
  comeBack(world, program, captured.citizen, grants, true, before)
}

function release(world: World, purchase: Purchase, by: 'void' | 'expiry'): void {
  const program = world.programs.get(purchase.program) as Program
  const before = leftBefore(world, program, purchase)
  const { funded, own, grants } = takeOff(purchase, purchase.price)
  forget(world, program, purchase)
  tell(world, 'points.released', { program: program.id, did: purchase.citizen, merchant: purchase.merchant, purchase: purchase.id, funded, own, by })
  comeBack(world, program, purchase.citizen, grants, by === 'void', before)
}

export function voidHold(world: World, order: Order, { purchase }: Infer<typeof types.voidPayload>): void {
  release(world, heldFor(world, order, hex(purchase)), 'void')
}

/** What of a purchase is left to refund. */
export function refundable(purchase: Purchase): number {
  return purchase.price - purchase.refunded
}

export function refundPurchase(world: World, purchase: Purchase, amount: number, reason: string | undefined): void {
  must(amount <= refundable(purchase), 'points/over-refund')
  const program = world.programs.get(purchase.program) as Program
  const book = bookOf(world, program.id, purchase.merchant)
  const { claim } = purchase
  assert(claim !== undefined, 'a paid purchase has its claim')
  const wasPaid = claim.payment !== undefined
  const trial = takeOff(structuredClone(purchase), amount)
  if (wasPaid && program.terms.merchantDebtMax !== undefined) {
    const latest = book.claims.at(-1)
    const earned = latest === undefined ? 0 : dueOf(latest)
    must(book.owed + trial.funded <= program.terms.merchantDebtMax + earned, 'points/refund-not-covered')
  }
  const before = leftBefore(world, program, purchase)
  const { funded, own, grants } = takeOff(purchase, amount)
  purchase.refunded += amount
  if (wasPaid) book.owed += funded
  else claim.refunded += funded
  tell(world, 'points.refunded', { program: program.id, did: purchase.citizen, merchant: purchase.merchant, purchase: purchase.id, funded, own, wasPaid, reason })
  comeBack(world, program, purchase.citizen, grants, true, before)
}

export function refund(world: World, { sender }: Order, { purchase: named, amount, reason }: Infer<typeof types.refundPayload>): void {
  const purchase = world.purchases.get(hex(named))
  if (purchase === undefined || purchase.state !== 'paid' || purchase.merchant !== sender) refuse('points/unknown-purchase')
  refundPurchase(world, purchase, amount, reason)
}

export function settle(world: World, { sender }: Order, { payment, cutOffDay, items }: Infer<typeof types.settlePayload>): void {
  must(!world.settlements.has(payment), 'points/payment-exists')
  must(cutOffDay === undefined || cutOffDay < koreanDay(world.nowMs), 'points/cut-off-open')
  const owing = new Map<string, number>()
  const settled = new Set<Claim>()
  const netted: number[] = []
  for (const { merchant, program, claim: number, amount } of items) {
    must(hasRole(world, sender, 'settler', program), 'points/not-settler')
    must(world.programs.has(program), 'points/unknown-program')
    const key = `${program}/${merchant}`
    const claim = found(world.books.get(key)?.claims[number - 1], 'points/unknown-claim')
    must(claim.payment === undefined && !settled.has(claim), 'points/claim-settled')
    must(cutOffDay === undefined || claim.day <= cutOffDay, 'points/after-cut-off')
    const owed = owing.get(key) ?? bookOf(world, program, merchant).owed
    const kept = Math.min(owed, dueOf(claim))
    must(amount === dueOf(claim) - kept, 'points/claim-amount-differs')
    owing.set(key, owed - kept)
    settled.add(claim)
    netted.push(kept)
  }
  items.forEach(({ merchant, program, claim: number, amount }, i) => {
    const book = bookOf(world, program, merchant)
    const claim = book.claims[number - 1] as Claim
    claim.payment = payment
    claim.netted = netted[i] as number
    book.owed -= claim.netted
    addPaid(world, program, amount)
    tell(world, 'points.settled', { program, merchant, claim: number, amount, netted: netted[i], payment, settler: sender })
  })
  world.settlements.add(payment)
}

function addPaid(world: World, program: string, amount: number): void {
  world.paid.set(program, (world.paid.get(program) ?? 0) + amount)
}

export function repay(world: World, { sender }: Order, { payment, merchant, program, amount }: Infer<typeof types.repayPayload>): void {
  must(hasRole(world, sender, 'settler', program), 'points/not-settler')
  must(!world.repayments.has(payment), 'points/payment-exists')
  must(world.programs.has(program), 'points/unknown-program')
  const book = bookOf(world, program, merchant)
  must(amount <= book.owed, 'points/over-repayment')
  book.owed -= amount
  addPaid(world, program, 0 - amount)
  world.repayments.add(payment)
  tell(world, 'points.repaid', { program, merchant, amount, payment, settler: sender })
}

/** What falls due before the transactions of a block: docs/transactions.md, "By the chain itself". */
export function pointsDue(world: World): void {
  for (let steps = 0; steps < dueWorkMax; ) {
    const ready = world.due.filter(({ minute }) => minute * minuteMs <= world.nowMs).sort((a, b) => a.minute - b.minute || a.order - b.order)
    const [item] = ready
    if (item === undefined) return
    remove(world.due, item)
    steps++
    if (item.what === 'hold') {
      const purchase = world.purchases.get(item.purchase)
      if (purchase?.state === 'held') release(world, purchase, 'expiry')
      continue
    }
    const program = world.programs.get(item.program) as Program
    if (item.what === 'line') {
      program.isLineDue = false
      steps += moveUp(world, program, dueWorkMax - steps)
      continue
    }
    const each = program.accounts.get(item.did)?.grants[item.grant] as Grant
    if (world.nowMs < endOf(program, each)) addDue(world, endOf(program, each), { what: 'grant', program: program.id, did: item.did, grant: item.grant })
    else reclaimGrant(world, program, item.did, item.grant)
  }
}
