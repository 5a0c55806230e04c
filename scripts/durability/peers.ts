// A damaged node among three undamaged ones, all real: whether it is refused, stops by itself, or comes back with the same chain and votes.
import { cpSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadConfig } from '../../node/config.ts'
import { silentLog } from '../../node/log.ts'
import { type RunningNode, startNode } from '../../node/node.ts'
import { type Client, createClient, DongbaekError, submitAndWait } from '../../rpc/client/index.ts'
import { type Material, registration, startAll, untilReady } from './material.ts'
import { refusal, type Verdict } from './verdict.ts'

const backMs = 25_000

export async function startPeers({ network, victim, generations }: Material): Promise<readonly RunningNode[]> {
  const others = network.nodes.filter(({ name }) => name !== victim.name)
  for (const { folder } of others) {
    rmSync(folder, { recursive: true, force: true })
    cpSync(path.join(generations.at(-1) as string, path.relative(network.folder, folder)), folder, { recursive: true })
  }
  const nodes = await startAll(others)
  await untilReady(nodes, others.length - 1)
  return nodes
}

export async function judgeAmongPeers(material: Material, peers: readonly RunningNode[]): Promise<Verdict> {
  const { network, victim } = material
  let node: RunningNode
  try {
    node = await startNode(loadConfig({ file: victim.config }), silentLog)
  } catch (error) {
    return refusal('refused at start', error, network.folder)
  }
  let failure: unknown
  void node.failed.then((error) => (failure = error))
  try {
    const own = createClient({ url: node.url, rounds: 1 })
    const others = peers.map(({ url }) => createClient({ url }))
    const first = others[0] as Client
    const before = (await own.call('chain_head', {})).height
    const away = await back(own, first, () => failure !== undefined)
    if (failure !== undefined) return refusal('refused on read', failure, network.folder)
    if (away !== undefined) return { outcome: 'SERVED SILENTLY', why: `not back within ${backMs / 1_000} s: ${away}` }
    const different = await compare(own, first, network.chainId)
    if (different instanceof Error) return refusal('refused on read', different, network.folder)
    if (different !== undefined) return { outcome: 'SERVED SILENTLY', why: different }
    await submitAndWait(own, await registration(network), { timeoutMs: 15_000 })
    for (const client of [own, ...others]) {
      const { items } = await client.call('chain_getEvidence', {})
      if (items.length > 0) return { outcome: 'SERVED SILENTLY', why: `evidence of contradictory votes: ${JSON.stringify(items[0]).slice(0, 300)}` }
    }
    const height = (await first.call('chain_head', {})).height
    return { outcome: 'repaired', why: `back from block ${before} to ${height}, answers as its peers do, a transaction through it is final` }
  } catch (error) {
    return refusal('refused on read', failure ?? error, network.folder)
  } finally {
    await node.stop()
  }
}

/** Undefined once it is ready and as far as its peer. */
async function back(own: Client, other: Client, hasFailed: () => boolean): Promise<string | undefined> {
  const until = performance.now() + backMs
  for (;;) {
    if (hasFailed()) return undefined
    const [{ ready, problems, head, checkpoint }, there] = await Promise.all([own.call('node_status', {}), other.call('node_status', {})])
    if (ready && problems.length === 0 && head.height >= there.head.height && checkpoint?.height === head.height) return undefined
    if (performance.now() > until) return `block ${head.height} of ${there.head.height}; ${problems.join('; ')}`
    await pause(100)
  }
}

/** Every block with its transactions, receipts and outcome; the certificates may be those of another quorum. */
async function compare(own: Client, other: Client, chainId: string): Promise<string | Error | undefined> {
  const { height } = await own.call('chain_head', {})
  for (let at = 1; at <= height; at++) {
    try {
      const [mine, theirs] = await Promise.all([own, other].map(async (client) => {
        const { certificate, ...block } = await client.call('chain_getBlock', { height: at, transactions: 'full' })
        for (const id of block.ids) await client.call('tx_get', { id })
        return JSON.stringify({ ...block, certified: certificate.blockHash })
      }))
      if (mine !== theirs) return `block ${at} of ${chainId} is another one`
    } catch (error) {
      if (error instanceof DongbaekError && error.code.endsWith('/not-found')) return `block ${at} or a receipt of it is not found, at head ${height}`
      return error as Error
    }
  }
  return undefined
}
