// What happens to a programme over time: holds, expiry by the chain, the line, clawback, caps by the day and month, cut-offs, debts, and the books.
import t from 'tap'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { Event } from '../../state/family.ts'
import { dateOf, dayEndsMs, dayOf, monthOf } from '../../state/calendar.ts'
import { accountTable, dueChunkTable, dueHeapTable, dueSizeTable, dueTable, historyTable, holdTable, lineRowTable, lineTable, type Sums, sumsTable } from '../../state/points/keys.ts'
import { budgetMax, dueWorkMax, flowsModulus, historyKept, issueBatchMax, promoteAtOnceMax } from '../../state/points/limits.ts'
import { minuteFrom, minuteOf, putDue, takeDue } from '../../state/points/due.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createOverlay, createValueCache } from '../../state/view.ts'
import { apply, bank, city, codesOfLife, grantsOf, jun, kids, later, mina, officer, ok, provoked, refused, settle, shop, sora, spend, sumsOf, theatre, youth } from './points-city.ts'
import { createWorld, dayMs, person, pseudonymOf, startMs, terms, type Person, type World } from './points-world.ts'

const hourMs = 3_600_000
const second = person('second officer')

function authorise(world: World, who: Person, merchant: Person, amount: number, more: object = {}): Receipt {
  return world.send(who, 'points.authorise', { program: kids, merchant: merchant.did, amount, expiresMs: world.nowMs + hourMs, ...more })
}
function capture(world: World, merchant: Person, hold: Receipt, amount: number): Receipt {
  return world.send(merchant, 'points.capture', { purchase: hold.id, amount })
}
function undo(world: World, merchant: Person, hold: Receipt): Receipt {
  return world.send(merchant, 'points.void', { purchase: hold.id })
}
function clawback(world: World, who: Person, grant = 1, program = kids): Receipt {
  return world.send(officer, 'points.clawback', { program, did: who.did, grant, reason: 'not-resident' })
}
/** An empty block; what the chain did in it by itself. */
function tick(world: World): readonly Event[] {
  const seen = world.events.length
  world.block()
  return world.events.slice(seen)
}
const at = (world: World, ms: number): void => {
  world.nowMs = (startMs + ms) as TimeMs
}

t.test('the Korean calendar, against that of the platform', (t) => {
  for (let i = 0; i < 4_000; i++) {
    // days from 1970 to 2190, each at another hour
    const ms = i * 20 * dayMs + (i % 24) * hourMs
    const there = new Date(ms + 9 * hourMs)
    if (dateOf(dayOf(ms)) !== there.toISOString().slice(0, 10)) t.fail(`${there.toISOString()} is said to be ${dateOf(dayOf(ms))}`)
    if (monthOf(ms) !== there.getUTCFullYear() * 12 + there.getUTCMonth()) t.fail(`the month of ${there.toISOString()}`)
  }
  t.equal(dateOf(dayOf(Date.UTC(2024, 1, 28, 15))), '2024-02-29')
  t.equal(dayEndsMs(dayOf(startMs)), startMs + 15 * hourMs, '9 in the morning, so 15 hours to midnight')
  t.equal(dayOf(dayEndsMs(7) - 1), 7)
  t.equal(dayOf(dayEndsMs(7)), 8)
  t.end()
})

t.test('the queue gives what is due in the order of minutes, and nothing before its time', (t) => {
  const view = createOverlay({ get: () => undefined }, createValueCache(10))
  const minutes = Array.from({ length: 300 }, (_, i) => (i * 7_919) % 101)
  for (const [i, minute] of minutes.entries()) putDue(view, minute, { type: 'line', program: `p-${i}` })
  t.equal(takeDue(view, -1), undefined)
  const expected = minutes.map((minute, i) => ({ minute, i })).sort((a, b) => a.minute - b.minute || a.i - b.i)
  for (const { minute, i } of expected) {
    if (minute > 0) t.equal(takeDue(view, minute * 60_000 - 1), undefined, `nothing of minute ${minute} before it`)
    t.same(takeDue(view, minute * 60_000), { type: 'line', program: `p-${i}` })
    // what comes meanwhile to a minute that is being worked off is not lost
  }
  // what comes to a minute that is being worked off is not lost, and comes last
  for (let i = 0; i < 40; i++) putDue(view, 7, { type: 'line', program: `p-${i}` })
  const taken: unknown[] = []
  for (let i = 0; i < 35; i++) taken.push(takeDue(view, 7 * 60_000))
  for (let i = 40; i < 80; i++) putDue(view, 7, { type: 'line', program: `p-${i}` })
  for (let i = 35; i < 80; i++) taken.push(takeDue(view, 7 * 60_000))
  t.same(taken, Array.from({ length: 80 }, (_, i) => ({ type: 'line', program: `p-${i}` })))
  t.equal(takeDue(view, Number.MAX_SAFE_INTEGER), undefined)
  t.same(view.changes().filter(({ value }) => value !== undefined).map(({ key }) => key), ['points.dueSize/heap'], 'nothing is left behind')
  t.equal(minuteFrom(60_001), 2)
  t.equal(minuteOf(119_999), 1)
  t.end()
})

