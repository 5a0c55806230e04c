// What LevelDB can lose or mix up without a word, row by row: noticed when the chain is opened, and when it is read.
import t from 'tap'
import { buildTransaction, createClient, randomSeed, signTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { createChainStore } from '../../node/chain-store.ts'
import { checkedSource } from '../../node/checked-state.ts'
import { silentLog } from '../../node/log.ts'
import { openChain } from '../../node/open-chain.ts'
import type { Height } from '../../primitives/brand.ts'
import { fromUtf8, toHex, utf8 } from '../../primitives/bytes.ts'
import { createStateTree } from '../../state/tree.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import type { MemoryStore } from '../support/memory-store.ts'
import { until } from '../support/until.ts'

const nodes = createAssembled()
t.teardown(nodes.stopAll)
const name = 'validator-0'
const registrar = walletFromSeed(seedOf('registrar'))

async function register(count: number): Promise<void> {
  await Promise.all(nodes.names.map(nodes.start))
  const { url, chainId } = nodes.node(name)
  const client = createClient({ url })
  await until(async () => (await client.call('node_status', {})).ready, 60_000)
  for (let i = 0; i < count; i++) {
    const wallet = walletFromSeed(randomSeed())
    const unsigned = buildTransaction({ chain: chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
    await submitAndWait(client, await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 60_000 })
  }
  await Promise.all(nodes.names.map(nodes.stop))
}

const copy = (): MemoryStore => (nodes.store(name) as MemoryStore).crash()

async function rowsOf(store: MemoryStore): Promise<{ readonly key: Uint8Array; readonly value: Uint8Array }[]> {
  const rows: { readonly key: Uint8Array; readonly value: Uint8Array }[] = []
  for await (const row of store.iterate({})) rows.push(row)
  return rows
}

const kindOf = (key: Uint8Array): string => String.fromCharCode(key[0] as number)
const open = (store: MemoryStore): Promise<unknown> => openChain(store, nodes.genesis, 16, silentLog)
const damaged = { code: 'store/damaged', message: /memory.*dongbaek resync/ }

t.test('LevelDB: a byte in its log loses rows without a word. A chain in which any row is missing is refused, whichever it is', async (t) => {
  await register(5)
  await open(copy())
  const lost = new Map<string, number>()
  for (const { key } of await rowsOf(copy())) {
    const kind = kindOf(key)
    // checkpoints are spaced and pruned; how far votes and syncs had got may be behind
    if (kind === 'c' || (kind === 'm' && toHex(key) !== toHex(utf8('mhead')))) continue
    const store = copy()
    await store.batch([{ type: 'del', key }], { sync: true })
    await t.rejects(open(store), damaged, `${kind} ${toHex(key).slice(2, 30)}`)
    lost.set(kind, (lost.get(kind) ?? 0) + 1)
  }
  t.strictSame([...lost.keys()].sort(), ['b', 'd', 'h', 'm', 'n', 'p', 'r', 's', 't'])
})

t.test('rows of another time under a head that does not know them are refused', async (t) => {
  const older = new Map((await rowsOf(copy())).map(({ key, value }) => [toHex(key), value]))
  await register(2)
  // newer blocks over an older head and its state, as after an older log of LevelDB
  const mixed = copy()
  for (const { key } of await rowsOf(mixed)) {
    if (!['s', 'n', 'm'].includes(kindOf(key))) continue
    const value = older.get(toHex(key))
    await mixed.batch([value === undefined ? { type: 'del', key } : { type: 'put', key, value }], { sync: true })
  }
  await t.rejects(open(mixed), { ...damaged, message: /above its own head/ })
  // a value of the state that an older table brings back, one at a time
  let stale = 0
  for (const { key, value } of await rowsOf(copy())) {
    const before = older.get(toHex(key))
    if (!['s', 'n'].includes(kindOf(key)) || before === undefined || Buffer.from(before).equals(value)) continue
    const store = copy()
    await store.batch([{ type: 'put', key, value: before }], { sync: true })
    await t.rejects(open(store), damaged, toHex(key))
    stale++
  }
  t.ok(stale > 1)
})

t.test('what was not walked at the start is noticed when it is read', async (t) => {
  const rows = await rowsOf(copy())
  for (const kind of ['b', 'p', 'r']) {
    const store = copy()
    const { key } = rows.find((row) => kindOf(row.key) === kind) as { readonly key: Uint8Array }
    await store.batch([{ type: 'del', key }], { sync: true })
    const chain = createChainStore(store)
    const read = { b: chain.block, p: chain.payload, r: chain.results }[kind] as (height: Height) => unknown
    t.throws(() => read(1 as Height), damaged, kind)
    t.equal(read((chain.head().height + 1) as Height), undefined, 'above the head there is nothing yet')
  }
  const state = rows.filter(({ key }) => kindOf(key) === 's')
  for (const { key } of state.slice(0, 20)) {
    const store = copy()
    const name = fromUtf8(key).slice(1)
    const chain = createChainStore(store)
    const source = checkedSource(chain.stateValue, createStateTree(chain.treePage, 100), 'memory')
    t.ok(source.get(name))
    t.equal(source.get(`${name}x`), undefined, 'absent in the tree too')
    await store.batch([{ type: 'del', key }], { sync: true })
    t.throws(() => source.get(name), damaged)
    await chain.query(async (_, query) => {
      t.throws(() => query.get(name), damaged)
      t.equal(query.get(`${name}x`), undefined)
    })
    await store.batch([{ type: 'put', key, value: utf8('another') }], { sync: true })
    t.throws(() => source.get(name), { ...damaged, message: /older or another/ })
  }
  for (const { key } of rows.filter((row) => kindOf(row.key) === 'n' && row.key.length > 1).slice(0, 20)) {
    const store = copy()
    await store.batch([{ type: 'del', key }], { sync: true })
    const tree = createStateTree(createChainStore(store).treePage, 100)
    t.throws(tree.count, { code: 'state/damaged' })
  }
})
