// What is damaged: the folder of a network that four real validators have written, in three lives with 31 minutes between them and 31 more within the
// last one, so that most blocks are older than the window in which ids are remembered, in LevelDB's tables and in its log. Two of the four end the last
// life with votes that no quorum answered. The state of the files after each life is kept: that is where older copies come from.
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../node/config.ts'
import { silentLog } from '../../node/log.ts'
import { type RunningNode, startNode } from '../../node/node.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { buildTransaction, type Client, createClient, randomSeed, signTransaction, type SignedTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { type DevnetNode, type Network, openNetwork } from '../devnet/network.ts'

const lives = 3
const betweenLivesMs = 31 * 60_000
const blocksOfLife = 10

export interface Material {
  readonly network: Network
  /** Whose files are damaged. */
  readonly victim: DevnetNode
  /** Whose files take their place when files are swapped. */
  readonly other: DevnetNode
  /** Copies of the network's folder, the newest last. */
  readonly generations: readonly string[]
}

export async function startAll(nodes: readonly DevnetNode[]): Promise<readonly RunningNode[]> {
  const started = await Promise.allSettled(nodes.map(({ config }) => startNode(loadConfig({ file: config }), silentLog)))
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed === undefined) return running
  await Promise.all(running.map((node) => node.stop()))
  throw failed.reason
}

export async function registration(network: Network): Promise<SignedTransaction> {
  const registrar = walletFromSeed(network.seedOf('registrar'))
  const wallet = walletFromSeed(randomSeed())
  return signTransaction(buildTransaction({ chain: network.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
}

export async function untilReady(nodes: readonly RunningNode[], peersMin: number, ms = 90_000): Promise<void> {
  const until = performance.now() + ms
  for (const { url } of nodes) {
    const client = createClient({ url })
    for (;;) {
      const { ready, peers, problems } = await client.call('node_status', {})
      if (ready && peers >= peersMin) break
      if (performance.now() > until) throw new Error(`not ready within ${ms} ms: ${problems.join('; ')}`)
      await pause(50)
    }
  }
}

export async function makeMaterial(folder: string, basePort: number): Promise<void> {
  const now = Date.now
  let behindMs = lives * betweenLivesMs
  // the nodes of this process and their client read the time by this alone
  Date.now = () => now() - behindMs
  try {
    const network = await openNetwork({ validators: 4, observers: 0, data: path.join(folder, 'net'), basePort, fresh: false, demo: false, exit: true, given: new Set() }, () => {})
    for (let life = 1; life <= lives; life++) {
      await live(network, life === lives ? () => (behindMs -= betweenLivesMs) : undefined)
      mkdirSync(generationOf(folder, life))
      cpSync(network.folder, generationOf(folder, life), { recursive: true })
      behindMs -= betweenLivesMs
    }
  } finally {
    Date.now = now
  }
}

/** All have stored the last block, and it is certified. */
async function untilCertified(clients: readonly Client[], ms = 30_000): Promise<void> {
  const until = performance.now() + ms
  for (;;) {
    const all = await Promise.all(clients.map((client) => client.call('node_status', {})))
    if (new Set(all.map(({ head }) => head.height)).size === 1 && all.every(({ head, checkpoint }) => checkpoint?.height === head.height)) return
    if (performance.now() > until) throw new Error(`not certified within ${ms} ms: ${all.map(({ head, checkpoint }) => `${checkpoint?.height ?? 0} of ${head.height}`).join(', ')}`)
    await pause(50)
  }
}

function generationOf(folder: string, life: number): string {
  return path.join(folder, `generation-${life}`)
}

export function generationsOf(folder: string): readonly string[] {
  return Array.from({ length: lives }, (_, i) => generationOf(folder, i + 1)).filter((generation) => existsSync(generation))
}

/** With `jump`, the last one. */
async function live(network: Network, jump: (() => void) | undefined): Promise<void> {
  const nodes = await startAll(network.nodes)
  try {
    await untilReady(nodes, network.nodes.length - 1)
    const clients = nodes.map(({ url }) => createClient({ url }))
    const makeBlocks = async (): Promise<void> => {
      for (let i = 0; i < blocksOfLife; i++) await submitAndWait(clients[i % clients.length] as (typeof clients)[number], await registration(network))
    }
    await makeBlocks()
    jump?.()
    if (jump !== undefined) await makeBlocks()
    await untilCertified(clients)
    if (jump === undefined) return
    await Promise.all(nodes.slice(2).map((node) => node.stop()))
    await clients[0]?.call('tx_submit', { transaction: toBase64url((await registration(network)).bytes) })
    // long enough for a proposal and a change of view, which two of four cannot finish
    await pause(3_500)
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
  }
}
