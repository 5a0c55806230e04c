// The reference model of merchants, programmes, applications and grants: docs/transactions.md, points.registerMerchant to points.clawback, and points.reclaim.
import { toHex as hex } from '../../primitives/bytes.ts'
import type { Infer } from '../../primitives/schema.ts'
import type * as types from '../../state/points/types.ts'
import { accountOf, amountOf, countedGrants, endOf, grant, grantOrWait, isThereFor, leftOf, mayHaveMore, moveUp, partsOf, reclaimGrant, reject, sumsOf, takeAll, unallocatedOf } from './points-money.ts'
import { checkAttestation, found, hasRole, must, refuse, sum, tell, type Order, type Program, type World } from './world.ts'

const budgetMax = 40_000_000_000_000
const programsMax = 1_000

export function registerMerchant(world: World, { sender }: Order, { merchant, category, livingArea }: Infer<typeof types.registerMerchantPayload>): void {
  must(hasRole(world, sender, 'officer'), 'points/not-officer')
  must(world.activeDids.has(merchant), 'points/unknown-did')
  must(!world.merchants.has(merchant), 'points/merchant-exists')
  world.merchants.set(merchant, { category, livingArea, isSuspended: false })
  tell(world, 'points.merchantRegistered', { merchant, category, livingArea, officer: sender })
}

export function amendMerchant(world: World, { sender }: Order, { merchant, category, livingArea }: Infer<typeof types.amendMerchantPayload>): void {
  must(hasRole(world, sender, 'officer'), 'points/not-officer')
  const shop = found(world.merchants.get(merchant), 'points/unknown-merchant')
  must(category !== undefined || livingArea !== undefined, 'points/nothing-to-amend')
  shop.category = category ?? shop.category
  shop.livingArea = livingArea ?? shop.livingArea
  tell(world, 'points.merchantAmended', { merchant, category: shop.category, livingArea: shop.livingArea, officer: sender })
}

export function suspendMerchant(world: World, { sender }: Order, { merchant, reason }: Infer<typeof types.suspendMerchantPayload>): void {
  must(hasRole(world, sender, 'officer'), 'points/not-officer')
  const shop = found(world.merchants.get(merchant), 'points/unknown-merchant')
  must(!shop.isSuspended, 'points/merchant-suspended')
  shop.isSuspended = true
  tell(world, 'points.merchantSuspended', { merchant, reason, officer: sender })
}

export function resumeMerchant(world: World, { sender }: Order, { merchant }: Infer<typeof types.resumeMerchantPayload>): void {
  must(hasRole(world, sender, 'officer'), 'points/not-officer')
  const shop = found(world.merchants.get(merchant), 'points/unknown-merchant')
  must(shop.isSuspended, 'points/merchant-active')
  shop.isSuspended = false
  tell(world, 'points.merchantResumed', { merchant, officer: sender })
}

function haveSecond(world: World, { sender, signers }: Order, program: string, needed: number | undefined): void {
  must(needed !== 2 || signers.some((signer) => signer !== sender && hasRole(world, signer, 'officer', program)), 'points/second-officer-missing')
}

/** The programme of an officers' act: the rules that all of them begin with. */
function officersProgram(world: World, order: Order, id: string, mustBeOpen: boolean): Program {
  must(hasRole(world, order.sender, 'officer', id), 'points/not-officer')
  const program = found(world.programs.get(id), 'points/unknown-program')
  if (mustBeOpen) must(!program.isClosed, 'points/program-closed')
  haveSecond(world, order, id, program.terms.officersNeeded)
  return program
}

