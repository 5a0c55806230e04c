// Whatever happens, in whatever order, with seats that are kept, paid for, drawn by lot, added and closed: no seat is sold twice, no point is lost, the line
// moves in its order. A second, naive account with plain lists must come to the same receipts, the same work of blocks and the same state at every block.
import fc from 'fast-check'
import t from 'tap'
import type { Did, TimeMs, Won } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { blockRecordTable } from '../../state/block-record.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import type { Event } from '../../state/family.ts'
import { issue } from '../../state/points/issue.ts'
import { accountTable } from '../../state/points/keys.ts'
import { registerMerchant } from '../../state/points/merchants.ts'
import { openProgram } from '../../state/points/open.ts'
import { amendSlot } from '../../state/reservation/amend-slot.ts'
import { dayMs, dayOf, hourMs, minuteMs } from '../../state/calendar.ts'
import { cancel } from '../../state/reservation/cancel.ts'
import { closeDays } from '../../state/reservation/close-days.ts'
import { closeSlot } from '../../state/reservation/close-slot.ts'
import { hold } from '../../state/reservation/hold.ts'
import { drawTable, entrantTable, heldTable, holderTable, payerTable, seatsTable, seatTable } from '../../state/reservation/keys.ts'
import { drawnPlace, lotterySeed, secretHash } from '../../state/reservation/lottery.ts'
import { noShow } from '../../state/reservation/no-show.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { reserve } from '../../state/reservation/reserve.ts'
import { reveal } from '../../state/reservation/reveal.ts'
import { revealMs } from '../../state/reservation/types.ts'
import { decodeValue, type Table } from '../../state/table.ts'
import { createHarness, genesisTimeMs, type Harness, testActor, type TestActor } from '../support/state-harness.ts'
import { westArea } from '../support/living-area.ts'

const [operator, officer, theatre, witness] = ['operator', 'officer', 'theatre', 'witness'].map((name) => testActor(name)) as [TestActor, TestActor, TestActor, TestActor]
const people = ['mina', 'jun', 'sora', 'hana', 'minho', 'yuna'].map((name) => testActor(name))
const parties = [operator, witness]
const secrets = parties.map(({ did }) => taggedHash('test', utf8(did)))
const settings = { holdMs: 10 * minuteMs, offerMs: 2 * hourMs, absencesMax: 2, absenceWindowMs: 5 * dayMs, blockMs: dayMs }
const price = 10_000
const wallet = 30_000
const perPersonMax = 2
const startsMs = genesisTimeMs + 10 * dayMs
const closesMs = startsMs - 2 * dayMs
const deadlineMs = startsMs - dayMs
const day = dayOf(startsMs)

interface Terms {
  readonly id: string
  readonly capacity: number
  readonly waitlistMax: number
  readonly isPriced?: true
  readonly isLottery?: true
}
const slots: readonly Terms[] = [
  { id: 'plain', capacity: 1, waitlistMax: 3 },
  { id: 'priced', capacity: 1, waitlistMax: 3, isPriced: true },
  { id: 'large', capacity: 3, waitlistMax: 1, isPriced: true },
  { id: 'lots', capacity: 2, waitlistMax: 2, isLottery: true },
  { id: 'priced-lots', capacity: 1, waitlistMax: 2, isPriced: true, isLottery: true },
]

