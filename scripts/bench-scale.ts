// npm run bench:scale: what ordering costs against the number of validators, counted, and what throughput and latency separate machines would have, simulated. See --help and docs/scale.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { faultsTolerated, quorumSize } from '../consensus/quorum.ts'
import { validatorsMax } from '../primitives/limits.ts'
import { calibrate } from './scale/calibrate.ts'
import type { Costs } from './scale/costs.ts'
import { consensus, countMessages } from './scale/lockstep.ts'
import { blockCost, checkpointInterval, gossipBytes, sizesAt } from './scale/model.ts'
import { ScaleNetwork, type ScaleResult } from './scale/network.ts'
import { type HistoryFigures, measureHistory, measureState, type StateFigures } from './scale/states.ts'

const cores = 4
const bitsPerSecond = 1_000_000_000
const outstanding = 8_000
const lowShare = 0.2
const warmBlocks = 10
const blocks = 24
const blockSizes = [1, 100, 1_000, 4_000]
/** Usual for a chain of some weeks: heights below take fewer bytes. */
const usualHeight = 1_000_000

/** More than the 20,000 transactions that a start looks through, and more still for the slope. */
const historyBlocks = [25, 100]
const historyAccounts = 10_000
const accountsMin = 1_000

const help = `npm run bench:scale -- [flags]

First what a block and a transaction cost against the number of validators: messages, bytes and signatures, by formulas that are compared with what real replicas say.
Then throughput and latency of validators that each have a machine of their own (${cores} cores, ${bitsPerSecond / 1e9} Gbit/s), simulated: real replicas, and around them what a node does, charged with
costs that were measured before in the same run. Throughput with ${outstanding} transactions under way, latency at ${lowShare * 100} % of it. At the end one machine of two cores with four validators, to compare with
npm run bench. Some minutes.

  --validators LIST    default 4,7,10,13,16,25,31,40,64
  --links LIST         ms from one machine to another, in one direction; default 1,5,30
  --seed S             of the arrivals; default 1
  --accounts LIST      instead of all this: disk, snapshot and start at these numbers of accounts, and a start after ${historyBlocks.join(',000 and ')},000 transactions
  --calibration FILE   costs from the JSON of an earlier run instead of measuring: the same file and seed give the same figures
  --json FILE          all of it as JSON`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    validators: { type: 'string', default: '4,7,10,13,16,25,31,40,64' },
    links: { type: 'string', default: '1,5,30' },
    seed: { type: 'string', default: '1' },
    accounts: { type: 'string' },
    calibration: { type: 'string' },
    json: { type: 'string' },
  },
})

function listOf(flag: string, text: string, holds: (one: number) => boolean, what: string): readonly number[] {
  const list = text.split(',').map(Number)
  if (!list.every(holds)) throw new RangeError(`${flag} takes ${what}, and not ${text}`)
  return list
}

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US', { maximumFractionDigits: Math.abs(cell) < 10 ? 2 : Math.abs(cell) < 100 ? 1 : 0 }) : cell)).join(' | ')} |`)
}

function table(head: readonly string[]): void {
  row(head)
  row(head.map(() => '---'))
}

interface ModelRow {
  readonly validators: number
  readonly transactions: number
  readonly messages: number
  readonly consensusBytes: number
  readonly bodyBytes: number
  readonly primaryBytes: number
  readonly made: number
  readonly checked: number
}

/** Real replicas must say what the formulas say. */
function compare(validators: number): void {
  const blocks = 2 * checkpointInterval
  const transactions = consensus.transactionsMax
  const counted = countMessages({ validators, blocks, manifest: new Uint8Array(32 * transactions) })
  const { messages, bytes, made, checked } = blockCost(validators, sizesAt(1, transactions))
  const said = Object.values(counted.messages).reduce((sum, one) => sum + one, 0)
  if (said !== messages * blocks || counted.bytes !== bytes * blocks || counted.made !== made * blocks || counted.checked !== checked * blocks) {
    throw new Error(`WRONG: ${validators} replicas say ${JSON.stringify(counted)} in ${blocks} blocks, and the formulas ${JSON.stringify({ messages, bytes, made, checked })} a block`)
  }
}

