// Random transactions of the points family, read against the model of the moment: mostly what somebody would send, often a little wrong, sometimes hostile.
import { fromHex, utf8 } from '../../primitives/bytes.ts'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Attestation } from '../../state/credential/attestation.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import type { Random } from '../simulator/random.ts'
import { genesisTimeMs, testIssuer, type TestActor } from '../support/state-harness.ts'
import { bank, categories, localOfficer, nobody, notaries, officer, people, second, shops, smallIssuer, teller, withdrawn, type City, type Wish } from './city.ts'
import { dueOf, leftOf, sumsOf } from './points-money.ts'
import { dayMs, hourMs, koreanDay, type Account, type Program, type Purchase } from './world.ts'

const farMs = (genesisTimeMs + 1_000 * dayMs) as TimeMs

function terms(random: Random, opensMs: number, applyDays: number, useDays: number, changes: Partial<ProgramTerms>): ProgramTerms {
  return {
    kind: 'points',
    title: '교육지원포인트',
    tiers: [
      { tier: 'two', amount: 300_000 as Won },
      { tier: 'three', amount: 500_000 as Won },
    ],
    applicationOpensMs: opensMs as TimeMs,
    applicationClosesMs: (opensMs + applyDays * dayMs + random.below(dayMs)) as TimeMs,
    useOpensMs: opensMs as TimeMs,
    useClosesMs: (opensMs + (applyDays + useDays + 1) * dayMs + random.below(dayMs)) as TimeMs,
    categories: ['bookshop', 'theatre'],
    decide: 'automatic',
    leftover: 'reclaimed',
    ...changes,
  }
}

const won = (amount: number): Won => amount as Won

/** The programmes that each life begins with: every term occurs in one of them. */
export function firstPrograms(random: Random): readonly { readonly program: string; readonly budget: number; readonly terms: ProgramTerms }[] {
  const at = genesisTimeMs
  return [
    { program: 'plain', budget: 3_000_000, terms: terms(random, at, 14, 12, { merchantDebtMax: won(0), categories: ['bookshop', 'theatre', 'academy'] }) },
    { program: 'capped', budget: 1_500_000, terms: terms(random, at, 10, 6, { capPerCitizen: won(100_000), capPerPurchase: won(60_000), leftover: 'unallocated', grantsMax: 6, merchantDebtMax: won(0) }) },
    { program: 'decided', budget: 400_000, terms: terms(random, at, 10, 9, { decide: 'officer', tiers: [{ tier: 'two', amount: won(70_001) }, { tier: 'three', amount: won(13) }] }) },
    { program: 'pass', budget: 600_000, terms: terms(random, at, 9, 9, { kind: 'pass', ownShare: won(10_000), tiers: [{ tier: 'two', amount: won(100_000) }, { tier: 'three', amount: won(7) }], refundGraceDays: 1 }) },
    {
      program: 'daily',
      budget: 200_000,
      terms: terms(random, at, 14, 4, {
        tiers: [{ tier: 'two', amount: won(60_000), useDays: 2 }, { tier: 'three', amount: won(90_000) }],
        capPerDay: won(30_000),
        capPerMonth: won(50_000),
        grantsMax: 4,
        waitlistMax: 3,
        refundGraceDays: 2,
        merchantDebtMax: won(20_000),
        leftover: 'unallocated',
      }),
    },
    { program: 'paired', budget: 800_000, terms: terms(random, at, 12, 3, { decide: 'officer', officersNeeded: 2, unit: 'household', tiers: [{ tier: 'two', amount: won(400_000) }, { tier: 'three', amount: won(300_000), useDays: 5 }], waitlistMax: 5, refundGraceDays: 1 }) },
    { program: 'capped-pass', budget: 500_000, terms: terms(random, at, 8, 8, { kind: 'pass', ownShare: won(5_000), tiers: [{ tier: 'two', amount: won(50_000) }, { tier: 'three', amount: won(20_000), useDays: 3 }], capPerCitizen: won(70_000), capPerPurchase: won(40_000), capPerDay: won(45_000), leftover: 'unallocated', waitlistMax: 4 }) },
  ]
}

export function hash32(text: string): Uint8Array {
  return taggedHash('reference-model', utf8(text))
}

/** Nothing, mostly, where there is nothing that it could be about. */
export type Wisher = (city: City, random: Random) => Wish | undefined

/** Somebody, who is mostly the one asked for. */
export function mostly(random: Random, right: TestActor, probability = 0.95): TestActor {
  return random.chance(probability) ? right : random.pick([...people, ...shops, officer, bank, teller, localOfficer, nobody, smallIssuer])
}

