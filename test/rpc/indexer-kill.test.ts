// An indexer that was killed by kill -9 at any point ends with the bytes of an index made in one go.
import { join } from 'node:path'
import t from 'tap'
import { startIndexer } from '../../rpc/indexer/indexer.ts'
import { dumpOf, mapOf, tableOf } from '../support/map-index.ts'
import { until } from '../support/until.ts'
import { killWhileEventsFlow } from './killed-indexer.ts'
import { recordingLog } from './scenario.ts'

t.test('kill -9 at any point, while events flow', async (t) => {
  const folder = t.testdir()
  const path = join(folder, 'map.sqlite')
  const { url, head, map } = await killWhileEventsFlow(t, { database: path, kills: 6, progress: async () => tableOf(path, 'progress')[0] })
  const fresh = join(folder, 'fresh.sqlite')
  const indexer = await startIndexer({ urls: [url], database: fresh, host: '127.0.0.1', port: 0, rebuild: false, log: recordingLog() })
  await until(() => indexer.progress()?.height === head, 30_000)
  t.ok((await mapOf(indexer.url)) === map, 'the same map')
  await indexer.stop()
  t.ok(dumpOf(path) === dumpOf(fresh), 'the same bytes')
  t.ok(tableOf(fresh, 'slots').length > 100, 'of hundreds of rows')
})
