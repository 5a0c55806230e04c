// Every rule of the points family and every code that it refuses with.
import t from 'tap'
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { decode, encode } from '../../primitives/codec.ts'
import { transactionBytesMax } from '../../primitives/limits.ts'
import { codes } from '../../state/points/codes.ts'
import { accountTable, bookTable, type Claim, claimTable, countTable, pseudonymTable } from '../../state/points/keys.ts'
import { accountGrantsMax, budgetMax, issueBatchMax, programsMax } from '../../state/points/limits.ts'
import { pointsFamily } from '../../state/points/family.ts'
import { genesisSection, issuePayload, openProgramPayload, programTerms, type ProgramTerms } from '../../state/points/types.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createOverlay, createValueCache } from '../../state/view.ts'
import { apply, bank, bar, city, codesOfLife, grantsOf, issuer, jun, kids, later, mina, officer, ok, provoked, refused, settle, shop, sora, spend, sumsOf, theatre, youth } from './points-city.ts'
import { attest, dayMs, pass, person, pseudonymOf, startMs, terms, type Person } from './points-world.ts'

t.test('terms that do not go together cannot be encoded', (t) => {
  const bad: readonly Partial<ProgramTerms>[] = [
    { applicationClosesMs: startMs },
    { useClosesMs: startMs },
    { applicationClosesMs: (startMs + 21 * dayMs) as TimeMs },
    { categories: ['bookshop', 'bookshop'] },
    { categories: [] },
    { tiers: [] },
    { tiers: [{ tier: 'two', amount: 1 as Won }, { tier: 'two', amount: 2 as Won }] },
    { tiers: [{ tier: 'two', amount: 0 as Won }] },
    { ownShare: 10_000 as Won },
    { kind: 'pass' },
    { grantsMax: 0 },
    { capPerCitizen: 0 as Won },
  ]
  for (const changes of bad) t.throws(() => encode(programTerms, terms(changes)), { code: 'codec/invalid' }, JSON.stringify(changes))
  for (const good of [terms(), pass(), terms({ capPerCitizen: 1 as Won, capPerPurchase: 1 as Won, grantsMax: 1 })]) t.same(decode(programTerms, encode(programTerms, good), 10_000), good)
  t.throws(() => encode(openProgramPayload, { program: 'p', budget: (budgetMax + 1) as Won, terms: terms() }), { code: 'codec/invalid' })
  t.end()
})

t.test('merchants are registered, amended, suspended and resumed by an officer of all programmes', (t) => {
  const world = city()
  const register = (sender: Person, merchant: Person): Receipt => world.send(sender, 'points.registerMerchant', { merchant: merchant.did, category: 'bookshop', livingArea: 'jung-1' })
  refused(t, register(mina, sora), 'points/not-officer', { scope: '*' })
  world.give(jun, 'officer', kids)
  refused(t, register(jun, sora), 'points/not-officer')
  refused(t, register(officer, person('nobody')), 'points/unknown-did')
  refused(t, register(officer, shop), 'points/merchant-exists')
  t.match(ok(t, register(officer, sora)), [{ type: 'points.merchantRegistered', merchant: sora.did, livingArea: 'jung-1' }])
  const gone = person('gone')
  world.register(gone)
  world.deactivate(gone)
  refused(t, register(officer, gone), 'points/unknown-did')

  refused(t, world.send(mina, 'points.amendMerchant', { merchant: sora.did, category: 'bar' }), 'points/not-officer')
  refused(t, world.send(officer, 'points.amendMerchant', { merchant: mina.did, category: 'bar' }), 'points/unknown-merchant')
  refused(t, world.send(officer, 'points.amendMerchant', { merchant: sora.did }), 'points/nothing-to-amend')
  t.match(ok(t, world.send(officer, 'points.amendMerchant', { merchant: sora.did, category: 'theatre' })), [{ category: 'theatre', livingArea: 'jung-1' }])

  apply(world, mina)
  refused(t, world.send(mina, 'points.suspendMerchant', { merchant: shop.did, reason: 'fraud' }), 'points/not-officer')
  refused(t, world.send(officer, 'points.resumeMerchant', { merchant: shop.did }), 'points/merchant-active')
  const bought = spend(world, mina, shop, 1_000)
  ok(t, world.send(officer, 'points.suspendMerchant', { merchant: shop.did, reason: 'fraud' }))
  refused(t, world.send(officer, 'points.suspendMerchant', { merchant: shop.did, reason: 'fraud' }), 'points/merchant-suspended')
  refused(t, spend(world, mina, shop, 1_000), 'points/merchant-suspended')
  ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 400 }))
  ok(t, settle(world, 'p', { merchant: shop, claim: 1, amount: 600 }))
  ok(t, world.send(officer, 'points.resumeMerchant', { merchant: shop.did }))
  ok(t, spend(world, mina, shop, 1_000))
  t.end()
})

