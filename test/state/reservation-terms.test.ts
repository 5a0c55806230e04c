// Reservations beyond the plain seat: timetables, seats kept for a time, prices, lotteries, closing days, absences, and what blocks do by themselves.
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { TimeMs, TransactionId, Won } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Event } from '../../state/family.ts'
import { registerMerchant } from '../../state/points/merchants.ts'
import { issue } from '../../state/points/issue.ts'
import { accountTable, purchaseTable, sumsTable } from '../../state/points/keys.ts'
import { openProgram } from '../../state/points/open.ts'
import { refund } from '../../state/points/refund.ts'
import { settle } from '../../state/points/settle.ts'
import type { Receipt } from '../../state/receipt.ts'
import { amendSlot } from '../../state/reservation/amend-slot.ts'
import { blockStepsMax } from '../../state/reservation/begin-block.ts'
import { dayMs, dayOf, hourMs, minuteMs, timeOn, weekdayOf } from '../../state/calendar.ts'
import { clockOf, compactDateOf, daysOf } from '../../state/reservation/pattern.ts'
import { cancel } from '../../state/reservation/cancel.ts'
import { checkIn } from '../../state/reservation/check-in.ts'
import { closeDays } from '../../state/reservation/close-days.ts'
import { closeFacility } from '../../state/reservation/close-facility.ts'
import { closeSlot } from '../../state/reservation/close-slot.ts'
import { putDue, takeDue } from '../../state/reservation/due.ts'
import { hold } from '../../state/reservation/hold.ts'
import { dueEndTable, heldTable, pricedDayTable, seatsTable, seatTable } from '../../state/reservation/keys.ts'
import { drawnPlace, secretHash } from '../../state/reservation/lottery.ts'
import { noShow } from '../../state/reservation/no-show.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { openTimetable } from '../../state/reservation/open-timetable.ts'
import { oneCourse, oneDraw, oneSeat, oneSlot, slots as slotsQuery, standing } from '../../state/reservation/queries.ts'
import { reserve } from '../../state/reservation/reserve.ts'
import { reveal } from '../../state/reservation/reveal.ts'
import { type OpenTimetable, openTimetablePayload, pricedSlotsADayMax, revealMs, type SlotDefinition, slotDefinition, timetableSlotsMax } from '../../state/reservation/types.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import { createOverlay, createValueCache } from '../../state/view.ts'
import { createHarness, eventsOf, genesisTimeMs, type Harness, testActor, type TestActor } from '../support/state-harness.ts'
import { westArea } from '../support/living-area.ts'
import { codesOfTerms } from './reservation-codes.ts'

const operator = testActor('operator of everything')
const officer = testActor('officer')
const theatre = testActor('theatre')
const bank = testActor('bank')
const witness = testActor('witness')
const people = ['mina', 'jun', 'sora', 'hana', 'minho', 'yuna'].map((name) => testActor(name))
const [mina, jun, sora, hana] = people as [TestActor, TestActor, TestActor, TestActor]
const crowd = Array.from({ length: 300 }, (_, i) => testActor(`crowd ${i}`))

const settings = { holdMs: 10 * minuteMs, offerMs: 2 * hourMs, absencesMax: 2, absenceWindowMs: 30 * dayMs, blockMs: 10 * dayMs }

function city(actors: readonly TestActor[] = people): Harness {
  return createHarness({
    genesis: {
      reservation: { livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }], settings },
    },
    actors: [...actors, theatre, witness],
    roles: [
      [operator, 'operator', '*'],
      [bank, 'settler', '*'],
      [officer, 'officer', '*'],
    ],
  })
}

const price = { amount: 10_000 as Won, merchant: theatre.did }
const payment = { program: 'fund' }

/** A city where everyone named has 30,000 won in points, and the theatre takes them. */
function richCity(...rich: readonly TestActor[]): Harness {
  const chain = city()
  const done = (receipt: Receipt): void => {
    if (receipt.status !== 'ok') throw new Error(`${receipt.code} ${JSON.stringify(receipt.data)}`)
  }
  done(chain.run(registerMerchant, officer, { merchant: theatre.did, category: 'theatre' }))
  const at = (ms: number): TimeMs => (genesisTimeMs + ms) as TimeMs
  done(
    chain.run(openProgram, officer, {
      program: 'fund',
      budget: 1_000_000 as Won,
      terms: {
        kind: 'points',
        title: '기금',
        tiers: [{ tier: 'all', amount: 30_000 as Won }],
        applicationOpensMs: at(0),
        applicationClosesMs: at(300 * dayMs),
        useOpensMs: at(0),
        useClosesMs: at(300 * dayMs),
        categories: ['theatre'],
        decide: 'officer',
        merchantDebtMax: 0 as Won,
        leftover: 'reclaimed',
      },
    }),
  )
  done(chain.run(issue, officer, { program: 'fund', grants: rich.map(({ did }) => ({ did, tier: 'all', pseudonym: taggedHash('test-pseudonym', utf8(did)) })) }))
  return chain
}

/** Begins ten days after the genesis; reservable from its first hour until two days before the start. */
function slotOf(id: string, more: Partial<SlotDefinition> = {}): SlotDefinition {
  const startsMs = genesisTimeMs + 10 * dayMs
  return {
    id,
    startsMs: startsMs as TimeMs,
    endsMs: (startsMs + 2 * hourMs) as TimeMs,
    opensMs: genesisTimeMs,
    closesMs: (startsMs - 2 * dayMs) as TimeMs,
    cancelUntilMs: (startsMs - dayMs) as TimeMs,
    capacity: 1,
    waitlistMax: 2,
    ...more,
  }
}

const provoked = new Set<string>()

function refused(test: Test, receipt: Receipt, code: string, data?: object): void {
  test.equal(receipt.code, code)
  if (data !== undefined) test.match(receipt.data, data)
  provoked.add(receipt.code ?? '')
}

const typesOf = (events: readonly Event[]): readonly string[] => events.map(({ type }) => type.replace('reservation.', ''))

function ok(test: Test, receipt: Receipt, ...types: readonly string[]): Receipt {
  test.equal(receipt.status, 'ok', `ok, not ${receipt.code ?? ''} ${JSON.stringify(receipt.data ?? {})}`)
  test.strictSame(typesOf(receipt.events), types)
  return receipt
}

const until = (chain: Harness, timeMs: number): void => chain.advance(timeMs - chain.next().timeMs)
/** What a block without transactions does. */
const idle = (chain: Harness): readonly Event[] => chain.execute().outcome.events
const pointsOf = (chain: Harness, holder: TestActor): number => chain.view().get(accountTable, 'fund', holder.did)?.grants.reduce((sum, { amount, spent }) => sum + amount - spent, 0) ?? 0
const reason = '점검'

