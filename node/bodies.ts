// Bodies of posts: kept outside the blocks under their hash, so that they can be erased for good while the chain stays verifiable.
// A body is kept while a post refers to it. Before one does, it waits, within bounds for each source, so that nobody can fill the disk with bodies that no
// transaction paid for.
//   x<hash>   the body          y<hash>   it waits for a post, since when
//   z<hash>   a post refers to it and it is not here (body-fetch.ts)          w<hash>   it was erased, and its bytes may still lie in a file (body-scrub.ts)
import type { Hash, TimeMs } from '../primitives/brand.ts'
import { concatBytes, fromBase64url, fromUtf8, toBase64url, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { timeMs } from '../primitives/schema.ts'
import { bodyBytesOf, bodyErased } from '../state/community/body.ts'
import { commented, erased, posted } from '../state/community/events.ts'
import { bodyTable } from '../state/community/keys.ts'
import type { Event } from '../state/family.ts'
import type { Receipt } from '../state/receipt.ts'
import { createOverlay, createValueCache, type StateSource } from '../state/view.ts'
import { bodyBytesMax, missingBodiesMax, waitingBodiesBytesMax, waitingBodiesMax, waitingBodyMs } from './limits.ts'
import type { Clock, Store, StoreOp, StoreReader } from './world.ts'

/** `bytes`: a post refers to it, and says that it has so many; one of another length is never taken, or the chain's limit would bind nobody. */
export type BodyStanding = 'erased' | 'unknown' | { readonly bytes: number }

/** What the stored state says of a body. */
export function bodyStandingIn({ source }: { readonly source: StateSource }, hash: Hash): BodyStanding {
  const view = createOverlay(source, createValueCache(1))
  const bytes = bodyBytesOf(view, hash)
  return bytes === undefined ? 'unknown' : bodyErased(view, hash) ? 'erased' : { bytes }
}

export interface Bodies {
  /** `source`: the peer that sent it, undefined for clients. Throws `community/body-empty`, `community/body-too-large`, `community/body-erased`, `community/body-other-length`. */
  readonly put: (body: Uint8Array, source?: string) => Promise<Hash>
  readonly get: (hash: Hash) => Uint8Array | undefined
  /** Some that posts refer to and that are not here: each call begins where the one before ended, so that one that nobody has keeps none from its turn. */
  readonly missing: (max: number) => Promise<readonly Hash[]>
  /** What is written together with a block: bodies that its posts refer to wait no longer, and those erased are deleted. */
  readonly opsOf: (receipts: readonly Receipt[]) => readonly StoreOp[]
  /** Takes the bytes of some that were erased out of the files; how many. */
  readonly scrub: (max: number) => Promise<number>
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
/** Rows of one batch: bodies of the largest size are some megabytes. */
const carriedAtOnce = 64
const bodyPrefix = utf8('x')
const waitingPrefix = utf8('y')

const bodyKey = (hash: Hash): Uint8Array => concatBytes(bodyPrefix, hash)
const markerKey = (hash: Hash): Uint8Array => concatBytes(waitingPrefix, hash)
const missingPrefix = utf8('z')
const missingEnd = utf8('{')
const missingKey = (hash: Hash): Uint8Array => concatBytes(missingPrefix, hash)
const noteMissing = (hash: Hash): StoreOp => ({ type: 'put', key: missingKey(hash), value: new Uint8Array() })
const erasedPrefix = utf8('w')
const erasedKey = (hash: Hash): Uint8Array => concatBytes(erasedPrefix, hash)
const hashOf = (key: Uint8Array): Hash => key.slice(1) as Hash
const forget = (hash: Hash): StoreOp[] => [{ type: 'del', key: bodyKey(hash) }, { type: 'del', key: markerKey(hash) }]

export async function openBodies({ store, clock, stateOf }: BodiesContext): Promise<Bodies> {
  // oldest first
  const waiting = new Map<string, Waiting>()
  for await (const { key, value } of store.iterate({ gte: waitingPrefix, lt: utf8('z') })) {
    const hash = hashOf(key)
    waiting.set(toBase64url(hash), { hash, bytes: store.get(bodyKey(hash))?.length ?? 0, sinceMs: decode(timeMs, value, markerBytesMax), source: 'before the start' })
  }

  // in the order in which they are asked for; where there are more than are held here, the other rows wait for their turn on the disk
  const missing = new Map<string, Hash>()
  let readTo = missingPrefix
  let isAllRead = false
  let isAnyPassed = false
  const readMissing = async (): Promise<void> => {
    if (isAllRead || missing.size > missingBodiesMax / 2) return
    for await (const { key } of store.iterate({ gt: readTo, lt: missingEnd })) {
      const hash = hashOf(key)
      if (store.get(bodyKey(hash)) === undefined) missing.set(toBase64url(hash), hash)
      readTo = key
      if (missing.size >= missingBodiesMax) return
    }
    readTo = missingPrefix
    isAllRead = !isAnyPassed
    isAnyPassed = false
  }
  const miss = (hash: Hash): StoreOp => {
    if (missing.size < missingBodiesMax) missing.set(toBase64url(hash), hash)
    else {
      isAllRead = false
      isAnyPassed = true
    }
    return noteMissing(hash)
  }
  const found = (hash: Hash): StoreOp => {
    missing.delete(toBase64url(hash))
    return { type: 'del', key: missingKey(hash) }
  }

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
    // a block that comes to name it later takes it out of those that wait, by its own batch
    const decided = stateOf(hash)
    if (decided === 'unknown') return
    // one that was being stored when it came has not seen it
    waiting.delete(key)
    if (decided === 'erased') await store.batch([...forget(hash), { type: 'put', key: erasedKey(hash), value: new Uint8Array() }], { sync: false })
    else await store.batch(decided.bytes === body.length ? [{ type: 'del', key: markerKey(hash) }, found(hash)] : forget(hash), { sync: false })
  }

  return {
    put: async (body, source) => {
      if (body.length === 0) throw new DongbaekError('community/body-empty', 'a body has at least one byte')
      if (body.length > bodyBytesMax) throw new DongbaekError('community/body-too-large', `a body has at most ${bodyBytesMax} bytes: shorten the post`, { bytes: body.length, bytesMax: bodyBytesMax })
      const hash = sha256(body) as Hash
      const known = stateOf(hash)
      if (known === 'erased') throw new DongbaekError('community/body-erased', 'the body with this hash was erased for good: write it anew, with a new salt')
      if (known === 'unknown') await putWaiting(hash, body, source)
      else if (known.bytes !== body.length) throw new DongbaekError('community/body-other-length', `the post that names this body says ${known.bytes} bytes, and it has ${body.length}: post it anew`, { bytes: body.length, bodyBytes: known.bytes })
      else if (store.get(bodyKey(hash)) === undefined) {
        await store.batch([{ type: 'put', key: bodyKey(hash), value: body }, found(hash)], { sync: false })
        // a block that erases it may have been stored just before this was
        if (stateOf(hash) === 'erased') await store.batch([...forget(hash), { type: 'put', key: erasedKey(hash), value: new Uint8Array() }], { sync: false })
      } else missing.delete(toBase64url(hash))
      return hash
    },
    get: (hash) => store.get(bodyKey(hash)),
    missing: async (max) => {
      await readMissing()
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
          const named = bodyOf(event)
          if (named === undefined) return []
          const { hash, bytes } = named
          const waited = waiting.get(toBase64url(hash))
          waiting.delete(toBase64url(hash))
          if (event.type === erased.type) return [...forget(hash), found(hash), { type: 'put', key: erasedKey(hash), value: new Uint8Array() }]
          if (waited !== undefined) return waited.bytes === bytes ? [{ type: 'del', key: markerKey(hash) }] : forget(hash)
          return store.get(bodyKey(hash)) === undefined ? [miss(hash)] : []
        }),
      ),
    scrub: async (max) => {
      const keys = (await store.page({ gt: erasedPrefix, lt: utf8('x'), limit: max })).map(({ key }) => key)
      if (keys.length === 0) return 0
      await store.scrub(keys.map((key) => bodyKey(hashOf(key))))
      await store.batch(keys.map((key) => ({ type: 'del', key })), { sync: false })
      return keys.length
    },
  }
}