t.test('a hold is captured once, in part or in full, by its merchant', async (t) => {
  const world = city()
  apply(world, mina)
  refused(t, authorise(world, mina, shop, 10_000, { expiresMs: world.nowMs }), 'points/hold-expiry-invalid')
  refused(t, authorise(world, mina, shop, 10_000, { expiresMs: world.nowMs + 30 * dayMs + 1 }), 'points/hold-expiry-invalid', { latestMs: world.nowMs + 30 * dayMs })
  t.equal(authorise(world, mina, shop, 300_001).code, 'points/insufficient-balance')
  const hold = authorise(world, mina, shop, 200_000, { reference: 'order-1' })
  t.match(ok(t, hold), [{ type: 'points.authorised', did: mina.did, merchant: shop.did, purchase: hold.id, funded: 200_000, own: 0, expiresMs: world.nowMs + hourMs }])
  t.match(sumsOf(world), { held: 300_000, onHold: 200_000, unsettled: 0 })
  t.match(await world.ask('points_balance', { did: mina.did }), { balance: 100_000, usable: 100_000, programs: [{ onHold: 200_000, spent: 0 }] })
  t.match(await world.ask('points_hold', { merchant: shop.did, purchase: toBase64url(hold.id) }), { price: 200_000, citizen: mina.did })
  t.equal(spend(world, mina, shop, 100_001).code, 'points/insufficient-balance')
  ok(t, spend(world, mina, shop, 100_000))

  refused(t, capture(world, theatre, hold, 1), 'points/unknown-hold')
  refused(t, capture(world, mina, hold, 1), 'points/unknown-hold')
  refused(t, capture(world, shop, hold, 200_001), 'points/over-capture', { price: 200_000 })
  world.send(officer, 'points.suspendMerchant', { merchant: shop.did, reason: 'fraud' })
  t.equal(capture(world, shop, hold, 200_000).code, 'points/merchant-suspended')
  world.send(officer, 'points.resumeMerchant', { merchant: shop.did })
  t.match(ok(t, capture(world, shop, hold, 150_000)), [{ type: 'points.captured', funded: 150_000, own: 0, released: 50_000, claim: 1, reference: 'order-1' }])
  refused(t, capture(world, shop, hold, 1), 'points/unknown-hold')
  refused(t, undo(world, shop, hold), 'points/unknown-hold')
  t.match(sumsOf(world), { held: 50_000, onHold: 0, unsettled: 250_000 })
  t.match(ok(t, world.send(shop, 'points.refund', { purchase: hold.id, amount: 150_000 })), [{ funded: 150_000 }], 'a refund names it as any purchase')
  t.equal(world.send(shop, 'points.refund', { purchase: hold.id, amount: 1 }).code, 'points/over-refund')
  t.end()
})

t.test('a hold is voided, or goes back by itself when its time is over', (t) => {
  const world = city()
  apply(world, mina)
  const [first, last] = [authorise(world, mina, shop, 100_000), authorise(world, mina, shop, 50_000)]
  world.send(officer, 'points.suspendMerchant', { merchant: shop.did, reason: 'fraud' })
  t.match(ok(t, undo(world, shop, first)), [{ type: 'points.released', did: mina.did, funded: 100_000, by: 'void' }], 'also by a suspended merchant')
  at(world, hourMs)
  t.match(tick(world), [{ type: 'points.released', purchase: last.id, funded: 50_000, by: 'expiry' }])
  refused(t, capture(world, shop, last, 1), 'points/unknown-hold')
  t.match(sumsOf(world), { held: 300_000, onHold: 0 })
  const uneven = authorise(world, mina, theatre, 70, { expiresMs: world.nowMs + 1 })
  world.nowMs++
  refused(t, capture(world, theatre, uneven, 1), 'points/hold-expired')
  t.equal(world.table(holdTable).length, 1, 'the chain comes with the next minute')
  world.nowMs = (world.nowMs + 60_000) as TimeMs
  t.match(tick(world), [{ type: 'points.released', by: 'expiry' }])
  t.end()
})

t.test('a hold of a pass keeps the own share, and outlives the grant', (t) => {
  const world = city({ youth: { refundGraceDays: 3 } })
  apply(world, mina, youth)
  const order = { program: youth, amount: 60_000 }
  t.equal(authorise(world, mina, theatre, 60_000, { ...order, ownShareMax: 9_999 }).code, 'points/own-share-differs')
  at(world, 20 * dayMs - 1)
  const hold = authorise(world, mina, theatre, 60_000, { ...order, expiresMs: startMs + 30 * dayMs })
  t.match(ok(t, hold), [{ funded: 50_000, own: 10_000 }])
  at(world, 20 * dayMs)
  t.match(tick(world), [{ type: 'points.reclaimed', grant: 1, amount: 50_000 }], 'what is not on hold lapses')
  t.equal(world.send(officer, 'points.closeProgram', { program: youth }).code, 'points/still-held')
  t.match(ok(t, capture(world, theatre, hold, 30_000)), [{ funded: 20_000, own: 10_000, released: 30_000 }])
  t.match(sumsOf(world, youth), { held: 30_000, onHold: 0, unsettled: 20_000, ownPaid: 10_000 })
  t.match(ok(t, spend(world, mina, theatre, 30_000, youth)), [{ funded: 30_000, own: 0 }], 'what the merchant gave back has the grace of a refund')
  t.end()
})