t.test('the calendar in Korea', (t) => {
  for (let day = 0; day < 47_482; day += 17) {
    const date = new Date(day * dayMs)
    t.ok(compactDateOf(day) === date.toISOString().slice(0, 10).replaceAll('-', '') && weekdayOf(day) === (date.getUTCDay() || 7), `day ${day}`)
  }
  for (const text of ['2000-02-29', '2024-02-29', '2026-12-31', '2027-01-01']) t.equal(compactDateOf(Date.parse(text) / dayMs), text.replaceAll('-', ''))
  t.equal(dayOf(Date.parse('2026-06-01T00:00:00+09:00') - 1), Date.parse('2026-05-31') / dayMs)
  t.equal(dayOf(Date.parse('2026-06-01T00:00:00+09:00')), Date.parse('2026-06-01') / dayMs)
  t.equal(timeOn(Date.parse('2026-06-01') / dayMs, 9 * 60), Date.parse('2026-06-01T09:00:00+09:00'))
  t.strictSame([0, 9 * 60 + 5, 1_439].map(clockOf), ['0000', '0905', '2359'])
  const monday = Date.parse('2026-06-01') / dayMs
  t.strictSame(daysOf({ firstDay: monday, lastDay: monday + 13, weekdays: [1, 3], exceptDays: [monday + 7] }), [monday, monday + 2, monday + 9])
  t.end()
})

const today = dayOf(genesisTimeMs)

function timetable(more: Partial<OpenTimetable> = {}): OpenTimetable {
  return {
    facility: 'hall',
    prefix: 'pool',
    firstDay: today + 3,
    lastDay: today + 30,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    times: [9 * 60, 10 * 60],
    minutes: 50,
    exceptDays: [],
    opensBeforeMs: 2 * dayMs,
    closesBeforeMs: hourMs,
    cancelBeforeMs: dayMs,
    capacity: 20,
    waitlistMax: 5,
    ...more,
  }
}

t.test('a timetable opens slots by the thousand', async (t) => {
  const chain = city()
  const course = { id: 'swimming', title: { ko: '수영' }, perPersonMax: 2 }
  const receipt = ok(t, chain.run(openTimetable, operator, timetable({ course })), 'timetableOpened')
  t.match(receipt.events[0], { facility: 'hall', course: 'swimming', prefix: 'pool', slots: 56, firstStartsMs: timeOn(today + 3, 540), lastStartsMs: timeOn(today + 30, 600) })
  const page = await chain.query(slotsQuery, { facility: 'hall', limit: 100 })
  t.equal(page?.items.length, 56)
  const startsMs = timeOn(today + 3, 540)
  t.match(page?.items[0], { id: `pool-${compactDateOf(today + 3)}-0900`, startsMs, endsMs: startsMs + 50 * minuteMs, opensMs: startsMs - 2 * dayMs, closesMs: startsMs - hourMs, cancelUntilMs: startsMs - dayMs, capacity: 20, course })
  t.match(await chain.query(oneCourse, { course: 'swimming' }), { id: 'swimming', facility: 'hall', perPersonMax: 2 })
  t.equal(await chain.query(oneCourse, { course: 'none' }), undefined)

  refused(t, chain.run(openTimetable, mina, timetable({ prefix: 'x' })), 'reservation/not-operator')
  refused(t, chain.run(openTimetable, operator, timetable({ facility: 'none' })), 'reservation/unknown-facility')
  refused(t, chain.run(openTimetable, operator, timetable({ times: [600], weekdays: [1, 2, 3, 4, 5, 6, 7] })), 'reservation/slot-exists')
  refused(t, chain.run(openTimetable, operator, timetable({ prefix: 'x', firstDay: today - 1 })), 'reservation/slot-in-past')
  const { opensBeforeMs: _, ...dated } = timetable({ prefix: 'x' })
  refused(t, chain.run(openTimetable, operator, { ...dated, opensMs: timeOn(today + 4, 0) as TimeMs }), 'reservation/opens-too-late', { slot: `x-${compactDateOf(today + 3)}-0900` })
  t.equal(await chain.query(oneSlot, { slot: `x-${compactDateOf(today + 4)}-0900` }), undefined, 'all or none')
  ok(t, chain.run(openTimetable, operator, { ...dated, opensMs: genesisTimeMs }), 'timetableOpened')

  const most = timetable({ prefix: 'year', firstDay: today + 1, lastDay: today + 250, times: [540, 600, 660, 720, 780, 840, 900, 960], opensBeforeMs: 10 * dayMs })
  t.equal(ok(t, chain.run(openTimetable, operator, most), 'timetableOpened').events.length, 1)
  t.match(await chain.query(oneSlot, { slot: `year-${compactDateOf(today + 250)}-1600` }), { capacity: 20, seatsLeft: 20 })
  const broken: readonly Partial<OpenTimetable>[] = [
    { ...most, lastDay: today + 251 },
    { lastDay: today + 2 },
    { lastDay: today + 3 + 366 },
    { weekdays: [2, 1] },
    { weekdays: [1, 1] },
    { weekdays: [8] },
    { times: [600, 540] },
    { exceptDays: [today + 4, today + 4] },
    { exceptDays: Array.from({ length: 28 }, (_, i) => today + 3 + i) },
    { opensMs: genesisTimeMs },
    { opensBeforeMs: undefined },
    { opensBeforeMs: hourMs },
    { prefix: 'a'.repeat(51) },
  ]
  for (const change of broken) t.throws(() => encode(openTimetablePayload, { ...timetable(), ...change }), { code: 'codec/invalid' }, JSON.stringify(change).slice(0, 80))
  t.equal(timetableSlotsMax, 250 * 8)
  chain.run(closeFacility, operator, { facility: 'hall', reason })
  refused(t, chain.run(openTimetable, operator, timetable({ prefix: 'z' })), 'reservation/facility-closed')
})

