// Every method of the OpenRPC document by its example, on a live node: four validators with their votes, blocks and state, after launch day was played on them. An example
// that names what is made anew on every chain (a DID, a hash, a transaction) is asked with what is there; every method must give a result, in the shape of the document.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import t from 'tap'
import { WebSocket } from 'ws'
import { devnet as preset } from '../../genesis/presets/devnet.ts'
import { systemClock } from '../../node/clock.ts'
import type { Hash, TimeMs, TransactionId, Won } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { exampleDid, exampleHash } from '../../rpc/api/declare.ts'
import { exampleTransaction } from '../../rpc/api/tx.ts'
import { buildTransaction, createClient, randomSeed, signTransaction, toBase64url, walletFromSeed } from '../../rpc/client/index.ts'
import { queryExamples } from '../../rpc/examples.ts'
import { secretHash } from '../../state/reservation/lottery.ts'
import { citizenship } from '../../scripts/devnet/chapters/citizenship.ts'
import { applications, multiChild, opening, spending } from '../../scripts/devnet/chapters/funds.ts'
import { lecture, post, venue } from '../../scripts/devnet/chapters/places.ts'
import { settlement } from '../../scripts/devnet/chapters/settlement.ts'
import { openJournal } from '../../scripts/devnet/journal.ts'
import { bytesOf, createStory } from '../../scripts/devnet/story.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'

interface Described {
  readonly name: string
  readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: JsonObject }[]
  readonly result: { readonly schema: JsonObject }
  readonly examples: readonly { readonly params: readonly { readonly name: string; readonly value: Json }[] }[]
}

const hourMs = 3_600_000
let aheadMs = 0
const assembled = createAssembled({ preset, clock: { ...systemClock, now: () => Date.now() + aheadMs } })
const folder = mkdtempSync(join(tmpdir(), 'dongbaek-examples-'))
t.teardown(async () => {
  await assembled.stopAll()
  rmSync(folder, { recursive: true, force: true })
})
await Promise.all(assembled.names.map(assembled.start))
const { url, chainId } = assembled.node('validator-0')
const client = createClient({ url })
await until(async () => (await client.call('node_status', {})).ready, 30_000)

const journal = openJournal(join(folder, 'journal.json'), { chainId, startedMs: Date.now(), seed: toBase64url(randomBytes(32)) })
const story = createStory(client, { folder, genesis: assembled.genesis, chainId, nodes: [], seedOf, launchDayFile: '', isNew: true }, journal)
for (const chapter of [citizenship, opening, applications, spending, lecture, post, settlement]) await chapter.play(story, () => {})

// what launch day leaves out
const idOf = (key: string): string => journal.entry(key)?.id ?? ''
const [two, three, youth, bookshop, settler, operator] = [story.citizen('two'), story.citizen('three'), story.citizen('youth'), story.office('bookshop'), story.office('settler'), story.office('operator')]
await story.send('hold', { kind: 'points.authorise', by: three, payload: { program: multiChild, merchant: bookshop.did, amount: 5_000 as Won, expiresMs: (Date.now() + 24 * hourMs) as TimeMs } })
await story.send('refund', { kind: 'points.refund', by: bookshop, payload: { purchase: bytesOf(idOf('spend-books')) as TransactionId, amount: 2_000 as Won } })
const repaid = 'BNK-launch-day-0002'
await story.send('repay', { kind: 'points.repay', by: settler, payload: { payment: repaid, merchant: bookshop.did, program: multiChild, amount: 1_000 as Won } })
await story.send('recovery', { kind: 'did.requestRecovery', by: story.office('registrar'), payload: { did: youth.did, keys: [walletFromSeed(randomSeed()).didKey], services: [] } })
const lottery = 'launch-day-lottery'
const nowMs = Date.now()
const commitment = (wallet: typeof two): { by: typeof two.did; hash: Hash } => ({ by: wallet.did, hash: secretHash(lottery, wallet.did, new Uint8Array(32).fill(1)) })
await story.send('open-lottery', {
  kind: 'reservation.openSlots',
  by: operator,
  countersigned: [settler],
  payload: {
    facility: venue().id,
    slots: [{ id: lottery, opensMs: (nowMs - hourMs) as TimeMs, closesMs: (nowMs + hourMs) as TimeMs, startsMs: (nowMs + 48 * hourMs) as TimeMs, endsMs: (nowMs + 49 * hourMs) as TimeMs, cancelUntilMs: (nowMs + 40 * hourMs) as TimeMs, capacity: 1, waitlistMax: 0, lottery: [commitment(operator), commitment(settler)] }],
  },
})
await story.send('enter-lottery', { kind: 'reservation.reserve', by: two, payload: { slot: lottery } })
aheadMs = 2 * hourMs
const later = async (): Promise<Awaited<ReturnType<typeof signTransaction>>> => signTransaction(buildTransaction({ chain: chainId, kind: 'points.spend', sender: two, payload: { program: multiChild, merchant: bookshop.did, amount: 1_000 as Won }, validUntilMs: Date.now() + aheadMs + 60_000 }), [two])
const spent = await later()
await client.call('tx_submit', { transaction: toBase64url(spent.bytes) })
// not an assertion of tap's, after which it would hold the file for finished
assert.equal((await client.call('tx_wait', { id: toBase64url(spent.id), timeoutMs: 20_000 })).status, 'ok')