t.test('a programme is opened once, by its officer, before its end', (t) => {
  const world = city()
  const open = (sender: Person, program: string, changes: Partial<ProgramTerms> = {}): Receipt => world.send(sender, 'points.openProgram', { program, budget: 10, terms: terms(changes) })
  refused(t, open(mina, 'other'), 'points/not-officer', { scope: 'other' })
  refused(t, open(officer, kids), 'points/program-exists')
  world.give(mina, 'officer', 'other')
  refused(t, open(mina, 'another'), 'points/not-officer')
  t.match(ok(t, open(mina, 'other')), [{ type: 'points.programOpened', program: 'other', budget: 10, officer: mina.did }])
  later(world, 20)
  refused(t, open(officer, 'late'), 'points/window-past')
  world.setUp((view) => view.put(countTable, ['programs'], programsMax))
  refused(t, open(officer, 'late', { useClosesMs: (world.nowMs + 1) as TimeMs }), 'points/too-many-programs')
  t.end()
})

t.test('a running programme is amended in favour of its citizens only', (t) => {
  const world = city({ kids: { capPerCitizen: 400_000 as Won, capPerPurchase: 50_000 as Won, grantsMax: 5 } })
  apply(world, mina)
  const amend = (changes: object, sender = officer, program = kids): Receipt => world.send(sender, 'points.amendProgram', { program, ...changes })
  refused(t, amend({ title: 'x' }, mina), 'points/not-officer')
  refused(t, amend({ title: 'x' }, officer, 'none'), 'points/unknown-program')
  refused(t, amend({}), 'points/nothing-to-amend')
  refused(t, amend({ applicationClosesMs: startMs }), 'points/windows-invalid')
  refused(t, amend({ applicationClosesMs: startMs + 21 * dayMs }), 'points/windows-invalid')
  refused(t, amend({ useClosesMs: startMs + 19 * dayMs }), 'points/amend-narrows', { term: 'useClosesMs' })
  refused(t, amend({ capPerCitizen: 399_999 }), 'points/amend-narrows', { term: 'capPerCitizen' })
  refused(t, amend({ capPerPurchase: 49_999 }), 'points/amend-narrows', { term: 'capPerPurchase' })
  apply(world, jun)
  refused(t, amend({ grantsMax: 1 }), 'points/amend-narrows', { term: 'grantsMax' })
  refused(t, amend({ capPerCitizen: 1 }, officer, youth), 'points/amend-narrows', { term: 'capPerCitizen' })
  ok(t, amend({ title: '이름', applicationClosesMs: startMs + 25 * dayMs, useClosesMs: startMs + 30 * dayMs, categories: ['bar'], capPerCitizen: 500_000, capPerPurchase: 60_000, grantsMax: 2 }))
  refused(t, apply(world, sora), 'points/budget-exhausted', { grantsMax: 2 })
  later(world, 29)
  ok(t, spend(world, mina, bar, 60_000))
  refused(t, spend(world, mina, shop, 1), 'points/category-not-allowed', { category: 'bookshop' })
  later(world, 30)
  refused(t, amend({ useClosesMs: startMs + 40 * dayMs }), 'points/use-ended')
  t.end()
})

t.test('budgets grow, and shrink by what is not granted', (t) => {
  const world = city()
  const budget = (verb: 'topUp' | 'cutBudget', amount: number, sender = officer, program = kids): Receipt => world.send(sender, `points.${verb}`, { program, amount })
  apply(world, mina)
  for (const verb of ['topUp', 'cutBudget'] as const) {
    refused(t, budget(verb, 1, mina), 'points/not-officer')
    refused(t, budget(verb, 1, officer, 'none'), 'points/unknown-program')
  }
  refused(t, budget('cutBudget', 700_001), 'points/budget-committed', { unallocated: 700_000 })
  t.match(ok(t, budget('cutBudget', 700_000)), [{ type: 'points.budgetChanged', before: 1_000_000, after: 300_000 }])
  refused(t, apply(world, jun), 'points/budget-exhausted', { unallocated: 0, amount: 300_000 })
  t.match(ok(t, budget('topUp', 300_000)), [{ before: 300_000, after: 600_000 }])
  ok(t, apply(world, jun))
  refused(t, budget('topUp', budgetMax), 'points/budget-too-large')
  t.end()
})

t.test('an application needs an issuer’s word for this person, programme and tier, in time and once', (t) => {
  const world = city()
  const by = (changes: Parameters<typeof attest>[5], who = mina, from = issuer): Receipt =>
    world.send(who, 'points.apply', { program: kids, attestation: attest(from, kids, mina.did, 'two', pseudonymOf('mina'), changes) })
  refused(t, apply(world, mina, 'none'), 'points/unknown-program')
  refused(t, apply(world, mina, kids, 'five'), 'points/unknown-tier', { tier: 'five' })
  t.equal(by({ purpose: `points:${youth}` }).code, 'credential/attestation-purpose')
  t.equal(by({}, jun).code, 'credential/attestation-subject')
  t.equal(by({ expiresMs: (startMs - 1) as TimeMs }).code, 'credential/attestation-expired')
  t.equal(by({}, mina, officer).code, 'credential/attestation-issuer')
  const forged = { ...attest(issuer, kids, mina.did, 'two', pseudonymOf('mina')), claim: 'three' }
  t.equal(world.send(mina, 'points.apply', { program: kids, attestation: forged }).code, 'credential/attestation-signature')

  t.match(ok(t, apply(world, mina, kids, 'three', pseudonymOf('household'))), [
    { type: 'points.applied', did: mina.did, tier: 'three', place: 1 },
    { type: 'points.granted', did: mina.did, grant: 1, tier: 'three', amount: 500_000, expiresMs: startMs + 20 * dayMs },
  ])
  t.same(
    world.changed.map((key) => key.split('/')[0]).filter((table) => table?.startsWith('points.due') !== true),
    ['points.account', 'points.history', 'points.pseudonym', 'points.sums'],
    'a grant writes three keys beside the queue, and one of the programme once a block',
  )
  refused(t, apply(world, mina, kids, 'two', pseudonymOf('new')), 'points/already-applied')
  refused(t, apply(world, jun, kids, 'two', pseudonymOf('household')), 'points/pseudonym-used')
  ok(t, apply(world, mina, youth, 'youth', pseudonymOf('household')))
  t.match(ok(t, apply(world, jun)), [{ place: 2 }, {}])
  refused(t, apply(world, sora), 'points/budget-exhausted')
  t.match(sumsOf(world), { budget: 1_000_000, unallocated: 200_000, held: 800_000, grants: 2, applications: 2 })
  later(world, 10)
  refused(t, apply(world, sora), 'points/application-window')
  world.nowMs = (startMs - 1) as TimeMs
  refused(t, apply(world, sora), 'points/application-window')
  t.end()
})

