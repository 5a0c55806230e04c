// Whole nodes in this process without libp2p, keystores or LevelDB: real vote logs on the disk, a store in memory that can lose what was not synced, and a
// transport in memory. A power cut takes both from under a node at once.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildGenesis } from '../../genesis/ceremony.ts'
import type { Preset } from '../../genesis/presets/preset.ts'
import { chainIdOf, type Genesis } from '../../genesis/genesis.ts'
import { systemClock } from '../../node/clock.ts'
import type { Config } from '../../node/config.ts'
import { silentLog } from '../../node/log.ts'
import { openChain } from '../../node/open-chain.ts'
import { type RunningNode, runWithRpc } from '../../node/run.ts'
import { markUnused } from '../../node/unused-key.ts'
import { createVerifier } from '../../node/verifier.ts'
import { votingEntry } from '../../node/vote-entries.ts'
import { openVoteLog } from '../../node/votelog.ts'
import type { Clock, Log, OpenedVoteLog, Transport, VoteLog } from '../../node/world.ts'
import { publicKeyOf, seedOf, signerOf, smallPreset } from './genesis.ts'
import { createMemoryStore, type MemoryStore } from './memory-store.ts'
import { createMemoryNetwork, createMemoryTransport } from './memory-transport.ts'

export interface Assembled {
  readonly genesis: Genesis
  readonly names: readonly string[]
  readonly start: (name: string) => Promise<RunningNode>
  readonly node: (name: string) => RunningNode
  readonly stop: (name: string) => Promise<void>
  /** All lose their power at this moment: of the stores what was not synced is gone; of the vote logs nothing that was acknowledged. */
  readonly powerCut: () => Promise<void>
  /** What the next start finds of the store; none: an empty one. */
  readonly store: (name: string) => MemoryStore | undefined
  readonly loseStore: (name: string) => void
  readonly loseVotes: (name: string) => void
  /** A copy of the data of a node that is not running; and back, the votes alone or the whole. */
  readonly backUp: (name: string) => void
  readonly putBack: (name: string, what: 'votes' | 'all') => void
  /** Says of a node that has not started yet that its key was never used, as `dongbaek init` does. */
  readonly markUnused: (name: string) => void
  /** What somebody with the key of a node that is not running talks with. */
  readonly transportOf: (name: string) => Transport
  /** Opens the vote log of a node that is not running. */
  readonly openVotes: (name: string) => OpenedVoteLog
  readonly stopAll: () => Promise<void>
}

export interface AssembledOptions {
  readonly log?: (name: string) => Log
  /** Stands between a node and its vote log. */
  readonly votes?: (name: string, log: VoteLog) => VoteLog
  /** Of all nodes, as they start. */
  readonly rpc?: () => Partial<Config['rpc']>
  readonly rpcRequestsPerSecond?: number
  readonly senderTransactionsPerSecond?: number
  readonly preset?: Preset
  /** Of all nodes. */
  readonly clock?: Clock
}

export function createAssembled({ log = () => silentLog, votes = (_, one) => one, rpc = () => ({}), rpcRequestsPerSecond = 100_000, senderTransactionsPerSecond = 100_000, preset = smallPreset, clock = systemClock }: AssembledOptions = {}): Assembled {
  const root = mkdtempSync(join(tmpdir(), 'dongbaek-assembled-'))
  const names = ['validator-0', 'validator-1', 'validator-2', 'validator-3']
  const genesis = buildGenesis(preset, {
    name: 'test',
    timeMs: Date.now() - 1_000,
    nodes: names.map((name, i) => ({ name, publicKey: publicKeyOf(name), addresses: [`127.0.0.1:${20_000 + i}`], organisation: i % 2 === 0 ? 'busan' : 'bnk' })),
    offices: preset.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) })),
  })
  const chainId = chainIdOf(genesis)
  const network = createMemoryNetwork()
  const running = new Map<string, RunningNode>()
  const starting = new Map<string, Promise<RunningNode>>()
  const stores = new Map<string, MemoryStore>()
  const backups = new Map<string, MemoryStore>()
  const folder = (name: string): string => join(root, name, 'votes')
  const configOf = (name: string): Config => ({
    name,
    role: 'validator',
    dataDir: join(root, name),
    genesis: '',
    keystore: '',
    passphraseFile: '',
    p2p: { host: '127.0.0.1', port: 0, addresses: {}, observers: [] },
    rpc: { host: '127.0.0.1', port: 0, origins: [], proxies: 0, staleMs: 10_000, keys: [], ...rpc() },
    admin: { host: '127.0.0.1', port: undefined },
    log: { level: 'info' },
    limits: { verifyWorkers: 0, stateCacheMiB: 64, rpcRequestsPerSecond, senderTransactionsPerSecond, snapshotBlocks: 10_000, keepBlocks: 0 },
  })
  const begin = async (name: string): Promise<RunningNode> => {
    const database = stores.get(name) ?? createMemoryStore()
    stores.set(name, database)
    const own = log(name)
    const chain = await openChain(database, genesis, 64, own)
    const opened = openVoteLog({ folder: folder(name), chainId, publicKey: publicKeyOf(name), log: own, firstRecords: [votingEntry(undefined)] })
    const verifier = createVerifier({ log: own, workers: 0 })
    const transport = createMemoryTransport(network, { chainId, seed: seedOf(name), clock, log: own })
    const node = await runWithRpc({
      config: configOf(name),
      log: own,
      clock,
      genesis,
      chainId,
      signer: signerOf(name),
      database,
      chain,
      votes: votes(name, opened.log),
      entries: opened.records,
      verifier,
      transport,
      closeAll: async () => {
        await transport.stop()
        await verifier.stop()
        await opened.log.close()
      },
    })
    running.set(name, node)
    return node
  }
  const start = async (name: string): Promise<RunningNode> => {
    const started = begin(name)
    starting.set(name, started)
    return started.finally(() => starting.delete(name))
  }
  const stop = async (name: string): Promise<void> => {
    // one that starts beside another whose start has failed would keep this process alive; why a start failed is told to whoever started it
    await starting.get(name)?.catch(() => {})
    const node = running.get(name)
    running.delete(name)
    await node?.stop()
  }
  return {
    genesis,
    names,
    start,
    node: (name) => running.get(name) as RunningNode,
    stop,
    powerCut: async () => {
      // first what is left of all of them, at one moment; how they end does not matter then
      for (const name of names) stores.set(name, (stores.get(name) as MemoryStore).crash())
      await Promise.all(names.map(stop))
    },
    store: (name) => stores.get(name),
    loseStore: (name) => void stores.delete(name),
    loseVotes: (name) => rmSync(folder(name), { recursive: true, force: true }),
    backUp: (name) => {
      cpSync(folder(name), `${folder(name)}.copy`, { recursive: true })
      backups.set(name, (stores.get(name) as MemoryStore).crash())
    },
    putBack: (name, what) => {
      rmSync(folder(name), { recursive: true })
      cpSync(`${folder(name)}.copy`, folder(name), { recursive: true })
      if (what === 'all') stores.set(name, (backups.get(name) as MemoryStore).crash())
    },
    markUnused: (name) => markUnused(folder(name), publicKeyOf(name)),
    transportOf: (name) => createMemoryTransport(network, { chainId, seed: seedOf(name), clock, log: silentLog }),
    openVotes: (name) => openVoteLog({ folder: folder(name), chainId, publicKey: publicKeyOf(name), log: silentLog }),
    stopAll: async () => {
      await Promise.all(names.map(stop))
      rmSync(root, { recursive: true, force: true })
    },
  }
}
