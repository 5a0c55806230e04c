// Bodies of posts: bounded while no post refers to them, for each source by itself; erased for good. And what gossip blames a peer for.
import t from 'tap'
import type { Hash, Height, TransactionId, View } from '../../primitives/brand.ts'
import { toBase64url, utf8 } from '../../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../../primitives/errors.ts'
import { sha256 } from '../../primitives/hash.ts'
import { type Bodies, type BodyStanding, openBodies } from '../../node/bodies.ts'
import { systemClock } from '../../node/clock.ts'
import { createBodyFetch } from '../../node/body-fetch.ts'
import { encodeBodiesAnswer } from '../../node/exchange.ts'
import { createGossip } from '../../node/gossip.ts'
import { bodyFetchPauseMaxMs, waitingBodiesBytesMax, waitingBodiesMax, waitingBodyMs } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createServing } from '../../node/serving.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createManualClock, type ManualClock, settled } from '../support/manual-clock.ts'
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts'
import { makeTransaction } from '../support/transactions.ts'

interface Rig {
  readonly store: MemoryStore
  readonly clock: ManualClock
  readonly bodies: Bodies
  readonly standing: Map<string, BodyStanding>
  readonly run: (type: string, hash: Hash) => Promise<void>
}

async function rig(store = createMemoryStore(), standing = new Map<string, BodyStanding>()): Promise<Rig> {
  const clock = createManualClock()
  const bodies = await openBodies({ store, clock, stateOf: (hash) => standing.get(toBase64url(hash)) ?? 'unknown' })
  return {
    store,
    clock,
    bodies,
    standing,
    run: async (type, bodyHash) => {
      const receipt: Receipt = { id: new Uint8Array(32) as Uint8Array as TransactionId, height: 1 as Height, index: 0, status: 'ok', events: [Object.assign({ type }, { bodyHash })] }
      standing.set(toBase64url(bodyHash), type === 'community.erased' ? 'erased' : 'referenced')
      await store.batch(bodies.opsOf([receipt]), { sync: false })
    },
  }
}

const rows = async (store: MemoryStore): Promise<number> => (await store.page({})).length

t.test('a flood of one source costs that source its oldest, and nobody else', async (t) => {
  const { bodies, store } = await rig()
  const mine = await bodies.put(utf8('the body of a client'))
  const first = await bodies.put(utf8('flood 0'), 'liar')
  for (let i = 1; i <= waitingBodiesMax; i++) await bodies.put(utf8(`flood ${i}`), 'liar')
  t.equal(bodies.get(first), undefined)
  t.ok(bodies.get(mine))
  t.equal(await rows(store), 2 * (waitingBodiesMax + 1))
})

t.test('bodies that were spread while this node was down are fetched from its peers', async (t) => {
  const there = await rig()
  const here = await rig()
  const body = (i: number): Uint8Array => utf8(`the body of post ${i}`)
  const hashes = Array.from({ length: 70 }, (_, i) => sha256(body(i)) as Hash)
  const erased = await there.bodies.put(utf8('to be erased'))
  for (const [i, hash] of [...hashes, erased].entries()) {
    if (i < 69) await there.bodies.put(body(i))
    for (const each of [there, here]) await each.run('community.posted', hash)
  }
  await here.run('community.erased', erased)
  t.equal(here.bodies.missing(100).length, 70)
  // kept over a restart
  const again = await rig(here.store, here.standing)
  t.equal(again.bodies.missing(100).length, 70)

  const asked: string[] = []
  const serving = createServing({ store: {} as never, snapshots: {} as never, mempool: {} as never, payloads: {} as never, setChanges: async () => [], bodyOf: there.bodies.get, clock: there.clock, standing: () => ({ top: 0 as Height, epoch: 1 as Height, view: 0 as View }) })
  const transport = {
    request: async (peer: string, protocol: string, question: Uint8Array) => {
      asked.push(`${peer} ${protocol}`)
      if (peer === 'down') throw new DongbaekError('transport/unreachable', 'the peer is down')
      if (peer === 'liar') return encodeBodiesAnswer([utf8('of no post')])
      return serving.fetch('here', question)
    },
  }
  const fetcher = createBodyFetch({ bodies: again.bodies, transport: transport as never, peers: () => ['down', 'liar', 'there'], clock: again.clock, log: silentLog, onFatal: (error) => t.fail(String(error)) })
  fetcher.start()
  for (let round = 0; round < 12 && again.bodies.missing(100).length > 1; round++) {
    await again.clock.advance(bodyFetchPauseMaxMs)
    await settled()
  }
  t.strictSame(again.bodies.missing(100).map(toBase64url), [toBase64url(hashes[69] as Hash)], 'one that nobody has')
  for (const [i, hash] of hashes.slice(0, 69).entries()) t.strictSame(toBase64url(again.bodies.get(hash) ?? new Uint8Array()), toBase64url(body(i)))
  t.ok(asked.includes('down fetch') && asked.includes('liar fetch'))
  // it comes by itself later, and nothing is missing
  await again.bodies.put(body(69), 'there')
  t.equal(again.bodies.missing(100).length, 0)
  fetcher.stop()
})

