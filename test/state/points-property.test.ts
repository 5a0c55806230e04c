// Whatever happens, in whatever order and at whatever time: money adds up, from the rows and in the kept sums, at every block.
import fc from 'fast-check'
import t from 'tap'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { Event } from '../../state/family.ts'
import { pointsFamily } from '../../state/points/family.ts'
import { dayOf, monthOf } from '../../state/calendar.ts'
import { accountTable, bookTable, claimTable, holdTable, lineRowTable, lineTable, merchantTable, programTable, purchaseTable, repaymentTable, settlementTable, sums, sumsTable } from '../../state/points/keys.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import type { Receipt } from '../../state/receipt.ts'
import { codesIn } from '../../scripts/reference/chapter.ts'
import { pointsReference } from '../../scripts/reference/points.ts'
import { attest, createWorld, dayMs, pass, person, pseudonymOf, startMs, terms, type Order, type Person, type World } from './points-world.ts'

const issuer = person('issuer')
const officer = person('officer')
const second = person('second officer')
const bank = person('bank')
const citizens = ['mina', 'jun', 'sora', 'hana', 'minho'].map(person)
const merchants = ['bookshop', 'theatre', 'academy'].map(person)
const categories = ['bookshop', 'theatre', 'academy']

const programs: Readonly<Record<string, ProgramTerms>> = {
  plain: terms({ categories: ['bookshop', 'theatre'] }),
  capped: terms({ capPerCitizen: 100_000 as Won, capPerPurchase: 90_000 as Won, leftover: 'unallocated', grantsMax: 4 }),
  decided: terms({ decide: 'officer', tiers: [{ tier: 'two', amount: 70_001 as Won }, { tier: 'three', amount: 13 as Won }] }),
  pass: pass({ tiers: [{ tier: 'two', amount: 100_000 as Won }, { tier: 'three', amount: 7 as Won }], grantsMax: 3 }),
  daily: terms({
    tiers: [{ tier: 'two', amount: 60_000 as Won, useDays: 2 }, { tier: 'three', amount: 90_000 as Won }],
    capPerDay: 30_000 as Won,
    capPerMonth: 70_000 as Won,
    grantsMax: 3,
    waitlistMax: 3,
    refundGraceDays: 2,
    merchantDebtMax: 20_000 as Won,
    leftover: 'unallocated',
  }),
  paired: terms({ decide: 'officer', officersNeeded: 2, unit: 'household', tiers: [{ tier: 'two', amount: 400_000 as Won }, { tier: 'three', amount: 300_000 as Won, useDays: 5 }], waitlistMax: 9, refundGraceDays: 1 }),
  'capped-pass': pass({ tiers: [{ tier: 'two', amount: 100_000 as Won }, { tier: 'three', amount: 50_000 as Won }], capPerCitizen: 70_000 as Won, capPerPurchase: 60_000 as Won, decide: 'officer', leftover: 'unallocated' }),
}
/** Of those with a line, small ones. */
const budgets: Readonly<Record<string, number>> = { daily: 200_000, paired: 800_000 }
const programIds = Object.keys(programs)

/** One order, made of small numbers that are read against the state of the moment, so that most of them mean something. */
interface Step {
  readonly kind: string
  readonly who: number
  readonly where: number
  readonly program: number
  readonly which: number
  readonly amount: number
  readonly hours: number
  readonly sameBlock: boolean
}

// what citizens and shops do most is what is drawn most
const weighted: readonly (readonly [string, number])[] = [
  ['spend', 30],
  ['refund', 14],
  ['apply', 14],
  ['settle', 10],
  ['decide', 6],
  ['issue', 8],
  ['clawback', 5],
  ['authorise', 12],
  ['capture', 7],
  ['void', 4],
  ['repay', 4],
  ['reclaim', 4],
  ['topUp', 2],
  ['cutBudget', 2],
  ['amendProgram', 3],
  ['closeProgram', 1],
  ['openProgram', 2],
  ['registerMerchant', 1],
  ['amendMerchant', 1],
  ['suspendMerchant', 1],
  ['resumeMerchant', 2],
]

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(...weighted.map(([kind, weight]) => ({ arbitrary: fc.constant(kind), weight }))),
  who: fc.nat({ max: 97 }),
  where: fc.nat({ max: 97 }),
  program: fc.nat({ max: 97 }),
  which: fc.nat({ max: 997 }),
  amount: fc.oneof(fc.integer({ min: 1, max: 130_000 }), fc.integer({ min: 1, max: 9 })),
  hours: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 6 }), weight: 9 }, { arbitrary: fc.integer({ min: 12, max: 120 }), weight: 1 }),
  sameBlock: fc.boolean(),
})

