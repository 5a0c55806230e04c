// Writes that are not in the database yet, laid over what is there.
import fc from 'fast-check'
import t from 'tap'
import { createPendingWrites, pageWith, type PendingWrites } from '../../node/pending-writes.ts'
import type { StoreEntry, StoreOp, StoreRange } from '../../node/world.ts'
import { compareBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { createMemoryStore } from '../support/memory-store.ts'

const put = (key: string, value: string): StoreOp => ({ type: 'put', key: utf8(key), value: utf8(value) })
const del = (key: string): StoreOp => ({ type: 'del', key: utf8(key) })

function pending(ops: readonly StoreOp[]): PendingWrites {
  const writes = createPendingWrites()
  writes.add(ops)
  return writes
}

t.test('of each key the last write counts, in the bytes too', async (t) => {
  const writes = pending([put('a', '1'), put('b', '22'), del('b'), put('a', '333')])
  t.same(writes.ops(), [put('a', '333'), del('b')])
  t.same(writes.of(utf8('a')), put('a', '333'))
  t.same(writes.of(utf8('b')), del('b'))
  t.equal(writes.of(utf8('c')), undefined)
  t.equal(writes.bytes(), pending([put('a', '333'), del('b')]).bytes())
  t.equal(pending([]).bytes(), 0)
})

t.test('keys that are no text are told apart', async (t) => {
  const keys = [Uint8Array.of(0xff, 0xfe), Uint8Array.of(0xff, 0xff), Uint8Array.of(0xc3, 0xa9), Uint8Array.of(0xe9)]
  const writes = pending(keys.map((key, i) => ({ type: 'put', key, value: Uint8Array.of(i) })))
  t.same(keys.map((key) => writes.of(key)), keys.map((key, i) => ({ type: 'put', key, value: Uint8Array.of(i) })))
})

const key = fc.uint8Array({ minLength: 1, maxLength: 2, max: 255 }).map((bytes) => bytes.map((byte) => (byte % 2 === 0 ? byte % 6 : 250 + (byte % 6))))
const op = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('del' as const), key }) },
)
const bound = fc.option(key, { nil: undefined })

t.test('a page is what it will be once all is written', async () => {
  const layers = fc.array(fc.array(op, { maxLength: 30 }), { minLength: 3, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(layers, bound, bound, fc.boolean(), fc.boolean(), fc.option(fc.nat(12), { nil: undefined }), async ([stored = [], ...later], from, to, inclusive, reverse, limit) => {
      const model = new Map<string, StoreEntry>()
      for (const one of [stored, ...later].flat()) {
        if (one.type === 'put') model.set(toHex(one.key), { key: one.key, value: one.value })
        else model.delete(toHex(one.key))
      }
      const range: StoreRange = { reverse, ...(from === undefined ? {} : inclusive ? { gte: from } : { gt: from }), ...(to === undefined ? {} : inclusive ? { lte: to } : { lt: to }), ...(limit === undefined ? {} : { limit }) }
      const edge = inclusive ? 0 : 1
      const isInside = ({ key: one }: StoreEntry): boolean => (from === undefined || compareBytes(one, from) >= edge) && (to === undefined || compareBytes(one, to) <= -edge)
      const wanted = [...model.values()].filter(isInside).sort((a, b) => compareBytes(a.key, b.key) * (reverse ? -1 : 1)).slice(0, limit)

      const store = createMemoryStore()
      await store.batch(stored, { sync: false })
      const got = await pageWith(later.map(pending), (some) => store.page(some), range)
      const flat = (entries: readonly StoreEntry[]): string => entries.map((entry) => `${toHex(entry.key)}:${toHex(entry.value)}`).join()
      if (flat(got) !== flat(wanted)) throw new Error(`${flat(got)} instead of ${flat(wanted)}`)
      for (const entry of got) if (entry.key.constructor !== Uint8Array || entry.value.constructor !== Uint8Array) throw new Error('a Buffer')
    }),
    { numRuns: 1_000 },
  )
})
