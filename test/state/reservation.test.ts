// Every rule of reservations and every code that it refuses with; the queries, the geometry, and the preset of living areas.
import t, { type Test } from 'tap'
import { facilities as presetFacilities } from '../../genesis/presets/facilities.ts'
import { livingAreas as presetAreas } from '../../genesis/presets/living-areas.ts'
import type { TimeMs } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { transactionBytesMax } from '../../primitives/limits.ts'
import { utf8 } from '../../primitives/bytes.ts'
import type { Json } from '../../primitives/schema.ts'
import { cancel } from '../../state/reservation/cancel.ts'
import { checkIn } from '../../state/reservation/check-in.ts'
import { closeFacility } from '../../state/reservation/close-facility.ts'
import { closeSlot } from '../../state/reservation/close-slot.ts'
import { reservationCodes } from '../../state/reservation/codes.ts'
import { reservationFamily } from '../../state/reservation/family.ts'
import { bbox } from '../../state/reservation/geojson.ts'
import { type Box, ringFault, ringHolds, ringMeetsBox, segmentsMeet } from '../../state/reservation/geometry.ts'
import { heldTable, holderTable, seatTable } from '../../state/reservation/keys.ts'
import { noShow } from '../../state/reservation/no-show.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { byDid, facilities, features, holders, livingAreas, oneFacility, oneSeat, oneSlot, slots } from '../../state/reservation/queries.ts'
import { registerFacility } from '../../state/reservation/register-facility.ts'
import { reserve } from '../../state/reservation/reserve.ts'
import { attendanceLateMs, checkInEarlyMs, type FacilityDefinition, genesisSection, type LivingArea, type OpenSlots, openSlotsPayload, type SlotDefinition, slotDefinition, slotsPerTransactionMax } from '../../state/reservation/types.ts'
import type { ParamsOf } from '../../state/query.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createHarness, eventsOf, genesisTimeMs, type Harness, testActor, type TestActor, testIssuer } from '../support/state-harness.ts'
import { codesOfTerms } from './reservation-codes.ts'

const hourMs = 3_600_000
const operator = testActor('operator of everything')
const areaOperator = testActor('operator of the west')
const hallOperator = testActor('operator of the hall')
const officeOperator = testActor('operator of the office for libraries')
const [mina, jun, sora, hana] = [testActor('mina'), testActor('jun'), testActor('sora'), testActor('hana')]

function square(id: string, longitude: number): LivingArea {
  const at = (east: number, north: number): { longitude: number; latitude: number } => ({ longitude: longitude + east, latitude: 35_100_000 + north })
  return {
    id,
    name: { ko: '서쪽', en: id },
    district: { ko: '중구', en: 'Jung-gu' },
    centre: at(5_000, 5_000),
    polygon: [at(0, 0), at(10_000, 0), at(10_000, 10_000), at(0, 10_000)],
  }
}

function place(id: string, livingArea: string, longitude: number, more: Partial<FacilityDefinition> = {}): FacilityDefinition {
  return { id, livingArea, category: 'library', title: { ko: '도서관', en: id }, position: { longitude, latitude: 35_105_000 }, ...more }
}

const hall = place('hall', 'west', 129_005_000, { category: 'lecture', operatorScope: 'office' })
const library = place('library', 'west', 129_006_000)
const pool = place('pool', 'east', 129_025_000, { category: 'sports' })
const reservation = { livingAreas: [square('west', 129_000_000), square('east', 129_020_000)], facilities: [hall, library, pool] }

function city(): Harness {
  return createHarness({
    genesis: { reservation },
    actors: [mina, jun, sora, hana],
    roles: [
      [operator, 'operator', '*'],
      [areaOperator, 'operator', 'west'],
      [hallOperator, 'operator', 'hall'],
      [officeOperator, 'operator', 'office'],
    ],
  })
}

/** Begins ten hours after the genesis; reservable from its first hour until an hour before the start. */
function slotOf(id: string, more: Partial<SlotDefinition> = {}): SlotDefinition {
  const startsMs = genesisTimeMs + 10 * hourMs
  return {
    id,
    startsMs: startsMs as TimeMs,
    endsMs: (startsMs + 2 * hourMs) as TimeMs,
    opensMs: (genesisTimeMs + hourMs) as TimeMs,
    closesMs: (startsMs - hourMs) as TimeMs,
    cancelUntilMs: (startsMs - 2 * hourMs) as TimeMs,
    capacity: 1,
    waitlistMax: 2,
    ...more,
  }
}

const provoked = new Set<string>()

function refused(test: Test, receipt: Receipt, code: string, data?: object): void {
  test.equal(receipt.code, code)
  test.equal(receipt.events.length, 0)
  if (data !== undefined) test.match(receipt.data, data)
  provoked.add(receipt.code ?? '')
}