t.test('an own share on hold pays for nothing else: letting a hold lapse does not save it', (t) => {
  const world = city()
  apply(world, mina, youth)
  const order = { program: youth, expiresMs: startMs + hourMs }
  const hold = authorise(world, mina, theatre, 20_000, order)
  t.match(ok(t, hold), [{ funded: 10_000, own: 10_000 }])
  const bought = spend(world, mina, theatre, 80_000, youth)
  t.match(ok(t, bought), [{ funded: 70_000, own: 10_000 }], 'the share is paid here, whatever becomes of the hold')
  at(world, hourMs)
  t.match(tick(world), [{ type: 'points.released', funded: 10_000, own: 10_000, by: 'expiry' }])
  t.match(grantsOf(world, mina, youth), [{ spent: 70_000, onHold: 0, ownPaid: 10_000 }])
  t.match(ok(t, spend(world, mina, theatre, 40_000, youth)), [{ funded: 30_000, own: 10_000 }], 'the share is paid once; this is beyond the ceiling')

  // both stand in the end: of the second to be captured what was set aside as the share is the citizen's beyond it, and the fund has so much more left
  const twice = city()
  apply(twice, mina, youth)
  const [first, last] = [authorise(twice, mina, theatre, 30_000, order), authorise(twice, mina, theatre, 30_000, order)]
  t.match([...ok(t, first), ...ok(t, last)], [{ funded: 20_000, own: 10_000 }, { funded: 20_000, own: 10_000 }])
  t.match(ok(t, capture(twice, theatre, last, 30_000)), [{ funded: 20_000, own: 10_000 }])
  t.match(ok(t, capture(twice, theatre, first, 30_000)), [{ funded: 20_000, own: 10_000 }])
  t.match(grantsOf(twice, mina, youth), [{ spent: 40_000, onHold: 0, ownPaid: 10_000 }])
  t.match(sumsOf(twice, youth), { ownPaid: 20_000, held: 60_000 })
  t.match(ok(t, twice.send(theatre, 'points.refund', { purchase: first.id, amount: 12_000 })), [{ funded: 2_000, own: 10_000 }], 'and comes back first')
  t.match(grantsOf(twice, mina, youth), [{ spent: 38_000, ownPaid: 10_000 }])
  t.match(ok(t, spend(twice, mina, theatre, 62_000, youth)), [{ funded: 62_000, own: 0 }])
  t.end()
})

t.test('a hold that nobody captured lapses with its grant, grace or not', (t) => {
  const world = city({ kids: { refundGraceDays: 3 } })
  apply(world, mina)
  at(world, 20 * dayMs - hourMs)
  ok(t, authorise(world, mina, shop, 100_000, { expiresMs: startMs + 21 * dayMs }))
  at(world, 21 * dayMs)
  t.match(tick(world), [{ type: 'points.reclaimed', amount: 200_000 }, { type: 'points.released', by: 'expiry' }, { type: 'points.reclaimed', amount: 100_000 }])
  t.match(sumsOf(world), { held: 0, reclaimed: 300_000 })
  ok(t, world.send(officer, 'points.closeProgram', { program: kids }))
  t.end()
})

t.test('a hold without any of the fund’s money does not keep a programme open', (t) => {
  const world = city({ youth: { tiers: [{ tier: 'youth', amount: 100 as Won }] } })
  apply(world, mina, youth)
  const hold = authorise(world, mina, theatre, 1_000, { program: youth, expiresMs: startMs + 30 * dayMs })
  t.match(ok(t, hold), [{ funded: 0, own: 1_000 }])
  ok(t, clawback(world, mina, 1, youth))
  ok(t, world.send(officer, 'points.closeProgram', { program: youth }))
  at(world, 30 * dayMs)
  t.match(tick(world), [{ type: 'points.released', funded: 0, own: 1_000 }])
  t.end()
})

t.test('a tier ends its grants by itself, with a Korean day; the end of a programme moves the grants that follow it', (t) => {
  const world = city({ kids: { tiers: [{ tier: 'two', amount: 300_000 as Won, useDays: 2 }, { tier: 'three', amount: 500_000 as Won }] } })
  const endsMs = startMs + 2 * dayMs + 15 * hourMs
  t.match(ok(t, apply(world, mina)), [{}, { expiresMs: endsMs }])
  ok(t, apply(world, jun, kids, 'three'))
  at(world, 2 * dayMs)
  ok(t, world.send(officer, 'points.amendProgram', { program: kids, useClosesMs: startMs + 25 * dayMs }))
  world.nowMs = (endsMs - 1) as TimeMs
  ok(t, spend(world, mina, shop, 1))
  world.nowMs = endsMs as TimeMs
  t.match(tick(world), [{ type: 'points.reclaimed', did: mina.did, amount: 299_999, to: 'reclaimed' }])
  at(world, 20 * dayMs)
  t.same(tick(world), [], 'due at the old end, and put off')
  at(world, 25 * dayMs)
  t.match(tick(world), [{ type: 'points.reclaimed', did: jun.did, amount: 500_000 }])
  t.end()
})

t.test('a refund after the end lapses at once, or can be used for the days of grace', (t) => {
  for (const grace of [undefined, 2]) {
    const world = city({ kids: { ...(grace !== undefined && { refundGraceDays: grace }), leftover: 'unallocated' } })
    apply(world, mina)
    const bought = spend(world, mina, shop, 200_000)
    at(world, 21 * dayMs)
    t.match(tick(world), [{ type: 'points.reclaimed', amount: 100_000, to: 'unallocated' }])
    const refund = (amount: number): readonly Event[] => ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount }))
    if (grace === undefined) {
      t.match(refund(50_000), [{ type: 'points.refunded' }, { type: 'points.reclaimed', amount: 50_000 }])
      t.equal(spend(world, mina, shop, 1).code, 'points/use-window')
      continue
    }
    t.equal(refund(50_000).length, 1)
    ok(t, spend(world, mina, shop, 20_000))
    const endsMs = startMs + 23 * dayMs + 15 * hourMs
    t.match(grantsOf(world, mina), [{ expiresMs: endsMs, reclaimed: 100_000, spent: 170_000 }])
    world.nowMs = (endsMs - 1) as TimeMs
    ok(t, spend(world, mina, shop, 20_000))
    world.nowMs++
    t.match(tick(world), [{ type: 'points.reclaimed', amount: 10_000 }])
    t.equal(spend(world, mina, shop, 1).code, 'points/use-window')
  }
  t.end()
})

