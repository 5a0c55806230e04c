// The server's life and limits: bodies, slow callers, rates, origins, health, stopping.
import t from 'tap'
import { connect, type Socket } from 'node:net'
import { bucketKey, createLimiter } from '../../rpc/limiter.ts'
import { WebSocket as WebSocketOfNode } from 'ws'
import { hashOfApiKey } from '../../rpc/rates.ts'
import { createRpcServer } from '../../rpc/server.ts'
import { createCity, liveADay, post, recordingLog, serve } from './scenario.ts'
import { until } from '../support/until.ts'

const city = createCity()
await liveADay(city)
const chainHead = '{"jsonrpc":"2.0","id":1,"method":"chain_head"}'

/** A raw connection: what was written to it until it was closed. */
function raw(url: string, ...writes: readonly (string | Buffer)[]): { socket: Socket; text: () => string; closed: Promise<void> } {
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  let text = ''
  socket.on('data', (data) => (text += data.toString('latin1'))).on('error', () => undefined)
  for (const write of writes) socket.write(write)
  return { socket, text: () => text, closed: new Promise((resolve) => socket.on('close', () => resolve())) }
}

t.test('a body too large is refused before it is sent, and the connection closed', async (t) => {
  const { server, url } = await serve(city)
  t.teardown(async () => server.stop())
  const announced = raw(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n', 'x'.repeat(1_000))
  await announced.closed
  t.match(announced.text(), /^HTTP\/1.1 413 /)
  t.match(announced.text(), /"code":-32600/)
  // without a length: chunk after chunk, until it is too much
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'x'), Buffer.from('\r\n')])
  const chunked = raw(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n')
  let sent = 0
  const before = process.memoryUsage().rss
  const flood = (): void => {
    while (!chunked.socket.destroyed && sent < 1_600) if ((sent++, !chunked.socket.write(chunk))) return void chunked.socket.once('drain', flood)
  }
  flood()
  await chunked.closed
  t.ok(sent < 1_600, `${sent} chunks of 64 KiB before it was cut`)
  t.ok(process.memoryUsage().rss - before < 100 * 1_048_576, 'and they were not kept')
  t.match(await post(url, chainHead), { status: 200 })
})