function city(): Harness {
  const chain = createHarness({
    genesis: { reservation: { livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }], settings } },
    actors: [...people, theatre, witness],
    roles: [
      [operator, 'operator', 'hall'],
      [officer, 'officer', '*'],
    ],
  })
  const at = (ms: number): TimeMs => (genesisTimeMs + ms) as TimeMs
  const windows = { applicationOpensMs: at(0), applicationClosesMs: at(300 * dayMs), useOpensMs: at(0), useClosesMs: at(300 * dayMs) }
  const receipts = [
    chain.run(registerMerchant, officer, { merchant: theatre.did, category: 'theatre' }),
    chain.run(openProgram, officer, { program: 'fund', budget: 1_000_000 as Won, terms: { kind: 'points', title: '기금', tiers: [{ tier: 'all', amount: wallet as Won }], ...windows, categories: ['theatre'], decide: 'officer', leftover: 'reclaimed' } }),
    chain.run(issue, officer, { program: 'fund', grants: people.map(({ did }) => ({ did, tier: 'all', pseudonym: taggedHash('test-pseudonym', utf8(did)) })) }),
    chain.run(
      openSlots,
      operator,
      {
        facility: 'hall',
        course: { id: 'course', title: { ko: '강좌' }, perPersonMax },
        slots: slots.map(({ id, capacity, waitlistMax, isPriced, isLottery }) => ({
          id,
          capacity,
          waitlistMax,
          startsMs: startsMs as TimeMs,
          endsMs: (startsMs + hourMs) as TimeMs,
          opensMs: genesisTimeMs,
          closesMs: closesMs as TimeMs,
          cancelUntilMs: deadlineMs as TimeMs,
          ...(isPriced && { price: { amount: price as Won, merchant: theatre.did } }),
          ...(isLottery && { lottery: parties.map(({ did }, i) => ({ by: did, hash: secretHash(id, did, secrets[i] as Uint8Array) })) }),
        })),
      },
      { cosigners: [witness] },
    ),
  ]
  for (const { status, code } of receipts) assert(status === 'ok', `a city, not ${code ?? ''}`)
  return chain
}

type Verb = 'reserve' | 'hold' | 'cancel' | 'amend' | 'reveal' | 'closeSlot' | 'closeDay' | 'noShow'
interface Step {
  readonly verb: Verb
  readonly who: number
  readonly slot: number
  readonly pays: boolean
  readonly more: number
  readonly waitMs: number
  readonly sameBlock: boolean
}

const weights: readonly (readonly [Verb, number])[] = [['reserve', 160], ['hold', 40], ['cancel', 60], ['amend', 10], ['reveal', 40], ['closeSlot', 2], ['closeDay', 1], ['noShow', 10]]
const waits: readonly (readonly [number, number])[] = [[0, 20], [6 * minuteMs, 3], [hourMs, 2]]
const weighted = <T>(pairs: readonly (readonly [T, number])[]): fc.Arbitrary<T> => fc.oneof(...pairs.map(([value, weight]) => ({ arbitrary: fc.constant(value), weight })))
const step: fc.Arbitrary<Step> = fc
  .record({
    verb: weighted(weights),
    who: fc.nat({ max: people.length - 1 }),
    slot: fc.nat({ max: slots.length - 1 }),
    pays: fc.integer({ min: 0, max: 7 }).map((n) => n > 0),
    more: fc.integer({ min: 1, max: 4 }),
    waitMs: weighted(waits),
    sameBlock: fc.boolean(),
  })
  // mostly what makes sense: secrets for lotteries, points for what has a price
  .map((one) => {
    const slot = one.verb === 'reveal' ? slots.length - 1 - (one.slot % 2) : one.slot
    return { ...one, slot, pays: one.pays === (slots[slot]?.isPriced === true) }
  })

/** Days on which the story goes on: it leaps there between its thirds. */
const leaps: readonly (readonly [number, number])[] = [[0, 6], [closesMs - 30 * minuteMs, 3], [closesMs + revealMs - hourMs, 1], [startsMs - 30 * minuteMs, 2]]

/** The naive account of one slot: lists of people, by what they have. */
interface Naive {
  readonly terms: Terms
  capacity: number
  closed: boolean
  readonly seated: number[]
  readonly held: { readonly who: number; readonly untilMs: number }[]
  readonly waiting: number[]
  readonly absent: number[]
  /** In the order of their rosters: a gap is filled by the last. */
  readonly entrants: number[]
  readonly payers: number[]
  readonly lapsed: Set<number>
  draw: { readonly height: number; readonly shown: Set<number>; done: boolean } | undefined
}

