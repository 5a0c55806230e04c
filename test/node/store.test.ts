// The LevelDB store against what an operator and a disk do to its files.
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Level } from 'level'
import { utf8 } from '../../primitives/bytes.ts'
import { storeFillRows, storePendingBatchesMax, storePendingBytesMax, storePendingMsMax } from '../../node/limits.ts'
import { endOfPrefix } from '../../node/store-range.ts'
import { destroyStore, openStore } from '../../node/store.ts'
import type { StoreOp } from '../../node/world.ts'
import { watchWrites } from '../support/level-writes.ts'

const put = (key: string, value: string): StoreOp => ({ type: 'put', key: utf8(key), value: utf8(value) })
const sync = { sync: true }
const noSync = { sync: false }

async function filled(folder: string): Promise<void> {
  const store = await openStore({ folder, chainId: 'test' })
  await store.batch(Array.from({ length: 2_000 }, (_, i) => put(`key ${i}`, `value ${i} `.repeat(20))), sync)
  await store.close()
}

t.test('opens again, for its own chain and one process only', async (t) => {
  const folder = join(t.testdir(), 'deep', 'store')
  await filled(folder)
  const store = await openStore({ folder, chainId: 'test' })
  t.same(store.get(utf8('key 7')), utf8('value 7 '.repeat(20)))
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/locked' })
  await store.close()
  await t.rejects(openStore({ folder, chainId: 'other' }), { code: 'store/other-chain' })
  writeFileSync(`${folder}.json`, readFileSync(`${folder}.json`, 'utf8').replace('"version":1', '"version":2'))
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/format' })
  writeFileSync(`${folder}.json`, '{')
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/damaged' })
  destroyStore(folder)
  const fresh = await openStore({ folder, chainId: 'other' })
  t.equal(fresh.get(utf8('key 7')), undefined)
  await fresh.close()
})

t.test('LevelDB: a deleted CURRENT opens as an empty database. What is gone is refused', async (t) => {
  const folder = join(t.testdir(), 'store')
  const way = /dongbaek resync/
  await filled(folder)
  const current = readFileSync(join(folder, 'CURRENT'))
  rmSync(join(folder, 'CURRENT'))
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/missing', message: way })
  writeFileSync(join(folder, 'CURRENT'), current)
  const marker = readFileSync(`${folder}.json`)
  rmSync(`${folder}.json`)
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/unmarked', message: way })
  writeFileSync(`${folder}.json`, marker)
  const store = await openStore({ folder, chainId: 'test' })
  t.ok(store.get(utf8('key 1')))
  await store.close()
  rmSync(folder, { recursive: true })
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/missing', message: way })
})

t.test('a sync of nothing does not make an empty database one that cannot be', async () => {
  const options = { folder: join(t.testdir(), 'store'), chainId: 'test' }
  const store = await openStore(options)
  await store.batch([], sync)
  await store.close()
  await (await openStore(options)).close()
})

t.test('interrupted before its marker was written, an empty database is taken over', async (t) => {
  const folder = join(t.testdir(), 'store')
  await filled(folder)
  const store = await openStore({ folder, chainId: 'test' })
  const keys = await store.page({})
  await store.batch(keys.map(({ key }) => ({ type: 'del', key })), sync)
  await store.close()
  rmSync(`${folder}.json`)
  const again = await openStore({ folder, chainId: 'test' })
  await again.close()
})

t.test('a database whose log is damaged all over, so that LevelDB finds it empty, is refused', async (t) => {
  const folder = join(t.testdir(), 'store')
  await filled(folder)
  for (const name of readdirSync(folder).filter((one) => /\.(log|ldb)$/.test(one))) writeFileSync(join(folder, name), readFileSync(join(folder, name)).map((byte, i) => (i % 512 === 6 ? byte ^ 0xff : byte)))
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/damaged', message: /it is empty, and was not.*resync/ })
})

t.test('a table that is damaged all over is refused in our words', async (t) => {
  const folder = join(t.testdir(), 'store')
  await filled(folder)
  // a second open turns LevelDB's log into a table
  await (await openStore({ folder, chainId: 'test' })).close()
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.ldb'))) writeFileSync(join(folder, name), readFileSync(join(folder, name)).fill(0))
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/damaged', message: /resync/ })
  await t.rejects(openStore({ folder, chainId: 'test' }), { code: 'store/damaged' }, 'and it is closed again')
})

