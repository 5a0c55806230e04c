// A network of processes with observers, for what is measured at these: started, filled with some registered citizens, and ended again whatever happens.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { toBase64url } from '../../primitives/bytes.ts'
import { buildTransaction, type Client, createClient, randomSeed, signTransaction, walletFromSeed } from '../../rpc/client/index.ts'
import { type DevnetNode, type Network, openNetwork } from '../devnet/network.ts'
import { freeBasePort } from '../devnet/ports.ts'
import { createProcesses, type Processes } from '../devnet/processes.ts'
import { waitUntilReady } from '../devnet/ready.ts'
import type { Screen } from '../devnet/screen.ts'

const underWayMax = 50
const waitMs = 30_000

export interface Observed {
  readonly network: Network
  readonly processes: Processes
  readonly validators: readonly DevnetNode[]
  readonly observers: readonly DevnetNode[]
  /** That many citizens register, some at a time; gives their DIDs once all are final. Each is one event. Throws when one is refused. */
  readonly register: (count: number) => Promise<readonly string[]>
}

export interface ObservedOptions {
  readonly validators: number
  readonly observers: number
}

/** Runs `body` with it; the exit code: 0, or 1 when `body` threw, which is printed. */
export async function withObservers(options: ObservedOptions, screen: Screen, body: (observed: Observed) => Promise<void>): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-bench-'))
  const processes = createProcesses((node, how, lines) => screen.alert(`${node.name} ${how}\n${lines.join('\n')}`))
  const clean = (): void => {
    processes.endAll()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.on('exit', clean)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
  try {
    const network = await openNetwork({ ...options, basePort: await freeBasePort(), data: path.join(folder, 'network'), fresh: false, demo: false, exit: true, given: new Set() }, () => {})
    process.env['DONGBAEK_LOG_LEVEL'] = 'warn'
    for (const node of network.nodes) processes.start(node)
    const unready = await waitUntilReady(network.nodes, processes, () => false)
    if (unready.length > 0) throw new Error(unready.map(({ node, why }) => `${node.name}: ${why}`).join('\n'))
    screen.step('Network', `${options.validators} validators and ${options.observers} observers, each a process of its own`)
    const of = (role: DevnetNode['role']): readonly DevnetNode[] => network.nodes.filter((node) => node.role === role)
    const client = createClient({ url: of('validator')[0]?.rpc ?? '' })
    await body({ network, processes, validators: of('validator'), observers: of('observer'), register: async (count) => register(client, network, count) })
    return 0
  } catch (error) {
    screen.alert((error as Error).message)
    return 1
  } finally {
    await processes.stopAll()
    clean()
  }
}

async function register(client: Client, network: Network, count: number): Promise<readonly string[]> {
  const registrar = walletFromSeed(network.seedOf('registrar'))
  const dids: string[] = []
  const one = async (): Promise<void> => {
    const wallet = walletFromSeed(randomSeed())
    const signed = await signTransaction(buildTransaction({ chain: network.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
    await client.call('tx_submit', { transaction: toBase64url(signed.bytes) })
    const { status, code } = await client.call('tx_wait', { id: toBase64url(signed.id), timeoutMs: waitMs })
    if (status !== 'ok') throw new Error(`a registration was refused: ${code}`)
    dids.push(wallet.did)
  }
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one()
  }
  await Promise.all(Array.from({ length: underWayMax }, worker))
  return dids
}

/** Of a process, in MiB. Linux only. */
export function rssMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024
}

/** A whole number between the two. Throws an Error with a sentence for the user. */
export function whole(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new Error(`${flag} takes a whole number from ${min} to ${max}, not ${text}.`)
  return value
}
