// The feeds: every item exactly once, in order, however it is paged, filtered, interrupted and resumed.
import t from 'tap'
import { WebSocket as Ws } from 'ws'
import { connect } from 'node:net'
import type { JsonObject } from '../../primitives/schema.ts'
import { markOf } from '../../rpc/cursor.ts'
import { createFeed } from '../../rpc/feed.ts'
import { feedWorkMax, subscriptionsPerSocketMax } from '../../rpc/limits.ts'
import { citizens, type City, createCity, liveADay, program, serve, shop } from './scenario.ts'
import { until } from '../support/until.ts'

const channels = ['blocks', 'transactions', 'events'] as const

const city = createCity()
await liveADay(city)
const { backend } = city.chain
const feed = createFeed(backend)

type Item = JsonObject & { readonly cursor: string; readonly event?: JsonObject }
const page = (channel: (typeof channels)[number], cursor: string, limit: number, filter?: Parameters<typeof feed.page>[2]): { items: Item[]; next: string } => {
  const { items, next } = feed.page(channel, cursor, filter, limit)
  return { items: items as unknown as Item[], next }
}
/** What two filters have in common. */
const unmarked = (items: readonly Item[]): readonly Item[] => items.map((item) => ({ ...item, cursor: item.cursor.split('.').slice(0, 2).join('.') }))
const drain = (channel: (typeof channels)[number], from: string, limit: number, filter?: Parameters<typeof feed.page>[2]): Item[] => {
  const out: Item[] = []
  for (let cursor = from; ; ) {
    const { items, next } = page(channel, cursor, limit, filter)
    out.push(...items)
    if (next === cursor) return out
    cursor = next
  }
}

t.test('what the feeds hold is what was executed', async (t) => {
  const events: unknown[] = []
  const transactions: string[] = []
  for (let height = 1; height <= backend.head().height; height++) {
    const { outcome, receipts } = backend.results(height as never)!
    events.push(...outcome.events.map(({ type }) => type), ...receipts.flatMap((receipt) => receipt.events.map(({ type }) => type)))
    transactions.push(...receipts.map(({ id }) => Buffer.from(id).toString('base64url')))
  }
  t.ok(events.length > 30)
  t.same(drain('events', '', 1_000).map((item) => item.event!['type']), events)
  t.same(drain('transactions', '', 1_000).map((item) => item['id']), transactions)
  t.same(drain('blocks', '', 1_000).map((item) => item['height']), Array.from({ length: backend.head().height }, (_, i) => i + 1))
})

t.test('from every cursor, at every limit, the rest and nothing else', async (t) => {
  for (const channel of channels) {
    const all = drain(channel, '', 1_000)
    let good = true
    for (const limit of [1, 2, 3, 7, 1_000]) {
      for (const [i, { cursor }] of all.entries()) {
        const rest = drain(channel, cursor, limit)
        good &&= JSON.stringify(rest) === JSON.stringify(all.slice(i + 1))
      }
    }
    t.ok(good, channel)
    t.same(page(channel, all.at(-1)!.cursor, 10).items, [])
  }
})

t.test('each page says up to which block it has looked', async (t) => {
  for (const channel of channels) {
    const all = drain(channel, '', 1_000)
    let good = true
    for (const limit of [1, 2, 5]) {
      for (let cursor = '', seen = 0; ; ) {
        const { items, next, lookedTo } = feed.page(channel, cursor, undefined, limit)
        seen += items.length
        good &&= all.every(({ height }, i) => (height as number) > lookedTo || i < seen)
        if (next === cursor) {
          good &&= lookedTo === backend.head().height
          break
        }
        cursor = next
      }
    }
    t.ok(good, channel)
  }
})

t.test('a filter leaves out, and moves the cursor on all the same', async (t) => {
  const all = drain('events', '', 1_000)
  const field = (item: Item, name: string): unknown => item.event![name]
  const cases: [Parameters<typeof feed.page>[2], (item: Item) => boolean][] = [
    [{ types: ['points.spent'] }, (item) => field(item, 'type') === 'points.spent'],
    [{ types: ['points'] }, () => true],
    [{ types: ['reservation'] }, () => false],
    [{ did: citizens[2]!.did }, (item) => JSON.stringify(item.event).includes(`"${citizens[2]!.did}"`)],
    [{ program }, (item) => field(item, 'program') === program],
    [{ program, types: ['points.granted', 'points.programOpened'] }, (item) => field(item, 'program') === program && field(item, 'type') !== 'points.spent'],
    [{ livingArea: 'haeundae-1' }, (item) => field(item, 'livingArea') === 'haeundae-1'],
    [{ merchant: shop.did }, (item) => field(item, 'merchant') === shop.did],
  ]
  for (const [filter, keep] of cases) for (const limit of [1, 3, 100]) t.same(unmarked(drain('events', '', limit, filter)), unmarked(all.filter(keep)), JSON.stringify(filter))
  const { items, next } = page('events', '', 10, { types: ['reservation'] })
  t.same({ items, next }, { items: [], next: `${backend.head().height + 1}.0.${markOf('events', { types: ['reservation'] })}` })
  t.ok(drain('events', '', 100, { did: citizens[2]!.did }).length > 1)
  t.same(drain('transactions', '', 5, { did: citizens[2]!.did }).length, (await backend.transactionsByDid(citizens[2]!.did, undefined, 100)).items.length)
})