function ok(test: Test, receipt: Receipt, ...types: readonly string[]): Receipt {
  test.equal(receipt.status, 'ok', `ok, not ${receipt.code ?? ''} ${JSON.stringify(receipt.data ?? {})}`)
  test.strictSame(receipt.events.map(({ type }) => type), types.map((type) => `reservation.${type}`))
  return receipt
}

/** A city with slots of the hall open, an hour and a bit after the genesis. */
function openCity(...definitions: readonly SlotDefinition[]): Harness {
  const chain = city()
  if (chain.run(openSlots, operator, { facility: 'hall', slots: definitions }).status !== 'ok') throw new Error('slots not opened')
  chain.advance(hourMs)
  return chain
}

const reason = '점검'
const pseudonym = (name: string): Uint8Array => taggedHash('test-pseudonym', utf8(name))

t.test('facilities are registered and closed by those who operate them', async (t) => {
  const chain = city()
  const annex = place('annex', 'west', 129_001_000, { operatorScope: 'office' })
  refused(t, chain.run(registerFacility, mina, annex), 'reservation/not-operator')
  refused(t, chain.run(registerFacility, officeOperator, annex), 'reservation/not-operator', { facility: 'annex' })
  refused(t, chain.run(registerFacility, areaOperator, { ...annex, livingArea: 'east' }), 'reservation/not-operator')
  refused(t, chain.run(registerFacility, operator, { ...annex, livingArea: 'nowhere' }), 'reservation/unknown-living-area', { livingArea: 'nowhere' })
  const receipt = ok(t, chain.run(registerFacility, areaOperator, annex), 'facilityRegistered')
  t.match(receipt.events[0], { facility: 'annex', livingArea: 'west', category: 'library', by: areaOperator.did })
  for (const id of ['annex', 'hall', 'west']) refused(t, chain.run(registerFacility, operator, { ...annex, id }), 'reservation/name-taken', { id })
  t.match(await chain.query(oneFacility, { facility: 'annex' }), { ...annex, registeredBy: areaOperator.did, registeredAtHeight: receipt.height })
  t.equal((await chain.query(oneFacility, { facility: 'hall' }))?.registeredBy, undefined)
  t.equal(await chain.query(oneFacility, { facility: 'none' }), undefined)

  refused(t, chain.run(closeFacility, mina, { facility: 'annex', reason }), 'reservation/not-operator')
  refused(t, chain.run(closeFacility, operator, { facility: 'none', reason }), 'reservation/unknown-facility', { facility: 'none' })
  ok(t, chain.run(closeFacility, officeOperator, { facility: 'annex', reason }), 'facilityClosed')
  refused(t, chain.run(closeFacility, operator, { facility: 'annex', reason }), 'reservation/facility-closed')
  t.match(await chain.query(oneFacility, { facility: 'annex' }), { closed: { by: officeOperator.did, reason } })
})

t.test('slots are opened together or not at all', async (t) => {
  const chain = city()
  const open = (sender: TestActor, payload: Partial<OpenSlots> & Pick<OpenSlots, 'slots'>): Receipt => chain.run(openSlots, sender, { facility: 'hall', ...payload })
  refused(t, open(mina, { slots: [slotOf('a')] }), 'reservation/not-operator')
  refused(t, open(operator, { facility: 'none', slots: [slotOf('a')] }), 'reservation/unknown-facility')
  for (const sender of [operator, areaOperator, hallOperator, officeOperator]) ok(t, open(sender, { slots: [slotOf(`of-${sender.did.slice(-6).toLowerCase().replace(/[^a-z0-9]/g, '0')}`)] }), 'slotOpened')
  refused(t, open(hallOperator, { facility: 'library', slots: [slotOf('a')] }), 'reservation/not-operator')
  refused(t, open(operator, { slots: [slotOf('a'), slotOf('b'), slotOf('a')] }), 'reservation/slot-exists', { slot: 'a' })
  t.equal(await chain.query(oneSlot, { slot: 'b' }), undefined, 'nothing of a refused transaction stays')
  const past = chain.next().timeMs
  refused(t, open(operator, { slots: [slotOf('a'), slotOf('late', { startsMs: past, opensMs: (past - 1) as TimeMs, closesMs: past, cancelUntilMs: past })] }), 'reservation/slot-in-past', { slot: 'late' })
  const course = { id: 'pottery', title: { ko: '도예' }, perPersonMax: 2 }
  for (const id of ['west', 'library']) refused(t, open(operator, { course: { ...course, id }, slots: [slotOf('a')] }), 'reservation/name-taken', { id })
  ok(t, open(operator, { course, slots: [slotOf('a'), slotOf('b')] }), 'slotOpened', 'slotOpened')
  ok(t, open(operator, { course, slots: [slotOf('c')] }), 'slotOpened')
  for (const other of [{ ...course, perPersonMax: 3 }, { ...course, title: { ko: '도자기' } }, { ...course, title: { ko: '도예', en: 'Pottery' } }]) {
    refused(t, open(operator, { course: other, slots: [slotOf('d')] }), 'reservation/course-differs', { course: 'pottery' })
  }
  refused(t, open(operator, { course, qualification: 'resident', slots: [slotOf('d')] }), 'reservation/course-differs')
  refused(t, open(operator, { course, facility: 'library', slots: [slotOf('d')] }), 'reservation/course-differs')
  refused(t, chain.run(registerFacility, operator, place('pottery', 'west', 129_001_000)), 'reservation/name-taken')
  t.match(await chain.query(oneSlot, { slot: 'a' }), { facility: 'hall', livingArea: 'west', course, capacity: 1, seatsLeft: 1, waiting: 0, state: 'open' })
  chain.run(closeFacility, operator, { facility: 'hall', reason })
  refused(t, open(operator, { slots: [slotOf('d')] }), 'reservation/facility-closed')
})

