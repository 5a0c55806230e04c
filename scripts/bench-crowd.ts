// npm run bench:crowd: thousands of WebSocket subscribers of one observer. See --help and docs/observers.md.
import { writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createClient } from '../rpc/client/index.ts'
import { rssMiB, whole, withObservers } from './bench/observed.ts'
import { percentile, round } from './bench/statistics.ts'
import { openCrowd } from './crowd/crowd.ts'
import { createScreen } from './devnet/screen.ts'

const help = `npm run bench:crowd -- [flags]

Many WebSockets on one observer of a network of processes, each subscribed to all events, while citizens register. Every subscriber must get every event once and in the
order of the chain: what each has got is compared with the observer's own feed.

  --subscribers N   sockets, from processes of their own; default 5000, at most 6000
  --processes P     processes that they are spread over, at most 200; default 8
  --events E        registrations while they listen; default 500
  --validators V    default 4
  --json FILE       the result as JSON

Exit code 1 unless all of them got everything once.`

const deliveryMs = 120_000
/** For the collector to settle. */
const settleMs = 3_000

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    subscribers: { type: 'string', default: '5000' },
    processes: { type: 'string', default: '8' },
    events: { type: 'string', default: '500' },
    validators: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
})

const screen = createScreen()
process.exitCode = await main()

async function main(): Promise<number> {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  let options: { subscribers: number; processes: number; events: number; validators: number }
  try {
    options = {
      subscribers: whole('--subscribers', values.subscribers, 1, 6_000),
      processes: whole('--processes', values.processes, 1, 200),
      events: whole('--events', values.events, 1, 100_000),
      validators: whole('--validators', values.validators, 1, 32),
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    return 2
  }
  const { subscribers, processes, events, validators } = options
  return withObservers({ validators, observers: 1 }, screen, async (observed) => {
    const [observer] = observed.observers
    if (observer === undefined) throw new Error('there is no observer')
    const memory = (): number => Math.round(rssMiB(observed.processes.pidOf(observer) ?? 0))
    const before = memory()
    const { next: from } = await createClient({ url: observer.rpc }).call('events_since', { cursor: '', limit: 1_000 })
    const openingMs = performance.now()
    const crowd = await openCrowd({ url: observer.rpc, subscribers, processes, from })
    const openSeconds = round((performance.now() - openingMs) / 1_000, 1)
    await pause(settleMs)
    const idle = memory()
    screen.step('Subscribed', `${subscribers} sockets from ${processes} processes; the observer has ${idle} MiB, ${before} before`)
    try {
      const startMs = performance.now()
      await observed.register(events)
      const registeredMs = performance.now()
      const { delivered, spreadMs, wrong, ...rest } = await crowd.delivery(events, deliveryMs)
      const doneMs = performance.now()
      const result = {
        subscribers,
        processes,
        validators,
        events: rest.events,
        delivered,
        openSeconds,
        seconds: round((doneMs - startMs) / 1_000, 2),
        deliveriesPerSecond: Math.round((delivered * 1_000) / (doneMs - startMs)),
        /** From the last receipt to the last delivery. */
        lagMs: Math.round(doneMs - registeredMs),
        spreadMs: { p50: Math.round(percentile(spreadMs, 0.5)), p99: Math.round(percentile(spreadMs, 0.99)), max: Math.round(spreadMs.at(-1) ?? 0) },
        rssMiB: { before, subscribed: idle, after: memory() },
        kibPerSubscriber: round(((idle - before) * 1_024) / subscribers, 1),
        node: process.version,
      }
      screen.step('Delivered', `${result.events} events to each of ${subscribers}: ${delivered} in ${result.seconds} s; from the first subscriber to the last ${result.spreadMs.p50} ms (p50), ${result.spreadMs.max} ms at most; the observer has ${result.rssMiB.after} MiB`)
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
      if (wrong.length > 0) throw new Error(`WRONG: ${wrong.slice(0, 10).join('\n')}`)
      if (rest.events !== events) throw new Error(`WRONG: the feed has ${rest.events} events, and ${events} citizens registered`)
      screen.step('Checked', 'everybody has every event once, in the order of the chain')
    } finally {
      await crowd.close()
    }
  })
}