/** In the place of what is on no chain. By method where one thing does not do for all. */
const anywhere = { did: two.did, issuer: story.office('issuer').did, merchant: bookshop.did, id: idOf('spend-books'), transaction: toBase64url((await later()).bytes) }
const body = await client.call('community_putBody', { body: toBase64url(utf8(createHash('sha256').update('글').digest('hex'))) })
const anchored = (await client.call('tx_get', { id: idOf('anchor-card') })).transaction.payload as { readonly hashes: readonly string[] }
const there: Readonly<Record<string, JsonObject>> = {
  did_pending: { did: youth.did },
  credential_anchor: { hash: anchored.hashes[0] as string },
  points_hold: { purchase: idOf('hold') },
  points_purchase: { purchase: idOf('spend-books') },
  points_repayment: { payment: repaid },
  reservation_draw: { slot: lottery },
  community_getBody: { hash: body.hash },
  community_post: { post: idOf('post') },
}

const { methods } = (await (await fetch(`${url}/openrpc.json`)).json()) as { readonly methods: readonly Described[] }
const ajv = new Ajv({ strict: false, validateFormats: false })
const placeholders: ReadonlySet<Json> = new Set([exampleDid, exampleHash, exampleTransaction])

const paramsOf = ({ name, examples }: Described): JsonObject => {
  const example = Object.fromEntries((examples[0]?.params ?? []).map((param) => [param.name, param.value]))
  const filled = Object.fromEntries(Object.entries(example).map(([param, value]) => [param, placeholders.has(value) ? (anywhere[param as keyof typeof anywhere] ?? value) : value]))
  return { ...filled, ...there[name] }
}

const ask = async (name: string, params: JsonObject): Promise<{ readonly result?: Json; readonly error?: { readonly message: string; readonly data?: { readonly code?: string } } }> =>
  (await (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: name, params }) })).json()) as never

t.test('every method has an example, by the names and schemas of its parameters', async (t) => {
  t.ok(methods.length > 60)
  for (const { name, params, examples } of methods) {
    t.equal(examples.length, 1, name)
    const given = new Map(examples[0]?.params.map((param) => [param.name, param.value]))
    for (const { name: param, required } of params) t.ok(!required || given.has(param), `${name} shows ${param}`)
    for (const [param, value] of given) {
      const described = params.find((each) => each.name === param)
      t.ok(described !== undefined && ajv.validate(described.schema, value), `${name}, ${param}: ${ajv.errorsText()}`)
    }
  }
  t.same(Object.keys(queryExamples).filter((name) => !methods.some((method) => method.name === name)), [], 'no example of a method that there is not')
})

for (const method of methods.filter(({ name }) => !['subscribe', 'unsubscribe'].includes(name))) {
  t.test(`${method.name} answers its example`, async (t) => {
    const params = paramsOf(method)
    t.same(Object.values(params).filter((value) => placeholders.has(value)), [], 'nothing in it stands for something else')
    const { result, error } = await ask(method.name, params)
    t.equal(error, undefined, JSON.stringify(params))
    t.ok(ajv.validate(method.result.schema, result), ajv.errorsText())
  })
}

t.test('subscribe and unsubscribe answer theirs over a WebSocket', async (t) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
  t.teardown(() => socket.terminate())
  const received: { readonly id?: number; readonly result?: { readonly id: string }; readonly params?: { readonly item: { readonly event: { readonly type: string } } } }[] = []
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as (typeof received)[number]))
  await new Promise((resolve) => socket.on('open', resolve))
  const answer = async (id: number, name: string, params: JsonObject): Promise<Json> => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: name, params }))
    await until(() => received.some((each) => each.id === id))
    return (received.find((each) => each.id === id)?.result ?? null) as Json
  }
  const [subscribe, unsubscribe] = ['subscribe', 'unsubscribe'].map((name) => methods.find((method) => method.name === name) as Described) as [Described, Described]
  const opened = await answer(1, 'subscribe', paramsOf(subscribe))
  t.ok(ajv.validate(subscribe.result.schema, opened), ajv.errorsText())
  await until(() => received.some(({ params }) => params?.item.event.type === 'points.settled'))
  const ended = await answer(2, 'unsubscribe', { id: (opened as { id: string }).id })
  t.ok(ajv.validate(unsubscribe.result.schema, ended), ajv.errorsText())
})
