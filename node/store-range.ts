// Readers of a store and ranges of its keys: the bounds of a prefix, of a page, and going through a range page by page.
import { concatBytes } from '../primitives/bytes.ts'
import { assert } from '../primitives/errors.ts'
import { storePageMax, storePageEntries } from './limits.ts'
import type { StoreEntry, StoreRange, StoreReader } from './world.ts'

export function pageLimit(range: StoreRange): number {
  return range.limit === undefined || range.limit < 0 ? storePageMax : Math.min(range.limit, storePageMax)
}

/** The first key after all that begin with `prefix`; undefined when none is. For ranges. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] as number
    if (byte < 255) return concatBytes(prefix.subarray(0, i), Uint8Array.of(byte + 1))
  }
  return undefined
}

export function readerBy(get: StoreReader['get'], page: StoreReader['page']): StoreReader {
  return { get, page, iterate: (range) => entriesByPage(page, range) }
}

/** Lets `read` have a reader for as long as it runs: pages that it leaves under way are waited for, and later none is read. */
export async function lend<T>(get: StoreReader['get'], page: StoreReader['page'], read: (reader: StoreReader) => Promise<T>): Promise<T> {
  const underWay = new Set<Promise<unknown>>()
  let isOver = false
  const lent: StoreReader['page'] = async (range) => {
    assert(!isOver, 'who held the store reads no more after it')
    const reading = page(range)
    underWay.add(reading)
    return reading.finally(() => underWay.delete(reading))
  }
  try {
    return await read(readerBy(get, lent))
  } finally {
    isOver = true
    await Promise.allSettled(underWay)
  }
}

/** The range through its pages. */
export async function* entriesByPage(page: StoreReader['page'], { limit = -1, ...range }: StoreRange): AsyncGenerator<StoreEntry> {
  let left = limit < 0 ? Number.MAX_SAFE_INTEGER : limit
  for (let rest = range; left > 0; ) {
    const asked = Math.min(left, storePageEntries)
    const entries = await page({ ...rest, limit: asked })
    yield* entries
    const last = entries.at(-1)
    if (last === undefined || entries.length < asked) return
    left -= asked
    rest = restOf(range, last.key)
  }
}

/** What is left of the range behind `key`. */
export function restOf({ gt, gte, lt, lte, reverse = false }: StoreRange, key: Uint8Array): StoreRange {
  const below = reverse ? { lt: key } : { ...(lt === undefined ? {} : { lt }), ...(lte === undefined ? {} : { lte }) }
  const above = reverse ? { ...(gt === undefined ? {} : { gt }), ...(gte === undefined ? {} : { gte }) } : { gt: key }
  return { ...below, ...above, reverse }
}
