// A city with places on a chain in memory, and a history in which everything happens to them that can: for the map indexer.
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { dayMs, dayOf, hourMs, minuteMs } from '../../state/calendar.ts'
import { secretHash } from '../../state/reservation/lottery.ts'
import { revealMs, type SlotDefinition } from '../../state/reservation/types.ts'
import { smallPreset } from '../support/genesis.ts'
import { westArea } from '../support/living-area.ts'
import { citizens, type City, createCity, liveADay, officer, program, shop, startMs } from './scenario.ts'

export const facilityIds = ['bosu-library', 'west-hall', 'west-pool', 'new-hall', 'old-hall']
const at = (ms: number): TimeMs => (startMs + ms) as TimeMs
const place = (id: string, longitude: number, latitude: number) => ({ id, livingArea: 'west', category: 'lecture' as const, title: { ko: `${id} 강당`, en: id }, position: { longitude, latitude } })

export function createMapCity(): City {
  return createCity({
    livingAreas: [...smallPreset.livingAreas, westArea],
    facilities: [...smallPreset.facilities, place('west-hall', 129_005_000, 35_103_000), { ...place('west-pool', 129_004_000, 35_104_000), category: 'sports' }],
  })
}

export const slot = (id: string, changes: Partial<SlotDefinition> = {}): SlotDefinition => ({
  id,
  startsMs: at(10 * dayMs),
  endsMs: at(10 * dayMs + 2 * hourMs),
  opensMs: at(0),
  closesMs: at(10 * dayMs - hourMs),
  cancelUntilMs: at(10 * dayMs - hourMs),
  capacity: 3,
  waitlistMax: 4,
  ...changes,
})

const citizen = (n: number): (typeof citizens)[number] => citizens[n] as (typeof citizens)[number]

/** Every event of the family comes up at least once. About a hundred blocks. */
export async function liveOnTheMap(city: City): Promise<void> {
  const { chain, send, sign } = city
  await liveADay(city)
  await send('reservation.registerFacility', place('new-hall', 129_006_000, 35_101_000))
  await send('reservation.registerFacility', { ...place('old-hall', 129_003_000, 35_101_500), title: { ko: '옛 강당' } })
  const course = { id: 'calligraphy', title: { ko: '서예', en: 'Calligraphy' }, perPersonMax: 5 }
  await send('reservation.openSlots', { facility: 'new-hall', course, slots: [slot('brush-1'), slot('brush-2', { startsMs: at(11 * dayMs), endsMs: at(11 * dayMs + hourMs) })] })
  await send('reservation.openSlots', { facility: 'west-hall', slots: [slot('talk'), slot('paid', { price: { amount: 10_000 as Won, merchant: shop.did }, capacity: 2 }), slot('shut', { price: { amount: 5_000 as Won, merchant: shop.did } })] })
  await send('reservation.openSlots', { facility: 'old-hall', slots: [slot('last-dance')] })
  // a full slot, a line, seats given back
  for (let i = 0; i < 6; i++) await send('reservation.reserve', { slot: 'brush-1' }, [citizen(i)])
  await send('reservation.cancel', { slot: 'brush-1' }, [citizen(4)])
  await send('reservation.cancel', { slot: 'brush-1' }, [citizen(0)])
  // several in one block
  chain.block((await Promise.all([6, 7, 8, 9].map((i) => sign('reservation.reserve', { slot: 'talk' }, [citizen(i)])))).map(({ bytes }) => bytes))
  await send('reservation.amendSlot', { slot: 'talk', capacity: 5 })
  await send('reservation.amendSlot', { slot: 'brush-2', waitlistMax: 9 })
  // kept, confirmed, lapsed; paid, promoted with a price, refunded
  await send('reservation.hold', { slot: 'brush-2' }, [citizen(1)])
  await send('reservation.reserve', { slot: 'brush-2' }, [citizen(1)])
  await send('reservation.hold', { slot: 'brush-2' }, [citizen(2)])
  const payment = { program }
  for (const i of [10, 11]) await send('reservation.reserve', { slot: 'paid', payment }, [citizen(i)])
  await send('reservation.reserve', { slot: 'paid' }, [citizen(12)])
  await send('reservation.cancel', { slot: 'paid' }, [citizen(10)])
  for (const i of [13, 14]) await send('reservation.reserve', { slot: 'shut', payment }, [citizen(i)])
  await send('reservation.closeSlot', { slot: 'shut', reason: '누수 (a leak)' })
  chain.skip(hourMs)
  for (let i = 0; i < 3; i++) await tick(city)
  // a timetable around closed days
  const today = dayOf(chain.timeMs())
  await send('reservation.closeDays', { facility: 'west-pool', firstDay: today + 3, lastDay: today + 4, reason: '정비 (maintenance)' })
  await send('reservation.openTimetable', {
    facility: 'west-pool',
    course: { id: 'swimming', title: { ko: '수영' }, perPersonMax: 9 },
    prefix: 'lane',
    firstDay: today + 1,
    lastDay: today + 14,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    times: [540, 1_080],
    minutes: 50,
    exceptDays: [],
    opensMs: at(0),
    closesBeforeMs: 10 * minuteMs,
    cancelBeforeMs: hourMs,
    capacity: 20,
    waitlistMax: 5,
  })
  await send('reservation.closeDays', { facility: 'west-pool', firstDay: today + 6, lastDay: today + 6, reason: '대회 (a contest)' })
  await send('reservation.closeFacility', { facility: 'old-hall', reason: '철거 (pulled down)' })
  await draw(city)
  // attendance
  chain.skip(at(10 * dayMs) - chain.timeMs())
  await tick(city)
  await send('reservation.checkIn', { slot: 'brush-1', did: citizen(1).did })
  await send('reservation.noShow', { slot: 'brush-1', did: citizen(2).did })
}

/** A block that changes nothing by its transaction: there are none without one. */
async function tick({ send }: City): Promise<void> {
  await send('reservation.cancel', { slot: 'no-such-slot' }, [officer])
}

/** Two lotteries: one drawn, with seats, a line and blanks; of the other a secret is withheld. */
async function draw(city: City): Promise<void> {
  const { chain, send } = city
  const parties = [officer, citizen(19)]
  const secrets = parties.map((_, i) => new Uint8Array(32).fill(90 + i))
  const lottery = (id: string): SlotDefinition => {
    const closesMs = (chain.timeMs() + hourMs) as TimeMs
    return slot(id, { closesMs, capacity: 2, waitlistMax: 1, lottery: parties.map(({ did }, i) => ({ by: did, hash: secretHash(id, did, secrets[i] as Uint8Array) })) })
  }
  await send('reservation.openSlots', { facility: 'bosu-library', slots: [lottery('tombola'), lottery('spoilt')] }, parties)
  for (let i = 0; i < 5; i++) await send('reservation.reserve', { slot: 'tombola' }, [citizen(i)])
  await send('reservation.reserve', { slot: 'spoilt' }, [citizen(5)])
  chain.skip(2 * hourMs)
  await tick(city)
  for (const [i, party] of parties.entries()) await send('reservation.reveal', { slot: 'tombola', secret: secrets[i] as Uint8Array }, [party])
  await send('reservation.reveal', { slot: 'spoilt', secret: secrets[0] as Uint8Array }, [officer])
  chain.skip(revealMs)
  for (let i = 0; i < 3; i++) await tick(city)
}