t.test('a cursor goes on in the channel and with the filter it came from, and with no other', async (t) => {
  const filters: readonly Parameters<typeof feed.page>[2][] = [undefined, { types: ['points'] }, { types: ['points.spent'] }, { types: ['points.spent', 'points.granted'] }, { program }, { did: citizens[2]!.did }, { merchant: citizens[2]!.did }]
  const feeds = channels.flatMap((channel) => filters.map((filter) => ({ channel, filter })))
  const marks = feeds.map(({ channel, filter }) => markOf(channel, filter))
  t.equal(new Set(marks).size, feeds.length)
  const other = createFeed(backend)
  let refused = 0
  for (const from of feeds) {
    const { next, items } = feed.page(from.channel, '', from.filter, 2)
    for (const cursor of [next, ...items.map((item) => (item as Item).cursor)]) {
      for (const to of feeds) {
        try {
          other.page(to.channel, cursor, to.filter, 1)
          if (from !== to) t.fail(`${cursor} of ${JSON.stringify(from)} goes on with ${JSON.stringify(to)}`)
        } catch (error) {
          if (from === to || (error as { readonly code?: string }).code !== 'rpc/cursor-filter') t.fail(`${cursor}: ${String(error)}`)
          refused++
        }
      }
    }
    for (const cursor of ['', '1.0', '4.0']) t.ok(feed.page(from.channel, cursor, from.filter, 1))
  }
  t.ok(refused > 500)
  t.equal(markOf('events', {}), markOf('events', undefined), 'no condition is no filter')
  t.equal(markOf('events', { types: ['points.spent', 'points.granted', 'points.spent'] }), markOf('events', { types: ['points.granted', 'points.spent'] }), 'the order of types does not count')
  // as a caller sees it
  const { server, url, client } = await serve(city)
  t.teardown(async () => server.stop())
  const { next } = await client.call('events_since', { cursor: '', filter: { program }, limit: 3 })
  t.equal((await client.call('events_since', { cursor: next, filter: { program }, limit: 3 })).items.length, 3)
  await t.rejects(client.call('events_since', { cursor: next, limit: 3 }), { code: 'rpc/cursor-filter' })
  const socket = await open(url)
  t.match((await socket.call('subscribe', { channel: 'events', from: next })).error, { code: -32008, data: { code: 'rpc/cursor-filter' } })
  t.match((await socket.call('subscribe', { channel: 'transactions', filter: { program }, from: next })).error, { data: { code: 'rpc/cursor-filter' } })
  t.match((await socket.call('subscribe', { channel: 'events', filter: { program }, from: next })).result, { id: 's1', cursor: next })
  t.match((await socket.call('subscribe', { channel: 'events', from: '3.5' })).error, { code: -32602 }, 'a place within a block needs its mark')
  socket.raw.close()
})

t.test('one page looks at a bounded number of things', async (t) => {
  // a chain of many blocks that match nothing: each height is looked up at most once a page
  let looked = 0
  const head = { height: 50_000, hash: backend.head().hash, timeMs: 1 } as never
  const one = backend.block(10 as never)!
  const endless = createFeed({ ...backend, head: () => head, block: (height) => (looked++, { ...one, header: { ...one.header, height } }), results: () => ({ outcome: { height: 1 as never, events: [] }, receipts: [] }) })
  const first = endless.page('events', '', { types: ['points'] }, 10)
  t.same(first, { items: [], next: `${feedWorkMax + 1}.0.${markOf('events', { types: ['points'] })}`, lookedTo: feedWorkMax, height: 50_000 })
  t.equal(looked, feedWorkMax)
})