t.test('an officer decides in the order of the line; a rejection frees person and pseudonym', (t) => {
  const world = city({ kids: { decide: 'officer' }, budget: 600_000 })
  const decide = (decisions: readonly object[], sender = officer, program = kids): Receipt => world.send(sender, 'points.decide', { program, decisions })
  t.match(ok(t, apply(world, mina)), [{ type: 'points.applied', place: 1 }])
  ok(t, apply(world, jun))
  refused(t, apply(world, mina, kids, 'two', pseudonymOf('x')), 'points/already-applied', { status: 'pending' })
  refused(t, apply(world, sora, kids, 'two', pseudonymOf(mina.did)), 'points/pseudonym-used')
  t.match(sumsOf(world), { held: 0, applications: 2 })
  refused(t, spend(world, mina, shop, 1), 'points/insufficient-balance')

  refused(t, decide([{ did: mina.did, approve: true }], mina), 'points/not-officer')
  refused(t, decide([{ did: mina.did, approve: true }], officer, 'none'), 'points/unknown-program')
  refused(t, decide([{ did: mina.did, approve: true }, { did: sora.did, approve: true }]), 'points/not-pending', { did: sora.did })
  refused(t, decide([{ did: mina.did, approve: true }, { did: mina.did, approve: true }]), 'points/not-pending')
  t.same(grantsOf(world, mina), [], 'all or none')
  t.throws(() => decide([{ did: jun.did, approve: false }]), { code: 'codec/invalid' }, 'a rejection bears its reason')
  t.match(ok(t, decide([{ did: mina.did, approve: true }, { did: jun.did, approve: false, reason: 'not-resident' }])), [
    { type: 'points.granted', did: mina.did, amount: 300_000, officer: officer.did },
    { type: 'points.rejected', did: jun.did, reason: 'not-resident' },
  ])
  refused(t, decide([{ did: mina.did, approve: false, reason: 'late' }]), 'points/not-pending')
  refused(t, apply(world, mina, kids, 'two', pseudonymOf('x')), 'points/already-applied', { status: 'granted' })
  t.match(ok(t, apply(world, jun, kids, 'two')), [{ place: 3 }], 'a new place, the same pseudonym')
  ok(t, apply(world, sora))
  refused(t, decide([{ did: jun.did, approve: true }, { did: sora.did, approve: true }]), 'points/budget-exhausted')
  ok(t, decide([{ did: jun.did, approve: true }]))
  later(world, 20)
  refused(t, decide([{ did: sora.did, approve: true }]), 'points/use-ended')
  ok(t, world.send(officer, 'points.closeProgram', { program: kids }))
  refused(t, decide([{ did: sora.did, approve: true }]), 'points/program-closed')
  ok(t, decide([{ did: sora.did, approve: false, reason: 'closed' }]))
  t.end()
})

