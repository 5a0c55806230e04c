// npm run bench: throughput and latency of a real network of processes. See --help and docs/performance.md.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { toBase64url } from '../primitives/bytes.ts'
import { createClient } from '../rpc/client/index.ts'
import { type Capture, inspectOption, openCapture } from './bench/capture.ts'
import { check } from './bench/checks.ts'
import { buildCity } from './bench/city.ts'
import { type Load, openLoad, type Pace, type Sent } from './bench/load.ts'
import { measureVerification, read, type Watched, warnings, watchMemory, verifyFloor } from './bench/measure.ts'
import { makerOf } from './bench/mix.ts'
import { type BenchOptions, help, readOptions } from './bench/options.ts'
import { createPool, type Pool } from './bench/pool.ts'
import { type BenchResult, printReport } from './bench/report.ts'
import { latencySummary, round, smallestNearBest } from './bench/statistics.ts'
import { type Network, openNetwork } from './devnet/network.ts'
import { createProcesses, type Processes } from './devnet/processes.ts'
import { waitUntilReady } from './devnet/ready.ts'
import { createScreen } from './devnet/screen.ts'

const warmUpMs = 3_000
const drainMs = 30_000
/** Of the search for the highest rate that holds: how many are under way. */
const steps = [250, 1_000, 3_000] as const
const stepMs = 3_000
const nearBest = 0.95
/** Signed ahead for a run: what a step came to and half as much again. What is used beyond it is signed as it goes. */
const spare = 1.5
const expectedAtFirst = 1_000

const screen = createScreen()
process.exitCode = await main()

async function main(): Promise<number> {
  let options: BenchOptions | undefined
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    return 2
  }
  if (options === undefined) {
    console.log(help)
    return 0
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-bench-'))
  const processes = createProcesses((node, how, lines) => screen.alert(`${node.name} ${how}\n${lines.join('\n')}`))
  const clean = (): void => {
    processes.endAll()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.on('exit', clean)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      console.error(`Ended by ${signal}; the nodes are ended and their folder is removed.`)
      process.exit(130)
    })
  try {
    return await bench(options, path.join(folder, 'network'), processes)
  } catch (error) {
    console.error((error as Error).message)
    return 1
  } finally {
    await processes.stopAll()
    clean()
  }
}

async function bench(options: BenchOptions, data: string, processes: Processes): Promise<number> {
  const { validators, seconds, mix } = options
  const network = await startNetwork(options, data, processes)
  const { nodes } = network
  const watched: readonly Watched[] = nodes.map((node) => ({ node, pid: processes.pidOf(node) ?? 0 }))
  const urls = nodes.map(({ rpc }) => rpc)
  const load = await openLoad(urls, urls.at(-1) ?? '')
  const empty = await read(watched)
  const city = await buildCity(network, load)
  screen.step('City', 'citizens, merchants, programmes with grants, slots: all final')

  const spends = new Set<string>()
  const pool = createPool(makerOf(mix, city, (part, id) => void (part === 'spend' && spends.add(toBase64url(id)))))
  const { pace, expected, words } = await choosePace(options, load, pool)
  await pool.fill(Math.ceil(expected * (seconds + warmUpMs / 1_000) * spare) + ('outstanding' in pace ? pace.outstanding : 0))
  const lateBefore = pool.late()
  const capture: Capture | undefined = options.profile === undefined ? undefined : await openCapture(nodes[0]?.log ?? '')
  screen.step('Signed', `${pool.size()} transactions`)

  const startMs = performance.now() + warmUpMs
  const endMs = startMs + seconds * 1_000
  const running = load.run(pool, pace, endMs)
  await pause(startMs - performance.now())
  const memory = watchMemory(watched)
  const cpuBefore = process.cpuUsage()
  const before = await read(watched)
  await capture?.start()
  await pause(endMs - performance.now())
  const after = await read(watched)
  const own = process.cpuUsage(cpuBefore)
  const rssMiB = memory.stop()
  if (capture !== undefined && options.profile !== undefined) {
    mkdirSync(path.dirname(path.resolve(options.profile)), { recursive: true })
    writeFileSync(options.profile, JSON.stringify(await capture.stop()))
  }
  await running
  await load.drain(drainMs)
  const full = await read(watched)
  screen.step('Measured', `${seconds} s, and waited for every receipt`)

  const all = [...load.sent.values()]
  const within = (ms: number): boolean => ms >= startMs && ms < endMs
  const submitted = all.filter(({ sentMs }) => within(sentMs))
  const committed = submitted.filter(({ outcome }) => outcome === 'ok')
  const rejected = submitted.filter(({ outcome }) => outcome === 'rejected' || outcome === 'refused')
  const finished = all.filter(({ outcome, doneMs }) => outcome === 'ok' && within(doneMs)).length
  const verifySeconds = measureVerification()
  const floor = verifyFloor(validators, verifySeconds)
  const perTx = (value: number): number => value / Math.max(1, finished)
  const cpuSeconds = after.cpuSeconds - before.cpuSeconds
  // since the folders were empty: over a short stretch LevelDB's log and compactions would show, not what is kept
  const everOk = all.filter(({ outcome }) => outcome === 'ok').length
  const kept = (bytes: number): number => round(bytes / validators / Math.max(1, everOk), 0)
  const [store, votes] = [kept(full.storeBytes - empty.storeBytes), kept(full.votesBytes - empty.votesBytes)]
  const result: BenchResult = {
    validators,
    seconds,
    mix,
    submitted: submitted.length,
    committed: committed.length,
    rejected: rejected.length,
    txPerSecond: round(finished / seconds),
    latencyMs: latencySummary(committed.map(({ sentMs, doneMs }) => doneMs - sentMs)),
    cpuSecondsPerTx: round(perTx(cpuSeconds), 6),
    verifyFloorTxPerSecond: round(floor),
    ratioToFloor: round(finished / seconds / floor, 3),
    blocks: after.height - before.height,
    txPerBlock: round(finished / Math.max(1, after.height - before.height)),
    rssMiB: { validatorMax: round(rssMiB) },
    bytesPerTx: { disk: store + votes, network: round(perTx(after.networkBytes - before.networkBytes) / validators, 0) },
    versions: await versions(urls[0] ?? ''),
  }
  printReport(result, {
    load: words,
    generatorCores: (own.user + own.system) / 1e6 / seconds,
    signedLate: pool.late() - lateBefore,
    verifyUs: verifySeconds * 1e6,
    validatorCores: cpuSeconds / seconds,
    loadAverage: loadavg()[0] ?? 0,
    storeBytesPerTx: store,
    votesBytesPerTx: votes,
    warnings: warnings(nodes),
    viewChanges: after.view - before.view,
    threads: [...after.threadSeconds].map(([name, value]) => [name, perTx(value - (before.threadSeconds.get(name) ?? 0)) * 1e6] as const).filter(([, us]) => us >= 1).sort((a, b) => b[1] - a[1]),
    rejectedBy: countBy(rejected),
  })
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)

  load.close()
  const spent = [...spends].filter((id) => load.sent.get(id)?.outcome === 'ok').length
  const wrong = [...(await check(urls, { sent: load.sent, spends: spent })), ...load.failures()]
  for (const sentence of wrong) screen.alert(`WRONG: ${sentence}`)
  if (wrong.length === 0) screen.step('Checked', 'every receipt stands in the chain once, the validators agree, the audits hold')
  return wrong.length > 0 || finished === 0 ? 1 : 0
}

