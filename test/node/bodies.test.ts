// Bodies of posts: bounded while no post refers to them, for each source by itself; erased for good. And what gossip blames a peer for.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Hash, Height, TimeMs, TransactionId, View } from '../../primitives/brand.ts'
import { concatBytes, toBase64url, utf8 } from '../../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../../primitives/errors.ts'
import { sha256 } from '../../primitives/hash.ts'
import { type Bodies, type BodyStanding, carryBodies, openBodies } from '../../node/bodies.ts'
import { systemClock } from '../../node/clock.ts'
import { createBodyFetch } from '../../node/body-fetch.ts'
import { createBodyScrub } from '../../node/body-scrub.ts'
import { encodeBodiesAnswer } from '../../node/exchange.ts'
import { createGossip } from '../../node/gossip.ts'
import { bodyFetchPauseMaxMs, bodyScrubMax, bodyScrubPauseMs, missingBodiesMax, waitingBodiesBytesMax, waitingBodiesMax, waitingBodyMs } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { createServing } from '../../node/serving.ts'
import { openStore } from '../../node/store.ts'
import type { Store, StoreOp } from '../../node/world.ts'
import { bodyTable } from '../../state/community/keys.ts'
import type { Receipt } from '../../state/receipt.ts'
import { encodeValue } from '../../state/table.ts'
import { createManualClock, type ManualClock, settled } from '../support/manual-clock.ts'
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts'
import { makeTransaction } from '../support/transactions.ts'

interface Rig<S extends Store = MemoryStore> {
  readonly store: S
  readonly clock: ManualClock
  readonly bodies: Bodies
  readonly standing: Map<string, BodyStanding>
  readonly run: (type: string, ...hashes: readonly Hash[]) => Promise<void>
}

/** What posts say of bodies that are not here. */
const lengths = new Map<string, number>()
function hashed(body: Uint8Array): Hash {
  const hash = sha256(body) as Hash
  lengths.set(toBase64url(hash), body.length)
  return hash
}

const rig = async (): Promise<Rig> => rigOver(createMemoryStore())

