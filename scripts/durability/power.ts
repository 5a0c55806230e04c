// Power cuts on a network of four real validator processes, each with its data folder on a file system of its own. After every cut each acknowledged
// receipt must be on every validator and the same, nobody may have signed two contradicting votes, and the chain must go on.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Client, createClient, DongbaekError, type ReceiptJson } from '../../rpc/client/index.ts'
import { type DevnetNode, openNetwork } from '../devnet/network.ts'
import { freeBasePort } from '../devnet/ports.ts'
import { createProcesses, type Processes, tail } from '../devnet/processes.ts'
import { createImage, cut, type Image } from './image.ts'
import { type Load, startLoad } from './load.ts'
import { createRandom, type Random } from './random.ts'

const imageMebibytes = 256
const lanes = 6
const readyMs = 120_000
const tickMs = 30
/** Of receipts that earlier checks have seen already, so many are looked at again each time; all of them at the end. */
const sampleSize = 25
/** A node lets one address have so many connections and no more. */
const lookersOfNode = 8
const attemptsMax = 6

export interface PowerOptions {
  readonly folder: string
  readonly cuts: number
  readonly seed: number
  readonly onLine: (line: string) => void
  readonly isStopped: () => boolean
}

export interface CutReport {
  readonly cut: number
  readonly who: readonly string[]
  /** Cut while the validators cut before were still starting. */
  readonly whileStarting: boolean
  readonly afterMs: number
  readonly acknowledged: number
  /** Heights right after the restart, as soon as each is ready. */
  readonly heights: readonly number[]
  readonly backMs: number
  readonly checked: number
  readonly problems: readonly string[]
}

export interface PowerReport {
  readonly seed: number
  readonly cuts: readonly CutReport[]
  readonly acknowledged: number
  readonly checked: number
  readonly evidence: number
  readonly height: number
  readonly seconds: number
  readonly problems: readonly string[]
}

interface Site {
  readonly node: DevnetNode
  readonly image: Image
  readonly client: Client
}

interface Field {
  readonly sites: readonly Site[]
  readonly processes: Processes
  readonly load: Load
  readonly random: Random
  /** Died without our having cut anything. */
  readonly deaths: string[]
  readonly expectDeath: Set<string>
  checkedReceipts: number
  checkedHeight: number
  checked: number
}

/** Makes a network, cuts, checks, and takes everything down again; after a failure its folder stays. Throws only when the machine does not allow it. */
export async function runPowerCuts({ folder, cuts, seed, onLine, isStopped }: PowerOptions): Promise<PowerReport> {
  const started = performance.now()
  const random = createRandom(seed)
  mkdirSync(folder, { recursive: true })
  const network = await openNetwork({ validators: 4, observers: 0, data: path.join(folder, 'net'), basePort: await freeBasePort(), fresh: false, demo: false, exit: true, given: new Set() }, () => {})
  const deaths: string[] = []
  const expectDeath = new Set<string>()
  const processes = createProcesses((node, how, lastLines) => {
    if (!expectDeath.has(node.name)) deaths.push(`${node.name} ${how} by itself: ${lastLines.at(-1) ?? ''}`)
  })
  const sites: Site[] = []
  let load: Load | undefined
  const reports: CutReport[] = []
  const problems: string[] = []
  let field: Field | undefined
  try {
    for (const node of network.nodes) sites.push({ node, image: createImage(path.join(folder, `${node.name}.img`), path.join(node.folder, 'data'), imageMebibytes), client: createClient({ url: node.rpc, timeoutMs: 5_000, rounds: 1 }) })
    for (const { node } of sites) {
      // a start is what most of the time goes into: no threads beside it
      const config = JSON.parse(readFileSync(node.config, 'utf8')) as { readonly limits?: object }
      writeFileSync(node.config, JSON.stringify({ ...config, limits: { ...config.limits, verifyWorkers: 0 } }))
      processes.start(node)
    }
    await allReady({ sites, deaths, load: { acknowledged: [] } })
    load = startLoad(network, network.nodes.map(({ rpc }) => rpc), lanes, createRandom(seed + 1))
    field = { sites, processes, load, random, deaths, expectDeath, checkedReceipts: 0, checkedHeight: 0, checked: 0 }
    while (reports.length < cuts && problems.length === 0 && !isStopped()) {
      const report = await cutOnce(field, reports)
      reports.push(report)
      problems.push(...report.problems.map((problem) => `cut ${report.cut}: ${problem}`))
      onLine(lineOf(report))
    }
    if (problems.length === 0 && !isStopped()) problems.push(...(await finalCheck(field)))
  } catch (error) {
    problems.push(`${(error as Error).message}\n${sites.map(({ node }) => `${node.name}\n  ${tail(node.log).join('\n  ')}`).join('\n')}`)
  } finally {
    await load?.stop()
    await processes.stopAll()
    for (const { image } of sites) await image.dispose()
  }
  const said = (event: string): number => network.nodes.reduce((count, { log }) => count + linesOf(log, event), 0)
  const evidence = said('evidence')
  // what the store knows the log has, and votes ahead of it lie within an allowance: a cut alone never makes it look old
  if (said('votes-outdated') > 0) problems.push('a validator took its own vote log for old or short after a cut')
  if (evidence > 0) problems.push(`the logs tell of ${evidence} contradictory votes`)
  if (problems.length === 0) rmSync(folder, { recursive: true, force: true })
  return { seed, cuts: reports, acknowledged: load?.acknowledged.length ?? 0, checked: field?.checked ?? 0, evidence, height: field?.checkedHeight ?? 0, seconds: (performance.now() - started) / 1_000, problems }
}

