// A node that cannot start, that fails while it runs, or that must not go on.
import { createServer } from 'node:net'
import t from 'tap'
import type { Hash, Height, View } from '../../primitives/brand.ts'
import { codeOf, DongbaekError } from '../../primitives/errors.ts'
import { systemClock } from '../../node/clock.ts'
import { createInbound } from '../../node/inbound.ts'
import { houseKeepingMs } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { recordEntry } from '../../node/vote-entries.ts'
import type { Clock } from '../../node/world.ts'
import { blockHash } from '../../consensus/block.ts'
import { chainIdOf } from '../../genesis/genesis.ts'
import { encodeMessage } from '../../consensus/messages.ts'
import { scheduleOf, type ValidatorSet } from '../../consensus/validators.ts'
import { buildTransaction, createClient, randomSeed, signTransaction, toBase64url, walletFromSeed } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const unhandled: unknown[] = []
process.on('unhandledRejection', (reason) => unhandled.push(reason))

t.test('a start that fails says why and leaves nothing running', async (t) => {
  const occupied = createServer()
  await new Promise<void>((resolve) => occupied.listen(0, '127.0.0.1', resolve))
  let { port } = occupied.address() as { port: number }
  const nodes = createAssembled({ rpc: () => ({ port }) })
  t.teardown(nodes.stopAll)
  t.equal(await nodes.start('validator-0').then(() => 'started', codeOf), 'rpc/listen')
  const votes = nodes.openVotes('validator-0')
  await votes.log.append([new Uint8Array([3])])
  await votes.log.close()
  await new Promise<void>((resolve) => occupied.close(() => resolve()))
  port = 0
  const node = await nodes.start('validator-0')
  t.match(node.url, /^http/)
  await Promise.all([node.stop(), node.stop()])
  await node.stop()
})

t.test('the RPC knows the origins and proxies of the configuration', async (t) => {
  const nodes = createAssembled({ rpc: () => ({ origins: ['https://app.example'], proxies: 1 }), rpcRequestsPerSecond: 1 })
  t.teardown(nodes.stopAll)
  const { url } = await nodes.start('validator-0')
  const ask = async (headers: Readonly<Record<string, string>>): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(Array.from({ length: 2 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'chain_head' }))) })
  // time stands still: on a busy machine something would be given back between two asks
  const startMs = performance.now()
  const time = t.intercept(performance, 'now', { value: () => startMs })
  const first = await ask({ 'x-forwarded-for': '10.1.1.1', origin: 'https://app.example' })
  t.equal(first.headers.get('access-control-allow-origin'), 'https://app.example')
  t.equal((await ask({ 'x-forwarded-for': '10.1.1.1' })).status, 429, 'the caller has used up what it may ask')
  const other = await ask({ 'x-forwarded-for': '10.1.1.2', origin: 'https://evil.example' })
  t.equal(other.status, 200, 'another caller has not')
  t.equal(other.headers.get('access-control-allow-origin'), null)
  time.restore()
})

