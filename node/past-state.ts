// The state as it was after one block, for those who read on while the next are stored. LevelDB's snapshots are not safe to hold while it is written to (store.ts), so what a block
// overwrites is put aside for them before. A query that is short holds the store instead, and costs a block nothing but the wait.
import { fromUtf8, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { QuerySource, StateChange } from '../state/view.ts'
import { presenceChecked } from './checked-state.ts'
import { longQueriesMax, pastStateBytesMax, queryHeldRowsMax, scanCostRows, storePageMax } from './limits.ts'
import { entriesByPage } from './store-range.ts'
import type { Store, StoreReader } from './world.ts'

/** What an entry takes in memory beside its key and value, about, and a key alone. */
const entryOverheadBytes = 300
const keyOverheadBytes = 60
/** Entries that are handed to who reads all of the state as soon as there are so many, in their own order. */
const handedAtOnce = 100

/** For who reads all of it: a snapshot that is made. */
export interface PastState {
  /** Each entry once, in no order; for one reader. Throws `node/busy` when more is overwritten meanwhile than is put aside. */
  readonly entries: () => AsyncIterable<readonly [key: string, value: Uint8Array]>
  /** How much of what may be put aside for it is, from 0 to 1. */
  readonly filled: () => number
  /** Idempotent. */
  readonly close: () => void
}

export interface PastStates {
  /** `put` stores `changes`, and resolves when they are stored. */
  readonly storing: (changes: readonly StateChange[], put: () => Promise<void>) => Promise<void>
  /** As it is now, while no block is being stored. Close it after use. */
  readonly open: () => PastState
  /** Runs `read` on the state as it was stored last; `head` reads the store at that moment. Throws `node/busy`. */
  readonly query: <H, T>(head: (reader: StoreReader) => H, read: (head: H, source: QuerySource) => Promise<T>) => Promise<T>
}

/** What blocks have overwritten since a moment. */
interface Aside {
  readonly before: ReadonlyMap<string, Uint8Array | undefined>
  /** What goes wrong holds no block up. */
  readonly keep: (key: string, old: () => Uint8Array | undefined) => void
  /** For who reads all in order: neither this key nor one below it is asked for again. False when its entry was handed out. */
  readonly pass: (key: string) => boolean
  /** Hands out what is put aside; of its keys nothing more is kept. */
  readonly hand: () => readonly (readonly [key: string, old: Uint8Array | undefined])[]
  /** Throws what went wrong with keeping. */
  readonly mustBeWhole: () => void
  readonly close: () => void
}

export function createPastStates(store: Pick<Store, 'get' | 'page' | 'hold' | 'place'>): PastStates {
  const open = new Set<Aside>()
  const ofQueries = { bytes: 0 }
  let queries = 0
  let underWay: readonly StateChange[] = []

  const value = (key: string): Uint8Array | undefined => store.get(storeKey(key))

  const keepAll = (changes: readonly StateChange[], asides: Iterable<Aside>): void => {
    const all = [...asides]
    for (const { key, isNew } of all.length === 0 ? [] : changes) {
      let known: { readonly value: Uint8Array | undefined } | undefined
      const old = (): Uint8Array | undefined => (known ??= { value: isNew === true ? undefined : value(key) }).value
      for (const aside of all) aside.keep(key, old)
    }
  }
  const begin = (room: { bytes: number }): Aside => {
    const aside = createAside(room, () => void open.delete(aside))
    open.add(aside)
    // of a block that waits for its turn
    keepAll(underWay, [aside])
    return aside
  }

  const source = (reader: StoreReader): { readonly source: QuerySource; readonly released: Promise<void>; readonly end: () => void } => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const checked = presenceChecked(value, (path) => reader.get(utf8(`n${path}`)), store.place)
    let cost = 0
    let aside: Aside | undefined
    let isOver = false
    const letGo = (): Aside => {
      if (queries >= longQueriesMax) throw new DongbaekError('node/busy', `${queries} long queries are under way, as many as this node runs at once: ask again in some seconds`)
      queries++
      const begun = begin(ofQueries)
      release()
      return begun
    }
    return {
      source: {
        // beyond the hold a block may be stored between two pages on the way to a leaf, so absence is not checked there
        get: (key) => (aside === undefined ? checked(key) : pastValue(aside, key, value)),
        scan: async (prefix, after, limit) => {
          if (aside === undefined && cost >= queryHeldRowsMax && !isOver) aside = letGo()
          const found = await scanPast(() => aside, (range) => (aside === undefined ? reader.page(range) : store.page(range)), prefix, after, limit)
          cost += found.length + scanCostRows
          return found
        },
      },
      released,
      end: () => {
        isOver = true
        if (aside === undefined) return
        aside.close()
        queries--
      },
    }
  }

  return {
    storing: async (changes, put) => {
      underWay = changes
      try {
        keepAll(changes, open)
        await put()
      } finally {
        underWay = []
      }
    },
    open: () => {
      const room = { bytes: 0 }
      const aside = begin(room)
      return { entries: () => pastEntries(aside, store.page), filled: () => room.bytes / pastStateBytesMax, close: aside.close }
    },
    query: async (head, read) => {
      const { running } = await store.hold(async (reader) => {
        const past = source(reader)
        const answer = read(head(reader), past.source).finally(past.end)
        await Promise.race([answer, past.released])
        return { running: answer }
      })
      return running
    },
  }
}