t.test('a value changed under us is noticed on every way of reading', async (t) => {
  const folder = join(t.testdir(), 'store')
  await filled(folder)
  const raw = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' })
  const sealed = await raw.get(utf8('key 5'))
  await raw.put(utf8('key 5'), sealed.slice().fill(0x20, 3, 4))
  await raw.put(utf8('key 6'), sealed)
  await raw.put(utf8('key 7'), Uint8Array.of(1, 2))
  await raw.close()
  const store = await openStore({ folder, chainId: 'test' })
  for (const key of ['key 5', 'key 6', 'key 7']) {
    const range = { gte: utf8(key), limit: 1 }
    t.throws(() => store.get(utf8(key)), { code: 'store/damaged', data: { key: Buffer.from(key).toString('hex') } }, key)
    await t.rejects(store.page(range), { code: 'store/damaged' })
    await t.rejects(
      (async () => {
        for await (const entry of store.iterate(range)) t.fail(`got ${entry.key.length}`)
      })(),
      { code: 'store/damaged' },
    )
  }
  await store.close()
})

t.test('LevelDB: flipped bytes in a table give garbage without an error. A byte flipped gives an error or the right value, never a wrong one', async (t) => {
  const folder = join(t.testdir(), 'store')
  await filled(folder)
  // a second open turns LevelDB's log into a table
  await (await openStore({ folder, chainId: 'test' })).close()
  const table = readdirSync(folder).find((name) => name.endsWith('.ldb'))
  t.ok(table)
  const path = join(folder, table as string)
  const good = readFileSync(path)
  let errors = 0
  for (let round = 0; round < 12; round++) {
    const bad = Buffer.from(good)
    const at = Math.floor(((round + 0.5) * good.length) / 12)
    bad[at] = (bad[at] as number) ^ 0x10
    writeFileSync(path, bad)
    try {
      const store = await openStore({ folder, chainId: 'test' })
      for (let i = 0; i < 2_000; i += 3) {
        try {
          const value = store.get(utf8(`key ${i}`))
          if (value !== undefined && Buffer.from(value).toString() !== `value ${i} `.repeat(20)) t.fail(`key ${i} has a wrong value and no error`)
        } catch {
          errors++
        }
      }
      await store.close()
    } catch {
      errors++
    }
  }
  t.ok(errors > 0, `${errors} reads were refused`)
})

/** What a copy of the files as they are now holds: what kill -9 would leave. */
async function left(folder: string, copy: string): Promise<string> {
  cpSync(folder, copy, { recursive: true, filter: (name) => !name.endsWith('LOCK') })
  cpSync(`${folder}.json`, `${copy}.json`)
  const store = await openStore({ folder: copy, chainId: 'test' })
  const entries = await store.page({})
  await store.close()
  return entries.map(({ key, value }) => `${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`).join(' ')
}

t.test('what is written without a sync reaches the files by many batches at once, whole ones, and with the next sync', async (t) => {
  const at = t.testdir()
  const folder = join(at, 'store')
  const store = await openStore({ folder, chainId: 'test' })
  await store.batch([put('a', '1')], sync)
  await store.batch([put('a', '2'), put('b', '1')], noSync)
  t.same(store.get(utf8('a')), utf8('2'))
  t.equal(await left(folder, join(at, 'first')), 'a=1')
  await store.batch([put('c', '1')], sync)
  t.equal(await left(folder, join(at, 'second')), 'a=2 b=1 c=1')
  for (let i = 1; i <= storePendingBatchesMax; i++) await store.batch([put('a', `${i}`), put('b', `${i}`)], noSync)
  // a page waits for the writer, whose turn it was
  await store.page({ limit: 1 })
  t.equal(await left(folder, join(at, 'third')), `a=${storePendingBatchesMax} b=${storePendingBatchesMax} c=1`)
  await store.batch([put('a', 'last')], noSync)
  await store.close()
  t.equal(await left(folder, join(at, 'fourth')), `a=last b=${storePendingBatchesMax} c=1`)
})