t.test('as many slots as one transaction may open fit into it', (t) => {
  const chain = city()
  const many = Array.from({ length: slotsPerTransactionMax }, (_, i) => slotOf(`hall-2026-06-${String(i).padStart(5, '0')}`, { capacity: 20 }))
  const payload: OpenSlots = { facility: 'hall', course: { id: 'swimming', title: { ko: '생존수영' }, perPersonMax: 4 }, slots: many }
  t.ok(encode(openSlotsPayload, payload).length < transactionBytesMax - 1_000)
  t.equal(chain.run(openSlots, operator, payload).events.length, slotsPerTransactionMax)
  t.throws(() => encode(openSlotsPayload, { ...payload, slots: [...many, slotOf('one-more')] }), { code: 'codec/invalid' })
  t.end()
})

t.test('times of a slot that make no sense are no payload', (t) => {
  const good = slotOf('a')
  const broken: readonly Partial<SlotDefinition>[] = [
    { endsMs: good.startsMs },
    { endsMs: (good.startsMs + 367 * 24 * hourMs) as TimeMs },
    { closesMs: good.opensMs },
    { closesMs: (good.endsMs + 1) as TimeMs },
    { cancelUntilMs: (good.startsMs + 1) as TimeMs },
    { capacity: 0 },
  ]
  for (const change of broken) t.throws(() => encode(slotDefinition, { ...good, ...change }), { code: 'codec/invalid' }, JSON.stringify(change))
  t.end()
})

t.test('seats go by the order of the chain, then places in line', async (t) => {
  const chain = openCity(slotOf('a'), slotOf('later', { opensMs: (genesisTimeMs + 5 * hourMs) as TimeMs }))
  refused(t, chain.run(reserve, mina, { slot: 'none' }), 'reservation/unknown-slot')
  refused(t, chain.run(reserve, mina, { slot: 'later' }), 'reservation/not-open-yet', { opensMs: genesisTimeMs + 5 * hourMs })
  t.match(ok(t, chain.run(reserve, mina, { slot: 'a' }), 'reserved').events[0], { slot: 'a', facility: 'hall', livingArea: 'west', did: mina.did, number: 1, seatsLeft: 0, waiting: 0 })
  refused(t, chain.run(reserve, mina, { slot: 'a' }), 'reservation/already-reserved', { state: 'confirmed' })
  t.match(ok(t, chain.run(reserve, jun, { slot: 'a' }), 'waitlisted').events[0], { did: jun.did, number: 2, place: 1 })
  refused(t, chain.run(reserve, jun, { slot: 'a' }), 'reservation/already-reserved', { state: 'waiting' })
  t.match(ok(t, chain.run(reserve, sora, { slot: 'a' }), 'waitlisted').events[0], { place: 2 })
  refused(t, chain.run(reserve, hana, { slot: 'a' }), 'reservation/full', { capacity: 1, waiting: 2 })
  t.match(await chain.query(oneSeat, { slot: 'a', did: sora.did }), { state: 'waiting', place: 2, number: 3 })
  t.match(await chain.query(oneSlot, { slot: 'a' }), { seatsLeft: 0, confirmed: 1, waiting: 2 })

  // the freed seat goes to the first in line, in the same transaction
  const receipt = ok(t, chain.run(cancel, mina, { slot: 'a' }), 'cancelled', 'promoted')
  t.match(receipt.events[0], { did: mina.did, wasWaiting: false, seatsLeft: 1, waiting: 2 })
  t.match(receipt.events[1], { did: jun.did, number: 2, seatsLeft: 0, waiting: 1 })
  t.match(await chain.query(oneSeat, { slot: 'a', did: jun.did }), { state: 'confirmed' })
  t.match(await chain.query(oneSeat, { slot: 'a', did: sora.did }), { state: 'waiting', place: 1 })
  t.equal((await chain.query(oneSeat, { slot: 'a', did: mina.did }))?.state, 'cancelled')

  // who comes back stands at the end
  t.match(ok(t, chain.run(reserve, hana, { slot: 'a' }), 'waitlisted').events[0], { place: 2 })
  ok(t, chain.run(cancel, sora, { slot: 'a' }), 'cancelled')
  t.match(ok(t, chain.run(reserve, mina, { slot: 'a' }), 'waitlisted').events[0], { place: 2, number: 5 })
  t.match(await chain.query(oneSeat, { slot: 'a', did: hana.did }), { state: 'waiting', place: 1 })
  const page = await chain.query(holders, { slot: 'a', limit: 2 })
  const rest = await chain.query(holders, { slot: 'a', limit: 2, cursor: page?.next ?? '' })
  t.strictSame([...(page?.items ?? []), ...(rest?.items ?? [])].map(({ did }) => did), [mina.did, jun.did, hana.did].sort())

  refused(t, chain.run(cancel, sora, { slot: 'a' }), 'reservation/no-reservation')
  refused(t, chain.run(cancel, operator, { slot: 'a' }), 'reservation/no-reservation')
  refused(t, chain.run(cancel, mina, { slot: 'none' }), 'reservation/unknown-slot')
  t.equal(await chain.query(oneSeat, { slot: 'a', did: operator.did }), undefined)
})

