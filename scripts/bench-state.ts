// npm run bench:state: what a block costs to execute and to hash as the state grows. See --help and docs/performance.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { executeStepTransactions } from '../node/limits.ts'
import { type Executed, executeInSteps } from '../state/execute.ts'
import { percentile, round } from './bench/statistics.ts'
import { buildStateCity, type StateCity } from './bench/state-city.ts'

const transactionsPerBlock = 1_000
const warmBlocks = 30
const measuredBlocks = 30
const accountsMax = 20_000_000

const help = `npm run bench:state -- [flags]

What one block of ${transactionsPerBlock} spends costs to execute and to hash, by the number of accounts: the state machine of the nodes over their database on this disk, without
the network and without signatures. Who spends is drawn evenly from all accounts, so that a large state is not read from memory alone. ${warmBlocks} blocks to warm up, then
the median of ${measuredBlocks} (of the store and of all threads the mean), in CPU time of the thread that executes.

  --accounts LIST   sizes, with commas; default 1000,10000,100000. A million takes some minutes and two gigabytes of disk
  --json FILE       the result as JSON
  --data DIR        works in a new folder in there; default the system's`

const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' }, accounts: { type: 'string', default: '1000,10000,100000' }, json: { type: 'string' }, data: { type: 'string' } } })
if (values.help === true) {
  console.log(help)
  process.exit()
}
const sizes = values.accounts.split(',').map(Number)
if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1 || size > accountsMax)) {
  console.error(`--accounts takes whole numbers from 1 to ${accountsMax}, separated by commas, not ${values.accounts}.\n\n${help}`)
  process.exit(2)
}

/** Of the contract are the first five. */
interface StateResult {
  readonly accounts: number
  /** To execute a block and to bring the state root up to date. */
  readonly msPerBlock: number
  readonly usPerTx: number
  /** Of it, in the tree. */
  readonly stateRootUsPerTx: number
  readonly bytesPerAccount: number
  /** Besides, on the same thread: to put the block into the store. The mean, since the database gets several blocks at once. */
  readonly storeUsPerTx: number
  /** All of it over all threads: LevelDB's and the collector's too. The mean as well. */
  readonly cpuUsPerTx: number
}

const results: StateResult[] = []
console.log(['accounts', 'ms a block', 'µs a tx', 'of it tree', 'store µs', 'all threads', 'bytes each'].map((title) => title.padStart(12)).join(''))
for (const accounts of sizes) {
  const folder = mkdtempSync(path.join(values.data ?? tmpdir(), 'dongbaek-bench-state-'))
  try {
    const city = await buildStateCity(path.join(folder, 'store'), accounts)
    const result = await measure(city, accounts)
    await city.close()
    results.push(result)
    console.log([accounts, result.msPerBlock, result.usPerTx, result.stateRootUsPerTx, result.storeUsPerTx, result.cpuUsPerTx, result.bytesPerAccount].map((figure) => figure.toLocaleString('en-US').padStart(12)).join(''))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, undefined, 2)}\n`)

async function measure({ store, state, spends, bytesPerAccount }: StateCity, accounts: number): Promise<StateResult> {
  let treeUs = 0
  const tree: typeof state.tree = {
    ...state.tree,
    update: (changes) => {
      const startUs = threadUs()
      const pages = state.tree.update(changes)
      treeUs += threadUs() - startUs
      return pages
    },
  }
  const draw = drawer(accounts)
  const [blocks, roots, stores, all]: readonly [number[], number[], number[], number[]] = [[], [], [], []]
  for (let i = 0; i < warmBlocks + measuredBlocks; i++) {
    const { executable, final } = spends(transactionsPerBlock, draw)
    treeUs = 0
    const allBefore = process.cpuUsage()
    const startUs = threadUs()
    const executed = toTheEnd(executeInSteps({ ...state, tree }, executable, executeStepTransactions))
    const executedUs = threadUs()
    await store.putBlock(final, executed)
    const storedUs = threadUs()
    const { user, system } = process.cpuUsage(allBefore)
    if (executed.receipts.some(({ status }) => status !== 'ok')) throw new Error(`a spend was refused: ${executed.receipts.find(({ status }) => status !== 'ok')?.code}`)
    if (i < warmBlocks) continue
    blocks.push(executedUs - startUs)
    roots.push(treeUs)
    stores.push(storedUs - executedUs)
    all.push(user + system)
  }
  const median = (figures: readonly number[]): number => percentile(figures.toSorted((a, b) => a - b), 0.5)
  const mean = (figures: readonly number[]): number => figures.reduce((sum, figure) => sum + figure, 0) / figures.length
  const perTx = (blockUs: number): number => round(blockUs / transactionsPerBlock)
  return {
    accounts,
    msPerBlock: round(median(blocks) / 1_000),
    usPerTx: perTx(median(blocks)),
    stateRootUsPerTx: perTx(median(roots)),
    bytesPerAccount,
    storeUsPerTx: perTx(mean(stores)),
    cpuUsPerTx: perTx(mean(all)),
  }
}

function toTheEnd(run: Generator<void, Executed, void>): Executed {
  for (;;) {
    const step = run.next()
    if (step.done === true) return step.value
  }
}

/** CPU time of this thread: neighbours on the machine do not count, and neither do the threads of LevelDB. */
function threadUs(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** Even over 0 to below `n`, the same in every run (xorshift, Marsaglia, 2003). */
function drawer(n: number): () => number {
  let x = 2_463_534_242
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return Math.floor(((x >>> 0) / 4_294_967_296) * n)
  }
}
