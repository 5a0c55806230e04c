// JSON-RPC 2.0 as the specification has it, and what a stranger may send instead.
import t from 'tap'
import fc from 'fast-check'
import { JsonError, parseJson } from '../../rpc/json.ts'
import { createDispatcher } from '../../rpc/dispatch.ts'
import { batchAnswerBytesMax, batchCallsMax, batchParallel, batchTimeoutMs, jsonDepthMax, requestBytesMax } from '../../rpc/limits.ts'
import type { Method } from '../../rpc/methods/method.ts'
import type { Json } from '../../primitives/schema.ts'
import { fuzz } from './fuzz.ts'
import { citizens, createCity, liveADay, post, serve } from './scenario.ts'

interface Answer {
  readonly jsonrpc: '2.0'
  readonly id: Json
  readonly result?: Json
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Readonly<Record<string, Json>> }
}

const city = createCity()
await liveADay(city)
const { server, url } = await serve(city)
t.teardown(async () => server.stop())

const call = async (body: string): Promise<Answer> => {
  const { status, text } = await post(url, body)
  if (status !== 200) throw new Error(`status ${status}: ${text}`)
  return JSON.parse(text) as Answer
}
const errorOf = async (body: string): Promise<number | undefined> => (await call(body)).error?.code

const isRefused = (text: string): boolean => {
  try {
    parseJson(text, 32)
    return false
  } catch (thrown) {
    return thrown instanceof JsonError
  }
}

t.test('JSON as we read it', async (t) => {
  t.test('agrees with JSON.parse on what both allow', async () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        // JSON.stringify of both: -0 and the order of names are the same to us
        if (!text.includes('__proto__')) t.equal(JSON.stringify(parseJson(text, 32).value), JSON.stringify(JSON.parse(text)))
      }),
      { seed: 1, numRuns: 300 },
    )
  })
  t.test('takes nothing that JSON.parse refuses, and never throws anything but JsonError', async () => {
    const pieces = ['{', '}', '[', ']', ',', ':', '"', '"a"', '1', '-', '0.5', '1e5', 'null', 'tru', 'true', ' ', '\\', '\u0001', '"\\u12"', '"\\q"', '01', '+1', '.5', '\ud800']
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = parts.join('')
        let ours: Json | undefined
        try {
          ours = parseJson(text, 32).value
        } catch (thrown) {
          if (!(thrown instanceof JsonError)) throw thrown
          return
        }
        t.same(JSON.stringify(ours), JSON.stringify(JSON.parse(text)))
      }),
      { seed: 2, numRuns: 5_000 },
    )
  })
  t.test('refuses what JSON.parse lets pass', async (t) => {
    for (const text of ['{"a":1,"a":2}', '{"__proto__":1}', '[1e400]', '-1e999', `${'['.repeat(33)}${']'.repeat(33)}`, '{"a":{"a":1,"b":2,"a":3}}']) t.ok(isRefused(text), text.slice(0, 30))
    t.same(parseJson(`${'['.repeat(32)}${']'.repeat(32)}`, 32).value, JSON.parse(`${'['.repeat(32)}${']'.repeat(32)}`))
  })
  t.test('takes time linear in the length', async (t) => {
    const started = performance.now()
    for (const text of [`["${'\\\\'.repeat(400_000)}"]`, `"${'\\"'.repeat(400_000)}`, ' '.repeat(900_000), `[${'1,'.repeat(400_000)}`, `{${'"a":'.repeat(200_000)}`]) {
      try {
        parseJson(text, 32)
      } catch (thrown) {
        t.ok(thrown instanceof JsonError)
      }
    }
    t.ok(performance.now() - started < 3_000)
  })
})

t.test('the five errors of the protocol', async (t) => {
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,'), -32700)
  t.equal(await errorOf(''), -32700)
  t.equal(await errorOf('{"jsonrpc":"1.0","id":1,"method":"chain_head"}'), -32600)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1}'), -32600)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":5}'), -32600)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_head","params":"x"}'), -32600)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_head","extra":1}'), -32600)
  t.equal(await errorOf('7'), -32600)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_headd"}'), -32601)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"constructor"}'), -32601)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_head","params":[]}'), -32602)
  const invalid = await call('{"jsonrpc":"2.0","id":1,"method":"points_balance","params":{"did":"nobody"}}')
  t.match(invalid.error, { code: -32602, data: { code: 'codec/invalid', path: 'did', expected: /DID/ } })
  t.match((await call('{"jsonrpc":"2.0","id":1,"method":"chain_head","params":{"more":1}}')).error, { code: -32602, data: { path: 'more' } })
  t.match((await call('{"jsonrpc":"2.0","id":1,"method":"chain_getBlock","params":{"height":1,"hash":"x"}}')).error, { code: -32602 })
})

