// Random transactions of the reservation family, read against the model of the moment.
import { utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Random } from '../simulator/random.ts'
import type { TestActor } from '../support/state-harness.ts'
import { westArea } from '../support/living-area.ts'
import { libraryOperator, nobody, notaries, operator, people, shops, westOperator, type City, type Wish } from './city.ts'
import { attestation, hash32, mostly, type Wisher } from './points-wishes.ts'
import { active } from './seats.ts'
import { dayMs, hourMs, koreanDay, minuteMs, type Slot } from './world.ts'

const courses = ['ballet', 'chess', 'hall', 'clay']
const claims: Readonly<Record<string, string | undefined>> = { ballet: 'resident', clay: 'child' }

/** The secret of a party for a slot; one that is never shown for some slots. */
export function secretOf(slot: string, by: string): Uint8Array {
  return hash32(`secret of ${by} for ${slot}`)
}

function isWithheld(slot: string): boolean {
  return (hash32(`withheld ${slot}`)[0] as number) < 50
}

function operatorOf(random: Random): TestActor {
  return mostly(random, random.pick([operator, operator, westOperator, libraryOperator]), 0.97)
}

function facility(city: City, random: Random): string {
  if (random.chance(0.02)) return 'nowhere'
  const open = [...city.world.facilities.values()].filter(({ isClosed }) => !isClosed).map(({ id }) => id)
  return open.length > 0 && random.chance(0.95) ? random.pick(open) : random.pick([...city.world.facilities.keys()])
}

/** A slot of which something may be had, mostly. */
function slot(city: City, random: Random, isLikely: (slot: Slot) => boolean = () => true): Slot | undefined {
  const slots = [...city.world.slots.values()].slice(-60)
  const likely = random.chance(0.92) ? slots.filter(isLikely) : slots
  return likely.length > 0 ? random.pick(likely) : slots.length > 0 ? random.pick(slots) : undefined
}

function isOpen(city: City): (slot: Slot) => boolean {
  const at = city.harness.next().timeMs
  return ({ opensMs, closesMs, isClosed }) => !isClosed && at >= opensMs && at < closesMs
}

function idOf(random: Random, each: Slot | undefined): string {
  return each === undefined || random.chance(0.01) ? 'no-slot' : each.id
}

function admission(city: City, random: Random, sender: TestActor, each: Slot | undefined): Readonly<Record<string, unknown>> {
  if (each?.qualification === undefined || random.chance(0.03)) return {}
  const person = hash32(`person ${random.chance(0.85) ? Math.floor(people.indexOf(sender) / 2) : random.below(9)}`)
  const claim = random.chance(0.95) ? each.qualification : 'adult'
  return { attestation: attestation(city, random, `reservation:${each.course ?? each.facility}`, sender, claim, person) }
}

function price(random: Random): unknown {
  return random.chance(0.4) ? undefined : { amount: random.pick([1, 500, 1_000, 5_000, 12_000]), merchant: (random.chance(0.97) ? random.pick(shops) : random.pick([...people, nobody])).did }
}

function course(random: Random): { readonly course?: unknown; readonly qualification?: string | undefined } {
  if (random.chance(0.45)) return random.chance(0.3) ? { qualification: 'resident' } : {}
  const id = random.pick(random.chance(0.95) ? ['ballet', 'chess', 'clay'] : courses)
  return { course: { id, title: { ko: random.chance(0.97) ? '강좌' : '다른 강좌' }, perPersonMax: 2 }, qualification: random.chance(0.97) ? claims[id] : 'adult' }
}

let slotsNamed = 0

