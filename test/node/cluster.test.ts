// What nodes do together: real nodes, real transport and disk, in one process. What only processes can show (kill −9) is in test/devnet/.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { validatorSetOf } from '../../genesis/genesis.ts'
import type { RunningNode } from '../../node/node.ts'
import { systemClock } from '../../node/clock.ts'
import { createLibp2pTransport } from '../../node/libp2p.ts'
import { silentLog } from '../../node/log.ts'
import { buildTransaction, type Client, createClient, fromBase64url, randomSeed, type ReceiptJson, signTransaction, submitAndWait, toBase64url, trustFromGenesis, verifyTransactionProof, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import type { TransactionId } from '../../primitives/brand.ts'
import { createCluster, type Cluster, type ClusterOptions } from '../support/cluster.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const registrar = walletFromSeed(seedOf('registrar'))

function clientOf(node: RunningNode): Client {
  return createClient({ url: node.url })
}

async function signedRegistration(chain: string, wallet: Wallet, validUntilMs?: number): Promise<Awaited<ReturnType<typeof signTransaction>>> {
  const unsigned = buildTransaction({ chain, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] }, ...(validUntilMs === undefined ? {} : { validUntilMs }) })
  return signTransaction(unsigned, [wallet, registrar])
}

async function register(client: Client, chain: string, timeoutMs = 30_000): Promise<ReceiptJson> {
  return submitAndWait(client, await signedRegistration(chain, walletFromSeed(randomSeed())), { timeoutMs })
}

async function headOf(client: Client): Promise<number> {
  return (await client.call('node_status', {})).head.height
}

async function startedCluster(t: Test, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await createCluster(options)
  t.teardown(() => cluster.stopAll())
  await Promise.all(cluster.names.map(cluster.start))
  await until(async () => (await Promise.all(cluster.names.map((name) => clientOf(cluster.node(name)).call('node_status', {})))).every(({ ready }) => ready), 20_000)
  return cluster
}

async function allAt(cluster: Cluster, names: readonly string[], height: number, ms = 20_000): Promise<void> {
  await until(async () => (await Promise.all(names.map((name) => headOf(clientOf(cluster.node(name)))))).every((head) => head >= height), ms)
}

t.test('blocks are made, followed and certified, and an idle network makes none', async (t) => {
  const cluster = await startedCluster(t, { observers: 1 })
  const observer = clientOf(cluster.node('observer-0'))
  const { chainId } = cluster.node('observer-0')
  for (let i = 0; i < 5; i++) t.equal((await register(observer, chainId)).status, 'ok')
  const clients = cluster.names.map((name) => clientOf(cluster.node(name)))
  await until(async () => (await Promise.all(clients.map((client) => client.call('node_status', {})))).every(({ head, checkpoint }) => head.height === 5 && checkpoint?.height === 5), 10_000)
  const roots = await Promise.all(clients.map(async (client) => (await client.call('node_status', {})).checkpoint?.stateRoot))
  t.equal(new Set(roots).size, 1, 'one state')
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  t.equal(await headOf(observer), 5, 'no block without a transaction')
})

t.test('the body of a post reaches every validator and observer, is gone from all of them once erased, and the chain stays what it was', async (t) => {
  const cluster = await startedCluster(t, { observers: 1 })
  const { chainId } = cluster.node('observer-0')
  const clients = cluster.names.map((name) => clientOf(cluster.node(name)))
  const [first] = clients as [Client]
  const author = walletFromSeed(randomSeed())
  const send = async (kind: 'did.register' | 'community.post' | 'community.erase', payload: never, ...signers: readonly [Wallet, ...Wallet[]]): Promise<ReceiptJson> => {
    const [sender, ...countersigners] = signers
    const receipt = await submitAndWait(first, await signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners, payload }), signers), { timeoutMs: 30_000 })
    t.equal(receipt.status, 'ok', kind)
    return receipt
  }
  await send('did.register', { keys: [author.didKey], services: [] } as never, author, registrar)
  const body = randomBytes(10_000)
  const { hash } = await first.call('community_putBody', { body: toBase64url(body) })
  const posted = await send('community.post', { livingArea: 'bosu', board: 'talk', bodyHash: fromBase64url(hash), bodyBytes: body.length } as never, author)
  const has = async (client: Client): Promise<boolean> =>
    client.call('community_getBody', { hash }).then(
      (answer) => answer.body === toBase64url(body),
      (error: { readonly code?: string }) => {
        t.equal(error.code, 'community/not-found')
        return false
      },
    )
  await until(async () => (await Promise.all(clients.map(has))).every((one) => one), 30_000)
  const erased = await send('community.erase', { post: fromBase64url(posted.id) } as never, author)
  await allAt(cluster, cluster.names, erased.height)
  t.same(await Promise.all(clients.map(has)), clients.map(() => false))
  for (const client of clients) await t.rejects(client.call('community_putBody', { body: toBase64url(body) }), { code: 'community/body-erased' })
  const blocks = await Promise.all(clients.map(async (client) => (await client.call('chain_getBlock', { height: posted.height, transactions: 'ids' })).hash))
  t.equal(new Set(blocks).size, 1, 'the block of the post is the same everywhere')
  t.equal((await clients.at(-1)?.call('community_post', { post: posted.id }))?.post.erased?.by, author.did, 'a tombstone is left')
})

