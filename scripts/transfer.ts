// npm run transfer: a validator with an empty folder joins a network with a long chain and many accounts, by a snapshot, and votes. docs/state-transfer.md has the figures.
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openKeystore } from '../node/keystore.ts'
import { buildTransaction, createClient, randomSeed, signTransaction, submitAndWait, walletFromSeed } from '../rpc/client/index.ts'
import { type DevnetNode, type Network, openNetwork } from './devnet/network.ts'
import { createProcesses } from './devnet/processes.ts'
import { waitUntilReady } from './devnet/ready.ts'
import { buildChain } from './transfer/chain.ts'

const stepMs = 1_000
const tickMs = 100
const mebi = 1_048_576

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    accounts: { type: 'string', default: '1000000' },
    blocks: { type: 'string', default: '100000' },
    'base-port': { type: 'string', default: '27000' },
    data: { type: 'string' },
    json: { type: 'string' },
  },
})
if (values.help === true) {
  console.log(`npm run transfer -- [flags]

  --accounts N   citizens that the chain registers; default 1000000
  --blocks N     blocks that it has, one a second of its own time; a multiple of 10000, default 100000
  --base-port P  validator i listens on P + i; default 27000
  --data DIR     works in a new folder in there; default the system's. Some gigabytes for a million accounts
  --json F       writes the figures to this file

Makes the chain without a network, gives it to three of four validators, starts them, starts the fourth with an empty folder, and measures until its vote is needed and counts.
Exit code 1 when it does not come to that.`)
  process.exit()
}

const accounts = count('--accounts', values.accounts, 1)
const blocks = count('--blocks', values.blocks, 10_000)
const basePort = count('--base-port', values['base-port'], 1_024)
const folder = mkdtempSync(path.join(values.data ?? tmpdir(), 'dongbaek-transfer-'))

const figures: Record<string, number | string> = { accounts, blocks }
const say = (name: string, what: string): void => console.log(`${name.padEnd(10)} ${what}`)
const seconds = (ms: number): number => Math.round(ms / 100) / 10

const network = await makeNetwork()
const processes = createProcesses((node, how) => say(node.name, how))
let failed = false
try {
  await run()
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
  for (const [name, figure] of Object.entries(figures)) console.log(`  ${name.padEnd(26)} ${figure}`)
} catch (error) {
  failed = true
  console.error(error instanceof Error ? error.message : error)
} finally {
  await processes.stopAll()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)