function pick<T>(items: readonly T[], at: number): T {
  return items[at % items.length] as T
}

function orderOf(world: World, { kind, who, where, program: programAt, which, amount }: Step): Order {
  const program = pick(programIds, programAt)
  const citizen = pick(citizens, who)
  const merchant = pick(merchants, where)
  const tier = pick(['two', 'three'], which)
  // five persons, of whom each might stand behind any DID
  const pseudonym = pseudonymOf(`person ${which % 7}`)
  // officers mostly come in pairs
  const send = (sender: Person, payload: unknown): Order => ({ sender, kind: `points.${kind}`, payload, cosigners: sender === officer && which % 11 !== 0 ? [second] : [] })
  switch (kind) {
    case 'spend':
    case 'authorise': {
      // mostly somebody who has something, at a shop that takes it
      const rich = which % 6 === 0 ? [] : world.table(accountTable).filter(({ value }) => value.grants.some((grant) => grant.amount > grant.spent + grant.reclaimed))
      const { key } = rich.length === 0 ? { key: [program, citizen.did] } : pick(rich, who)
      const taken = world.table(programTable).find((row) => row.key[0] === key[0])?.value.categories ?? []
      const taking = world.table(merchantTable).filter(({ value }) => value.status === 'active' && taken.includes(value.category))
      const seller = which % 7 === 0 || taking.length === 0 ? merchant.did : pick(taking, where).key[0]
      const payload = { program: key[0], merchant: seller, amount: which % 4 === 0 ? amount : Math.ceil(amount / 3) }
      const expiresMs = world.nowMs + (which % 50) * 3_600_000
      return { sender: citizens.find(({ did }) => did === key[1]) as Person, kind: `points.${kind}`, payload: kind === 'spend' ? payload : { ...payload, expiresMs } }
    }
    case 'refund': {
      const made = world.table(purchaseTable)
      if (made.length === 0) return send(merchant, { purchase: new Uint8Array(32), amount })
      const { key, value } = pick(made, which)
      const seller = [...merchants, ...citizens].find(({ did }) => did === key[0]) as Person
      const left = value.price - value.refunded
      return send(where % 9 === 0 ? merchant : seller, { purchase: idOf(key[1] as string), amount: where % 3 === 0 ? Math.max(1, left) : (amount % (left + 1)) + 1 })
    }
    case 'capture':
    case 'void': {
      const held = world.table(holdTable)
      if (held.length === 0) return send(merchant, { purchase: new Uint8Array(32), ...(kind === 'capture' && { amount }) })
      const { key, value } = pick(held, which)
      const seller = [...merchants, ...citizens].find(({ did }) => did === key[0]) as Person
      return send(seller, { purchase: idOf(key[1] as string), ...(kind === 'capture' && { amount: where % 2 === 0 ? value.price : (amount % (value.price + 1)) + 1 }) })
    }
    case 'clawback': {
      const granted = world.table(accountTable).filter(({ value }) => value.grants.length > 0)
      if (granted.length === 0) return send(officer, { program, did: citizen.did, grant: 1, reason: 'not-resident' })
      const { key, value } = pick(granted, who)
      return send(officer, { program: key[0], did: key[1], grant: (which % value.grants.length) + 1, reason: 'not-resident' })
    }
    case 'repay': {
      const owing = world.table(bookTable).filter(({ value }) => value.owed > 0)
      if (owing.length === 0) return send(bank, { payment: `r${which}`, merchant: merchant.did, program, amount })
      const { key, value } = pick(owing, which)
      return send(bank, { payment: `r${which}`, merchant: key[0], program: key[1], amount: (amount % (value.owed + 1)) + 1 })
    }
    case 'apply':
      return send(citizen, { program, attestation: attest(issuer, program, citizen.did, tier, pseudonym) })
    case 'issue': {
      const grants = Array.from({ length: (which % 3) + 1 }, (_, i) => ({
        did: pick(citizens, who + i).did,
        tier,
        pseudonym: pseudonymOf(`person ${(which + i) % 60}`),
        expiresMs: which % 2 === 0 ? undefined : world.nowMs + ((which % 20) + 1) * 12 * 3_600_000,
      }))
      return send(officer, { program, grants })
    }
    case 'decide': {
      const waiting = world.table(accountTable).filter(({ value }) => value.application?.status === 'pending')
      const [id, did] = waiting.length === 0 ? [program, citizen.did] : pick(waiting, who).key
      return send(officer, { program: id, decisions: [{ did, approve: which % 3 !== 0, reason: 'not-resident' }] })
    }
    case 'settle': {
      const open = world.table(claimTable)
      const chosen = open.filter((_, i) => (i + which) % 3 === 0).slice(0, 3)
      const owing = new Map(world.table(bookTable).map(({ key, value }) => [`${key[1]}/${key[0]}`, value.owed as number]))
      const items = chosen.map(({ key, value }) => {
        const book = `${key[0]}/${key[1]}`
        const netted = Math.min(value.gross - value.refunded, owing.get(book) ?? 0)
        owing.set(book, (owing.get(book) ?? 0) - netted)
        return { program: key[0], merchant: key[1], claim: Number(key[2]), amount: value.gross - value.refunded - netted + (amount % 50 === 0 ? 1 : 0) }
      })
      return send(bank, { payment: `p${which % 200}`, cutOffDay: which % 3 === 0 ? 20_000 + (which % 9) : undefined, items: items.length > 0 ? items : [{ program, merchant: merchant.did, claim: 1, amount }] })
    }
    case 'reclaim':
      return send(citizen, { program, dids: citizens.slice(which % 5).map(({ did }) => did) })
    case 'topUp':
    case 'cutBudget':
      return send(officer, { program, amount })
    case 'amendProgram':
      return send(officer, { program, useClosesMs: world.nowMs + (which % 30) * dayMs, ...(which % 5 === 0 ? { capPerCitizen: amount * 4, grantsMax: (which % 12) + 1 } : {}) })
    case 'closeProgram':
      return send(officer, { program: which % 4 === 0 ? program : `extra-${which % 3}` })
    case 'openProgram':
      return send(officer, { program: which % 4 === 0 ? program : `extra-${which % 3}`, budget: amount, terms: terms({ useClosesMs: (world.nowMs + (which % 20) * dayMs) as TimeMs, applicationOpensMs: startMs - 1, applicationClosesMs: startMs, useOpensMs: startMs } as Partial<ProgramTerms>) })
    case 'registerMerchant':
      return send(officer, { merchant: citizen.did, category: pick(categories, which) })
    case 'amendMerchant':
      return send(officer, { merchant: merchant.did, category: pick(categories, which) })
    case 'suspendMerchant':
      return send(officer, { merchant: merchant.did, reason: 'fraud' })
    default:
      return send(officer, { merchant: merchant.did })
  }
}

function idOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
}

function createCity(): World {
  const world = createWorld()
  world.register(issuer, officer, second, bank, ...citizens, ...merchants)
  world.give(issuer, 'issuer', '*')
  world.give(officer, 'officer', '*')
  world.give(second, 'officer', '*')
  world.give(bank, 'settler', '*')
  world.block(...merchants.map((merchant, i) => ({ sender: officer, kind: 'points.registerMerchant', payload: { merchant: merchant.did, category: pick(categories, i) } })))
  world.block(...programIds.map((program) => ({ sender: officer, kind: 'points.openProgram', payload: { program, budget: budgets[program] ?? 1_100_000, terms: programs[program] }, cosigners: [second] })))
  return world
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what)
}

function equal(actual: unknown, expected: unknown, what: string): void {
  check(actual === expected, `${what}: ${String(actual)}, expected ${String(expected)}`)
}

/** A ledger built from the events alone, as an indexer would: it must come to what the rows say. */
interface Ledger {
  readonly held: Map<string, number>
  readonly paid: Map<string, { readonly price: number; refunded: number }>
  readonly settledClaims: Set<string>
  readonly grants: Map<string, number>
  /** By programme: paid by the bank, owed to it again by merchants. */
  readonly cash: Map<string, number>
  readonly owed: Map<string, number>
}

