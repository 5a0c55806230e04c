// The index in PostgreSQL with PostGIS, on a real server: the same rows as in SQLite, the same map, the same promises.
import { execFileSync } from 'node:child_process'
import dns from 'node:dns'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { codeOf } from '../../primitives/errors.ts'
import type { Following } from '../../rpc/indexer/follow.ts'
import { type Indexer, startIndexer } from '../../rpc/indexer/indexer.ts'
import type { Row } from '../../rpc/indexer/sql.ts'
import { databaseAnswerMs } from '../../rpc/indexer/limits.ts'
import { openPostgres } from '../../rpc/indexer/postgres.ts'
import { dumpOf, dumpOfDatabase, followThroughCrashes, mapOf } from '../support/map-index.ts'
import { startPostgres, withoutPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { killWhileEventsFlow } from './killed-indexer.ts'
import { createMapCity, liveOnTheMap } from './map-city.ts'
import { recordingLog, serve } from './scenario.ts'

const postgres = await startPostgres()
if (postgres === undefined) {
  t.test('PostgreSQL', { skip: withoutPostgres }, async () => undefined)
} else {
  const city = createMapCity()
  await liveOnTheMap(city)
  const { server, url } = await serve(city)
  t.teardown(async () => {
    await server.stop()
    await postgres.stop()
  })

  const statement = async (text: string, database = 'postgres'): Promise<void> => {
    const client = new Client({ connectionString: postgres.url(database) })
    await client.connect()
    await client.query(text)
    await client.end()
  }
  const create = async (name: string): Promise<string> => {
    await statement(`CREATE DATABASE ${name}`)
    return postgres.url(name)
  }
  const start = async (database: string, { rebuild = false, from = url } = {}): Promise<Indexer> => startIndexer({ urls: [from], database, host: '127.0.0.1', port: 0, rebuild, log: recordingLog() })
  const isAtHead = (indexer: Pick<Following, 'progress'>): boolean => indexer.progress()?.height === city.chain.backend.head().height
  const dump = async (database: string): Promise<string> => {
    const opened = await openPostgres(database, false)
    const text = await dumpOfDatabase(opened.database)
    await opened.database.close()
    return text
  }
  const refusal = async (act: () => Promise<unknown>): Promise<string> => act().then(() => 'no refusal', codeOf)
  /** An event, so that something is written. */
  const somethingHappens = async (): Promise<unknown> => city.send('reservation.amendSlot', { slot: 'talk', waitlistMax: city.chain.backend.head().height % 50 })
  /** Started again, it goes on; and a rebuild gives the same. */
  const goesOn = async (t: Test, database: string): Promise<void> => {
    await until(() => isAtHead(inFile))
    for (const rebuild of [false, true]) {
      const again = await start(database, { rebuild })
      await until(() => isAtHead(again), 60_000)
      await again.stop()
      t.equal(await dump(database), dumpOf(file), rebuild ? 'rebuilt' : 'gone on')
    }
  }

  const file = join(t.testdir(), 'map.sqlite')
  const inFile = await start(file)
  await until(() => isAtHead(inFile))
  t.teardown(async () => inFile.stop())

  t.test('the same rows and the same map', async (t) => {
    const database = await create('map')
    const indexer = await start(database)
    t.teardown(async () => indexer.stop())
    await until(() => isAtHead(indexer), 60_000)
    t.equal(await dump(database), dumpOf(file))
    const map = await mapOf(indexer.url)
    t.equal(map, await mapOf(inFile.url))
    t.ok(map.length > 20_000 && !map.includes('"error"'), 'of many features')
    // distances from a grid over the bay and beyond, of which no metre may be rounded otherwise
    const get = async (from: Indexer, page: string): Promise<string> => (await fetch(`${from.url}${page}`)).text()
    for (let i = 0; i < 100; i++) {
      const page = `/facilities?near=${128.7 + (i % 10) * 0.0671},${34.9 + Math.floor(i / 10) * 0.0437}&distanceM=100000`
      t.equal(await get(indexer, page), await get(inFile, page), page)
    }
    // as far as the pattern of `after` goes
    for (const page of ['/facilities?after=9999999999999999.a', '/courses?after=9999999999999999.a', '/slots?after=9999999999999999.a', '/facilities?near=0,0&distanceM=1&after=9999999999999999.a']) {
      t.match(JSON.parse(await get(indexer, page)), { features: [] }, page)
    }
  })

  t.test('a crash at any statement loses nothing and does nothing twice', async (t) => {
    const database = await create('crashing')
    const crashes = await followThroughCrashes(async () => openPostgres(database, false), { urls: [url], log: recordingLog(), isDone: isAtHead, stepsMore: 9 })
    t.ok(crashes > 5, `${crashes} crashes`)
    t.equal(await dump(database), dumpOf(file))
  })

  t.test('kill -9 at any point, while events flow', async (t) => {
    const database = await create('killed')
    const reader = new Client({ connectionString: database })
    await reader.connect()
    const progress = async (): Promise<Row | undefined> => {
      const { rows } = await reader.query<Row>('SELECT cursor, CAST(height AS INTEGER) AS height FROM progress')
      return rows[0]
    }
    const { url: from, head, map } = await killWhileEventsFlow(t, { database, kills: 4, progress })
    await reader.end()
    const killed = await dump(database)
    const inAFile = join(t.testdir(), 'fresh.sqlite')
    for (const [place, rebuild] of [[database, true], [inAFile, false]] as const) {
      const indexer = await start(place, { rebuild, from })
      await until(() => indexer.progress()?.height === head, 90_000)
      t.ok((await mapOf(indexer.url)) === map, `the same map ${rebuild ? 'rebuilt' : 'from SQLite'}`)
      await indexer.stop()
    }
    t.ok((await dump(database)) === killed && dumpOf(inAFile) === killed, 'the same bytes')
    t.ok(killed.length > 50_000, 'of hundreds of rows')
  })

  t.test('connections that the server ends: the indexer ends, and goes on when started again', async (t) => {
    const database = await create('broken')
    const indexer = await start(database)
    await until(() => indexer.progress() !== undefined, 60_000)
    await statement('ALTER DATABASE broken ALLOW_CONNECTIONS false')
    await statement("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'broken'")
    await somethingHappens()
    t.equal(await refusal(async () => indexer.ended), 'indexer/database')
    await indexer.stop()
    await statement('ALTER DATABASE broken ALLOW_CONNECTIONS true')
    await goesOn(t, database)
  })

  /** A database behind a proxy that passes all that the client says, and what the server answers until `goBad`: from then on each answer meets `then`. */
  const behindProxy = async (t: Test, name: string, then: (answer: { readonly afterCommit: boolean; readonly pass: () => void; readonly cut: () => void }) => void): Promise<{ readonly database: string; readonly through: string; readonly goBad: () => void }> => {
    const database = await create(name)
    await statement('CREATE EXTENSION postgis', name)
    let isBad = false
    let afterCommit = false
    const proxy = createServer((client) => {
      const there = connect(postgres.path)
      client.on('data', (bytes) => {
        if (isBad && bytes.includes('COMMIT')) afterCommit = true
        there.write(bytes)
      })
      const pass = (bytes: Buffer): void => void client.write(bytes)
      there.on('data', (bytes) => (isBad ? then({ afterCommit, pass: () => pass(bytes), cut: () => client.destroy() }) : pass(bytes)))
      for (const event of ['close', 'error']) {
        client.on(event, () => there.destroy())
        // as over a network that is gone, of which the client hears nothing at all
        there.on(event, () => (isBad ? undefined : client.destroy()))
      }
    }).listen(0, '127.0.0.1')
    t.teardown(() => proxy.close())
    await once(proxy, 'listening')
    return { database, through: `postgres://dongbaek@127.0.0.1:${(proxy.address() as AddressInfo).port}/${name}`, goBad: () => void (isBad = true) }
  }
  /** Follows to the head, then the proxy goes bad and something happens: how long until the indexer ended, and whether the page is in. */
  const followInto = async ({ database, through, goBad }: Awaited<ReturnType<typeof behindProxy>>, parameters = ''): Promise<{ readonly code: string; readonly ms: number; readonly isIn: boolean }> => {
    const indexer = await start(through + parameters)
    await until(() => isAtHead(indexer), 60_000)
    const before = await dump(database)
    goBad()
    await somethingHappens()
    const began = performance.now()
    const code = await refusal(async () => indexer.ended)
    const ms = performance.now() - began
    await indexer.stop()
    return { code, ms, isIn: (await dump(database)) !== before }
  }

  t.test('a connection that is cut between COMMIT and its answer: the page is in, and is not done twice', async (t) => {
    const bad = await behindProxy(t, 'cut', ({ afterCommit, pass, cut }) => (afterCommit ? cut() : pass()))
    const { code, ms, isIn } = await followInto(bad)
    t.same({ code, isIn }, { code: 'indexer/database', isIn: true })
    t.ok(ms < 5_000, `noticed at once: ${ms} ms`)
    await goesOn(t, bad.database)
  })

  t.test('a server that falls silent after COMMIT: the same', async (t) => {
    const bad = await behindProxy(t, 'hushed', ({ afterCommit, pass }) => (afterCommit ? undefined : pass()))
    t.match(await followInto(bad, '?query_timeout=2000'), { code: 'indexer/database', isIn: true })
    await goesOn(t, bad.database)
  })

  t.test('a server that falls silent altogether: the indexer ends after the time of docs/indexer.md, with nothing half done', async (t) => {
    const bad = await behindProxy(t, 'silent', () => undefined)
    const { code, ms, isIn } = await followInto(bad)
    t.same({ code, isIn }, { code: 'indexer/database', isIn: false })
    t.ok(ms > databaseAnswerMs - 500 && ms < databaseAnswerMs + 5_000, `${ms} ms`)
    await goesOn(t, bad.database)
  })

  t.test('over TLS: a server that proves its name is used, any other is not', async (t) => {
    const folder = t.testdir()
    const make = (name: string, ...more: readonly string[]): { readonly certificate: string; readonly key: string } => {
      const [certificate, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate, ...more], { stdio: 'pipe' })
      return { certificate, key }
    }
    const [authority, stranger] = [make('authority'), make('stranger')]
    const tls = await startPostgres(make('localhost', '-CA', authority.certificate, '-CAkey', authority.key, '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE'))
    if (tls === undefined) throw new Error('it was there before')
    t.teardown(async () => tls.stop())
    const besides = new Client({ connectionString: tls.url('postgres') })
    await besides.connect()
    t.teardown(async () => besides.end())
    await besides.query('CREATE DATABASE encrypted')
    const inIt = new Client({ connectionString: tls.url('encrypted') })
    await inIt.connect()
    await inIt.query('CREATE EXTENSION postgis')
    await inIt.end()
    const at = (host: string, parameters: string): string => `postgres://dongbaek@${host}:${tls.tcpPort}/encrypted?${parameters}`

    const indexer = await start(at('localhost', `sslmode=verify-full&sslrootcert=${authority.certificate}`))
    await until(() => isAtHead(indexer), 60_000)
    const { rows } = await besides.query<{ readonly ssl: boolean; readonly version: string }>("SELECT ssl, version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = 'encrypted'")
    t.ok(rows.length > 0 && rows.every(({ ssl, version }) => ssl && version === 'TLSv1.3'), JSON.stringify(rows))
    t.equal(await mapOf(indexer.url), await mapOf(inFile.url))
    await indexer.stop()

    await t.rejects(start(at('localhost', `sslmode=verify-full&sslrootcert=${stranger.certificate}`)), { code: 'indexer/database', message: /certificate/ }, 'signed by another')
    await t.rejects(start(at('127.0.0.1', `sslmode=verify-full&sslrootcert=${authority.certificate}`)), { code: 'indexer/database', message: /altnames/ }, 'of another name')
    await t.rejects(start(at('localhost', '')), { code: 'indexer/database', message: /no encryption/ }, 'the server takes nothing in the clear')
  })

  t.test('no server, no PostGIS, tables of others, no connection string', async (t) => {
    await t.rejects(start('postgres://nobody@127.0.0.1:9/none'), { code: 'indexer/database', message: /ECONNREFUSED/ })
    // a name of two addresses, as localhost is on many machines: the error of both has no message of its own
    const addresses = [{ address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }]
    t.intercept(dns, 'lookup', { value: (_host: string, _options: unknown, found: (error: null, all: typeof addresses) => void) => found(null, addresses) })
    await t.rejects(start('postgres://nobody@two.invalid:9/none'), { code: 'indexer/database', message: /127\.0\.0\.1:9.*::1/ })
    await statement('CREATE ROLE guest LOGIN')
    await statement('CREATE DATABASE bare OWNER guest')
    await t.rejects(start(postgres.url('bare', 'guest')), { code: 'indexer/database', message: /CREATE EXTENSION postgis/ })
    const theirs = await create('theirs')
    await statement("CREATE TABLE slots (fruit TEXT); INSERT INTO slots VALUES ('cherries')", 'theirs')
    for (const rebuild of [false, true]) t.equal(await refusal(async () => start(theirs, { rebuild })), 'indexer/not-an-index')
    await statement("DO $$ BEGIN ASSERT (SELECT fruit FROM slots) = 'cherries'; END $$", 'theirs')
    await t.rejects(start('postgres://user:secret@host:port/map'), { code: 'indexer/database', message: /^(?!.*secret)/ })
  })
}
