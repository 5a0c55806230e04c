// What every store promises (node/world.ts), over the one in memory, the simulated one and LevelDB.
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { compareBytes, fromUtf8, toHex, utf8 } from '../../primitives/bytes.ts'
import { storePageEntries, storePageMax, storeReadersMax } from '../../node/limits.ts'
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

    await t.test('while the store is held nothing is written, and who comes after a writer waits for him', async (t) => {
      const store = await make(t.testdir())
      await store.batch([put('a', '1'), put('b', '2')], noSync)
      const { promise: enough, resolve: letGo } = Promise.withResolvers<void>()
      const order: string[] = []
      const first = store.hold(async (reader) => {
        await enough
        order.push(`held ${shown(await reader.page({}))}, ${shown(await all(reader.iterate({ reverse: true })))}`)
        return reader.get(utf8('a'))
      })
      const second = store.hold(async () => {
        order.push('held beside it')
      })
      const write = store.batch([put('a', '9'), del('b'), put('c', '3')], noSync).then(() => order.push('written'))
      const later = store.page({}).then((page) => order.push(shown(page)))
      await second
      await new Promise((resolve) => setTimeout(resolve, 30))
      t.same(order, ['held beside it'])
      letGo()
      t.same(await first, utf8('1'))
      await Promise.all([write, later])
      t.same(order, ['held beside it', 'held a=1 b=2, b=2 a=1', 'written', 'a=9 c=3'])
      await t.rejects(store.hold(async () => { throw new Error('of the reader') }), { message: 'of the reader' })
      await store.batch([put('d', '4')], noSync)
      t.equal(shown(await store.page({})), 'a=9 c=3 d=4', 'a reader that failed holds nothing up')
      await store.close()
    })

    await t.test('so many hold the store at once; a writer waits for these and not for all who would', async (t) => {
      const store = await make(t.testdir())
      const order: string[] = []
      const ends: (() => void)[] = []
      const holders = Array.from({ length: storeReadersMax + 2 }, async (_, i) =>
        store.hold(async (reader) => {
          order.push(`${i} holds ${fromUtf8(reader.get(utf8('a')) ?? utf8('nothing'))}`)
          await new Promise<void>((resolve) => ends.push(resolve))
        }),
      )
      const written = store.batch([put('a', '1')], noSync)
      const pause = async (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 20))
      await pause()
      t.same(order, Array.from({ length: storeReadersMax }, (_, i) => `${i} holds nothing`))
      for (const end of ends.splice(0)) end()
      await pause()
      t.same(order.slice(storeReadersMax), [`${storeReadersMax} holds 1`, `${storeReadersMax + 1} holds 1`])
      for (const end of ends) end()
      await Promise.all([...holders, written])
      await store.close()
    })

    await t.test('going through a range sees what is written ahead of it, and goes on behind what is removed', async (t) => {
      const store = await make(t.testdir())
      const key = (i: number): string => `k${String(i).padStart(4, '0')}`
      const many = 3 * storePageEntries + 7
      await store.batch(Array.from({ length: many }, (_, i) => put(key(i), '1')), noSync)
      for (const reverse of [false, true]) {
        const seen = (await all(store.iterate({ gte: utf8(key(1)), lte: utf8(key(many - 2)), reverse }))).map((entry) => fromUtf8(entry.key))
        const wanted = Array.from({ length: many - 2 }, (_, i) => key(i + 1))
        t.same(seen, reverse ? wanted.reverse() : wanted)
        t.equal((await all(store.iterate({ reverse, limit: storePageEntries + 1 }))).length, storePageEntries + 1)
      }
      const seen: string[] = []
      for await (const entry of store.iterate({})) {
        seen.push(`${fromUtf8(entry.key)}=${fromUtf8(entry.value)}`)
        if (seen.length === 1) await store.batch([del(key(storePageEntries - 1)), del(key(storePageEntries)), put(key(storePageEntries + 1), '2')], noSync)
      }
      t.equal(seen.length, many - 1)
      t.same([seen[storePageEntries - 1], seen[storePageEntries]], [`${key(storePageEntries - 1)}=1`, `${key(storePageEntries + 1)}=2`])
      await store.close()
    })

    await t.test('closing waits for what was asked for before', async (t) => {
      const store = await make(t.testdir())
      const { promise: enough, resolve: letGo } = Promise.withResolvers<void>()
      const held = store.hold(async (reader) => {
        await enough
        return reader.page({})
      })
      const written = store.batch([put('a', '1')], noSync)
      const closed = store.close()
      letGo()
      t.same(await held, [])
      await Promise.all([written, closed])
      t.throws(() => store.get(utf8('a')), { code: 'store/closed' })
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

t.test('what was gathered is scrubbed as well: a value that had not come to the files yet, and a deletion that had not', async (t) => {
  for (const isStored of [false, true]) {
    const folder = t.testdir()
    const store = await openStore({ folder: join(folder, 'store'), chainId: 'test' })
    const key = utf8('xm')
    const value = randomBytes(5_000)
    const part = value.subarray(1_000, 1_100)
    await store.batch([put('kept', '1')], sync)
    await store.batch([{ type: 'put', key, value }], { sync: isStored })
    t.equal(filesWith(folder, part) > 0, isStored)
    await store.batch([{ type: 'del', key }], noSync)
    await store.scrub([key])
    t.equal(store.get(key), undefined)
    t.equal(filesWith(folder, part), 0)
    await store.close()
    t.equal(filesWith(folder, part), 0)
  }
})

t.test('scrubbing waits for those who hold the store, those who come while it goes on as well', async (t) => {
  const folder = t.testdir()
  const store = await openStore({ folder: join(folder, 'store'), chainId: 'test' })
  const value = randomBytes(5_000)
  const keys = [utf8('xa'), utf8('xb')]
  await store.batch([put('kept', '1'), ...keys.map((key): StoreOp => ({ type: 'put', key, value }))], sync)
  await store.batch(keys.map((key) => ({ type: 'del', key })), sync)
  const holding = (): { readonly end: () => void; readonly ended: Promise<void> } => {
    const { promise, resolve } = Promise.withResolvers<void>()
    return { end: resolve, ended: store.hold(() => promise) }
  }
  const pause = async (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 100))
  let done = false
  const first = holding()
  const scrubbed = store.scrub(keys).then(() => (done = true))
  const second = holding()
  await pause()
  first.end()
  await first.ended
  const third = holding()
  await pause()
  second.end()
  await second.ended
  await pause()
  t.equal(done, false)
  third.end()
  await scrubbed
  t.equal(filesWith(folder, value.subarray(1_000, 1_100)), 0)
  await store.close()
  await t.rejects(store.scrub(keys), { code: 'store/closed' })
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