interface World {
  readonly slots: readonly Naive[]
  readonly wallets: number[]
  readonly absences: number[][]
  dayClosed: boolean
  due: { readonly atMs: number; readonly number: number; readonly work: (now: Now) => readonly string[] }[]
  numbers: number
}
interface Now {
  readonly ms: number
  readonly height: number
  readonly seed: (slot: string, height: number) => Uint8Array
}

const isVoid = (world: World, slot: Naive): boolean => slot.closed || world.dayClosed
const taken = ({ seated, held, absent }: Naive): number => seated.length + held.length + absent.length
const remove = (list: number[], who: number): void => void list.splice(list.indexOf(who), 1)
function fillGap(list: number[], who: number): void {
  const last = list.pop() as number
  if (last !== who) list[list.indexOf(who)] = last
}
const isHeld = (slot: Naive, who: number): boolean => slot.held.some((each) => each.who === who)
const isIn = (slot: Naive, who: number): boolean => isHeld(slot, who) || [slot.seated, slot.waiting, slot.absent, slot.entrants].some((list) => list.includes(who))

function later(world: World, atMs: number, work: (now: Now) => readonly string[]): void {
  world.due.push({ atMs, number: world.numbers++, work })
}

function keep(world: World, slot: Naive, who: number, untilMs: number): void {
  slot.held.push({ who, untilMs })
  later(world, untilMs, ({ ms }) => {
    const at = slot.held.findIndex((each) => each.who === who && each.untilMs <= ms)
    if (at < 0) return []
    slot.held.splice(at, 1)
    slot.lapsed.add(who)
    return [`lapsed ${who}`, ...promote(world, slot, ms)]
  })
}

function give(world: World, slot: Naive, who: number, nowMs: number): void {
  if (slot.terms.isPriced) keep(world, slot, who, Math.min(nowMs + settings.offerMs, startsMs))
  else slot.seated.push(who)
}

function promote(world: World, slot: Naive, nowMs: number): readonly string[] {
  if (slot.waiting.length === 0 || taken(slot) >= slot.capacity || isVoid(world, slot) || nowMs >= startsMs) return []
  const who = slot.waiting.shift() as number
  give(world, slot, who, nowMs)
  return [`promoted ${who}`]
}

function endRegistration(world: World, slot: Naive, { ms, height }: Now): readonly string[] {
  if (isVoid(world, slot)) return []
  slot.draw = { height, shown: new Set(), done: slot.entrants.length === 0 }
  if (!slot.draw.done) {
    later(world, ms + revealMs, () => {
      if (isVoid(world, slot) || slot.draw?.shown.size === parties.length) return []
      slot.closed = true
      return [`drawFailed ${slot.draw?.shown.has(0) ? 'witness' : 'operator'}`]
    })
  }
  return ['registrationEnded']
}

function drawAll(world: World, slot: Naive, { ms, seed }: Now): readonly string[] {
  if (isVoid(world, slot) || slot.draw === undefined) return []
  const told: string[] = []
  for (let k = 0; slot.entrants.length > 0; k++) {
    const who = slot.entrants[drawnPlace(seed(slot.terms.id, slot.draw.height) as never, k, slot.entrants.length)] as number
    fillGap(slot.entrants, who)
    const outcome = taken(slot) < slot.capacity ? 'seat' : slot.waiting.length < slot.terms.waitlistMax ? 'line' : 'lost'
    if (outcome === 'seat') give(world, slot, who, ms)
    else if (outcome === 'line') slot.waiting.push(who)
    told.push(`drawn ${who} ${outcome}`)
  }
  slot.draw.done = true
  return told
}

