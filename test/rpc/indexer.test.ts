// The map indexer against a chain on which everything happens to places that can: what it holds is what the node answers, whatever comes between.
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { JsonObject } from '../../primitives/schema.ts'
import { follow, type Following } from '../../rpc/indexer/follow.ts'
import { type Indexer, startIndexer } from '../../rpc/indexer/indexer.ts'
import type { Database } from '../../rpc/indexer/sql.ts'
import { openSqlite } from '../../rpc/indexer/sqlite.ts'
import { codeOf } from '../../primitives/errors.ts'
import { applyChanges, readProgress } from '../../rpc/indexer/tables.ts'
import { reservationEvents } from '../../state/reservation/events.ts'
import { dumpOf, followThroughCrashes, tableOf } from '../support/map-index.ts'
import { until } from '../support/until.ts'
import { createMapCity, facilityIds, liveOnTheMap } from './map-city.ts'
import { type City, officer, post, recordingLog, serve } from './scenario.ts'

const city = createMapCity()
await liveOnTheMap(city)
const { server, url, client } = await serve(city)
t.teardown(async () => server.stop())

async function index(t: Test, database: string, options: Partial<Parameters<typeof startIndexer>[0]> = {}): Promise<Indexer> {
  const indexer = await startIndexer({ urls: [url], database, host: '127.0.0.1', port: 0, rebuild: false, log: recordingLog(), ...options })
  t.teardown(async () => indexer.stop())
  return indexer
}

/** The code of what it ends by. */
const refusal = async (act: () => Promise<unknown>): Promise<string> => act().then(() => 'no refusal', codeOf)

const isAtHead = (indexer: Pick<Following, 'progress'>, { chain }: City = city) => (): boolean => indexer.progress()?.height === chain.backend.head().height

t.test('what it holds is what the node answers', async (t) => {
  const seen = new Set<unknown>()
  for (let cursor = ''; ; ) {
    const { items, next } = await client.call('events_since', { cursor, limit: 1_000, filter: { types: ['reservation'] } })
    for (const item of items as unknown as readonly { readonly event: JsonObject }[]) seen.add(item.event['type'])
    if (next === cursor) break
    cursor = next
  }
  const unseen = reservationEvents.map(({ type }) => type).filter((type) => !seen.has(type))
  t.same(unseen, ['reservation.refundRefused'], 'the history has every event but one that changes nothing')

  const path = join(t.testdir(), 'map.sqlite')
  const indexer = await index(t, path)
  await until(isAtHead(indexer))
  t.same(tableOf(path, 'facilities').map(({ id }) => id), [...facilityIds].sort())
  let slots = 0
  for (const facility of facilityIds) {
    const known = await client.call('reservation_facility', { facility })
    t.match(tableOf(path, 'facilities').find(({ id }) => id === facility), {
      living_area: known.livingArea,
      category: known.category,
      title_ko: known.title.ko,
      title_en: known.title.en ?? null,
      longitude: known.position.longitude,
      latitude: known.position.latitude,
      registered_at_height: known.registeredAtHeight,
      closed_ms: known.closed?.atMs ?? null,
      closed_reason: known.closed?.reason ?? null,
    })
    const { items } = await client.call('reservation_slots', { facility, from: 0, limit: 1_000 })
    const own = tableOf(path, 'slots').filter((row) => row['facility'] === facility)
    const closedDays = new Map(tableOf(path, 'closed_days').filter((row) => row['facility'] === facility).map((row) => [row['day'], row['closed_reason']]))
    t.equal(own.length, items.length, facility)
    for (const item of items) {
      const row = own.find(({ id }) => id === item.id)
      t.same(
        row && {
          ...{ course: row['course'], starts: row['starts_ms'], ends: row['ends_ms'], opens: row['opens_ms'], closes: row['closes_ms'], cancel: row['cancel_until_ms'], capacity: row['capacity'] },
          ...{ left: row['seats_left'], waiting: row['waiting'], line: row['waitlist_max'], price: row['price'], byLot: row['by_lot'], closed: row['closed_reason'] ?? closedDays.get(row['day']) ?? known.closed?.reason ?? null },
        },
        {
          ...{ course: item.course?.id ?? null, starts: item.startsMs, ends: item.endsMs, opens: item.opensMs, closes: item.closesMs, cancel: item.cancelUntilMs, capacity: item.capacity },
          ...{ left: item.seatsLeft, waiting: item.waiting, line: item.waitlistMax, price: item.price?.amount ?? null, byLot: item.lottery === undefined ? 0 : 1, closed: item.closed?.reason ?? null },
        },
        item.id,
      )
      slots++
    }
  }
  t.ok(slots > 30, `${slots} slots`)
  const course = await client.call('reservation_course', { course: 'calligraphy' })
  t.match(tableOf(path, 'courses'), [{ id: course.id, facility: course.facility, title_ko: course.title.ko, title_en: course.title.en, per_person_max: course.perPersonMax }, { id: 'swimming', title_en: null }])
  const head = await client.call('chain_head', {})
  t.match(tableOf(path, 'progress'), [{ chain_id: city.chain.chainId, height: head.height, hash: head.hash, time_ms: head.timeMs, cursor: new RegExp(`^${head.height + 1}\\.0\\.`) }])
})

