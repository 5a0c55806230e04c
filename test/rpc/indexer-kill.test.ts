// The indexer as a real process, killed by kill -9 again and again while events flow: what it ends with has the bytes of an index made in one go.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { startIndexer } from '../../rpc/indexer/indexer.ts'
import type { OpenTimetable } from '../../state/reservation/types.ts'
import { dayOf } from '../../state/calendar.ts'
import { dumpOf, tableOf } from '../support/map-index.ts'
import { until } from '../support/until.ts'
import { createMapCity, liveOnTheMap, slot } from './map-city.ts'
import { citizens, recordingLog, serve } from './scenario.ts'

const root = join(import.meta.dirname, '../..')
const kills = 6
const timetables = 5

t.test('kill -9 at any point, while events flow', async (t) => {
  const city = createMapCity()
  const { server, url } = await serve(city)
  const folder = t.testdir()
  const path = join(folder, 'map.sqlite')
  const running = new Set<ChildProcess>()
  t.teardown(async () => {
    for (const child of running) child.kill('SIGKILL')
    await server.stop()
  })

  const start = (): { readonly child: ChildProcess; readonly follows: Promise<void>; readonly output: () => string } => {
    const child = spawn(process.execPath, ['node/cli/main.ts', 'indexer', '--rpc', url, '--database', path, '--port', '0'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    running.add(child)
    child.on('exit', () => running.delete(child))
    let output = ''
    const follows = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (text: Buffer) => {
          output += text.toString()
          if (output.includes('indexer-follows')) resolve()
        })
      }
    })
    return { child, follows, output: () => output }
  }

  // events without end, in small blocks and in pages of thousands of rows
  let flowing = true
  const timetable = (prefix: string): OpenTimetable => ({
    facility: 'west-pool',
    prefix,
    firstDay: dayOf(city.chain.timeMs()) + 1,
    lastDay: dayOf(city.chain.timeMs()) + 100,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    times: [600, 720, 840],
    minutes: 50,
    exceptDays: [],
    opensMs: city.chain.timeMs() as never,
    closesBeforeMs: 0,
    cancelBeforeMs: 0,
    capacity: 20,
    waitlistMax: 5,
  })
  const flow = (async () => {
    await liveOnTheMap(city)
    for (let i = 0; flowing; i++) {
      if (i % 20 === 10 && i < 20 * timetables) await city.send('reservation.openTimetable', timetable(`lane${i}`))
      await city.send('reservation.openSlots', { facility: 'new-hall', slots: [slot(`evening-${i}`, { startsMs: (city.chain.timeMs() + 86_400_000) as never, endsMs: (city.chain.timeMs() + 90_000_000) as never, closesMs: (city.chain.timeMs() + 86_400_000) as never, cancelUntilMs: city.chain.timeMs() as never })] })
      for (const citizen of citizens.slice(0, 3)) await city.send('reservation.reserve', { slot: `evening-${i}` }, [citizen])
      await pause(30)
    }
  })()

  const cursor = (): unknown => tableOf(path, 'progress')[0]?.['cursor']
  const cursors = new Set<unknown>()
  for (let i = 0; i < kills; i++) {
    const { child, follows, output } = start()
    const exited = once(child, 'exit')
    const ended = await Promise.race([follows.then(() => false), exited.then(() => true)])
    if (ended) throw new Error(`ended by itself:\n${output()}`)
    // somewhere in a page, each time further in; and right after one
    const before = cursor()
    if (i % 2 === 0) await pause(i * 20)
    else await until(() => cursor() !== before, 30_000)
    child.kill('SIGKILL')
    await exited
    cursors.add(cursor())
  }
  flowing = false
  await flow
  t.ok(cursors.size >= kills / 2, 'it got on between the kills')

  const head = city.chain.backend.head().height
  const { child, output } = start()
  const exited = once(child, 'exit')
  await until(() => tableOf(path, 'progress')[0]?.['height'] === head, 30_000)
  child.kill('SIGTERM')
  t.same(await exited, [0, null], output())

  const fresh = join(folder, 'fresh.sqlite')
  const indexer = await startIndexer({ urls: [url], database: fresh, host: '127.0.0.1', port: 0, rebuild: false, log: recordingLog() })
  await until(() => indexer.progress()?.height === head, 30_000)
  await indexer.stop()
  t.ok(dumpOf(path) === dumpOf(fresh), 'the same bytes')
  t.ok(tableOf(fresh, 'slots').length > 100, 'of hundreds of rows')
})