t.test('the share is of bytes too', async (t) => {
  const { bodies, store } = await rig()
  for (let i = 0; i < waitingBodiesBytesMax / 65_536 + 10; i++) {
    const body = new Uint8Array(65_536)
    new DataView(body.buffer).setUint32(0, i)
    await bodies.put(body, 'liar')
  }
  t.equal(await rows(store), (2 * waitingBodiesBytesMax) / 65_536)
})

t.test('a body that a post refers to stays, one without a post goes, also over a restart', async (t) => {
  const first = await rig()
  const kept = await first.bodies.put(utf8('posted'))
  const left = await first.bodies.put(utf8('never posted'))
  await first.run('community.posted', kept)
  const second = await rig(first.store, first.standing)
  await second.clock.advance(waitingBodyMs)
  await second.bodies.put(utf8('another'))
  t.ok(second.bodies.get(kept))
  t.equal(second.bodies.get(left), undefined)
})

t.test('what is erased is gone with the block that erases it, and does not come back', async (t) => {
  const { bodies, run } = await rig()
  const hash = await bodies.put(utf8('a name and an address'))
  await run('community.posted', hash)
  await run('community.erased', hash)
  t.equal(bodies.get(hash), undefined)
  t.equal(await bodies.put(utf8('a name and an address')).catch(codeOf), 'community/body-erased')
  t.equal(sha256(utf8('a name and an address')).length, 32)
})

function gossipRig(admit: () => Promise<never>, takeBody: () => Promise<void>): { readonly blamed: string[]; readonly send: (envelopes: readonly Uint8Array[] | undefined) => Promise<unknown> } {
  const blamed: string[] = []
  const sent: Uint8Array[] = []
  const gossip = createGossip({
    transport: { send: (_peer, _channel, message) => sent.push(message) > 0, blame: (_peer, reason) => void blamed.push(reason) },
    admission: { admit },
    clock: systemClock,
    log: silentLog,
    validators: () => ['peer'],
    everybody: () => ['peer'],
    takeBody,
    takeHead: () => {},
  })
  return {
    blamed,
    send: async (envelopes) => {
      if (envelopes === undefined) gossip.spreadBody(utf8('body'))
      else for (const envelope of envelopes) gossip.spread(envelope)
      await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
      try {
        return await gossip.handler(sent.splice(0).map((bytes) => ({ peer: 'peer', bytes })))
      } catch (error) {
        return error
      }
    },
  }
}

t.test('a peer is blamed for what it sent, and not for a disk that fails here', async (t) => {
  const fails = (code: string) => async (): Promise<never> => {
    throw new DongbaekError(code, code)
  }
  const envelope = makeTransaction('one').transaction.bytes
  for (const [code, count] of [['tx/signature-invalid', 1], ['codec/malformed', 1], ['tx/expired', 0], ['mempool/full', 0], ['verifier/busy', 0], ['store/failed', 0]] as const) {
    const { blamed, send } = gossipRig(fails(code), fails(code))
    await send([envelope, envelope])
    t.equal(blamed.length, count, code)
  }
  const disk = gossipRig(fails('tx/expired'), fails('store/failed'))
  await disk.send(undefined)
  t.same(disk.blamed, [])
})

t.test('a fault of ours does not hide behind a refusal', async (t) => {
  let calls = 0
  const { send } = gossipRig(async () => {
    if (calls++ === 0) throw new DongbaekError('mempool/full', 'full')
    throw new TypeError('a bug')
  }, async () => {})
  const envelope = makeTransaction('one').transaction.bytes
  t.match(await send([envelope, envelope]), TypeError)
})