function showModel(sizes: readonly number[], transactionBytes: number): readonly ModelRow[] {
  const envelope = gossipBytes(100, transactionBytes) / 100
  const { prepare, commit, checkpoint } = sizesAt(usualHeight, 1)
  for (const validators of sizes) compare(validators)
  console.log(`\nReal replicas say, sign and check what the formulas say, for n = ${sizes.join(', ')}: ${2 * checkpointInterval} blocks of ${consensus.transactionsMax} each.`)
  console.log(`A Prepare has ${prepare} bytes, a Commit ${commit}, a Checkpoint ${checkpoint} (one every ${checkpointInterval} blocks); a transaction ${transactionBytes}, in gossip ${Math.round(envelope)}. A block in the whole network:\n`)
  table(['n', 'f', 'quorum', 'messages', 'votes, KB', 'signatures made', 'checked', 'checked a validator'])
  for (const n of sizes) {
    const cost = blockCost(n, sizesAt(usualHeight, 1))
    row([n, faultsTolerated(n), quorumSize(n), cost.messages, cost.bytes / 1_000, cost.made, cost.checked, cost.checked / n])
  }
  console.log('\nA transaction, by how many are in its block: over all validators together, but for the last two, which are of one.\n')
  table(['n', 'block', 'messages', 'bytes of consensus', 'bytes of its body', 'votes checked', 'own signatures checked', 'bytes that the primary sends', 'bytes that another receives'])
  const rows: ModelRow[] = []
  for (const validators of sizes) {
    for (const transactions of blockSizes) {
      const cost = blockCost(validators, sizesAt(usualHeight, transactions))
      const bodyBytes = (validators - 1) * envelope
      const one: ModelRow = { validators, transactions, messages: cost.messages, consensusBytes: cost.bytes, bodyBytes: bodyBytes * transactions, primaryBytes: cost.primaryBytes, made: cost.made, checked: cost.checked }
      rows.push(one)
      row([validators, transactions, cost.messages / transactions, cost.bytes / transactions, bodyBytes, cost.checked / transactions, validators, (cost.primaryBytes + (bodyBytes * transactions) / validators) / transactions, (cost.bytes / (validators - 1) / validators + envelope * transactions * ((validators - 1) / validators)) / transactions])
    }
  }
  return rows
}

/** What is busy for most of the time, or nothing: then it is the way of the messages that takes the time. */
function bottleneck({ busy: { primary, others, workers, disk, line } }: ScaleResult): string {
  const shares: readonly (readonly [string, number])[] = [['main thread, primary', primary], ['main thread, others', others], ['signature workers', workers], ['vote log', disk], ['line', line]]
  const [name, share] = shares.toSorted((a, b) => b[1] - a[1])[0] as readonly [string, number]
  return `${name} ${Math.round(share * 100)} %`
}

interface Simulated {
  readonly validators: number
  readonly linkMs: number
  readonly saturated: ScaleResult
  readonly low: ScaleResult
}

function simulate(sizes: readonly number[], links: readonly number[], costs: Costs, seed: number): readonly Simulated[] {
  console.log('\nThroughput and latency, simulated:\n')
  table(['n', 'link ms', 'tx/s', 'tx a block', 'busiest', 'main thread µs a tx', `p50 ms at ${lowShare * 100} %`, 'p99 ms', 'tx a block', 'busiest', 'views'])
  const results: Simulated[] = []
  for (const validators of sizes) {
    for (const linkMs of links) {
      const machine = { validators, linkMs, bitsPerSecond, cores, costs, seed, warmBlocks }
      const saturated = new ScaleNetwork({ ...machine, load: { outstanding }, blocks, transactions: 8_000 }).run()
      const low = new ScaleNetwork({ ...machine, load: { perSecond: saturated.txPerSecond * lowShare }, blocks, transactions: 1_000 }).run()
      results.push({ validators, linkMs, saturated, low })
      row([validators, linkMs, saturated.txPerSecond, saturated.txPerBlock, bottleneck(saturated), saturated.mainUsPerTx, low.latencyMs.p50, low.latencyMs.p99, low.txPerBlock, bottleneck(low), Math.max(saturated.views, low.views)])
    }
  }
  return results
}

