// Bodies of posts: kept outside the blocks under their hash, so that they can be erased for good while the chain stays verifiable.
// A body is taken when a post refers to it, or for a while before one does.
import type { Hash } from '../primitives/brand.ts'
import { concatBytes, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { bodyBytesMax } from './limits.ts'
import type { Store } from './world.ts'

export interface Bodies {
  /** Throws `community/body-empty`, `community/body-too-large`. */
  readonly put: (body: Uint8Array) => Promise<Hash>
  readonly get: (hash: Hash) => Uint8Array | undefined
  readonly erase: (hash: Hash) => Promise<void>
}

function bodyKey(hash: Hash): Uint8Array {
  return concatBytes(utf8('x'), hash)
}

export function createBodies(store: Store): Bodies {
  return {
    put: async (body) => {
      if (body.length === 0) throw new DongbaekError('community/body-empty', 'a body has at least one byte')
      if (body.length > bodyBytesMax) throw new DongbaekError('community/body-too-large', `a body has at most ${bodyBytesMax} bytes: shorten the post`, { bytes: body.length, bytesMax: bodyBytesMax })
      const hash = sha256(body) as Hash
      if (store.get(bodyKey(hash)) === undefined) await store.batch([{ type: 'put', key: bodyKey(hash), value: body }], { sync: false })
      return hash
    },
    get: (hash) => store.get(bodyKey(hash)),
    erase: (hash) => store.batch([{ type: 'del', key: bodyKey(hash) }], { sync: true }),
  }
}
