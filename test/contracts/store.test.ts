// What every store promises (node/world.ts), over the one in memory, the simulated one and LevelDB.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compareBytes, fromUtf8, toHex, utf8 } from '../../primitives/bytes.ts'
import { storePageMax } from '../../node/limits.ts'
import { openStore } from '../../node/store.ts'
import type { Store, StoreEntry, StoreOp, StoreRange } from '../../node/world.ts'
import { Disk } from '../simulator/nodes/disk.ts'
import { Life } from '../simulator/nodes/life.ts'
import { liveKernel } from '../simulator/nodes/live.ts'
import { createSimulatedStore } from '../simulator/nodes/store.ts'
import { createMemoryStore } from '../support/memory-store.ts'

const { kernel, stop } = liveKernel()
t.teardown(stop)

const put = (key: string, value: string): StoreOp => ({ type: 'put', key: utf8(key), value: utf8(value) })
const del = (key: string): StoreOp => ({ type: 'del', key: utf8(key) })
const shown = (entries: readonly StoreEntry[]): string => entries.map(({ key, value }) => `${fromUtf8(key)}=${fromUtf8(value)}`).join(' ')
const sync = { sync: true }
const noSync = { sync: false }

async function all(entries: AsyncIterable<StoreEntry>): Promise<StoreEntry[]> {
  const out: StoreEntry[] = []
  for await (const entry of entries) out.push(entry)
  return out
}

const kinds: readonly (readonly [string, (folder: string) => Promise<Store>])[] = [
  ['memory', async () => createMemoryStore()],
  ['simulated', async () => createSimulatedStore({ kernel, life: new Life(() => {}), disk: new Disk(new Map()), delayMs: () => 0 })],
  ['level', (folder) => openStore({ folder: join(folder, 'store'), chainId: 'test' })],
]

for (const [name, make] of kinds) {
  t.test(name, async (t) => {
    await t.test('reads what was written, the last write of a batch counts', async (t) => {
      const store = await make(t.testdir())
      t.equal(store.get(utf8('a')), undefined)
      await store.batch([put('a', '1'), put('b', '2'), put('a', '3'), put('c', ''), del('b')], sync)
      await store.batch([], noSync)
      t.same([store.get(utf8('a')), store.get(utf8('b')), store.get(utf8('c'))], [utf8('3'), undefined, utf8('')])
      const [entry] = await store.page({})
      for (const bytes of [store.get(utf8('a')), entry?.key, entry?.value]) t.equal(bytes?.constructor, Uint8Array, 'plain bytes, no Buffer')
      await store.batch([del('a'), del('never there'), put('b', '4')], noSync)
      t.equal(shown(await store.page({})), 'b=4 c=')
      t.equal(await store.approximateBytes(utf8('a'), utf8('z')) >= 0, true)
      await store.close()
      await t.rejects(store.batch([put('a', '1')], noSync), { code: 'store/closed' })
      t.throws(() => store.get(utf8('a')), { code: 'store/closed' })
    })

    await t.test('ranges: bounds, direction, limits, pages', async (t) => {
      const store = await make(t.testdir())
      await store.batch(['a', 'b', 'ba', 'c', 'd'].map((key) => put(key, key)), noSync)
      const range = async (wanted: StoreRange): Promise<string> => {
        const page = await store.page(wanted)
        t.same(await all(store.iterate(wanted)), page)
        return page.map(({ key }) => fromUtf8(key)).join()
      }
      t.equal(await range({}), 'a,b,ba,c,d')
      t.equal(await range({ gt: utf8('b'), lt: utf8('d') }), 'ba,c')
      t.equal(await range({ gte: utf8('b'), lte: utf8('c') }), 'b,ba,c')
      t.equal(await range({ gte: utf8('b'), reverse: true, limit: 2 }), 'd,c')
      t.equal(await range({ limit: 0 }), '')
      t.equal(await range({ gt: utf8('d') }), '')
      await store.batch(Array.from({ length: storePageMax + 5 }, (_, i) => put(`n${String(i).padStart(6, '0')}`, '')), noSync)
      t.equal((await store.page({ gte: utf8('n') })).length, storePageMax)
      t.equal((await all(store.iterate({ gte: utf8('n') }))).length, storePageMax + 5)
      for await (const entry of store.iterate({ gte: utf8('n') })) if (fromUtf8(entry.key).endsWith('3')) break
      await store.close()
    })

    await t.test('a snapshot and an iterator see the moment they were made', async (t) => {
      const store = await make(t.testdir())
      await store.batch([put('a', '1'), put('b', '2')], noSync)
      const snapshot = store.snapshot()
      const later = store.iterate({})
      await store.batch([put('a', '9'), del('b'), put('c', '3')], noSync)
      t.equal(shown(await all(later)), 'a=1 b=2')
      t.equal(shown(await snapshot.page({})), 'a=1 b=2')
      t.same([snapshot.get(utf8('a')), snapshot.get(utf8('c'))], [utf8('1'), undefined])
      await snapshot.close()
      await snapshot.close()
      t.equal(shown(await store.page({})), 'a=9 c=3')
      await store.close()
    })

    await t.test('any sequence of batches reads as a sorted map', async (t) => {
      const store = await make(t.testdir())
      const key = fc.uint8Array({ minLength: 1, maxLength: 3, max: 4 })
      const op = fc.oneof(
        fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 8 }) }),
        fc.record({ type: fc.constant('del' as const), key }),
      )
      const model = new Map<string, StoreEntry>()
      await fc.assert(
        fc.asyncProperty(fc.array(op, { maxLength: 12 }), key, key, fc.boolean(), async (ops, from, to, reverse) => {
          for (const one of ops) {
            if (one.type === 'put') model.set(toHex(one.key), { key: one.key, value: one.value })
            else model.delete(toHex(one.key))
          }
          await store.batch(ops, noSync)
          const wanted = [...model.values()].filter((entry) => compareBytes(entry.key, from) >= 0 && compareBytes(entry.key, to) < 0).sort((a, b) => compareBytes(a.key, b.key))
          if (reverse) wanted.reverse()
          const flat = (entries: readonly StoreEntry[]): string => entries.map((entry) => `${toHex(entry.key)}:${toHex(entry.value)}`).join()
          if (flat(await store.page({ gte: from, lt: to, reverse })) !== flat(wanted)) throw new Error('differs')
        }),
        { numRuns: 300 },
      )
      await store.close()
    })
  })
}