t.test('an officer issues to hundreds at once, all or none', async (t) => {
  const world = city({ budget: 200_000_000 })
  const issue = (grants: readonly object[], sender = officer, program = kids): Receipt => world.send(sender, 'points.issue', { program, grants })
  const one = (who: Person, changes: object = {}): object => ({ did: who.did, tier: 'two', pseudonym: pseudonymOf(who.did), ...changes })
  refused(t, issue([one(mina)], mina), 'points/not-officer')
  refused(t, issue([one(mina)], officer, 'none'), 'points/unknown-program')
  refused(t, issue([one(mina), one(jun, { tier: 'five' })]), 'points/unknown-tier')
  refused(t, issue([one(mina), one(person('nobody'))]), 'points/unknown-did')
  refused(t, issue([one(mina), one(jun, { pseudonym: pseudonymOf(mina.did) })]), 'points/pseudonym-used', { did: jun.did })
  refused(t, issue([one(mina, { expiresMs: startMs })]), 'points/expiry-invalid')
  refused(t, issue([one(mina, { expiresMs: startMs + 20 * dayMs + 1 })]), 'points/expiry-invalid')
  t.same(grantsOf(world, mina), [], 'nothing of a refused batch')
  t.equal(world.table(pseudonymTable).length, 0)

  const many = Array.from({ length: issueBatchMax }, (_, i) => person(`citizen ${i}`))
  world.register(...many)
  const batch = many.map((who) => one(who, { expiresMs: startMs + 5 * dayMs }))
  t.ok(encode(issuePayload, { program: kids, grants: batch as never }).length < transactionBytesMax - 1_000, 'a full batch fits a transaction')
  t.equal(ok(t, issue(batch)).length, issueBatchMax)
  t.match(sumsOf(world), { held: issueBatchMax * 300_000, grants: issueBatchMax })
  t.throws(() => issue([...batch, one(mina)]), { code: 'codec/invalid' })

  refused(t, apply(world, mina, kids, 'two', pseudonymOf((many[0] as Person).did)), 'points/pseudonym-used')
  ok(t, issue(Array.from({ length: accountGrantsMax }, (_, i) => one(mina, { pseudonym: pseudonymOf(`child ${i}`) }))))
  refused(t, issue([one(mina, { pseudonym: pseudonymOf('one more') })]), 'points/too-many-grants')
  refused(t, issue([one(jun, { tier: 'three' }), ...Array.from({ length: 200 }, (_, i) => one(sora, { tier: 'three', pseudonym: pseudonymOf(`s${i}`) }))]), 'points/too-many-grants')
  t.equal(world.table(accountTable).length, issueBatchMax + 1)
  t.match(await world.ask('points_audit', { program: kids, recount: true }), { holds: true, recount: { accounts: issueBatchMax + 1 } })
  t.end()
})

t.test('points are spent from what expires first, in time, where they are taken', (t) => {
  const world = city({ budget: 10_000_000 })
  const grants = [
    { did: mina.did, tier: 'two', pseudonym: pseudonymOf('1') },
    { did: mina.did, tier: 'two', pseudonym: pseudonymOf('2'), expiresMs: startMs + 5 * dayMs },
    { did: mina.did, tier: 'two', pseudonym: pseudonymOf('3'), expiresMs: startMs + 3 * dayMs },
  ]
  ok(t, world.send(officer, 'points.issue', { program: kids, grants }))
  refused(t, spend(world, mina, shop, 1, 'none'), 'points/unknown-program')
  refused(t, spend(world, mina, bar, 10_000), 'points/category-not-allowed', { category: 'bar' })
  refused(t, spend(world, mina, sora, 10_000), 'points/unknown-merchant')
  refused(t, spend(world, jun, shop, 10_000), 'points/insufficient-balance', { usable: 0 })
  refused(t, spend(world, mina, shop, 900_001), 'points/insufficient-balance', { usable: 900_000 })
  ok(t, apply(world, shop))
  refused(t, spend(world, shop, shop, 1), 'points/own-shop')

  const receipt = spend(world, mina, shop, 350_000, kids, { reference: 'till-7.00042' })
  t.match(ok(t, receipt), [{ type: 'points.spent', did: mina.did, merchant: shop.did, purchase: receipt.id, funded: 350_000, own: 0, claim: 1, reference: 'till-7.00042' }])
  t.match(grantsOf(world, mina).map(({ spent }) => spent), [0, 50_000, 300_000])
  t.equal(world.changed.length, 6, 'the first of the day opens a claim')
  ok(t, spend(world, mina, shop, 1_000))
  t.same(
    world.changed.map((key) => key.split('/')[0]),
    ['points.account', 'points.claim', 'points.history', 'points.purchase', 'points.sums'],
    'every other spend writes four keys, and one of the programme once a block',
  )
  later(world, 5)
  refused(t, spend(world, mina, shop, 300_001), 'points/insufficient-balance', { usable: 300_000 })
  ok(t, spend(world, mina, shop, 300_000))
  t.match(sumsOf(world), { held: 300_000, unsettled: 651_000, reclaimed: 249_000 }, 'what had expired was taken back by itself')

  ok(t, world.send(officer, 'points.openProgram', { program: 'later', budget: 300_000, terms: terms({ useOpensMs: (world.nowMs + 1) as TimeMs }) }))
  ok(t, apply(world, jun, 'later', 'two'))
  refused(t, spend(world, jun, shop, 1, 'later'), 'points/use-window')
  later(world, 20)
  refused(t, spend(world, jun, shop, 1, 'later'), 'points/use-window')
  t.end()
})

t.test('caps hold for each purchase and each citizen', (t) => {
  const world = city({ kids: { capPerPurchase: 50_000 as Won, capPerCitizen: 80_000 as Won } })
  ok(t, apply(world, mina))
  refused(t, spend(world, mina, shop, 50_001), 'points/over-purchase-cap', { capPerPurchase: 50_000 })
  const first = spend(world, mina, shop, 50_000)
  ok(t, first)
  refused(t, spend(world, mina, shop, 30_001), 'points/over-citizen-cap', { cap: 80_000, used: 50_000 })
  ok(t, spend(world, mina, shop, 30_000))
  ok(t, world.send(shop, 'points.refund', { purchase: first.id, amount: 10_000 }))
  ok(t, spend(world, mina, shop, 10_000))
  refused(t, spend(world, mina, shop, 1), 'points/over-citizen-cap')
  t.end()
})