t.test('a seat is kept for a time, then confirmed or given on', async (t) => {
  const chain = city()
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a'), slotOf('b', { capacity: 2 })] })
  refused(t, chain.run(hold, mina, { slot: 'none' }), 'reservation/unknown-slot')
  const heldUntilMs = chain.next().timeMs + settings.holdMs
  t.match(ok(t, chain.run(hold, mina, { slot: 'a' }), 'held').events[0], { did: mina.did, number: 1, heldUntilMs, seatsLeft: 0 })
  t.match(await chain.query(oneSeat, { slot: 'a', did: mina.did }), { state: 'held', heldUntilMs })
  t.match(await chain.query(oneSlot, { slot: 'a' }), { held: 1, confirmed: 0, seatsLeft: 0 })
  refused(t, chain.run(hold, mina, { slot: 'a' }), 'reservation/already-reserved', { state: 'held' })
  refused(t, chain.run(hold, jun, { slot: 'a' }), 'reservation/no-seat-to-hold', { waiting: 0 })
  ok(t, chain.run(reserve, jun, { slot: 'a' }), 'waitlisted')
  ok(t, chain.run(reserve, sora, { slot: 'a' }), 'waitlisted')
  until(chain, heldUntilMs - 1)
  t.strictSame(idle(chain), [])
  // past its time it is nobody's to confirm, and the block that comes gives it on
  const events = idle(chain)
  t.strictSame(typesOf(events), ['lapsed', 'promoted'])
  t.match(events, [{ did: mina.did, seatsLeft: 1, waiting: 2 }, { did: jun.did, number: 2, seatsLeft: 0, waiting: 1 }])
  t.match(await chain.query(oneSeat, { slot: 'a', did: mina.did }), { state: 'lapsed' })
  refused(t, chain.run(hold, mina, { slot: 'a' }), 'reservation/held-before')
  ok(t, chain.run(reserve, mina, { slot: 'a' }), 'waitlisted')

  ok(t, chain.run(hold, mina, { slot: 'b' }), 'held')
  t.match(ok(t, chain.run(reserve, mina, { slot: 'b' }), 'confirmed').events[0], { did: mina.did, number: 1, seatsLeft: 1 })
  ok(t, chain.run(hold, jun, { slot: 'b' }), 'held')
  ok(t, chain.run(cancel, jun, { slot: 'b' }), 'cancelled')
  refused(t, chain.run(hold, jun, { slot: 'b' }), 'reservation/held-before')
  ok(t, chain.run(hold, sora, { slot: 'b' }), 'held')
  ok(t, chain.run(closeSlot, operator, { slot: 'b', reason }), 'slotClosed')
  refused(t, chain.run(reserve, sora, { slot: 'b' }), 'reservation/slot-closed')
  until(chain, chain.next().timeMs + settings.holdMs)
  t.strictSame(typesOf(idle(chain)), ['lapsed'], 'the hold confirmed before is left alone')
  t.match(await chain.query(oneSeat, { slot: 'b', did: mina.did }), { state: 'confirmed' })
  t.equal(chain.view().get(dueEndTable, 'heap')?.size, 0)
})

t.test('more than one block may end is ended by the next, and no seat is confirmed late', (t) => {
  const many = blockStepsMax + 20
  const chain = city(crowd)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { capacity: 1_000 })] })
  chain.execute(...crowd.slice(0, many).map((one) => chain.make(hold, one, { slot: 'a' })))
  chain.advance(settings.holdMs)
  const [late, early] = [crowd[many - 1] as TestActor, crowd[0] as TestActor]
  const { receipts, outcome } = chain.execute(chain.make(reserve, late, { slot: 'a' }), chain.make(reserve, early, { slot: 'a' }))
  t.equal(outcome.events.length, blockStepsMax)
  refused(t, receipts[0] as Receipt, 'reservation/hold-expired')
  ok(t, receipts[1] as Receipt, 'reserved')
  t.equal(idle(chain).length, 20)
  t.match(chain.view().get(seatsTable, 'a'), { held: 0, confirmed: 1 })
  t.end()
})

t.test('more seats: those in line move up in order, a bounded number a block', (t) => {
  const chain = city(crowd)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { waitlistMax: 300 }), slotOf('b')] })
  chain.execute(...crowd.map((one) => chain.make(reserve, one, { slot: 'a' })))
  refused(t, chain.run(amendSlot, witness, { slot: 'a', capacity: 5 }), 'reservation/not-operator')
  refused(t, chain.run(amendSlot, operator, { slot: 'none', capacity: 5 }), 'reservation/unknown-slot')
  refused(t, chain.run(amendSlot, operator, { slot: 'a', waitlistMax: 298 }), 'reservation/below-taken', { waiting: 299 })
  t.throws(() => chain.run(amendSlot, operator, { slot: 'a' }), { code: 'codec/invalid' })
  t.match(ok(t, chain.run(amendSlot, operator, { slot: 'a', capacity: 281 }), 'slotAmended').events[0], { capacity: 281, waitlistMax: 300, seatsLeft: 280, waiting: 299 })
  const { outcome } = chain.execute()
  const promoted = [...outcome.events, ...idle(chain)]
  t.equal(outcome.events.length, blockStepsMax)
  t.strictSame(promoted.map((event) => (event as Event & { did: string }).did), crowd.slice(1, 281).map(({ did }) => did))
  refused(t, chain.run(amendSlot, operator, { slot: 'a', capacity: 280 }), 'reservation/below-taken', { taken: 281 })
  ok(t, chain.run(amendSlot, operator, { slot: 'a', capacity: 290 }), 'slotAmended')
  const late = chain.execute(chain.make(reserve, crowd[0] as TestActor, { slot: 'b' }))
  t.equal(late.outcome.events.length, 9)
  ok(t, chain.run(closeSlot, operator, { slot: 'b', reason }), 'slotClosed')
  refused(t, chain.run(amendSlot, operator, { slot: 'b', capacity: 3 }), 'reservation/slot-closed')
  t.end()
})

t.test('a seat beside a line goes to the line', async (t) => {
  const chain = city()
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a')] })
  for (const one of [mina, jun]) chain.run(reserve, one, { slot: 'a' })
  const { receipts } = chain.execute(chain.make(amendSlot, operator, { slot: 'a', capacity: 2 }), chain.make(reserve, sora, { slot: 'a' }), chain.make(hold, hana, { slot: 'a' }), chain.make(reserve, hana, { slot: 'a' }))
  ok(t, receipts[1] as Receipt, 'waitlisted')
  refused(t, receipts[2] as Receipt, 'reservation/no-seat-to-hold', { waiting: 2 })
  refused(t, receipts[3] as Receipt, 'reservation/full', { capacity: 2, waiting: 2 })
  t.match(idle(chain), [{ type: 'reservation.promoted', did: jun.did, seatsLeft: 0, waiting: 1 }])
})