export function openProgram(world: World, order: Order, { program: id, budget, terms }: Infer<typeof types.openProgramPayload>): void {
  must(hasRole(world, order.sender, 'officer', id), 'points/not-officer')
  haveSecond(world, order, id, terms.officersNeeded)
  must(!world.programs.has(id), 'points/program-exists')
  must(terms.useClosesMs > world.nowMs, 'points/window-past')
  must(world.programs.size < programsMax, 'points/too-many-programs')
  world.programs.set(id, { id, terms: { ...terms }, isClosed: false, budget, accounts: new Map(), pseudonyms: new Set(), places: 0, line: [], lineNumbers: 0, lineHead: 1, isLineDue: false })
  tell(world, 'points.programOpened', { program: id, kind: terms.kind, budget, officer: order.sender })
}

export function amendProgram(world: World, order: Order, { program: id, ...changes }: Infer<typeof types.amendProgramPayload>): void {
  const program = officersProgram(world, order, id, true)
  const { terms } = program
  must(world.nowMs < terms.useClosesMs, 'points/use-ended')
  const named = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
  must(Object.keys(named).length > 0, 'points/nothing-to-amend')
  const next = { ...terms, ...named }
  must(next.applicationOpensMs < next.applicationClosesMs && next.applicationClosesMs <= next.useClosesMs, 'points/windows-invalid')
  const narrows =
    next.useClosesMs < terms.useClosesMs ||
    (['capPerCitizen', 'capPerPurchase', 'capPerDay', 'capPerMonth'] as const).some((cap) => (next[cap] ?? Infinity) < (terms[cap] ?? Infinity)) ||
    (changes.grantsMax ?? Infinity) < countedGrants(world, program) ||
    (changes.waitlistMax ?? Infinity) < program.line.length
  must(!narrows, 'points/amend-narrows')
  Object.assign(terms, named)
  tell(world, 'points.programAmended', { program: id, officer: order.sender })
  moveUp(world, program)
}

export function topUp(world: World, order: Order, { program: id, amount }: Infer<typeof types.budgetPayload>): void {
  const program = officersProgram(world, order, id, true)
  must(program.budget + amount <= budgetMax, 'points/budget-too-large')
  program.budget += amount
  tell(world, 'points.budgetChanged', { program: id, before: program.budget - amount, after: program.budget, officer: order.sender })
  moveUp(world, program)
}

export function cutBudget(world: World, order: Order, { program: id, amount }: Infer<typeof types.budgetPayload>): void {
  const program = officersProgram(world, order, id, false)
  must(amount <= unallocatedOf(program), 'points/budget-committed')
  program.budget -= amount
  tell(world, 'points.budgetChanged', { program: id, before: program.budget + amount, after: program.budget, officer: order.sender })
}

export function closeProgram(world: World, order: Order, { program: id }: Infer<typeof types.closeProgramPayload>): void {
  const program = officersProgram(world, order, id, true)
  must(sumsOf(world, program).held === 0, 'points/still-held')
  program.isClosed = true
  tell(world, 'points.programClosed', { program: id, officer: order.sender })
}

export function apply(world: World, { sender }: Order, { program: id, attestation }: Infer<typeof types.applyPayload>): void {
  const program = found(world.programs.get(id), 'points/unknown-program')
  const { terms } = program
  must(!program.isClosed, 'points/program-closed')
  must(terms.applicationOpensMs <= world.nowMs && world.nowMs < terms.applicationClosesMs, 'points/application-window')
  const tier = attestation.claim
  const amount = found(amountOf(program, tier), 'points/unknown-tier')
  const before = program.accounts.get(sender)?.application
  must(before === undefined || before.status === 'rejected', 'points/already-applied')
  const pseudonym = hex(attestation.pseudonym)
  must(!program.pseudonyms.has(pseudonym), 'points/pseudonym-used')
  if (terms.decide === 'automatic') {
    mayHaveMore(program.accounts.get(sender) ?? { did: sender, application: undefined, grants: [] })
    if (program.line.length > 0 || !isThereFor(world, program, amount)) {
      must(terms.waitlistMax !== undefined, 'points/budget-exhausted')
      must(program.line.length < (terms.waitlistMax ?? 0), 'points/waitlist-full')
    }
  }
  checkAttestation(world, attestation, `points:${id}`, sender)
  const account = accountOf(program, sender)
  account.application = { tier, pseudonym, place: ++program.places, status: 'pending', line: undefined }
  program.pseudonyms.add(pseudonym)
  tell(world, 'points.applied', { program: id, did: sender, tier, place: program.places })
  if (terms.decide === 'automatic') grantOrWait(world, program, account)
}

