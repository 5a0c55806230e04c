// What a validator signs. Each kind has its own domain, every signed content names the chain and, where it matters, view and height:
// a signature given for one purpose, chain, view or height says nothing about another.
import type { Hash, Height, View } from '../primitives/brand.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { encode } from '../primitives/codec.ts'
import { domain } from '../primitives/hash.ts'
import { bytes, hash, height, record, slug, view, type Infer } from '../primitives/schema.ts'
import { blockHeight } from './block.ts'

export const signature = bytes(64, 64)

/** The three votes on a slot: the primary's PrePrepare, which counts as its Prepare, and everyone's Prepare and Commit. */
export type VoteKind = 'pre-prepare' | 'prepare' | 'commit'

const slotVote = record({ chain: slug, view, height: blockHeight, blockHash: hash })

export function voteBytes(kind: VoteKind, chain: string, inView: View, height: Height, block: Hash): Uint8Array {
  return concatBytes(domain(`vote/${kind}`), encode(slotVote, { chain, view: inView, height, blockHash: block }))
}

/**
 * What a replica that has lost its vote log may have signed before, at most: in `epoch` nothing in a view above `view`, and in any epoch nothing for a height above
 * `height`. Worked out from what the others tell (node/recovery.ts).
 */
export const forgottenVotes = record({ epoch: blockHeight, view, height })
export type ForgottenVotes = Infer<typeof forgottenVotes>

/** What executing the chain up to `height` gave. `nextSet` is the epochHash of the set scheduled last by then. */
export const checkpointContent = record({ height: blockHeight, blockHash: hash, stateRoot: hash, nextSet: hash })
export type CheckpointContent = Infer<typeof checkpointContent>

const checkpointVote = record({ chain: slug, content: checkpointContent })

export function checkpointBytes(chain: string, content: CheckpointContent): Uint8Array {
  return concatBytes(domain('vote/checkpoint'), encode(checkpointVote, { chain, content }))
}