async function cutOnce(field: Field, before: readonly CutReport[]): Promise<CutReport> {
  const { random, sites, load, processes, expectDeath, deaths } = field
  const again = before.at(-1)
  const whileStarting = again !== undefined && again.heights.length === 0
  const afterMs = whileStarting ? random.between(0, 2_500) : random.between(100, 1_500)
  await pause(afterMs)
  const victims = chooseVictims(random, sites)
  for (const { node } of victims) expectDeath.add(node.name)
  // without power nobody acts any more: a process that runs on may be told that a sync succeeded which the shut down file system has dropped, and vote on it
  await freeze(victims, processes)
  cut(victims.map(({ image }) => image))
  const cutAt = performance.now()
  await end(victims, processes)
  const acknowledged = load.acknowledged.length
  for (const { image } of victims) {
    await image.unmount()
    image.mount()
  }
  for (const { node } of victims) {
    expectDeath.delete(node.name)
    processes.start(node)
  }
  const report = { cut: before.length + 1, who: victims.map(({ node }) => node.name), whileStarting, afterMs, acknowledged }
  // now and then the next cut does not wait until these are back
  if (random.next() < 0.6) return { ...report, heights: [], backMs: 0, checked: 0, problems: [...deaths] }
  const heights = await allReady(field)
  const backMs = Math.round(performance.now() - cutAt)
  const checkedBefore = field.checked
  const problems = [...deaths, ...(await check(field, acknowledged)), ...(await goesOn(field))]
  return { ...report, heights, backMs, checked: field.checked - checkedBefore, problems }
}

function chooseVictims(random: Random, sites: readonly Site[]): readonly Site[] {
  const draw = random.next()
  if (draw < 0.45) return sites
  const first = random.below(sites.length)
  const count = draw < 0.6 ? 2 : 1
  return Array.from({ length: count }, (_, i) => sites[(first + i) % sites.length] as Site)
}

async function freeze(victims: readonly Site[], processes: Processes): Promise<void> {
  for (const { node } of victims) {
    const pid = processes.pidOf(node)
    if (pid === undefined) continue
    process.kill(pid, 'SIGSTOP')
    while (processes.isRunning(node) && !isStopped(pid)) await pause(1)
  }
}

/** All of its threads, but for those that wait for the disk (D): they stop before they come back, and their write may be torn. */
function isStopped(pid: number): boolean {
  const threads = existsSync(`/proc/${pid}/task`) ? readdirSync(`/proc/${pid}/task`) : []
  return threads.every((thread) => {
    const file = `/proc/${pid}/task/${thread}/stat`
    return !existsSync(file) || /^\d+ \(.*\) [TtDZX] /s.test(readFileSync(file, 'latin1'))
  })
}

async function end(victims: readonly Site[], processes: Processes): Promise<void> {
  for (const { node } of victims) {
    const pid = processes.pidOf(node)
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }
  while (victims.some(({ node }) => processes.isRunning(node))) await pause(5)
}

/** Every validator answers, votes and has what was acknowledged by now; their heights. Throws after two minutes with what each says of itself. */
async function allReady({ sites, load, deaths }: { readonly sites: readonly Site[]; readonly load: Pick<Load, 'acknowledged'>; readonly deaths: readonly string[] }): Promise<readonly number[]> {
  const owed = load.acknowledged.reduce((height, receipt) => Math.max(height, receipt.height), 0)
  const until = performance.now() + readyMs
  return Promise.all(
    sites.map(async ({ node, client }) => {
      let said = 'nothing'
      for (;;) {
        try {
          const { ready, head, problems, peers } = await client.call('node_status', {})
          if (ready && peers === sites.length - 1 && head.height >= owed) return head.height
          said = `block ${head.height} of ${owed}; ${problems.join('; ')}`
        } catch (error) {
          said = String(error)
        }
        if (performance.now() > until || deaths.length > 0) throw new Error(`not back within ${readyMs / 1_000} s: ${node.name} says ${said}; ${deaths.join('; ')}`)
        await pause(tickMs)
      }
    }),
  )
}

async function check(field: Field, upTo: number): Promise<string[]> {
  const { load, random, sites } = field
  const fresh = load.acknowledged.slice(field.checkedReceipts, upTo)
  const old = field.checkedReceipts === 0 ? [] : Array.from({ length: Math.min(sampleSize, field.checkedReceipts) }, () => load.acknowledged[random.below(field.checkedReceipts)] as ReceiptJson)
  const problems = await checkReceipts(field, [...fresh, ...old])
  field.checkedReceipts = upTo
  problems.push(...(await checkBlocks(field)))
  for (const { node, client } of sites) {
    const { items } = await patiently(() => client.call('chain_getEvidence', {}))
    if (items.length > 0) problems.push(`${node.name} has evidence of contradictory votes: ${JSON.stringify(items).slice(0, 500)}`)
  }
  return problems
}