function somePrograms(city: City): readonly Program[] {
  return [...city.world.programs.values()].filter(({ id }) => !id.startsWith('crowd-'))
}

function someProgram(city: City, random: Random): string {
  if (random.chance(0.02)) return 'nowhere'
  const programs = somePrograms(city)
  const running = programs.filter(({ isClosed, terms: { useClosesMs } }) => !isClosed && city.harness.next().timeMs < useClosesMs)
  const lines = running.filter(({ terms: { waitlistMax } }) => waitlistMax !== undefined)
  return random.pick(random.chance(0.3) && lines.length > 0 ? lines : random.chance(0.7) && running.length > 0 ? running : programs).id
}

function byOfficers(random: Random, payload: unknown, kind: string): Wish {
  return { sender: mostly(random, random.chance(0.9) ? officer : localOfficer, 0.96), cosigners: random.chance(0.85) ? [second] : random.chance(0.5) ? [random.pick(people)] : [], kind, payload }
}

/** Programme and account of somebody who has something, mostly. */
function rich(city: City, random: Random): { readonly program: Program | undefined; readonly account: Account | undefined } {
  for (let tries = 0; tries < 6; tries++) {
    const program = random.pick(somePrograms(city))
    const holders = [...program.accounts.values()].filter(({ did, grants }) => grants.some((_, at) => leftOf(city.world, program, did, at) > 0))
    if (holders.length > 0) return { program, account: random.pick(holders) }
  }
  return { program: undefined, account: undefined }
}

function purchase(city: City, random: Random): { readonly sender: TestActor; readonly payload: Readonly<Record<string, unknown>> } | undefined {
  const { world } = city
  const { program, account } = random.chance(0.9) ? rich(city, random) : { program: undefined, account: undefined }
  const id = program?.id ?? someProgram(city, random)
  if (account === undefined && random.chance(0.7)) return undefined
  const sender = account === undefined ? random.pick([...people, ...shops]) : city.actorOf(account.did)
  const taking = [...world.merchants].filter(([, { category, isSuspended }]) => !isSuspended && program?.terms.categories.includes(category) === true).map(([did]) => did)
  const merchant = taking.length > 0 && random.chance(0.9) ? random.pick(taking) : random.pick([...shops, ...people, sender]).did
  const left = program === undefined || account === undefined ? 50_000 : account.grants.reduce((total, _, at) => total + leftOf(world, program, account.did, at), 0)
  const { capPerPurchase, capPerDay, capPerCitizen } = program?.terms ?? {}
  const amount = random.pick([1 + random.below(30_000), 1 + random.below(9), left, left + 1, capPerPurchase ?? 20_000, (capPerPurchase ?? 20_000) + 1, capPerDay ?? 10_000, capPerCitizen ?? 15_000, 1 + random.below(130_000), 1 + random.below(3_000)])
  const ownShareMax = program?.terms.kind === 'pass' && random.chance(0.4) ? random.pick([0, 5_000, 10_000, amount]) : undefined
  return { sender, payload: { program: id, merchant, amount: Math.max(1, amount), ownShareMax, reference: random.chance(0.2) ? `sale-${random.below(1_000)}` : undefined } }
}

/** Mostly what the issuer signed for this citizen; sometimes wrong in one way. */
export function attestation(city: City, random: Random, purpose: string, subject: TestActor, claim: string, pseudonym: Uint8Array): Attestation {
  const right = { purpose, subject: subject.did, claim, pseudonym, expiresMs: farMs }
  if (random.chance(0.85)) return city.attest(testIssuer, random.chance(0.2) ? { ...right, status: { list: withdrawn.list, index: 5 } } : right)
  switch (random.below(9)) {
    case 0:
      return city.attest(testIssuer, { ...right, purpose: 'points:elsewhere' })
    case 1:
      return city.attest(testIssuer, { ...right, subject: random.pick(people).did })
    case 2:
      return city.attest(testIssuer, { ...right, expiresMs: (genesisTimeMs + random.below(3) * 10 * hourMs) as TimeMs })
    case 3:
      return city.attest(smallIssuer, right)
    case 4:
      return city.attest(testIssuer, right, bank.multikey)
    case 5:
      return city.attest(testIssuer, { ...right, status: { list: withdrawn.list, index: random.pick(withdrawn.indexes) } })
    case 6:
      return city.attest(testIssuer, { ...right, status: { list: 'no-list', index: 1 } })
    case 7:
      return { ...city.attest(testIssuer, right), pseudonym: hash32(`forged ${random.below(20)}`) }
    default:
      return city.attest(bank, right)
  }
}