export function openSlots(city: City, random: Random): Wish {
  const at = city.harness.next().timeMs
  const parties = random.chance(0.06) ? [operator, westOperator] : random.shuffled([...notaries, operator, ...people.slice(0, 2)]).slice(0, 2 + random.below(2))
  const isLottery = random.chance(0.3)
  const slots = Array.from({ length: 1 + random.below(3) }, () => {
    const id = random.chance(0.97) || city.world.slots.size === 0 ? `s${++slotsNamed}` : random.pick([...city.world.slots.keys()])
    const startsMs = at + random.pick([random.below(48) * hourMs, random.below(10) * dayMs, random.below(3) * hourMs, 30 * minuteMs]) + (isLottery ? dayMs + 2 * hourMs : minuteMs) - (random.chance(0.03) ? 40 * hourMs : 0)
    const endsMs = startsMs + random.pick([hourMs, 2 * hourMs, dayMs])
    const closesMs = isLottery ? startsMs - dayMs - random.below(2) * hourMs : random.pick([startsMs, endsMs, startsMs - hourMs, startsMs - 10 * hourMs])
    const opensMs = Math.min(closesMs - 1, random.chance(0.85) ? at - random.below(2) * hourMs : at + random.below(20) * hourMs)
    const lottery = parties.map(({ did }) => ({ by: did, hash: taggedHash('lottery-secret', utf8(`${id}/${did}/`), secretOf(id, did)) }))
    return {
      id,
      startsMs,
      endsMs,
      opensMs,
      closesMs,
      cancelUntilMs: startsMs - random.pick([0, hourMs, 10 * hourMs]),
      capacity: 1 + random.below(3),
      waitlistMax: random.pick([0, 1, 2, 4]),
      price: price(random),
      ...(isLottery && { lottery }),
      ...(random.chance(0.1) && { meets: { weekdays: [1], times: [540], minutes: 50 } }),
    }
  })
  return { sender: operatorOf(random), cosigners: isLottery && random.chance(0.95) ? parties : [], kind: 'reservation.openSlots', payload: { facility: facility(city, random), ...course(random), slots } }
}

function openTimetable(city: City, random: Random): Wish {
  const today = koreanDay(city.harness.next().timeMs)
  const firstDay = today + random.below(4) - (random.chance(0.1) ? 1 : 0)
  const times = random.pick([[540], [600, 900], [0, 1_439], [1_200]])
  const relative = random.chance(0.6)
  return {
    sender: operatorOf(random),
    kind: 'reservation.openTimetable',
    payload: {
      facility: facility(city, random),
      ...course(random),
      prefix: `t${random.below(500)}`,
      firstDay,
      lastDay: firstDay + random.below(3),
      weekdays: [1, 2, 3, 4, 5, 6, 7].slice(random.below(2)),
      times,
      minutes: 60,
      exceptDays: random.chance(0.3) ? [firstDay + 1] : [],
      ...(relative ? { opensBeforeMs: 4 * dayMs } : { opensMs: (today + random.below(2)) * dayMs }),
      closesBeforeMs: random.pick([0, hourMs, dayMs]),
      cancelBeforeMs: random.pick([0, hourMs]),
      capacity: 1 + random.below(3),
      waitlistMax: random.below(3),
      price: price(random),
    },
  }
}