/** The machine and the load of a measured run (docs/performance.md): four validators share two cores. */
function likeMeasured(costs: Costs, seed: number): ScaleResult {
  const result = new ScaleNetwork({ validators: 4, linkMs: 0.02, bitsPerSecond: 10 * bitsPerSecond, cores: 2, shared: true, costs, seed, warmBlocks, load: { outstanding: 3_000 }, blocks, transactions: 20_000 }).run()
  console.log(`\nFour validators on one machine of two cores, 3,000 under way, simulated: ${result.txPerSecond} tx/s, ${result.cpuUsPerTx} µs a transaction over all four, ${result.txPerBlock} a block, ${result.views} view changes.`)
  return result
}

async function showStates(accounts: readonly number[]): Promise<unknown> {
  table(['accounts', 'store MiB', 'bytes an account', 'pages to a key', 'snapshot MiB', 'parts', 'making it, CPU s', 'µs a key', 'start, CPU ms'])
  const states: StateFigures[] = []
  for (const size of accounts) {
    const one = await measureState(size)
    states.push(one)
    row([one.accounts, one.storeMiB, one.storeBytesPerAccount, one.pagesToKey, one.snapshotMiB, one.snapshotParts, one.snapshotCpuSeconds, one.snapshotCpuUsPerKey, one.startCpuMs])
  }
  console.log(`\nThe same start with ${historyAccounts.toLocaleString('en-US')} accounts after spends in blocks of 1,000, all of the last half hour:\n`)
  table(['transactions', 'store MiB', 'start, CPU ms'])
  const histories: HistoryFigures[] = []
  for (const blocks of historyBlocks) {
    const one = await measureHistory(historyAccounts, blocks)
    histories.push(one)
    row([one.transactions, one.storeMiB, one.startCpuMs])
  }
  return { states, histories }
}

function costsFrom(file: string): Costs {
  const { calibration } = JSON.parse(readFileSync(file, 'utf8')) as { readonly calibration?: Costs }
  if (calibration === undefined) throw new RangeError(`${file} has no calibration: give the file that an earlier run wrote by --json`)
  return calibration
}

async function main(): Promise<number> {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  try {
    const sizes = listOf('--validators', values.validators, (n) => Number.isSafeInteger(n) && n >= 4 && n <= validatorsMax, `whole numbers from 4 to ${validatorsMax}, separated by commas`)
    const links = listOf('--links', values.links, (ms) => ms >= 0 && ms <= 1_000, 'milliseconds from 0 to 1000, separated by commas')
    const [seed] = listOf('--seed', values.seed, Number.isSafeInteger, 'a whole number') as [number]
    if (values.accounts !== undefined) {
      const figures = await showStates(listOf('--accounts', values.accounts, (size) => Number.isSafeInteger(size) && size >= accountsMin && size <= 20_000_000, `whole numbers from ${accountsMin} to 20000000, separated by commas`))
      if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
      return 0
    }
    const calibration = values.calibration === undefined ? await calibrate([...new Set([...sizes, 4])], (what) => console.log(`measuring ${what}`)) : costsFrom(values.calibration)
    console.log(`\nCosts, µs of CPU but for what ends in Ms (ms), Ns (ns) and Bytes:\n${JSON.stringify(calibration, undefined, 1)}`)
    const model = showModel(sizes, calibration.transactionBytes)
    const simulated = simulate(sizes, links, calibration, seed)
    const shared = likeMeasured(calibration, seed)
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ calibration, cores, bitsPerSecond, outstanding, lowShare, seed, model, simulated, shared }, undefined, 2)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(`${error.message}\n\n${help}`)
    return 2
  }
}

process.exitCode = await main()