t.test('with a pass the citizen pays the own share first, the fund up to the ceiling, the citizen the rest', (t) => {
  const world = city()
  ok(t, apply(world, mina, youth))
  t.match(ok(t, spend(world, mina, theatre, 4_000, youth)), [{ funded: 0, own: 4_000 }])
  t.match(ok(t, spend(world, mina, theatre, 50_000, youth)), [{ funded: 44_000, own: 6_000 }])
  refused(t, spend(world, mina, theatre, 70_000, youth, { ownShareMax: 13_999 }), 'points/own-share-differs', { own: 14_000 })
  const last = spend(world, mina, theatre, 70_000, youth, { ownShareMax: 14_000 })
  t.match(ok(t, last), [{ funded: 56_000, own: 14_000 }])
  t.match(sumsOf(world, youth), { held: 0, unsettled: 100_000, ownPaid: 24_000 })
  refused(t, spend(world, mina, theatre, 1, youth), 'points/insufficient-balance')

  const refund = (amount: number): Receipt => world.send(theatre, 'points.refund', { purchase: last.id, amount })
  t.match(ok(t, refund(15_000)), [{ type: 'points.refunded', funded: 1_000, own: 14_000 }], 'as if the ticket had cost less')
  t.match(ok(t, refund(55_000)), [{ funded: 55_000, own: 0 }])
  refused(t, refund(1), 'points/over-refund', { refundable: 0 })
  t.match(sumsOf(world, youth), { held: 56_000, unsettled: 44_000, ownPaid: 10_000 })
  t.end()
})

t.test('a refunded own share is due again, and caps of a pass move the rest to the citizen', (t) => {
  const world = city({ youth: { capPerPurchase: 30_000 as Won, capPerCitizen: 50_000 as Won } })
  ok(t, apply(world, mina, youth))
  const first = spend(world, mina, theatre, 60_000, youth)
  t.match(ok(t, first), [{ funded: 30_000, own: 30_000 }])
  ok(t, world.send(theatre, 'points.refund', { purchase: first.id, amount: 60_000 }))
  t.match(grantsOf(world, mina, youth), [{ spent: 0, ownPaid: 0 }])
  t.match(ok(t, spend(world, mina, theatre, 40_000, youth)), [{ funded: 30_000, own: 10_000 }])
  t.match(ok(t, spend(world, mina, theatre, 40_000, youth)), [{ funded: 20_000, own: 20_000 }])
  refused(t, spend(world, mina, theatre, 40_000, youth), 'points/over-citizen-cap', { used: 50_000 })
  t.end()
})

t.test('two passes pay one after the other, the caps over both', (t) => {
  const world = city({ youth: { capPerPurchase: 150_000 as Won, capPerCitizen: 180_000 as Won } })
  ok(t, world.send(officer, 'points.issue', { program: youth, grants: ['1', '2'].map((each) => ({ did: mina.did, tier: 'youth', pseudonym: pseudonymOf(each) })) }))
  const both = spend(world, mina, theatre, 250_000, youth)
  t.match(ok(t, both), [{ funded: 150_000, own: 100_000 }])
  t.match(grantsOf(world, mina, youth), [{ spent: 100_000, ownPaid: 10_000 }, { spent: 50_000, ownPaid: 10_000 }])
  t.match(ok(t, world.send(theatre, 'points.refund', { purchase: both.id, amount: 140_001 })), [{ funded: 50_001, own: 90_000 }], 'excess, second pass, its share, then the first')
  t.match(grantsOf(world, mina, youth), [{ spent: 99_999, ownPaid: 10_000 }, { spent: 0, ownPaid: 0 }])
  t.match(ok(t, spend(world, mina, theatre, 100_000, youth)), [{ funded: 80_001, own: 19_999 }], 'up to the cap of the citizen')
  t.end()
})

t.test('a purchase is refunded up to its price, to the grants that paid it', (t) => {
  const world = city({ budget: 10_000_000 })
  const expiries = [undefined, startMs + 5 * dayMs]
  ok(t, world.send(officer, 'points.issue', { program: kids, grants: expiries.map((expiresMs, i) => ({ did: mina.did, tier: 'two', pseudonym: pseudonymOf(`${i}`), expiresMs })) }))
  const bought = spend(world, mina, shop, 400_000)
  const refund = (amount: number, sender = shop): Receipt => world.send(sender, 'points.refund', { purchase: bought.id, amount, reason: 'returned' })
  t.same(grantsOf(world, mina).map(({ spent }) => spent), [100_000, 300_000])
  refused(t, refund(1, theatre), 'points/unknown-purchase')
  refused(t, refund(1, mina), 'points/unknown-purchase')
  refused(t, refund(400_001), 'points/over-refund', { refundable: 400_000 })
  t.match(ok(t, refund(150_000)), [{ type: 'points.refunded', did: mina.did, funded: 150_000, reason: 'returned' }])
  t.same(grantsOf(world, mina).map(({ spent }) => spent), [0, 250_000], 'what paid last comes back first')
  refused(t, refund(250_001), 'points/over-refund', { refundable: 250_000 })
  later(world, 21)
  ok(t, refund(250_000))
  refused(t, refund(1), 'points/over-refund')
  t.match(sumsOf(world), { held: 0, unsettled: 0, reclaimed: 600_000 }, 'what comes back to an expired grant lapses at once')
  t.end()
})