async function run(): Promise<void> {
  const [first, second, third, joiner] = network.nodes as readonly [DevnetNode, DevnetNode, DevnetNode, DevnetNode]
  const source = path.join(first.folder, 'data')
  mkdirSync(source, { recursive: true, mode: 0o700 })
  let told = 0
  const built = await buildChain({
    dataDir: source,
    genesis: network.genesis,
    seeds: await validatorSeeds(),
    registrarSeed: network.seedOf('registrar'),
    accounts,
    blocks,
    stepMs,
    snapshotAt: blocks,
    onProgress: (height) => {
      if (height < told + blocks / 10) return
      told = height
      say('Chain', `${height} of ${blocks} blocks`)
    },
  })
  Object.assign(figures, {
    buildSeconds: seconds(built.buildMs),
    storeMiB: Math.round(folderBytes(path.join(source, 'store')) / mebi),
    snapshotBytes: built.snapshot.bytes,
    snapshotParts: built.snapshot.parts,
    snapshotSeconds: seconds(built.snapshotMs),
  })
  say('Snapshot', `${built.snapshot.parts} parts, ${Math.round(built.snapshot.bytes / mebi)} MiB, made in ${seconds(built.snapshotMs)} s`)
  for (const node of [second, third]) copyChain(source, path.join(node.folder, 'data'))

  const started = performance.now()
  processes.start(first)
  while (!(await answers(first))) await pause(tickMs)
  figures['startSeconds'] = seconds(performance.now() - started)
  say('Start', `a validator with this store answers after ${String(figures['startSeconds'])} s`)
  for (const node of [second, third]) processes.start(node)
  await untilHead(first, blocks)
  while (!(await isReady(first))) await pause(tickMs)

  const joining = performance.now()
  processes.start(joiner)
  let peak = 0
  while (!((await headOf(joiner)) >= blocks)) {
    peak = Math.max(peak, rssOf(joiner))
    await pause(tickMs)
  }
  figures['joinSeconds'] = seconds(performance.now() - joining)
  say('Joined', `the state of block ${blocks} is there after ${String(figures['joinSeconds'])} s`)
  const bad = await waitUntilReady([joiner], processes, () => false)
  if (bad.length > 0) throw new Error(`the new validator is not ready: ${bad[0]?.why}`)
  figures['voteReadySeconds'] = seconds(performance.now() - joining)
  figures['joinerPeakRssMiB'] = Math.round(peak / mebi)
  figures['joinerStoreMiB'] = Math.round(folderBytes(path.join(joiner.folder, 'data', 'store')) / mebi)

  // two of the three old ones and the new one are a quorum only together
  process.kill(processes.pidOf(first) as number, 'SIGSTOP')
  try {
    const registrar = walletFromSeed(network.seedOf('registrar'))
    const wallet = walletFromSeed(randomSeed())
    const client = createClient({ url: second.rpc })
    const receipt = await submitAndWait(client, await signTransaction(buildTransaction({ chain: network.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar]), { timeoutMs: 120_000 })
    if (receipt.status !== 'ok') throw new Error(`the first transaction was refused: ${receipt.code}`)
    await untilHead(joiner, blocks + 1)
  } finally {
    process.kill(processes.pidOf(first) as number, 'SIGCONT')
  }
  figures['votedSeconds'] = seconds(performance.now() - joining)
  figures['joinerRssMiB'] = Math.round(rssOf(joiner) / mebi)
  figures['serverRssMiB'] = Math.round(rssOf(second) / mebi)
  say('Voted', `a block was final by its vote ${String(figures['votedSeconds'])} s after its start`)
}

/** Its genesis lies so far back that the blocks are of the past, as are those of a chain that has run. */
async function makeNetwork(): Promise<Network> {
  const now = Date.now
  Date.now = () => now() - (blocks + 600) * stepMs
  try {
    return await openNetwork({ validators: 4, observers: 0, basePort, data: path.join(folder, 'network'), fresh: true, demo: false, exit: false, given: new Set() }, say)
  } finally {
    Date.now = now
  }
}

async function validatorSeeds(): Promise<readonly Uint8Array[]> {
  const passphrase = readFileSync(path.join(network.folder, 'passphrase'), 'utf8').trim()
  return Promise.all(network.nodes.map(async ({ folder: of }) => (await openKeystore(path.join(of, 'keystore.json'), passphrase)).seed))
}

/** Tables and parts never change, so the copies share them. */
function copyChain(from: string, to: string): void {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) copyChain(source, target)
    else if (/\.(ldb|part)$/.test(entry.name)) linkSync(source, target)
    else cpSync(source, target)
  }
}

function folderBytes(of: string): number {
  return readdirSync(of, { withFileTypes: true }).reduce((sum, entry) => sum + (entry.isDirectory() ? folderBytes(path.join(of, entry.name)) : statSync(path.join(of, entry.name)).size), 0)
}

function rssOf(node: DevnetNode): number {
  const status = `/proc/${processes.pidOf(node) ?? 0}/status`
  return existsSync(status) ? Number(/VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1] ?? 0) * 1_024 : 0
}

async function answers(node: DevnetNode): Promise<boolean> {
  return (await headOf(node)) >= 0
}

async function isReady({ rpc }: DevnetNode): Promise<boolean> {
  return (await createClient({ url: rpc, timeoutMs: 2_000, rounds: 1 }).call('node_status', {})).ready
}

/** −1 while it does not answer. */
async function headOf(node: DevnetNode): Promise<number> {
  if (!processes.isRunning(node)) throw new Error(`${node.name} has ended`)
  try {
    return (await createClient({ url: node.rpc, timeoutMs: 2_000, rounds: 1 }).call('node_status', {})).head.height
  } catch {
    // starting, or being opened anew
    return -1
  }
}

async function untilHead(node: DevnetNode, height: number): Promise<void> {
  while ((await headOf(node)) < height) await pause(tickMs)
}

function count(flag: string, text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least || (flag === '--blocks' && value % 10_000 !== 0)) {
    console.error(`${flag} takes a number of at least ${least}${flag === '--blocks' ? ', a multiple of 10000' : ''}; "${text}" is none`)
    process.exit(2)
  }
  return value
}