export const reservationWishes: readonly (readonly [weight: number, kind: string, wish: Wisher])[] = [
  [40, 'reservation.reserve', (city, random) => {
    const held = [...city.world.slots.values()].flatMap((each) => [...each.seats.values()].filter(({ state }) => state === 'held').map(({ did }) => ({ each, did })))
    const kept = held.length > 0 && random.chance(0.3) ? random.pick(held) : undefined
    const each = kept?.each ?? slot(city, random, isOpen(city))
    const [regular] = people
    const sender = kept === undefined ? (random.chance(0.15) ? (regular as TestActor) : random.pick(people)) : city.actorOf(kept.did)
    const category = city.world.merchants.get(each?.price?.merchant ?? '')?.category ?? ''
    const programs = [...city.world.programs.values()].filter(({ accounts, isClosed, terms }) => !isClosed && terms.categories.includes(category) && (accounts.get(sender.did)?.grants.length ?? 0) > 0).map(({ id }) => id)
    const pays = each?.price === undefined ? random.chance(0.01) : random.chance(0.95)
    const payment = pays ? { program: programs.length > 0 && random.chance(0.95) ? random.pick(programs) : 'plain', ownShareMax: random.chance(0.1) ? random.below(3_000) : undefined } : undefined
    return { sender, kind: 'reservation.reserve', payload: { slot: idOf(random, each), ...admission(city, random, sender, each), payment } }
  }],
  [10, 'reservation.hold', (city, random) => {
    const isLikely = isOpen(city)
    const each = slot(city, random, (one) => isLikely(one) && (one.lottery === undefined || random.chance(0.03)))
    const sender = random.pick(people)
    return { sender, kind: 'reservation.hold', payload: { slot: idOf(random, each), ...admission(city, random, sender, each) } }
  }],
  [20, 'reservation.cancel', (city, random) => {
    const each = slot(city, random, ({ seats }) => [...seats.values()].some(({ state }) => active.has(state)))
    const holders = [...(each?.seats.values() ?? [])].filter(({ state }) => active.has(state))
    if (holders.length === 0 && random.chance(0.8)) return undefined
    const sender = holders.length > 0 && random.chance(0.93) ? city.actorOf(random.pick(holders).did) : random.pick(people)
    return { sender, kind: 'reservation.cancel', payload: { slot: idOf(random, each) } }
  }],
  [9, 'reservation.openSlots', openSlots],
  [1.5, 'reservation.openTimetable', openTimetable],
  [5, 'reservation.amendSlot', (city, random) => {
    const each = slot(city, random, ({ isClosed, line, lots }) => !isClosed && (line.length > 0 || lots.length > 0 || random.chance(0.2)))
    const capacity = random.chance(0.7) ? Math.max(1, (each?.capacity ?? 1) + random.pick([1, 2, -1, -2])) : undefined
    return { sender: operatorOf(random), kind: 'reservation.amendSlot', payload: { slot: idOf(random, each), capacity, waitlistMax: capacity === undefined || random.chance(0.3) ? random.below(5) : undefined } }
  }],
  [3, 'reservation.closeSlot', (city, random) => ({ sender: operatorOf(random), kind: 'reservation.closeSlot', payload: { slot: idOf(random, slot(city, random, ({ isClosed, payers }) => !isClosed && (payers.length > 0 || random.chance(0.3)))), reason: '점검' } })],
  [1, 'reservation.closeDays', (city, random) => {
    const firstDay = koreanDay(city.harness.next().timeMs) + random.pick([0, 1, 2, 3, 5, -1])
    return { sender: operatorOf(random), kind: 'reservation.closeDays', payload: { facility: facility(city, random), firstDay, lastDay: firstDay + random.below(2), reason: '공사' } }
  }],
  [0.8, 'reservation.registerFacility', (_, random) => {
    const id = random.chance(0.9) ? `facility-${random.below(30)}` : random.pick(courses)
    return { sender: operatorOf(random), kind: 'reservation.registerFacility', payload: { id, livingArea: random.chance(0.93) ? 'west' : 'south', category: 'library', title: { ko: '도서관' }, position: westArea.centre, operatorScope: random.chance(0.5) ? 'libraries' : undefined } }
  }],
  [0.5, 'reservation.closeFacility', (city, random) => ({ sender: operatorOf(random), kind: 'reservation.closeFacility', payload: { facility: random.chance(0.8) ? `facility-${random.below(30)}` : facility(city, random), reason: '폐관' } })],
  [9, 'reservation.reveal', (city, random) => {
    const each = slot(city, random, ({ draw, isClosed }) => draw !== undefined && !draw.isDone && !isClosed)
    if (each?.draw === undefined && random.chance(0.9)) return undefined
    const parties = each?.lottery ?? []
    const missing = parties.filter(({ by }) => each?.draw?.secrets.has(by) !== true)
    const by = missing.length > 0 && random.chance(0.9) ? random.pick(missing).by : parties.length > 0 ? random.pick(parties).by : random.pick(people).did
    const sender = mostly(random, city.actorOf(by), 0.97)
    const id = idOf(random, each)
    const isRight = random.chance(0.95) && !(isWithheld(id) && by === parties[0]?.by)
    return { sender, kind: 'reservation.reveal', payload: { slot: id, secret: isRight ? secretOf(id, by) : hash32('another secret') } }
  }],
  [5, 'reservation.checkIn', attendance('reservation.checkIn')],
  [12, 'reservation.noShow', attendance('reservation.noShow')],
]

function attendance(kind: string): Wisher {
  return (city, random) => {
    const at = city.harness.next().timeMs
    const each = slot(city, random, ({ startsMs, seats }) => at >= startsMs - 2 * hourMs && at < startsMs + 9 * dayMs && [...seats.values()].some(({ state }) => state === 'confirmed' || state === 'absent'))
    const seats = [...(each?.seats.values() ?? [])].filter(({ state }) => state === 'confirmed' || state === 'absent')
    if (seats.length === 0 && random.chance(0.8)) return undefined
    return { sender: operatorOf(random), kind, payload: { slot: idOf(random, each), did: seats.length > 0 && random.chance(0.95) ? (seats.find(({ did }) => did === people[0]?.did) ?? random.pick(seats)).did : random.pick(people).did } }
  }
}