t.test('lodestar #6129, #6078, #7377: how late the event loop is and how large the heap are among the metrics', async (t) => {
  const nodes = createAssembled()
  t.teardown(nodes.stopAll)
  const { url } = await nodes.start('validator-0')
  const metrics = async (): Promise<(name: string) => number> => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return (name) => Number(new RegExp(`^dongbaek_process_${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  await metrics()
  // a callback that takes long is seen
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (const until = performance.now() + 300; performance.now() < until; );
  await new Promise((resolve) => setTimeout(resolve, 20))
  const value = await metrics()
  t.ok(value('nodejs_eventloop_lag_max_seconds') > 0.25)
  for (const name of ['mean', 'p50', 'p99']) t.ok(value(`nodejs_eventloop_lag_${name}_seconds`) > 0, name)
  for (const name of ['nodejs_heap_size_used_bytes', 'nodejs_heap_size_total_bytes', 'nodejs_external_memory_bytes', 'process_resident_memory_bytes']) t.ok(value(name) > 1_000_000, name)
})

t.test('a vote log that fails stops the node in order, and the reason is told', async (t) => {
  let failing = false
  const nodes = createAssembled({
    votes: (name, log) => ({ ...log, append: async (records) => (failing && name === 'validator-0' ? Promise.reject(new DongbaekError('votelog/failed', 'the disk is full')) : log.append(records)) }),
  })
  t.teardown(nodes.stopAll)
  const [first] = await Promise.all(nodes.names.map(nodes.start))
  if (first === undefined) throw new Error('four nodes')
  const client = createClient({ url: first.url })
  await until(async () => (await client.call('node_status', {})).ready, 20_000)
  failing = true
  const wallet = walletFromSeed(randomSeed())
  const registrar = walletFromSeed(seedOf('registrar'))
  const unsigned = buildTransaction({ chain: first.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
  const signed = await signTransaction(unsigned, [wallet, registrar])
  await client.call('tx_submit', { transaction: toBase64url(signed.bytes) })
  t.equal(codeOf(await first.failed), 'votelog/failed')
  t.equal(await client.call('node_status', {}).then(() => 'answered', () => 'closed'), 'closed')
})

t.test('what a validator took while it was alone goes to the others as they come into sight', async (t) => {
  // without housekeeping nothing is sent a second time
  const clock: Clock = { ...systemClock, after: (ms, fire) => systemClock.after(ms === houseKeepingMs ? 2 ** 31 - 1 : ms, fire) }
  const nodes = createAssembled({ clock })
  t.teardown(nodes.stopAll)
  const client = createClient({ url: (await nodes.start('validator-3')).url })
  const registrar = walletFromSeed(seedOf('registrar'))
  const wallet = walletFromSeed(randomSeed())
  const signed = await signTransaction(buildTransaction({ chain: chainIdOf(nodes.genesis), kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } }), [wallet, registrar])
  await client.call('tx_submit', { transaction: toBase64url(signed.bytes) })
  await Promise.all(nodes.names.slice(0, 3).map(nodes.start))
  await until(async () => (await client.call('chain_head', {})).height === 1, 20_000)
  const { receipt } = await client.call('tx_get', { id: toBase64url(signed.id) })
  t.equal(receipt?.status, 'ok')
})

t.test('a node whose state differed from the certified one is not ready after a restart either', async (t) => {
  const nodes = createAssembled()
  t.teardown(nodes.stopAll)
  await Promise.all(nodes.names.map(nodes.start))
  const status = (): ReturnType<ReturnType<typeof createClient>['call']> => createClient({ url: nodes.node('validator-0').url }).call('node_status', {})
  await until(async () => ((await status()) as { ready: boolean }).ready, 20_000)
  await nodes.stop('validator-0')
  const votes = nodes.openVotes('validator-0')
  const none = new Uint8Array(32) as Hash
  await votes.log.append([recordEntry({ type: 'halted', certified: { height: 1 as Height, blockHash: none, stateRoot: none, nextSet: none } })])
  await votes.log.close()
  await nodes.start('validator-0')
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { ready, problems } = (await status()) as { ready: boolean; problems: readonly string[] }
  t.equal(ready, false)
  t.match(problems.join(' '), /stopped: .*Keep the data folder/)
})

t.test('a stranger to the set cannot make us check the signatures that a view change carries', async (t) => {
  const set: ValidatorSet = { validators: [0, 1, 2, 3].map((i) => ({ name: `validator-${i}`, organisation: 'busan', publicKey: new Uint8Array(32).fill(i + 1) })), minimums: [] }
  const hash = new Uint8Array(32) as Hash
  const blamed: string[] = []
  let checked = 0
  const inbound = createInbound({
    verifier: {
      verifyBatch: async (items) => {
        checked += items.length
        return items.map(() => false)
      },
      verifyNow: () => false,
    },
    transport: { blame: (peer) => void blamed.push(peer) },
    log: silentLog,
    context: () => ({ chain: 'test', genesis: { height: 0 as Height, hash, timeMs: 0 as never }, schedule: scheduleOf([{ activation: 1 as Height, set }], 0 as Height, 64) }),
    wants: () => true,
    behind: () => undefined,
    take: () => t.fail('nothing of it holds'),
  })
  const prepared = []
  let parent = hash
  for (let height = 1; height <= 20; height++) {
    const header = { chain: 'test', height: height as Height, parent, timeMs: height as never, proposer: 0, payload: hash, payloadCount: 1 }
    parent = blockHash(header)
    prepared.push({ header, certificate: { view: 0 as View, height: height as Height, blockHash: parent, signatures: [0, 1, 2].map((validator) => ({ validator, signature: new Uint8Array(64) })) } })
  }
  const bytes = encodeMessage({ type: 'view-change', epoch: 1 as Height, view: 1 as View, validator: 2, prepared, signature: new Uint8Array(64) })
  await inbound([{ peer: 'liar', bytes }])
  t.same([blamed, checked], [['liar'], 0])
})

t.test('no rejection went by unseen', async (t) => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.same(unhandled, [])
})