function createLedger(): Ledger {
  return { held: new Map(), paid: new Map(), settledClaims: new Set(), grants: new Map(), cash: new Map(), owed: new Map() }
}

function plus(totals: Map<string, number>, name: string, amount: number): void {
  totals.set(name, (totals.get(name) ?? 0) + amount)
}

/** What the events here bear, each its part of it. */
interface Facts {
  readonly program: string
  readonly did: string
  readonly merchant: string
  readonly purchase: Uint8Array
  readonly amount: number
  readonly netted: number
  readonly wasPaid: boolean
  readonly funded: number
  readonly own: number
  readonly grant: number
  readonly claim: number
}

function follow(ledger: Ledger, events: readonly Event[]): void {
  for (const each of events) {
    const event = each as Event & Facts
    const account = `${event.program}/${event.did}`
    const add = (amount: number): void => void ledger.held.set(account, (ledger.held.get(account) ?? 0) + amount)
    if (event.type === 'points.granted') {
      add(event.amount)
      ledger.grants.set(account, (ledger.grants.get(account) ?? 0) + 1)
      equal(event.grant, ledger.grants.get(account), `grants of ${account} are numbered`)
    } else if (event.type === 'points.reclaimed' || event.type === 'points.clawedBack') add(-event.amount)
    else if (event.type === 'points.spent' || event.type === 'points.captured') {
      add(-event.funded)
      const id = toBase64url(event.purchase)
      check(!ledger.paid.has(id), 'a purchase once')
      ledger.paid.set(id, { price: event.funded + event.own, refunded: 0 })
    } else if (event.type === 'points.refunded') {
      add(event.funded)
      const paid = ledger.paid.get(toBase64url(event.purchase))
      check(paid !== undefined, 'a refund of a purchase')
      paid.refunded += event.funded + event.own
      check(paid.refunded <= paid.price, 'no refund past its purchase')
      if (event.wasPaid) plus(ledger.owed, event.program, event.funded)
    } else if (event.type === 'points.settled') {
      const claim = `${event.program}/${event.merchant}/${event.claim}`
      check(!ledger.settledClaims.has(claim), `claim ${claim} settled once`)
      ledger.settledClaims.add(claim)
      plus(ledger.cash, event.program, event.amount)
      plus(ledger.owed, event.program, -event.netted)
    } else if (event.type === 'points.repaid') {
      plus(ledger.cash, event.program, -event.amount)
      plus(ledger.owed, event.program, -event.amount)
    }
  }
}

