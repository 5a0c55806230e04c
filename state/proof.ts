// Checking a proof of one state key against a state root, as a phone does. See tree.ts for the hashes.
import { equalBytes } from '../primitives/bytes.ts'
import { sha256, zeroHash } from '../primitives/hash.ts'
import { bytes, hash, type Infer, list, optional, record } from '../primitives/schema.ts'
import type { StateProof } from './tree.ts'
import { leafOf, parentOf, type TreeNode } from './tree-node.ts'

/** The tree is 256 levels deep at the most. */
const siblingsMax = 256

export const stateProofSchema = record({
  keyHash: hash,
  siblings: list(hash, 0, siblingsMax),
  terminal: optional(record({ keyHash: hash, valueHash: bytes(32, 32) })),
})
export type StateProofWire = Infer<typeof stateProofSchema>

export function keyHashOf(key: string): Uint8Array {
  return sha256(key)
}

/** True if the state with this root holds exactly `value` under `key`, or nothing when `value` is undefined. */
export function verifyStateProof(root: Uint8Array, key: string, value: Uint8Array | undefined, proof: StateProof): boolean {
  const keyHash = keyHashOf(key)
  const { siblings, terminal } = proof
  if (siblings.length > siblingsMax || !equalBytes(proof.keyHash, keyHash)) return false
  // a lone leaf rises and nothing rises as nothing, so an empty sibling at the bottom would prove the same once more
  const last = siblings.at(-1)
  if (last !== undefined && equalBytes(last, zeroHash)) return false
  const holdsKey = terminal !== undefined && equalBytes(terminal.keyHash, keyHash)
  if (value === undefined ? holdsKey : !holdsKey || !equalBytes(terminal.valueHash, sha256(value))) return false
  // another key's leaf proves absence only if it lies on this key's path
  if (terminal !== undefined && !sharesPrefix(terminal.keyHash, keyHash, siblings.length)) return false
  let node: TreeNode = terminal === undefined ? undefined : leafOf(terminal.keyHash, terminal.valueHash)
  for (let depth = siblings.length - 1; depth >= 0; depth--) {
    const sibling = siblings[depth] as Uint8Array
    const other: TreeNode = equalBytes(sibling, zeroHash) ? undefined : { leaf: false, hash: sibling }
    node = bitAt(keyHash, depth) === 0 ? parentOf(node, other) : parentOf(other, node)
  }
  return equalBytes(node?.hash ?? zeroHash, root)
}

function bitAt(bytes: Uint8Array, depth: number): number {
  return ((bytes[depth >> 3] as number) >> (7 - (depth & 7))) & 1
}

function sharesPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let depth = 0; depth < bits; depth++) if (bitAt(a, depth) !== bitAt(b, depth)) return false
  return true
}