t.test('a seat with a price: points and seat, both or neither', async (t) => {
  const chain = richCity(mina, jun)
  refused(t, chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price: { ...price, merchant: mina.did } })] }), 'reservation/unknown-merchant')
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price, waitlistMax: 3 }), slotOf('free')] })
  refused(t, chain.run(reserve, mina, { slot: 'a' }), 'reservation/payment-required', { amount: 10_000 })
  refused(t, chain.run(reserve, mina, { slot: 'free', payment }), 'reservation/nothing-to-pay')
  const poor = chain.run(reserve, sora, { slot: 'a', payment })
  t.equal(poor.code, 'points/insufficient-balance')
  t.equal(chain.view().get(seatTable, sora.did, 'a'), undefined)
  t.equal(chain.run(reserve, mina, { slot: 'a', payment: { program: 'none' } }).code, 'points/unknown-program')
  const paid = ok(t, chain.run(reserve, mina, { slot: 'a', payment }), 'points.spent', 'reserved')
  t.match(paid.events[1], { paid: 10_000, seatsLeft: 0 })
  t.equal(pointsOf(chain, mina), 20_000)
  t.match(await chain.query(oneSeat, { slot: 'a', did: mina.did }), { paid: { purchase: paid.id, amount: 10_000 } })
  t.match(await chain.query(oneSlot, { slot: 'a' }), { price, confirmed: 1 })

  // the line waits without paying; who moves up has the seat kept for the payment
  ok(t, chain.run(reserve, jun, { slot: 'a', payment }), 'waitlisted')
  ok(t, chain.run(reserve, sora, { slot: 'a' }), 'waitlisted')
  t.equal(pointsOf(chain, jun), 30_000)
  const back = ok(t, chain.run(cancel, mina, { slot: 'a' }), 'points.refunded', 'cancelled', 'promoted')
  t.match(back.events.slice(1), [{ refunded: 10_000 }, { did: jun.did, heldUntilMs: genesisTimeMs + (back.height - 1) * 1_000 + settings.offerMs }])
  t.equal(pointsOf(chain, mina), 30_000)
  refused(t, chain.run(reserve, jun, { slot: 'a' }), 'reservation/payment-required')
  ok(t, chain.run(reserve, jun, { slot: 'a', payment }), 'points.spent', 'confirmed')
  t.equal(pointsOf(chain, jun), 20_000)
  ok(t, chain.run(cancel, jun, { slot: 'a' }), 'points.refunded', 'cancelled', 'promoted')
  chain.advance(settings.offerMs)
  t.strictSame(typesOf(idle(chain)), ['lapsed'], 'sora has not paid')
  ok(t, chain.run(reserve, mina, { slot: 'a', payment }), 'points.spent', 'reserved')
  until(chain, slotOf('a').cancelUntilMs + 1)
  refused(t, chain.run(cancel, mina, { slot: 'a' }), 'reservation/too-late-to-cancel')
  t.equal(pointsOf(chain, mina), 20_000)
})

t.test('a simulation does what is due first, as the block would', (t) => {
  const chain = city()
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { waitlistMax: 0 })] })
  ok(t, chain.run(hold, mina, { slot: 'a' }), 'held')
  const wish = (): Receipt => chain.simulate(chain.make(reserve, jun, { slot: 'a' }))
  refused(t, wish(), 'reservation/full')
  chain.advance(settings.holdMs)
  ok(t, wish(), 'reserved')
  t.match(chain.view().get(seatsTable, 'a'), { held: 1, confirmed: 0 }, 'and changes nothing')
  ok(t, chain.run(reserve, jun, { slot: 'a' }), 'reserved')
  t.end()
})

t.test('the end of a hold that was given up leaves a later one alone', (t) => {
  const chain = richCity(mina, jun)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price })] })
  ok(t, chain.run(hold, mina, { slot: 'a' }), 'held')
  ok(t, chain.run(cancel, mina, { slot: 'a' }), 'cancelled')
  ok(t, chain.run(reserve, jun, { slot: 'a', payment }), 'points.spent', 'reserved')
  ok(t, chain.run(reserve, mina, { slot: 'a' }), 'waitlisted')
  ok(t, chain.run(cancel, jun, { slot: 'a' }), 'points.refunded', 'cancelled', 'promoted')
  chain.advance(settings.holdMs)
  t.strictSame(idle(chain), [])
  ok(t, chain.run(reserve, mina, { slot: 'a', payment }), 'points.spent', 'confirmed')
  t.end()
})

t.test('closing gives the points back, by slot and by day', async (t) => {
  for (const how of ['slot', 'day', 'facility'] as const) {
    const chain = richCity(mina, jun, sora)
    const slots = ['a', 'b'].map((id) => slotOf(id, { price, capacity: 3 }))
    chain.run(openSlots, operator, { facility: 'hall', slots: [...slots, slotOf('free')] })
    for (const one of [mina, jun, sora]) chain.run(reserve, one, { slot: 'a', payment })
    for (const one of [mina, jun]) chain.run(reserve, one, { slot: 'b', payment })
    ok(t, chain.run(reserve, hana, { slot: 'free' }), 'reserved')
    t.equal(pointsOf(chain, mina), 10_000)
    const day = dayOf(slotOf('a').startsMs)
    // the first to have paid leaves; the roster closes its gap
    ok(t, chain.run(cancel, mina, { slot: 'a' }), 'points.refunded', 'cancelled')
    if (how === 'slot') {
      ok(t, chain.run(closeSlot, operator, { slot: 'a', reason }), 'slotClosed')
      t.strictSame(typesOf(idle(chain)), ['points.refunded', 'refunded', 'points.refunded', 'refunded'])
      t.strictSame([mina, jun, sora].map((one) => pointsOf(chain, one)), [20_000, 20_000, 30_000], 'slot b stands')
    } else if (how === 'day') {
      refused(t, chain.run(closeDays, mina, { facility: 'hall', firstDay: day, lastDay: day, reason }), 'reservation/not-operator')
      refused(t, chain.run(closeDays, operator, { facility: 'none', firstDay: day, lastDay: day, reason }), 'reservation/unknown-facility')
      refused(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: today - 1, lastDay: today, reason }), 'reservation/day-in-past', { today })
      t.match(ok(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: day - 1, lastDay: day, reason }), 'daysClosed').events[0], { firstDay: day - 1, lastDay: day })
      t.equal(eventsOf({ events: idle(chain) }, 'reservation.refunded').length, 4)
      refused(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: day, lastDay: day + 1, reason }), 'reservation/day-closed', { day })
      t.strictSame([mina, jun, sora].map((one) => pointsOf(chain, one)), [30_000, 30_000, 30_000])
      t.match(await chain.query(oneSlot, { slot: 'free' }), { state: 'closed', closed: { reason } })
      refused(t, chain.run(reserve, mina, { slot: 'free' }), 'reservation/slot-closed')
      ok(t, chain.run(cancel, hana, { slot: 'free' }), 'cancelled')
      refused(t, chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('c')] }), 'reservation/day-closed', { slot: 'c', day })
      // a timetable leaves the closed days out
      const around = timetable({ firstDay: day - 1, lastDay: day + 1 })
      t.match(ok(t, chain.run(openTimetable, operator, around), 'timetableOpened').events[0], { slots: 2, firstStartsMs: timeOn(day + 1, 540) })
      refused(t, chain.run(openTimetable, operator, { ...around, prefix: 'x', lastDay: day }), 'reservation/day-closed')
    } else {
      ok(t, chain.run(closeFacility, operator, { facility: 'hall', reason }), 'facilityClosed')
      refused(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: day, lastDay: day, reason }), 'reservation/facility-closed')
      t.strictSame(idle(chain), [], 'holders take it back themselves')
      for (const one of [jun, sora]) ok(t, chain.run(cancel, one, { slot: 'a' }), 'points.refunded', 'cancelled')
    }
    t.match(chain.view().get(seatsTable, 'a'), { confirmed: 0, payers: 0 })
  }
})