/** Promise 5, counted again from the rows with code of its own. */
function checkRows(world: World, ledger: Ledger): void {
  const accounts = world.table(accountTable)
  const claims = world.table(claimTable)
  const allPurchases = world.table(purchaseTable)
  const allHolds = world.table(holdTable)
  const allSums = world.table(sumsTable)
  const pseudonyms = [...world.rows.keys()].filter((key) => key.startsWith('points.pseudonym/'))
  for (const { key, value: program } of world.table(programTable)) {
    const id = key[0] as string
    const kept = allSums.find((row) => row.key[0] === id)?.value
    check(kept !== undefined, 'sums of each programme')
    const { flows } = kept
    let [held, onHold, spent, granted, back, grants, revoked, own, undecided] = [0, 0, 0, 0, 0, 0, 0, 0, 0]
    const purchases = allPurchases.filter(({ value }) => value.program === id)
    const holds = allHolds.filter(({ value }) => value.program === id)
    for (const { key: accountKey, value } of accounts.filter((row) => row.key[0] === id)) {
      let left = 0
      const set = (index: number): number => sum(holds.filter((row) => row.value.citizen === accountKey[1]), (row) => sum(row.value.parts, (part) => (part.grant === index + 1 ? part.funded : 0)))
      for (const [index, grant] of value.grants.entries()) {
        const rest = grant.amount - grant.spent - grant.reclaimed - grant.onHold
        check(rest >= 0 && grant.spent >= 0 && grant.reclaimed >= 0 && grant.ownPaid >= 0, 'nothing below zero in a grant')
        check(grant.ownPaid <= (program.ownShare ?? 0), 'no own share past the pass')
        equal(grant.onHold, set(index), `on hold of grant ${index + 1} of ${accountKey.join('/')}`)
        const isOver = grant.revoked !== undefined || program.status === 'closed' || world.nowMs >= (grant.expiresMs ?? program.useClosesMs)
        check(!isOver || rest === 0, 'the chain takes back by itself what has expired')
        left += rest + grant.onHold
        onHold += grant.onHold
        spent += grant.spent
        granted += grant.amount
        back += grant.reclaimed
        own += grant.ownPaid
        grants++
        if (grant.revoked !== undefined && grant.reclaimed === grant.amount) revoked++
      }
      equal(left, ledger.held.get(accountKey.join('/')) ?? 0, `balance of ${accountKey.join('/')} by events`)
      check(program.capPerCitizen === undefined || sum(value.grants, (grant) => grant.spent + grant.onHold) <= program.capPerCitizen, 'no cap of a citizen passed')
      const paidIn = (number: number, of: (timeMs: number) => number): number =>
        sum([...purchases, ...holds].filter((row) => row.value.citizen === accountKey[1] && of(row.value.timeMs) === number), (row) => sum(row.value.parts, (part) => part.funded))
      if (program.capPerDay !== undefined && value.day !== undefined) equal(value.day.used, paidIn(value.day.number, dayOf), `used of ${accountKey.join('/')} in a day`)
      if (program.capPerMonth !== undefined && value.month !== undefined) equal(value.month.used, paidIn(value.month.number, monthOf), `used of ${accountKey.join('/')} in a month`)
      check((value.day?.used ?? 0) <= (program.capPerDay ?? 0) && (value.month?.used ?? 0) <= (program.capPerMonth ?? 0), 'no cap of a day or month passed')
      held += left
      if (value.application?.status === 'pending' || value.application?.status === 'waiting') undecided++
    }
    let [unsettled, claimed] = [0, 0]
    for (const { value } of claims.filter((row) => row.key[0] === id)) {
      const due = value.gross - value.refunded
      check(due >= value.netted, 'no claim below zero')
      if (value.payment === undefined) unsettled += due
      else claimed += due
    }
    for (const { value } of purchases) {
      const funded = sum(value.parts, (part) => part.funded)
      equal(value.price, value.refunded + value.excess + sum(value.parts, (part) => part.own + part.funded), 'a purchase adds up')
      check(program.capPerPurchase === undefined || funded <= program.capPerPurchase, 'no cap of a purchase passed')
      const paying = accounts.find((row) => row.key[0] === id && row.key[1] === value.citizen)?.value.grants
      for (const part of value.parts) check((paying?.[part.grant - 1]?.expiresMs ?? program.useClosesMs) > value.timeMs, 'no expired grant pays')
    }
    for (const { value } of holds) {
      equal(value.price, value.excess + sum(value.parts, (part) => part.own + part.funded), 'a hold adds up')
      check(value.expiresMs > world.nowMs, 'the chain releases by itself what was not captured in time')
    }
    equal(kept.held, held, `${id} held`)
    equal(kept.onHold, onHold, `${id} on hold`)
    equal(kept.unsettled, unsettled, `${id} unsettled`)
    equal(kept.settled, claimed - flows.refundedPaid, `${id} settled`)
    equal(kept.paid, ledger.cash.get(id) ?? 0, `${id} paid`)
    equal(kept.owed, ledger.owed.get(id) ?? 0, `${id} owed`)
    equal(kept.owed, sum(world.table(bookTable).filter((row) => row.key[1] === id), (row) => row.value.owed), `${id} owed by each`)
    equal(kept.paid, kept.settled + kept.owed, `${id} paid is settled and owed`)
    equal(kept.reclaimed, flows.lapsed, `${id} reclaimed`)
    equal(back, flows.lapsed + flows.returned + flows.clawedBack, `${id} taken back`)
    equal(kept.unallocated, kept.budget - granted + back - flows.lapsed, `${id} unallocated`)
    equal(kept.budget, kept.unallocated + held + unsettled + kept.settled + kept.reclaimed, `${id} budget`)
    equal(spent, unsettled + kept.settled, `${id} spent`)
    equal(kept.ownPaid, own + sum(purchases, ({ value }) => value.excess), `${id} own share`)
    equal(kept.grants, grants, `${id} grants`)
    equal(kept.revoked, revoked, `${id} revoked`)
    check(program.grantsMax === undefined || grants - revoked <= program.grantsMax, 'no more grants than there are')
    // every grant and every undecided application has used up one pseudonym of its own
    equal(pseudonyms.filter((row) => row.startsWith(`points.pseudonym/${id}/`)).length, grants + undecided, `${id} pseudonyms`)
    checkLineOf(world, id, program, kept)
  }
  const settlements = sum(world.table(settlementTable), ({ value }) => value.amount) - sum(world.table(repaymentTable), ({ value }) => value.amount)
  equal(settlements, sum(allSums, ({ value }) => value.paid), 'what the bank paid')
}