t.test('leaving the line from its front, middle and end', async (t) => {
  for (const leaver of [1, 2, 3]) {
    const chain = openCity(slotOf('a', { waitlistMax: 3 }))
    const line = [mina, jun, sora, hana]
    for (const one of line) chain.run(reserve, one, { slot: 'a' })
    ok(t, chain.run(cancel, line[leaver] as TestActor, { slot: 'a' }), 'cancelled')
    const left = line.filter((_, i) => i !== leaver)
    const promotions = left.slice(0, 2).flatMap((one) => eventsOf(chain.run(cancel, one, { slot: 'a' }), 'reservation.promoted'))
    t.strictSame(promotions.map(({ did }) => did), left.slice(1).map(({ did }) => did), `without ${leaver}`)
    t.match(await chain.query(oneSlot, { slot: 'a' }), { seatsLeft: 0, confirmed: 1, waiting: 0 })
  }
})

t.test('windows and deadlines are those of the block', (t) => {
  const slot = slotOf('a')
  const chain = openCity(slot)
  const until = (timeMs: number): void => chain.advance(timeMs - chain.next().timeMs)
  until(slot.opensMs)
  ok(t, chain.run(reserve, mina, { slot: 'a' }), 'reserved')
  until(slot.cancelUntilMs)
  ok(t, chain.run(cancel, mina, { slot: 'a' }), 'cancelled')
  ok(t, chain.run(reserve, mina, { slot: 'a' }), 'reserved')
  ok(t, chain.run(reserve, jun, { slot: 'a' }), 'waitlisted')
  refused(t, chain.run(cancel, mina, { slot: 'a' }), 'reservation/too-late-to-cancel', { cancelUntilMs: slot.cancelUntilMs })
  ok(t, chain.run(cancel, jun, { slot: 'a' }), 'cancelled')
  until(slot.closesMs - 1_000)
  ok(t, chain.run(reserve, jun, { slot: 'a' }), 'waitlisted')
  t.equal(chain.next().timeMs, slot.closesMs)
  refused(t, chain.run(reserve, sora, { slot: 'a' }), 'reservation/window-closed', { closesMs: slot.closesMs })
  t.end()
})

t.test('attendance', async (t) => {
  const slot = slotOf('a', { capacity: 2 })
  const chain = openCity(slot)
  for (const one of [mina, jun, sora]) chain.run(reserve, one, { slot: 'a' })
  const until = (timeMs: number): void => chain.advance(timeMs - chain.next().timeMs)
  const of = (one: TestActor): { slot: string; did: TestActor['did'] } => ({ slot: 'a', did: one.did })
  until(slot.startsMs - checkInEarlyMs - 1)
  refused(t, chain.run(checkIn, operator, of(mina)), 'reservation/too-early', { fromMs: slot.startsMs - checkInEarlyMs })
  refused(t, chain.run(noShow, operator, of(mina)), 'reservation/too-early', { fromMs: slot.startsMs })
  refused(t, chain.run(checkIn, mina, of(mina)), 'reservation/not-operator')
  refused(t, chain.run(noShow, mina, of(mina)), 'reservation/not-operator')
  for (const entry of [checkIn, noShow]) refused(t, chain.run(entry, operator, { slot: 'none', did: mina.did }), 'reservation/unknown-slot')
  ok(t, chain.run(checkIn, hallOperator, of(mina)), 'checkedIn')
  refused(t, chain.run(checkIn, operator, of(mina)), 'reservation/no-reservation')
  refused(t, chain.run(checkIn, operator, of(sora)), 'reservation/no-reservation', { did: sora.did })
  refused(t, chain.run(cancel, mina, { slot: 'a' }), 'reservation/no-reservation')
  until(slot.startsMs)
  refused(t, chain.run(noShow, operator, of(hana)), 'reservation/no-reservation')
  refused(t, chain.run(noShow, operator, of(mina)), 'reservation/no-reservation')
  ok(t, chain.run(noShow, operator, of(jun)), 'missed')
  refused(t, chain.run(noShow, operator, of(jun)), 'reservation/no-reservation')
  t.match(await chain.query(oneSlot, { slot: 'a' }), { seatsLeft: 0, confirmed: 0, attended: 1, absent: 1, waiting: 1 }, 'a seat not used is spent')
  ok(t, chain.run(checkIn, operator, of(jun)), 'checkedIn')
  t.match(await chain.query(oneSlot, { slot: 'a' }), { attended: 2, absent: 0 })
  t.equal((await chain.query(oneSeat, of(jun)))?.state, 'attended')
  until(slot.endsMs + attendanceLateMs + 1)
  for (const entry of [checkIn, noShow]) refused(t, chain.run(entry, operator, of(mina)), 'reservation/too-late')
})