t.test('errors of our own bear the code of the receipt', async (t) => {
  const { error } = await call('{"jsonrpc":"2.0","id":1,"method":"chain_getBlock","params":{"height":999}}')
  t.match(error, { code: -32020, data: { code: 'chain/not-found', headHeight: 13 } })
  t.match((await call('{"jsonrpc":"2.0","id":1,"method":"points_program","params":{"program":"none"}}')).error, { code: -32052, data: { code: 'points/not-found' } })
  t.match((await call('{"jsonrpc":"2.0","id":1,"method":"tx_submit","params":{"transaction":"AAAA"}}')).error, { data: { code: /^codec\// } })
  t.match((await call('{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"channel":"blocks"}}')).error, { code: -32007, data: { code: 'rpc/websocket-only' } })
  const nobody = `did:dongbaek:${'A'.repeat(27)}`
  for (const [method, params, number, code] of [
    ['did_resolve', { did: nobody }, -32050, 'did/not-found'],
    ['credential_status', { list: 'none', index: 0 }, -32051, 'credential/not-found'],
    ['reservation_facility', { facility: 'none' }, -32053, 'reservation/not-found'],
    ['community_post', { post: 'A'.repeat(43) }, -32054, 'community/not-found'],
    ['governance_parameters', { height: 999_999 }, -32055, 'governance/not-found'],
  ] as const) {
    t.match((await call(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))).error, { code: number, data: { code } }, method)
  }
})

t.test('an error inside is answered without its words, and logged', async (t) => {
  const { backend } = city.chain
  const broken = { ...city, chain: { ...city.chain, backend: { ...backend, head: () => { throw new Error('secret /place/on/disk') } } } }
  const other = await serve(broken)
  t.teardown(async () => other.server.stop())
  const { text } = await post(other.url, '{"jsonrpc":"2.0","id":1,"method":"chain_head"}')
  t.same(JSON.parse(text), { jsonrpc: '2.0', id: 1, error: { code: -32603, message: 'The node failed to answer. Its log says why.', data: { code: 'internal' } } })
  t.match(other.log.lines.find(({ event }) => event === 'rpc-internal-error')?.data, { method: 'chain_head', error: /secret/ })
})

t.test('cometbft #5861: ids come back byte for byte', async (t) => {
  for (const id of ['1', '0', '-5', '9007199254740993', '123456789012345678901234567890', '""', '"a b"', '"\\u00e9\\ud83d\\ude00"', '"동백"', 'null', `"${'x'.repeat(200)}"`]) {
    const { text } = await post(url, `{"jsonrpc":"2.0","id": ${id} ,"method":"chain_head"}`)
    t.ok(text.startsWith(`{"jsonrpc":"2.0","id":${id},"result"`), id)
    const batch = await post(url, `[{"id":${id},"jsonrpc":"2.0","method":"nothing"}]`)
    t.ok(batch.text.startsWith(`[{"jsonrpc":"2.0","id":${id},"error"`), id)
  }
  for (const id of ['1.5', '1e3', 'true', '{}', '[]', `"${'x'.repeat(300)}"`]) {
    t.match(await call(`{"jsonrpc":"2.0","id":${id},"method":"chain_head"}`), { id: null, error: { code: -32600 } }, id)
  }
  // an "id" among the parameters is none of the call
  const { text } = await post(url, '{"jsonrpc":"2.0","method":"tx_get","params":{"id":"x"}}')
  t.equal(text, '')
})

t.test('notifications get no answer, whatever is wrong with them', async (t) => {
  for (const body of ['{"jsonrpc":"2.0","method":"chain_head"}', '{"jsonrpc":"2.0","method":"nothing"}', '{"jsonrpc":"2.0","method":"tx_get","params":{"id":5}}', '[{"jsonrpc":"2.0","method":"chain_head"}]']) {
    t.same(await post(url, body), { status: 204, text: '' })
  }
  // they run all the same
  const signed = await city.sign('points.spend', { program: 'multi-child-2025', merchant: citizens[0]!.did, amount: 1 as never }, [citizens[11]!])
  const before = city.chain.backend.head().height
  await post(url, JSON.stringify({ jsonrpc: '2.0', method: 'tx_submit', params: { transaction: Buffer.from(signed.bytes).toString('base64url') } }))
  t.equal(city.chain.backend.head().height, before + 1)
})

t.test('batches', async (t) => {
  const { text } = await post(url, '[{"jsonrpc":"2.0","id":1,"method":"chain_head"},5,{"jsonrpc":"2.0","method":"chain_head"},{"jsonrpc":"2.0","id":"b","method":"nothing"},{"jsonrpc":"2.0","id":3,"method":"node_status"}]')
  t.match(JSON.parse(text), [{ id: 1, result: {} }, { id: null, error: { code: -32600 } }, { id: 'b', error: { code: -32601 } }, { id: 3, result: {} }])
  t.match(await call('[]'), { id: null, error: { code: -32600 } })
  const many = (n: number): string => `[${Array.from({ length: n }, (_, i) => `{"jsonrpc":"2.0","id":${i},"method":"chain_head"}`).join(',')}]`
  const answers = JSON.parse((await post(url, many(batchCallsMax))).text) as Answer[]
  t.same(answers.map(({ id }) => id), Array.from({ length: batchCallsMax }, (_, i) => i), 'in the order of the calls')
  t.match(await call(many(batchCallsMax + 1)), { id: null, error: { code: -32600 } })
})

t.test('a batch that takes too long or answers too much is cut short, call by call', async (t) => {
  const method = (name: string, answer: () => Promise<Json>): [string, Method] => [name, { method: name, summary: '', paramsSchema: {}, resultSchema: {}, example: {}, errors: [], cost: 1, answer, text: async () => JSON.stringify(await answer()) }]
  const large = 'x'.repeat(batchAnswerBytesMax)
  let nowMs = 0
  t.teardown(() => void Reflect.deleteProperty(performance, 'now'))
  Object.defineProperty(performance, 'now', { value: () => nowMs, configurable: true })
  const { answer } = createDispatcher({
    methods: new Map([
      method('large', async () => large),
      method('slow', async () => {
        nowMs += batchTimeoutMs + 1
        return 0
      }),
    ]),
    context: { backend: city.chain.backend, feed: undefined as never, answers: undefined as never, discover: () => ({}) },
    onInternalError: () => {},
    onCall: () => {},
  })
  const codes = async (name: string): Promise<readonly (string | undefined)[]> => {
    const calls = JSON.stringify(Array.from({ length: batchParallel + 1 }, (_, id) => ({ jsonrpc: '2.0', id, method: name })))
    const text = await answer(new TextEncoder().encode(calls), { signal: AbortSignal.timeout(60_000), take: () => 0, own: new Map() })
    return (JSON.parse(text ?? '[]') as { readonly error?: { readonly data?: { readonly code?: string } } }[]).map(({ error }) => error?.data?.code)
  }
  t.same([...new Set(await codes('slow'))], [undefined, 'rpc/batch-timeout'])
  t.same((await codes('large')).at(-1), 'rpc/answer-too-large')
})

t.test('Fastify: a duplicate key or 1e400 passes its parser. Hostile bodies are refused by ours', async (t) => {
  t.equal(await errorOf(`{"jsonrpc":"2.0","id":1,"method":"chain_head","params":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}`), -32700)
  t.equal(await errorOf('['.repeat(100_000)), -32700)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_head","params":{"__proto__":{"x":1}}}'), -32700)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"chain_head","method":"node_status"}'), -32700)
  t.equal(await errorOf('{"jsonrpc":"2.0","id":1,"method":"tx_wait","params":{"timeoutMs":1e400}}'), -32700)
  const { text } = await post(url, new Uint8Array([0xff, 0xfe, 0x00, 0x80]))
  t.match(JSON.parse(text), { id: null, error: { code: -32700 } })
  t.equal((await post(url, ' '.repeat(requestBytesMax + 1))).status, 413)
  t.match(await post(url, 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }), { status: 415, text: /application\/json/ })
  t.match(await post(`${url}/nowhere`, '{}'), { status: 404, text: /POST \// })
})

t.test('two thousand calls, valid, nearly valid and rubbish: never a 5xx, never a stack, never an error inside', async (t) => {
  const own = createCity()
  await liveADay(own)
  const served = await serve(own)
  t.teardown(async () => served.server.stop())
  const { seen, wrong } = await fuzz({ city: own, url: served.url, errors: () => served.log.lines.filter(({ level }) => level === 'error'), calls: 2_000, seed: 20_261_123 })
  t.same(wrong, [])
  for (const kind of ['result', '-32700', '-32600', '-32601', '-32602', '-32022', '-32052', 'notification', 'page 200', 'page 404']) t.ok((seen[kind] ?? 0) > 0, `${kind}: ${seen[kind]}`)
  // it does notice
  const broken = { ...own, chain: { ...own.chain, backend: { ...own.chain.backend, head: () => { throw new Error('at /place/on/disk.ts:5') } } } }
  const other = await serve(broken)
  t.teardown(async () => other.server.stop())
  t.ok((await fuzz({ city: own, url: other.url, errors: () => other.log.lines.filter(({ level }) => level === 'error'), calls: 300, seed: 1 })).wrong.length > 5)
})

t.test('depth counts up to its limit', async (t) => {
  const nested = (levels: number): string => `{"jsonrpc":"2.0","id":1,"method":"chain_head","params":${'{"a":'.repeat(levels - 2)}{}${'}'.repeat(levels - 2)}}`
  t.equal(await errorOf(nested(jsonDepthMax)), -32602)
  t.equal(await errorOf(nested(jsonDepthMax + 1)), -32700)
})
