// Every method answers its example, in the shape that the OpenRPC document promises; and the document is one.
import t from 'tap'
import { Ajv } from 'ajv'
import openRpcPackage from '@open-rpc/meta-schema'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { families, kinds } from '../../state/families.ts'
import { payloadSchemas } from '../../rpc/client/payloads.ts'
import { apiPage } from '../../rpc/api-page.ts'
import { listedCodes } from '../../rpc/errors.ts'
import { queryExamples } from '../../rpc/examples.ts'
import { methodList } from '../../rpc/methods/table.ts'
import { openRpcDocument } from '../../rpc/openrpc.ts'
import { citizens, createCity, liveADay, program, serve, shop } from './scenario.ts'

const city = createCity()
await liveADay(city)
const { server, url, client } = await serve(city)
t.teardown(async () => server.stop())
const { backend } = city.chain

const ajv = new Ajv({ strict: false, validateFormats: false })
const idOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const head = (): number => backend.head().height

const call = async (method: string, params: JsonObject): Promise<{ result?: Json; error?: { code: number; message: string; data?: { code?: string } } }> => {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) })
  return (await response.json()) as never
}

const numbers = new Map(listedCodes.map(({ code, number }) => [code, number]))

for (const { method, resultSchema, example, errors, paramsSchema } of methodList) {
  t.test(`${method} answers its example`, async (t) => {
    t.ok(ajv.validate(paramsSchema, example), ajv.errorsText())
    const { result, error } = await call(method, example)
    if (error === undefined) t.ok(ajv.validate(resultSchema, result), ajv.errorsText())
    else {
      t.ok(errors.includes(error.data?.code ?? ''), `${error.message} ${JSON.stringify(error.data)}`)
      t.equal(error.code, numbers.get(error.data?.code ?? ''))
    }
  })
}

t.test('every query has an example', async (t) => {
  for (const family of families) for (const { method } of family.queries) t.ok(method in queryExamples, method)
})

t.test('with what is really there, every method of ours answers a result', async (t) => {
  const signed = await city.send('points.spend', { program, merchant: shop.did, amount: 5 as never }, [citizens[7]!])
  const other = await city.sign('points.spend', { program, merchant: shop.did, amount: 6 as never }, [citizens[7]!])
  const id = idOf(signed.id)
  const body = idOf(new TextEncoder().encode('글'))
  const put = await client.call('community_putBody', { body })
  const there: Readonly<Record<string, JsonObject>> = {
    chain_getBlock: { height: 4, transactions: 'full' },
    chain_getBlocks: { from: 2, limit: 3 },
    tx_submit: { transaction: idOf(other.bytes) },
    tx_wait: { id },
    tx_get: { id },
    tx_simulate: { transaction: idOf(signed.bytes) },
    tx_getByDid: { did: citizens[7]!.did, limit: 2 },
    tx_proof: { id },
    state_proof: { keys: ['parameters/current', 'nothing/here'] },
    events_since: { cursor: '3.5.e', limit: 1_000 },
    community_getBody: { hash: put.hash },
    points_balance: { did: citizens[7]!.did },
  }
  for (const [method, params] of Object.entries(there)) {
    const { result, error } = await call(method, params)
    t.equal(error, undefined, method)
    t.ok(ajv.validate(methodList.find((one) => one.method === method)!.resultSchema, result), `${method}: ${ajv.errorsText()}`)
  }
  t.same((await client.call('community_getBody', { hash: put.hash })).body, body)
})