t.test('a closed slot is void: no reservations, no promotion, leave at any time', async (t) => {
  const course = { id: 'pottery', title: { ko: '도예' }, perPersonMax: 1 }
  for (const how of ['slot', 'facility'] as const) {
    const chain = city()
    chain.run(openSlots, operator, { facility: 'hall', course, slots: [slotOf('a')] })
    chain.advance(hourMs)
    chain.run(reserve, mina, { slot: 'a' })
    chain.run(reserve, jun, { slot: 'a' })
    if (how === 'slot') {
      refused(t, chain.run(closeSlot, mina, { slot: 'a', reason }), 'reservation/not-operator')
      refused(t, chain.run(closeSlot, operator, { slot: 'none', reason }), 'reservation/unknown-slot')
      t.match(ok(t, chain.run(closeSlot, hallOperator, { slot: 'a', reason }), 'slotClosed').events[0], { confirmed: 1, waiting: 1, by: hallOperator.did, reason })
      refused(t, chain.run(closeSlot, operator, { slot: 'a', reason }), 'reservation/slot-closed')
      refused(t, chain.run(reserve, sora, { slot: 'a' }), 'reservation/slot-closed')
      chain.advance(10 * hourMs)
      for (const entry of [checkIn, noShow]) refused(t, chain.run(entry, operator, { slot: 'a', did: mina.did }), 'reservation/slot-closed')
    } else {
      ok(t, chain.run(closeFacility, hallOperator, { facility: 'hall', reason }), 'facilityClosed')
      refused(t, chain.run(reserve, sora, { slot: 'a' }), 'reservation/facility-closed')
      chain.advance(10 * hourMs)
    }
    t.match(await chain.query(oneSlot, { slot: 'a' }), { state: 'closed', closed: { reason } })
    t.match(await chain.query(byDid, { did: mina.did }), { items: [{ slot: 'a', slotState: 'closed', state: 'confirmed' }] })
    ok(t, chain.run(cancel, mina, { slot: 'a' }), 'cancelled')
    t.equal((await chain.query(oneSeat, { slot: 'a', did: jun.did }))?.state, 'waiting')
    t.equal(chain.view().get(heldTable, 'pottery', mina.did), undefined, 'the course counts it no more')
  }
})

t.test('a person holds so many seats of a course, and places in line count', async (t) => {
  const chain = city()
  const course = { id: 'pottery', title: { ko: '도예' }, perPersonMax: 2 }
  chain.run(openSlots, operator, { facility: 'hall', course, slots: ['a', 'b', 'c'].map((id) => slotOf(id)) })
  chain.advance(hourMs)
  chain.run(reserve, jun, { slot: 'b' })
  ok(t, chain.run(reserve, mina, { slot: 'a' }), 'reserved')
  ok(t, chain.run(reserve, mina, { slot: 'b' }), 'waitlisted')
  refused(t, chain.run(reserve, mina, { slot: 'c' }), 'reservation/course-limit', { course: 'pottery', perPersonMax: 2 })
  ok(t, chain.run(cancel, mina, { slot: 'b' }), 'cancelled')
  ok(t, chain.run(reserve, mina, { slot: 'c' }), 'reserved')
  const first = await chain.query(byDid, { did: mina.did, limit: 2 })
  t.strictSame(first?.items.map(({ slot, state }) => [slot, state]), [['a', 'confirmed'], ['b', 'cancelled']])
  t.strictSame((await chain.query(byDid, { did: mina.did, cursor: first?.next ?? '' }))?.items.map(({ slot }) => slot), ['c'])
})