function refundAll(world: World, slot: Naive): readonly string[] {
  const told: string[] = []
  while (slot.payers.length > 0) {
    const who = slot.payers.pop() as number
    if (!slot.seated.includes(who)) continue
    remove(slot.seated, who)
    world.wallets[who]! += price
    told.push(`refunded ${who}`)
  }
  return told
}

interface Outcome {
  readonly code?: string
  readonly events: readonly string[]
}
const no = (code: string): Outcome => ({ code: code.includes('/') ? code : `reservation/${code}`, events: [] })

function expected(world: World, { verb, who, slot: at, pays, more }: Step, now: Now): Outcome {
  const slot = world.slots[at] as Naive
  const { terms } = slot
  const nowMs = now.ms
  const drawing = terms.isLottery && nowMs >= closesMs && slot.draw?.done !== true
  const payFor = (): string | undefined => {
    if (!terms.isPriced) return undefined
    if (!pays) return 'payment-required'
    if ((world.wallets[who] as number) < price) return 'points/insufficient-balance'
    world.wallets[who]! -= price
    slot.payers.push(who)
    return undefined
  }
  const admit = (): string | undefined => {
    if (isVoid(world, slot)) return 'slot-closed'
    if (nowMs >= closesMs) return 'window-closed'
    if (isIn(slot, who)) return 'already-reserved'
    const missed = world.absences[who] as number[]
    const last = missed.at(-1)
    if (last !== undefined && missed.filter((ms) => ms > last - settings.absenceWindowMs).length >= settings.absencesMax && nowMs < last + settings.blockMs) return 'blocked'
    return world.slots.filter((each) => isIn(each, who)).length >= perPersonMax ? 'course-limit' : undefined
  }
  switch (verb) {
    case 'reserve': {
      if (pays && !terms.isPriced) return no('nothing-to-pay')
      if (isHeld(slot, who)) {
        if (isVoid(world, slot)) return no('slot-closed')
        const refusal = payFor()
        if (refusal !== undefined) return no(refusal)
        slot.held.splice(slot.held.findIndex((each) => each.who === who), 1)
        slot.seated.push(who)
        return { events: [`confirmed ${who}`] }
      }
      const refusal = admit()
      if (refusal !== undefined) return no(refusal)
      if (terms.isLottery) {
        slot.entrants.push(who)
        slot.lapsed.delete(who)
        return { events: [`entered ${who}`] }
      }
      if (taken(slot) === slot.capacity || slot.waiting.length > 0) {
        if (slot.waiting.length >= terms.waitlistMax) return no('full')
        slot.waiting.push(who)
        slot.lapsed.delete(who)
        return { events: [`waitlisted ${who}`] }
      }
      const unpaid = payFor()
      if (unpaid !== undefined) return no(unpaid)
      slot.seated.push(who)
      slot.lapsed.delete(who)
      return { events: [`reserved ${who}`] }
    }
    case 'hold': {
      if (terms.isLottery) return no('by-lottery')
      if (slot.lapsed.has(who)) return no('held-before')
      const refusal = admit()
      if (refusal !== undefined) return no(refusal)
      if (taken(slot) === slot.capacity || slot.waiting.length > 0) return no('no-seat-to-hold')
      keep(world, slot, who, Math.min(nowMs + settings.holdMs, closesMs))
      return { events: [`held ${who}`] }
    }
    case 'cancel': {
      if (slot.waiting.includes(who)) {
        remove(slot.waiting, who)
        return { events: [`cancelled ${who}`, ...promote(world, slot, nowMs)] }
      }
      if (isHeld(slot, who)) {
        slot.held.splice(slot.held.findIndex((each) => each.who === who), 1)
        slot.lapsed.add(who)
        return { events: [`cancelled ${who}`, ...promote(world, slot, nowMs)] }
      }
      if (slot.entrants.includes(who)) {
        if (drawing && !isVoid(world, slot)) return no('drawing')
        fillGap(slot.entrants, who)
        return { events: [`cancelled ${who}`] }
      }
      if (!slot.seated.includes(who)) return no('no-reservation')
      if (nowMs > deadlineMs && !isVoid(world, slot)) return no('too-late-to-cancel')
      remove(slot.seated, who)
      if (slot.payers.includes(who)) {
        fillGap(slot.payers, who)
        world.wallets[who]! += price
      }
      return { events: [`cancelled ${who}`, ...promote(world, slot, nowMs)] }
    }
    case 'amend': {
      if (isVoid(world, slot)) return no('slot-closed')
      if (drawing) return no('drawing')
      if (more < taken(slot)) return no('below-taken')
      slot.capacity = more
      if (slot.waiting.length > 0 && more > taken(slot)) {
        later(world, nowMs, ({ ms }) => {
          const told: string[] = []
          for (let events = promote(world, slot, ms); events.length > 0; events = promote(world, slot, ms)) told.push(...events)
          return told
        })
      }
      return { events: ['slotAmended'] }
    }
    case 'reveal': {
      if (!terms.isLottery) return no('not-a-party')
      if (isVoid(world, slot)) return no('slot-closed')
      if (slot.draw === undefined || slot.draw.height >= now.height) return no('too-early')
      const party = who % 2
      if (slot.draw.done || slot.draw.shown.has(party)) return no('secret-shown')
      slot.draw.shown.add(party)
      if (slot.draw.shown.size === parties.length) later(world, nowMs, (at) => drawAll(world, slot, at))
      return { events: ['secretShown'] }
    }
    case 'closeSlot': {
      if (isVoid(world, slot)) return no('slot-closed')
      slot.closed = true
      if (slot.payers.length > 0) later(world, nowMs, () => refundAll(world, slot))
      return { events: ['slotClosed'] }
    }
    case 'closeDay': {
      if (nowMs >= (day + 1) * dayMs - 9 * hourMs) return no('day-in-past')
      if (world.dayClosed) return no('day-closed')
      world.dayClosed = true
      later(world, nowMs, ({ ms }) => {
        for (const each of world.slots) if (each.terms.isPriced) later(world, ms, () => refundAll(world, each))
        return []
      })
      return { events: ['daysClosed'] }
    }
    case 'noShow': {
      if (isVoid(world, slot)) return no('slot-closed')
      if (nowMs < startsMs) return no('too-early')
      if (!slot.seated.includes(who)) return no('no-reservation')
      remove(slot.seated, who)
      slot.absent.push(who)
      world.absences[who]?.push(nowMs)
      return { events: [`missed ${who}`] }
    }
  }
}