t.test('blocks by height and by hash, in pages upwards and downwards', async (t) => {
  const four = await client.call('chain_getBlock', { height: 4 })
  t.same(await client.call('chain_getBlock', { hash: four.hash }), four)
  t.equal(four.transactions, undefined)
  const full = await client.call('chain_getBlock', { height: 4, transactions: 'full' })
  t.same(full.transactions!.map(({ id }) => id), four.ids)
  t.match(full.transactions![0], { kind: 'points.spend', payload: { program, merchant: shop.did, amount: 10_000 } })
  t.match(full.receipts![3], { status: 'refused', code: 'points/insufficient-balance' })
  for (const order of ['ascending', 'descending'] as const) {
    const seen: number[] = []
    for (let from: number | undefined = order === 'ascending' ? 1 : undefined; ; ) {
      const page: Awaited<ReturnType<typeof client.call<'chain_getBlocks'>>> = await client.call('chain_getBlocks', { limit: 4, order, ...(from === undefined ? {} : { from }) })
      seen.push(...page.items.map(({ height }) => height))
      if (page.next === undefined) break
      from = page.next
    }
    const all = Array.from({ length: head() }, (_, i) => i + 1)
    t.same(seen, order === 'ascending' ? all : all.reverse())
  }
  t.same((await client.call('chain_getBlocks', { from: head() + 5 })).items, [])
  city.chain.set({ oldestHeight: 6 })
  await t.rejects(client.call('chain_getBlock', { height: 5 }), { code: 'chain/pruned', data: { oldestHeight: 6 } })
  await t.rejects(client.call('chain_getBlocks', { from: 1 }), { code: 'chain/pruned' })
  city.chain.set({ oldestHeight: 1 })
})

t.test('transactions of a DID, newest first, page by page', async (t) => {
  const { did } = citizens[0]!
  const all = await client.call('tx_getByDid', { did })
  const paged: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page: Awaited<ReturnType<typeof client.call<'tx_getByDid'>>> = await client.call('tx_getByDid', { did, limit: 1, ...(cursor === undefined ? {} : { cursor }) })
    paged.push(...page.items.map(({ id }) => id))
    if (page.next === undefined) break
    cursor = page.next
  }
  t.ok(paged.length > 2)
  t.same(paged, all.items.map(({ id }) => id))
  t.same(all.items.map(({ height }) => height), all.items.map(({ height }) => height).sort((a, b) => b - a))
})

t.test('waiting', async (t) => {
  const signed = await city.sign('points.spend', { program, merchant: shop.did, amount: 7 as never }, [citizens[8]!])
  const id = idOf(signed.id)
  await t.rejects(client.call('tx_wait', { id, timeoutMs: 20 }), { code: 'tx/not-final' })
  const waiting = client.call('tx_wait', { id, timeoutMs: 5_000 })
  await new Promise((resolve) => setTimeout(resolve, 30))
  await client.call('tx_submit', { transaction: idOf(signed.bytes) })
  t.match(await waiting, { id, status: 'ok' })
  // the same again is the same
  t.same(await client.call('tx_submit', { transaction: idOf(signed.bytes) }), { id })
  t.equal((await client.call('tx_get', { id })).receipt.height, head())
})

t.test('the OpenRPC document', async (t) => {
  const document = openRpcDocument('1.2.3')
  const discovered = (await client.call('rpc.discover', {})) as JsonObject
  t.same(discovered, await (await fetch(`${url}/openrpc.json`)).json())
  t.same({ ...discovered, info: 0 }, { ...document, info: 0 })
  // the package is CommonJS: what it calls its default is one level down
  const { $schema: _, $id: __, ...metaSchema } = (openRpcPackage as unknown as { readonly default: JsonObject }).default
  // the meta-schema of JSON Schema itself is at an address; our schemas are checked by compiling them
  for (const $id of ['https://meta.json-schema.tools', 'https://meta.json-schema.tools/']) ajv.addSchema({ $id, definitions: { JSONSchemaObject: { properties: { $ref: { type: 'string' } } } } })
  t.ok(ajv.validate(metaSchema, document), ajv.errorsText(ajv.errors, { separator: '\n' }))
  t.notOk(ajv.validate(metaSchema, { ...document, methods: [{ summary: 'nameless' }] }), 'the meta-schema does refuse')
  for (const { paramsSchema, resultSchema } of methodList) for (const each of [paramsSchema, resultSchema]) ajv.compile(each)
  // without a result an example would be one of a notification
  for (const { name, result, examples } of document['methods'] as unknown as readonly { readonly name: string; readonly result: { readonly schema: JsonObject }; readonly examples: readonly { readonly result?: { readonly value: unknown } }[] }[]) {
    t.ok(ajv.validate(result.schema, examples[0]?.result?.value), `${name}: ${ajv.errorsText()}`)
  }
  const references = JSON.stringify(document).matchAll(/"#\/components\/errors\/([^"]+)"/g)
  const { errors } = document['components'] as { readonly errors: JsonObject }
  for (const [, key = ''] of references) t.ok(Object.hasOwn(errors, key), key)
  t.same(Object.keys(document['x-kinds'] as JsonObject), [...kinds.keys()])
  for (const family of families) for (const code of Object.keys(family.codes)) t.ok((document['x-codes'] as JsonObject)[code] !== undefined, code)
})