t.test('a qualification is asked for, and one person is one person under any DID', (t) => {
  const chain = city()
  const course = { id: 'senior-yoga', title: { ko: '어르신 요가' }, perPersonMax: 1 }
  chain.run(openSlots, operator, { facility: 'hall', course, qualification: 'over-65', slots: [slotOf('a', { capacity: 5 }), slotOf('b', { capacity: 5 })] })
  chain.run(openSlots, operator, { facility: 'hall', qualification: 'resident', slots: [slotOf('plain')] })
  chain.advance(hourMs)
  const attest = (holder: TestActor, person: string, more: object = {}): ReturnType<Harness['attest']> =>
    chain.attest(testIssuer, { purpose: 'reservation:senior-yoga', subject: holder.did, claim: 'over-65', pseudonym: pseudonym(person), expiresMs: (genesisTimeMs + 100 * hourMs) as TimeMs, ...more })
  refused(t, chain.run(reserve, mina, { slot: 'a' }), 'reservation/qualification-required', { purpose: 'reservation:senior-yoga', claim: 'over-65' })
  refused(t, chain.run(reserve, mina, { slot: 'a', attestation: attest(mina, 'mina', { claim: 'over-60' }) }), 'reservation/qualification-differs')
  t.equal(chain.run(reserve, mina, { slot: 'a', attestation: attest(mina, 'mina', { purpose: 'reservation:hall' }) }).code, 'credential/attestation-purpose')
  t.equal(chain.run(reserve, mina, { slot: 'a', attestation: attest(jun, 'jun') }).code, 'credential/attestation-subject')
  t.equal(chain.run(reserve, mina, { slot: 'a', attestation: { ...attest(mina, 'mina'), pseudonym: pseudonym('other') } }).code, 'credential/attestation-signature')
  ok(t, chain.run(reserve, mina, { slot: 'a', attestation: attest(mina, 'mina') }), 'reserved')
  refused(t, chain.run(reserve, jun, { slot: 'a', attestation: attest(jun, 'mina') }), 'reservation/person-has-seat')
  refused(t, chain.run(reserve, jun, { slot: 'b', attestation: attest(jun, 'mina') }), 'reservation/course-limit')
  ok(t, chain.run(cancel, mina, { slot: 'a' }), 'cancelled')
  ok(t, chain.run(reserve, jun, { slot: 'a', attestation: attest(jun, 'mina') }), 'reserved')
  ok(t, chain.run(reserve, mina, { slot: 'plain', attestation: attest(mina, 'mina', { purpose: 'reservation:hall', claim: 'resident' }) }), 'reserved')
  t.end()
})

t.test('lists by living area, category and box, and slots by their start', async (t) => {
  const chain = city()
  const ids = async (params: ParamsOf<typeof facilities>): Promise<readonly string[]> => {
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await chain.query(facilities, { ...params, limit: 1, ...(cursor !== undefined && { cursor }) })
      found.push(...(page?.items ?? []).map(({ id }) => id))
      cursor = page?.next
    } while (cursor !== undefined)
    return found
  }
  const box = (west: number, east: number): Box => ({ west, east, south: 35_000_000, north: 36_000_000 })
  t.strictSame(await ids({}), ['hall', 'library', 'pool'])
  t.strictSame(await ids({ livingArea: 'west' }), ['hall', 'library'])
  t.strictSame(await ids({ category: 'library' }), ['library'])
  t.strictSame(await ids({ livingArea: 'west', category: 'lecture' }), ['hall'])
  t.strictSame(await ids({ bbox: box(129_006_000, 129_030_000) }), ['library', 'pool'])
  t.strictSame(await ids({ livingArea: 'west', bbox: box(129_006_000, 129_030_000) }), ['library'])
  t.strictSame(await ids({ livingArea: 'nowhere' }), [])

  const startOf = (i: number): TimeMs => (genesisTimeMs + (10 + i) * hourMs) as TimeMs
  const timetable = Array.from({ length: 8 }, (_, i) => slotOf(`s${i}`, { startsMs: startOf(i), endsMs: startOf(i + 1) }))
  t.equal(chain.run(openSlots, operator, { facility: 'hall', slots: [...timetable].reverse() }).status, 'ok')
  const starts = async (params: { from?: TimeMs; to?: TimeMs }): Promise<string> => {
    let found = ''
    let cursor: string | undefined
    do {
      const page = await chain.query(slots, { facility: 'hall', limit: 3, ...params, ...(cursor !== undefined && { cursor }) })
      found += (page?.items ?? []).map(({ id }) => id).join('')
      cursor = page?.next
    } while (cursor !== undefined)
    return found
  }
  t.equal(await starts({}), 's0s1s2s3s4s5s6s7')
  t.equal(await starts({ from: startOf(1), to: startOf(3) }), 's1s2')
  t.equal(await starts({ from: startOf(2), to: (startOf(7) + 1) as TimeMs }), 's2s3s4s5s6s7')
  t.equal(await starts({ from: startOf(9) }), '')
  chain.advance(12 * hourMs)
  t.equal(await starts({}), 's3s4s5s6s7', 'without from: those yet to begin')
  t.equal(await chain.query(slots, { facility: 'none' }), undefined)
})

