// Feeds: blocks, transactions and events of the chain as endless lists, read from any place on. Blocks are final, so what stands
// at a place never changes, and following is asking again from where one stopped: no hole, no double, nothing to remember for the reader.
import type { Height } from '../primitives/brand.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Infer, Json, JsonObject } from '../primitives/schema.ts'
import { type Schema } from '../primitives/schema.ts'
import type { Event } from '../state/family.ts'
import { blockItem, type Channel, eventItem, type feedPage, type Filter, transactionItem } from './api/events.ts'
import type { Backend } from './backend.ts'
import { cursorOf, markOf, placeOf } from './cursor.ts'
import { cursorAheadMax, feedCacheItemsMax, feedWorkMax } from './limits.ts'
import { storedBlock, storedResults } from './methods/chain.ts'

export type FeedPage = Infer<typeof feedPage>

export interface Feed {
  /** Looks at no more than `feedWorkMax` things (and one block). Throws `rpc/cursor-ahead`, `rpc/cursor-filter` or `chain/pruned`. */
  readonly page: (channel: Channel, cursor: string, filter: Filter | undefined, limit: number) => FeedPage
  /** The place behind the head: to follow from now on. */
  readonly now: (channel: Channel, filter: Filter | undefined) => string
}

interface FeedItem {
  /** Its cursor, which depends on the filter, is filled in when it goes out. */
  readonly json: JsonObject
  /** Event type or transaction kind. */
  readonly type: string
  /** Where the filter's fields are looked up. */
  readonly fields: JsonObject
}

export function createFeed(backend: Backend): Feed {
  const cache = createCache(backend)
  return {
    now: (channel, filter) => cursorOf({ height: backend.head().height + 1, index: 0 }, markOf(channel, filter)),
    page: (channel, cursor, filter, limit) => {
      const head = backend.head().height
      const mark = markOf(channel, filter)
      let place = placeOf(cursor, mark)
      if (place.height > head + cursorAheadMax) throw new DongbaekError('rpc/cursor-ahead', `the cursor is at block ${place.height}, the head of this node at ${head}`, { cursor, headHeight: head })
      const matches = matcherOf(filter)
      const items: JsonObject[] = []
      let work = 0
      while (place.height <= head && items.length < limit && work < feedWorkMax) {
        const there = cache(channel, place.height as Height)
        let index = place.index
        for (; index < there.length && items.length < limit; index++) {
          const item = there[index] as FeedItem
          if (matches(item)) items.push({ ...item.json, cursor: cursorOf({ height: place.height, index: index + 1 }, mark) })
        }
        work += 1 + index - place.index
        place = index < there.length ? { height: place.height, index } : { height: place.height + 1, index: 0 }
      }
      return { items, next: cursorOf(place, mark), lookedTo: Math.min(place.height - 1, head) as Height, height: head }
    },
  }
}

/** Items by channel and height, the blocks used last kept within `feedCacheItemsMax` items. Throws `chain/pruned`. */
function createCache(backend: Backend): (channel: Channel, height: Height) => readonly FeedItem[] {
  const kept = new Map<string, readonly FeedItem[]>()
  let keptItems = 0
  return (channel, height) => {
    const key = `${channel}/${height}`
    const known = kept.get(key)
    if (known !== undefined) {
      kept.delete(key)
      kept.set(key, known)
      return known
    }
    const items = itemsOf(backend, channel, height)
    kept.set(key, items)
    // an empty block takes room too
    keptItems += items.length + 1
    for (const [oldest, { length }] of kept) {
      if (keptItems <= feedCacheItemsMax || oldest === key) break
      kept.delete(oldest)
      keptItems -= length + 1
    }
    return items
  }
}

function itemsOf(backend: Backend, channel: Channel, height: Height): readonly FeedItem[] {
  const { hash, header, transactions } = storedBlock(backend, height)
  const { outcome, receipts } = storedResults(backend, height)
  const { timeMs } = header
  const cursor = ''
  switch (channel) {
    case 'blocks': {
      const events = outcome.events.length + receipts.reduce((sum, receipt) => sum + receipt.events.length, 0)
      const json = blockItem.toJson({ cursor, height, hash, timeMs, transactions: header.payloadCount, events }) as JsonObject
      return [{ json, type: 'block', fields: {} }]
    }
    case 'transactions':
      return transactions().map((transaction, index) => {
        const { id, kind, sender } = transaction
        const { status, code } = receipts[index] as (typeof receipts)[number]
        const json = transactionItem.toJson({ cursor, height, timeMs, index, id, kind, sender, status, code }) as JsonObject
        return { json, type: kind, fields: { signers: transaction.signatures.map(({ signer }) => signer) } }
      })
    case 'events': {
      const own = outcome.events.map((event) => ({ event, transaction: undefined }))
      const others = receipts.flatMap((receipt) => receipt.events.map((event) => ({ event, transaction: receipt.id })))
      return [...own, ...others].map(({ event, transaction }, index) => {
        const json = anyEventItem.toJson({ cursor, height, timeMs, index, transaction, event }) as JsonObject
        return { json, type: event.type, fields: json['event'] as JsonObject }
      })
    }
  }
}

const anyEventItem: Schema<Omit<Infer<typeof eventItem>, 'event'> & { readonly event: Event }> = eventItem

function matcherOf(filter: Filter | undefined): (item: FeedItem) => boolean {
  if (filter === undefined) return () => true
  const { types, did, ...equal } = filter
  const wanted = types === undefined ? undefined : new Set(types)
  const fields = Object.entries(equal).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return ({ type, fields: has }) =>
    (wanted === undefined || wanted.has(type) || wanted.has(type.split('.', 1)[0] as string)) &&
    (did === undefined || mentions(has, did)) &&
    fields.every(([name, value]) => has[name] === value)
}

/** Events are bounded in size and depth by their schemas. */
function mentions(value: Json, text: string): boolean {
  if (typeof value === 'string') return value === text
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((inner: Json) => mentions(inner, text))
}
