// Merkle tree over an ordered list (RFC 9162 section 2.1): leaves and nodes hashed under different prefixes, no duplicate of the last leaf.
// Used for the transactions and the receipts of a block, where the place in the list is proven together with the content.
import type { Hash } from './brand.ts'
import { equalBytes } from './bytes.ts'
import { hashOf, zeroHash } from './hash.ts'

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

function leafHash(leaf: Uint8Array): Hash {
  return hashOf(leafPrefix, leaf)
}

function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  return hashOf(nodePrefix, left, right)
}

/** Root of the list; zeroHash for an empty one. */
export function merkleRoot(leaves: readonly Uint8Array[]): Hash {
  if (leaves.length === 0) return zeroHash
  let level: Hash[] = leaves.map(leafHash)
  while (level.length > 1) {
    const next: Hash[] = []
    for (let i = 0; i + 1 < level.length; i += 2) next.push(nodeHash(level[i] as Hash, level[i + 1] as Hash))
    if (level.length % 2 === 1) next.push(level[level.length - 1] as Hash)
    level = next
  }
  return level[0] as Hash
}

/** The siblings from the leaf at `index` up to the root. */
export function merkleProof(leaves: readonly Uint8Array[], index: number): readonly Hash[] {
  const path: Hash[] = []
  let level: Hash[] = leaves.map(leafHash)
  let at = index
  while (level.length > 1) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
    const next: Hash[] = []
    for (let i = 0; i + 1 < level.length; i += 2) next.push(nodeHash(level[i] as Hash, level[i + 1] as Hash))
    if (level.length % 2 === 1) next.push(level[level.length - 1] as Hash)
    level = next
    at >>= 1
  }
  return path
}

/** True if `leaf` stands at `index` of the list of `count` leaves that has this root. */
export function verifyMerkleProof(root: Uint8Array, leaf: Uint8Array, index: number, count: number, path: readonly Uint8Array[]): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= count) return false
  let hash = leafHash(leaf)
  let at = index
  let size = count
  let used = 0
  while (size > 1) {
    if ((at ^ 1) < size) {
      const sibling = path[used++]
      if (sibling === undefined || sibling.length !== 32) return false
      hash = at % 2 === 1 ? nodeHash(sibling, hash) : nodeHash(hash, sibling)
    }
    at >>= 1
    size = (size + 1) >> 1
  }
  return used === path.length && equalBytes(hash, root)
}
