// Writes that are not in the database yet, of each key the last one: what a node writes again block after block reaches the disk once (docs/durability.md, Readers and writers).
import { pageLimit, restOf } from './store-range.ts'
import type { StoreEntry, StoreOp, StoreRange, StoreReader } from './world.ts'

/** What an operation takes in memory beside its key and value, about. */
const opOverheadBytes = 250

export interface PendingWrites {
  /** The last writes win. Values must not be changed any more. */
  readonly add: (ops: Iterable<StoreOp>) => void
  readonly ops: () => readonly StoreOp[]
  /** By the first byte of the key, as ranges lie: the names and operations of each. */
  readonly groups: () => Iterable<readonly [first: string, ops: Iterable<readonly [name: string, op: StoreOp]>]>
  /** What the key is to become; undefined when nothing is written under it. */
  readonly of: (key: Uint8Array) => StoreOp | undefined
  /** Bytes in memory, about. */
  readonly bytes: () => number
}

export function createPendingWrites(): PendingWrites {
  const groups = new Map<string, Map<string, StoreOp>>()
  let bytes = 0
  return {
    add: (ops) => {
      for (const op of ops) {
        const name = nameOf(op.key)
        const first = name.charAt(0)
        let group = groups.get(first)
        if (group === undefined) {
          group = new Map()
          groups.set(first, group)
        }
        const known = group.get(name)
        bytes += known === undefined ? sizeOf(op) : sizeOf(op) - sizeOf(known)
        group.set(name, op)
      }
    },
    ops: () => [...groups.values()].flatMap((group) => [...group.values()]),
    groups: () => groups,
    of: (key) => {
      const name = nameOf(key)
      return groups.get(name.charAt(0))?.get(name)
    },
    bytes: () => bytes,
  }
}

/** A page of the range as it will be once `writes`, the later ones last, are in the database that `page` reads. */
export async function pageWith(writes: readonly PendingWrites[], page: StoreReader['page'], range: StoreRange): Promise<readonly StoreEntry[]> {
  const limit = pageLimit(range)
  const own = within(range, writes)
  if (own.length === 0 || limit === 0) return page(range)
  const backwards = range.reverse === true
  const found: StoreEntry[] = []
  let next = 0
  const addOwn = (): void => {
    const [, op] = own[next++] as Named
    if (op.type === 'put') found.push({ key: plainBytes(op.key), value: plainBytes(op.value) })
  }
  for (let rest = range; ; ) {
    const asked = limit - found.length
    const rows = await page({ ...rest, limit: asked })
    for (const row of rows) {
      const name = nameOf(row.key)
      for (let mine = own[next]?.[0]; mine !== undefined && (backwards ? mine > name : mine < name); mine = own[next]?.[0]) addOwn()
      if (own[next]?.[0] === name) addOwn()
      else found.push(row)
    }
    const last = rows.at(-1)
    const isAll = last === undefined || rows.length < asked
    while (isAll && next < own.length) addOwn()
    if (isAll || found.length >= limit) return found.slice(0, limit)
    rest = restOf(range, last.key)
  }
}

type Named = readonly [name: string, op: StoreOp]

function within({ gt, gte, lt, lte, reverse }: StoreRange, writes: readonly PendingWrites[]): readonly Named[] {
  const [above, from, below, to] = [gt, gte, lt, lte].map((bound) => (bound === undefined ? undefined : nameOf(bound)))
  const found = new Map<string, StoreOp>()
  // all names of a group begin with `first`, and are not below it
  const begins = (first: string): boolean => !(first < (above ?? from ?? '').charAt(0)) && (below === undefined || first < below) && (to === undefined || first <= to)
  for (const one of writes) {
    for (const [first, ops] of one.groups()) {
      if (!begins(first)) continue
      for (const [name, op] of ops) {
        const isInside = (above === undefined || name > above) && (from === undefined || name >= from) && (below === undefined || name < below) && (to === undefined || name <= to)
        if (isInside) found.set(name, op)
      }
    }
  }
  const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
  return reverse === true ? sorted.reverse() : sorted
}

/** The bytes of a key as text, one character each: as a key of maps, and in the same order. */
function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}

/** No Buffer, whose slice() shares memory where a Uint8Array's copies. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function sizeOf(op: StoreOp): number {
  return opOverheadBytes + 2 * op.key.length + (op.type === 'put' ? op.value.length : 0)
}
