// Views: what rules and queries see of the state. A block executes on an overlay over the committed state; what a refused transaction has changed of it
// is taken back, so half-done changes cannot exist. Values are decoded, immutable objects.
import { assert } from '../primitives/errors.ts'
import { createRecent, type Recent } from './recent.ts'
import { decodeValue, encodeValue, type KeyPart, stateKey, type Table } from './table.ts'

/** Committed state as bytes. */
export interface StateSource {
  readonly get: (key: string) => Uint8Array | undefined
}

/** Committed state at one height. `scan` gives keys with the prefix in byte order, after `after`. */
export interface QuerySource extends StateSource {
  readonly scan: (prefix: string, after: string | undefined, limit: number) => Promise<readonly (readonly [key: string, value: Uint8Array])[]>
}

export interface ReadView {
  readonly get: <T>(table: Table<T>, ...key: readonly KeyPart[]) => T | undefined
}

/** What queries read: committed state only, with bounded scans in key order. Rules never scan: their cost would grow with the state. */
export interface QueryView extends ReadView {
  readonly scan: <T>(table: Table<T>, prefix: readonly KeyPart[], page: Page) => Promise<Scanned<T>>
}

export interface Page {
  /** The `next` of the page before, or undefined for the first. */
  readonly cursor?: string | undefined
  readonly limit: number
}

export interface Scanned<T> {
  readonly items: readonly { readonly key: readonly string[]; readonly value: T }[]
  readonly next: string | undefined
}

export interface WriteView extends ReadView {
  readonly put: <T>(table: Table<T>, key: readonly KeyPart[], value: T) => void
  /**
   * Puts under a key that never had a value, such as one that names the transaction itself, and reads nothing for it. That there was none is asserted: within the block at once, of
   * the state before it when the changes go into the tree, which passes by the place anyway.
   */
  readonly putNew: <T>(table: Table<T>, key: readonly KeyPart[], value: T) => void
  readonly remove: <T>(table: Table<T>, key: readonly KeyPart[]) => void
}

interface Entry {
  readonly table: Table<unknown>
  /** undefined: absent. */
  readonly value: unknown
  readonly isNew?: true
}

/** Decoded values of the committed state, bounded, shared by block after block. */
export type ValueCache = Pick<Recent<string, Entry>, 'get' | 'set'>

export function createValueCache(entriesMax: number): ValueCache {
  return createRecent(entriesMax)
}

export interface Overlay extends WriteView {
  /** Where `takeBack` goes back to. */
  readonly mark: () => void
  /** Undoes all changes since the last mark. */
  readonly takeBack: () => void
  /** The changes in key order: the encoded value, or undefined for a removal. Values are encoded here, once a block. */
  readonly changes: () => readonly StateChange[]
  /** Puts the changed values into the cache, once they are the committed state. Those of new keys are left out unless they were looked for: they would push out what is read. */
  readonly retain: () => void
}

export interface StateChange {
  readonly key: string
  readonly value: Uint8Array | undefined
  /** The state had no such key. */
  readonly isNew?: true | undefined
}

/** An overlay over committed state, for one block. */
export function createOverlay(source: StateSource, cache: ValueCache): Overlay {
  const own = new Map<string, Entry>()
  /** The keys written since the mark, and what the block had under them before: undefined, nothing of its own. */
  const journal: { readonly keys: string[]; readonly before: (Entry | undefined)[] } = { keys: [], before: [] }

  const committed = (key: string, table: Table<unknown>): Entry => {
    const cached = cache.get(key)
    if (cached !== undefined) return cached
    const encoded = source.get(key)
    const entry = { table, value: encoded === undefined ? undefined : decodeValue(table, encoded) }
    cache.set(key, entry)
    return entry
  }
  const write = (key: string, entry: Entry): void => {
    journal.keys.push(key)
    journal.before.push(own.get(key))
    own.set(key, entry)
  }
  const forget = (): void => {
    journal.keys.length = 0
    journal.before.length = 0
  }

  return {
    get: <T>(table: Table<T>, ...parts: readonly KeyPart[]) => {
      const key = stateKey(table, parts)
      return (own.get(key) ?? committed(key, anyTable(table))).value as T | undefined
    },
    put: (table, parts, value) => {
      assert(value !== undefined, 'a value to put')
      write(stateKey(table, parts), { table: anyTable(table), value })
    },
    putNew: (table, parts, value) => {
      const key = stateKey(table, parts)
      assert(value !== undefined && own.get(key) === undefined, `a value to put, and nothing under ${key} yet`)
      write(key, { table: anyTable(table), value, isNew: true })
    },
    remove: (table, parts) => write(stateKey(table, parts), { table: anyTable(table), value: undefined }),
    mark: forget,
    takeBack: () => {
      // the last first, since a key may have been written more than once
      for (let i = journal.keys.length - 1; i >= 0; i--) {
        const key = journal.keys[i] as string
        const before = journal.before[i]
        if (before === undefined) own.delete(key)
        else own.set(key, before)
      }
      forget()
    },
    changes: () =>
      [...own.keys()].sort(compareKeys).map((key) => {
        const { table, value, isNew } = own.get(key) as Entry
        return { key, value: value === undefined ? undefined : encodeValue(table, value), isNew }
      }),
    retain: () => {
      // that a new key was absent may be known there, and holds no more
      for (const [key, entry] of own) if (entry.isNew !== true || cache.get(key) !== undefined) cache.set(key, entry)
    },
  }
}

/** A key belongs to one table, so its entry is only ever read back at that table's type. */
function anyTable<T>(table: Table<T>): Table<unknown> {
  return table as unknown as Table<unknown>
}

/** Keys are ASCII, so UTF-16 order is byte order. */
function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A view for queries over committed state. */
export function createQueryView(source: QuerySource): QueryView {
  return {
    get: (table, ...parts) => {
      const encoded = source.get(stateKey(table, parts))
      return encoded === undefined ? undefined : decodeValue(table, encoded)
    },
    scan: async (table, prefix, { cursor, limit }) => {
      const from = `${stateKey(table, prefix)}/`
      const rows = await source.scan(from, cursor === undefined ? undefined : from + cursor, limit + 1)
      const items = rows.slice(0, limit).map(([key, value]) => ({ key: key.split('/').slice(1), value: decodeValue(table, value) }))
      const last = rows.length > limit ? rows[limit - 1] : undefined
      return { items, next: last === undefined ? undefined : last[0].slice(from.length) }
    },
  }
}