/** No answer is no loss: a machine that does much else takes its time, and is asked again. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      if (attempt >= attemptsMax || !(error instanceof DongbaekError) || (error.code !== 'client/timeout' && error.code !== 'client/unreachable')) throw error
      await pause(200)
    }
  }
}

async function checkReceipts(field: Field, receipts: readonly ReceiptJson[]): Promise<string[]> {
  const problems: string[] = []
  for (const { node, client } of field.sites) {
    let next = 0
    const look = async (): Promise<void> => {
      for (let receipt = receipts[next++]; receipt !== undefined; receipt = receipts[next++]) {
        try {
          const found = await patiently(() => client.call('tx_get', { id: receipt.id }))
          if (!isDeepStrictEqual(found.receipt, receipt)) problems.push(`${node.name} holds another receipt of ${receipt.id}: ${JSON.stringify(found.receipt)} where ${JSON.stringify(receipt)} was answered`)
        } catch (error) {
          problems.push(`${node.name} lacks the receipt of ${receipt.id} in block ${receipt.height}: ${String(error)}`)
        }
        field.checked++
      }
    }
    await Promise.all(Array.from({ length: lookersOfNode }, look))
  }
  return problems
}

/** The same blocks everywhere, from the last checked height to the lowest head. */
async function checkBlocks(field: Field): Promise<string[]> {
  const { sites } = field
  const heads = await Promise.all(sites.map(async ({ client }) => (await patiently(() => client.call('chain_head', {}))).height))
  const lowest = Math.min(...heads)
  const problems: string[] = []
  for (let from = field.checkedHeight + 1; from <= lowest; from += 50) {
    const limit = Math.min(50, lowest - from + 1)
    const pages = await Promise.all(sites.map(async ({ client }) => (await patiently(() => client.call('chain_getBlocks', { from, limit, order: 'ascending' }))).items))
    pages.forEach((items, i) => {
      if (items.length !== limit || !isDeepStrictEqual(items, pages[0])) problems.push(`blocks ${from} to ${from + limit - 1} of ${(sites[i] as Site).node.name} are not those of ${(sites[0] as Site).node.name}`)
    })
  }
  field.checkedHeight = lowest
  return problems
}

/** A receipt is answered after the restart. */
async function goesOn({ load }: Field): Promise<string[]> {
  const before = load.acknowledged.length
  for (let waited = 0; load.acknowledged.length === before; waited += tickMs) {
    if (waited > 40_000) return ['no transaction became final within 40 s after the restart']
    await pause(tickMs)
  }
  return []
}

async function finalCheck(field: Field): Promise<string[]> {
  await field.load.stop()
  await allReady(field)
  const problems = await checkReceipts(field, field.load.acknowledged)
  problems.push(...(await checkBlocks(field)))
  const ends = await standstill(field)
  if (new Set(ends).size !== 1 || ends[0]?.startsWith('not')) problems.push(`the state at the end is not one: ${ends.join(' · ')}`)
  return [...problems, ...field.deaths]
}

/** What each says once nothing waits any more: a transaction whose client gave up is still ordered. Within fifteen seconds all are idle at one height, its state certified. */
async function standstill({ sites }: Field): Promise<readonly string[]> {
  for (let waited = 0; ; waited += 100) {
    const statuses = await Promise.all(sites.map(async ({ client }) => patiently(() => client.call('node_status', {}))))
    const ends = statuses.map(({ head, checkpoint, problems, mempool }) =>
      checkpoint?.height === head.height && problems.length === 0 && mempool.transactions === 0 ? `${head.height} ${head.hash} ${checkpoint.stateRoot}` : `not at rest: block ${head.height}, certified ${checkpoint?.height}, ${mempool.transactions} wait; ${problems.join('; ')}`,
    )
    if ((new Set(ends).size === 1 && !ends.some((end) => end.startsWith('not'))) || waited >= 15_000) return ends
    await pause(100)
  }
}

function linesOf(log: string, event: string): number {
  return readFileSync(log, 'utf8').split('\n').filter((line) => line.includes(`"${event}"`)).length
}

function lineOf({ cut: number, who, whileStarting, afterMs, acknowledged, heights, backMs, checked, problems }: CutReport): string {
  const whom = who.length === 4 ? 'all four' : who.join(' and ')
  const what = `cut ${String(number).padStart(3)}  ${whom.padEnd(20)} after ${String(afterMs).padStart(4)} ms${whileStarting ? ' of starting' : ' under load  '}  ${acknowledged} acknowledged`
  if (problems.length > 0) return `${what}  FAILED: ${problems.join('; ')}`
  if (heights.length === 0) return `${what}  the next cut does not wait`
  return `${what}  back in ${(backMs / 1_000).toFixed(1)} s at ${heights.join(' ')}; ${checked} receipts there and equal, no evidence, goes on`
}
