// The feed of events is one list: whoever replays it from the genesis, over HTTP or WebSocket, at whichever node, over connections that break anywhere and with pauses of its own,
// has the same bytes in the end. Over real nodes, while transactions are ordered and a node goes away and comes back.
import t from 'tap'
import type { Hash, TimeMs, Won } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { buildTransaction, createClient, DongbaekError, followEvents, type KindName, type PayloadOf, recoveryHashOf, type Signer, signTransaction, type SignedTransaction, submitAndWait, subscribe, type Wallet, walletFromSeed } from '../../rpc/client/index.ts'
import { randomOf } from '../simulator/random.ts'
import { createCluster } from '../support/cluster.ts'
import { seedOf } from '../support/genesis.ts'
import { until } from '../support/until.ts'
import { wire } from '../support/wire.ts'

const seeds = [1, 2, 3]
const spends = 60

/** One that has read from the genesis on until the transaction `last` was told. */
interface Reader {
  readonly name: string
  readonly items: readonly Json[]
  readonly breaks: () => number
}

t.test('replayed from the genesis by three clients that are cut off at random: byte for byte the same', async (t) => {
  const cluster = await createCluster({ observers: 1 })
  t.teardown(async () => cluster.stopAll())
  await Promise.all(cluster.names.map(cluster.start))
  const urlOf = (name: string) => (): string => cluster.node(name)?.url ?? 'http://127.0.0.1:1'
  const all = cluster.names.map((name) => urlOf(name)())
  await until(async () => (await Promise.all(all.map((url) => createClient({ url }).call('node_status', {})))).every(({ ready }) => ready), 60_000)
  const client = createClient({ urls: all })
  const { chainId } = await client.call('node_status', {})
  const sign = async <K extends KindName>(kind: K, payload: PayloadOf<K>, ...signers: readonly [Signer, ...Signer[]]): Promise<SignedTransaction> => {
    const [sender, ...countersigners] = signers
    return signTransaction(buildTransaction({ chain: chainId, kind, sender, countersigners, payload }), signers)
  }
  const office = (name: string): Wallet => walletFromSeed(seedOf(name))
  const citizens = Array.from({ length: 6 }, (_, i) => office(`citizen ${i}`))
  const shop = office('bookshop')
  const spend = (i: number): PayloadOf<'points.spend'> => ({ program: 'multi-child', merchant: shop.did, amount: (1_000 + i) as Won })
  const last = await sign('points.spend', spend(0), citizens[0]!)

  const isLast = (item: Json): boolean => (item as JsonObject)['transaction'] === toBase64url(last.id)
  const stopAtMs = Date.now() + 120_000
  const goOn = (items: readonly Json[]): boolean => {
    if (Date.now() > stopAtMs) throw new Error(`only ${items.length} items so far`)
    return !items.some(isLast)
  }

  /** Each connection carries some bytes, then breaks, or hangs; once in a while it lasts. */
  const brokenWire = async (name: string, seed: number): Promise<{ readonly url: string; readonly breaks: () => number }> => {
    const random = randomOf(seed)
    let connections = 0
    const url = await wire(t, urlOf(name), () => {
      connections++
      return (random.chance(0.1) ? -1 : 1) * random.below(random.chance(0.2) ? 40_000 : 6_000)
    })
    return { url, breaks: () => connections - 1 }
  }

  const byPolling = async (name: string, seed: number): Promise<Reader> => {
    const [{ url, breaks }, random] = [await brokenWire(name, seed), randomOf(seed + 1)]
    const items: Json[] = []
    let cursor = ''
    while (goOn(items)) {
      try {
        for await (const page of followEvents(createClient({ url, rounds: 1, timeoutMs: 500 }), { cursor, limit: 1 + random.below(30), everyMs: 20 })) {
          items.push(...page.items)
          cursor = page.next
          // it stops by itself too, and goes on from what it has stored
          if (!goOn(items) || random.chance(0.1)) break
        }
      } catch (thrown) {
        if (!(thrown instanceof DongbaekError) || !/^client\/(?:unreachable|timeout|bad-answer)$/.test(thrown.code)) throw thrown
      }
    }
    return { name: `polling at ${name}`, items, breaks }
  }

  const bySubscription = async (name: string, seed: number): Promise<Reader> => {
    const [{ url, breaks }, random] = [await brokenWire(name, seed), randomOf(seed + 1)]
    const items: Json[] = []
    let cursor = ''
    while (goOn(items)) {
      // a connection that hangs, and a node that is away, are noticed by silence
      for await (const notice of subscribe({ urls: [url], channel: 'events', from: cursor, quietMs: 300 })) {
        cursor = notice.cursor
        if (notice.item !== undefined) items.push(notice.item)
        if (!goOn(items) || random.chance(0.02)) break
      }
    }
    return { name: `subscribed at ${name}`, items, breaks }
  }

  const readers = seeds.flatMap((seed) => [byPolling('validator-0', 100 * seed), bySubscription('observer-0', 100 * seed + 10), bySubscription('validator-3', 100 * seed + 20)])

  const load = async (): Promise<void> => {
    const random = randomOf(7)
    const done = async (signed: SignedTransaction): Promise<void> => void t.equal((await submitAndWait(client, signed)).status, 'ok')
    for (const citizen of citizens) await done(await sign('did.register', { keys: [citizen.didKey], services: [], recovery: recoveryHashOf(office('paper').key) }, citizen, office('registrar')))
    const opens = (Date.now() - 60_000) as TimeMs
    const closes = (Date.now() + 86_400_000) as TimeMs
    const terms = { kind: 'points' as const, title: '다자녀 교육지원 포인트', tiers: [{ tier: 'two-children', amount: 300_000 as Won }], applicationOpensMs: opens, applicationClosesMs: closes, useOpensMs: opens, useClosesMs: closes, categories: ['bookshop'], decide: 'officer' as const, leftover: 'reclaimed' as const }
    await done(await sign('points.openProgram', { program: 'multi-child', budget: 10_000_000 as Won, terms }, office('officer')))
    await done(await sign('points.issue', { program: 'multi-child', grants: citizens.map(({ did }, i) => ({ did, tier: 'two-children', pseudonym: new Uint8Array(32).fill(i + 1) as Hash })) }, office('officer')))
    for (let i = 1; i <= spends; i++) {
      if (i === 20) await cluster.stop('validator-3')
      if (i === 40) await cluster.start('validator-3')
      const signed = await sign('points.spend', spend(i), citizens[random.below(citizens.length)]!)
      // several in a block, and blocks of one
      if (random.chance(0.3)) await done(signed)
      else await client.call('tx_submit', { transaction: toBase64url(signed.bytes) })
      await new Promise((resolve) => setTimeout(resolve, random.below(100)))
    }
    await done(last)
  }
  const [read] = await Promise.all([Promise.all(readers), load()])

  const truth: Json[] = []
  for await (const { items } of followEvents(createClient({ url: urlOf('validator-1')() }), { cursor: '', limit: 1_000 })) {
    truth.push(...items)
    if (truth.some(isLast)) break
  }
  const bytes = JSON.stringify(truth)
  t.equal(truth.length, 1 + 2 * citizens.length + spends + 1, 'each event of what was sent')
  for (const { name, items, breaks } of read) {
    t.equal(JSON.stringify(items), bytes, name)
    t.ok(breaks() >= 5, `${name}: ${breaks()} times cut off`)
  }
})