t.test('Fastify: no timeouts by default. Slow callers are cut off in time', async (t) => {
  const { server, url } = await serve(city, { timeouts: { requestMs: 400, headersMs: 300, tickMs: 50 } })
  t.teardown(async () => server.stop())
  const header = raw(url, 'POST / HTTP/1.1\r\nHost: x\r\n')
  const body = raw(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
  const drip = setInterval(() => body.socket.write(' '), 30)
  const started = performance.now()
  await Promise.all([header.closed, body.closed])
  clearInterval(drip)
  t.ok(performance.now() - started < 2_500)
  t.match(await post(url, chainHead), { status: 200 })
})

t.test('rubbish instead of HTTP', async (t) => {
  const { server, url } = await serve(city)
  t.teardown(async () => server.stop())
  for (const bytes of ['\x00\x01\x02\x03\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n']) {
    const { text, closed, socket } = raw(url, bytes)
    await closed
    t.match(text(), /^HTTP\/1.1 4\d\d |^$/)
    socket.destroy()
  }
  for (const path of ['/%00', '/..%2f..%2fetc/passwd', '/1.0/identifiers/%ff', '/%', '//', '/ws']) {
    const { status } = await fetch(`${url}${path}`)
    t.ok(status >= 400 && status < 500, `${path}: ${status}`)
  }
  t.match(await post(url, chainHead), { status: 200 })
})

t.test('rates', async (t) => {
  t.test('a bucket for each address', async (t) => {
    let now = 0
    const limiter = createLimiter(10, 20, () => now)
    for (let i = 0; i < 20; i++) t.equal(limiter.take('10.0.0.1', 1), 0)
    t.equal(limiter.take('10.0.0.1', 1), 100)
    t.equal(limiter.take('10.0.0.2', 20), 0)
    now = 1_000
    t.equal(limiter.take('10.0.0.1', 10), 0)
    t.equal(limiter.take('10.0.0.1', 5), 500)
    now = 1_000_000
    t.equal(limiter.take('10.0.0.1', 1_000), 0, 'what costs more than the bucket holds takes all of it')
    t.ok(limiter.take('10.0.0.1', 1) > 0)
  })
  t.test('an IPv6 customer is a /64', async (t) => {
    t.equal(bucketKey('2001:db8:0:1::5'), bucketKey('2001:0db8:0000:0001:ffff::1'))
    t.equal(bucketKey('2001:db8:0:1:2:3:4:5'), bucketKey('2001:db8:0:1::'))
    t.not(bucketKey('2001:db8:0:1::5'), bucketKey('2001:db8:0:2::5'))
    t.equal(bucketKey('::ffff:10.0.0.1'), '10.0.0.1')
    t.equal(bucketKey('::1'), bucketKey('::2'))
  })
  t.test('refused with the time to wait, in a batch too', async (t) => {
    const { server, url } = await serve(city, { rate: { perSecond: 0.01, burst: 12 } })
    t.teardown(async () => server.stop())
    const batch = JSON.stringify(Array.from({ length: 20 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'chain_head' })))
    const answers = JSON.parse((await post(url, batch)).text) as { error?: { code: number; data: { code: string; retryAfterMs: number } } }[]
    t.equal(answers.filter(({ error }) => error === undefined).length, 11, 'one for the request itself')
    t.match(answers.at(-1), { error: { code: -32000, data: { code: 'rpc/rate-limited' } } })
    t.ok(answers.at(-1)!.error!.data.retryAfterMs > 0)
    const refused = await fetch(url, { method: 'POST', body: chainHead, headers: { 'content-type': 'application/json' } })
    t.equal(refused.status, 429)
    t.ok(Number(refused.headers.get('retry-after')) > 0)
    t.match(await refused.json(), { id: null, error: { code: -32000 } })
  })
  t.test('a key that the operator has issued has a rate of its own, from any address', async (t) => {
    const key = 'k'.repeat(43)
    const keys = [{ name: 'indexer', hash: hashOfApiKey(key), perSecond: 10 }]
    const { server, url } = await serve(city, { rate: { perSecond: 0.01, burst: 4 }, proxies: 1, keys })
    t.teardown(async () => server.stop())
    const ask = async (from: string, authorization?: string): Promise<{ status: number; text: string }> =>
      post(url, chainHead, { 'content-type': 'application/json', 'x-forwarded-for': from, ...(authorization === undefined ? {} : { authorization }) })
    const status = async (...how: Parameters<typeof ask>): Promise<number> => (await ask(...how)).status
    t.same([await status('10.1.1.1'), await status('10.1.1.1'), await status('10.1.1.1')], [200, 200, 429], 'the address is used up')
    const many = await Promise.all(Array.from({ length: 8 }, async (_, i) => status(`10.1.1.${i % 3}`, `Bearer ${key}`)))
    t.same(new Set(many), new Set([200]), 'the key is not')
    const later = await Promise.all(Array.from({ length: 8 }, async () => status('10.2.2.2', `bearer  ${key}`)))
    t.ok(later.includes(429), 'until its own is, wherever it comes from')
    t.match(await ask('10.3.3.3', 'Bearer guessed'), { status: 401, text: /"code":-32009.*rpc\/unknown-key/ })
    t.equal(await status('10.3.3.3', `Bearer ${key}${'x'.repeat(300)}`), 401)
    t.equal(await status('10.3.3.3', 'Bearer '), 401)
    t.equal(await status('10.3.3.3', `Bearer ${keys[0]!.hash}`), 401, 'what stands in the configuration is no key')
    t.equal(await status('10.3.3.3', 'Bearer guessed'), 429, 'guesses take from the address')
    t.equal(await status('10.4.4.4', 'Basic dXNlcjpwYXNz'), 200, 'another scheme is a proxy’s')
    t.equal((await fetch(`${url}/healthz`, { headers: { authorization: 'Bearer guessed' } })).status, 401)
    const without = await serve(city)
    t.teardown(async () => without.server.stop())
    t.equal((await post(without.url, chainHead, { 'content-type': 'application/json', authorization: `Bearer ${key}` })).status, 200, 'where none is issued, none is looked at')
  })
  t.test('over a WebSocket, the rate is that of the key it was opened with', async (t) => {
    const key = 'k'.repeat(43)
    const { server, url } = await serve(city, { rate: { perSecond: 0.01, burst: 2 }, keys: [{ name: 'indexer', hash: hashOfApiKey(key), perSecond: 100 }] })
    t.teardown(async () => server.stop())
    const answers = async (headers: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const socket = new WebSocketOfNode(`${url.replace('http', 'ws')}/ws`, { headers })
      await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
      const received: string[] = []
      socket.on('message', (data: Buffer) => received.push(data.toString()))
      for (let i = 0; i < 5; i++) socket.send(chainHead)
      await until(() => received.length === 5)
      socket.close()
      return received
    }
    t.equal((await answers({ authorization: `Bearer ${key}` })).filter((text) => text.includes('rate-limited')).length, 0)
    t.equal((await answers({})).filter((text) => text.includes('rate-limited')).length, 4)
    await t.rejects(answers({ authorization: 'Bearer guessed' }), /429|401/)
  })
  t.test('behind a proxy the client’s address counts', async (t) => {
    const { server, url } = await serve(city, { rate: { perSecond: 0.01, burst: 4 }, proxies: 1 })
    t.teardown(async () => server.stop())
    const status = async (from: string): Promise<number> => (await post(url, chainHead, { 'content-type': 'application/json', 'x-forwarded-for': from })).status
    t.same([await status('10.1.1.1'), await status('10.1.1.1'), await status('10.1.1.1')], [200, 200, 429])
    t.equal(await status('10.1.1.2'), 200)
    t.equal(await status('10.9.9.9, 10.1.1.1'), 429, 'what the client claims beyond the proxy does not count')
  })
})

