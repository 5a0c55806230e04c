// Bodies of posts: kept outside the blocks under their hash, so that they can be erased for good while the chain stays verifiable.
// A body is kept while a post refers to it. Before one does, it waits, within bounds for each source, so that nobody can fill the disk with bodies that no
// transaction paid for.
//   x<hash>   the body          y<hash>   it waits for a post, since when          z<hash>   a post refers to it and it is not here, since when (body-fetch.ts)
import type { Hash, TimeMs } from '../primitives/brand.ts'
import { concatBytes, toBase64url, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { timeMs } from '../primitives/schema.ts'
import { bodyErased, bodyIsReferenced } from '../state/community/body.ts'
import { commented, erased, posted } from '../state/community/events.ts'
import type { Event } from '../state/family.ts'
import type { Receipt } from '../state/receipt.ts'
import { createOverlay, createValueCache, type StateSource } from '../state/view.ts'
import { bodyBytesMax, missingBodiesMax, waitingBodiesBytesMax, waitingBodiesMax, waitingBodyMs } from './limits.ts'
import type { Clock, Store, StoreOp } from './world.ts'

export type BodyStanding = 'referenced' | 'erased' | 'unknown'

/** What the stored state says of a body. */
export function bodyStandingIn({ source }: { readonly source: StateSource }, hash: Hash): BodyStanding {
  const view = createOverlay(source, createValueCache(1))
  return bodyErased(view, hash) ? 'erased' : bodyIsReferenced(view, hash) ? 'referenced' : 'unknown'
}

export interface Bodies {
  /** `source`: the peer that sent it, undefined for clients. Throws `community/body-empty`, `community/body-too-large`, `community/body-erased`. */
  readonly put: (body: Uint8Array, source?: string) => Promise<Hash>
  readonly get: (hash: Hash) => Uint8Array | undefined
  /** Some that posts refer to and that are not here: each call begins where the one before ended, so that one that nobody has keeps none from its turn. */
  readonly missing: (max: number) => readonly Hash[]
  /** What is written together with a block: bodies that its posts refer to wait no longer, and those erased are deleted. */
  readonly opsOf: (receipts: readonly Receipt[]) => readonly StoreOp[]
}

export interface BodiesContext {
  readonly store: Store
  readonly clock: Clock
  /** What the stored state says of a body. */
  readonly stateOf: (hash: Hash) => BodyStanding
}

interface Waiting {
  readonly hash: Hash
  readonly bytes: number
  readonly sinceMs: number
  readonly source: string | undefined
}

const markerBytesMax = 32
const waitingPrefix = utf8('y')

const bodyKey = (hash: Hash): Uint8Array => concatBytes(utf8('x'), hash)
const markerKey = (hash: Hash): Uint8Array => concatBytes(waitingPrefix, hash)
const missingPrefix = utf8('z')
const missingKey = (hash: Hash): Uint8Array => concatBytes(missingPrefix, hash)
const forget = (hash: Hash): StoreOp[] => [{ type: 'del', key: bodyKey(hash) }, { type: 'del', key: markerKey(hash) }]

export async function openBodies({ store, clock, stateOf }: BodiesContext): Promise<Bodies> {
  // oldest first
  const waiting = new Map<string, Waiting>()
  for await (const { key, value } of store.iterate({ gte: waitingPrefix, lt: utf8('z') })) {
    const hash = key.slice(waitingPrefix.length) as Hash
    waiting.set(toBase64url(hash), { hash, bytes: store.get(bodyKey(hash))?.length ?? 0, sinceMs: decode(timeMs, value, markerBytesMax), source: 'before the start' })
  }

  // in the order in which they are asked for
  const missing = new Map<string, Hash>()
  for await (const { key } of store.iterate({ gte: missingPrefix, lt: utf8('{') })) {
    const hash = key.slice(missingPrefix.length) as Hash
    missing.set(toBase64url(hash), hash)
    if (missing.size >= missingBodiesMax) break
  }
  const miss = (hash: Hash): readonly StoreOp[] => {
    missing.set(toBase64url(hash), hash)
    const ops: StoreOp[] = [{ type: 'put', key: missingKey(hash), value: encode(timeMs, clock.now() as TimeMs) }]
    const [oldest] = missing.values()
    if (missing.size <= missingBodiesMax || oldest === undefined) return ops
    return [...ops, ...found(oldest)]
  }
  const found = (hash: Hash): readonly StoreOp[] => (missing.delete(toBase64url(hash)) ? [{ type: 'del', key: missingKey(hash) }] : [])

  /** Those that have to go: too old, or the oldest of this source beyond its share. */
  const takeSurplus = (source: string | undefined): readonly Waiting[] => {
    const all = [...waiting.values()]
    const own = all.filter((one) => one.source === source)
    let bytes = own.reduce((sum, one) => sum + one.bytes, 0)
    let count = own.length
    const surplus = all.filter((one) => {
      const isLate = clock.now() - one.sinceMs >= waitingBodyMs
      if (!isLate && (one.source !== source || (count <= waitingBodiesMax && bytes <= waitingBodiesBytesMax))) return false
      if (one.source === source) {
        bytes -= one.bytes
        count--
      }
      return true
    })
    for (const one of surplus) waiting.delete(toBase64url(one.hash))
    return surplus
  }

  const putWaiting = async (hash: Hash, body: Uint8Array, source: string | undefined): Promise<void> => {
    const key = toBase64url(hash)
    if (waiting.has(key)) return
    const sinceMs = clock.now() as TimeMs
    waiting.set(key, { hash, bytes: body.length, sinceMs, source })
    const surplus = takeSurplus(source).flatMap((one) => forget(one.hash))
    await store.batch([...surplus, { type: 'put', key: bodyKey(hash), value: body }, { type: 'put', key: markerKey(hash), value: encode(timeMs, sinceMs) }], { sync: false })
    if (waiting.has(key)) return
    // meanwhile a block has decided about it
    const decided = stateOf(hash)
    if (decided === 'referenced') await store.batch([{ type: 'del', key: markerKey(hash) }], { sync: false })
    else await store.batch(forget(hash), { sync: false })
  }

  return {
    put: async (body, source) => {
      if (body.length === 0) throw new DongbaekError('community/body-empty', 'a body has at least one byte')
      if (body.length > bodyBytesMax) throw new DongbaekError('community/body-too-large', `a body has at most ${bodyBytesMax} bytes: shorten the post`, { bytes: body.length, bytesMax: bodyBytesMax })
      const hash = sha256(body) as Hash
      const known = stateOf(hash)
      if (known === 'erased') throw new DongbaekError('community/body-erased', 'the body with this hash was erased for good: write it anew, with a new salt')
      if (known === 'unknown') await putWaiting(hash, body, source)
      else if (store.get(bodyKey(hash)) === undefined) await store.batch([{ type: 'put', key: bodyKey(hash), value: body }, ...found(hash)], { sync: false })
      return hash
    },
    get: (hash) => store.get(bodyKey(hash)),
    missing: (max) => {
      const some: Hash[] = []
      for (const hash of missing.values()) {
        if (some.length === max) break
        some.push(hash)
      }
      for (const hash of some) {
        missing.delete(toBase64url(hash))
        missing.set(toBase64url(hash), hash)
      }
      return some
    },
    opsOf: (receipts) =>
      receipts.flatMap(({ events }) =>
        events.flatMap((event): StoreOp[] => {
          const hash = bodyHashOf(event)
          if (hash === undefined) return []
          const wasWaiting = waiting.delete(toBase64url(hash))
          if (event.type === erased.type) return [...forget(hash), ...found(hash)]
          if (wasWaiting) return [{ type: 'del', key: markerKey(hash) }]
          return store.get(bodyKey(hash)) === undefined ? [...miss(hash)] : []
        }),
      ),
  }
}

function bodyHashOf(event: Event): Hash | undefined {
  return event.type === posted.type || event.type === commented.type || event.type === erased.type ? (event as Event & { readonly bodyHash: Hash }).bodyHash : undefined
}