t.test('cursors from elsewhere', async (t) => {
  t.throws(() => feed.page('events', '40000.0', undefined, 10), { code: 'rpc/cursor-ahead' })
  t.same(feed.page('events', '50.3.e', undefined, 10), { items: [], next: '50.3.e', lookedTo: backend.head().height, height: backend.head().height }, 'a node that is behind waits')
  city.chain.set({ oldestHeight: 5 })
  t.throws(() => createFeed(backend).page('events', '', undefined, 10), { code: 'chain/pruned' })
  city.chain.set({ oldestHeight: 1 })
})

// ---------------------------------------------------------------- WebSocket

interface Socket {
  readonly call: (method: string, params?: object) => Promise<{ result?: Record<string, string>; error?: { data: { code: string } } }>
  readonly items: { readonly id: string; readonly item?: Item; readonly error?: object; readonly cursor?: string; readonly lookedTo?: number }[]
  readonly closed: Promise<{ code: number; reason: string }>
  readonly raw: Ws
}

async function open(url: string): Promise<Socket> {
  const raw = new Ws(`${url.replace('http', 'ws')}/ws`)
  const items: Socket['items'] = []
  const waiting = new Map<number, (answer: never) => void>()
  let lastId = 0
  raw.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { id?: number; method?: string; params?: never }
    if (message.method === 'subscription') items.push(message.params as never)
    else waiting.get(message.id as number)?.(message as never)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => raw.on('close', (code, reason) => resolve({ code, reason: reason.toString() })))
  await new Promise<void>((resolve, reject) => raw.on('open', resolve).on('error', reject))
  return {
    raw,
    items,
    closed,
    call: async (method, params = {}) =>
      new Promise((resolve) => {
        waiting.set(++lastId, resolve)
        raw.send(JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }))
      }),
  }
}

const spendOnce = async (on: City, n: number): Promise<void> => void (await on.send('points.spend', { program, merchant: shop.did, amount: (n + 1) as never }, [citizens[(n % 10) + 10]!]))

t.test('cometbft #6023, hermes #1205: a subscription from any cursor, cut at any point, while blocks come: no hole and no double', async (t) => {
  const live = createCity()
  await liveADay(live)
  const { server, url } = await serve(live)
  t.teardown(async () => server.stop())
  const total = 45
  let spent = 0
  const spending = setInterval(() => {
    if (spent < 12) void spendOnce(live, spent++)
  }, 10)
  t.teardown(() => clearInterval(spending))
  const spends = { types: ['points.spent'] }
  for (const [channel, cut, count, filter] of [['events', 1, total, undefined], ['events', 4, total, undefined], ['events', 9, total, undefined], ['events', 1, 24, spends], ['events', 3, 24, spends], ['transactions', 2, 24, undefined], ['blocks', 3, 24, undefined]] as const) {
    let cursor = ''
    const got: Item[] = []
    // connection after connection, each cut after `cut` items
    for (let connections = 0; got.length < count && connections < 200; connections++) {
      const socket = await open(url)
      await socket.call('subscribe', { channel, from: cursor, ...(filter !== undefined && { filter }) })
      await until(() => socket.items.length >= cut || got.length + socket.items.length >= count)
      socket.raw.terminate()
      const taken = socket.items.slice(0, cut)
      got.push(...taken.map(({ item }) => item!))
      cursor = got.at(-1)?.cursor ?? cursor
    }
    const all = (createFeed(live.chain.backend).page(channel, '', filter, 1_000).items as unknown as Item[]).slice(0, got.length)
    t.same(got, all, `${channel}, cut after ${cut}${filter === undefined ? '' : ', filtered'}`)
  }
})

t.test('whoever asks for it is told how far a subscription is', async (t) => {
  const live = createCity()
  await liveADay(live)
  const { server, url } = await serve(live)
  t.teardown(async () => server.stop())
  const socket = await open(url)
  const rare = { types: ['reservation'] }
  const { id } = (await socket.call('subscribe', { channel: 'events', filter: rare, from: '', progress: true })).result!
  const silent = (await socket.call('subscribe', { channel: 'events', filter: rare, from: '' })).result!
  const fromNow = (await socket.call('subscribe', { channel: 'events', filter: rare, progress: true })).result!
  const told = (of: unknown): Socket['items'] => socket.items.filter((one) => one.id === of)
  await until(() => told(id).length === 1 && told(fromNow['id']).length === 1)
  const head = live.chain.backend.head().height
  t.same(told(id), [{ id, cursor: `${head + 1}.0.${markOf('events', rare)}`, lookedTo: head }], 'at the head, with nothing found')
  for (let i = 0; i < 5; i++) await spendOnce(live, i)
  await until(() => told(id).at(-1)?.lookedTo === head + 5)
  t.ok(told(id).length <= 3, 'at most once a second, and the last at last')
  t.same(told(silent['id']), [])
  socket.raw.close()
})