t.test('a closed day gives back also when the programme has ended: it lapses, or can be used for the days of grace', (t) => {
  for (const grace of [undefined, 3]) {
    const chain = richCity(mina)
    const ends = (Math.ceil((genesisTimeMs + 9 * dayMs) / minuteMs) * minuteMs) as TimeMs
    const terms = { kind: 'points', title: '짧은 기금', tiers: [{ tier: 'all', amount: 30_000 as Won }], applicationOpensMs: genesisTimeMs, applicationClosesMs: ends, useOpensMs: genesisTimeMs, useClosesMs: ends, categories: ['theatre'], decide: 'officer', leftover: 'reclaimed' } as const
    chain.run(openProgram, officer, { program: 'short', budget: 100_000 as Won, terms: { ...terms, ...(grace !== undefined && { refundGraceDays: grace }) } })
    chain.run(issue, officer, { program: 'short', grants: [{ did: jun.did, tier: 'all', pseudonym: taggedHash('test-pseudonym', utf8('short')) }] })
    chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price }), slotOf('b', { price })] })
    ok(t, chain.run(reserve, jun, { slot: 'a', payment: { program: 'short' } }), 'points.spent', 'reserved')
    until(chain, ends)
    t.match(idle(chain), [{ type: 'points.reclaimed', did: jun.did, amount: 20_000 }])
    const day = dayOf(slotOf('a').startsMs)
    ok(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: day, lastDay: day, reason }), 'daysClosed')
    t.match(idle(chain), [{ type: 'points.refunded', funded: 10_000 }, ...(grace === undefined ? [{ type: 'points.reclaimed', amount: 10_000 }] : []), { type: 'reservation.refunded', did: jun.did, amount: 10_000 }])
    t.match(chain.view().get(sumsTable, 'short'), { held: grace === undefined ? 0 : 10_000, unsettled: 0 })
  }
  t.end()
})

t.test('closed days with as many slots as there may be take no more steps of a block than others', (t) => {
  const chain = richCity(mina, jun)
  const start = slotOf('a').startsMs
  for (const at of [0, 1]) chain.run(openSlots, operator, { facility: 'hall', slots: Array.from({ length: pricedSlotsADayMax }, (_, i) => slotOf(`s${at}-${i}`, { price, startsMs: (start + at * dayMs) as TimeMs, endsMs: (start + at * dayMs + hourMs) as TimeMs })) })
  const last = pricedSlotsADayMax - 1
  ok(t, chain.run(reserve, mina, { slot: 's0-0', payment }), 'points.spent', 'reserved')
  ok(t, chain.run(reserve, mina, { slot: `s0-${last}`, payment }), 'points.spent', 'reserved')
  ok(t, chain.run(reserve, jun, { slot: `s1-${last}`, payment }), 'points.spent', 'reserved')
  ok(t, chain.run(closeDays, operator, { facility: 'hall', firstDay: dayOf(start), lastDay: dayOf(start) + 1, reason }), 'daysClosed')
  const steps = (): number => chain.view().get(dueEndTable, 'heap')?.last ?? 0
  const back: string[] = []
  let blocks = 0
  for (; (chain.view().get(dueEndTable, 'heap')?.size ?? 0) > 0; blocks++) {
    const before = steps()
    back.push(...eventsOf({ events: idle(chain) }, 'reservation.refunded').map(({ slot }) => slot as string))
    // each slot that is taken up comes into the queue as a matter of its own; what is not done is put back
    t.ok(steps() - before <= blockStepsMax + blockStepsMax / 50, `${steps() - before} came into the queue`)
  }
  // a step to take each slot up, and one to see that nobody is left who has paid
  t.equal(blocks, (4 * pricedSlotsADayMax) / blockStepsMax)
  t.strictSame(back, ['s0-0', `s0-${last}`, `s1-${last}`])
  t.equal(chain.view().get(pricedDayTable, 'hall', dayOf(start)), undefined)
  t.strictSame([mina, jun].map((one) => pointsOf(chain, one)), [30_000, 30_000])
  t.end()
})

t.test('nobody is missed where nothing took place: attendance of a facility that closed before', (t) => {
  const chain = richCity(mina, jun)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('before', { price }), slotOf('after', { price, startsMs: (slotOf('a').startsMs + dayMs) as TimeMs, endsMs: (slotOf('a').endsMs + dayMs) as TimeMs })] })
  ok(t, chain.run(reserve, mina, { slot: 'before', payment }), 'points.spent', 'reserved')
  ok(t, chain.run(reserve, jun, { slot: 'after', payment }), 'points.spent', 'reserved')
  until(chain, slotOf('a').endsMs)
  ok(t, chain.run(closeFacility, operator, { facility: 'hall', reason }), 'facilityClosed')
  until(chain, slotOf('a').endsMs + dayMs)
  ok(t, chain.run(noShow, operator, { slot: 'before', did: mina.did }), 'missed')
  refused(t, chain.run(noShow, operator, { slot: 'after', did: jun.did }), 'reservation/slot-closed')
  refused(t, chain.run(checkIn, operator, { slot: 'after', did: jun.did }), 'reservation/slot-closed')
  ok(t, chain.run(cancel, jun, { slot: 'after' }), 'points.refunded', 'cancelled')
  t.equal(pointsOf(chain, jun), 30_000)
  t.end()
})

