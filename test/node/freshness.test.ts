// How stale a node says it is: whose word counts, from when on, and what real observers say as validators leave and come back.
import t from 'tap'
import { createFreshness, type Sight } from '../../node/freshness.ts'
import { createClient } from '../../rpc/client/index.ts'
import { createCluster } from '../support/cluster.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

const all = new Set(['a', 'b', 'c', 'd'])

t.test('whose word counts', async (t) => {
  const clock = createManualClock()
  let sight: Sight = { inTouch: true, connected: all, faulty: 1, fetching: 0, stored: 10, headMs: clock.now() - 60_000 }
  const see = (changes: Partial<Sight>): void => void (sight = { ...sight, ...changes })
  const freshness = createFreshness(clock, () => sight)
  t.same(freshness.behind(), { blocks: 0, ms: 0 }, 'an idle chain grows no older')
  freshness.told('a', 1_000_000)
  t.same(freshness.behind(), { blocks: 0, ms: 0 }, 'one of four may lie, so one is not believed')
  for (const name of ['b', 'c', 'd']) freshness.told(name, 10)
  t.same(freshness.behind(), { blocks: 0, ms: 0 })
  await clock.advance(5_000)
  freshness.told('b', 13)
  t.same(freshness.behind(), { blocks: 3, ms: 0 }, 'two are: one of them is honest')
  await clock.advance(700)
  t.same(freshness.behind(), { blocks: 3, ms: 700 }, 'since it was told, not since the last block')
  see({ stored: 12 })
  freshness.look()
  await clock.advance(100)
  t.same(freshness.behind(), { blocks: 1, ms: 800 })
  see({ stored: 13 })
  t.same(freshness.behind(), { blocks: 0, ms: 0 })
  freshness.told('a', 0)
  t.same(freshness.behind(), { blocks: 0, ms: 0 }, 'nor can one take back what others say')
  see({ fetching: 15 })
  t.equal(freshness.behind().blocks, 2, 'what comes with certificates needs nobody’s word')
})

t.test('out of touch', async (t) => {
  const clock = createManualClock()
  let sight: Sight = { inTouch: false, connected: new Set(['a']), faulty: 1, fetching: 0, stored: 0, headMs: clock.now() - 60_000 }
  const freshness = createFreshness(clock, () => sight)
  t.same(freshness.behind(), { blocks: 0, ms: 60_000 }, 'never in touch: as old as its last block')
  sight = { ...sight, inTouch: true, connected: all }
  freshness.look()
  await clock.advance(30_000)
  sight = { ...sight, inTouch: false, connected: new Set(['a']) }
  freshness.look()
  await clock.advance(2_000)
  t.same(freshness.behind(), { blocks: 0, ms: 2_000 }, 'since the peers went')
  sight = { ...sight, stored: 1, headMs: clock.now() - 40 }
  t.same(freshness.behind(), { blocks: 0, ms: 40 }, 'a certified block just made is proof by itself, whoever brought it')
  await clock.advance(1_000)
  t.same(freshness.behind(), { blocks: 0, ms: 1_040 })
  sight = { ...sight, headMs: clock.now() + 500 }
  t.same(freshness.behind(), { blocks: 0, ms: 0 }, 'stamped by a clock ahead of ours')
})

t.test('an observer with one validator in sight is out of touch; with one more than may lie it is not', { timeout: 240_000 }, async (t) => {
  const staleMs = 5_000
  const cluster = await createCluster({ observers: 1, genesisMs: Date.now() - 600_000, staleMs })
  t.teardown(() => cluster.stopAll())
  await Promise.all(cluster.names.map(cluster.start))
  const { url } = cluster.node('observer-0')
  const client = createClient({ url, rounds: 1 })
  const status = async (): ReturnType<typeof client.call<'node_status'>> => client.call('node_status', {})
  const readyz = async (): Promise<{ readonly status: number; readonly blocks: string | null; readonly ms: number }> => {
    const { status: code, headers } = await fetch(`${url}/readyz`, { method: 'HEAD' })
    return { status: code, blocks: headers.get('dongbaek-behind-blocks'), ms: Number(headers.get('dongbaek-behind-ms')) }
  }
  await until(async () => (await status()).peers === 4, 60_000)
  t.match(await status(), { ready: true, behind: { blocks: 0, ms: 0 }, problems: [] })
  t.same(await readyz(), { status: 200, blocks: '0', ms: 0 })

  await Promise.all(['validator-2', 'validator-3'].map(cluster.stop))
  await until(async () => (await status()).peers === 2, 20_000)
  await new Promise((resolve) => setTimeout(resolve, 2 * staleMs))
  t.match(await status(), { ready: true, behind: { blocks: 0, ms: 0 } }, 'two of four: one of them is honest, and would tell')

  await cluster.stop('validator-1')
  await until(async () => (await status()).peers === 1, 20_000)
  t.match((await status()).problems.join(' '), /1 of the 2 that are needed are in sight, so what this node shows may be old/)
  const first = (await status()).behind.ms
  t.ok(first < staleMs)
  t.equal((await readyz()).status, 200, 'not at once: a balancer should not drop it for a moment')
  await until(async () => (await readyz()).status === 503, 20_000)
  const stale = await readyz()
  t.ok(stale.ms > staleMs && stale.ms < 60_000, `${stale.ms} ms behind`)
  t.match(await (await fetch(`${url}/metrics`)).text(), /^dongbaek_behind_seconds [1-9][0-9.]*$/m)
  t.match(await status(), { ready: false, syncing: false })

  await cluster.start('validator-1')
  await until(async () => (await readyz()).status === 200, 20_000)
  t.equal((await readyz()).ms, 0)
})
