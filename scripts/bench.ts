// npm run bench: throughput and latency of a real network of processes. See --help and docs/performance.md.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { keyPairFromSeed, sign, verify } from '../primitives/ed25519.ts'
import { createClient, type SignedTransaction } from '../rpc/client/index.ts'
import { buildCity } from './bench/city.ts'
import { openLoad } from './bench/load.ts'
import { makerOf, mixNames, type MixName } from './bench/mix.ts'
import { latencySummary } from './bench/statistics.ts'
import { openNetwork } from './devnet/network.ts'
import { createProcesses } from './devnet/processes.ts'
import { waitUntilReady } from './devnet/ready.ts'

const help = `npm run bench -- [flags]

  --validators N   validator processes, 1 to 32 (default 4)
  --seconds S      measured seconds, after a warm-up of 3 (default 15)
  --mix NAME       ${mixNames.join(' | ')} (default pilot)
  --rate R         transactions a second, whatever comes back (open loop)
  --outstanding N  without --rate: as many as come back, with N under way (default 2000)
  --base-port P    first port of the network (default 36600)
  --json FILE      the result as JSON
  --profile DIR    CPU profiles of the validators; scripts/bench/profile.ts DIR sums them up`

const warmUpMs = 3_000
const drainMs = 20_000
/** Signed before the clock runs: what the fastest run could use. */
const preparedPerSecondMax = 6_000

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    validators: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '15' },
    mix: { type: 'string', default: 'pilot' },
    rate: { type: 'string' },
    outstanding: { type: 'string', default: '2000' },
    'base-port': { type: 'string', default: '36600' },
    json: { type: 'string' },
    profile: { type: 'string' },
  },
})
if (values.help === true) console.log(help)
else if (!(mixNames as readonly string[]).includes(values.mix)) {
  console.error(`There is no mix ${values.mix}.\n\n${help}`)
  process.exitCode = 2
} else process.exitCode = await bench(Number(values.validators), Number(values.seconds), values.mix as MixName)