t.test('what a merchant has given back by itself does not come back twice, and the rest does', (t) => {
  const chain = richCity(mina, jun, sora)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price, capacity: 3 })] })
  const [minas, juns] = [mina, jun].map((one) => chain.run(reserve, one, { slot: 'a', payment }))
  const before = pointsOf(chain, sora)
  const giveBack = (of: Receipt | undefined, amount: number): void => void t.equal(chain.run(refund, theatre, { purchase: of?.id as TransactionId, amount: amount as Won }).status, 'ok')
  giveBack(minas, 4_000)
  giveBack(juns, 10_000)
  const [, gaveUp] = ok(t, chain.run(cancel, mina, { slot: 'a' }), 'points.refunded', 'cancelled').events
  t.match(gaveUp, { refunded: 6_000 })
  t.notOk(Object.hasOwn(ok(t, chain.run(cancel, jun, { slot: 'a' }), 'cancelled').events[0] ?? {}, 'refunded'), 'nothing was left to give back')
  t.strictSame([mina, jun].map((one) => pointsOf(chain, one)), [before, before])
  // the same when the operator closes the slot
  const again = [mina, jun].map((one) => chain.run(reserve, one, { slot: 'a', payment }))
  giveBack(again[0], 4_000)
  giveBack(again[1], 10_000)
  ok(t, chain.run(closeSlot, operator, { slot: 'a', reason }), 'slotClosed')
  t.match(eventsOf({ events: idle(chain) }, 'reservation.refunded'), [{ did: jun.did, amount: 0 }, { did: mina.did, amount: 6_000 }])
  t.strictSame([mina, jun].map((one) => pointsOf(chain, one)), [before, before])
  t.match(chain.view().get(seatsTable, 'a'), { confirmed: 0, payers: 0 })
  t.end()
})

t.test('a refund that the points family refuses is not lost', async (t) => {
  const chain = richCity(mina, jun, sora)
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price, capacity: 3 }), slotOf('b', { price })] })
  ok(t, chain.run(reserve, mina, { slot: 'a', payment }), 'points.spent', 'reserved')
  // the bank has paid the theatre for mina's seat, and the theatre may owe it nothing beyond its next sales
  chain.run(settle, bank, { payment: 'p1', items: [{ merchant: theatre.did, program: 'fund', claim: 1, amount: price.amount }] })
  const juns = chain.run(reserve, jun, { slot: 'a', payment })
  ok(t, chain.run(closeSlot, operator, { slot: 'a', reason }), 'slotClosed')
  const events = idle(chain)
  t.match(eventsOf({ events }, 'reservation.refundRefused'), [{ did: mina.did, code: 'points/refund-not-covered' }])
  t.match(eventsOf({ events }, 'reservation.refunded'), [{ did: jun.did }])
  t.match(await chain.query(oneSeat, { slot: 'a', did: mina.did }), { state: 'confirmed', slotState: 'closed', paid: { amount: 10_000 } })
  t.match(chain.view().get(purchaseTable, theatre.did, Buffer.from(juns.id).toString('base64url')), { refunded: 10_000 })
  t.equal(chain.run(cancel, mina, { slot: 'a' }).code, 'points/refund-not-covered')
  ok(t, chain.run(reserve, sora, { slot: 'b', payment }), 'points.spent', 'reserved')
  ok(t, chain.run(cancel, mina, { slot: 'a' }), 'points.refunded', 'cancelled')
})

t.test('a day takes so many slots with a price', (t) => {
  const chain = richCity(mina)
  chain.run(openSlots, operator, { facility: 'hall', slots: Array.from({ length: pricedSlotsADayMax }, (_, i) => slotOf(`s${i}`, { price })) })
  t.equal(chain.view().get(pricedDayTable, 'hall', dayOf(slotOf('a').startsMs))?.length, pricedSlotsADayMax)
  refused(t, chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { price })] }), 'reservation/day-full')
  ok(t, chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a')] }), 'slotOpened')
  t.end()
})

t.test('who does not come too often waits', async (t) => {
  const chain = city()
  const slots = Array.from({ length: 5 }, (_, i) => slotOf(`s${i}`, { capacity: 2, startsMs: (slotOf('x').startsMs + i * hourMs) as TimeMs, endsMs: (slotOf('x').endsMs + i * hourMs) as TimeMs }))
  chain.run(openSlots, operator, { facility: 'hall', slots })
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('next', { startsMs: (genesisTimeMs + 40 * dayMs) as TimeMs, endsMs: (genesisTimeMs + 41 * dayMs) as TimeMs, closesMs: (genesisTimeMs + 39 * dayMs) as TimeMs, cancelUntilMs: (genesisTimeMs + 39 * dayMs) as TimeMs })] })
  for (const { id } of slots) chain.run(reserve, mina, { slot: id })
  until(chain, (slots[4] as SlotDefinition).startsMs)
  const missed = (slot: string): Receipt => chain.run(noShow, operator, { slot, did: mina.did })
  ok(t, missed('s0'), 'missed')
  t.match(await chain.query(standing, { did: mina.did }), { did: mina.did, absences: [{ slot: 's0' }] })
  t.equal((await chain.query(standing, { did: mina.did }))?.blockedUntilMs, undefined)
  const lastMs = chain.next().timeMs
  ok(t, missed('s1'), 'missed')
  refused(t, chain.run(reserve, mina, { slot: 'next' }), 'reservation/blocked', { untilMs: lastMs + settings.blockMs })
  t.equal((await chain.query(standing, { did: mina.did }))?.blockedUntilMs, lastMs + settings.blockMs)
  // what the operator sets right counts no more
  ok(t, chain.run(checkIn, operator, { slot: 's1', did: mina.did }), 'checkedIn')
  ok(t, chain.run(reserve, mina, { slot: 'next' }), 'reserved')
  ok(t, chain.run(cancel, mina, { slot: 'next' }), 'cancelled')
  ok(t, missed('s2'), 'missed')
  refused(t, chain.run(hold, mina, { slot: 'next' }), 'reservation/blocked')
  chain.advance(settings.blockMs)
  ok(t, chain.run(hold, mina, { slot: 'next' }), 'held')
  t.strictSame(await chain.query(standing, { did: jun.did }), { did: jun.did })
})