/** Nobody is lost in the line, and nobody waits for what is there. */
function checkLineOf(world: World, id: string, program: ProgramTerms & { readonly status: string }, kept: { readonly unallocated: number; readonly grants: number; readonly revoked: number }): void {
  const waiting = world
    .table(accountTable)
    .filter(({ key, value }) => key[0] === id && value.application?.status === 'waiting')
    .sort((a, b) => (a.value.application?.line ?? 0) - (b.value.application?.line ?? 0))
  const line = world.table(lineTable).find(({ key }) => key[0] === id)?.value
  equal(line?.waiting ?? 0, waiting.length, `who waits in ${id}`)
  for (const { key, value } of waiting) {
    const number = value.application?.line ?? 0
    check(line !== undefined && number >= line.head && number <= line.tail, 'a number of the line')
    equal(world.table(lineRowTable).find((row) => row.key[0] === id && Number(row.key[1]) === number)?.value.did, key[1], `number ${number} of ${id}`)
  }
  const first = waiting[0]?.value.application
  if (first === undefined || line === undefined || line.queued || program.status === 'closed' || world.nowMs >= program.useClosesMs) return
  const amount = program.tiers.find(({ tier }) => tier === first.tier)?.amount ?? 0
  check(kept.unallocated < amount || kept.grants - kept.revoked >= (program.grantsMax ?? Infinity), `the first in line of ${id} waits for something`)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

/** docs/transactions.md names every refusal and every event of a kind. */
function checkDescribed(kind: string, { code, events }: Receipt): void {
  const described = pointsReference.kinds[kind]
  check(described !== undefined, `${kind} is described`)
  check(code === undefined || codesIn(described).has(code), `${kind} is not said to be refused with ${code ?? ''}`)
  for (const { type } of events) check(described.events.includes(type), `${kind} is not said to emit ${type}`)
}

/** What an auditor asks at the end: the sums of every height again, statements that add up by themselves, and the rows counted again. */
async function checkBooks(world: World, sumsSeen: ReadonlyMap<string, string>, daysSeen: ReadonlySet<string>): Promise<void> {
  for (const [where, said] of sumsSeen) {
    const [program, height] = where.split('@') as [string, string]
    const audit = (await world.ask('points_audit', { program, height: Number(height) })) as { readonly holds: boolean; readonly sums: object }
    check(audit.holds, `the audit of ${where} holds`)
    equal(JSON.stringify(audit.sums), said, `the sums of ${where}`)
  }
  for (const { key, value } of world.table(sumsTable)) {
    const program = key[0] as string
    const counted = (await world.ask('points_audit', { program, recount: true })) as { readonly holds: boolean; readonly recount: object | undefined }
    check(counted.holds && counted.recount !== undefined, `${program} counted again`)
    const terms = (from: object): string => JSON.stringify(['budget', 'unallocated', 'held', 'unsettled', 'settled', 'reclaimed'].map((name) => (from as Record<string, number>)[name]))
    let [before, cursor] = [JSON.stringify([0, 0, 0, 0, 0, 0]), undefined as string | undefined]
    const days: string[] = []
    do {
      const page = (await world.ask('points_statement', { program, limit: 3, ...(cursor !== undefined && { cursor }) })) as { readonly items: readonly { readonly day: number; readonly opening: object; readonly closing: object; readonly holds: boolean }[]; readonly next?: string }
      for (const { day, opening, closing, holds } of page.items) {
        days.push(`${program}@${day}`)
        equal(terms(opening), before, `an opening of ${program} is the closing before`)
        check(holds, `a day of ${program} adds up`)
        before = terms(closing)
      }
      cursor = page.next
    } while (cursor !== undefined)
    equal(before, terms(value), `the statement of ${program} ends with its sums`)
    equal(days.join(), [...daysSeen].filter((day) => day.startsWith(`${program}@`)).join(), `the days of the statement of ${program}`)
  }
}

t.test('random sequences of all kinds keep every promise at every block', async (t) => {
  const outcomes = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 120, size: 'max' }), async (steps) => {
      const world = createCity()
      const sumsSeen = new Map<string, string>()
      const daysSeen = new Set<string>()
      const ledger = createLedger()
      follow(ledger, world.events)
      for (const { key, value } of world.table(sumsTable)) daysSeen.add(`${key[0]}@${dayOf(value.timeMs)}`)
      let waiting: Step[] = []
      for (const [i, drawn] of steps.entries()) {
        // many come at the beginning, most of them to where there is little
        const each = i < 30 && drawn.which % 2 === 0 ? { ...drawn, kind: 'apply', program: drawn.which % 3 === 0 ? drawn.program : programIds.indexOf('daily') + (drawn.which % 4 === 0 ? 1 : 0) } : drawn
        waiting.push(each)
        if (each.sameBlock && i + 1 < steps.length) continue
        world.nowMs = (world.nowMs + each.hours * 3_600_000) as TimeMs
        const seen = world.events.length
        const orders = waiting.map((one) => orderOf(world, one))
        for (const [n, receipt] of world.block(...orders).entries()) {
          plus(outcomes, receipt.code ?? 'ok', 1)
          checkDescribed(orders[n]?.kind ?? '', receipt)
        }
        for (const event of world.events.slice(seen)) plus(outcomes, event.type, 1)
        follow(ledger, world.events.slice(seen))
        checkRows(world, ledger)
        for (const { key, value } of world.table(sumsTable)) daysSeen.add(`${key[0]}@${dayOf(value.timeMs)}`)
        if (i % 5 === 0) for (const { key, value } of world.table(sumsTable)) sumsSeen.set(`${key[0]}@${world.height}`, JSON.stringify(sums.toJson(value)))
        waiting = []
      }
      await checkBooks(world, sumsSeen, daysSeen)
    }),
    // the limit ends the shrinking of a failure, which could take minutes
    { numRuns: 100, interruptAfterTimeLimit: 60_000 },
  )
  // a property over sequences in which nothing happens would prove nothing
  for (const { type } of pointsFamily.events as readonly { readonly type: string }[]) t.ok((outcomes.get(type) ?? 0) > 0, `${type} happened ${outcomes.get(type) ?? 0} times`)
  t.comment([...outcomes].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`).join(', '))
})

t.test('many race for few passes: exactly so many get one, in the order of the chain', (t) => {
  const world = createWorld()
  const racers = Array.from({ length: 300 }, (_, i) => person(`racer ${i}`))
  world.register(issuer, officer, ...racers)
  world.give(issuer, 'issuer', 'youth-pass')
  world.give(officer, 'officer', 'youth-pass')
  const passes = 70
  world.send(officer, 'points.openProgram', { program: 'youth-pass', budget: 100_000_000, terms: pass({ grantsMax: passes }) })
  const placed: string[] = []
  for (let from = 0; from < racers.length; from += 50) {
    // each tries twice in the same block, and every tenth is the person before under another DID
    const orders = racers.slice(from, from + 50).flatMap((who, i) => {
      const owner = i % 10 === 9 ? (racers[from + i - 1] as Person) : who
      const order = { sender: who, kind: 'points.apply', payload: { program: 'youth-pass', attestation: attest(issuer, 'youth-pass', who.did, 'youth', pseudonymOf(owner.did)) } }
      return [order, order]
    })
    const receipts = world.block(...orders)
    receipts.forEach((receipt, i) => receipt.status === 'ok' && placed.push((orders[i] as Order).sender.did))
    world.nowMs = (world.nowMs + 1_000) as TimeMs
  }
  t.equal(placed.length, passes)
  t.same(placed, racers.filter((_, i) => i % 10 !== 9).slice(0, passes).map(({ did }) => did), 'first come, first served')
  const granted = world.table(accountTable).filter(({ value }) => value.grants.length > 0)
  t.equal(granted.length, passes)
  t.same(granted.map(({ value }) => value.application?.place).sort((a, b) => (a ?? 0) - (b ?? 0)), Array.from({ length: passes }, (_, i) => i + 1))
  t.match(world.table(sumsTable)[0]?.value, { held: passes * 100_000, grants: passes, applications: passes })
  t.end()
})
