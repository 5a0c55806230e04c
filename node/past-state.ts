// The state as it was after one block, for those who read on while the next are stored. LevelDB's snapshots are not safe to hold while it is written to (store.ts), so what a block
// overwrites is put aside for them before. A query that is short holds the store instead, and costs a block nothing but the wait.
import { fromUtf8, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { StateChange, QuerySource } from '../state/view.ts'
import { presenceChecked } from './checked-state.ts'
import { pastStateBytesMax, pastStatesMax, queryHeldRowsMax, storePageMax } from './limits.ts'
import { entriesByPage } from './store-range.ts'
import type { Store, StoreReader } from './world.ts'

/** By what an entry takes in memory beside its key and value. */
const entryOverheadBytes = 100

export interface PastState {
  readonly get: (key: string) => Uint8Array | undefined
  readonly scan: QuerySource['scan']
  /** Each entry once, in no order. What has been passed is put aside no longer, so nothing else is to be read from this state. */
  readonly entries: () => AsyncIterable<readonly [key: string, value: Uint8Array]>
  /** How much of what may be put aside for it is, from 0 to 1. At 1 it ends: every read throws `node/busy`. */
  readonly filled: () => number
  /** Idempotent. */
  readonly close: () => void
}

export interface PastStates {
  /** `put` stores `changes`, and resolves when they are stored. */
  readonly storing: (changes: readonly StateChange[], put: () => Promise<void>) => Promise<void>
  /** As it is now. No block may be under way between the store and its acknowledgement. Close it after use. */
  readonly open: () => PastState
  /** Runs `read` on the state as it was stored last; `head` reads the store at that moment. Throws `node/busy` when many long ones are under way. */
  readonly query: <H, T>(head: (reader: StoreReader) => H, read: (head: H, source: QuerySource) => Promise<T>) => Promise<T>
}

interface Kept extends PastState {
  readonly keep: (changes: readonly StateChange[]) => void
}

export function createPastStates(store: Pick<Store, 'get' | 'page' | 'hold' | 'place'>): PastStates {
  const open = new Set<Kept>()
  let underWay: readonly StateChange[] = []

  const value = (key: string): Uint8Array | undefined => store.get(stateKey(key))
  const begin = (past: Kept): void => {
    past.keep(underWay)
    open.add(past)
  }

  return {
    storing: async (changes, put) => {
      underWay = changes
      for (const past of open) past.keep(changes)
      await put()
      underWay = []
    },
    open: () => {
      const past = createPastState(value, store.page, () => void open.delete(past))
      begin(past)
      return past
    },
    query: async (head, read) => {
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      /** Under way while the store is held. */
      const pages = new Set<Promise<unknown>>()
      let isHeld = true
      let rows = 0
      const answer = await store
        .hold(async (reader) => {
          const past = createPastState(value, (range) => (isHeld ? heldPage(range) : store.page(range)), () => void open.delete(past))
          const heldPage: StoreReader['page'] = (range) => {
            const page = reader.page(range)
            pages.add(page)
            return page
          }
          const checked = presenceChecked(value, (path) => store.get(utf8(`n${path}`)), store.place)
          const source: QuerySource = {
            // without the hold a block may be stored between two pages on the way to a leaf
            get: (key) => (isHeld ? checked(key) : past.get(key)),
            scan: async (prefix, after, limit) => {
              if (isHeld && rows >= queryHeldRowsMax) {
                if (open.size >= pastStatesMax) throw new DongbaekError('node/busy', `${open.size} long queries are under way, as many as this node runs at once: ask again in some seconds`)
                isHeld = false
                begin(past)
                release()
              }
              const found = await past.scan(prefix, after, limit)
              rows += found.length
              return found
            },
          }
          const running = read(head(reader), source).finally(past.close)
          try {
            await Promise.race([running, released])
          } finally {
            await Promise.allSettled(pages)
          }
          return { running }
        })
      return answer.running
    },
  }
}

function createPastState(value: (key: string) => Uint8Array | undefined, page: StoreReader['page'], close: () => void): Kept {
  /** What was there; undefined: nothing. */
  const before = new Map<string, Uint8Array | undefined>()
  let bytes = 0
  let passed: string | undefined
  let isFull = false

  const sizeOf = (key: string, old: Uint8Array | undefined): number => key.length + (old?.length ?? 0) + entryOverheadBytes
  const mustHold = (): void => {
    if (isFull) throw new DongbaekError('node/busy', `more of the state was overwritten while it was read than is kept for that (${pastStateBytesMax} bytes): ask for less at once, or when less is going on`)
  }

  return {
    keep: (changes) => {
      for (const { key, isNew } of changes) {
        if (isFull) return
        if (before.has(key) || (passed !== undefined && key <= passed)) continue
        const old = isNew === true ? undefined : value(key)
        before.set(key, old)
        bytes += sizeOf(key, old)
        if (bytes < pastStateBytesMax) continue
        isFull = true
        before.clear()
      }
    },
    get: (key) => {
      mustHold()
      return before.has(key) ? before.get(key) : value(key)
    },
    scan: async (prefix, after, limit) => {
      const end = upperBound(prefix)
      const found: (readonly [string, Uint8Array])[] = []
      for (let from = after ?? prefix; found.length < limit; ) {
        const asked = Math.min(limit - found.length, storePageMax)
        const rows = await page({ gt: stateKey(from), lt: stateKey(end), limit: asked })
        mustHold()
        const now = rows.map(({ key, value }) => [nameOf(key), value] as const)
        const to = rows.length < asked ? end : (now.at(-1)?.[0] ?? end)
        const part = now.filter(([key]) => !before.has(key))
        for (const [key, old] of before) if (old !== undefined && key > from && (to === end ? key < end : key <= to)) part.push([key, old])
        found.push(...part.sort(([a], [b]) => (a < b ? -1 : 1)))
        if (to === end) break
        from = to
      }
      return found.slice(0, limit)
    },
    entries: async function* () {
      for await (const row of entriesByPage(page, { gte: stateKey(''), lt: utf8('t') })) {
        mustHold()
        const key = nameOf(row.key)
        passed = key
        const isOld = before.has(key)
        const old = isOld ? before.get(key) : row.value
        if (isOld) bytes -= sizeOf(key, old)
        before.delete(key)
        if (old !== undefined) yield [key, old]
      }
      mustHold()
      close()
      // what was there and has been removed since
      for (const [key, old] of before) if (old !== undefined) yield [key, old]
    },
    filled: () => (isFull ? 1 : bytes / pastStateBytesMax),
    close,
  }
}

function stateKey(key: string): Uint8Array {
  return Buffer.from(`s${key}`)
}

function nameOf(key: Uint8Array): string {
  return fromUtf8(key.subarray(1))
}

/** The first string after all that begin with `prefix` (which ends with `/`). */
function upperBound(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}
