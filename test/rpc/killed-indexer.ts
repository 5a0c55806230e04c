// The indexer as a real process, killed by kill -9 again and again while events flow into its database, whichever that is.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { dayMs, dayOf, hourMs } from '../../state/calendar.ts'
import type { TimeMs } from '../../primitives/brand.ts'
import type { OpenTimetable } from '../../state/reservation/types.ts'
import type { Row } from '../../rpc/indexer/sql.ts'
import { mapOf } from '../support/map-index.ts'
import { until } from '../support/until.ts'
import { createMapCity, liveOnTheMap, slot } from './map-city.ts'
import { citizens, type City, serve } from './scenario.ts'

const root = join(import.meta.dirname, '../..')
const timetables = 5
/** The chain does not run away from an index on a slow machine. */
const blocksAhead = 200
/** Long enough for a machine that has much else to do. */
const waitMs = 90_000

export interface Survivor {
  /** Of the node that was followed, and of its head. */
  readonly url: string
  readonly head: number
  /** What the indexer served in the end. */
  readonly map: string
}

/** `progress` reads the one row of that table. */
export async function killWhileEventsFlow(t: Test, { database, kills, progress }: { readonly database: string; readonly kills: number; readonly progress: () => Promise<Row | undefined> }): Promise<Survivor> {
  const city = createMapCity()
  const { server, url } = await serve(city)
  const running = new Set<ChildProcess>()
  t.teardown(async () => {
    for (const child of running) child.kill('SIGKILL')
    await server.stop()
  })

  const start = (): { readonly child: ChildProcess; readonly follows: Promise<void>; readonly output: () => string } => {
    const child = spawn(process.execPath, ['node/cli/main.ts', 'indexer', '--rpc', url, '--database', database, '--port', '0'], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
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

  let flowing = true
  let height = 0
  const cursor = async (): Promise<unknown> => {
    const row = await progress()
    height = Number(row?.['height'])
    return row?.['cursor']
  }
  const head = (): number => city.chain.backend.head().height
  const flow = liveOnTheMap(city).then(async () => openAndReserve(city, { goesOn: () => flowing, waits: () => head() > height + blocksAhead }))
  const cursors = new Set<unknown>()
  for (let i = 0; i < kills; i++) {
    const { child, follows, output } = start()
    const exited = once(child, 'exit')
    const ended = await Promise.race([follows.then(() => false), exited.then(() => true)])
    if (ended) throw new Error(`ended by itself:\n${output()}`)
    // somewhere in a page, each time further in; and right after one
    const before = await cursor()
    if (i % 2 === 0) await pause(i * 20)
    else await until(async () => (await cursor()) !== before, waitMs)
    child.kill('SIGKILL')
    await exited
    cursors.add(await cursor())
  }
  flowing = false
  await flow
  t.ok(cursors.size >= kills / 2, 'it got on between the kills')

  const { child, output } = start()
  const exited = once(child, 'exit')
  await until(async () => (await progress())?.['height'] === head(), waitMs)
  const map = await mapOf(/The map is at (\S+)\. /.exec(output())?.[1] ?? '')
  child.kill('SIGTERM')
  t.same(await exited, [0, null], output())
  return { url, head: head(), map }
}

/** Events without end, in small blocks and in pages of thousands of rows. */
async function openAndReserve({ chain, send }: City, { goesOn, waits }: { readonly goesOn: () => boolean; readonly waits: () => boolean }): Promise<void> {
  for (let i = 0; goesOn(); ) {
    await pause(30)
    if (waits()) continue
    const nowMs = chain.timeMs() as TimeMs
    if (i % 20 === 10 && i < 20 * timetables) await send('reservation.openTimetable', timetable(`lane${i}`, nowMs))
    const startsMs = (nowMs + dayMs) as TimeMs
    await send('reservation.openSlots', { facility: 'new-hall', slots: [slot(`evening-${i}`, { startsMs, endsMs: (startsMs + hourMs) as TimeMs, closesMs: startsMs, cancelUntilMs: nowMs })] })
    for (const citizen of citizens.slice(0, 3)) await send('reservation.reserve', { slot: `evening-${i}` }, [citizen])
    i++
  }
}

function timetable(prefix: string, nowMs: TimeMs): OpenTimetable {
  return {
    facility: 'west-pool',
    prefix,
    firstDay: dayOf(nowMs) + 1,
    lastDay: dayOf(nowMs) + 100,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    times: [600, 720, 840],
    minutes: 50,
    exceptDays: [],
    opensMs: nowMs,
    closesBeforeMs: 0,
    cancelBeforeMs: 0,
    capacity: 20,
    waitlistMax: 5,
  }
}