t.test('a proof is answered while blocks go by, though only some heights are certified', async (t) => {
  const cluster = await startedCluster(t)
  const client = clientOf(cluster.node('validator-0'))
  const { chainId } = cluster.node('validator-0')
  let more = true
  const load = (async () => {
    while (more) await register(client, chainId)
  })()
  for (let i = 0; i < 3; i++) {
    const { height, checkpoint } = await client.call('state_proof', { keys: ['parameters/current', 'parameters/none'] })
    t.equal(checkpoint.content.height, height)
  }
  // of what has only just become final, and is in no certified state yet
  const trust = trustFromGenesis(chainId, validatorSetOf(cluster.genesis))
  for (let i = 0; i < 5; i++) {
    const { id } = await register(client, chainId)
    const proof = await client.callUntyped('tx_proof', { id })
    t.equal(verifyTransactionProof(trust, fromBase64url(id) as TransactionId, proof).receipt.status, 'ok')
  }
  more = false
  await load
})

t.test('the chain goes on without its primary, which catches up and votes when it is back', async (t) => {
  const cluster = await startedCluster(t)
  const other = clientOf(cluster.node('validator-1'))
  const { chainId } = cluster.node('validator-1')
  await register(other, chainId)
  const { primary } = await other.call('node_status', {})
  const asked = primary === 'validator-1' ? clientOf(cluster.node('validator-2')) : other
  await cluster.stop(primary)
  for (let i = 0; i < 3; i++) t.equal((await register(asked, chainId)).status, 'ok')
  await cluster.start(primary)
  await allAt(cluster, cluster.names, 4)
  // now another one stops: without the vote of the one that is back there is no quorum
  await cluster.stop(cluster.names.find((name) => name !== primary && name !== 'validator-1' && name !== 'validator-2') as string)
  t.equal((await register(asked, chainId)).status, 'ok', 'it votes')
})

t.test('two of four down: nothing is made and nothing lost; one back: blocks again without restarting any other', async (t) => {
  const cluster = await startedCluster(t)
  const client = clientOf(cluster.node('validator-0'))
  const { chainId } = cluster.node('validator-0')
  const first = await register(client, chainId)
  await Promise.all(['validator-1', 'validator-2'].map(cluster.stop))
  const pending = await signedRegistration(chainId, walletFromSeed(randomSeed()))
  await client.call('tx_submit', { transaction: toBase64url(pending.bytes) })
  await new Promise((resolve) => setTimeout(resolve, 12_000))
  t.equal(await headOf(client), 1)
  const { problems } = await client.call('node_status', {})
  t.match(problems.join(' '), /validator-1.*validator-2.*too few validators/, 'and the operator is told why')
  const backMs = performance.now()
  await cluster.start('validator-1')
  const receipt = await client.call('tx_wait', { id: toBase64url(pending.id), timeoutMs: 10_000 })
  t.equal(receipt.status, 'ok')
  t.ok(performance.now() - backMs < 15_000, `final ${Math.round(performance.now() - backMs)} ms after the start`)
  t.same((await client.call('tx_get', { id: first.id })).receipt, first)
})