t.test('a rebuild, and a fresh index, have the same bytes; what is damaged is thrown away', async (t) => {
  const folder = t.testdir()
  const [one, other] = [join(folder, 'one.sqlite'), join(folder, 'other.sqlite')]
  const built = async (path: string, rebuild = false): Promise<string> => {
    const indexer = await index(t, path, { rebuild })
    await until(isAtHead(indexer))
    await indexer.stop()
    return dumpOf(path)
  }
  const bytes = await built(one)
  t.ok(bytes.length > 5_000)
  t.equal(await built(one), bytes, 'followed again from where it was')
  t.equal(await built(one, true), bytes, 'rebuilt')
  t.equal(await built(other), bytes, 'fresh')
  const file = readFileSync(one)
  writeFileSync(one, Buffer.concat([file.subarray(0, 4_096), Buffer.alloc(file.length - 4_096, 7)]))
  t.equal(await refusal(async () => index(t, one).then(async ({ ended }) => ended)), 'indexer/database')
  t.equal(await built(one, true), bytes, 'rebuilt over a damaged one')
})

t.test('a crash at any statement, and between a commit and the next step, loses nothing and does nothing twice', async (t) => {
  const folder = t.testdir()
  const whole = join(folder, 'whole.sqlite')
  const first = await index(t, whole)
  await until(isAtHead(first))
  await first.stop()

  const path = join(folder, 'crashing.sqlite')
  const crashes = await followThroughCrashes(async () => openSqlite(path), { urls: [url], log: recordingLog(), isDone: (following) => isAtHead(following)(), stepsMore: 1 })
  t.ok(crashes > 20, `${crashes} crashes`)
  t.equal(dumpOf(path), dumpOf(whole))
})

t.test('what kill -9 leaves at every statement and after every commit is the index before or after a page, and goes on from there to the same bytes', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'index.sqlite')
  const { database, isNew } = openSqlite(path)
  /** The files as they are at this moment: the process is killed here. By what they hold, the first of them. */
  const left = new Map<string, string>()
  let moments = 0
  const kill = (): string => {
    const copy = join(folder, `killed-${moments++}.sqlite`)
    for (const ending of ['', '-wal', '-shm']) if (existsSync(`${path}${ending}`)) copyFileSync(`${path}${ending}`, `${copy}${ending}`)
    // what follows opens it for writing, as every start does, and reads what is left of it
    const opened = openSqlite(copy)
    void opened.database.close()
    const dump = opened.isNew ? '' : dumpOf(copy)
    if (left.has(dump)) for (const ending of ['', '-wal', '-shm']) rmSync(`${copy}${ending}`, { force: true })
    else left.set(dump, copy)
    return dump
  }
  const broken: string[] = []
  let committed = kill()
  const watched: Database = {
    ...database,
    transaction: async (work) => {
      const result = await database.transaction(async (sql) =>
        work({
          ...sql,
          run: async (text, values) => {
            if (kill() !== committed) broken.push(`before ${text}`)
            const changes = await sql.run(text, values)
            if (kill() !== committed) broken.push(`after ${text}`)
            return changes
          },
        }),
      )
      const now = kill()
      if (now === committed) broken.push('a commit that changed nothing')
      committed = now
      return result
    },
  }
  const stopping = new AbortController()
  const following = follow({ database: watched, isNew, urls: [url], log: recordingLog(), signal: stopping.signal, pageEvents: 7 })
  await until(isAtHead(following), 60_000)
  stopping.abort()
  await following.ended
  await database.close()
  t.same(broken, [])
  t.ok(moments > 200 && left.size > 10, `${moments} moments, ${left.size} states between pages`)

  const bytes = dumpOf(path)
  for (const copy of left.values()) {
    const indexer = await startIndexer({ urls: [url], database: copy, host: '127.0.0.1', port: 0, rebuild: false, log: recordingLog() })
    await until(isAtHead(indexer), 30_000)
    await indexer.stop()
    t.equal(dumpOf(copy), bytes)
  }
})