t.test('what is on its way into the database, and waits for a reader, is read', async (t) => {
  const at = t.testdir()
  const folder = join(at, 'store')
  const store = await openStore({ folder, chainId: 'test' })
  await store.batch([put('a', '0'), put('b', '0')], sync)
  for (let i = 1; i < storePendingBatchesMax; i++) await store.batch([put('a', `${i}`), { type: 'del', key: utf8('b') }], noSync)
  const last = store.batch([put('c', 'last')], noSync)
  const held = store.hold(async (reader) => {
    await last
    t.equal(await left(folder, join(at, 'copy')), 'a=0 b=0', 'not there yet')
    t.same([reader.get(utf8('a')), reader.get(utf8('b')), store.get(utf8('c'))], [utf8(`${storePendingBatchesMax - 1}`), undefined, utf8('last')])
    t.same((await reader.page({})).map(({ key }) => Buffer.from(key).toString()), ['a', 'c'])
  })
  // waits behind the reader as well
  const later = store.batch([put('c', 'later')], noSync)
  await held
  await later
  t.same(store.get(utf8('c')), utf8('later'))
  await store.close()
  t.equal(await left(folder, join(at, 'closed')), `a=${storePendingBatchesMax - 1} c=later`)
})

t.test('and at the latest after some seconds', async (t) => {
  const at = t.testdir()
  const folder = join(at, 'store')
  const store = await openStore({ folder, chainId: 'test' })
  await store.batch([put('a', '1')], noSync)
  await new Promise((resolve) => setTimeout(resolve, storePendingMsMax + 500))
  t.equal(await left(folder, join(at, 'copy')), 'a=1')
  await store.close()
})

t.test('LevelDB: a sync leaves out the log before the one that is written to. Every batch has one', async (t) => {
  const asked: boolean[] = []
  watchWrites(t, ({ sync }) => {
    asked.push(sync)
    return () => {}
  })
  const store = await openStore({ folder: join(t.testdir(), 'store'), chainId: 'test' })
  for (let i = 0; i < storePendingBatchesMax; i++) await store.batch([put('a', `${i}`)], noSync)
  // queued at once, behind a reader: one that wants a sync among many that do not
  const held = store.hold(async () => new Promise((resolve) => setTimeout(resolve, 50)))
  const many = Array.from({ length: 2 * storePendingBatchesMax }, async (_, i) => store.batch([put(`k${i}`, '1')], { sync: i === storePendingBatchesMax }))
  await Promise.all([held, ...many, store.scrub([utf8('b')])])
  await store.close()
  t.ok(asked.length > 3, `${asked.length} batches`)
  t.same(asked.filter((one) => !one), [])
})

t.test('a batch of thousands of rows is handed over in turns, between which others have theirs', async (t) => {
  let turns = 0
  let turnsBefore = 0
  watchWrites(t, () => {
    turnsBefore = turns
    return () => {}
  })
  const store = await openStore({ folder: join(t.testdir(), 'store'), chainId: 'test' })
  const slices = 8
  const written = store.batch(Array.from({ length: slices * storeFillRows }, (_, i) => put(`k${i}`, '1')), sync)
  let done = false
  void written.then(() => (done = true))
  for (; !done; turns++) await new Promise((resolve) => setImmediate(resolve))
  t.ok(turnsBefore >= slices - 1, `${turnsBefore} turns`)
  t.equal((await store.page({ limit: slices * storeFillRows + 1 })).length, slices * storeFillRows)
  await store.close()
})

t.test('what cannot be written is told to the next who writes, and to all after him', async (t) => {
  const folder = join(t.testdir(), 'store')
  const store = await openStore({ folder, chainId: 'test' })
  await store.batch([put('a', '1')], sync)
  // LevelDB finds out when it begins a new file
  rmSync(folder, { recursive: true })
  const large = new Uint8Array(storePendingBytesMax)
  const failed = async (): Promise<unknown> => {
    for (let i = 0; i < 20; i++) {
      try {
        await store.batch([{ type: 'put', key: utf8(`large ${i}`), value: large }], noSync)
      } catch (error) {
        return error
      }
    }
    return undefined
  }
  t.match(await failed(), { code: 'store/failed' })
  await t.rejects(store.batch([put('b', '1')], noSync), { code: 'store/failed' })
  await t.rejects(store.batch([put('b', '1')], sync), { code: 'store/failed' })
  await t.rejects(store.scrub([utf8('b')]), { code: 'store/failed' })
  t.same(store.get(utf8('a')), utf8('1'))
  await t.rejects(store.close(), { code: 'store/failed' })
  t.throws(() => store.get(utf8('a')), { code: 'store/closed' })
})

t.test('the end of a prefix', async (t) => {
  t.same(endOfPrefix(Uint8Array.of(1, 2)), Uint8Array.of(1, 3))
  t.same(endOfPrefix(Uint8Array.of(1, 255, 255)), Uint8Array.of(2))
  t.equal(endOfPrefix(Uint8Array.of(255, 255)), undefined)
})