t.test('with a refund in grace nothing comes to life that had expired before', (t) => {
  // not at a full minute, so that the refund comes before the chain has taken back what is left
  const world = city({ kids: { refundGraceDays: 1, useClosesMs: (startMs + 20 * dayMs + 1) as TimeMs } })
  apply(world, mina)
  const bought = spend(world, mina, shop, 200_000)
  at(world, 20 * dayMs + 2)
  t.match(ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 50_000 })), [{ type: 'points.refunded' }, { type: 'points.reclaimed', amount: 100_000 }])
  t.equal(spend(world, mina, shop, 50_001).code, 'points/insufficient-balance')
  ok(t, spend(world, mina, shop, 50_000))
  t.end()
})

t.test('caps of a day and a month, by Korean time, holds included, refunds of the same period taken off', async (t) => {
  const world = city({ kids: { capPerDay: 50_000 as Won, capPerMonth: 80_000 as Won } })
  apply(world, mina)
  const first = spend(world, mina, shop, 30_000)
  refused(t, spend(world, mina, shop, 20_001), 'points/over-day-cap', { cap: 50_000, used: 30_000 })
  const hold = authorise(world, mina, shop, 20_000)
  t.match(await world.ask('points_balance', { did: mina.did }), { programs: [{ leftToday: 0, leftThisMonth: 30_000 }] })
  refused(t, spend(world, mina, shop, 1), 'points/over-day-cap')
  ok(t, world.send(shop, 'points.refund', { purchase: first.id, amount: 10_000 }))
  ok(t, capture(world, shop, hold, 15_000))
  ok(t, spend(world, mina, shop, 15_000))
  refused(t, spend(world, mina, shop, 1), 'points/over-day-cap')
  world.nowMs = dayEndsMs(dayOf(startMs))
  ok(t, world.send(shop, 'points.refund', { purchase: first.id, amount: 5_000 }))
  refused(t, spend(world, mina, shop, 35_001), 'points/over-month-cap', { used: 45_000 })
  ok(t, spend(world, mina, shop, 35_000))
  refused(t, spend(world, mina, shop, 1), 'points/over-month-cap')
  t.match(await world.ask('points_balance', { did: mina.did }), { programs: [{ leftToday: 15_000, leftThisMonth: 0 }] })
  // 2024-10-04 is the first day, so November begins 27 Korean midnights later
  ok(t, world.send(officer, 'points.amendProgram', { program: kids, useClosesMs: startMs + 60 * dayMs }))
  world.nowMs = (dayEndsMs(dayOf(startMs) + 27) - 1) as TimeMs
  refused(t, spend(world, mina, shop, 1), 'points/over-month-cap')
  world.nowMs++
  ok(t, spend(world, mina, shop, 50_000))
  ok(t, world.send(shop, 'points.refund', { purchase: first.id, amount: 15_000 }))
  t.match(await world.ask('points_balance', { did: mina.did }), { programs: [{ leftToday: 0, leftThisMonth: 30_000 }] }, 'what comes back of another month makes no room in this one')
  t.end()
})

t.test('a pass pays up to the caps of the day and month, and the citizen the rest', (t) => {
  const world = city({ youth: { capPerDay: 30_000 as Won, capPerMonth: 50_000 as Won } })
  apply(world, mina, youth)
  t.match(ok(t, spend(world, mina, theatre, 60_000, youth)), [{ funded: 30_000, own: 30_000 }])
  refused(t, spend(world, mina, theatre, 1, youth), 'points/over-day-cap')
  later(world, 1)
  t.match(ok(t, spend(world, mina, theatre, 60_000, youth)), [{ funded: 20_000, own: 40_000 }])
  refused(t, spend(world, mina, theatre, 1, youth), 'points/over-month-cap')
  t.end()
})

t.test('where officers act in pairs, every act needs a second one’s signature', (t) => {
  const world = city()
  world.register(second)
  const pair = { officersNeeded: 2, decide: 'officer' } as const
  const open = (...cosigners: readonly Person[]): Receipt => world.send(officer, 'points.openProgram', { program: 'paired', budget: 600_000, terms: terms(pair) }, ...cosigners)
  refused(t, open(), 'points/second-officer-missing', { program: 'paired' })
  refused(t, open(second), 'points/second-officer-missing')
  world.give(second, 'officer', 'paired')
  ok(t, open(second))
  ok(t, apply(world, mina, 'paired', 'two'))
  const acts: readonly (readonly [string, object])[] = [
    ['topUp', { amount: 1 }],
    ['cutBudget', { amount: 1 }],
    ['amendProgram', { title: 'x' }],
    ['issue', { grants: [{ did: jun.did, tier: 'two', pseudonym: pseudonymOf('j') }] }],
    ['decide', { decisions: [{ did: mina.did, approve: true }] }],
    ['clawback', { did: jun.did, grant: 1, reason: 'not-resident' }],
    ['clawback', { did: mina.did, grant: 1, reason: 'not-resident' }],
    ['closeProgram', {}],
  ]
  for (const [kind, payload] of acts) {
    const act = (...cosigners: readonly Person[]): Receipt => world.send(officer, `points.${kind}`, { program: 'paired', ...payload }, ...cosigners)
    refused(t, act(), 'points/second-officer-missing')
    refused(t, act(sora), 'points/second-officer-missing')
    ok(t, act(second, sora))
  }
  t.end()
})