// ---------------------------------------------------------------- nodes that fail, lie or are of another chain

type Answer = (method: string, result: never) => unknown

/** A node that answers as the real one does, but for what `change` makes of it; undefined: no answer at all. */
async function liar(t: Test, change: Answer): Promise<string> {
  const proxy = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const body = Buffer.concat(parts).toString()
      const { method } = JSON.parse(body) as { readonly method: string }
      void post(url, body).then(({ text }) => {
        const { result, ...rest } = JSON.parse(text) as { readonly result: never }
        const changed = result === undefined ? undefined : change(method, result)
        if (result !== undefined && changed === undefined) response.destroy()
        else response.end(JSON.stringify(result === undefined ? rest : { ...rest, result: changed }))
      })
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

t.test('a chain with another genesis is refused, also when it comes in between', async (t) => {
  const path = join(t.testdir(), 'map.sqlite')
  const stranger = await liar(t, (method, result: JsonObject) => (method === 'node_status' ? { ...result, genesisHash: 'A'.repeat(43) } : result))
  const first = await index(t, path)
  await until(isAtHead(first))
  await first.stop()
  const before = dumpOf(path)
  t.equal(await refusal(async () => (await index(t, path, { urls: [stranger] })).ended), 'indexer/other-chain')
  t.equal(await refusal(async () => (await index(t, path, { urls: [stranger, stranger] })).ended), 'indexer/other-chain')
  t.equal(dumpOf(path), before)
  const indexer = await index(t, path, { urls: [stranger, url] })
  await until(() => indexer.caughtUp())
  t.equal(indexer.node(), url, 'the node of the right chain is followed')
})

t.test('what a node says is checked in what can be', async (t) => {
  const folder = t.testdir()
  let n = 0
  /** The problem that an indexer has with a node that answers so. */
  const problem = async (change: Answer): Promise<string> => {
    const log = recordingLog()
    const indexer = await index(t, join(folder, `${n++}.sqlite`), { urls: [await liar(t, change)], log })
    await until(() => log.lines.some(({ event }) => event === 'indexer-node-lost'))
    await indexer.stop()
    return String(log.lines.find(({ event }) => event === 'indexer-node-lost')?.data?.['code'])
  }
  type Items = { readonly items: readonly JsonObject[] }
  const items = (name: string, change: (items: readonly JsonObject[]) => readonly JsonObject[]): Answer => (method, result: Items) => (method === name ? { ...result, items: change(result.items) } : result)
  const event = (type: string, change: (event: JsonObject) => JsonObject): Answer =>
    items('events_since', (all) => all.map((item) => ((item['event'] as JsonObject)['type'] === type ? { ...item, event: change(item['event'] as JsonObject) } : item)))

  t.equal(await problem(items('chain_getBlocks', (all) => all.filter((_, i) => i !== 5))), 'indexer/broken-chain', 'a block is left out')
  t.equal(await problem(items('chain_getBlocks', (all) => all.map((block, i) => (i === 5 ? { ...block, hash: 'A'.repeat(43) } : block)))), 'indexer/broken-chain', 'a parent is another')
  t.equal(await problem(items('chain_getBlocks', () => [])), 'indexer/broken-chain', 'blocks are not shown')
  for (const method of ['node_status', 'chain_genesis', 'events_since', 'chain_getBlocks', 'tx_get']) {
    for (const rubbish of [null, [], { items: 5, transaction: 5 }]) t.match(await problem((name, result) => (name === method ? rubbish : result)), /^(?:codec\/invalid|client\/bad-answer|indexer\/genesis)$/, `${method} is ${JSON.stringify(rubbish)}`)
  }
  t.equal(await problem((method, result: JsonObject) => (method === 'chain_genesis' ? { ...result, genesis: { timeMs: 1 } } : result)), 'indexer/genesis')
  t.equal(await problem(event('reservation.slotOpened', (one) => ({ ...one, type: 'reservation.slotConjured' }))), 'codec/invalid', 'an event that nobody knows')
  t.equal(await problem(event('reservation.slotOpened', ({ facility }) => ({ type: 'points.programClosed', program: facility as string, officer: officer.did }))), 'indexer/events', 'an event that was not asked for')
  t.equal(await problem(event('reservation.slotOpened', (one) => ({ ...one, slot: 'not-opened' }))), 'indexer/events', 'a slot that the transaction does not open')
  t.equal(await problem(event('reservation.facilityRegistered', (one) => ({ ...one, facility: 'castle' }))), 'indexer/events', 'a facility that it does not register')
  t.equal(await problem(event('reservation.reserved', (one) => ({ ...one, slot: 'no-slot' }))), 'indexer/events', 'a seat of nothing')
  t.equal(await problem(event('reservation.timetableOpened', (one) => ({ ...one, slots: 7 }))), 'indexer/events', 'fewer slots than the pattern has')
  t.equal(await problem(event('reservation.reserved', (one) => ({ ...one, seatsLeft: -1 }))), 'codec/invalid', 'an event of another form')
  const others = await client.call('tx_getByDid', { did: officer.did, limit: 1 })
  const other = await client.call('tx_get', { id: others.items[0]?.id ?? '' })
  t.equal(await problem((method, result) => (method === 'tx_get' ? other : result)), 'indexer/events', 'another transaction than the one asked for')
  t.equal(await problem((method, result: Items) => (method === 'events_since' ? { ...result, items: result.items.map(({ cursor, height, timeMs, index: place, event: what }) => ({ cursor, height, timeMs, index: place, event: what })) as never } : result)), 'indexer/events', 'no transaction')

  const path = join(folder, 'fork.sqlite')
  const first = await index(t, path)
  await until(isAtHead(first))
  await first.stop()
  const log = recordingLog()
  const fork = await liar(t, items('chain_getBlocks', (all) => all.map((block) => ({ ...block, hash: 'A'.repeat(43) }))))
  const indexer = await index(t, path, { urls: [fork, url], log })
  await until(() => indexer.caughtUp())
  t.match(log.lines.find(({ event: what }) => what === 'indexer-node-lost'), { data: { node: fork, code: 'indexer/other-history' } })
  t.equal(indexer.node(), url)
})

t.test('a node that goes away, comes back or hangs behind: the next of the list takes over, and nothing is lost', async (t) => {
  const own = createMapCity()
  const [a, b] = [await serve(own), await serve(own)]
  t.teardown(async () => Promise.all([a.server.stop(), b.server.stop()]))
  // the first does not answer at times
  let frozen = false
  const folder = t.testdir()
  const path = join(folder, 'map.sqlite')
  const slow = await liar(t, (_, result) => (frozen ? undefined : result))
  const indexer = await index(t, path, { urls: [slow, a.url, b.url], idleMs: 100 })
  const history = liveOnTheMap(own)
  for (let i = 0; i < 30; i++) {
    frozen = i % 3 === 0
    if (i === 10) await a.server.stop()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await history
  await until(isAtHead(indexer, own))
  await until(() => indexer.node() === b.url)
  await indexer.stop()
  const fresh = join(folder, 'fresh.sqlite')
  const other = await index(t, fresh, { urls: [b.url] })
  await until(isAtHead(other, own))
  await other.stop()
  t.equal(dumpOf(path), dumpOf(fresh))
})

t.test('two indexers, older tables, a file of others, a port that is taken', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'map.sqlite')
  const first = await index(t, path)
  await until(isAtHead(first))
  const { database } = openSqlite(path)
  const progress = await readProgress(database)
  t.equal(await refusal(async () => applyChanges(database, { ...progress, cursor: '3.0' }, [], progress)), 'indexer/other-writer')
  t.equal(await refusal(async () => index(t, join(folder, 'b.sqlite'), { port: Number(new URL(first.url).port) })), 'indexer/listen')
  await first.stop()
  await database.transaction(async (sql) => sql.run('UPDATE progress SET version = 99'))
  await database.close()
  t.equal(await refusal(async () => (await index(t, path)).ended), 'indexer/version')
  const letter = join(folder, 'letter.txt')
  writeFileSync(letter, 'Dear Sir or Madam')
  for (const rebuild of [false, true]) t.equal(await refusal(async () => index(t, letter, { rebuild })), 'indexer/not-an-index')
  t.equal(readFileSync(letter, 'utf8'), 'Dear Sir or Madam')
})