t.test('the page for reading', async (t) => {
  const response = await fetch(`${url}/api`)
  t.match(response.headers.get('content-type'), /^text\/html/)
  const page = await response.text()
  // every method with its parameters, every kind, event and code, and every link leads somewhere
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id)
  t.equal(new Set(ids).size, ids.length)
  t.same([...page.matchAll(/ href="#([^"]+)"/g)].map(([, id = '']) => id).filter((id) => !ids.includes(id)), [])
  const { methods, 'x-events': events } = openRpcDocument('1') as unknown as { readonly methods: readonly { readonly name: string; readonly params: readonly { readonly name: string }[] }[]; readonly 'x-events': JsonObject }
  t.same([...methods.map(({ name }) => name), ...[...kinds.keys()].map((kind) => `kind-${kind}`), ...Object.keys(events).map((type) => `event-${type}`), ...listedCodes.map(({ code }) => `code-${code}`)].filter((id) => !ids.includes(id)), [])
  for (const { name, params } of methods) {
    const own = page.slice(page.indexOf(`<h3 id="${name}">`)).split('<h3 ', 2).join('')
    for (const param of params) t.ok(own.includes(`<td><code>${param.name}</code>`), `${name} ${param.name}`)
  }
  t.notMatch(page, /<script|undefined|\[object|and so on|`|to any|of from/)
  t.match(page, '<code>amount</code>: integer 1 to 40,000,000,000,000<')
  t.match(apiPage({ ...openRpcDocument('<b>&"'), info: { title: '<script>', version: '"', description: '&' } }), /&lt;script&gt;.*&quot;.*<p>&amp;/s, 'nothing of the document is markup')
})

t.test('numbers of errors are stable, in their range, and every code has a sentence', async (t) => {
  for (const { code, number, sentence } of listedCodes) {
    t.ok(number <= -32000 && number >= -32099, code)
    t.ok(sentence.length > 10, `${code}: ${sentence}`)
  }
  t.equal(new Set(listedCodes.map(({ code }) => code)).size, listedCodes.length)
  const fixed = { 'rpc/rate-limited': -32000, 'node/not-ready': -32010, 'chain/not-found': -32020, 'tx/not-found': -32022, 'tx/not-final': -32023, 'tx/duplicate': -32030, 'codec/invalid': -32040, 'points/not-found': -32052, 'points/insufficient-balance': -32072 }
  for (const [code, number] of Object.entries(fixed)) t.equal(numbers.get(code), number, code)
  // the errors of one method can be told apart by their numbers, as OpenRPC demands
  for (const { method, errors } of methodList) t.equal(new Set(errors.map((code) => numbers.get(code))).size, errors.length, method)
})

t.test('the client knows every kind by the family’s own schema', async (t) => {
  const known: Readonly<Record<string, unknown>> = payloadSchemas
  for (const [name, { payload }] of kinds) t.equal(known[name], payload, name)
})