t.test('who finds nothing left waits in line, and moves up by himself when something is freed', async (t) => {
  const people = Array.from({ length: 6 }, (_, i) => person(`in line ${i}`))
  const world = city({ kids: { waitlistMax: 3, leftover: 'unallocated' }, budget: 600_000 })
  world.register(...people)
  const [a, b, c, d] = people as [Person, Person, Person, Person]
  ok(t, apply(world, mina))
  ok(t, apply(world, jun))
  t.match(ok(t, apply(world, a)), [{ type: 'points.applied', place: 3 }, { type: 'points.waitlisted', did: a.did, place: 3, line: 1, ahead: 0 }])
  ok(t, apply(world, b, kids, 'three'))
  ok(t, apply(world, c))
  refused(t, apply(world, d), 'points/waitlist-full', { waiting: 3 })
  t.equal(apply(world, a, kids, 'two', pseudonymOf('x')).code, 'points/already-applied')
  t.equal(apply(world, sora, kids, 'two', pseudonymOf(a.did)).code, 'points/pseudonym-used')
  t.match(await world.ask('points_application', { program: kids, did: c.did }), { status: 'waiting', place: 5, line: 3, aheadMax: 2 })
  refused(t, world.send(officer, 'points.issue', { program: kids, grants: [{ did: sora.did, tier: 'two', pseudonym: pseudonymOf('s') }] }), 'points/line-waits')

  spend(world, mina, shop, 100_000)
  t.match(ok(t, clawback(world, mina)), [{ type: 'points.clawedBack', did: mina.did, grant: 1, amount: 200_000, reason: 'not-resident' }])
  t.match(sumsOf(world), { unallocated: 200_000, revoked: 0 })
  t.match(ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 200_000 })), [{}, { type: 'points.granted', did: a.did, amount: 300_000 }], 'the first, and no more')
  t.match(sumsOf(world), { unallocated: 100_000 })
  ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 250_000 }))
  t.equal(grantsOf(world, c).length, 0, 'enough for the one behind, who does not overtake')
  t.match(ok(t, world.send(officer, 'points.decide', { program: kids, decisions: [{ did: b.did, approve: false, reason: 'not-resident' }] })), [{ type: 'points.rejected' }])
  t.match(tick(world), [{ type: 'points.granted', did: c.did }], 'a gap is passed over, with the next block')
  t.same(world.table(lineTable).map(({ value }) => value), [{ head: 4, tail: 3, waiting: 0, queued: false }])
  t.equal(world.table(lineRowTable).length, 0)
  ok(t, apply(world, b, kids, 'two', pseudonymOf(b.did)))
  t.match(await world.ask('points_application', { program: kids, did: b.did }), { place: 6, line: 4, aheadMax: 0 }, 'again, at a new place')
  ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 250_000 }))
  t.equal(grantsOf(world, b).length, 1)
  t.end()
})

t.test('nobody overtakes in line, not for a smaller tier that is left', (t) => {
  const world = city({ kids: { waitlistMax: 3 }, budget: 400_000 })
  t.match(ok(t, apply(world, mina, kids, 'three')), [{}, { type: 'points.waitlisted' }])
  t.match(ok(t, apply(world, jun)), [{}, { type: 'points.waitlisted', line: 2, ahead: 1 }])
  t.match(ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 400_000 })), [{}, { did: mina.did }, { did: jun.did }])
  t.end()
})

t.test('a closed programme grants nothing more, whatever comes back to it', (t) => {
  const world = city({ kids: { waitlistMax: 3, leftover: 'unallocated' }, budget: 300_000 })
  apply(world, mina)
  t.match(ok(t, apply(world, jun)), [{}, { type: 'points.waitlisted' }])
  const bought = spend(world, mina, shop, 300_000)
  ok(t, world.send(officer, 'points.closeProgram', { program: kids }))
  t.match(ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 300_000 })), [{}, { type: 'points.reclaimed', to: 'unallocated' }])
  t.same(tick(world), [])
  t.match(sumsOf(world), { unallocated: 300_000, held: 0, grants: 1 })
  ok(t, world.send(officer, 'points.decide', { program: kids, decisions: [{ did: jun.did, approve: false, reason: 'closed' }] }))
  ok(t, world.send(officer, 'points.cutBudget', { program: kids, amount: 300_000 }))
  t.end()
})

t.test('a place of which nothing was spent is free again, also from the number of grants', (t) => {
  const world = city({ youth: { grantsMax: 1, waitlistMax: 10 } })
  ok(t, apply(world, mina, youth))
  t.match(ok(t, apply(world, jun, youth)), [{}, { type: 'points.waitlisted' }])
  ok(t, apply(world, sora, youth))
  world.deactivate(jun)
  t.match(ok(t, clawback(world, mina, 1, youth)), [
    { type: 'points.clawedBack', amount: 100_000 },
    { type: 'points.rejected', did: jun.did, reason: 'did-inactive' },
    { type: 'points.granted', did: sora.did },
  ])
  t.match(sumsOf(world, youth), { grants: 2, revoked: 1, held: 100_000 })
  refused(t, clawback(world, mina, 1, youth), 'points/nothing-to-claw-back')
  refused(t, clawback(world, mina, 2, youth), 'points/unknown-grant')
  spend(world, sora, theatre, 110_000, youth)
  refused(t, clawback(world, sora, 1, youth), 'points/nothing-to-claw-back')
  ok(t, world.send(officer, 'points.amendProgram', { program: youth, grantsMax: 1 }))
  refused(t, world.send(officer, 'points.amendProgram', { program: youth, grantsMax: 1, waitlistMax: 0 + 1, capPerDay: 1 }), 'points/amend-narrows', { term: 'capPerDay' })
  t.end()
})

t.test('a clawback shows, also while all that is left is on hold', (t) => {
  const world = city()
  ok(t, apply(world, mina))
  const hold = authorise(world, mina, shop, 300_000)
  t.strictSame(ok(t, clawback(world, mina)), [{ type: 'points.clawedBack', program: kids, did: mina.did, grant: 1, amount: 0, reason: 'not-resident' }])
  t.match(ok(t, undo(world, shop, hold)), [{ type: 'points.released' }, { type: 'points.clawedBack', amount: 300_000 }])
  refused(t, clawback(world, mina), 'points/nothing-to-claw-back')
  t.end()
})