/** For a node that begins from a snapshot: the bodies of its old database, but those that were erased meanwhile, and a note of each that posts refer to and that is not among them. */
export async function carryBodies(from: StoreReader, to: Store): Promise<void> {
  const state = { source: { get: (key: string) => to.get(utf8(`s${key}`)) } }
  let ops: StoreOp[] = []
  const write = async (most: number): Promise<void> => {
    if (ops.length <= most) return
    await to.batch(ops, { sync: false })
    ops = []
  }
  for await (const { key, value } of from.iterate({ gte: bodyPrefix, lt: waitingPrefix })) {
    const hash = hashOf(key)
    const standing = bodyStandingIn(state, hash)
    const waits = from.get(markerKey(hash))
    if (typeof standing === 'object') ops.push({ type: 'put', key, value })
    else if (standing === 'unknown' && waits !== undefined) ops.push({ type: 'put', key, value }, { type: 'put', key: markerKey(hash), value: waits })
    await write(carriedAtOnce)
  }
  await write(0)
  for await (const { key } of to.iterate({ gt: utf8(`s${bodyTable.name}/`), lt: utf8(`s${bodyTable.name}0`) })) {
    const hash = fromBase64url(fromUtf8(key).slice(bodyTable.name.length + 2)) as Hash
    if (bodyStandingIn(state, hash) !== 'erased' && to.get(bodyKey(hash)) === undefined) ops.push(noteMissing(hash))
    await write(carriedAtOnce)
  }
  await write(0)
}

function bodyOf(event: Event): { readonly hash: Hash; readonly bytes: number | undefined } | undefined {
  if (event.type !== posted.type && event.type !== commented.type && event.type !== erased.type) return undefined
  const { bodyHash: hash, bodyBytes: bytes } = event as Event & { readonly bodyHash: Hash; readonly bodyBytes?: number }
  return { hash, bytes }
}