async function rigOver<S extends Store>(store: S, standing = new Map<string, BodyStanding>()): Promise<Rig<S>> {
  const clock = createManualClock()
  const bodies = await openBodies({ store, clock, stateOf: (hash) => standing.get(toBase64url(hash)) ?? 'unknown' })
  return {
    store,
    clock,
    bodies,
    standing,
    run: async (type, ...hashes) => {
      const bytesOf = (hash: Hash): number => lengths.get(toBase64url(hash)) ?? bodies.get(hash)?.length ?? 1
      const receipt: Receipt = { id: new Uint8Array(32) as Uint8Array as TransactionId, height: 1 as Height, index: 0, status: 'ok', events: hashes.map((bodyHash) => Object.assign({ type }, { bodyHash }, type === 'community.erased' ? {} : { bodyBytes: bytesOf(bodyHash) })) }
      for (const hash of hashes) standing.set(toBase64url(hash), type === 'community.erased' ? 'erased' : { bytes: bytesOf(hash) })
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
  const hashes = Array.from({ length: 70 }, (_, i) => hashed(body(i)))
  const erased = await there.bodies.put(utf8('to be erased'))
  for (const [i, hash] of [...hashes, erased].entries()) {
    if (i < 69) await there.bodies.put(body(i))
    for (const each of [there, here]) await each.run('community.posted', hash)
  }
  await here.run('community.erased', erased)
  t.equal((await here.bodies.missing(100)).length, 70)
  // kept over a restart
  const again = await rigOver(here.store, here.standing)
  t.equal((await again.bodies.missing(100)).length, 70)

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
  for (let round = 0; round < 12 && (await again.bodies.missing(100)).length > 1; round++) {
    await again.clock.advance(bodyFetchPauseMaxMs)
    await settled()
  }
  t.strictSame((await again.bodies.missing(100)).map(toBase64url), [toBase64url(hashes[69] as Hash)], 'one that nobody has')
  for (const [i, hash] of hashes.slice(0, 69).entries()) t.strictSame(toBase64url(again.bodies.get(hash) ?? new Uint8Array()), toBase64url(body(i)))
  t.ok(asked.includes('down fetch') && asked.includes('liar fetch'))
  // it comes by itself later, and nothing is missing
  await again.bodies.put(body(69), 'there')
  t.equal((await again.bodies.missing(100)).length, 0)
  fetcher.stop()
})

t.test('a body stays that comes while the block that names it is being made or stored', async (t) => {
  for (const isFirst of [true, false]) {
    const store = createMemoryStore()
    const body = utf8('comes meanwhile')
    const hash = sha256(body) as Hash
    const standingKey = concatBytes(utf8('s'), hash)
    const clock = createManualClock()
    const open = async (): Promise<Bodies> => openBodies({ store, clock, stateOf: (asked) => (store.get(concatBytes(utf8('s'), asked)) === undefined ? 'unknown' : { bytes: body.length }) })
    const bodies = await open()
    const { promise: enough, resolve: letGo } = Promise.withResolvers<void>()
    const held = store.hold(() => enough)
    const come = async (): Promise<unknown> => bodies.put(body, 'peer')
    const storeBlock = async (): Promise<unknown> => {
      const receipt: Receipt = { id: new Uint8Array(32) as Uint8Array as TransactionId, height: 1 as Height, index: 0, status: 'ok', events: [Object.assign({ type: 'community.posted' }, { bodyHash: hash, bodyBytes: body.length })] }
      return store.batch([...bodies.opsOf([receipt]), { type: 'put', key: standingKey, value: new Uint8Array() }], { sync: false })
    }
    const both = isFirst ? [come(), storeBlock()] : [storeBlock(), come()]
    letGo()
    await Promise.all([held, ...both])
    t.strictSame(bodies.get(hash), body)
    t.equal(await rows(store), 2, 'the body and what stands of it: nothing waits, nothing is missing')
    await clock.advance(2 * waitingBodyMs)
    for (const later of [bodies, await open()]) {
      await later.put(randomBytes(10), 'peer')
      t.strictSame(later.get(hash), body)
      t.equal((await later.missing(10)).length, 0)
    }
  }
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
  const second = await rigOver(first.store, first.standing)
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

t.test('a body that comes while the block that erases it is being stored does not stay', async (t) => {
  const { bodies, run, store, standing } = await rig()
  const body = utf8('sent by a slow peer')
  const hash = hashed(body)
  await run('community.posted', hash)
  t.equal((await bodies.missing(1)).length, 1)
  // the block was stored between the look at the state and the write of the body
  const late = bodies.put(body, 'peer')
  standing.set(toBase64url(hash), 'erased')
  await late
  t.equal(bodies.get(hash), undefined)
  t.equal((await store.page({ gte: utf8('x'), lt: utf8('z') })).length, 0)
})

t.test('a body of another length than its post says is not kept, so that the limit of the chain binds', async (t) => {
  const { bodies, run, store } = await rig()
  const large = new Uint8Array(20_000).fill(7)
  const before = await bodies.put(large)
  lengths.set(toBase64url(before), 100)
  await run('community.posted', before)
  t.equal(bodies.get(before), undefined, 'handed in before the post')
  await t.rejects(bodies.put(large, 'peer'), { code: 'community/body-other-length' }, 'and after it')
  t.equal((await store.page({ gte: utf8('x'), lt: utf8('z') })).length, 0)
  t.same(await bodies.missing(10), [], 'nobody is asked for what nobody can have')
})

t.test('more bodies are missing than are held in mind: each has its turn, and none is given up', async (t) => {
  const store = createMemoryStore()
  const hashes = Array.from({ length: missingBodiesMax + 5 }, (_, i) => sha256(utf8(`missing ${i}`)) as Hash)
  await store.batch(hashes.map((hash): StoreOp => ({ type: 'put', key: concatBytes(utf8('z'), hash), value: new Uint8Array() })), { sync: false })
  const { bodies, run } = await rigOver(store)
  const first = await bodies.missing(2 * missingBodiesMax)
  t.equal(first.length, missingBodiesMax)
  // one more while there is no room: it is asked for later as well
  const more = sha256(utf8('one more')) as Hash
  await run('community.posted', more)
  await run('community.erased', ...first)
  const held = new Set(first.map(toBase64url))
  const wanted = [...hashes, more].map(toBase64url).filter((hash) => !held.has(hash))
  t.equal(wanted.length, 6)
  const found = new Set<string>()
  // a second look, for what was passed over while the first went by
  for (let look = 0; look < 2; look++) for (const hash of await bodies.missing(10)) found.add(toBase64url(hash))
  t.same([...found].sort(), [...wanted].sort())
})

/** Files of the folder in which any part of the body can be read. */
function filesWith(folder: string, body: Buffer): readonly string[] {
  const part = body.subarray(100, 200)
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(part)).map(({ name }) => name)
}

t.test('an erased body leaves every file of the data folder, also when the node is restarted before', async (t) => {
  const folder = t.testdir()
  const options = { folder: join(folder, 'store'), chainId: 'test' }
  let store = await openStore(options)
  const standing = new Map<string, BodyStanding>()
  const first = await rigOver(store, standing)
  const posts = Array.from({ length: 2 * bodyScrubMax + 1 }, () => randomBytes(20_000))
  for (const body of posts) await first.run('community.posted', await first.bodies.put(body))
  await store.close()
  store = await openStore(options)
  const second = await rigOver(store, standing)
  const [kept, ...gone] = posts as [Buffer, ...Buffer[]]
  for (const body of gone) await second.run('community.erased', sha256(body) as Hash)
  t.ok(gone.every((body) => filesWith(folder, body).length > 0), 'deleted, their bytes lie on')
  // nothing was scrubbed before the node went down
  await store.close()
  store = await openStore(options)
  const third = await rigOver(store, standing)
  const said: unknown[] = []
  const scrub = createBodyScrub({ bodies: third.bodies, clock: third.clock, log: { ...silentLog, debug: (_, data) => void said.push(data?.['bodies']) }, onFatal: (error) => t.fail(String(error)) })
  scrub.start()
  for (let round = 0; said.length < 2 && round < 200; round++) {
    await third.clock.advance(bodyScrubPauseMs)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  scrub.stop()
  t.same(said, [bodyScrubMax, bodyScrubMax])
  t.same(gone.flatMap((body) => filesWith(folder, body)), [])
  t.ok(filesWith(folder, kept).length > 0 && third.bodies.get(sha256(kept) as Hash) !== undefined, 'the others stay')
  t.equal(await third.bodies.scrub(bodyScrubMax), 0, 'and nothing is left to do')
  await store.close()
})

t.test('a node that begins from a snapshot leaves behind what was erased meanwhile, and asks for what it never had', async (t) => {
  const old = await rig()
  const [shown, erased, waiting] = [await old.bodies.put(utf8('shown')), await old.bodies.put(utf8('erased meanwhile')), await old.bodies.put(utf8('of no post yet'))]
  await old.run('community.posted', shown)
  await old.run('community.posted', erased)
  const [elsewhere, longGone] = [sha256(utf8('posted while it was away')) as Hash, sha256(utf8('posted and erased while it was away')) as Hash]
  // the state of the snapshot
  const joined = createMemoryStore()
  const row = (hash: Hash, erasedAtMs?: number): StoreOp => ({ type: 'put', key: utf8(`s${bodyTable.name}/${toBase64url(hash)}`), value: encodeValue(bodyTable, { post: new Uint8Array(32) as Uint8Array as TransactionId, bytes: 5, ...(erasedAtMs !== undefined && { erasedAtMs: erasedAtMs as TimeMs }) }) })
  await joined.batch([row(shown), row(erased, 5), row(elsewhere), row(longGone, 6)], { sync: false })
  await carryBodies(old.store, joined)
  const { bodies, clock } = await rigOver(joined, new Map([[toBase64url(shown), { bytes: 5 }]]))
  t.ok(bodies.get(shown))
  t.equal(bodies.get(erased), undefined, 'it was erased in a block that this node never ran')
  t.ok(bodies.get(waiting))
  t.same((await bodies.missing(10)).map(toBase64url), [toBase64url(elsewhere)])
  await clock.advance(waitingBodyMs)
  await bodies.put(utf8('another'))
  t.same([bodies.get(waiting), bodies.get(shown)?.length], [undefined, 5], 'and what waits waits no longer than before')
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