t.test('what comes back to a grant that was clawed back is taken as well, and frees its place when all of it has come', (t) => {
  const world = city({ kids: { grantsMax: 1 } })
  ok(t, apply(world, mina))
  const bought = spend(world, mina, shop, 1_000)
  const [captured, voided] = [authorise(world, mina, shop, 2_000), authorise(world, mina, shop, 4_000)]
  t.match(ok(t, clawback(world, mina)), [{ amount: 293_000 }])
  t.equal(spend(world, mina, shop, 1).code, 'points/insufficient-balance')
  ok(t, capture(world, shop, captured, 2_000))
  t.match(ok(t, undo(world, shop, voided)), [{ type: 'points.released' }, { type: 'points.clawedBack', amount: 4_000 }])
  t.match(ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 1_000 })), [{}, { type: 'points.clawedBack', amount: 1_000, reason: 'not-resident' }])
  t.match(sumsOf(world), { revoked: 0, grants: 1 })
  t.equal(apply(world, jun).code, 'points/budget-exhausted')
  ok(t, world.send(shop, 'points.refund', { purchase: captured.id, amount: 2_000 }))
  t.match(sumsOf(world), { revoked: 1, held: 0, unallocated: 1_000_000 })
  ok(t, apply(world, jun))
  t.end()
})

t.test('what officers approve and nothing is left for waits in line', (t) => {
  const world = city({ kids: { decide: 'officer', waitlistMax: 1 }, budget: 300_000 })
  for (const who of [mina, jun, sora]) ok(t, apply(world, who))
  const approve = (...who: readonly Person[]): Receipt => world.send(officer, 'points.decide', { program: kids, decisions: who.map(({ did }) => ({ did, approve: true })) })
  refused(t, approve(jun, mina, sora), 'points/waitlist-full')
  t.match(ok(t, approve(jun, mina)), [{ type: 'points.granted', did: jun.did }, { type: 'points.waitlisted', did: mina.did, place: 1, line: 1 }])
  refused(t, approve(mina), 'points/not-pending')
  t.match(ok(t, clawback(world, jun)), [{}, { type: 'points.granted', did: mina.did }])
  t.end()
})

t.test('a rush ends in a line that a top-up works off, so many in the transaction and the rest with the blocks', (t) => {
  const world = createWorld()
  const people = Array.from({ length: promoteAtOnceMax + dueWorkMax + 20 }, (_, i) => person(`rush ${i}`))
  const issuer = person('issuer')
  world.register(issuer, officer, ...people)
  world.give(issuer, 'issuer', '*')
  world.give(officer, 'officer', '*')
  world.send(officer, 'points.openProgram', { program: kids, budget: 0, terms: terms({ tiers: [{ tier: 'two', amount: 10 as Won }], waitlistMax: 5_000, decide: 'officer' }) })
  // straight to the line, without a signature for each
  world.setUp((view) => {
    people.forEach(({ did }, i) => {
      view.put(lineRowTable, [kids, i + 1], { did })
      view.put(accountTable, [kids, did], { application: { tier: 'two', place: i + 1, appliedMs: startMs, status: 'waiting', line: i + 1, pseudonym: pseudonymOf(did) }, grants: [] })
    })
    view.put(lineTable, [kids], { head: 1, tail: people.length, waiting: people.length, queued: false })
  })
  t.equal(ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 1_000_000 })).length, 1 + promoteAtOnceMax)
  t.equal(tick(world).length, dueWorkMax - 1, 'a bounded number a block')
  t.same(tick(world).map((event) => (event as Event & { readonly did: string }).did), people.slice(promoteAtOnceMax + dueWorkMax - 1).map(({ did }) => did))
  t.same(tick(world), [])
  t.end()
})

t.test('many grants that end together are taken back over several blocks, and pay nothing meanwhile', async (t) => {
  const world = createWorld()
  const people = Array.from({ length: dueWorkMax + issueBatchMax }, (_, i) => person(`holder ${i}`))
  world.register(officer, shop, ...people)
  world.give(officer, 'officer', '*')
  world.send(officer, 'points.registerMerchant', { merchant: shop.did, category: 'bookshop' })
  world.send(officer, 'points.openProgram', { program: kids, budget: 10_000_000_000, terms: terms() })
  for (let from = 0; from < people.length; from += issueBatchMax) {
    ok(t, world.send(officer, 'points.issue', { program: kids, grants: people.slice(from, from + issueBatchMax).map(({ did }) => ({ did, tier: 'two', pseudonym: pseudonymOf(did) })) }))
    t.ok(world.changed.filter((key) => key.startsWith('points.due')).length < 20, 'a batch writes some rows of the queue, not hundreds')
  }
  later(world, 20)
  t.equal(tick(world).length, dueWorkMax)
  t.equal(spend(world, people.at(-1) as Person, shop, 1).code, 'points/use-window')
  t.match(sumsOf(world), { held: 0, reclaimed: people.length * 300_000 })
  t.same([dueTable, dueChunkTable, dueHeapTable].map((table) => world.table<unknown>(table as never).length), [0, 0, 0])
  t.match(world.table(dueSizeTable), [{ value: 0 }])
  t.match(await world.ask('points_audit', { program: kids, recount: true }), { holds: true, recount: { accounts: people.length, takenBack: people.length * 300_000 } })
  t.end()
})

