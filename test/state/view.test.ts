// Overlays: values put under keys that never had one (nothing is read for them, and a second one is our own bug, whenever the first was put), and what is taken back.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { AssertionError } from '../../primitives/errors.ts'
import { sha256 } from '../../primitives/hash.ts'
import { integer } from '../../primitives/schema.ts'
import { keyHashOf } from '../../state/proof.ts'
import { createRecent } from '../../state/recent.ts'
import { encodeValue, table } from '../../state/table.ts'
import { createStateTree, type StateTree } from '../../state/tree.ts'
import { createOverlay, createValueCache, type Overlay } from '../../state/view.ts'

const numbers = table('numbers', integer())

t.test('putNew reads nothing, and asserts that there was nothing', (t) => {
  const committed = new Map<string, Uint8Array>()
  const pages = new Map<string, Uint8Array>()
  // one for each block: an assertion that fails leaves it half changed
  const treeOf = (): StateTree => createStateTree((path) => pages.get(path), 100)
  const cache = createValueCache(100)
  let reads = 0
  const overlayOf = (): Overlay =>
    createOverlay(
      {
        get: (key) => {
          reads++
          return committed.get(key)
        },
      },
      cache,
    )
  const commit = (overlay: Overlay): void => {
    const changes = overlay.changes()
    for (const { path, page } of treeOf().update(changes.map(({ key, value, isNew }) => ({ keyHash: keyHashOf(key), valueHash: value === undefined ? undefined : sha256(value), isNew })))) if (page !== undefined) pages.set(path, page)
    for (const { key, value } of changes) if (value !== undefined) committed.set(key, value)
    overlay.retain()
  }

  const block = overlayOf()
  block.putNew(numbers, ['a'], 1)
  t.equal(block.get(numbers, 'a'), 1)
  t.throws(() => block.putNew(numbers, ['a'], 2), AssertionError, 'twice in a transaction')
  block.mark()
  t.throws(() => block.putNew(numbers, ['a'], 2), AssertionError, 'twice in a block')
  block.put(numbers, ['b'], 5)
  t.throws(() => block.putNew(numbers, ['b'], 5), AssertionError, 'under a key that the block has put')
  block.takeBack()
  block.putNew(numbers, ['c'], 3)
  block.takeBack()
  block.putNew(numbers, ['c'], 4)
  t.equal(reads, 0)
  commit(block)
  t.strictSame([...committed.keys()], ['numbers/a', 'numbers/c'])

  const next = overlayOf()
  t.equal(next.get(numbers, 'a'), 1)
  t.equal(reads, 1, 'a new value is not kept in the cache')
  // changed later in the block that made it, it is a value like others
  next.putNew(numbers, ['d'], 1)
  next.put(numbers, ['d'], 2)
  next.put(numbers, ['a'], 9)
  commit(next)
  t.equal(overlayOf().get(numbers, 'd'), 2)

  t.equal(overlayOf().get(numbers, 'e'), undefined, 'looked for before it is there')
  const later = overlayOf()
  later.putNew(numbers, ['e'], 6)
  commit(later)
  t.equal(overlayOf().get(numbers, 'e'), 6, 'what the cache knew of its absence is gone')

  for (const key of ['a', 'c', 'd', 'e']) {
    const again = overlayOf()
    again.putNew(numbers, [key], 7)
    // among others, too, so that the way down is another
    for (let i = 0; i < 40; i++) again.putNew(numbers, [`${key}${i}`], i)
    t.throws(() => commit(again), AssertionError, `${key} is in the state`)
  }
  t.end()
})

t.test('what is taken back is as it was at the mark, however often and whatever it was written', (t) => {
  const committed = new Map([1, 2, 3].map((n) => [`numbers/${n}`, encodeValue(numbers, n)]))
  const key = fc.integer({ min: 0, max: 5 }).map(String)
  const write = fc.record({ key, value: fc.option(fc.nat(9), { nil: undefined }) })
  fc.assert(
    fc.property(fc.array(fc.record({ writes: fc.array(write, { maxLength: 6 }), refused: fc.boolean() }), { maxLength: 8 }), (transactions) => {
      const overlay = createOverlay({ get: (at) => committed.get(at) }, createValueCache(10))
      const plain = createOverlay({ get: (at) => committed.get(at) }, createValueCache(10))
      for (const { writes, refused } of transactions) {
        overlay.mark()
        for (const each of refused ? [overlay] : [overlay, plain]) {
          for (const { key: part, value } of writes) {
            if (value === undefined) each.remove(numbers, [part])
            else each.put(numbers, [part], value)
          }
        }
        if (refused) overlay.takeBack()
        for (const part of ['0', '1', '2', '3', '4', '5']) if (overlay.get(numbers, part) !== plain.get(numbers, part)) return false
      }
      return isDeepStrictEqual(overlay.changes(), plain.changes())
    }),
    { numRuns: 300 },
  )
  t.pass('300 blocks')
  t.end()
})

t.test('what was used last is kept, and never an older value', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 12 }), fc.array(fc.tuple(fc.constantFrom('get', 'set', 'delete'), fc.integer({ min: 0, max: 9 })), { maxLength: 60, size: 'max' }), (entriesMax, steps) => {
      const kept = createRecent<string, number>(entriesMax)
      const model = new Map<string, number>()
      // the latest use of each key, the newest last
      let used: string[] = []
      return steps.every(([what, n], i) => {
        const key = `key ${n}`
        const found = what === 'get' ? kept.get(key) : undefined
        const lastUsed = model.has(key) && used.slice(-Math.floor(entriesMax / 2)).includes(key)
        if (what === 'set') {
          kept.set(key, i)
          model.set(key, i)
        } else if (what === 'delete') {
          kept.delete(key)
          model.delete(key)
        }
        // what is deleted took up room: it counts among the last used until others have come after it
        if (what === 'set' || found !== undefined) used = [...used.filter((one) => one !== key), key]
        return what !== 'get' || (found === undefined ? !lastUsed : found === model.get(key))
      })
    }),
  )
  t.end()
})