// the words of docs/transactions.md again, by node:crypto alone
const sha = (...parts: readonly (Uint8Array | string)[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
const tagged = (tag: string, ...parts: readonly (Uint8Array | string)[]): Buffer => sha(`dongbaek/${tag}\0`, ...parts)

function shuffled(seed: Uint8Array, entrants: readonly string[]): readonly string[] {
  const left = [...entrants]
  const order: string[] = []
  for (let k = 0; left.length > 0; k++) {
    const fair = 2 ** 48 - (2 ** 48 % left.length)
    let value = fair
    for (let attempt = 0; value >= fair; attempt++) value = tagged('lottery-lot', seed, `${k}/${attempt}`).readUIntBE(0, 6)
    const place = value % left.length
    order.push(left[place] as string)
    const last = left.pop() as string
    if (place < left.length) left[place] = last
  }
  return order
}

const [ownSecret, otherSecret] = [taggedHash('test', utf8('own')), taggedHash('test', utf8('other'))]
const lotteryOf = (slot: string): SlotDefinition['lottery'] => [
  { by: operator.did, hash: secretHash(slot, operator.did, ownSecret) },
  { by: witness.did, hash: secretHash(slot, witness.did, otherSecret) },
]

function lotteryCity(more: Partial<SlotDefinition>, chain = city(crowd)): Harness {
  const receipt = chain.run(openSlots, operator, { facility: 'hall', course: { id: 'yoga', title: { ko: '요가' }, perPersonMax: 1 }, slots: [slotOf('a', { lottery: lotteryOf('a'), ...more })] }, { cosigners: [witness] })
  if (receipt.status !== 'ok') throw new Error(receipt.code)
  return chain
}

t.test('a lottery draws seats and the line from a seed that anyone can compute', async (t) => {
  const chain = lotteryCity({ capacity: 40, waitlistMax: 30 })
  const { closesMs } = slotOf('a')
  refused(t, chain.run(hold, crowd[0] as TestActor, { slot: 'a' }), 'reservation/by-lottery')
  const receipts = chain.execute(...crowd.map((one) => chain.make(reserve, one, { slot: 'a' }))).receipts
  t.match(receipts.at(-1)?.events, [{ type: 'reservation.entered', number: 300, entered: 300 }])
  refused(t, chain.run(reserve, crowd[0] as TestActor, { slot: 'a' }), 'reservation/already-reserved', { state: 'entered' })
  ok(t, chain.run(cancel, crowd[7] as TestActor, { slot: 'a' }), 'cancelled')
  refused(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'reservation/too-early', { fromMs: closesMs })
  t.equal(await chain.query(oneDraw, { slot: 'a' }), undefined)
  t.match(await chain.query(oneSlot, { slot: 'a' }), { entered: 299, seatsLeft: 40, lottery: lotteryOf('a') })

  until(chain, closesMs)
  // a secret within the very block whose hash counts would be known to whoever makes it
  const closing = chain.execute(chain.make(reveal, operator, { slot: 'a', secret: ownSecret }), chain.make(cancel, crowd[8] as TestActor, { slot: 'a' }), chain.make(amendSlot, operator, { slot: 'a', capacity: 50 }))
  t.match(closing.outcome.events, [{ type: 'reservation.registrationEnded', entered: 299 }])
  refused(t, closing.receipts[0] as Receipt, 'reservation/too-early')
  refused(t, closing.receipts[1] as Receipt, 'reservation/drawing')
  refused(t, closing.receipts[2] as Receipt, 'reservation/drawing')
  const { height } = closing.outcome
  t.match(await chain.query(oneDraw, { slot: 'a' }), { height, entered: 299, secrets: [], missing: [operator.did, witness.did], done: false })
  refused(t, chain.run(reveal, officer, { slot: 'a', secret: ownSecret }), 'reservation/not-a-party')
  refused(t, chain.run(reveal, operator, { slot: 'none', secret: ownSecret }), 'reservation/unknown-slot')
  refused(t, chain.run(reveal, operator, { slot: 'a', secret: otherSecret }), 'reservation/secret-differs')
  // in the order of the commitments, whoever is first to show
  t.equal(ok(t, chain.run(reveal, witness, { slot: 'a', secret: otherSecret }), 'secretShown').events.length, 1)
  refused(t, chain.run(reveal, witness, { slot: 'a', secret: otherSecret }), 'reservation/secret-shown')
  t.match(await chain.query(oneDraw, { slot: 'a' }), { missing: [operator.did] })
  const block = chain.view().get(blockRecordTable, height)?.hash as Uint8Array
  const seed = tagged('lottery-seed', 'a/', block, ownSecret, otherSecret)
  t.match(ok(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'secretShown').events[0], { by: operator.did, seed: new Uint8Array(seed) })

  const first = idle(chain)
  t.equal(first.length, blockStepsMax)
  const drawn = [...first, ...idle(chain)] as (Event & { did: string; outcome: string; order: number })[]
  const entrants = crowd.map(({ did }) => did as string)
  entrants[7] = entrants.pop() as string // the last takes the place of the one who left
  const expected = shuffled(seed, entrants)
  t.strictSame(drawn.map(({ did }) => did), expected)
  t.strictSame(drawn.map(({ order }) => order), expected.map((_, i) => i + 1))
  t.strictSame(drawn.map(({ outcome }) => outcome), expected.map((_, i) => (i < 40 ? 'seat' : i < 70 ? 'line' : 'lost')))
  t.match(await chain.query(oneDraw, { slot: 'a' }), { entered: 0, drawn: 299, done: true, missing: [] })
  t.match(await chain.query(oneSlot, { slot: 'a' }), { entered: 0, confirmed: 40, waiting: 30, seatsLeft: 0 })
  const of = (did: string): TestActor => crowd.find((one) => one.did === did) as TestActor
  t.match(await chain.query(oneSeat, { slot: 'a', did: of(expected[41] as string).did }), { state: 'waiting', place: 2 })
  t.match(await chain.query(oneSeat, { slot: 'a', did: of(expected[298] as string).did }), { state: 'lost' })
  t.equal(chain.view().get(heldTable, 'yoga', expected[298] as string), undefined, 'a lot that lost counts no more in the course')
  t.match(ok(t, chain.run(cancel, of(expected[0] as string), { slot: 'a' }), 'cancelled', 'promoted').events[1], { did: expected[40] })
  refused(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'reservation/secret-shown')
  chain.advance(revealMs)
  t.strictSame(idle(chain), [], 'the time for the secrets ends without a word')
})

t.test('a secret that is withheld closes the slot', async (t) => {
  const chain = lotteryCity({})
  const [one, two] = crowd as [TestActor, TestActor]
  for (const each of [one, two]) chain.run(reserve, each, { slot: 'a' })
  until(chain, slotOf('a').closesMs)
  idle(chain)
  ok(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'secretShown')
  refused(t, chain.run(cancel, one, { slot: 'a' }), 'reservation/drawing')
  chain.advance(revealMs)
  t.match(idle(chain), [{ type: 'reservation.drawFailed', slot: 'a', missing: witness.did }])
  t.match(await chain.query(oneSlot, { slot: 'a' }), { state: 'closed', closed: { by: witness.did } })
  refused(t, chain.run(reveal, witness, { slot: 'a', secret: otherSecret }), 'reservation/slot-closed')
  for (const each of [one, two]) ok(t, chain.run(cancel, each, { slot: 'a' }), 'cancelled')
  t.match(chain.view().get(seatsTable, 'a'), { entered: 0 })
})

t.test('a secret is late by its time alone, also while the chain is behind with what is due', (t) => {
  const chain = lotteryCity({}, city(crowd))
  chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('kept', { capacity: 1_000, closesMs: slotOf('a').startsMs })] })
  ok(t, chain.run(reserve, crowd[0] as TestActor, { slot: 'a' }), 'entered')
  until(chain, slotOf('a').closesMs)
  t.match(idle(chain), [{ type: 'reservation.registrationEnded' }])
  ok(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'secretShown')
  until(chain, slotOf('a').closesMs + revealMs - settings.holdMs - 1)
  chain.execute(...crowd.map((one) => chain.make(hold, one, { slot: 'kept' })))
  until(chain, slotOf('a').closesMs + revealMs)
  const { receipts, outcome } = chain.execute(chain.make(reveal, witness, { slot: 'a', secret: otherSecret }))
  t.strictSame([...new Set(typesOf(outcome.events))], ['lapsed'], 'so much is due that the end of the secrets has to wait')
  refused(t, receipts[0] as Receipt, 'reservation/too-late', { untilMs: slotOf('a').closesMs + revealMs })
  t.equal(eventsOf({ events: idle(chain) }, 'reservation.drawFailed').length, 1)
  t.end()
})

