// npm run bench: throughput and latency of a real network of processes. See --help and docs/performance.md.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { toBase64url } from '../primitives/bytes.ts'
import { type Capture, inspectOption, openCapture } from './bench/capture.ts'
import { checkChain, checkFunds } from './bench/checks.ts'
import { buildCity } from './bench/city.ts'
import { type Load, openLoad, type Pace } from './bench/load.ts'
import { read, type Watched, watchMemory } from './bench/measure.ts'
import { makerOf } from './bench/mix.ts'
import { auditDay, dayAt, type DayResult, openingDay, playDay, tooLate } from './bench/opening-day.ts'
import { type BenchOptions, help, readOptions } from './bench/options.ts'
import { createPool, type Pool } from './bench/pool.ts'
import { type BenchResult, printDay, printReport } from './bench/report.ts'
import { resultOf } from './bench/result.ts'
import { makeReport } from './bench/series.ts'
import { round, smallestNearBest } from './bench/statistics.ts'
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
/** More would be signed too long before it is sent, and fill the memory of this process. */
const signedAheadMax = 400_000
/** Transactions under way on opening day: as many as a block of the preset takes. */
const dayOutstanding = 1_000

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
  if (options.report !== undefined) return makeReport(options.report, options)
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
  const { seconds, mix } = options
  const network = await startNetwork(options, data, processes)
  const { nodes } = network
  const watched: readonly Watched[] = nodes.map((node) => ({ node, pid: processes.pidOf(node) ?? 0 }))
  const urls = nodes.map(({ rpc }) => rpc)
  const load = await openLoad(urls, urls.at(-1) ?? '')
  if (mix === openingDay) return playOpeningDay(options, network, watched, load)
  const empty = await read(watched)
  const city = await buildCity(network, load)
  screen.step('City', 'citizens, merchants, programmes with grants, slots: all final')

  const spends = new Set<string>()
  const pool = createPool(makerOf(mix, city, (part, id) => void (part === 'spend' && spends.add(toBase64url(id)))))
  const { pace, expected, words } = await choosePace(options, load, pool)
  await pool.fill(Math.min(signedAheadMax, Math.ceil(expected * (seconds + warmUpMs / 1_000) * spare) + ('outstanding' in pace ? pace.outstanding : 0)))
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
  const resident = memory.stop()
  if (capture !== undefined && options.profile !== undefined) {
    mkdirSync(path.dirname(path.resolve(options.profile)), { recursive: true })
    writeFileSync(options.profile, JSON.stringify(await capture.stop()))
  }
  await running
  await load.drain(drainMs)
  const full = await read(watched)
  screen.step('Measured', `${seconds} s, and waited for every receipt`)

  const { result, beside } = await resultOf(options, { nodes, sent: load.sent, startMs, endMs, empty, before, after, full, own, memory: resident, load: words, signedLate: pool.late() - lateBefore })
  printReport(result, beside)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)

  load.close()
  const spent = [...spends].filter((id) => load.sent.get(id)?.outcome === 'ok').length
  const wrong = [...(await checkChain(urls, load.sent)), ...(await checkFunds(urls[0] ?? '', spent)), ...load.failures()]
  return verdict(result.txPerSecond === 0 ? [...wrong, 'nothing became final'] : wrong)
}

/** The day is played from beginning to end and measured as a whole: there is no warm-up and no part that does not count. */
async function playOpeningDay(options: BenchOptions, network: Network, watched: readonly Watched[], load: Load): Promise<number> {
  const { nodes } = network
  const day = dayAt(options.scale, Date.now() - 60_000)
  const outstanding = options.outstanding ?? dayOutstanding
  const memory = watchMemory(watched)
  const cpuBefore = process.cpuUsage()
  const before = await read(watched)
  const startMs = performance.now()
  await playDay(network, load, day, outstanding, screen.step)
  const endMs = performance.now()
  const after = await read(watched)
  const { result: measured, beside } = await resultOf(options, {
    nodes,
    sent: load.sent,
    startMs,
    endMs,
    empty: before,
    before,
    after,
    full: after,
    own: process.cpuUsage(cpuBefore),
    memory: memory.stop(),
    load: `closed loop with ${outstanding} under way`,
    signedLate: load.sent.size,
  })
  load.close()
  const urls = nodes.map(({ rpc }) => rpc)
  const audited = await auditDay(urls, day)
  const result: BenchResult & DayResult = { ...measured, ...audited.result, minutes: round((endMs - startMs) / 60_000, 2) }
  printReport(result, beside)
  printDay(result)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
  return verdict([...(await checkChain(urls, load.sent, new Set([tooLate]))), ...audited.wrong, ...load.failures()])
}

function verdict(wrong: readonly string[]): number {
  for (const sentence of wrong) screen.alert(`WRONG: ${sentence}`)
  if (wrong.length === 0) screen.step('Checked', 'every receipt stands in the chain once, the validators agree, the audits hold')
  return wrong.length > 0 ? 1 : 0
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
