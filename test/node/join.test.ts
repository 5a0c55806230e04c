// Joining by a snapshot: real nodes on a chain of 200 blocks and 1,000 accounts made beforehand.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import t from 'tap'
import { buildChain } from '../../scripts/transfer/chain.ts'
import type { Log } from '../../node/world.ts'
import { buildTransaction, type Client, createClient, randomSeed, type ReceiptJson, signTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { type Cluster, createCluster } from '../support/cluster.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const blocks = 200
const stepMs = 60_000
const snapshotAt = 160

async function register(client: Client, chain: string): Promise<ReceiptJson> {
  const registrar = walletFromSeed(seedOf('registrar'))
  const wallet = walletFromSeed(randomSeed())
  return submitAndWait(client, await signTransaction(buildTransaction({ chain, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar]), { timeoutMs: 30_000 })
}

const clientOf = (cluster: Cluster, name: string): Client => createClient({ url: cluster.node(name).url })
const headOf = async (cluster: Cluster, name: string): Promise<number> => {
  try {
    return (await clientOf(cluster, name).call('node_status', {})).head.height
  } catch {
    // it is being opened anew
    return -1
  }
}

t.test('a validator with an empty folder joins by a snapshot, past peers whose parts are forged, and its vote counts', async (t) => {
  const lines: { readonly name: string; readonly event: string }[] = []
  const logOf = (name: string): Log => {
    const note = (event: string): void => void lines.push({ name, event })
    return { debug: note, info: note, warn: note, error: note, child: () => logOf(name) }
  }
  const cluster = await createCluster({ genesisMs: Date.now() - (blocks + 60) * stepMs, snapshotBlocks: 32, keepBlocks: 100, log: logOf })
  t.teardown(cluster.stopAll)
  const [first, ...others] = ['validator-0', 'validator-1', 'validator-2'] as const
  mkdirSync(cluster.folder(first))
  const { snapshot } = await buildChain({
    dataDir: cluster.folder(first),
    genesis: cluster.genesis,
    seeds: cluster.genesis.validators.map(({ name }) => seedOf(name)),
    registrarSeed: seedOf('registrar'),
    accounts: 1_000,
    blocks,
    stepMs,
    snapshotAt,
    onProgress: () => {},
  })
  for (const name of others) cpSync(cluster.folder(first), cluster.folder(name), { recursive: true })
  // two of the three lie in their parts
  for (const name of [first, 'validator-1']) {
    const folder = join(cluster.folder(name), 'snapshots', readdirSync(join(cluster.folder(name), 'snapshots'))[0] as string)
    forge(join(folder, '000000.part'))
  }

  await Promise.all([first, ...others].map(cluster.start))
  t.match((await clientOf(cluster, first).call('state_snapshotInfo', {})).snapshots, [{ height: snapshotAt, parts: snapshot.parts, bytes: snapshot.bytes }])
  await cluster.start('validator-3')
  await until(async () => (await headOf(cluster, 'validator-3')) >= blocks, 60_000)
  t.ok(lines.some(({ name, event }) => name === 'validator-3' && event === 'snapshot-adopted'))
  t.notOk(existsSync(join(cluster.folder('validator-3'), 'store-joining')))
  const client = clientOf(cluster, 'validator-3')
  const { oldestHeight } = await client.call('state_snapshotInfo', {})
  t.ok(oldestHeight > snapshotAt - 40 && oldestHeight < snapshotAt, `blocks from ${oldestHeight} on, as far as an id can run again`)
  await t.rejects(client.call('chain_getBlock', { height: 1 }), { code: 'chain/pruned' })
  for (const height of [oldestHeight, snapshotAt, blocks]) t.same(await client.call('chain_getBlock', { height, transactions: 'full' }), await clientOf(cluster, first).call('chain_getBlock', { height, transactions: 'full' }))

  await until(async () => (await client.call('node_status', {})).ready, 30_000)
  await cluster.stop('validator-0')
  t.equal((await register(clientOf(cluster, 'validator-1'), cluster.node('validator-1').chainId)).status, 'ok', 'three with the new one make a quorum')
  await until(async () => (await headOf(cluster, 'validator-3')) > blocks, 30_000)
  const head = await headOf(cluster, 'validator-1')
  t.equal((await clientOf(cluster, 'validator-1').call('state_snapshotInfo', {})).oldestHeight, 1 + 3 * (head - blocks), 'with each block three leave, where not all are kept')
  await t.rejects(clientOf(cluster, 'validator-1').call('chain_getBlock', { height: 1 }), { code: 'chain/pruned' })
  await cluster.stop('validator-3')
  await cluster.start('validator-3')
  t.ok((await headOf(cluster, 'validator-3')) > blocks, 'it starts on what it joined with')

  // a node that follows by blocks from one that began from a snapshot is refused politely and asks others
  await cluster.start('validator-0')
  await until(async () => (await headOf(cluster, 'validator-0')) > blocks, 30_000)
})

/** Another value in the part, under a checksum that fits. */
function forge(path: string): void {
  const sealed = readFileSync(path)
  const body = sealed.subarray(0, -4)
  body[body.length - 1] = (body[body.length - 1] as number) ^ 1
  sealed.writeUInt32BE(crc32(body), sealed.length - 4)
  writeFileSync(path, sealed)
}