type Feature = { readonly id: string; readonly geometry: { readonly type: string; readonly coordinates: readonly never[] }; readonly properties: Readonly<Record<string, Json>> }
const featuresOf = (collection: Json | undefined): readonly Feature[] => (collection as unknown as { readonly features: readonly Feature[] }).features

t.test('GeoJSON as RFC 7946 has it', async (t) => {
  const chain = openCity(slotOf('a', { capacity: 3 }), slotOf('b', { capacity: 4 }))
  chain.run(openSlots, operator, { facility: 'hall', course: { id: 'pottery', title: { ko: '도예', en: 'Pottery' }, perPersonMax: 1 }, slots: [slotOf('c', { capacity: 5 })] })
  chain.run(reserve, mina, { slot: 'a' })
  chain.run(closeSlot, operator, { slot: 'b', reason })
  chain.run(closeFacility, operator, { facility: 'pool', reason })
  const areas = await chain.query(livingAreas, {})
  t.match(areas, { type: 'FeatureCollection' })
  t.strictSame(featuresOf(areas).map(({ id }) => id), ['livingArea:east', 'livingArea:west'])
  for (const { geometry } of featuresOf(areas)) {
    const ring = geometry.coordinates[0] as unknown as readonly (readonly [number, number])[]
    t.strictSame(ring[0], ring.at(-1), 'closed')
    t.ok(ring.every(([longitude, latitude]) => longitude > 120 && latitude < 40), 'longitude first')
    const area = ring.slice(1).reduce((sum, [x, y], i) => sum + ((ring[i]?.[0] ?? 0) - 129) * (y - 35) - (x - 129) * ((ring[i]?.[1] ?? 0) - 35), 0)
    t.ok(area > 0, 'right-handed')
  }
  const all = featuresOf(await chain.query(features, {}))
  t.strictSame(all.map(({ id }) => id), ['facility:hall', 'slot:a', 'slot:b', 'slot:c', 'facility:library'])
  t.match(all[0], { geometry: { type: 'Point', coordinates: [129.005, 35.105] }, properties: { kind: 'facility', seatsLeft: 7, upcomingSlots: 2, livingArea: 'west', category: 'lecture' } })
  t.match(all[1]?.properties, { kind: 'slot', seatsLeft: 2, capacity: 3, state: 'open' })
  t.match(all[2]?.properties, { state: 'closed' })
  t.match(all[3]?.properties, { course: 'pottery', title: { ko: '도예', en: 'Pottery' } })
  const ids = async (params: ParamsOf<typeof features>): Promise<readonly string[]> => featuresOf(await chain.query(features, params)).map(({ id }) => id)
  t.strictSame(await ids({ kinds: ['facility'], livingArea: 'west' }), ['facility:hall', 'facility:library'])
  t.strictSame(await ids({ kinds: ['livingArea'], bbox: { west: 129_015_000, south: 35_000_000, east: 129_021_000, north: 35_200_000 } }), ['livingArea:east'])
  t.strictSame(await ids({ kinds: ['livingArea', 'facility'], livingArea: 'east' }), ['livingArea:east'], 'closed facilities are off the map')
  const page = await chain.query(features, { kinds: ['facility'], limit: 1 })
  t.match(page, { features: [{ id: 'facility:hall' }], next: 'hall' })
  chain.advance(12 * hourMs)
  t.strictSame(await ids({ kinds: ['slot'] }), [], 'slots that have begun are no longer on the map')

  t.strictSame(bbox.fromJson([129.1, 35, 129.2, 35.1], ''), { west: 129_100_000, south: 35_000_000, east: 129_200_000, north: 35_100_000 })
  for (const wrong of [[], [1, 2, 3], [129.2, 35, 129.1, 36], [129, 36, 130, 35], ['a', 1, 2, 3], [0, 0, 0, 0, 0], [1e9, 0, 1e9, 0], {}, 'x', null]) {
    t.throws(() => bbox.fromJson(wrong, 'bbox'), { code: 'codec/invalid' }, JSON.stringify(wrong))
  }
  t.throws(() => bbox.toWire({ west: 0, south: 0, east: 0, north: 0 }, ''), { code: 'codec/invalid' })
  t.throws(() => bbox.fromWire([], ''), { code: 'codec/invalid' })
})

