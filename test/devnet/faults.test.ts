// What a network of real processes survives: the kills of the issue, on four validators and an observer, one network for all of it.
import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { DevnetNode } from '../../scripts/devnet/network.ts'
import type { Client } from '../../rpc/client/index.ts'
import { startCluster, submission, until } from './cluster.ts'

/** What keeps a node from being well; empty when it is. */
async function wellness(client: Client): Promise<readonly string[]> {
  const { ready, problems, head, checkpoint } = await client.call('node_status', {})
  return [...problems, ...(ready ? [] : ['not ready']), ...(checkpoint?.height === head.height ? [] : [`certified up to ${checkpoint?.height ?? 0} of ${head.height}`])]
}

t.test('four validators, two of each organisation', { timeout: 240_000 }, async (t) => {
  const cluster = await startCluster(t, { validators: 4, observers: 1 })
  const { validators, network, start, kill, commit, height } = cluster
  const observer = network.nodes.find(({ role }) => role === 'observer') as DevnetNode
  start(...network.nodes)
  await cluster.ready(network.nodes)
  const others = (...gone: readonly DevnetNode[]): readonly DevnetNode[] => validators.filter((node) => !gone.includes(node))

  t.equal((await commit(observer, 10_000)).status, 'ok', 'the first transaction, through the observer')

  await t.test('kill -9 of a backup: the chain goes on', async (t) => {
    const primary = await cluster.primary()
    const backup = others(primary)[0] as DevnetNode
    await kill(backup)
    const started = performance.now()
    t.equal((await commit(observer, 5_000)).status, 'ok')
    t.ok(performance.now() - started < 2_000, `a dead backup costs nothing: ${Math.round(performance.now() - started)} ms`)
    start(backup)
    await cluster.ready([backup])
    const head = await height(observer)
    t.ok((await until(async () => (await height(backup)) >= head, 10_000, 'it catches up')) < 10_000)
  })

  await t.test('kill -9 of the primary: the chain goes on within 5 s, and the restarted one votes', async (t) => {
    const primary = await cluster.primary()
    await kill(primary)
    const started = performance.now()
    t.equal((await commit(observer, 10_000)).status, 'ok')
    const ms = Math.round(performance.now() - started)
    t.ok(ms < 5_000, `${ms} ms until a block without the primary`)
    const again = performance.now()
    await commit(observer, 5_000)
    t.ok(performance.now() - again < 1_500, `once voted past, a dead one slows no block: ${Math.round(performance.now() - again)} ms`)
    start(primary)
    await cluster.ready([primary])
    const head = await height(observer)
    await until(async () => (await height(primary)) >= head, 10_000, 'it catches up')
    // with another one dead, three of four are needed: so the restarted one must vote
    const other = others(primary, await cluster.primary())[0] as DevnetNode
    await kill(other)
    t.equal((await commit(observer, 10_000)).status, 'ok', 'a quorum needs its vote')
    start(other)
    await cluster.ready([other])
  })

  await t.test('kill -9 of all four at once: every receipt is still there, and the chain goes on', async (t) => {
    await Promise.all(Array.from({ length: 20 }, () => commit(observer, 10_000)))
    await kill(...validators)
    start(...validators)
    await cluster.ready(validators)
    await until(async () => (await height(validators[0] as DevnetNode)) >= (cluster.acknowledged.at(-1)?.height ?? 0), 10_000, 'the blocks are back')
    for (const node of validators) t.strictSame(await cluster.missing(node), [], `${node.name} holds all ${cluster.acknowledged.length} receipts`)
    t.equal((await commit(observer, 10_000)).status, 'ok')
  })

  await t.test('two of four down: no block; one back: blocks again within 10 s', async (t) => {
    const [first, second, third] = validators as readonly [DevnetNode, DevnetNode, DevnetNode]
    await kill(first, second)
    const before = await height(third)
    const waiting = await cluster.transaction()
    await cluster.client(third).call('tx_submit', submission(waiting)).catch(() => undefined)
    await pause(6_000)
    t.equal(await height(third), before, 'no block without a quorum')
    start(first)
    // a process takes its time to start on a busy machine; the ten seconds are the network's, from when it is back
    await until(async () => (await height(first)) >= 0, 60_000, 'the third process answers')
    const ms = await until(async () => (await height(third)) > before, 10_000, 'blocks again').catch(async (error: unknown) => {
      t.fail(await cluster.describe())
      throw error
    })
    t.equal((await commit(third, 10_000)).status, 'ok')
    t.ok(ms < 10_000, `${Math.round(ms)} ms from when the third process answers to a final block`)
    start(second)
    await cluster.ready(validators)
    for (const node of validators) t.strictSame(await cluster.missing(node), [], `${node.name} lost nothing`)
  })

  await t.test('all four restarted, one with its data gone: it catches up and votes, and the rest never wait', async (t) => {
    const empty = validators[3] as DevnetNode
    await kill(...validators)
    rmSync(path.join(empty.folder, 'data'), { recursive: true })
    start(...validators)
    await cluster.ready(others(empty))
    t.equal((await commit(others(empty)[0] as DevnetNode, 10_000)).status, 'ok', 'the other three go on')
    const head = await height(validators[0] as DevnetNode)
    await until(async () => (await height(empty)) >= head, 20_000, 'the emptied one catches up')
    t.strictSame(await cluster.missing(empty), [], 'it holds every receipt again')
    await until(async () => (await wellness(cluster.client(empty))).length === 0, 15_000, 'it is well')
    const other = validators[1] as DevnetNode
    await kill(other)
    t.equal((await commit(observer, 10_000)).status, 'ok', 'a quorum needs its vote')
    start(other)
    await cluster.ready([other])
  })

  await t.test('after all that, every node is well and the state is certified', async (t) => {
    for (const node of network.nodes) {
      const status = (): ReturnType<typeof wellness> => wellness(cluster.client(node))
      await until(async () => (await status()).length === 0, 15_000, 'well').catch(() => undefined)
      t.strictSame(await status(), [], node.name)
    }
  })
})