t.test('a settlement with a cut-off takes whole Korean days that are over', async (t) => {
  const world = city()
  apply(world, mina)
  spend(world, mina, shop, 1_000)
  const today = dayOf(startMs)
  const cut = (payment: string, cutOffDay: number, ...items: readonly { readonly claim: number; readonly amount: number }[]): Receipt =>
    world.send(bank, 'points.settle', { payment, cutOffDay, items: items.map((item) => ({ merchant: shop.did, program: kids, ...item })) })
  refused(t, cut('c1', today, { claim: 1, amount: 1_000 }), 'points/cut-off-open', { today })
  world.nowMs = dayEndsMs(today)
  spend(world, mina, shop, 2_000)
  spend(world, mina, theatre, 4_000)
  refused(t, cut('c1', today, { claim: 1, amount: 1_000 }, { claim: 2, amount: 2_000 }), 'points/after-cut-off', { claim: 2, day: today + 1 })
  t.match(await world.ask('points_due', { program: kids, cutOffDay: today }), { items: { length: 1 } })
  ok(t, cut('c1', today, { claim: 1, amount: 1_000 }))
  t.match(await world.ask('points_settlement', { payment: 'c1' }), { cutOffDay: today, amount: 1_000 })
  t.match(await world.ask('points_due', { program: kids }), { items: { length: 2 } })
  t.equal(await world.ask('points_due', { program: 'none' }), undefined)
  t.end()
})

t.test('what is captured after a cut-off is in the batch of its own day, once', (t) => {
  const world = city()
  apply(world, mina)
  spend(world, mina, shop, 1_000)
  const hold = authorise(world, mina, shop, 5_000, { expiresMs: startMs + 5 * dayMs })
  const today = dayOf(startMs)
  const cut = (payment: string, cutOffDay: number, claim: number, amount: number): Receipt => world.send(bank, 'points.settle', { payment, cutOffDay, items: [{ merchant: shop.did, program: kids, claim, amount }] })
  later(world, 1)
  ok(t, cut('c1', today, 1, 1_000))
  later(world, 2)
  t.match(ok(t, capture(world, shop, hold, 4_000)), [{ funded: 4_000, claim: 2 }])
  later(world, 3)
  refused(t, cut('c2', today + 1, 2, 4_000), 'points/after-cut-off', { day: today + 2 })
  ok(t, cut('c2', today + 2, 2, 4_000))
  t.equal(cut('c3', today + 2, 2, 4_000).code, 'points/claim-settled')
  t.equal(cut('c3', today + 2, 2, 0).code, 'points/claim-settled')
  t.match(sumsOf(world), { held: 295_000, onHold: 0, unsettled: 0, settled: 5_000, paid: 5_000 })
  t.end()
})

t.test('a refund after the bank has paid and the grant has ended: owed, netted from later batches, never below nothing', async (t) => {
  const world = city({ kids: { refundGraceDays: 3 } })
  for (const who of [mina, jun]) apply(world, who)
  const bought = [mina, jun].map((who) => spend(world, who, shop, 10_000))
  ok(t, settle(world, 'p1', { merchant: shop, claim: 1, amount: 20_000 }))
  later(world, 20)
  tick(world)
  const refund = (of: number, amount: number): readonly Event[] => ok(t, world.send(shop, 'points.refund', { purchase: bought[of]?.id, amount }))
  t.match(refund(0, 6_000), [{ type: 'points.refunded', wasPaid: true, funded: 6_000 }])
  t.match(sumsOf(world), { held: 6_000, settled: 14_000, owed: 6_000, paid: 20_000, reclaimed: 580_000 })
  ok(t, spend(world, mina, shop, 4_000))
  refund(1, 9_000)
  t.match(await world.ask('points_due', { program: kids }), { items: [{ merchant: shop.did, claim: 2, amount: 0 }] }, 'owing more than it earned, it is paid nothing')
  t.throws(() => settle(world, 'p2', { merchant: shop, claim: 2, amount: -11_000 }), { code: 'codec/invalid' })
  t.match(ok(t, settle(world, 'p2', { merchant: shop, claim: 2, amount: 0 })), [{ amount: 0, netted: 4_000 }])
  t.match(sumsOf(world), { held: 11_000, unsettled: 0, settled: 9_000, owed: 11_000, paid: 20_000 })
  ok(t, spend(world, jun, shop, 9_000))
  t.match(ok(t, settle(world, 'p3', { merchant: shop, claim: 3, amount: 0 })), [{ netted: 9_000 }])
  later(world, 24)
  t.match(tick(world), [{ type: 'points.reclaimed', amount: 2_000 }])
  t.match(refund(1, 1_000), [{ wasPaid: true, funded: 1_000 }])
  t.match(sumsOf(world), { held: 1_000, settled: 17_000, owed: 3_000, paid: 20_000 })
  t.end()
})

t.test('points_due nets what a merchant owes over its claims, on whatever pages they come', async (t) => {
  const world = city()
  apply(world, mina)
  const first = spend(world, mina, shop, 10_000)
  ok(t, settle(world, 'p1', { merchant: shop, claim: 1, amount: 10_000 }))
  ok(t, world.send(shop, 'points.refund', { purchase: first.id, amount: 7_000 }))
  for (const [day, amount] of [3_000, 2_500, 6_000].entries()) {
    later(world, day)
    spend(world, mina, shop, amount)
    spend(world, mina, theatre, amount)
  }
  const items: { readonly merchant: string; readonly amount: number }[] = []
  let cursor: string | undefined
  do {
    const page = (await world.ask('points_due', { program: kids, limit: 1, ...(cursor !== undefined && { cursor }) })) as { readonly items: readonly { readonly merchant: string; readonly amount: number }[]; readonly next?: string }
    items.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  t.same(items.filter(({ merchant }) => merchant === shop.did).map(({ amount }) => amount), [0, 0, 4_500])
  t.same(items.filter(({ merchant }) => merchant === theatre.did).map(({ amount }) => amount), [3_000, 2_500, 6_000])
  ok(t, world.send(bank, 'points.settle', { payment: 'p2', items }))
  t.match(sumsOf(world), { unsettled: 0, owed: 0, paid: 10_000 + 4_500 + 11_500 })
  t.end()
})

t.test('a merchant that sells no more pays back, and the bank says so', async (t) => {
  const world = city()
  apply(world, mina)
  const bought = spend(world, mina, shop, 10_000)
  ok(t, settle(world, 'p1', { merchant: shop, claim: 1, amount: 10_000 }))
  ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: 10_000 }))
  t.match(sumsOf(world), { held: 300_000, settled: 0, owed: 10_000, paid: 10_000 })
  const repay = (payment: string, amount: number, sender = bank, program = kids, merchant = shop): Receipt => world.send(sender, 'points.repay', { payment, merchant: merchant.did, program, amount })
  t.equal(repay('r1', 1, officer).code, 'points/not-settler')
  t.equal(repay('r1', 1, bank, 'none').code, 'points/unknown-program')
  refused(t, repay('r1', 10_001), 'points/over-repayment', { owed: 10_000 })
  refused(t, repay('r1', 1, bank, kids, theatre), 'points/over-repayment', { owed: 0 })
  t.match(ok(t, repay('r1', 4_000)), [{ type: 'points.repaid', merchant: shop.did, amount: 4_000, payment: 'r1', settler: bank.did }])
  t.equal(repay('r1', 1).code, 'points/payment-exists')
  ok(t, repay('r2', 6_000))
  t.match(sumsOf(world), { settled: 0, owed: 0, paid: 0 })
  t.match(await world.ask('points_repayment', { payment: 'r1' }), { amount: 4_000, merchant: shop.did })
  t.end()
})