t.test('a day’s purchases make a claim; the bank pays each once, for what it comes to', async (t) => {
  const world = city({ budget: 10_000_000 })
  apply(world, mina)
  spend(world, mina, shop, 1_000)
  spend(world, mina, shop, 2_000)
  later(world, 0.63)
  spend(world, mina, shop, 4_000)
  later(world, 0.7)
  spend(world, mina, theatre, 8_000)
  t.same(
    world.table(claimTable).map(({ key, value }) => [key[1], Number(key[2]), value.purchases, value.gross]),
    [
      [shop.did, 1, 2, 3_000],
      [shop.did, 2, 1, 4_000],
      [theatre.did, 1, 1, 8_000],
    ],
    'the Korean day turns at 15:00 UTC',
  )
  const paid = { merchant: shop, claim: 1, amount: 3_000 }
  refused(t, world.send(officer, 'points.settle', { payment: 'x', items: [{ merchant: shop.did, program: kids, claim: 1, amount: 3_000 }] }), 'points/not-settler')
  refused(t, settle(world, 'x', { ...paid, claim: 3 }), 'points/unknown-claim')
  refused(t, settle(world, 'x', { ...paid, merchant: bar }), 'points/unknown-claim')
  refused(t, settle(world, 'x', { ...paid, program: 'none' }), 'points/unknown-program')
  refused(t, settle(world, 'x', paid, paid), 'points/claim-settled')
  refused(t, settle(world, 'x', paid, { merchant: theatre, claim: 1, amount: 8_001 }), 'points/claim-amount-differs', { due: 8_000 })
  t.match(sumsOf(world), { unsettled: 15_000, settled: 0 }, 'all or none')
  const receipt = settle(world, '20241004-1', paid, { merchant: theatre, claim: 1, amount: 8_000 })
  t.match(ok(t, receipt), [
    { type: 'points.settled', merchant: shop.did, claim: 1, amount: 3_000, payment: '20241004-1', settler: bank.did },
    { merchant: theatre.did, amount: 8_000 },
  ])
  refused(t, settle(world, '20241004-1', { merchant: shop, claim: 2, amount: 4_000 }), 'points/payment-exists')
  refused(t, settle(world, '20241004-2', paid), 'points/claim-settled', { payment: '20241004-1' })
  ok(t, settle(world, '20241004-2', { merchant: shop, claim: 2, amount: 4_000 }))
  spend(world, mina, shop, 500)
  t.match(world.table(bookTable).find(({ key }) => key[0] === shop.did)?.value, { last: 3 }, 'a settled claim of today gathers nothing more')
  t.match(sumsOf(world), { unsettled: 500, settled: 15_000 })
  t.match(await world.ask('points_settlements', { limit: 1 }), { items: [{ payment: '20241004-1', amount: 11_000, claims: 2, settler: bank.did }], next: '20241004-1' })
  t.match(await world.ask('points_settlements', { cursor: '20241004-1' }), { items: [{ payment: '20241004-2' }] })
  t.match(await world.ask('points_settlement', { payment: '20241004-1' }), { items: [{ amount: 3_000 }, { amount: 8_000 }] })
  t.end()
})

t.test('a settler of one programme settles no other', (t) => {
  const world = city()
  world.give(jun, 'settler', youth)
  apply(world, mina)
  spend(world, mina, shop, 1_000)
  refused(t, world.send(jun, 'points.settle', { payment: 'x', items: [{ merchant: shop.did, program: kids, claim: 1, amount: 1_000 }] }), 'points/not-settler', { program: kids })
  t.end()
})

t.test('a refund of what the bank has paid is owed by the merchant, and kept back from its next settlement', async (t) => {
  const world = city({ kids: { merchantDebtMax: 2_000 as Won } })
  apply(world, mina)
  const first = spend(world, mina, shop, 10_000)
  ok(t, settle(world, 'p1', { merchant: shop, claim: 1, amount: 10_000 }))
  const refund = (bought: Receipt, amount: number): Receipt => world.send(shop, 'points.refund', { purchase: bought.id, amount })
  refused(t, refund(first, 2_001), 'points/refund-not-covered', { earned: 0, owed: 0, merchantDebtMax: 2_000 })
  t.match(ok(t, refund(first, 2_000)), [{ type: 'points.refunded', funded: 2_000, wasPaid: true }])
  t.match(sumsOf(world), { settled: 8_000, owed: 2_000, paid: 10_000, held: 292_000 })
  const second = spend(world, mina, shop, 4_000)
  refused(t, refund(first, 4_001), 'points/refund-not-covered', { earned: 4_000, owed: 2_000 })
  ok(t, refund(first, 4_000))
  t.match(ok(t, refund(second, 1_000)), [{ wasPaid: false }])
  t.match(world.table(claimTable).map(({ value }) => value), [
    { gross: 10_000, refunded: 0, netted: 0, payment: 'p1' },
    { gross: 4_000, refunded: 1_000, netted: 0 },
  ])
  t.match(await world.ask('points_debt', { merchant: shop.did, program: kids }), { owed: 6_000 })
  t.match(await world.ask('points_due', { program: kids }), { items: [{ merchant: shop.did, claim: 2, amount: 0 }] })
  refused(t, settle(world, 'p2', { merchant: shop, claim: 2, amount: 3_000 }), 'points/claim-amount-differs', { due: 3_000, netted: 3_000, payable: 0 })
  t.match(ok(t, settle(world, 'p2', { merchant: shop, claim: 2, amount: 0 })), [{ amount: 0, netted: 3_000 }])
  t.match(sumsOf(world), { unsettled: 0, settled: 7_000, owed: 3_000, paid: 10_000, held: 293_000 })
  later(world, 1)
  spend(world, mina, shop, 5_000)
  t.match(ok(t, settle(world, 'p3', { merchant: shop, claim: 3, amount: 2_000 })), [{ amount: 2_000, netted: 3_000 }])
  t.match(sumsOf(world), { unsettled: 0, settled: 12_000, owed: 0, paid: 12_000, held: 288_000 })
  t.match(await world.ask('points_claims', { merchant: shop.did, program: kids }), { items: [{ due: 10_000 }, { due: 0, netted: 3_000 }, { due: 2_000, netted: 3_000 }] })
  t.end()
})