t.test('past and live meet without a seam, for many subscriptions on one connection', async (t) => {
  const live = createCity()
  await liveADay(live)
  const { server, url } = await serve(live)
  t.teardown(async () => server.stop())
  const socket = await open(url)
  const cursors = drain('events', '', 1_000).map(({ cursor }) => cursor)
  const froms = ['', ...cursors.filter((_, i) => i % 5 === 0)].slice(0, subscriptionsPerSocketMax - 2)
  const ids: string[] = []
  for (const from of froms) {
    ids.push((await socket.call('subscribe', { channel: 'events', from })).result!['id']!)
    await spendOnce(live, ids.length)
  }
  const now = (await socket.call('subscribe', { channel: 'events' })).result!
  await spendOnce(live, 50)
  await spendOnce(live, 51)
  const all = createFeed(live.chain.backend).page('events', '', undefined, 1_000).items as unknown as Item[]
  const last = all.at(-1)!.cursor
  await until(() => [...ids, now['id']].every((id) => socket.items.findLast((one) => one.id === id)?.item?.cursor === last))
  for (const [i, id] of ids.entries()) {
    const from = froms[i] as string
    const expected = from === '' ? all : all.slice(all.findIndex(({ cursor }) => cursor === from) + 1)
    t.same(socket.items.filter((one) => one.id === id).map(({ item }) => item), expected, `from "${from}"`)
  }
  t.equal(socket.items.filter((one) => one.id === now['id']).length, 2, 'without from: what came after')
  // it ends, and nothing follows
  t.same((await socket.call('unsubscribe', { id: now['id'] })).result, {})
  t.match((await socket.call('unsubscribe', { id: now['id'] })).error, { data: { code: 'rpc/no-such-subscription' } })
  await spendOnce(live, 60)
  await until(() => socket.items.findLast((one) => one.id === ids[0])?.item?.cursor !== last)
  t.equal(socket.items.filter((one) => one.id === now['id']).length, 2)
  // a filter, a limit, other calls on the same connection
  t.match((await socket.call('subscribe', { channel: 'events', filter: { types: ['points.granted'] }, from: '' })).result, { id: /^s\d+$/ })
  while ((await socket.call('subscribe', { channel: 'blocks' })).error === undefined);
  t.match((await socket.call('subscribe', { channel: 'blocks' })).error, { data: { code: 'rpc/too-many-subscriptions' } })
  t.match(await socket.call('chain_head'), { result: { height: live.chain.backend.head().height } })
  t.match((await socket.call('subscribe', { channel: 'blocks', from: 'x' })).error, { code: -32602 })
  socket.raw.close()
})

t.test('cometbft #6023, hermes #1205: websocket stalls, silent drops. A reader that does not read is told where to resume, closed, and holds nobody up', async (t) => {
  const live = createCity()
  await liveADay(live)
  const { server, url } = await serve(live, { timeouts: { slowReaderMs: 300 } })
  t.teardown(async () => server.stop())
  const slow = await open(url)
  const quick = await open(url)
  // the slow one asks for much and reads nothing
  slow.raw.pause()
  for (let i = 0; i < 60; i++) slow.raw.send(`{"jsonrpc":"2.0","id":${i},"method":"rpc.discover"}`)
  await quick.call('subscribe', { channel: 'blocks' })
  await spendOnce(live, 1)
  await until(() => quick.items.length === 1)
  await new Promise((resolve) => setTimeout(resolve, 800))
  slow.raw.resume()
  const { code, reason } = await slow.closed
  t.match({ code, reason }, { code: 4008, reason: /resume from the cursor/ })
  quick.raw.close()
})

t.test('rubbish on the socket', async (t) => {
  const { server, url } = await serve(city)
  t.teardown(async () => server.stop())
  const socket = await open(url)
  const next = async (): Promise<unknown> => new Promise((resolve) => socket.raw.once('message', (data: Buffer) => resolve(JSON.parse(data.toString()))))
  socket.raw.send('{')
  t.match(await next(), { id: null, error: { code: -32700 } })
  socket.raw.send(Buffer.from([1, 2, 3]))
  t.match(await next(), { id: null, error: { code: -32600 } })
  socket.raw.send('x'.repeat(2_000_000))
  t.equal((await socket.closed).code, 1009)
  // bytes that are no frame
  const { port } = new URL(url)
  const raw = connect(Number(port), '127.0.0.1')
  raw.on('error', () => undefined)
  raw.write('GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n')
  raw.once('data', () => raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])))
  await new Promise((resolve) => raw.on('close', resolve))
  t.match(await (await open(url)).call('chain_head'), { result: {} })
})