function beginBlock(world: World, now: Now): readonly string[] {
  const told: string[] = []
  for (;;) {
    world.due.sort((a, b) => a.atMs - b.atMs || a.number - b.number)
    const first = world.due[0]
    if (first === undefined || first.atMs > now.ms) return told
    world.due.shift()
    told.push(...first.work(now))
  }
}

function transactionOf(chain: Harness, { verb, who, slot: at, pays, more }: Step): ReadyTransaction {
  const { id: slot } = slots[at] as Terms
  const person = people[who] as TestActor
  switch (verb) {
    case 'reserve':
      return chain.make(reserve, person, { slot, ...(pays && { payment: { program: 'fund' } }) })
    case 'hold':
      return chain.make(hold, person, { slot })
    case 'cancel':
      return chain.make(cancel, person, { slot })
    case 'amend':
      return chain.make(amendSlot, operator, { slot, capacity: more })
    case 'reveal':
      return chain.make(reveal, parties[who % 2] as TestActor, { slot, secret: secrets[who % 2] as Uint8Array })
    case 'closeSlot':
      return chain.make(closeSlot, operator, { slot, reason: '점검' })
    case 'closeDay':
      return chain.make(closeDays, operator, { facility: 'hall', firstDay: day, lastDay: day, reason: '점검' })
    case 'noShow':
      return chain.make(noShow, operator, { slot, did: person.did })
  }
}

