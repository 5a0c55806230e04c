// npm run bench:reads: reads a second from one observer, and from several side by side. See --help and docs/observers.md.
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import type { JsonObject } from '../primitives/schema.ts'
import { secondsOf } from './bench/measure.ts'
import { whole, withObservers } from './bench/observed.ts'
import { round } from './bench/statistics.ts'
import type { DevnetNode } from './devnet/network.ts'
import { createScreen } from './devnet/screen.ts'

const help = `npm run bench:reads -- [flags]

Simple reads a second over JSON-RPC, by autocannon: the head of the chain, a DID, a programme and a balance, in turn, each a request of its own. First from one observer, then
from two side by side, and so on; each has a thread of autocannon of its own. What is read has been looked at before; HTTP errors, timeouts and answers that are errors count as
failed.

  --observers N     up to so many, at most 16; default 3
  --seconds S       for each number of observers, after 2 of warm-up; default 10
  --connections C   to each observer; default 32
  --validators V    default 4
  --json FILE       the result as JSON

Observers, validators and autocannon share this machine: with few cores several observers are no faster than one. Exit code 1 if a read failed.`

const warmUpSeconds = 2
const citizens = 100

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    observers: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '32' },
    validators: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
})

interface Measured {
  readonly observers: number
  readonly readsPerSecond: number
  /** Of the slowest observer. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly reads: number
  readonly failed: number
  /** What the processes of each kind took of the processors, for one read. That of the validators goes with time. */
  readonly cpuMicrosPerRead: { readonly observers: number; readonly autocannon: number; readonly validators: number }
}

const screen = createScreen()
process.exitCode = await main()

async function main(): Promise<number> {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  let options: { observers: number; seconds: number; connections: number; validators: number }
  try {
    options = {
      observers: whole('--observers', values.observers, 1, 16),
      seconds: whole('--seconds', values.seconds, 1, 600),
      connections: whole('--connections', values.connections, 1, 1_000),
      validators: whole('--validators', values.validators, 1, 32),
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    return 2
  }
  const { seconds, connections, validators } = options
  return withObservers({ validators, observers: options.observers }, screen, async ({ observers, validators: voting, processes, register }) => {
    const dids = await register(citizens)
    screen.step('City', `${dids.length} citizens`)
    const bodies = readsOf(dids)
    await checkAll(observers.map(({ rpc }) => rpc), bodies)
    const measured: Measured[] = []
    for (let count = 1; count <= observers.length; count++) {
      const asked = observers.slice(0, count)
      const urls = asked.map(({ rpc }) => rpc)
      const cpuOf = (nodes: readonly DevnetNode[]): number => nodes.reduce((sum, node) => sum + secondsOf(`/proc/${processes.pidOf(node)}`), 0)
      const used = async (): Promise<readonly number[]> => [await errorsOf(urls), cpuOf(asked), secondsOf('/proc/self'), cpuOf(voting)]
      await Promise.all(urls.map(async (url) => fire(url, bodies, connections, warmUpSeconds)))
      const before = await used()
      const runs = await Promise.all(urls.map(async (url) => fire(url, bodies, connections, seconds)))
      const [errors, observing, firing, idling] = (await used()).map((after, i) => after - (before[i] as number)) as [number, number, number, number]
      const most = (of: (run: autocannon.Result) => number): number => Math.max(...runs.map(of))
      const sum = (of: (run: autocannon.Result) => number): number => runs.reduce((total, run) => total + of(run), 0)
      const reads = sum((run) => run.requests.total)
      const micros = (cpuSeconds: number): number => round((cpuSeconds * 1_000_000) / reads, 1)
      const result: Measured = {
        observers: count,
        readsPerSecond: Math.round(sum((run) => run.requests.total / run.duration)),
        latencyMs: { p50: most(({ latency }) => latency.p50), p99: most(({ latency }) => latency.p99), max: most(({ latency }) => latency.max) },
        reads,
        failed: errors + sum((run) => run.errors + run.timeouts + run.non2xx + run.mismatches),
        cpuMicrosPerRead: { observers: micros(observing), autocannon: micros(firing), validators: micros(idling) },
      }
      measured.push(result)
      const { p50, p99, max } = result.latencyMs
      screen.step('Reads', `${result.readsPerSecond} a second from ${count} ${count === 1 ? 'observer' : 'observers'}; p50 ${round(p50, 1)} ms, p99 ${round(p99, 1)} ms, at most ${round(max, 1)} ms; ${result.failed} failed`)
      const { observers: ofObservers, autocannon: ofCannon, validators: ofValidators } = result.cpuMicrosPerRead
      screen.step('Processor', `a read takes ${ofObservers} µs of the observer, ${ofCannon} µs of autocannon and ${ofValidators} µs of ${validators} validators`)
    }
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seconds, connections, validators, cores: availableParallelism(), node: process.version, measured }, undefined, 2)}\n`)
    const failed = measured.reduce((total, one) => total + one.failed, 0)
    if (failed > 0) throw new Error(`WRONG: ${failed} reads failed`)
  })
}

/** Bodies of requests, in the order in which they are sent again and again. */
function readsOf(dids: readonly string[]): readonly string[] {
  const call = (method: string, params: JsonObject): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  return dids.flatMap((did) => [call('chain_head', {}), call('did_resolve', { did }), call('points_programs', { limit: 1 }), call('points_balance', { did })])
}

/** Before anything is measured: every read has a result at every observer. */
async function checkAll(urls: readonly string[], bodies: readonly string[]): Promise<void> {
  for (const url of urls) {
    for (const body of bodies) {
      const text = await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text()
      if (!text.includes('"result":')) throw new Error(`${url} answers ${body} by ${text.slice(0, 300)}`)
    }
  }
}

/** Answers of theirs so far that were errors, which bear the HTTP status 200. */
async function errorsOf(urls: readonly string[]): Promise<number> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()))
  return texts.flatMap((text) => [...text.matchAll(/^dongbaek_rpc_errors_total\{.*\} (\d+)$/gm)]).reduce((sum, [, times]) => sum + Number(times), 0)
}

async function fire(url: string, bodies: readonly string[], connections: number, seconds: number): Promise<autocannon.Result> {
  return autocannon({
    url,
    connections,
    duration: seconds,
    workers: 1,
    requests: bodies.map((body) => ({ method: 'POST' as const, path: '/', headers: { 'content-type': 'application/json' }, body })),
  })
}
