// Whatever happens, in whatever order and at whatever time: money adds up, from the rows and in the kept sums, at every block.
import fc from 'fast-check'
import t from 'tap'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { Event } from '../../state/family.ts'
import { pointsFamily } from '../../state/points/family.ts'
import { accountTable, claimTable, merchantTable, programTable, purchaseTable, settlementTable, sumsTable } from '../../state/points/keys.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import { attest, createWorld, dayMs, pass, person, pseudonymOf, startMs, terms, type Order, type Person, type World } from './points-world.ts'

const issuer = person('issuer')
const officer = person('officer')
const bank = person('bank')
const citizens = ['mina', 'jun', 'sora', 'hana', 'minho'].map(person)
const merchants = ['bookshop', 'theatre', 'academy'].map(person)
const categories = ['bookshop', 'theatre', 'academy']

const programs: Readonly<Record<string, ProgramTerms>> = {
  plain: terms({ categories: ['bookshop', 'theatre'] }),
  capped: terms({ capPerCitizen: 100_000 as Won, capPerPurchase: 90_000 as Won, leftover: 'unallocated', grantsMax: 4 }),
  decided: terms({ decide: 'officer', tiers: [{ tier: 'two', amount: 70_001 as Won }, { tier: 'three', amount: 13 as Won }] }),
  pass: pass({ tiers: [{ tier: 'two', amount: 100_000 as Won }, { tier: 'three', amount: 7 as Won }], grantsMax: 3 }),
  'capped-pass': pass({ tiers: [{ tier: 'two', amount: 100_000 as Won }, { tier: 'three', amount: 50_000 as Won }], capPerCitizen: 70_000 as Won, capPerPurchase: 60_000 as Won, decide: 'officer', leftover: 'unallocated' }),
}
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
  ['reclaim', 8],
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
  const send = (sender: Person, payload: unknown): Order => ({ sender, kind: `points.${kind}`, payload })
  switch (kind) {
    case 'spend': {
      // mostly somebody who has something, at a shop that takes it
      const rich = which % 6 === 0 ? [] : world.table(accountTable).filter(({ value }) => value.grants.some((grant) => grant.amount > grant.spent + grant.reclaimed))
      const { key } = rich.length === 0 ? { key: [program, citizen.did] } : pick(rich, who)
      const taken = world.table(programTable).find((row) => row.key[0] === key[0])?.value.categories ?? []
      const taking = world.table(merchantTable).filter(({ value }) => value.status === 'active' && taken.includes(value.category))
      const seller = which % 7 === 0 || taking.length === 0 ? merchant.did : pick(taking, where).key[0]
      return { sender: citizens.find(({ did }) => did === key[1]) as Person, kind: 'points.spend', payload: { program: key[0], merchant: seller, amount: which % 4 === 0 ? amount : Math.ceil(amount / 3) } }
    }
    case 'refund': {
      const made = world.table(purchaseTable)
      if (made.length === 0) return send(merchant, { purchase: new Uint8Array(32), amount })
      const { key, value } = pick(made, which)
      const seller = [...merchants, ...citizens].find(({ did }) => did === key[0]) as Person
      const left = value.price - value.refunded
      return send(where % 9 === 0 ? merchant : seller, { purchase: idOf(key[1] as string), amount: where % 3 === 0 ? Math.max(1, left) : (amount % (left + 1)) + 1 })
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
      const items = chosen.map(({ key, value }) => ({ program: key[0], merchant: key[1], claim: Number(key[2]), amount: Math.max(1, value.gross - value.refunded - value.netted + (amount % 50 === 0 ? 1 : 0)) }))
      return send(bank, { payment: `p${which % 200}`, items: items.length > 0 ? items : [{ program, merchant: merchant.did, claim: 1, amount }] })
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
  world.register(issuer, officer, bank, ...citizens, ...merchants)
  world.give(issuer, 'issuer', '*')
  world.give(officer, 'officer', '*')
  world.give(bank, 'settler', '*')
  world.block(...merchants.map((merchant, i) => ({ sender: officer, kind: 'points.registerMerchant', payload: { merchant: merchant.did, category: pick(categories, i) } })))
  world.block(...programIds.map((program) => ({ sender: officer, kind: 'points.openProgram', payload: { program, budget: 1_100_000, terms: programs[program] } })))
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
}

function createLedger(): Ledger {
  return { held: new Map(), paid: new Map(), settledClaims: new Set(), grants: new Map() }
}

/** What the events here bear, each its part of it. */
interface Facts {
  readonly program: string
  readonly did: string
  readonly merchant: string
  readonly purchase: Uint8Array
  readonly amount: number
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
    } else if (event.type === 'points.reclaimed') add(-event.amount)
    else if (event.type === 'points.spent') {
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
    } else if (event.type === 'points.settled') {
      const claim = `${event.program}/${event.merchant}/${event.claim}`
      check(!ledger.settledClaims.has(claim), `claim ${claim} settled once`)
      ledger.settledClaims.add(claim)
    }
  }
}