t.test('what is left at the end is taken back, once, to where the programme says', (t) => {
  for (const leftover of ['reclaimed', 'unallocated'] as const) {
    // not at a full minute, so that the chain itself comes some seconds later
    const world = city({ kids: { leftover, useClosesMs: (startMs + 20 * dayMs + 1) as TimeMs } })
    apply(world, mina)
    apply(world, jun)
    const reclaim = (dids: readonly Did[], program = kids): Receipt => world.send(sora, 'points.reclaim', { program, dids })
    spend(world, mina, shop, 100_000)
    refused(t, reclaim([mina.did], 'none'), 'points/unknown-program')
    refused(t, reclaim([mina.did]), 'points/nothing-to-reclaim')
    world.nowMs = (startMs + 20 * dayMs) as TimeMs
    refused(t, reclaim([mina.did]), 'points/nothing-to-reclaim')
    world.nowMs++
    t.match(ok(t, reclaim([mina.did, mina.did, sora.did])), [{ type: 'points.reclaimed', did: mina.did, grant: 1, amount: 200_000, to: leftover }])
    refused(t, reclaim([mina.did, sora.did]), 'points/nothing-to-reclaim')
    ok(t, reclaim([jun.did]))
    t.match(sumsOf(world), leftover === 'reclaimed' ? { held: 0, reclaimed: 500_000, unallocated: 400_000 } : { held: 0, reclaimed: 0, unallocated: 900_000 })
  }
  t.end()
})

t.test('a grant that expires before its programme frees its money for others', (t) => {
  const world = city({ kids: { leftover: 'unallocated' }, budget: 300_000 })
  ok(t, world.send(officer, 'points.issue', { program: kids, grants: [{ did: mina.did, tier: 'two', pseudonym: pseudonymOf('m'), expiresMs: startMs + dayMs }] }))
  refused(t, apply(world, jun), 'points/budget-exhausted')
  later(world, 1)
  ok(t, apply(world, jun))
  t.end()
})

t.test('a closed programme only winds up', (t) => {
  const world = city({ kids: { decide: 'officer' } })
  apply(world, sora)
  ok(t, world.send(officer, 'points.issue', { program: kids, grants: [{ did: mina.did, tier: 'two', pseudonym: pseudonymOf('m') }] }))
  const bought = spend(world, mina, shop, 300_000)
  const close = (sender = officer, program = kids): Receipt => world.send(sender, 'points.closeProgram', { program })
  refused(t, close(mina), 'points/not-officer')
  refused(t, close(officer, 'none'), 'points/unknown-program')
  ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 1 }))
  refused(t, close(), 'points/still-held', { held: 1 })
  ok(t, spend(world, mina, shop, 1))
  ok(t, close())
  refused(t, close(), 'points/program-closed')
  refused(t, apply(world, jun), 'points/program-closed')
  refused(t, spend(world, mina, shop, 1), 'points/program-closed')
  refused(t, world.send(officer, 'points.topUp', { program: kids, amount: 1 }), 'points/program-closed')
  refused(t, world.send(officer, 'points.amendProgram', { program: kids, title: 'x' }), 'points/program-closed')
  refused(t, world.send(officer, 'points.issue', { program: kids, grants: [{ did: jun.did, tier: 'two', pseudonym: pseudonymOf('j') }] }), 'points/program-closed')
  t.match(ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 100_000 })), [{}, { type: 'points.reclaimed', amount: 100_000 }])
  ok(t, settle(world, 'p', { merchant: shop, claim: 1, amount: 200_000 }))
  ok(t, world.send(officer, 'points.cutBudget', { program: kids, amount: 700_000 }))
  t.match(sumsOf(world), { budget: 300_000, unallocated: 0, held: 0, unsettled: 0, settled: 200_000, reclaimed: 100_000 })
  later(world, 20)
  ok(t, close(officer, youth))
  t.end()
})