/** A programme of which the chain has not taken back yet what is left. */
function justEnded(city: City): string | undefined {
  const at = city.harness.next().timeMs
  return somePrograms(city).find(({ isClosed, terms: { useClosesMs } }) => !isClosed && useClosesMs <= at && useClosesMs > at - 60_000)?.id
}

const seven = Array.from({ length: 30 }, (_, i) => hash32(`person ${i}`))

function madePurchase(city: City, random: Random, state: Purchase['state']): Purchase | undefined {
  const made = [...city.world.purchases.values()].filter((each) => each.state === state)
  // the latest, mostly
  return made.length === 0 ? undefined : random.chance(0.5) ? made[made.length - 1 - random.below(Math.min(6, made.length))] : random.pick(made)
}

function ofMerchant(kind: string, state: Purchase['state'], withAmount: boolean): Wisher {
  return (city, random) => {
    const made = madePurchase(city, random, random.chance(0.96) ? state : state === 'held' ? 'paid' : 'held')
    if (made === undefined && random.chance(0.9)) return undefined
    const sender = mostly(random, made === undefined ? random.pick(shops) : city.actorOf(made.merchant))
    const left = made === undefined ? 1_000 : made.price - made.refunded
    const amount = random.pick([left, left, 1 + random.below(left + 1), 1 + random.below(left + 1), left + 1, 1])
    return { sender, kind, payload: { purchase: made === undefined || random.chance(0.02) ? hash32('nothing') : fromHex(made.id), ...(withAmount && { amount: Math.max(1, amount) }) } }
  }
}

/** Seventeen of the smallest tier are more than one citizen may have. */
function manyGrants(random: Random): readonly unknown[] {
  const [first] = people
  const did = first?.did
  return Array.from({ length: 9 }, () => ({ did, tier: 'three', pseudonym: hash32(`many ${random.below(1_000_000)}`) }))
}

function grants(city: City, random: Random): readonly unknown[] {
  const size = 1 + random.below(4)
  const who = random.chance(0.3) ? random.pick(people) : undefined
  return Array.from({ length: size }, () => ({
    did: (who ?? (random.chance(0.02) ? nobody : random.pick(people))).did,
    tier: random.chance(0.02) ? 'nine' : random.pick(['two', 'three']),
    pseudonym: hash32(`household ${random.below(400)}`),
    expiresMs: random.chance(0.4) ? city.harness.next().timeMs + random.pick([0, 60_000, random.below(20) * 12 * hourMs, random.below(5) * hourMs, 100 * dayMs]) : undefined,
  }))
}