/** Promise 5, counted again from the rows with code of its own. */
function checkRows(world: World, ledger: Ledger): void {
  const accounts = world.table(accountTable)
  const claims = world.table(claimTable)
  const allPurchases = world.table(purchaseTable)
  const allSums = world.table(sumsTable)
  const pseudonyms = [...world.rows.keys()].filter((key) => key.startsWith('points.pseudonym/'))
  for (const { key, value: program } of world.table(programTable)) {
    const id = key[0] as string
    const kept = allSums.find((row) => row.key[0] === id)?.value
    check(kept !== undefined, 'sums of each programme')
    let [held, spent, granted, back, grants, own, pending] = [0, 0, 0, 0, 0, 0, 0]
    for (const { key: accountKey, value } of accounts.filter((row) => row.key[0] === id)) {
      let left = 0
      for (const grant of value.grants) {
        const rest = grant.amount - grant.spent - grant.reclaimed
        check(rest >= 0 && grant.spent >= 0 && grant.reclaimed >= 0 && grant.ownPaid >= 0, 'nothing below zero in a grant')
        check(grant.ownPaid <= (program.ownShare ?? 0), 'no own share past the pass')
        left += rest
        spent += grant.spent
        granted += grant.amount
        back += grant.reclaimed
        own += grant.ownPaid
        grants++
      }
      equal(left, ledger.held.get(accountKey.join('/')) ?? 0, `balance of ${accountKey.join('/')} by events`)
      check(program.capPerCitizen === undefined || value.grants.reduce((sum, grant) => sum + grant.spent, 0) <= program.capPerCitizen, 'no cap of a citizen passed')
      held += left
      if (value.application?.status === 'pending') pending++
    }
    let [unsettled, settled] = [0, 0]
    for (const { value } of claims.filter((row) => row.key[0] === id)) {
      const due = value.gross - value.refunded - value.netted
      check(due >= 0, 'no claim below zero')
      if (value.payment === undefined) unsettled += due
      else settled += due
    }
    const purchases = allPurchases.filter(({ value }) => value.program === id)
    for (const { value } of purchases) {
      const funded = value.parts.reduce((sum, part) => sum + part.funded, 0)
      equal(value.price, value.refunded + value.excess + value.parts.reduce((sum, part) => sum + part.own + part.funded, 0), 'a purchase adds up')
      check(program.capPerPurchase === undefined || funded <= program.capPerPurchase, 'no cap of a purchase passed')
      const paying = accounts.find((row) => row.key[0] === id && row.key[1] === value.citizen)?.value.grants
      for (const part of value.parts) check((paying?.[part.grant - 1]?.expiresMs ?? program.useClosesMs) > value.timeMs, 'no expired grant pays')
    }
    const reclaimed = program.leftover === 'reclaimed' ? back : 0
    equal(kept.held, held, `${id} held`)
    equal(kept.unsettled, unsettled, `${id} unsettled`)
    equal(kept.settled, settled, `${id} settled`)
    equal(kept.reclaimed, reclaimed, `${id} reclaimed`)
    equal(kept.unallocated, kept.budget - granted + back - reclaimed, `${id} unallocated`)
    equal(kept.budget, kept.unallocated + held + unsettled + settled + reclaimed, `${id} budget`)
    equal(spent, unsettled + settled, `${id} spent`)
    equal(kept.ownPaid, own + purchases.reduce((sum, { value }) => sum + value.excess, 0), `${id} own share`)
    equal(kept.grants, grants, `${id} grants`)
    check(program.grantsMax === undefined || grants <= program.grantsMax, 'no more grants than there are')
    // every grant and every pending application has used up one pseudonym of its own
    equal(pseudonyms.filter((row) => row.startsWith(`points.pseudonym/${id}/`)).length, grants + pending, `${id} pseudonyms`)
  }
  const paid = world.table(settlementTable).reduce((sum, { value }) => sum + value.amount, 0)
  equal(paid, allSums.reduce((sum, { value }) => sum + value.settled, 0), 'what the bank paid')
}

t.test('random sequences of all kinds keep every promise at every block', (t) => {
  const outcomes = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 120, size: 'max' }), (steps) => {
      const world = createCity()
      const ledger = createLedger()
      follow(ledger, world.events)
      let waiting: Step[] = []
      for (const [i, each] of steps.entries()) {
        waiting.push(each)
        if (each.sameBlock && i + 1 < steps.length) continue
        world.nowMs = (world.nowMs + each.hours * 3_600_000) as TimeMs
        const seen = world.events.length
        for (const receipt of world.block(...waiting.map((one) => orderOf(world, one)))) outcomes.set(receipt.code ?? 'ok', (outcomes.get(receipt.code ?? 'ok') ?? 0) + 1)
        for (const event of world.events.slice(seen)) outcomes.set(event.type, (outcomes.get(event.type) ?? 0) + 1)
        follow(ledger, world.events.slice(seen))
        checkRows(world, ledger)
        waiting = []
      }
    }),
    // the limit ends the shrinking of a failure, which could take minutes
    { numRuns: 100, interruptAfterTimeLimit: 60_000 },
  )
  // a property over sequences in which nothing happens would prove nothing
  for (const { type } of pointsFamily.events as readonly { readonly type: string }[]) t.ok((outcomes.get(type) ?? 0) > 0, `${type} happened ${outcomes.get(type) ?? 0} times`)
  t.comment([...outcomes].sort((a, b) => b[1] - a[1]).map(([name, count]) => `${name} ${count}`).join(', '))
  t.end()
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