function told(events: readonly Event[]): string {
  return events
    .filter(({ type }) => type.startsWith('reservation.'))
    .map((event) => {
      const { type, did, outcome, missing } = event as Event & { readonly did?: string; readonly outcome?: string; readonly missing?: string }
      const who = people.findIndex((one) => one.did === did)
      return [type.slice('reservation.'.length), ...(who < 0 ? [] : [who]), ...(outcome === undefined ? [] : [outcome]), ...(missing === undefined ? [] : [missing === operator.did ? 'operator' : 'witness'])].join(' ')
    })
    .join()
}

function rowsOf<T>(chain: Harness, table: Table<T>): readonly { readonly key: readonly string[]; readonly value: T }[] {
  return chain
    .entries()
    .filter(([key]) => key.startsWith(`${table.name}/`))
    .map(([key, value]) => ({ key: key.split('/').slice(1), value: decodeValue(table, value) }))
}

function checkState(chain: Harness, world: World): void {
  const view = chain.view()
  const rows = rowsOf(chain, seatTable)
  const didsOf = (list: readonly number[]): readonly string[] => list.map((who) => (people[who] as TestActor).did)
  const same = (a: readonly unknown[], b: readonly unknown[], what: string): void => assert(a.join() === b.join(), `${what}: ${a.join()} instead of ${b.join()}`)
  for (const slot of world.slots) {
    const { id } = slot.terms
    const of = (state: string): readonly string[] => rows.filter(({ key, value }) => key[1] === id && value.state === state).map(({ key }) => key[0] as string)
    same(of('confirmed'), [...didsOf(slot.seated)].sort(), `seats of ${id}`)
    same(of('held'), [...didsOf(slot.held.map(({ who }) => who))].sort(), `kept seats of ${id}`)
    same(of('waiting'), [...didsOf(slot.waiting)].sort(), `line of ${id}`)
    same(of('entered'), [...didsOf(slot.entrants)].sort(), `entrants of ${id}`)
    same(of('absent'), [...didsOf(slot.absent)].sort(), `absent of ${id}`)
    const seats = view.get(seatsTable, id)
    same([seats?.confirmed ?? 0, seats?.held ?? 0, seats?.waiting ?? 0, seats?.entered ?? 0, seats?.absent ?? 0, seats?.payers ?? 0], [slot.seated, slot.held, slot.waiting, slot.entrants, slot.absent, slot.payers].map(({ length }) => length), `counters of ${id}`)
    assert(taken(slot) <= slot.capacity && slot.waiting.length <= slot.terms.waitlistMax, `capacity of ${id}`)
    const line: string[] = []
    for (let at = seats?.first; at !== undefined && line.length <= 10; at = view.get(seatTable, at, id)?.next) line.push(at)
    same(line, didsOf(slot.waiting), `order of the line of ${id}`)
    const roster = (table: typeof payerTable): readonly Did[] => rowsOf(chain, table).filter(({ key }) => key[0] === id).map(({ value }) => value.did)
    same(roster(entrantTable), didsOf(slot.entrants), `roster of entrants of ${id}`)
    same(roster(payerTable), didsOf(slot.payers), `roster of payers of ${id}`)
    for (const [i, did] of [...roster(payerTable).entries(), ...roster(entrantTable).entries()]) assert(view.get(seatTable, did, id)?.index === i, `place of ${did}`)
    assert((view.get(drawTable, id)?.done ?? false) === (slot.draw?.done ?? false), `lots of ${id}`)
  }
  for (const [who, { did }] of people.entries()) {
    const left = view.get(accountTable, 'fund', did)?.grants.reduce((sum, { amount, spent }) => sum + amount - spent, 0)
    assert(left === world.wallets[who], `points of ${who}: ${left} instead of ${world.wallets[who]}`)
    const held = world.slots.filter((slot) => isIn(slot, who)).length
    assert((view.get(heldTable, 'course', did)?.count ?? 0) === held, `what ${who} holds`)
  }
  const active = rows.filter(({ value }) => !['cancelled', 'lapsed', 'lost'].includes(value.state))
  same(rowsOf(chain, holderTable).map(({ key }) => `${key[1]}/${key[0]}`).sort(), active.map(({ key }) => key.join('/')).sort(), 'holders')
  assert(rows.every(({ value }) => (value.state === 'held') === (value.heldUntilMs !== undefined)), 'only what is held has a time')
}

