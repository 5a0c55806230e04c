// A store in memory, ordered, with the contract of node/world.ts; test/contracts/store.test.ts runs the same suite over it and over LevelDB.
// It can lose what was not synced, as a power cut does: `crash()` gives the store that would be found afterwards.
import { compareBytes, equalBytes, toHex } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { storeReadersMax } from '../../node/limits.ts'
import { createReadWriteLock } from '../../node/read-write-lock.ts'
import { lend, pageLimit, readerBy } from '../../node/store-range.ts'
import { openValue, sealValue } from '../../node/store.ts'
import type { Store, StoreEntry, StoreOp, StoreRange, StoreReader } from '../../node/world.ts'

/** Sorted by key; values sealed with their checksum. Never changed in place. */
type Table = readonly StoreEntry[]

export interface MemoryStore extends Store {
  /** What the disk would hold after a cut now: a sync makes durable all that came before. */
  crash(): MemoryStore
  /** Flips a bit of a value as it lies there. */
  damage(key: Uint8Array): void
}

export function createMemoryStore(initial: Table = []): MemoryStore {
  let table: Table = initial
  let durable: Table = initial
  let closed = false
  const lock = createReadWriteLock(storeReadersMax)

  function now(): Table {
    if (closed) throw new DongbaekError('store/closed', 'the store is closed')
    return table
  }

  const get = (key: Uint8Array): Uint8Array | undefined => {
    const found = find(now(), key)
    return found === undefined ? undefined : openValue(key, found.value, 'memory').slice()
  }
  const page: StoreReader['page'] = async (range) => select(now(), { ...range, limit: pageLimit(range) }).map(open)

  return {
    place: 'memory',
    ...readerBy(get, (range) => lock.read(() => page(range))),
    batch: (ops, { sync }) =>
      lock.write(async () => {
        table = merge(now(), ops)
        if (sync) durable = table
      }),
    hold: (read) => lock.read(() => lend(get, page, read)),
    async scrub() {
      now()
    },
    async approximateBytes(from, to) {
      return select(now(), { gte: from, lt: to }).reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    },
    close: () =>
      lock.write(async () => {
        closed = true
        durable = table
      }),
    crash: () => createMemoryStore(durable),
    damage(key) {
      table = table.map((entry) => {
        if (!equalBytes(entry.key, key)) return entry
        const value = entry.value.slice()
        value[0] = (value[0] as number) ^ 1
        return { key, value }
      })
    },
  }
}

function find(table: Table, key: Uint8Array): StoreEntry | undefined {
  const entry = table[lowerBound(table, key)]
  return entry !== undefined && equalBytes(entry.key, key) ? entry : undefined
}

function lowerBound(table: Table, key: Uint8Array): number {
  let from = 0
  let to = table.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if (compareBytes((table[middle] as StoreEntry).key, key) < 0) from = middle + 1
    else to = middle
  }
  return from
}

function select(table: Table, { gt, gte, lt, lte, reverse, limit }: StoreRange): StoreEntry[] {
  const chosen = table.filter(
    ({ key }) =>
      (gt === undefined || compareBytes(key, gt) > 0) &&
      (gte === undefined || compareBytes(key, gte) >= 0) &&
      (lt === undefined || compareBytes(key, lt) < 0) &&
      (lte === undefined || compareBytes(key, lte) <= 0),
  )
  if (reverse === true) chosen.reverse()
  return limit === undefined || limit < 0 ? chosen : chosen.slice(0, limit)
}

function merge(table: Table, ops: readonly StoreOp[]): Table {
  const changes = new Map<string, StoreOp>()
  for (const op of ops) changes.set(toHex(op.key), op)
  const sorted = [...changes.values()].sort((a, b) => compareBytes(a.key, b.key))
  const out: StoreEntry[] = []
  let at = 0
  for (const op of sorted) {
    while (at < table.length && compareBytes((table[at] as StoreEntry).key, op.key) < 0) out.push(table[at++] as StoreEntry)
    if (at < table.length && equalBytes((table[at] as StoreEntry).key, op.key)) at++
    if (op.type === 'put') out.push({ key: op.key.slice(), value: sealValue(op.key, op.value) })
  }
  return [...out, ...table.slice(at)]
}

function open({ key, value }: StoreEntry): StoreEntry {
  return { key: key.slice(), value: openValue(key, value, 'memory').slice() }
}