t.test('geometry in whole microdegrees', (t) => {
  const at = (longitude: number, latitude: number): { longitude: number; latitude: number } => ({ longitude, latitude })
  const unit = [at(0, 0), at(10, 0), at(10, 10), at(0, 10)]
  t.equal(ringFault(unit), undefined)
  t.match(ringFault([...unit].reverse()), /anticlockwise/)
  t.match(ringFault([at(0, 0), at(10, 10), at(10, 0), at(0, 10)]), /cross/)
  t.match(ringFault([at(0, 0), at(10, 0), at(5, 0), at(5, 5)]), /fold back/)
  t.match(ringFault([at(0, 0), at(0, 0), at(5, 5)]), /fold back/)
  t.match(ringFault([at(0, 0), at(10, 0), at(10, 10), at(5, 0), at(0, 10)]), /cross/, 'touching itself')
  t.equal(ringFault([at(0, 0), at(10, 0), at(4, 4), at(0, 10)]), undefined, 'concave')
  const concave = [at(0, 0), at(10, 0), at(4, 4), at(0, 10)]
  t.strictSame([at(3, 3), at(4, 4), at(0, 5), at(10, 0), at(5, 5), at(-1, 0), at(11, 0), at(9, 9)].map((point) => ringHolds(concave, point)), [true, true, true, true, false, false, false, false])
  t.ok(segmentsMeet(at(0, 0), at(4, 4), at(4, 0), at(0, 4)))
  t.ok(segmentsMeet(at(0, 0), at(4, 0), at(4, 0), at(4, 4)), 'at an end')
  t.notOk(segmentsMeet(at(0, 0), at(4, 0), at(5, 0), at(9, 0)), 'on one line, apart')
  const box = (west: number, south: number, east: number, north: number): Box => ({ west, south, east, north })
  t.ok(ringMeetsBox(concave, box(1, 1, 2, 2)), 'the box inside')
  t.ok(ringMeetsBox(concave, box(-5, -5, 20, 20)), 'the ring inside')
  t.ok(ringMeetsBox(unit, box(-5, 4, 20, 6)), 'crossing')
  t.notOk(ringMeetsBox(concave, box(6, 6, 9, 9)))
  t.end()
})

t.test('a genesis that contradicts itself is none', (t) => {
  t.throws(() => encode(genesisSection, { ...reservation, facilities: [hall, hall] }), { code: 'codec/invalid' })
  t.throws(() => encode(genesisSection, { ...reservation, facilities: [{ ...hall, id: 'west' }] }), { code: 'codec/invalid' })
  t.throws(() => encode(genesisSection, { ...reservation, facilities: [{ ...hall, livingArea: 'nowhere' }] }), { code: 'codec/invalid' })
  const inside = square('west', 129_000_000)
  t.throws(() => encode(genesisSection, { livingAreas: [{ ...inside, polygon: [...inside.polygon].reverse() }], facilities: [] }), { code: 'codec/invalid' })
  t.end()
})

t.test('the preset: 62 living areas of 16 districts in Busan, apart from each other, with facilities inside', (t) => {
  t.equal(presetAreas.length, 62)
  t.equal(new Set(presetAreas.map(({ district }) => district.en)).size, 16)
  t.ok(encode(genesisSection, { livingAreas: presetAreas, facilities: presetFacilities }).length > 0)
  const edges = ({ polygon }: LivingArea): readonly (readonly [LivingArea['centre'], LivingArea['centre']])[] => polygon.map((a, i) => [a, polygon[(i + 1) % polygon.length] ?? a])
  for (const [i, area] of presetAreas.entries()) {
    t.ok(ringHolds(area.polygon, area.centre), `${area.id} holds its centre`)
    t.ok(area.polygon.every(({ longitude, latitude }) => longitude > 128_750_000 && longitude < 129_300_000 && latitude > 34_950_000 && latitude < 35_400_000))
    const met = presetAreas.slice(i + 1).filter((other) => ringHolds(area.polygon, other.centre) || ringHolds(other.polygon, area.centre) || edges(area).some(([a, b]) => edges(other).some(([c, d]) => segmentsMeet(a, b, c, d))))
    t.strictSame(met.map(({ id }) => id), [], `${area.id} is apart`)
    const own = presetFacilities.filter(({ livingArea }) => livingArea === area.id)
    t.ok(own.length >= 2 && own.every(({ position }) => ringHolds(area.polygon, position)), `facilities of ${area.id}`)
  }
  t.ok(presetFacilities.some(({ id }) => id === 'city-hall-open-citizen-centre'))
  t.ok(createHarness({ genesis: { reservation: { livingAreas: presetAreas, facilities: presetFacilities } } }).root())
  t.end()
})

t.test('rows of the refused are nowhere, and each code was provoked', (t) => {
  const chain = openCity(slotOf('a', { waitlistMax: 0 }))
  chain.run(reserve, mina, { slot: 'a' })
  refused(t, chain.run(reserve, jun, { slot: 'a' }), 'reservation/full')
  t.equal(chain.view().get(seatTable, jun.did, 'a'), undefined)
  t.equal(chain.view().get(holderTable, 'a', jun.did), undefined)
  t.strictSame([...provoked, ...codesOfTerms].sort(), Object.keys(reservationCodes).sort())
  t.equal(reservationFamily.codes, reservationCodes)
  t.end()
})