export const pointsWishes: readonly (readonly [weight: number, kind: string, wish: Wisher])[] = [
  [30, 'points.spend', (city, random) => {
    const made = purchase(city, random)
    return made && { ...made, kind: 'points.spend' }
  }],
  [14, 'points.authorise', (city, random) => {
    const made = purchase(city, random)
    if (made === undefined) return undefined
    const { sender, payload } = made
    const expiresMs = city.harness.next().timeMs + random.pick([random.below(50) * hourMs, 5_000 + random.below(90_000), 30 * dayMs, random.below(10) * dayMs, -1, 31 * dayMs])
    return { sender, kind: 'points.authorise', payload: { ...payload, expiresMs } }
  }],
  [14, 'points.refund', ofMerchant('points.refund', 'paid', true)],
  [9, 'points.capture', ofMerchant('points.capture', 'held', true)],
  [4, 'points.void', ofMerchant('points.void', 'held', false)],
  [20, 'points.apply', (city, random) => {
    const sender = random.pick(people)
    const at = city.harness.next().timeMs
    const lines = somePrograms(city).filter(({ isClosed, terms }) => !isClosed && terms.waitlistMax !== undefined && at < terms.applicationClosesMs)
    const program = lines.length > 0 && random.chance(0.4) ? random.pick(lines).id : someProgram(city, random)
    const claim = random.chance(0.02) ? 'nine' : random.pick(['two', 'three'])
    const pseudonym = random.chance(0.9) ? (seven[people.indexOf(sender)] as Uint8Array) : random.pick(seven)
    return { sender, kind: 'points.apply', payload: { program, attestation: attestation(city, random, `points:${program}`, sender, claim, pseudonym) } }
  }],
  [7, 'points.decide', (city, random) => {
    const programs = somePrograms(city)
    const withPending = programs.filter(({ accounts }) => [...accounts.values()].some(({ application }) => application?.status === 'pending' || application?.status === 'waiting'))
    const program = random.pick(withPending.length > 0 && random.chance(0.9) ? withPending : programs)
    const waiting = random.shuffled([...program.accounts.values()].filter(({ application }) => application?.status === 'pending' || (application?.status === 'waiting' && random.chance(0.4))))
    const decisions = waiting.slice(0, 1 + random.below(3)).map(({ did, application }) => ({ did, approve: application?.status === 'pending' ? random.chance(0.75) : random.chance(0.1), reason: 'not-resident' }))
    return byOfficers(random, { program: program.id, decisions: decisions.length > 0 && random.chance(0.95) ? decisions : [{ did: random.pick(people).did, approve: random.chance(0.5), reason: 'double' }] }, 'points.decide')
  }],
  [8, 'points.issue', (city, random) => byOfficers(random, random.chance(0.1) ? { program: 'decided', grants: manyGrants(random) } : { program: someProgram(city, random), grants: grants(city, random) }, 'points.issue')],
  [6, 'points.clawback', (city, random) => {
    const { program, account } = rich(city, random)
    const grant = random.chance(0.9) ? 1 + random.below(Math.max(1, account?.grants.length ?? 1)) : 1 + random.below(16)
    return byOfficers(random, { program: program?.id ?? someProgram(city, random), did: account?.did ?? random.pick(people).did, grant, reason: random.pick(['not-resident', 'double']) }, 'points.clawback')
  }],
  [10, 'points.settle', settle],
  [4, 'points.repay', (city, random) => {
    const owing = [...city.world.books].filter(([, { owed }]) => owed > 0)
    if (owing.length === 0 && random.chance(0.8)) return undefined
    const [key, owed] = owing.length > 0 && random.chance(0.9) ? ((([name, book]) => [name, book.owed] as const)(random.pick(owing))) : [`${someProgram(city, random)}/${random.pick(shops).did}`, 10]
    const [program, merchant] = key.split('/')
    return { sender: mostly(random, bank, 0.93), kind: 'points.repay', payload: { payment: payment(random), program, merchant, amount: random.pick([owed, 1 + random.below(owed), owed + 1]) } }
  }],
  [5, 'points.reclaim', (city, random) => ({ sender: random.pick(people), kind: 'points.reclaim', payload: { program: justEnded(city) ?? someProgram(city, random), dids: random.shuffled(people).slice(0, 1 + random.below(14)).map(({ did }) => did) } })],
  [4, 'points.topUp', (city, random) => byOfficers(random, { program: someProgram(city, random), amount: random.chance(0.04) ? 40_000_000_000_000 : 1 + random.below(400_000) }, 'points.topUp')],
  [3, 'points.cutBudget', (city, random) => {
    const program = random.pick(somePrograms(city))
    const { unallocated } = sumsOf(city.world, program)
    return byOfficers(random, { program: random.chance(0.97) ? program.id : 'nowhere', amount: Math.max(1, random.pick([unallocated, unallocated + 1, Math.floor(unallocated / 3), 1 + random.below(50_000)])) }, 'points.cutBudget')
  }],
  [4, 'points.amendProgram', amend],
  [3, 'points.closeProgram', (city, random) => {
    const over = somePrograms(city).filter((program) => !program.isClosed && sumsOf(city.world, program).held === 0 && program.id.startsWith('extra'))
    return byOfficers(random, { program: over.length > 0 && random.chance(0.5) ? random.pick(over).id : random.chance(0.5) ? `extra-${random.below(6)}` : someProgram(city, random) }, 'points.closeProgram')
  }],
  [3.5, 'points.openProgram', (city, random) => {
    const first = random.pick(firstPrograms(random))
    const at = city.harness.next().timeMs
    const changes = { ...first.terms, applicationOpensMs: at - hourMs, applicationClosesMs: at + random.below(30) * hourMs, useOpensMs: at + random.pick([-1, -1, hourMs]), useClosesMs: at + 31 * hourMs + random.below(7) * dayMs } as ProgramTerms
    const ends = random.chance(0.1) ? { ...changes, applicationClosesMs: at - 2, useOpensMs: at - hourMs, useClosesMs: at - 1 } : changes
    return byOfficers(random, { program: random.chance(0.1) ? someProgram(city, random) : `extra-${random.below(8)}`, budget: random.below(900_000), terms: ends as ProgramTerms }, 'points.openProgram')
  }],
  [1, 'points.registerMerchant', (_, random) => ({ sender: mostly(random, officer, 0.9), kind: 'points.registerMerchant', payload: { merchant: random.pick([...shops, ...people, nobody]).did, category: random.pick(categories), livingArea: random.chance(0.5) ? 'west' : undefined } })],
  [1, 'points.amendMerchant', (_, random) => ({ sender: mostly(random, officer, 0.9), kind: 'points.amendMerchant', payload: { merchant: random.pick([...shops, ...people]).did, category: random.chance(0.7) ? random.pick(categories) : undefined, livingArea: random.chance(0.3) ? 'east' : undefined } })],
  [1, 'points.suspendMerchant', (_, random) => ({ sender: mostly(random, officer, 0.9), kind: 'points.suspendMerchant', payload: { merchant: random.pick([...shops, ...people]).did, reason: 'fraud' } })],
  [3, 'points.resumeMerchant', (city, random) => {
    const suspended = [...city.world.merchants].filter(([, { isSuspended }]) => isSuspended).map(([did]) => did)
    return { sender: mostly(random, officer, 0.95), kind: 'points.resumeMerchant', payload: { merchant: suspended.length > 0 && random.chance(0.8) ? random.pick(suspended) : random.pick([...shops, ...people]).did } }
  }],
  [0.8, 'did.deactivate', (city, random) => {
    const inLine = somePrograms(city).flatMap(({ line }) => line)
    if (inLine.length === 0 && random.chance(0.9)) return undefined
    return { sender: inLine.length > 0 && random.chance(0.9) ? city.actorOf(random.pick(inLine)) : random.pick([...people, ...notaries]), kind: 'did.deactivate', payload: {} }
  }],
]

