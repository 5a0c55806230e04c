// Validators change while the chain runs: real nodes in one process, under load, by decisions of governance.
import t, { type Test } from 'tap'
import type { RunningNode } from '../../node/node.ts'
import { buildTransaction, type Client, createClient, randomSeed, signTransaction, submitAndWait, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { Action, ValidatorChange } from '../../state/governance/types.ts'
import { createCluster, type Cluster, type ClusterOptions } from '../support/cluster.ts'
import { publicKeyOf, seedOf, smallPreset } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const registrar = walletFromSeed(seedOf('registrar'))
const governors = ['governor-busan', 'governor-bnk'].map((office) => walletFromSeed(seedOf(office)))
/** A change takes effect 9 blocks above its decision. */
const preset = { ...smallPreset, consensus: { ...smallPreset.consensus, window: 8, checkpointInterval: 4 } }
const delay = preset.consensus.window + 1

const clientOf = (node: RunningNode): Client => createClient({ url: node.url })

async function started(t: Test, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster({ preset, ...options })
  t.teardown(() => cluster.stopAll())
  await Promise.all(cluster.names.map(cluster.start))
  await until(async () => (await Promise.all(cluster.names.map(async (name) => clientOf(cluster.node(name)).call('node_status', {})))).every(({ ready }) => ready), 30_000)
  return cluster
}

async function send(client: Client, chain: string, sender: Wallet, kind: 'governance.propose' | 'governance.vote', payload: never): Promise<number> {
  const receipt = await submitAndWait(client, await signTransaction(buildTransaction({ chain, kind, sender, payload }), [sender]), { timeoutMs: 30_000 })
  if (receipt.status !== 'ok') throw new Error(`${kind}: ${receipt.code}`)
  const opened = receipt.events.find(({ type }) => type === 'governance.proposed') as { readonly proposal?: number } | undefined
  return opened?.proposal ?? receipt.height
}

/** The height of the block that decided. */
async function decide(node: RunningNode, action: Action): Promise<number> {
  const client = clientOf(node)
  const { timeMs } = await client.call('chain_head', {})
  const proposal = await send(client, node.chainId, governors[0]!, 'governance.propose', { action, expiresMs: timeMs + 600_000 } as never)
  let height = 0
  for (const governor of governors) height = await send(client, node.chainId, governor, 'governance.vote', { proposal, vote: 'yes' } as never)
  return height
}

const change = (...changes: readonly ValidatorChange[]): Action => ({ type: 'changeValidators', changes })

async function register(node: RunningNode): Promise<void> {
  const wallet = walletFromSeed(randomSeed())
  const unsigned = buildTransaction({ chain: node.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
  const receipt = await submitAndWait(clientOf(node), await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 60_000 })
  if (receipt.status !== 'ok') throw new Error(`registration: ${receipt.code}`)
}

/** One registration after the other, each awaited, until it is stopped: blocks go by. */
function load(node: RunningNode): { readonly stop: () => Promise<void> } {
  let more = true
  const running = (async () => {
    while (more) await register(node)
  })()
  return {
    stop: async () => {
      more = false
      await running
    },
  }
}

const headOf = async (cluster: Cluster, name: string): Promise<number> => (await clientOf(cluster.node(name)).call('chain_head', {})).height
const reaches = (cluster: Cluster, names: readonly string[], height: number): Promise<void> => until(async () => (await Promise.all(names.map((name) => headOf(cluster, name)))).every((head) => head >= height), 60_000)
const setOf = async (cluster: Cluster, name: string, height?: number): Promise<readonly string[]> =>
  (await clientOf(cluster.node(name)).call('chain_getValidators', height === undefined ? {} : { height })).set.validators.map((one) => one.name)

t.test('an observer added under load votes without a restart; removed again it follows, and says so, across a restart', async (t) => {
  const cluster = await started(t, { observers: 1 })
  const main = cluster.node('validator-2')
  const work = load(main)
  const { observers } = cluster.genesis
  const added = await decide(main, change({ type: 'add', name: 'validator-4', organisation: 'busan', publicKey: publicKeyOf('observer-0'), addresses: observers[0]!.addresses }))
  // one restarts between the decision and the activation, one after it
  await cluster.stop('validator-3')
  await cluster.start('validator-3')
  await reaches(cluster, ['observer-0', 'validator-3'], added + delay)
  t.same(await setOf(cluster, 'observer-0', added + delay - 1), ['validator-0', 'validator-1', 'validator-2', 'validator-3'])
  t.same((await setOf(cluster, 'observer-0', added + delay)).length, 5)
  await until(async () => {
    const { role, name, problems } = await clientOf(cluster.node('observer-0')).call('node_status', {})
    return role === 'validator' && name === 'validator-4' && problems.every((one) => !/no record|validator from block/.test(one))
  }, 30_000)
  // four of the five are needed: without its vote there are three
  await cluster.stop('validator-1')
  await register(main)
  t.pass('it votes')
  await cluster.start('validator-1')
  await reaches(cluster, ['validator-1'], await headOf(cluster, 'validator-2'))

  const removed = await decide(main, change({ type: 'remove', name: 'validator-4' }))
  await reaches(cluster, cluster.names, removed + delay)
  const former = async (): Promise<boolean> => {
    const { role, problems } = await clientOf(cluster.node('observer-0')).call('node_status', {})
    return role === 'observer' && problems.some((one) => /was that of validator-4 and is in no validator set since block/.test(one))
  }
  await until(former)
  await cluster.stop('observer-0')
  await cluster.start('observer-0')
  await until(former)
  await reaches(cluster, ['observer-0'], (await headOf(cluster, 'validator-2')) + 2)
  t.pass('it follows')
  await cluster.stop('validator-1')
  await register(main)
  t.pass('three of four are enough again')
  await work.stop()
})
