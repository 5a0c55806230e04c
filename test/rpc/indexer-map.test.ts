// The map that the indexer serves: GeoJSON by living area, box and distance, page by page, and errors that say what to do.
import { join } from 'node:path'
import t from 'tap'
import type { JsonObject } from '../../primitives/schema.ts'
import { startIndexer } from '../../rpc/indexer/indexer.ts'
import { dayMs } from '../../state/calendar.ts'
import { boxAround } from '../../rpc/indexer/place.ts'
import { until } from '../support/until.ts'
import { createMapCity, liveOnTheMap } from './map-city.ts'
import { recordingLog, serve, startMs } from './scenario.ts'

const city = createMapCity()
await liveOnTheMap(city)
const node = await serve(city)
const log = recordingLog()
const indexer = await startIndexer({ urls: [node.url], database: join(t.testdir(), 'map.sqlite'), host: '127.0.0.1', port: 0, rebuild: false, log })
await until(() => indexer.progress()?.height === city.chain.backend.head().height)
t.teardown(async () => {
  await indexer.stop()
  await node.server.stop()
})

interface Feature {
  readonly type: string
  readonly id: string
  readonly geometry: { readonly type: string; readonly coordinates: readonly number[] }
  readonly properties: JsonObject
}
interface Collection {
  readonly type: string
  readonly features: readonly Feature[]
  readonly next?: string
  readonly height: number
}

const get = async (path: string): Promise<{ readonly status: number; readonly type: string | null; readonly body: Collection }> => {
  const response = await fetch(`${indexer.url}${path}`, { headers: { origin: 'https://app.example' } })
  if (response.headers.get('access-control-allow-origin') !== '*') throw new Error('a page of another origin may not read it')
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as Collection }
}
const idsOf = async (path: string): Promise<readonly string[]> => (await get(path)).body.features.map(({ id }) => id)
const allDays = `fromMs=${startMs}&toMs=${startMs + 300 * dayMs}`

t.test('facilities by living area, category, box and distance', async (t) => {
  const { status, type, body } = await get('/facilities')
  t.equal(status, 200)
  t.match(type, /^application\/geo\+json/)
  t.match(body, { type: 'FeatureCollection', height: city.chain.backend.head().height })
  t.same(body.features.map(({ id }) => id), ['facility:bosu-library', 'facility:new-hall', 'facility:west-hall', 'facility:west-pool'], 'open ones, by id')
  t.same(body.features.find(({ id }) => id === 'facility:new-hall'), {
    type: 'Feature',
    id: 'facility:new-hall',
    geometry: { type: 'Point', coordinates: [129.006, 35.101] },
    properties: { kind: 'facility', facility: 'new-hall', livingArea: 'west', category: 'lecture', title: { ko: 'new-hall 강당', en: 'new-hall' }, upcomingSlots: 1, seatsLeft: 2 },
  })
  t.same(await idsOf('/facilities?livingArea=bosu'), ['facility:bosu-library'])
  t.same(await idsOf('/facilities?category=sports'), ['facility:west-pool'])
  t.same(await idsOf('/facilities?bbox=129.004,35.1,129.006,35.104'), ['facility:new-hall', 'facility:west-hall', 'facility:west-pool'], 'edges included')
  t.same(await idsOf('/facilities?bbox=129.0041,35.1,129.0059,35.2'), ['facility:west-hall'])
  const near = (await get('/facilities?near=129.004,35.104&distanceM=500')).body.features
  t.same(near.map(({ id, properties }) => [id, properties['distanceM']]), [['facility:west-pool', 0], ['facility:west-hall', 144], ['facility:new-hall', 380]], 'nearest first, in metres')
  t.same(await idsOf('/facilities?near=129.004,35.104&distanceM=144'), ['facility:west-pool', 'facility:west-hall'])
  t.same(await idsOf('/facilities?near=129.004,35.104&distanceM=143'), ['facility:west-pool'])
  t.same(await idsOf('/facilities?near=-60,10&distanceM=100000'), [])
})

t.test('courses and slots, with the seats left', async (t) => {
  const courses = (await get(`/courses?${allDays}`)).body.features
  t.match(courses, [
    { id: 'course:calligraphy', properties: { course: 'calligraphy', title: { ko: '서예', en: 'Calligraphy' }, facility: 'new-hall', perPersonMax: 5, upcomingSlots: 2, seatsLeft: 2 } },
    { id: 'course:swimming', properties: { facility: 'west-pool', upcomingSlots: 22, seatsLeft: 440 } },
  ])
  t.same(await idsOf('/courses?near=129.0041,35.104&distanceM=1000'), ['course:swimming', 'course:calligraphy'])
  const slots = (await get(`/slots?facility=west-hall&${allDays}`)).body.features
  t.match(slots, [
    { id: 'slot:paid', geometry: { coordinates: [129.005, 35.103] }, properties: { slot: 'paid', capacity: 2, seatsLeft: 1, price: 10_000, byLot: false, state: 'open' } },
    { id: 'slot:shut', properties: { seatsLeft: 3, state: 'closed', reason: '누수 (a leak)' } },
    { id: 'slot:talk', properties: { capacity: 5, seatsLeft: 1, waiting: 0, state: 'open' } },
  ])
  t.match((await get(`/slots?facility=bosu-library&${allDays}`)).body.features, [
    { properties: { slot: 'spoilt', byLot: true, state: 'closed' } },
    { properties: { slot: 'tombola', byLot: true, seatsLeft: 0, waiting: 1, state: 'open' } },
  ])
  const sessions = (await get(`/slots?course=swimming&livingArea=west&category=sports&${allDays}`)).body.features
  t.equal(sessions.length, 24)
  t.same(sessions.filter(({ properties }) => properties['state'] === 'closed').length, 2, 'those of the day closed afterwards')
  t.same(await idsOf('/slots?course=calligraphy'), ['slot:brush-2'], 'yet to begin')
  t.same(await idsOf(`/slots?near=129.006,35.101&distanceM=100&${allDays}`), ['slot:brush-1', 'slot:brush-2'])
})