function payment(random: Random): string {
  return `p${random.below(random.chance(0.12) ? 4 : 1_000_000)}`
}

function settle(city: City, random: Random): Wish {
  const open = [...city.world.books].flatMap(([key, { claims, owed }]) => claims.map((claim) => ({ program: key.split('/')[0] as string, merchant: key.split('/')[1] as string, claim, owed })))
  const unpaid = open.filter(({ claim }) => claim.payment === undefined)
  const chosen = random.shuffled(random.chance(0.93) ? unpaid : open).slice(0, 1 + random.below(4))
  const owing = new Map<string, number>()
  const items = chosen.map(({ program, merchant, claim, owed }) => {
    const key = `${program}/${merchant}`
    const due = dueOf(claim)
    const netted = Math.min(due, owing.get(key) ?? owed)
    owing.set(key, (owing.get(key) ?? owed) - netted)
    return { program, merchant, claim: claim.number + (random.chance(0.01) ? 5 : 0), amount: Math.max(0, due - netted + (random.chance(0.03) ? random.pick([1, -1]) : 0)) }
  })
  const fallback = [{ program: someProgram(city, random), merchant: random.pick(shops).did, claim: 1, amount: 5 }]
  const today = koreanDay(city.harness.next().timeMs)
  const cutOffDay = random.chance(0.4) ? today - random.pick([0, 1, 1, 2, 3]) : undefined
  return { sender: mostly(random, random.chance(0.93) ? bank : teller), kind: 'points.settle', payload: { payment: payment(random), cutOffDay, items: items.length > 0 ? items : fallback } }
}

function amend(city: City, random: Random): Wish {
  const program = random.pick(somePrograms(city))
  const { terms } = program
  const changes: Record<string, unknown> = {}
  const change = (name: string, value: unknown, probability = 0.2): void => {
    if (random.chance(probability)) changes[name] = value
  }
  change('useClosesMs', terms.useClosesMs + random.pick([dayMs, 2 * dayMs, hourMs, 0, -hourMs]))
  change('applicationClosesMs', terms.applicationClosesMs + random.pick([dayMs, hourMs, -dayMs, 40 * dayMs, -40 * dayMs]))
  change('title', '문화패스', 0.1)
  change('categories', random.shuffled(categories).slice(0, 1 + random.below(3)))
  for (const cap of ['capPerCitizen', 'capPerPurchase', 'capPerDay', 'capPerMonth'] as const) change(cap, (terms[cap] ?? 40_000) + random.pick([0, 5_000, 20_000, -1]), 0.1)
  change('grantsMax', random.pick([1, 3, (terms.grantsMax ?? 5) + 1, (terms.grantsMax ?? 9) + 3, 50]))
  change('waitlistMax', random.pick([1, 2, (terms.waitlistMax ?? 1) + 1, 8]), 0.15)
  change('merchantDebtMax', random.pick([0, 10_000, 100_000]), 0.1)
  return byOfficers(random, { program: random.chance(0.97) ? program.id : 'nowhere', ...changes }, 'points.amendProgram')
}
