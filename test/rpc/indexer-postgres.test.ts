// The index in PostgreSQL with PostGIS, on a real server: the same rows as in SQLite, the same map, the same promises.
import { join } from 'node:path'
import { Client } from 'pg'
import t from 'tap'
import { codeOf } from '../../primitives/errors.ts'
import type { Following } from '../../rpc/indexer/follow.ts'
import { type Indexer, startIndexer } from '../../rpc/indexer/indexer.ts'
import { openPostgres } from '../../rpc/indexer/postgres.ts'
import { dayMs } from '../../state/calendar.ts'
import { dumpOf, dumpOfDatabase, followThroughCrashes } from '../support/map-index.ts'
import { startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { createMapCity, liveOnTheMap } from './map-city.ts'
import { recordingLog, serve, startMs } from './scenario.ts'

const postgres = await startPostgres()
if (postgres === undefined) {
  t.test('PostgreSQL', { skip: 'no server with PostGIS is installed here: apt-get install postgresql postgis' }, async () => undefined)
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
  const start = async (database: string, rebuild = false): Promise<Indexer> => startIndexer({ urls: [url], database, host: '127.0.0.1', port: 0, rebuild, log: recordingLog() })
  const isAtHead = (indexer: Pick<Following, 'progress'>): boolean => indexer.progress()?.height === city.chain.backend.head().height
  const dump = async (database: string): Promise<string> => {
    const opened = await openPostgres(database, false)
    const text = await dumpOfDatabase(opened.database)
    await opened.database.close()
    return text
  }

  const file = join(t.testdir(), 'map.sqlite')
  const inFile = await start(file)
  await until(() => isAtHead(inFile))
  t.teardown(async () => inFile.stop())

  t.test('the same rows and the same map', async (t) => {
    const database = await create('map')
    const indexer = await start(database)
    t.teardown(async () => indexer.stop())
    await until(() => isAtHead(indexer), 20_000)
    t.equal(await dump(database), dumpOf(file))
    type Answer = { readonly features: readonly { readonly properties: { readonly distanceM?: number } }[]; readonly next?: string }
    const get = async (from: Indexer, path: string): Promise<Answer> => (await (await fetch(`${from.url}${path}`)).json()) as Answer
    const days = `fromMs=${startMs}&toMs=${startMs + 300 * dayMs}`
    const paths = ['/living-areas', '/facilities', `/facilities?${days}`, '/facilities?bbox=129.004,35.1,129.006,35.104&limit=1', `/courses?${days}`, `/slots?${days}&limit=500`, `/slots?${days}&limit=3&livingArea=west&category=lecture`]
    for (const path of paths) t.same(await get(indexer, path), await get(inFile, path), path)
    // on a spheroid there, on a sphere here: half a percent apart at most
    for (const path of ['/facilities?near=129.004,35.104&distanceM=600', '/courses?near=129.01,35.1&distanceM=3000', `/slots?near=129.01,35.1&distanceM=3000&${days}&limit=500`]) {
      const [there, here] = [await get(indexer, path), await get(inFile, path)]
      t.ok(here.features.length > 1)
      t.ok(there.features.every(({ properties }, i) => Math.abs((properties.distanceM ?? -9) - (here.features[i]?.properties.distanceM ?? -9)) <= 1 + 0.005 * (properties.distanceM ?? 0)), path)
      const bare = ({ features }: Answer): unknown => features.map((feature) => ({ ...feature, properties: { ...feature.properties, distanceM: 0 } }))
      t.same(bare(there), bare(here), path)
    }
    const [first] = (await get(indexer, '/facilities?near=129.004,35.104&distanceM=143')).features
    t.match(first, { properties: { distanceM: 0 } })
  })

  t.test('a crash at any statement loses nothing and does nothing twice', async (t) => {
    const database = await create('crashing')
    const crashes = await followThroughCrashes(async () => openPostgres(database, false), { urls: [url], log: recordingLog(), isDone: isAtHead, stepsMore: 9 })
    t.ok(crashes > 5, `${crashes} crashes`)
    t.equal(await dump(database), dumpOf(file))
  })

  t.test('connections that the server ends: the indexer ends, and goes on when started again; a rebuild gives the same', async (t) => {
    const database = await create('broken')
    const indexer = await start(database)
    await until(() => indexer.progress() !== undefined, 20_000)
    await statement('ALTER DATABASE broken ALLOW_CONNECTIONS false')
    await statement("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'broken'")
    await city.send('reservation.reserve', { slot: 'no-such-slot' })
    t.equal(await indexer.ended.then(() => 'ended', codeOf), 'indexer/database')
    await indexer.stop()
    await statement('ALTER DATABASE broken ALLOW_CONNECTIONS true')
    await until(() => isAtHead(inFile))
    for (const rebuild of [false, true]) {
      const again = await start(database, rebuild)
      await until(() => isAtHead(again), 20_000)
      await again.stop()
      t.equal(await dump(database), dumpOf(file), rebuild ? 'rebuilt' : 'gone on')
    }
  })

  t.test('no server, no PostGIS', async (t) => {
    t.equal(await start('postgres://nobody@127.0.0.1:9/none').then(() => 'started', codeOf), 'indexer/database')
    await statement('CREATE ROLE guest LOGIN')
    await statement('CREATE DATABASE bare OWNER guest')
    await t.rejects(start(postgres.url('bare', 'guest')), { code: 'indexer/database', message: /CREATE EXTENSION postgis/ })
  })
}
