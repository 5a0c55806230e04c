// Real nodes in this process: real libp2p over loopback, real stores and vote logs in a temporary folder, on free ports. For tests of what nodes do together
// without the cost of processes; what only a process can show (kill −9) is in test/devnet/.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { type Genesis, writeGenesis } from '../../genesis/genesis.ts'
import type { Preset } from '../../genesis/presets/preset.ts'
import type { Config } from '../../node/config.ts'
import { createKeystore } from '../../node/keystore.ts'
import { silentLog } from '../../node/log.ts'
import { type RunningNode, startNode } from '../../node/node.ts'
import type { Log } from '../../node/world.ts'
import { freePorts } from '../../scripts/devnet/ports.ts'
import { publicKeyOf, seedOf, smallPreset } from './genesis.ts'

export interface Cluster {
  readonly genesis: Genesis
  readonly names: readonly string[]
  readonly start: (name: string) => Promise<RunningNode>
  /** The running node of this name. */
  readonly node: (name: string) => RunningNode
  /** One that is still starting is waited for and stopped. */
  readonly stop: (name: string) => Promise<void>
  /** Throws away what a stopped node has on disk. */
  readonly empty: (name: string) => void
  readonly folder: (name: string) => string
  /** Another node, which the genesis does not know: its own key (that of `label`), folder and port, under a name of its operator's choice. Gives its key and address. */
  readonly add: (label: string, as: { readonly name: string; readonly role: Config['role'] }) => Promise<{ readonly publicKey: Uint8Array; readonly addresses: readonly string[] }>
  readonly stopAll: () => Promise<void>
}

export interface ClusterOptions {
  readonly validators?: number
  readonly observers?: number
  readonly preset?: Preset
  readonly genesisMs?: number
  readonly snapshotBlocks?: number
  readonly keepBlocks?: number
  readonly staleMs?: number
  readonly log?: (name: string) => Log
}

// random as the nodes take it, whose key files then cost little to open
const passphrase = randomBytes(24).toString('base64url')

export async function createCluster({ validators = 4, observers = 0, preset = smallPreset, genesisMs = Date.now() - 1_000, snapshotBlocks = 10_000, keepBlocks = 0, staleMs = 10_000, log = () => silentLog }: ClusterOptions = {}): Promise<Cluster> {
  const root = mkdtempSync(join(tmpdir(), 'dongbaek-cluster-'))
  const validatorNames = Array.from({ length: validators }, (_, i) => `validator-${i}`)
  const names = [...validatorNames, ...Array.from({ length: observers }, (_, i) => `observer-${i}`)]
  const ports = await freePorts(names.length)
  const portOf = (name: string): number => ports[names.indexOf(name)] as number
  const card = (name: string): { name: string; publicKey: Uint8Array; addresses: string[] } => ({ name, publicKey: publicKeyOf(name), addresses: [`127.0.0.1:${portOf(name)}`] })
  const genesis = buildGenesis(preset, {
    name: 'test',
    timeMs: genesisMs,
    nodes: [
      ...validatorNames.map((name, i) => ({ ...card(name), organisation: i % 2 === 0 ? 'busan' : 'bnk' })),
      ...names.slice(validators).map(card),
    ],
    offices: preset.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) })),
  })
  writeFileSync(join(root, 'genesis.json'), writeGenesis(genesis))
  writeFileSync(join(root, 'passphrase'), `${passphrase}\n`, { mode: 0o600 })
  for (const name of names) await createKeystore(join(root, `${name}.key.json`), { label: name, passphrase, passphraseIsRandom: true, seed: seedOf(name) })

  const running = new Map<string, RunningNode>()
  const starting = new Map<string, Promise<RunningNode>>()
  const added = new Map<string, { readonly name: string; readonly role: Config['role']; readonly port: number }>()
  const configOf = (name: string): Config => ({
    name: added.get(name)?.name ?? name,
    role: added.get(name)?.role ?? (validatorNames.includes(name) ? 'validator' : 'observer'),
    dataDir: join(root, name),
    genesis: join(root, 'genesis.json'),
    keystore: join(root, `${name}.key.json`),
    passphraseFile: join(root, 'passphrase'),
    p2p: { host: '127.0.0.1', port: added.get(name)?.port ?? portOf(name), addresses: {}, observers: [] },
    rpc: { host: '127.0.0.1', port: 0, origins: [], proxies: 0, staleMs, keys: [] },
    admin: { host: '127.0.0.1', port: undefined },
    log: { level: 'info' },
    limits: { verifyWorkers: 0, stateCacheMiB: 64, rpcRequestsPerSecond: 100_000, senderTransactionsPerSecond: 100_000, snapshotBlocks, keepBlocks },
  })
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
    start: async (name) => {
      const started = startNode(configOf(name), log(name)).then((node) => {
        running.set(name, node)
        return node
      })
      starting.set(name, started)
      return started.finally(() => starting.delete(name))
    },
    node: (name) => running.get(name) as RunningNode,
    stop,
    empty: (name) => rmSync(join(root, name), { recursive: true, force: true }),
    folder: (name) => join(root, name),
    add: async (label, as) => {
      await createKeystore(join(root, `${label}.key.json`), { label, passphrase, passphraseIsRandom: true, seed: seedOf(label) })
      const [port = 0] = await freePorts(1)
      added.set(label, { ...as, port })
      return { publicKey: publicKeyOf(label), addresses: [`127.0.0.1:${port}`] }
    },
    stopAll: async () => {
      await Promise.all([...names, ...added.keys()].map(stop))
      rmSync(root, { recursive: true, force: true })
    },
  }
}
