// Nodes of the state tree and how they are hashed; what they are for is told in tree.ts.
//   empty subtree: 32 zero bytes · leaf: H(0 ‖ keyHash ‖ valueHash) · inner node: H(1 ‖ left ‖ right)
import { sha256, zeroHash } from '../primitives/hash.ts'

export interface Leaf {
  readonly leaf: true
  readonly hash: Uint8Array
  readonly keyHash: Uint8Array
  readonly valueHash: Uint8Array
}
export interface Inner {
  readonly leaf: false
  readonly hash: Uint8Array
}
/** undefined is the empty subtree. */
export type TreeNode = Leaf | Inner | undefined

const leafInput = new Uint8Array(65)
const innerInput = new Uint8Array(65)
innerInput[0] = 1

export function leafOf(keyHash: Uint8Array, valueHash: Uint8Array): Leaf {
  leafInput.set(keyHash, 1)
  leafInput.set(valueHash, 33)
  return { leaf: true, hash: sha256(leafInput), keyHash, valueHash }
}

/** The parent of two subtrees. A lone leaf rises, anything else is hashed. */
export function parentOf(left: TreeNode, right: TreeNode): TreeNode {
  if (left === undefined && (right === undefined || right.leaf)) return right
  if (right === undefined && left !== undefined && left.leaf) return left
  innerInput.set(left?.hash ?? zeroHash, 1)
  innerInput.set(right?.hash ?? zeroHash, 33)
  return { leaf: false, hash: sha256(innerInput) }
}