t.test('a WebSocket that is refused is closed, and holds no stop up', async (t) => {
  const { server, url } = await serve(city, { rate: { perSecond: 0.01, burst: 2 } })
  const handshake = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`
  const nowhere = raw(url, handshake('/nowhere'))
  await nowhere.closed
  t.match(nowhere.text(), /^HTTP\/1.1 404 /)
  const taken = raw(url, handshake('/ws'))
  await until(() => taken.text().startsWith('HTTP/1.1 101 '))
  const limited = raw(url, handshake('/ws'))
  await limited.closed
  t.match(limited.text(), /^HTTP\/1.1 429 /)
  t.notOk(taken.socket.destroyed, 'the one that was taken stays')
  taken.socket.destroy()
  const startedMs = performance.now()
  await server.stop()
  t.ok(performance.now() - startedMs < 2_000)
})

t.test('one address has so many connections and no more', async (t) => {
  const { server, url } = await serve(city, { connectionsPerAddress: 3 })
  t.teardown(async () => server.stop())
  const held = [raw(url), raw(url), raw(url)]
  await Promise.all(held.map(async ({ socket }) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))))
  await raw(url).closed
  t.ok(held.every(({ socket }) => !socket.destroyed))
  held[0]!.socket.destroy()
  await held[0]!.closed
  await until(() => held[0]!.socket.closed)
  const { text, closed } = raw(url, 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await closed
  t.match(text(), /^HTTP\/1.1 200/)
  for (const { socket } of held) socket.destroy()
})

t.test('origins', async (t) => {
  const { server, url } = await serve(city, { origins: ['https://app.example'] })
  t.teardown(async () => server.stop())
  const preflight = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' } })
  t.equal(preflight.status, 204)
  t.equal(preflight.headers.get('access-control-allow-origin'), 'https://app.example')
  t.equal((await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).headers.get('access-control-allow-origin'), null)
  const none = await serve(city)
  t.teardown(async () => none.server.stop())
  t.equal((await fetch(none.url, { headers: { origin: 'https://app.example' } })).headers.get('access-control-allow-origin'), null)
})

t.test('whatever is answered, a page that may call can read it, refusals too; and what a shared cache keeps serves no page of another origin', async (t) => {
  const resolve = `/1.0/identifiers/${'did:dongbaek:'}${'A'.repeat(27)}`
  const asked: readonly (readonly [path: string, status: number, request: { readonly method?: string; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }])[] = [
    ['/', 200, { method: 'POST', body: chainHead, headers: { 'content-type': 'application/json' } }],
    ['/', 415, { method: 'POST', body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['/', 401, { method: 'POST', body: chainHead, headers: { 'content-type': 'application/json', authorization: `Bearer ${'x'.repeat(43)}` } }],
    ['/nowhere', 404, {}],
    [resolve, 404, {}],
    ['/openrpc.json', 200, {}],
    ['/', 204, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }],
    // the bucket is empty by now
    ['/', 429, { method: 'POST', body: chainHead, headers: { 'content-type': 'application/json' } }],
    ['/', 204, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } }],
  ]
  for (const origins of [['https://app.example'], ['*']]) {
    const { server, url } = await serve(city, { origins, keys: [{ name: 'other', hash: hashOfApiKey('k'.repeat(43)), perSecond: 1 }], rate: { perSecond: 0.001, burst: 7 } })
    t.teardown(async () => server.stop())
    for (const [path, status, { headers, ...request }] of asked) {
      const answer = await fetch(`${url}${path}`, { ...request, headers: { ...headers, origin: 'https://app.example' } })
      const what = `${request.method ?? 'GET'} ${path} ${status} ${origins.join()}`
      t.equal(answer.status, status, what)
      t.equal(answer.headers.get('access-control-allow-origin'), origins[0], what)
      const varies = (answer.headers.get('vary') ?? '').toLowerCase().split(/, */)
      t.equal(varies.includes('origin'), origins[0] !== '*', `${what}: ${varies.join()}`)
      if (path === resolve) t.ok(varies.includes('accept'))
    }
  }
  // who sends no origin, or another, must not leave an answer behind that a cache gives to the page
  const { server, url } = await serve(city, { origins: ['https://app.example'] })
  t.teardown(async () => server.stop())
  for (const headers of [{}, { origin: 'https://evil.example' }] as const) t.equal((await fetch(`${url}/openrpc.json`, { headers })).headers.get('vary'), 'origin')
})

t.test('a WebSocket is opened from a page of another origin only where it may call: browsers do not ask beforehand', async (t) => {
  const opened = async (url: string, origin: string | undefined): Promise<string> => {
    const socket = new WebSocketOfNode(`${url.replace('http', 'ws')}/ws`, origin === undefined ? {} : { origin })
    return new Promise((resolve) => {
      socket.on('unexpected-response', (_request, answer) => resolve(String(answer.statusCode)))
      socket.on('error', () => undefined)
      socket.on('open', () => {
        resolve('open')
        socket.close()
      })
    })
  }
  for (const [origins, byOrigin] of [
    [[], { 'https://app.example': '403', 'https://evil.example': '403', null: '403' }],
    [['https://app.example'], { 'https://app.example': 'open', 'https://evil.example': '403', null: '403', 'https://app.example.evil.example': '403' }],
    [['*'], { 'https://app.example': 'open', 'https://evil.example': 'open', null: 'open' }],
  ] as const) {
    const { server, url } = await serve(city, { origins })
    t.teardown(async () => server.stop())
    for (const [origin, what] of Object.entries(byOrigin)) t.equal(await opened(url, origin), what, `${origin} where ${origins.join()} may`)
    // what is no page, and a page that the node or the proxy before it has served itself
    t.equal(await opened(url, undefined), 'open')
    t.equal(await opened(url, url), 'open')
  }
})

t.test('health, readiness, metrics', async (t) => {
  const own = createCity()
  await liveADay(own)
  const { server, url } = await serve(own)
  t.teardown(async () => server.stop())
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  t.equal((await fetch(`${url}/readyz`)).status, 200)
  own.chain.set({ ready: false, problems: ['3 of 4 validators cannot be reached: validator-1, validator-2, validator-3'] })
  const unready = await fetch(`${url}/readyz`)
  t.equal(unready.status, 503)
  t.match(await unready.json(), { ready: false, reasons: [/validator-1/] })
  await post(url, chainHead)
  await post(url, '{"jsonrpc":"2.0","id":1,"method":"nothing"}')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, /dongbaek_up 1/)
  t.match(metrics, /dongbaek_rpc_calls_total\{method="chain_head"\} 1/)
  t.match(metrics, /dongbaek_rpc_errors_total\{method="unknown",code="-32601"\} 1/)
  t.match(await (await fetch(url)).text(), new RegExp(own.chain.chainId))
})

t.test('an address that is taken', async (t) => {
  const { server, url } = await serve(city)
  t.teardown(async () => server.stop())
  const other = createRpcServer(city.chain.backend, { host: '127.0.0.1', port: Number(new URL(url).port), log: recordingLog() })
  await t.rejects(other.start(), { code: 'rpc/listen', message: /another program listens there/, data: { reason: 'EADDRINUSE' } })
  await other.stop()
  t.equal(other.address(), undefined)
})

t.test('stopping: what runs is answered, what waits is told, nothing hangs', async (t) => {
  const own = createCity()
  await liveADay(own)
  const { backend } = own.chain
  const released = Promise.withResolvers<void>()
  let begun = 0
  const getBody = async (): Promise<Uint8Array> => {
    begun++
    await released.promise
    return new TextEncoder().encode('late')
  }
  const waitReceipt: typeof backend.waitReceipt = async (...args) => {
    begun++
    return backend.waitReceipt(...args)
  }
  const slowCity = { ...own, chain: { ...own.chain, backend: { ...backend, getBody, waitReceipt } } }
  const { server, url, log } = await serve(slowCity, { timeouts: { stopGraceMs: 2_000 } })
  const id = 'A'.repeat(43)
  const running = post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'community_getBody', params: { hash: id } }))
  const waiting = post(url, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tx_wait', params: { id, timeoutMs: 60_000 } }))
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  const closed = new Promise<CloseEvent>((resolve) => (socket.onclose = resolve))
  await new Promise((resolve) => (socket.onopen = resolve))
  await until(() => begun === 2)
  const started = performance.now()
  const stopped = server.stop()
  t.match(JSON.parse((await waiting).text), { id: 2, error: { data: { code: 'rpc/stopping' } } })
  t.match(await closed, { code: 1001, reason: 'the node is stopping' })
  await t.rejects(fetch(url), 'nothing new')
  released.resolve()
  t.match(JSON.parse((await running).text), { id: 1, result: { body: 'bGF0ZQ' } })
  await stopped
  await server.stop()
  t.ok(performance.now() - started < 1_500)
  t.same(log.lines.filter(({ level }) => level === 'error'), [])
  // one that never ends is cut
  const stuck = await serve({ ...own, chain: { ...own.chain, backend: { ...backend, getBody: async () => (begun++, new Promise<never>(() => undefined)) } } }, { timeouts: { stopGraceMs: 200 } })
  const never = post(stuck.url, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'community_getBody', params: { hash: id } }))
  never.catch(() => undefined)
  await until(() => begun === 3)
  await stuck.server.stop()
  await t.rejects(never)
})

t.test('a caller who leaves takes its waiting along', async (t) => {
  const own = createCity()
  let waiting = 0
  const { backend } = own.chain
  const counted = { ...own, chain: { ...own.chain, backend: { ...backend, waitReceipt: async (...args: Parameters<typeof backend.waitReceipt>) => (waiting++, backend.waitReceipt(...args).finally(() => waiting--)) } } }
  const { server, url } = await serve(counted)
  t.teardown(async () => server.stop())
  const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tx_wait', params: { id: 'A'.repeat(43), timeoutMs: 60_000 } })
  const { socket } = raw(url, `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  await until(() => waiting === 1)
  socket.destroy()
  await until(() => waiting === 0)
  t.equal(waiting, 0)
})