t.test('random lives of six people in five slots', (t) => {
  const seen = new Map<string, number>()
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  fc.assert(
    fc.property(weighted(leaps), weighted(leaps), fc.array(step, { minLength: 40, maxLength: 160, size: 'max' }), (firstLeap, secondLeap, steps) => {
      const chain = city()
      const world: World = {
        slots: slots.map((terms) => ({ terms, capacity: terms.capacity, closed: false, seated: [], held: [], waiting: [], absent: [], entrants: [], payers: [], lapsed: new Set(), draw: undefined })),
        wallets: people.map(() => wallet),
        absences: people.map(() => []),
        dayClosed: false,
        due: [],
        numbers: 0,
      }
      for (const slot of world.slots) if (slot.terms.isLottery) later(world, closesMs, (now) => endRegistration(world, slot, now))
      const seed = (slot: string, height: number): Uint8Array => lotterySeed(slot, chain.view().get(blockRecordTable, height)?.hash as never, secrets)
      for (let i = 0; i < steps.length; ) {
        const block: Step[] = [steps[i] as Step]
        while (block.length < 6 && i + block.length < steps.length && (steps[i + block.length] as Step).sameBlock) block.push(steps[i + block.length] as Step)
        chain.advance((block[0] as Step).waitMs)
        const third = Math.floor((3 * i) / steps.length)
        const leapMs = (third > 0 ? firstLeap : 0) > chain.next().timeMs ? firstLeap : third > 1 ? secondLeap : 0
        chain.advance(Math.max(0, leapMs - chain.next().timeMs))
        i += block.length
        const { timeMs, height } = chain.next()
        const now: Now = { ms: timeMs, height, seed }
        const before = beginBlock(world, now)
        const { receipts, outcome } = chain.execute(...block.map((one) => transactionOf(chain, one)))
        assert(told(outcome.events) === before.join(), `block ${height}: ${told(outcome.events)} instead of ${before.join()}`)
        for (const { type } of outcome.events) count(`block ${type}`)
        receipts.forEach((receipt, at) => {
          const should = expected(world, block[at] as Step, now)
          const did = receipt.code ?? told(receipt.events)
          assert(did === (should.code ?? should.events.join()), `${JSON.stringify(block[at])}: ${did} instead of ${should.code ?? should.events.join()}`)
          for (const what of receipt.code === undefined ? receipt.events.map(({ type }) => type) : [receipt.code]) count(what)
        })
        checkState(chain, world)
      }
    }),
    { numRuns: 45, seed: 20261124, endOnFailure: true },
  )
  for (const type of ['reserved', 'waitlisted', 'promoted', 'held', 'confirmed', 'cancelled', 'entered', 'secretShown', 'slotAmended']) t.ok((seen.get(`reservation.${type}`) ?? 0) > 10, `${type} happened`)
  for (const type of ['lapsed', 'promoted', 'drawn', 'registrationEnded', 'refunded', 'drawFailed']) t.ok((seen.get(`block reservation.${type}`) ?? 0) > 0, `${type} happened by itself`)
  for (const code of ['full', 'course-limit', 'payment-required', 'held-before', 'drawing', 'secret-shown']) t.ok((seen.get(`reservation/${code}`) ?? 0) > 3, `${code} happened`)
  t.comment([...seen].map(([what, times]) => `${what} ${times}`).join(', '))
  t.end()
})
