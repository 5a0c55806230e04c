// Bodies of posts: kept outside the blocks under their hash, so that they can be erased for good while the chain stays verifiable. A body may come before the
// post that names it, and waits then; what no post has named after a while is dropped, so nobody fills the disk with bodies of nothing.
//   x<hash>  a body      y<hash>  since when it waits for a post (clock time)
import type { Hash, TimeMs } from '../primitives/brand.ts'
import { concatBytes, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { timeMs } from '../primitives/schema.ts'
import { bodyBytesMax, bodySweepPage, bodyWaitMs, waitingBodiesMax } from './limits.ts'
import type { Clock, Store } from './world.ts'

/** What the chain says of a body. */
export type BodyStanding = 'referenced' | 'erased' | 'unknown'

export interface Bodies {
  /** Throws `community/body-empty`, `community/body-too-large`, `community/body-erased`, `community/too-many-bodies`. */
  readonly put: (body: Uint8Array) => Promise<Hash>
  readonly get: (hash: Hash) => Uint8Array | undefined
  /** A post names it now. */
  readonly referenced: (hash: Hash) => Promise<void>
  /** Deletes it, on the disk before this resolves. */
  readonly erase: (hash: Hash) => Promise<void>
  /** Drops bodies that have waited too long. */
  readonly sweep: () => Promise<void>
}

const bodyKey = (hash: Hash): Uint8Array => concatBytes(utf8('x'), hash)
const waitingKey = (hash: Hash): Uint8Array => concatBytes(utf8('y'), hash)

export function createBodies(store: Store, clock: Clock, standingOf: (hash: Hash) => BodyStanding): Bodies {
  /** Counted anew by each sweep; in between only what came here is added. */
  let waiting = 0
  return {
    put: async (body) => {
      if (body.length === 0) throw new DongbaekError('community/body-empty', 'a body has at least one byte')
      if (body.length > bodyBytesMax) throw new DongbaekError('community/body-too-large', `a body has at most ${bodyBytesMax} bytes: shorten the post`, { bytes: body.length, bytesMax: bodyBytesMax })
      const hash = sha256(body) as Hash
      if (store.get(bodyKey(hash)) !== undefined) return hash
      const standing = standingOf(hash)
      if (standing === 'erased') throw new DongbaekError('community/body-erased', 'this body was erased for good and is not taken again')
      if (standing === 'referenced') await store.batch([{ type: 'put', key: bodyKey(hash), value: body }], { sync: false })
      else {
        if (waiting >= waitingBodiesMax) throw new DongbaekError('community/too-many-bodies', 'this node holds as many bodies without a post as it takes: send the post of an earlier one, or try again in an hour')
        waiting++
        await store.batch(
          [
            { type: 'put', key: bodyKey(hash), value: body },
            { type: 'put', key: waitingKey(hash), value: encode(timeMs, clock.now() as TimeMs) },
          ],
          { sync: false },
        )
      }
      return hash
    },
    get: (hash) => store.get(bodyKey(hash)),
    referenced: (hash) => store.batch([{ type: 'del', key: waitingKey(hash) }], { sync: false }),
    erase: (hash) =>
      store.batch(
        [
          { type: 'del', key: bodyKey(hash) },
          { type: 'del', key: waitingKey(hash) },
        ],
        { sync: true },
      ),
    sweep: async () => {
      const nowMs = clock.now()
      let kept = 0
      let from = utf8('y')
      for (;;) {
        const rows = await store.page({ gt: from, lt: utf8('z'), limit: bodySweepPage })
        const late = rows.filter(({ value }) => decode(timeMs, value, bodyBytesMax) < nowMs - bodyWaitMs)
        kept += rows.length - late.length
        await store.batch(
          late.flatMap(({ key }) => {
            const hash = key.subarray(1) as Hash
            const drop = [{ type: 'del', key }] as const
            return standingOf(hash) === 'referenced' ? drop : [...drop, { type: 'del', key: bodyKey(hash) } as const]
          }),
          { sync: false },
        )
        const last = rows.at(-1)
        if (last === undefined || rows.length < bodySweepPage) break
        from = last.key
      }
      waiting = kept
    },
  }
}
