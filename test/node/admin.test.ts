// Administration: what it does to a real node, whom it refuses, and that the public port knows nothing of it.
import { request } from 'node:http'
import t from 'tap'
import { startAdmin } from '../../node/admin.ts'
import { createLog, type LogGate } from '../../node/log.ts'
import type { AdminServer } from '../../rpc/admin.ts'
import { buildTransaction, createClient, randomSeed, signTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

const lines: { readonly level: string; readonly event: string }[] = []
const gate: LogGate = { level: 'warn' }
const log = createLog({ level: gate, readable: false, write: (line) => lines.push(JSON.parse(line) as { level: string; event: string }) })
const assembled = createAssembled({ log: () => log })
t.teardown(assembled.stopAll)
await Promise.all(assembled.names.map(assembled.start))
const node = assembled.node('validator-0')
let stops = 0
const admin = (await startAdmin({ node, config: { admin: { host: '127.0.0.1', port: 0 } }, gate, log, stop: () => void stops++ })) as AdminServer
t.teardown(admin.stop)
const url = admin.url() as string
const client = createClient({ url: node.url })
await until(async () => (await client.call('node_status', {})).ready, 20_000)

interface Answer {
  readonly status: number
  readonly text: string
}

/** fetch would not send a Host of our choice. */
function ask(at: string, body: string, headers: Readonly<Record<string, string>> = {}, path = '/'): Promise<Answer> {
  const { hostname, port } = new URL(at)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method: body === '' ? 'GET' : 'POST', headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode as number, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const callText = (method: string, params: object = {}): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
const call = async (method: string, params: object = {}): Promise<unknown> => {
  const { result, error } = JSON.parse((await ask(url, callText(method, params))).text) as { result?: unknown; error?: { message: string } }
  if (error !== undefined) throw new Error(error.message)
  return result
}

const register = async (): Promise<void> => {
  const registrar = walletFromSeed(seedOf('registrar'))
  const wallet = walletFromSeed(randomSeed())
  const unsigned = buildTransaction({ chain: node.chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
  t.equal((await submitAndWait(client, await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 20_000 })).status, 'ok')
}

t.test('there is none unless a port is configured', async (t) => {
  t.equal(await startAdmin({ node, config: { admin: { host: '127.0.0.1', port: undefined } }, gate, log, stop: () => t.fail() }), undefined)
  const taken = Number(new URL(url).port)
  await t.rejects(startAdmin({ node, config: { admin: { host: '127.0.0.1', port: taken } }, gate, log, stop: () => t.fail() }), { code: 'rpc/listen', message: /the administration cannot listen at 127\.0\.0\.1:\d+: another program/ })
})

t.test('status, peers and metrics of the node', async (t) => {
  t.match(await call('node_status'), { name: 'validator-0', ready: true })
  t.equal(((await call('node_peers')) as { items: unknown[] }).items.length, 3)
  const { status, text } = await ask(url, '', {}, '/metrics')
  t.equal(status, 200)
  t.match(text, /^dongbaek_head_height \d+$/m)
  t.match(text, /^dongbaek_rpc_calls_total\{method="node_status"\} \d+$/m, 'with the counters of the public port')
})

t.test('a snapshot on request: at the next certified block where there is none yet, at once at rest', async (t) => {
  t.same(await call('admin_snapshot'), { state: 'waiting' }, 'nothing is certified before the first block')
  await register()
  await until(async () => (await client.call('state_snapshotInfo', {})).snapshots.length === 1, 10_000)
  const [first] = (await client.call('state_snapshotInfo', {})).snapshots
  t.same(await call('admin_snapshot'), { state: 'kept', height: first?.height })
  await register()
  await until(async () => (await client.call('node_status', {})).checkpoint?.height === (await client.call('chain_head', {})).height, 10_000)
  const { height } = await client.call('chain_head', {})
  t.same(await call('admin_snapshot'), { state: 'making', height })
  t.same(await call('admin_snapshot'), { state: 'making', height }, 'asked twice, made once')
  await until(async () => (await client.call('state_snapshotInfo', {})).snapshots.length === 2, 10_000)
  const made = (await client.call('state_snapshotInfo', {})).snapshots[1]
  t.equal(made?.height, height)
  t.equal(made?.stateRoot, (await client.call('chain_getCheckpoint', { height })).content.stateRoot, 'of the certified state')
  t.notOk(lines.some(({ event }) => event === 'snapshot-failed'))
})

t.test('the log level, of every part of the node, at once', async (t) => {
  t.same(await call('admin_logLevel'), { level: 'warn' })
  t.notOk(lines.some(({ level }) => level === 'debug' || level === 'info'))
  t.same(await call('admin_logLevel', { level: 'debug' }), { level: 'debug' })
  await register()
  t.ok(lines.some(({ level, event }) => level === 'debug' && event === 'block'))
  t.same(await call('admin_logLevel', { level: 'silent' }), { level: 'silent' })
  const before = lines.length
  await register()
  t.equal(lines.length, before)
  await t.rejects(call('admin_logLevel', { level: 'trace' }), /Invalid params/)
  gate.level = 'warn'
})

t.test('stop, after the answer', async (t) => {
  t.same(await call('admin_stop'), { stopping: 'yes' })
  await until(() => stops === 1)
})

t.test('the public port knows none of it, and the administration nothing of the chain', async (t) => {
  for (const method of ['admin_logLevel', 'admin_snapshot', 'admin_stop']) t.match(JSON.parse((await ask(node.url, callText(method))).text), { error: { code: -32601 } }, method)
  t.notMatch(await (await fetch(`${node.url}/openrpc.json`)).text(), /admin_/)
  t.equal(stops, 1)
  for (const method of ['tx_submit', 'chain_head', 'rpc.discover']) t.match(JSON.parse((await ask(url, callText(method))).text), { error: { code: -32601 } }, method)
  t.equal((await ask(url, '', {}, '/healthz')).status, 404)
})

t.test('a page in a browser of this machine cannot call it', async (t) => {
  const stop = callText('admin_stop')
  for (const host of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:26500', '10.0.0.1', '[::2]']) t.equal((await ask(url, stop, { host })).status, 403, `Host: ${host}`)
  for (const origin of ['https://evil.example', 'null', url]) t.match(await ask(url, stop, { origin }), { status: 403, text: /not for pages/ }, `Origin: ${origin}`)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) t.equal((await ask(url, stop, { 'content-type': type })).status, 415, type)
  t.equal((await ask(url, '', { host: 'evil.example' }, '/metrics')).status, 403)
  t.equal((await ask(url, 'x'.repeat(5_000))).status, 413)
  for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1', '[::1]:26500']) t.equal((await ask(url, callText('node_status'), { host })).status, 200, `Host: ${host}`)
  t.equal(stops, 1, 'and nothing was done')
})
