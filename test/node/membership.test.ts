// Validators change while the chain runs: real nodes in one process, under load, by decisions of governance.
import t, { type Test } from 'tap'
import { validatorSetOf } from '../../genesis/genesis.ts'
import type { RunningNode } from '../../node/node.ts'
import { buildTransaction, type Client, createClient, followValidatorSets, randomSeed, signTransaction, submitAndWait, trustFromGenesis, verifyStateProofs, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { Json } from '../../primitives/schema.ts'
import type { Action, ValidatorChange } from '../../state/governance/types.ts'
import { createCluster, type Cluster, type ClusterOptions } from '../support/cluster.ts'
import { publicKeyOf, seedOf, smallPreset } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const registrar = walletFromSeed(seedOf('registrar'))
const governors = ['governor-busan', 'governor-bnk'].map((office) => walletFromSeed(seedOf(office)))
/** A change takes effect 5 blocks above its decision. */
const preset = { ...smallPreset, consensus: { ...smallPreset.consensus, window: 4, checkpointInterval: 2 } }
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

t.test('fabric #4875: a validator’s key is changed under load, and the node with the new key takes over at the activation', async (t) => {
  const cluster = await started(t)
  const main = cluster.node('validator-2')
  const work = load(main)
  const { publicKey, addresses } = await cluster.add('successor', { name: 'validator-1', role: 'observer' })
  const decided = await decide(main, change({ type: 'replaceKey', name: 'validator-1', publicKey, addresses }))
  await cluster.start('successor')
  await reaches(cluster, ['validator-2', 'successor'], decided + delay)
  await until(async () => {
    const { role, name, problems } = await clientOf(cluster.node('successor')).call('node_status', {})
    return role === 'validator' && name === 'validator-1' && problems.every((one) => !/no record|validator from block/.test(one))
  }, 60_000)
  const { role, problems } = await clientOf(cluster.node('validator-1')).call('node_status', {})
  t.equal(role, 'observer', 'the node with the key before follows')
  t.match(problems.join(' '), /was that of validator-1/)
  await cluster.stop('validator-1')
  await cluster.stop('validator-0')
  await register(main)
  t.pass('three of four are needed, and the new key is one of them')
  await work.stop()
  await cluster.stop('successor')
  await cluster.start('validator-0')
  await cluster.start('successor')
  await register(cluster.node('successor'))
  t.pass('across a restart')
})

t.test('a validator that was down across three changes learns the sets from the blocks, and votes', async (t) => {
  const cluster = await started(t, { observers: 1 })
  const main = cluster.node('validator-2')
  const { observers } = cluster.genesis
  await cluster.stop('validator-3')
  const work = load(main)
  const steps: readonly Action[] = [
    change({ type: 'add', name: 'validator-4', organisation: 'bnk', publicKey: publicKeyOf('observer-0'), addresses: observers[0]!.addresses }),
    change({ type: 'setMinimum', organisation: 'busan', minimum: 2 }),
    change({ type: 'remove', name: 'validator-4' }, { type: 'setMinimum', organisation: 'busan', minimum: 1 }),
  ]
  let last = 0
  for (const step of steps) {
    last = (await decide(main, step)) + delay
    await reaches(cluster, ['validator-0', 'validator-1', 'validator-2', 'observer-0'], last)
  }
  await cluster.start('validator-3')
  await reaches(cluster, ['validator-3'], last + 1)
  const all = async (name: string): Promise<unknown> => Promise.all([1, last - 1, last].map(async (height) => clientOf(cluster.node(name)).call('chain_getValidators', { height })))
  t.same(await all('validator-3'), await all('validator-0'))
  await cluster.stop('validator-0')
  await register(main)
  t.pass('it votes')
  await work.stop()

  // the light client: from the genesis through three sets, by what the node says that was not there
  const asked = clientOf(cluster.node('validator-3'))
  const genesisTrust = trustFromGenesis(main.chainId, validatorSetOf(cluster.genesis))
  await until(async () => (await asked.call('chain_getSetChanges', {}).catch(() => ({ items: [] }))).items.length === 3, 30_000)
  const trust = await followValidatorSets(asked, genesisTrust)
  t.same(trust.epochs.map(({ set }) => set.validators.length), [4, 5, 5, 4])
  t.same((await followValidatorSets(asked, trust)).epochs, trust.epochs, 'nothing more')
  const { values } = verifyStateProofs(trust, ['parameters/current'], (await asked.call('state_proof', { keys: ['parameters/current'] })) as unknown as Json)
  t.ok(values.get('parameters/current'))
})

t.test('a node that does not know a rule set says so as soon as it is scheduled, and stops at it with a clear error', async (t) => {
  const cluster = await started(t)
  const main = cluster.node('validator-2')
  const head = await headOf(cluster, 'validator-2')
  const fromHeight = head + delay + 8
  await decide(main, { type: 'activateRules', version: 2, fromHeight: fromHeight as never })
  const { problems } = await clientOf(main).call('node_status', {})
  t.match(problems.join(' '), new RegExp(`rule set 2 from block ${fromHeight} on`))
  t.match(await (await fetch(`${main.url}/metrics`)).text(), new RegExp(`dongbaek_rules_unknown_from_height ${fromHeight}`))
  while ((await headOf(cluster, 'validator-2')) < fromHeight - 1) await register(main)
  const last = register(main).catch(() => undefined)
  const reason = await main.failed
  t.match(reason, { code: 'state/rules-unknown' })
  t.match((reason as Error).message, /install the release/)
  await last
  await t.rejects(cluster.start('validator-2').then((node) => node.failed).then((again) => Promise.reject(again as Error)), { code: 'state/rules-unknown' }, 'and again when it is started again')
})
