// Block headers. Consensus orders headers that form a chain by their parent's hash; what a block orders is opaque here
// and bound by `payload`. docs/protocol.md gives the encoding and vectors.
import type { Hash, Height, TimeMs } from '../primitives/brand.ts'
import { encode } from '../primitives/codec.ts'
import { taggedHash } from '../primitives/hash.ts'
import { blockTransactionsMax, validatorsMax } from '../primitives/limits.ts'
import { hash, integer, record, slug, timeMs, type Infer } from '../primitives/schema.ts'

export const blockHeight = integer<Height>(1)

/**
 * `parent` is the hash of the block one below, the genesis hash at height 1. `proposer` is an index into the validator set of this height:
 * who made the block, also when a later primary proposes it anew. There are no empty blocks.
 */
export const blockHeader = record({
  chain: slug,
  height: blockHeight,
  parent: hash,
  timeMs,
  proposer: integer(0, validatorsMax - 1),
  payload: hash,
  payloadCount: integer(1, blockTransactionsMax),
})
export type BlockHeader = Infer<typeof blockHeader>

// Headers are immutable and hashed many times, so each object remembers its hash.
const hashes = new WeakMap<BlockHeader, Hash>()

export function blockHash(header: BlockHeader): Hash {
  let known = hashes.get(header)
  if (known === undefined) {
    known = taggedHash('block', encode(blockHeader, header))
    hashes.set(header, known)
  }
  return known
}

/** What the next block needs to know of the one it stands on. Height 0 is the genesis. */
export interface BlockRef {
  readonly height: Height
  readonly hash: Hash
  readonly timeMs: TimeMs
}

export function refOf(header: BlockHeader): BlockRef {
  return { height: header.height, hash: blockHash(header), timeMs: header.timeMs }
}
