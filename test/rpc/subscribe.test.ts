// The client's subscription over connections that break: cut after any number of bytes, at two nodes by turns, it tells everything once and in order.
import t from 'tap'
import { createFeed } from '../../rpc/feed.ts'
import { type Notice, subscribe, type SubscribeOptions } from '../../rpc/client/index.ts'
import { until } from '../support/until.ts'
import { wire } from '../support/wire.ts'
import { citizens, type City, createCity, liveADay, program, serve, shop } from './scenario.ts'

async function liveCity(): Promise<City> {
  const city = createCity()
  await liveADay(city)
  return city
}

const spend = async (city: City, n: number): Promise<void> => void (await city.send('points.spend', { program, merchant: shop.did, amount: (n + 1) as never }, [citizens[(n % 10) + 10]!]))
const allOf = (city: City, { channel, filter }: { readonly channel: SubscribeOptions['channel']; readonly filter?: { readonly types: readonly string[] } | undefined }): readonly unknown[] =>
  createFeed(city.chain.backend).page(channel, '', filter, 1_000).items

/** Items until there are so many. */
async function take(options: SubscribeOptions, count: number): Promise<readonly Notice[]> {
  const notices: Notice[] = []
  for await (const notice of subscribe(options)) {
    notices.push(notice)
    if (notices.filter(({ item }) => item !== undefined).length >= count) break
  }
  return notices
}

const itemsOf = (notices: readonly Notice[]): readonly unknown[] => notices.flatMap(({ item }) => (item === undefined ? [] : [item]))

t.test('cut after any number of bytes, while blocks come: no hole and no double', async (t) => {
  const city = await liveCity()
  const [one, other] = [await serve(city), await serve(city)]
  t.teardown(async () => Promise.all([one.server.stop(), other.server.stop()]))
  let spent = 0
  const spending = setInterval(() => {
    if (spent < 10) void spend(city, spent++)
  }, 20)
  t.teardown(() => clearInterval(spending))
  const spends = { types: ['points.spent'] }
  for (const [channel, filter, count] of [['events', undefined, 40], ['events', spends, 20], ['transactions', undefined, 20], ['blocks', undefined, 20]] as const) {
    // a little more with each connection, at last from the first bytes of the handshake on
    const first = channel === 'blocks' ? 40 : 500
    let broken = 0
    const urls = await Promise.all([one.url, other.url].map(async (url, i) => wire(t, url, (connection) => (broken++, first + 331 * i + connection * 97))))
    const notices = await take({ urls, channel, from: '', ...(filter !== undefined && { filter }) }, count)
    t.ok(broken > 5, `${broken} connections`)
    t.same(itemsOf(notices), allOf(city, { channel, filter }).slice(0, count), `${channel}${filter === undefined ? '' : ', filtered'}`)
  }
})

t.test('from now on: what comes while it is cut off is not lost', async (t) => {
  const city = await liveCity()
  const { server, url } = await serve(city)
  t.teardown(async () => server.stop())
  const before = allOf(city, { channel: 'transactions' }).length
  const notices: Notice[] = []
  const stop = new AbortController()
  // long enough for the answer, cut with the first item
  const through = await wire(t, url, (connection) => (connection === 0 ? 700 : Infinity))
  const reading = (async () => {
    for await (const notice of subscribe({ urls: [through], channel: 'transactions', signal: stop.signal })) notices.push(notice)
  })()
  await until(() => notices.length === 1)
  t.match(notices[0], { lookedTo: city.chain.backend.head().height }, 'it is at the head')
  for (let i = 0; i < 8; i++) await spend(city, i)
  await until(() => itemsOf(notices).length === 8)
  stop.abort()
  await reading
  t.same(itemsOf(notices), allOf(city, { channel: 'transactions' }).slice(before))
})

t.test('a connection that hangs is noticed and replaced, and so is a node that stops', async (t) => {
  const city = await liveCity()
  const [one, other] = [await serve(city), await serve(city)]
  t.teardown(async () => Promise.all([one.server.stop(), other.server.stop()]))
  const hangs = await wire(t, one.url, () => -900)
  const notices: Notice[] = []
  const stop = new AbortController()
  const reading = (async () => {
    for await (const notice of subscribe({ urls: [hangs, one.url, other.url], channel: 'events', from: '', quietMs: 150, signal: stop.signal })) notices.push(notice)
  })()
  const total = allOf(city, { channel: 'events' }).length
  await until(() => itemsOf(notices).length === total, 10_000)
  await one.server.stop()
  await spend(city, 1)
  await until(() => itemsOf(notices).length === total + 1, 10_000)
  // silence alone is no reason: the connection is asked, and answers
  const { length } = notices
  await new Promise((resolve) => setTimeout(resolve, 600))
  t.equal(notices.length, length)
  stop.abort()
  await reading
  t.same(itemsOf(notices), allOf(city, { channel: 'events' }))
})

t.test('what trying again does not help is thrown', async (t) => {
  const city = await liveCity()
  const { server, url, client } = await serve(city)
  t.teardown(async () => server.stop())
  const { next } = await client.call('events_since', { cursor: '', limit: 3 })
  await t.rejects(take({ urls: [url], channel: 'blocks', from: next }, 1), { code: 'rpc/cursor-filter' })
  city.chain.set({ oldestHeight: 5 })
  await t.rejects(take({ urls: [url], channel: 'blocks', from: '' }, 1), { code: 'chain/pruned' })
  await t.rejects(take({ urls: [], channel: 'blocks' }, 1), { code: 'client/no-nodes' })
  const { WebSocket: own } = globalThis
  Reflect.deleteProperty(globalThis, 'WebSocket')
  await t.rejects(take({ urls: [url], channel: 'blocks' }, 1), { code: 'client/no-websocket' })
  globalThis.WebSocket = own
})