async function bench(validators: number, seconds: number, mix: MixName): Promise<number> {
  const data = path.join(mkdtempSync(path.join(tmpdir(), 'dongbaek-bench-')), 'network')
  process.env['DONGBAEK_LIMITS_RPC_REQUESTS_PER_SECOND'] = '1000000'
  process.env['DONGBAEK_LOG_LEVEL'] = 'warn'
  if (values.profile !== undefined) process.env['NODE_OPTIONS'] = `--cpu-prof --cpu-prof-dir=${path.resolve(values.profile)}`
  const processes = createProcesses((node, how, lines) => console.error(`${node.name} ${how}\n${lines.join('\n')}`))
  process.on('exit', processes.endAll)
  try {
    const network = await openNetwork({ validators, observers: 0, data, basePort: Number(values['base-port']), fresh: false, demo: false, exit: true, given: new Set() }, () => {})
    for (const node of network.nodes) processes.start(node)
    const unready = await waitUntilReady(network.nodes, processes, () => false)
    if (unready.length > 0) throw new Error(unready.map(({ node, why }) => `${node.name}: ${why}`).join('; '))
    const urls = network.nodes.map(({ rpc }) => rpc)
    const client = createClient({ url: urls[0] as string })
    console.log(`${validators} validators are ready; preparing the city`)
    const city = await buildCity(network, client)

    const rate = values.rate === undefined ? undefined : Number(values.rate)
    const make = makerOf(mix, city)
    const prepared: SignedTransaction[] = []
    for (let left = (rate ?? preparedPerSecondMax) * (seconds + warmUpMs / 1_000) + 1; left > 0; left--) prepared.push(await make())
    console.log(`${prepared.length} transactions are signed; warming up`)
    let used = 0
    const next = (): SignedTransaction | undefined => prepared[used++]

    const load = await openLoad(urls)
    const pace = rate === undefined ? { outstanding: Number(values.outstanding) } : { perSecond: rate }
    const startMs = performance.now() + warmUpMs
    const endMs = startMs + seconds * 1_000
    const running = load.run(next, pace, endMs)
    await pause(warmUpMs)
    const before = await reading(network.nodes, processes.pidOf, client, data)
    const ownBefore = process.cpuUsage()
    await running
    const own = process.cpuUsage(ownBefore)
    const after = await reading(network.nodes, processes.pidOf, client, data)
    const drainedBy = performance.now() + drainMs
    while (load.outstanding() > 0 && performance.now() < drainedBy) await pause(50)
    load.close()

    const measured = [...load.sent.values()].filter(({ sentMs }) => sentMs >= startMs && sentMs < endMs)
    const finished = [...load.sent.values()].filter(({ doneMs, ok }) => ok && doneMs !== undefined && doneMs >= startMs && doneMs < endMs)
    const committed = measured.filter(({ ok }) => ok)
    const lost = measured.filter(({ doneMs }) => doneMs === undefined).length
    const rejected = [...load.rejected().values()].reduce((sum, count) => sum + count, 0)
    const audit = await client.call('points_audit', { program: city.program })
    const verifySeconds = measureVerification()
    const floor = availableParallelism() / (validators * verifySeconds)
    const txPerSecond = finished.length / seconds
    const blocks = after.height - before.height
    const transactions = Math.max(1, finished.length)
    const result = {
      validators,
      seconds,
      mix,
      submitted: measured.length,
      committed: committed.length,
      rejected,
      txPerSecond: round(txPerSecond),
      latencyMs: latencySummary(committed.map(({ sentMs, doneMs }) => (doneMs as number) - sentMs)),
      cpuSecondsPerTx: round((after.cpuSeconds - before.cpuSeconds) / transactions, 6),
      verifyFloorTxPerSecond: round(floor),
      ratioToFloor: round(txPerSecond / floor, 3),
      blocks,
      txPerBlock: round(transactions / Math.max(1, blocks)),
      rssMiB: { validatorMax: round(after.rssMiB) },
      bytesPerTx: { disk: round((after.diskBytes - before.diskBytes) / transactions / validators), network: round((after.networkBytes - before.networkBytes) / transactions) },
      versions: { node: process.version, dongbaek: (await client.call('node_status', {})).version },
      generatorCpuShare: round((own.user + own.system) / 1e6 / seconds, 2),
      auditHolds: audit.holds,
    }
    console.log(JSON.stringify(result, undefined, 2))
    if (load.rejected().size > 0) console.log('rejected:', Object.fromEntries(load.rejected()))
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
    const refused = measured.length - committed.length - lost
    if (lost > rejected || !audit.holds || refused > 0) console.error(`WRONG: ${lost} without a receipt (${rejected} rejected), ${refused} refused by a rule, audit ${audit.holds ? 'holds' : 'does not hold'}`)
    return lost > rejected || !audit.holds || refused > 0 ? 1 : 0
  } finally {
    await processes.stopAll()
    rmSync(path.dirname(data), { recursive: true, force: true })
  }
}

interface Reading {
  readonly height: number
  readonly cpuSeconds: number
  readonly rssMiB: number
  readonly diskBytes: number
  readonly networkBytes: number
}

async function reading(nodes: readonly { readonly name: string; readonly rpc: string; readonly folder: string }[], pidOf: (node: never) => number | undefined, client: ReturnType<typeof createClient>, data: string): Promise<Reading> {
  const clockTicks = 100
  const pids = nodes.map((node) => pidOf(node as never) as number)
  const statOf = (pid: number): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const peers = await Promise.all(nodes.map(({ rpc }) => createClient({ url: rpc }).call('node_peers', {})))
  return {
    height: (await client.call('node_status', {})).head.height,
    cpuSeconds: pids.reduce((sum, pid) => sum + (Number(statOf(pid)[11]) + Number(statOf(pid)[12])) / clockTicks, 0),
    rssMiB: Math.max(...pids.map((pid) => (Number(statOf(pid)[21]) * 4_096) / 1_048_576)),
    diskBytes: folderBytes(path.join(data, 'nodes')),
    networkBytes: peers.flatMap(({ items }) => items).reduce((sum, { bytesOut }) => sum + bytesOut, 0),
  }
}

function folderBytes(folder: string): number {
  let sum = 0
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    // a file may go while we look: LevelDB compacts
    if (entry.isFile()) sum += statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return sum
}

/** Seconds of one verification here and now, of a message of 200 bytes. */
function measureVerification(): number {
  const pair = keyPairFromSeed(new Uint8Array(32).fill(1))
  const message = new Uint8Array(200)
  const signature = sign(message, pair)
  const rounds = 5_000
  for (let i = 0; i < 500; i++) verify(signature, message, pair.publicKey)
  const startMs = performance.now()
  for (let i = 0; i < rounds; i++) verify(signature, message, pair.publicKey)
  return (performance.now() - startMs) / 1_000 / rounds
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits))
}