t.test('money that goes to and fro for years stops nothing', (t) => {
  const world = city({ kids: { tiers: [{ tier: 'two', amount: budgetMax as Won }] }, budget: budgetMax })
  ok(t, apply(world, mina))
  // each round moves 40 trillion won; 2^53 − 1 would be passed after 225 of them
  for (let i = 0; i < 240; i++) {
    const bought = spend(world, mina, shop, budgetMax)
    ok(t, bought)
    ok(t, world.send(shop, 'points.refund', { purchase: bought.id, amount: budgetMax }))
  }
  const { flows } = sumsOf(world) as unknown as { readonly flows: Record<string, number> }
  t.equal(flows['spent'], (240 * budgetMax) % flowsModulus)
  const rich = city({ youth: { capPerPurchase: 1 as Won } })
  ok(t, apply(rich, mina, youth))
  spend(rich, mina, theatre, 10_000, youth)
  for (let i = 0; i < 230; i++) ok(t, spend(rich, mina, theatre, budgetMax, youth))
  t.end()
})

t.test('a debt that would pass every bound is refused', (t) => {
  const world = city({ kids: { tiers: [{ tier: 'two', amount: budgetMax as Won }] }, budget: budgetMax })
  ok(t, apply(world, mina))
  const round = (merchant: Person, payment: string): Receipt => {
    const bought = spend(world, mina, merchant, budgetMax)
    ok(t, bought)
    ok(t, settle(world, payment, { merchant, claim: 1, amount: budgetMax }))
    return world.send(merchant, 'points.refund', { purchase: bought.id, amount: budgetMax })
  }
  ok(t, round(shop, 'p1'))
  refused(t, round(theatre, 'p2'), 'points/refund-not-covered', { owed: budgetMax })
  provoked.delete('points/refund-not-covered')
  t.end()
})

t.test('the sums of every height that is kept, and a statement by day that adds up', async (t) => {
  const world = city()
  apply(world, mina)
  const opened = world.height
  spend(world, mina, shop, 1_000)
  later(world, 1)
  tick(world)
  const quiet = world.height
  later(world, 3)
  const bought = spend(world, mina, shop, 2_000)
  world.send(shop, 'points.refund', { purchase: bought.id, amount: 500 })
  t.match(await world.ask('points_audit', { program: kids, height: opened }), { height: opened, holds: true, sums: { held: 300_000, unsettled: 0 } })
  t.match(await world.ask('points_audit', { program: kids, height: quiet }), { height: quiet, holds: true, sums: { held: 299_000, unsettled: 1_000 } })
  t.match(await world.ask('points_audit', { program: kids }), { height: world.height, sums: { held: 297_500, unsettled: 2_500 } })
  t.equal(await world.ask('points_audit', { program: kids, height: 1 }), undefined, 'before it opened')
  const statement = (await world.ask('points_statement', { program: kids })) as { readonly items: readonly object[] }
  t.match(statement.items, [
    { date: '2024-10-04', opening: { budget: 0 }, flows: { toppedUp: 1_000_000, granted: 300_000, spent: 1_000 }, closing: { budget: 1_000_000, unallocated: 700_000, held: 299_000, unsettled: 1_000 }, holds: true },
    { date: '2024-10-07', opening: { held: 299_000 }, flows: { toppedUp: 0, spent: 2_000, refunded: 500 }, closing: { held: 297_500, unsettled: 2_500 }, holds: true },
  ])
  t.match(await world.ask('points_statement', { program: kids, limit: 1 }), { items: { length: 1 }, next: String(dayOf(startMs)).padStart(16, '0') })
  t.equal(await world.ask('points_statement', { program: 'none' }), undefined)
  t.end()
})

t.test('older changes make room', (t) => {
  const world = city()
  const numbers = (): readonly number[] => world.table(historyTable).filter(({ key }) => key[0] === kids).map(({ key }) => Number(key[1]))
  const top = (): readonly Event[] => ok(t, world.send(officer, 'points.topUp', { program: kids, amount: 1 }))
  top()
  t.same(numbers(), [1])
  // as if so many changes had been
  world.setUp((view) => view.put(sumsTable, [kids], { ...(sumsOf(world) as unknown as Sums), changes: historyKept }))
  top()
  t.same(numbers(), [1, historyKept])
  top()
  t.same(numbers(), [historyKept, historyKept + 1])
  t.end()
})

t.test('every code of this file is provoked here', (t) => {
  for (const code of codesOfLife) t.ok(provoked.has(code), code)
  t.end()
})