t.test('all restarted at once, one with an empty folder: it catches up and votes, and nothing is lost', async (t) => {
  const cluster = await startedCluster(t)
  const { chainId } = cluster.node('validator-0')
  const receipts: ReceiptJson[] = []
  for (let i = 0; i < 4; i++) receipts.push(await register(clientOf(cluster.node('validator-0')), chainId))
  await Promise.all(cluster.names.map(cluster.stop))
  cluster.empty('validator-3')
  await Promise.all(cluster.names.map(cluster.start))
  await allAt(cluster, cluster.names, 4)
  for (const name of cluster.names) for (const receipt of receipts) t.same((await clientOf(cluster.node(name)).call('tx_get', { id: receipt.id })).receipt, receipt)
  await until(async () => (await clientOf(cluster.node('validator-3')).call('node_status', {})).ready, 10_000)
  await cluster.stop('validator-0')
  t.equal((await register(clientOf(cluster.node('validator-1')), chainId)).status, 'ok', 'three with the emptied one make a quorum')
})

t.test('hostile input gets a clear error or a closed connection, and the node goes on', async (t) => {
  const cluster = await startedCluster(t)
  const node = cluster.node('validator-0')
  const client = clientOf(node)
  const code = (promise: Promise<unknown>): Promise<string> => promise.then(() => 'accepted', (error: { code?: string }) => String(error.code))
  const submit = (bytes: Uint8Array): Promise<string> => code(client.call('tx_submit', { transaction: toBase64url(bytes) }))
  const wallet = walletFromSeed(randomSeed())
  const good = await signedRegistration(node.chainId, wallet)

  t.equal(await submit(randomBytes(200)), 'codec/malformed')
  t.equal(await submit(good.bytes.subarray(0, good.bytes.length - 1)), 'codec/malformed')
  t.equal(await submit((await signedRegistration('other-0123456789abcdef', wallet)).bytes), 'tx/wrong-chain')
  t.equal(await submit((await signedRegistration(node.chainId, wallet, Date.now() - 1)).bytes), 'tx/expired')
  t.equal(await submit((await signedRegistration(node.chainId, wallet, Date.now() + 24 * 3_600_000)).bytes), 'tx/valid-until-too-far')
  const forged = Uint8Array.from(good.bytes)
  forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1
  t.equal(await submit(forged), 'tx/signature-invalid')
  const receipt = await submitAndWait(client, good)
  t.equal(receipt.status, 'ok')
  t.equal(await submit(good.bytes), 'accepted', 'a replay is answered with its id')
  t.same((await client.call('tx_get', { id: receipt.id })).receipt, receipt, 'and runs no second time')
  t.equal(await headOf(client), 1)

  // random bytes on the port for other nodes
  const [address = ''] = cluster.genesis.validators.find(({ name }) => name === 'validator-0')?.addresses ?? []
  const [host, port] = address.split(':')
  for (let i = 0; i < 20; i++) {
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), host, () => socket.write(randomBytes(4_096)))
      socket.on('close', () => resolve())
      socket.on('error', () => {})
      socket.setTimeout(2_000, () => socket.destroy())
    })
  }
  // a stranger with a key of its own
  const stranger = await createLibp2pTransport({ chainId: node.chainId, seed: randomBytes(32), listen: undefined, clock: systemClock, log: silentLog })
  const target = cluster.genesis.validators[0] as { name: string; publicKey: Uint8Array; addresses: readonly string[] }
  stranger.setPeers([target])
  await stranger.start()
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  t.equal(stranger.send(target.name, 'consensus', randomBytes(100)), false, 'a stranger gets no stream')
  await stranger.stop()
  // a known validator that sends rubbish is cut off, and the others go on
  await cluster.stop('validator-3')
  const liar = await createLibp2pTransport({ chainId: node.chainId, seed: seedOf('validator-3'), listen: undefined, clock: systemClock, log: silentLog })
  liar.setPeers(cluster.genesis.validators.filter(({ name }) => name !== 'validator-3'))
  await liar.start()
  await until(() => liar.peers().some(({ connected }) => connected), 10_000)
  for (let i = 0; i < 50; i++) for (const { name } of liar.peers()) for (const channel of ['consensus', 'gossip'] as const) liar.send(name, channel, randomBytes(1 + i * 40))
  await new Promise((resolve) => setTimeout(resolve, 500))
  t.equal((await register(client, node.chainId)).status, 'ok')
  await liar.stop()
})