async function startNetwork({ validators, basePort, profile }: BenchOptions, data: string, processes: Processes): Promise<Network> {
  const network = await openNetwork({ validators, observers: 0, data, basePort, fresh: false, demo: false, exit: true, given: new Set() }, () => {})
  process.env['DONGBAEK_LIMITS_RPC_REQUESTS_PER_SECOND'] = '1000000'
  process.env['DONGBAEK_LOG_LEVEL'] = 'warn'
  network.nodes.forEach((node, i) => {
    if (profile !== undefined && i === 0) process.env['NODE_OPTIONS'] = inspectOption
    processes.start(node)
    delete process.env['NODE_OPTIONS']
  })
  const unready = await waitUntilReady(network.nodes, processes, () => false)
  if (unready.length > 0) throw new Error(unready.map(({ node, why }) => `${node.name}: ${why}`).join('\n'))
  screen.step('Network', `${validators} validators, each a process of its own`)
  return network
}

/**
 * The pace asked for; or the closed loop with the fewest transactions under way that comes near the best throughput. A closed loop has a step of its
 * own in either case, which says how much to sign.
 */
async function choosePace({ rate, outstanding }: BenchOptions, load: Load, pool: Pool): Promise<{ readonly pace: Pace; readonly expected: number; readonly words: string }> {
  if (rate !== undefined) return { pace: { perSecond: rate }, expected: rate, words: `open loop at ${rate} tx/s` }
  const tried: { readonly outstanding: number; readonly perSecond: number }[] = []
  for (const step of outstanding === undefined ? steps : [outstanding]) {
    await pool.fill(Math.ceil((expectedAtFirst * stepMs) / 1_000) + step)
    const startMs = performance.now()
    await load.run(pool, { outstanding: step }, startMs + stepMs)
    await load.drain(drainMs)
    // to the last receipt: with many under way the first may come late in a short step, and none is left out so
    const finished = [...load.sent.values()].filter(({ outcome, doneMs }) => outcome === 'ok' && doneMs >= startMs).length
    tried.push({ outstanding: step, perSecond: (finished * 1_000) / (performance.now() - startMs) })
    screen.step('Tried', `${step} under way: ${Math.round(tried.at(-1)?.perSecond ?? 0)} tx/s`)
  }
  const chosen = smallestNearBest(tried, ({ perSecond }) => perSecond, nearBest) ?? { outstanding: steps[0], perSecond: expectedAtFirst }
  return { pace: { outstanding: chosen.outstanding }, expected: chosen.perSecond, words: `closed loop with ${chosen.outstanding} under way${outstanding === undefined ? ' (chosen)' : ''}` }
}

function countBy(rejected: readonly Sent[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { code = 'no code' } of rejected) counts.set(code, (counts.get(code) ?? 0) + 1)
  return counts
}

async function versions(url: string): Promise<Readonly<Record<string, string>>> {
  const { version } = await createClient({ url }).call('node_status', {})
  const of = (name: string): string => (JSON.parse(readFileSync(path.join(import.meta.dirname, '..', 'node_modules', name, 'package.json'), 'utf8')) as { readonly version: string }).version
  return { dongbaek: version, node: process.versions.node, libp2p: of('libp2p'), 'classic-level': of('classic-level'), 'sodium-native': of('sodium-native') }
}