/** How many files below the folder hold these bytes. */
function filesWith(folder: string, bytes: Buffer): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(bytes)).length
}

t.test('what is deleted and scrubbed is in no file any more, wherever LevelDB had put it', async (t) => {
  const key = utf8('xm')
  const others = (round: number): StoreOp[] => Array.from({ length: 40 }, (_, i): StoreOp => ({ type: 'put', key: utf8(`x${String.fromCharCode(97 + (i % 26))}${round}${i}`), value: randomBytes(60_000) }))
  const flush = async (store: Store): Promise<void> => store.scrub([utf8('a')])
  const histories: Readonly<Record<string, (store: Store, write: () => Promise<void>) => Promise<void>>> = {
    'in the log': async (_, write) => write(),
    'in a table': async (store, write) => {
      await write()
      await flush(store)
    },
    'below tables of later writes': async (store, write) => {
      await write()
      for (let round = 0; round < 4; round++) {
        await store.batch(others(round), noSync)
        await flush(store)
      }
    },
    'above tables of earlier writes': async (store, write) => {
      for (let round = 0; round < 4; round++) {
        await store.batch(others(round), noSync)
        await flush(store)
      }
      await write()
    },
    'written twice, in two tables': async (store, write) => {
      await write()
      await flush(store)
      await store.batch(others(0), noSync)
      await write()
      await flush(store)
    },
  }
  for (const [what, history] of Object.entries(histories)) {
    const folder = t.testdir()
    const options = { folder: join(folder, 'store'), chainId: 'test' }
    let store = await openStore(options)
    const value = randomBytes(5_000)
    const part = value.subarray(1_000, 1_100)
    await store.batch([put('kept', '1')], sync)
    await history(store, async () => store.batch([{ type: 'put', key, value }], sync))
    await store.batch([{ type: 'del', key }], sync)
    t.ok(filesWith(folder, part) > 0, `${what}: deleting hides it`)
    await store.scrub([key])
    t.equal(filesWith(folder, part), 0, what)
    await store.close()
    store = await openStore(options)
    t.equal(store.get(key), undefined)
    await store.close()
    t.equal(filesWith(folder, part), 0, `${what}, opened again`)
  }
})

t.test('scrubbing waits for those who read what was before', async (t) => {
  const folder = t.testdir()
  const store = await openStore({ folder: join(folder, 'store'), chainId: 'test' })
  const value = randomBytes(5_000)
  const keys = [utf8('xa'), utf8('xb')]
  await store.batch(keys.map((key) => ({ type: 'put', key, value })), sync)
  const snapshot = store.snapshot()
  const reading = store.iterate({})[Symbol.asyncIterator]()
  await reading.next()
  await store.batch(keys.map((key) => ({ type: 'del', key })), sync)
  let done = false
  const scrubbed = store.scrub(keys).then(() => (done = true))
  const still = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal(done, false)
  }
  await still()
  await reading.return?.()
  await still()
  t.same(snapshot.get(keys[0] as Uint8Array), value, 'the snapshot has it')
  await snapshot.close()
  await scrubbed
  t.equal(filesWith(folder, value.subarray(1_000, 1_100)), 0)
  await store.close()
  await t.rejects(store.scrub(keys), { code: 'store/closed' })
})

t.test('a file that only a later reader holds goes too, when that has ended', async (t) => {
  const folder = t.testdir()
  const store = await openStore({ folder: join(folder, 'store'), chainId: 'test' })
  const key = utf8('xa')
  const value = randomBytes(5_000)
  await store.batch([put('kept', '1'), { type: 'put', key, value }], sync)
  await store.batch([del('xa')], sync)
  const pause = async (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 100))
  const first = store.snapshot()
  let done = false
  const scrubbed = store.scrub([key]).then(() => (done = true))
  const second = store.snapshot()
  await first.close()
  await pause()
  const third = store.snapshot()
  await second.close()
  await pause()
  t.equal(done, false)
  await third.close()
  await scrubbed
  t.equal(filesWith(folder, value.subarray(1_000, 1_100)), 0)
  await store.close()
})

t.test('kill -9 shows nothing about a disk: the store in memory loses what was not synced, and notices damage', async (t) => {
  const store = createMemoryStore()
  await store.batch([put('a', '1')], noSync)
  await store.batch([put('b', '2')], sync)
  await store.batch([put('c', '3')], noSync)
  t.equal(shown(await store.crash().page({})), 'a=1 b=2')
  store.damage(utf8('b'))
  t.throws(() => store.get(utf8('b')), { code: 'store/damaged' })
  await t.rejects(store.page({}), { code: 'store/damaged' })
})