t.test('page by page there is everything once', async (t) => {
  for (const path of [`/slots?${allDays}`, `/facilities?${allDays}`, '/facilities?near=129.01,35.103&distanceM=50000', `/courses?${allDays}`]) {
    const all = await idsOf(`${path}&limit=500`)
    for (const limit of [1, 2, 7]) {
      const paged: string[] = []
      for (let after = ''; ; ) {
        const { features, next } = (await get(`${path}&limit=${limit}${after}`)).body
        t.ok(features.length <= limit)
        paged.push(...features.map(({ id }) => id))
        if (next === undefined) break
        after = `&after=${next}`
      }
      t.same(paged, all, `${path} by ${limit}`)
    }
  }
})

t.test('living areas', async (t) => {
  const { features } = (await get('/living-areas')).body
  t.same(features.map(({ id }) => id), ['livingArea:bosu', 'livingArea:west'])
  t.match(features[1], { geometry: { type: 'Polygon', coordinates: [[[129, 35.1], [129.01, 35.1], [129.005, 35.11], [129, 35.1]]] }, properties: { name: { ko: '서쪽' } } })
  t.same(await idsOf('/living-areas?bbox=129.03,35.1,129.05,35.2'), ['livingArea:bosu'])
  t.same(await idsOf('/living-areas?livingArea=west'), ['livingArea:west'])
})

t.test('what cannot be answered is refused, with the reason', async (t) => {
  const wrong = [
    '/facilities?limit=501',
    '/facilities?limit=0',
    '/facilities?limit=1&limit=2',
    '/facilities?livingarea=west',
    '/facilities?livingArea=West',
    '/facilities?category=castle',
    '/facilities?bbox=1,2,3',
    '/facilities?bbox=129,35,128,36',
    '/facilities?bbox=1e9,1,1,1',
    '/facilities?near=129,35',
    '/facilities?distanceM=5',
    '/facilities?near=181,35&distanceM=5',
    '/facilities?near=129,91&distanceM=5',
    '/facilities?near=129,35&distanceM=100001',
    '/facilities?after=x',
    '/slots?fromMs=10&toMs=10',
    `/slots?fromMs=0&toMs=${367 * dayMs}`,
    '/slots?fromMs=-1',
    "/slots?facility='; DROP TABLE slots",
    '/living-areas?limit=1',
  ]
  for (const path of wrong) {
    const { status, body } = await get(path)
    t.equal(status, 400, path)
    t.match(body, { error: { code: 'indexer/invalid-query', message: /.{10}/ } })
  }
  t.match(await get('/castles'), { status: 404, body: { error: { code: 'indexer/no-such-page' } } })
  t.same(log.lines.filter(({ level }) => level === 'error'), [])
})

t.test('how it does', async (t) => {
  t.match(await get('/healthz'), { status: 200 })
  t.match(await get('/status'), { status: 200, body: { caughtUp: true, chainId: city.chain.chainId, height: city.chain.backend.head().height, node: node.url } })
  const alone = await startIndexer({ urls: ['http://127.0.0.1:9'], database: join(t.testdir(), 'map.sqlite'), host: '127.0.0.1', port: 0, rebuild: false, log: recordingLog() })
  t.teardown(async () => alone.stop())
  await until(() => alone.problem() !== undefined)
  const status = await fetch(`${alone.url}/status`)
  t.equal(status.status, 503)
  t.match(await status.json(), { caughtUp: false, problem: /127\.0\.0\.1:9/ })
  const early = await fetch(`${alone.url}/facilities`)
  t.equal(early.status, 503)
  t.match(await early.json(), { error: { code: 'indexer/not-ready' } })
})

t.test('the box around a circle holds all of it', async (t) => {
  for (const latitude of [0, 35_100_000, 60_000_000, -60_000_000]) {
    const { west, east, south, north } = boxAround({ longitude: 0, latitude }, 100_000)
    const metresAside = (east / 1e6) * 111_195 * Math.cos(((Math.abs(latitude) / 1e6 + 1) * Math.PI) / 180)
    t.ok(metresAside >= 98_000 && east === -west && (north - latitude) * 0.111195 >= 100_000 && latitude - south === north - latitude, String(latitude))
  }
})