t.test('queries', async (t) => {
  const world = city({ budget: 10_000_000 })
  ok(t, apply(world, mina))
  ok(t, apply(world, mina, youth))
  const bought = spend(world, mina, shop, 10_000)
  spend(world, mina, theatre, 5_000)
  spend(world, mina, theatre, 6_000, youth)
  later(world, 1)
  spend(world, mina, theatre, 30_000, youth)
  spend(world, mina, theatre, 3_000)

  t.match(await world.ask('points_programs', {}), { items: [{ id: kids, kind: 'points', status: 'open', sums: { held: 282_000 } }, { id: youth, ownShare: 10_000 }] })
  t.match(await world.ask('points_programs', { limit: 1 }), { items: [{ id: kids }], next: kids })
  t.match(await world.ask('points_program', { program: kids }), { id: kids, sums: { budget: 10_000_000 } })
  t.equal(await world.ask('points_program', { program: 'none' }), undefined)
  t.same(await world.ask('points_balance', { did: mina.did }), {
    did: mina.did,
    balance: 356_000,
    usable: 356_000,
    programs: [
      { program: kids, title: '다자녀 교육지원포인트', kind: 'points', balance: 282_000, usable: 282_000, onHold: 0, spent: 18_000 },
      { program: youth, title: '청년 문화패스', kind: 'pass', balance: 74_000, usable: 74_000, onHold: 0, spent: 26_000, ownShareDue: 0 },
    ],
  })
  t.match(await world.ask('points_balance', { did: mina.did, program: youth }), { balance: 74_000, programs: { length: 1 } })
  t.same(await world.ask('points_balance', { did: jun.did }), { did: jun.did, balance: 0, usable: 0, programs: [] })
  t.equal(await world.ask('points_balance', { did: mina.did, program: 'none' }), undefined)
  t.match(await world.ask('points_grants', { did: mina.did }), {
    items: [
      { program: kids, grant: 1, amount: 300_000, spent: 18_000, left: 282_000, expired: false },
      { program: youth, left: 74_000, ownPaid: 10_000, expiresMs: startMs + 20 * dayMs },
    ],
  })
  t.match(await world.ask('points_application', { program: kids, did: mina.did }), { tier: 'two', place: 1, status: 'granted', appliedMs: startMs })
  t.equal(await world.ask('points_application', { program: kids, did: jun.did }), undefined)

  const claims = (await world.ask('points_claims', { merchant: theatre.did })) as { readonly items: readonly object[] }
  t.match(claims.items, [
    { program: kids, claim: 1, due: 5_000 },
    { program: kids, claim: 2, due: 3_000 },
    { program: youth, claim: 1, due: 0 },
    { program: youth, claim: 2, due: 26_000 },
  ])
  const paged: object[] = []
  let cursor: string | undefined
  do {
    const page = (await world.ask('points_claims', { merchant: theatre.did, limit: 1, ...(cursor === undefined ? {} : { cursor }) })) as { readonly items: readonly object[]; readonly next?: string }
    paged.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  t.same(paged, claims.items, 'the same by pages')
  t.match(await world.ask('points_claims', { merchant: theatre.did, program: youth }), { items: [{ claim: 1 }, { claim: 2 }] })
  t.match(await world.ask('points_programClaims', { program: kids }), { items: { length: 3 } })
  t.equal(await world.ask('points_programClaims', { program: 'none' }), undefined)
  t.match(await world.ask('points_accounts', { program: kids }), { items: [{ did: mina.did, grants: [{ amount: 300_000 }] }] })
  t.equal(await world.ask('points_accounts', { program: 'none' }), undefined)
  t.match(await world.ask('points_purchase', { merchant: shop.did, purchase: toBase64url(bought.id) }), { citizen: mina.did, price: 10_000, refunded: 0 })
  t.match(await world.ask('points_merchant', { merchant: bar.did }), { category: 'bar', status: 'active' })
  t.match(await world.ask('points_merchants', {}), { items: { length: 3 } })

  t.match(await world.ask('points_audit', { program: kids, recount: true }), { height: world.height, holds: true, recount: { held: 282_000, spent: 18_000, unsettled: 18_000, claimed: 0 } })
  t.equal(await world.ask('points_audit', { program: kids, height: world.height + 1 }), undefined)
  t.equal(await world.ask('points_audit', { program: 'none' }), undefined)
  later(world, 20)
  t.match(await world.ask('points_balance', { did: mina.did }), { balance: 0, usable: 0 })
  t.match(await world.ask('points_grants', { did: mina.did }), { items: [{ left: 282_000, expired: true }, {}] })

  const { key, value } = world.table(claimTable)[0] as { readonly key: readonly string[]; readonly value: Claim }
  world.setUp((view) => view.put(claimTable, key, { ...value, gross: (value.gross + 1) as Won }))
  t.match(await world.ask('points_audit', { program: kids }), { holds: true }, 'by the sums that are kept')
  t.match(await world.ask('points_audit', { program: kids, recount: true }), { holds: false }, 'a claim that does not fit is found')
  t.end()
})

t.test('genesis lists merchants', (t) => {
  const section = { merchants: [{ did: shop.did, category: 'bookshop', livingArea: 'jung-1' }] }
  t.same(decode(genesisSection, encode(genesisSection, section), 1_000), section)
  const view = createOverlay({ get: () => undefined }, createValueCache(10))
  pointsFamily.genesis?.apply({ block: { chain: '', height: 0, timeMs: 0 } as never, view, emit: () => {} }, section as never)
  t.equal(view.changes().length, 1)
  t.end()
})

t.test('every code is provoked, and every code provoked is listed', (t) => {
  t.same([...provoked, ...codesOfLife].sort(), Object.keys(codes).sort())
  t.end()
})
