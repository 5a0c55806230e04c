// Reading ahead: what a final block will probably look up is fetched from the store all at once, on LevelDB's own thread, before it is executed. Rules read one row after the
// other and cannot wait, and once the state has outgrown its caches each such read holds up the thread that votes.
import type { State } from '../state/execute.ts'
import type { ReadyTransaction } from '../state/families.ts'
import { likelyRows } from '../state/likely.ts'
import { keyHashOf } from '../state/proof.ts'
import type { MissingPages } from '../state/tree.ts'
import type { StateSource } from '../state/view.ts'
import type { ChainStore } from './chain-store.ts'
import { readAheadRounds, readAheadSample } from './limits.ts'

export interface ReadAhead {
  /** What was fetched, or else what the store has. */
  readonly get: StateSource['get']
  /** Fetches what these transactions will probably need and neither cache has. The store must not be written to meanwhile. */
  readonly fetch: (transactions: readonly ReadyTransaction[]) => Promise<void>
  /** Drops what was fetched. Call it before the store is written to. */
  readonly forget: () => void
}

interface Missing {
  readonly values: readonly string[]
  readonly pages: MissingPages
}

export function createReadAhead(store: Pick<ChainStore, 'stateValue' | 'stateRows'>, { cache, tree }: Pick<State, 'cache' | 'tree'>): ReadAhead {
  const fetched = new Map<string, Uint8Array | undefined>()

  const missing = (transactions: readonly ReadyTransaction[]): Missing => {
    const seen = new Set<string>()
    const values: string[] = []
    const keyHashes: Uint8Array[] = []
    for (const ready of transactions) {
      for (const { key, use } of likelyRows(ready)) {
        if (seen.has(key)) continue
        seen.add(key)
        const isKnown = use === 'new' || cache.get(key) !== undefined
        if (!isKnown) values.push(key)
        // a value that is read is held against its leaf, one that is written changes it
        if (!isKnown || use !== 'read') keyHashes.push(keyHashOf(key))
      }
    }
    return { values, pages: tree.missing(keyHashes) }
  }

  return {
    get: (key) => fetched.get(key) ?? (fetched.has(key) ? undefined : store.stateValue(key)),
    forget: () => fetched.clear(),
    fetch: async (transactions) => {
      // a few rows are read sooner than waited for, and a state that is all in memory shows in the first transactions
      if (transactions.length < readAheadSample) return
      const sample = missing(transactions.slice(0, readAheadSample))
      if (sample.values.length + sample.pages.paths.length === 0) return
      let { values, pages } = missing(transactions)
      for (let round = 0; round < readAheadRounds && values.length + pages.paths.length > 0; round++) {
        const rows = await store.stateRows(values, pages.paths)
        values.forEach((key, i) => fetched.set(key, rows.values[i]))
        pages.paths.forEach((path, i) => tree.offer(path, rows.pages[i]))
        values = []
        pages = tree.missing(pages.keyHashes)
      }
    },
  }
}