/** All or none: what a batch does is done to a copy of the programme, which takes its place in the end. */
function allOrNone(world: World, program: Program, act: (copy: Program) => void): void {
  const { due, dueOrder } = world
  world.due = [...due]
  world.programs.set(program.id, structuredClone(program))
  try {
    act(world.programs.get(program.id) as Program)
  } catch (cause) {
    world.programs.set(program.id, program)
    Object.assign(world, { due, dueOrder })
    throw cause
  }
}

export function decide(world: World, order: Order, { program: id, decisions }: Infer<typeof types.decidePayload>): void {
  const program = officersProgram(world, order, id, decisions.some(({ approve }) => approve))
  allOrNone(world, program, (copy) => {
    for (const { did, approve, reason } of decisions) {
      const account = copy.accounts.get(did)
      const status = account?.application?.status
      if (account === undefined || !(status === 'pending' || (status === 'waiting' && !approve))) refuse('points/not-pending')
      else if (approve) {
        must(world.nowMs < copy.terms.useClosesMs, 'points/use-ended')
        grantOrWait(world, copy, account, order.sender)
      } else reject(world, copy, did, reason ?? '', order.sender)
    }
  })
}

export function issue(world: World, order: Order, { program: id, grants }: Infer<typeof types.issuePayload>): void {
  const program = officersProgram(world, order, id, true)
  must(program.line.length === 0, 'points/line-waits')
  allOrNone(world, program, (copy) => {
    for (const { did, tier, pseudonym, expiresMs } of grants) {
      must(expiresMs === undefined || (expiresMs > world.nowMs && expiresMs <= copy.terms.useClosesMs), 'points/expiry-invalid')
      must(world.activeDids.has(did), 'points/unknown-did')
      must(!copy.pseudonyms.has(hex(pseudonym)), 'points/pseudonym-used')
      must(world.nowMs < copy.terms.useClosesMs, 'points/use-ended')
      const amount = found(amountOf(copy, tier), 'points/unknown-tier')
      mayHaveMore(copy.accounts.get(did) ?? { did, application: undefined, grants: [] })
      must(isThereFor(world, copy, amount), 'points/budget-exhausted')
      copy.pseudonyms.add(hex(pseudonym))
      grant(world, copy, did, tier, { officer: order.sender, expiresMs })
    }
  })
}

export function clawback(world: World, order: Order, { program: id, did, grant: number, reason }: Infer<typeof types.clawbackPayload>): void {
  const program = officersProgram(world, order, id, true)
  const taken = found(program.accounts.get(did)?.grants[number - 1], 'points/unknown-grant')
  const onHold = sum(partsOf(world, program, did, number - 1, 'held'), (part) => part.funded)
  must(taken.clawbackReason === undefined && leftOf(world, program, did, number - 1) + onHold > 0, 'points/nothing-to-claw-back')
  taken.clawbackReason = reason
  takeAll(world, program, did, number - 1)
  moveUp(world, program)
}

export function reclaim(world: World, _order: Order, { program: id, dids }: Infer<typeof types.reclaimPayload>): void {
  const program = found(world.programs.get(id), 'points/unknown-program')
  let isAny = false
  for (const did of dids) {
    const grants = program.accounts.get(did)?.grants ?? []
    grants.forEach((each, at) => {
      if (world.nowMs >= endOf(program, each) && reclaimGrant(world, program, did, at)) isAny = true
    })
  }
  must(isAny, 'points/nothing-to-reclaim')
  moveUp(world, program)
}