t.test('parties, and lotteries that nobody entered or that are closed', async (t) => {
  const chain = city()
  const open = (lottery: SlotDefinition['lottery'], cosigners: readonly TestActor[]): Receipt => chain.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { lottery })] }, { cosigners })
  refused(t, open(lotteryOf('a'), []), 'reservation/party-not-signed', { did: witness.did })
  ok(t, open(lotteryOf('a'), [witness]), 'slotOpened')
  const alike = createHarness({
    genesis: { reservation: { livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }] } },
    roles: [
      [operator, 'operator', '*'],
      [witness, 'operator', 'hall'],
    ],
  })
  refused(t, alike.run(openSlots, operator, { facility: 'hall', slots: [slotOf('a', { lottery: lotteryOf('a') })] }, { cosigners: [witness] }), 'reservation/no-outside-party')
  t.throws(() => encode(slotDefinition, slotOf('a', { lottery: lotteryOf('a')?.slice(0, 1) })), { code: 'codec/invalid' })
  t.throws(() => encode(slotDefinition, slotOf('a', { lottery: [lotteryOf('a')?.[0], lotteryOf('a')?.[0]] as SlotDefinition['lottery'] })), { code: 'codec/invalid' })
  t.throws(() => encode(slotDefinition, slotOf('a', { lottery: lotteryOf('a'), closesMs: (slotOf('a').startsMs - revealMs + 1) as TimeMs })), { code: 'codec/invalid' })
  until(chain, slotOf('a').closesMs)
  t.match(idle(chain), [{ type: 'reservation.registrationEnded', entered: 0 }])
  t.match(await chain.query(oneDraw, { slot: 'a' }), { done: true, entered: 0 })
  refused(t, chain.run(reveal, operator, { slot: 'a', secret: ownSecret }), 'reservation/secret-shown')

  const closed = lotteryCity({})
  closed.run(reserve, crowd[0] as TestActor, { slot: 'a' })
  ok(t, closed.run(closeSlot, operator, { slot: 'a', reason }), 'slotClosed')
  until(closed, slotOf('a').closesMs)
  t.strictSame(idle(closed), [])
  ok(t, closed.run(cancel, crowd[0] as TestActor, { slot: 'a' }), 'cancelled')
})

t.test('seats with a price drawn by lot are kept for the payment', async (t) => {
  const chain = lotteryCity({ price }, richCity(mina, jun, sora))
  for (const one of [mina, jun, sora]) ok(t, chain.run(reserve, one, { slot: 'a' }), 'entered')
  until(chain, slotOf('a').closesMs)
  idle(chain)
  chain.run(reveal, witness, { slot: 'a', secret: otherSecret })
  chain.run(reveal, operator, { slot: 'a', secret: ownSecret })
  const drawn = idle(chain) as (Event & { did: string; heldUntilMs?: number })[]
  const of = (at: number): TestActor => people.find(({ did }) => did === drawn[at]?.did) as TestActor
  t.equal(drawn[0]?.heldUntilMs, chain.next().timeMs - 1_000 + settings.offerMs)
  chain.advance(settings.offerMs)
  t.match(idle(chain), [{ type: 'reservation.lapsed', did: of(0).did }, { type: 'reservation.promoted', did: of(1).did }])
  ok(t, chain.run(reserve, of(1), { slot: 'a', payment }), 'points.spent', 'confirmed')
  t.equal(pointsOf(chain, of(1)), 20_000)
})

t.test('each place is drawn as often', (t) => {
  for (const places of [2, 3, 7]) {
    const counts = new Array<number>(places).fill(0)
    for (let k = 0; k < 3_000; k++) counts[drawnPlace(taggedHash('test', utf8(`${k}`)), k, places)]! += 1
    const chi = counts.reduce((sum, count) => sum + (count - 3_000 / places) ** 2 / (3_000 / places), 0)
    t.ok(chi < 25, `${places} places: ${counts.join(', ')}`)
  }
  t.end()
})

t.test('the queue: in the order of time, then of arrival', (t) => {
  const view = createOverlay({ get: () => undefined }, createValueCache(10_000))
  const naive: { atMs: number; number: number }[] = []
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  let number = 0
  for (let round = 0; round < 4_000; round++) {
    if (random(5) < 3) {
      const atMs = random(50)
      naive.push({ atMs, number: ++number })
      putDue(view, atMs as TimeMs, { what: 'fill', of: `s${number}` })
    } else {
      const nowMs = random(60)
      naive.sort((a, b) => a.atMs - b.atMs || a.number - b.number)
      const first = naive[0] !== undefined && naive[0].atMs <= nowMs ? naive.shift() : undefined
      t.ok(takeDue(view, nowMs as TimeMs)?.of === (first === undefined ? undefined : `s${first.number}`), `round ${round}`)
    }
  }
  t.equal(view.get(dueEndTable, 'heap')?.size, naive.length)
  t.end()
})

t.test('each code of these was provoked', (t) => {
  t.strictSame(codesOfTerms.filter((code) => !provoked.has(code)), [])
  t.end()
})