/** `room`: what is kept in all, perhaps with others. */
function createAside(room: { bytes: number }, forget: () => void): Aside {
  const before = new Map<string, Uint8Array | undefined>()
  const handed = new Set<string>()
  let bytes = 0
  /** Keys up to here need no keeping. */
  let passed = ''
  let failure: DongbaekError | undefined

  const count = (more: number): void => {
    bytes += more
    room.bytes += more
  }
  const close = (): void => {
    forget()
    count(-bytes)
    before.clear()
    handed.clear()
  }
  return {
    before,
    keep: (key, read) => {
      if (failure !== undefined || key <= passed || before.has(key) || handed.has(key)) return
      try {
        const old = read()
        before.set(key, old)
        count(sizeOf(key, old))
        if (room.bytes > pastStateBytesMax) throw new DongbaekError('node/busy', `more of the state was overwritten while it was read than is put aside for that (${pastStateBytesMax} bytes): try again when less is going on`)
      } catch (error) {
        // of the store or our own
        failure = error as DongbaekError
        close()
      }
    },
    pass: (key) => {
      passed = key
      if (before.has(key)) count(-sizeOf(key, before.get(key)))
      before.delete(key)
      const isHanded = handed.delete(key)
      if (isHanded) count(-key.length - keyOverheadBytes)
      return !isHanded
    },
    hand: () => {
      const all = [...before]
      for (const [key, old] of all) {
        count(key.length + keyOverheadBytes - sizeOf(key, old))
        handed.add(key)
      }
      before.clear()
      return all
    },
    mustBeWhole: () => {
      if (failure !== undefined) throw failure
    },
    close,
  }
}

function pastValue(aside: Aside, key: string, value: (key: string) => Uint8Array | undefined): Uint8Array | undefined {
  aside.mustBeWhole()
  return aside.before.has(key) ? aside.before.get(key) : value(key)
}

/** `aside` may begin while a page is being read: the page is of before then. */
async function scanPast(aside: () => Aside | undefined, page: StoreReader['page'], prefix: string, after: string | undefined, limit: number): Promise<readonly (readonly [string, Uint8Array])[]> {
  const end = upperBound(prefix)
  const found: (readonly [string, Uint8Array])[] = []
  for (let from = after ?? prefix; found.length < limit; ) {
    const asked = Math.min(limit - found.length, storePageMax)
    const rows = await page({ gt: storeKey(from), lt: storeKey(end), limit: asked })
    const now = rows.map(({ key, value }) => [nameOf(key), value] as const)
    const to = rows.length < asked ? end : (now.at(-1)?.[0] ?? end)
    const kept = aside()
    if (kept === undefined) found.push(...now)
    else {
      kept.mustBeWhole()
      const { before } = kept
      const part = now.filter(([key]) => !before.has(key))
      for (const [key, old] of before) if (old !== undefined && key > from && (to === end ? key < end : key <= to)) part.push([key, old])
      found.push(...part.sort(([a], [b]) => (a < b ? -1 : 1)))
    }
    if (to === end) break
    from = to
  }
  return found.slice(0, limit)
}

async function* pastEntries(aside: Aside, page: StoreReader['page']): AsyncGenerator<readonly [string, Uint8Array]> {
  const { before } = aside
  for await (const row of entriesByPage(page, { gte: storeKey(''), lt: utf8('t') })) {
    aside.mustBeWhole()
    const key = nameOf(row.key)
    const old = before.has(key) ? before.get(key) : row.value
    if (aside.pass(key) && old !== undefined) yield [key, old]
    if (before.size >= handedAtOnce) for (const [ahead, value] of aside.hand()) if (value !== undefined) yield [ahead, value]
  }
  aside.mustBeWhole()
  // all is read: what is left was there and has been removed since
  for (const [key, old] of aside.hand()) if (old !== undefined) yield [key, old]
  aside.close()
}

function sizeOf(key: string, old: Uint8Array | undefined): number {
  return key.length + (old?.length ?? 0) + entryOverheadBytes
}

function storeKey(key: string): Uint8Array {
  return Buffer.from(`s${key}`)
}

function nameOf(key: Uint8Array): string {
  return fromUtf8(key.subarray(1))
}

/** The first string after all that begin with `prefix` (which ends with `/`). */
function upperBound(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
