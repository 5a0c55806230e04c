// A page of the state tree, in memory and as it is stored. In memory it is flat, so that a block that passes by makes no object for each node: a heap where node 1 is the
// page's root, nodes 2 to 15 lie below it, and 16 to 31 are its slots. A slot that is an inner node is the root of the page below.
// Stored: two bits a slot (0 empty, 1 leaf, 2 inner) in four bytes, then 64 bytes a leaf and 32 an inner node, in slot order.
import { DongbaekError } from '../primitives/errors.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { hashBytes, sha256Into } from '../primitives/hash.ts'
import type { TreeNode } from './tree-node.ts'

export const empty = 0
export const leaf = 1
export const inner = 2

export const slotsOfPage = 16
const nodesOfPage = 2 * slotsOfPage
const leafBytes = 2 * hashBytes

export interface TreePage {
  /** Of node i: empty, leaf or inner. A subtree with one leaf is that leaf. */
  readonly kinds: Uint8Array
  /** Of node i, 32 bytes from 32 × i on; zeros for an empty one. */
  readonly hashes: Uint8Array
  /** Key hash and value hash of the leaf in slot i, 64 bytes from 64 × i on. */
  readonly leaves: Uint8Array
}

export function emptyPage(): TreePage {
  const room = new Uint8Array(nodesOfPage + nodesOfPage * hashBytes + slotsOfPage * leafBytes)
  const leavesAt = nodesOfPage + nodesOfPage * hashBytes
  return { kinds: room.subarray(0, nodesOfPage), hashes: room.subarray(nodesOfPage, leavesAt), leaves: room.subarray(leavesAt) }
}

// what is hashed is gathered here (tree-node.ts has the forms)
const leafInput = new Uint8Array(1 + leafBytes)
const innerInput = new Uint8Array(1 + 2 * hashBytes)
innerInput[0] = 1

// short stretches: a loop takes less than a call of set with a view for it
function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i] as number
}

export function clearSlot({ kinds, hashes }: TreePage, slot: number): void {
  const node = slotsOfPage + slot
  kinds[node] = empty
  hashes.fill(0, node * hashBytes, (node + 1) * hashBytes)
}

export function setLeaf(page: TreePage, slot: number, keyHash: Uint8Array, valueHash: Uint8Array): void {
  copy(keyHash, 0, page.leaves, slot * leafBytes, hashBytes)
  copy(valueHash, 0, page.leaves, slot * leafBytes + hashBytes, hashBytes)
  hashLeaf(page, slot)
}

/** The hash of a leaf whose key and value are in place. */
function hashLeaf({ kinds, hashes, leaves }: TreePage, slot: number): void {
  const node = slotsOfPage + slot
  copy(leaves, slot * leafBytes, leafInput, 1, leafBytes)
  kinds[node] = leaf
  sha256Into(leafInput, hashes, node * hashBytes)
}

/** `hash`, from `at` on, is that of the page below. */
export function setInner({ kinds, hashes }: TreePage, slot: number, hash: Uint8Array, at = 0): void {
  const node = slotsOfPage + slot
  kinds[node] = inner
  copy(hash, at, hashes, node * hashBytes, hashBytes)
}

export function setNode(page: TreePage, slot: number, node: TreeNode): void {
  if (node === undefined) clearSlot(page, slot)
  else if (node.leaf) setLeaf(page, slot, node.keyHash, node.valueHash)
  else setInner(page, slot, node.hash)
}

/** Puts what a page comes to into the slot of the page above it. */
export function raise(page: TreePage, above: TreePage, slot: number): void {
  const { kinds, hashes, leaves } = page
  if (kinds[1] === empty) clearSlot(above, slot)
  else if (kinds[1] === inner) setInner(above, slot, hashes, hashBytes)
  else {
    const node = slotsOfPage + slot
    above.kinds[node] = leaf
    copy(hashes, hashBytes, above.hashes, node * hashBytes, hashBytes)
    copy(leaves, leafSlotBelow(page, 1) * leafBytes, above.leaves, slot * leafBytes, leafBytes)
  }
}

/** Recomputes the nodes above the slots in the bit set `dirty` (bit i is node i); −1 for all. A lone leaf rises, anything else is hashed. */
export function fold({ kinds, hashes }: TreePage, dirty: number): void {
  let marks = dirty
  for (let left = nodesOfPage - 2; left >= 2; left -= 2) {
    if (((marks >>> left) & 3) === 0) continue
    const parent = left >> 1
    marks |= 1 << parent
    const [a, b] = [kinds[left] as number, kinds[left + 1] as number]
    if (a === empty && b !== inner) {
      kinds[parent] = b
      copy(hashes, (left + 1) * hashBytes, hashes, parent * hashBytes, hashBytes)
    } else if (b === empty && a === leaf) {
      kinds[parent] = leaf
      copy(hashes, left * hashBytes, hashes, parent * hashBytes, hashBytes)
    } else {
      kinds[parent] = inner
      copy(hashes, left * hashBytes, innerInput, 1, 2 * hashBytes)
      sha256Into(innerInput, hashes, parent * hashBytes)
    }
  }
}

/** The slot of the only leaf below a node that is a leaf. */
function leafSlotBelow({ kinds }: TreePage, node: number): number {
  let at = node
  while (at < slotsOfPage) at = 2 * at + (kinds[2 * at] === leaf ? 0 : 1)
  return at - slotsOfPage
}

export function hashAt({ hashes }: TreePage, node: number): Uint8Array {
  return hashes.slice(node * hashBytes, (node + 1) * hashBytes)
}

export function keyHashAt({ leaves }: TreePage, slot: number): Uint8Array {
  return leaves.slice(slot * leafBytes, slot * leafBytes + hashBytes)
}

export function valueHashAt({ leaves }: TreePage, slot: number): Uint8Array {
  return leaves.slice(slot * leafBytes + hashBytes, (slot + 1) * leafBytes)
}

export function holdsKey({ kinds, leaves }: TreePage, slot: number, keyHash: Uint8Array): boolean {
  if (kinds[slotsOfPage + slot] !== leaf) return false
  for (let i = 0; i < hashBytes; i++) if (leaves[slot * leafBytes + i] !== keyHash[i]) return false
  return true
}

/** True if the page comes to the inner node in this slot of the page above it. */
export function isNamedBy({ kinds, hashes }: TreePage, above: TreePage, slot: number): boolean {
  if (kinds[1] === empty) return false
  const at = (slotsOfPage + slot) * hashBytes
  for (let i = 0; i < hashBytes; i++) if (hashes[hashBytes + i] !== above.hashes[at + i]) return false
  return true
}

export function nodeAt(page: TreePage, node: number): TreeNode {
  const kind = page.kinds[node]
  if (kind === empty) return undefined
  if (kind === inner) return { leaf: false, hash: hashAt(page, node) }
  const slot = leafSlotBelow(page, node)
  return { leaf: true, hash: hashAt(page, node), keyHash: keyHashAt(page, slot), valueHash: valueHashAt(page, slot) }
}

export function encodePage({ kinds, hashes, leaves }: TreePage): Uint8Array {
  let length = 4
  for (let slot = 0; slot < slotsOfPage; slot++) length += bytesOfKind(kinds[slotsOfPage + slot] as number)
  const out = new Uint8Array(length)
  let at = 4
  for (let slot = 0; slot < slotsOfPage; slot++) {
    const kind = kinds[slotsOfPage + slot] as number
    out[slot >> 2] = (out[slot >> 2] as number) | (kind << (2 * (slot & 3)))
    if (kind === leaf) copy(leaves, slot * leafBytes, out, at, leafBytes)
    else if (kind === inner) copy(hashes, (slotsOfPage + slot) * hashBytes, out, at, hashBytes)
    at += bytesOfKind(kind)
  }
  return out
}

/** Throws `state/damaged` when the bytes are not a page. */
export function decodePage(bytes: Uint8Array): TreePage {
  let length = 4
  for (let slot = 0; slot < slotsOfPage; slot++) {
    if (storedKind(bytes, slot) > inner) throw damaged()
    length += bytesOfKind(storedKind(bytes, slot))
  }
  if (length !== bytes.length) throw damaged()
  const page = emptyPage()
  let at = 4
  for (let slot = 0; slot < slotsOfPage; slot++) {
    const kind = storedKind(bytes, slot)
    if (kind === leaf) {
      copy(bytes, at, page.leaves, slot * leafBytes, leafBytes)
      hashLeaf(page, slot)
    } else if (kind === inner) setInner(page, slot, bytes, at)
    at += bytesOfKind(kind)
  }
  fold(page, -1)
  return page
}

export const nibbles = '0123456789abcdef'
export function nibbleAt(keyHash: Uint8Array, depth: number): number {
  const byte = keyHash[depth >> 1] as number
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

/**
 * The hash of the value under a key, read from stored pages from the page `from` down, without decoding what lies beside the way; undefined when there is no such key. Throws
 * `state/damaged` when a page on the way is missing.
 */
export function findLeaf(readPage: (path: string) => Uint8Array | undefined, keyHash: Uint8Array, from = ''): Uint8Array | undefined {
  let path = from
  for (let page = readPage(path); ; page = readPage(path)) {
    if (page === undefined) {
      if (path === '') return undefined
      throw damaged()
    }
    const nibble = nibbleAt(keyHash, path.length)
    let at = 4
    for (let slot = 0; slot < nibble; slot++) at += bytesOfKind(storedKind(page, slot))
    const kind = storedKind(page, nibble)
    if (kind === empty) return undefined
    if (kind === leaf) return equalBytes(page.subarray(at, at + hashBytes), keyHash) ? page.subarray(at + hashBytes, at + leafBytes) : undefined
    path += nibbles[nibble] as string
  }
}

function storedKind(page: Uint8Array, slot: number): number {
  return ((page[slot >> 2] ?? 0) >> (2 * (slot & 3))) & 3
}

function bytesOfKind(kind: number): number {
  return kind === empty ? 0 : kind === leaf ? leafBytes : hashBytes
}

function damaged(): DongbaekError {
  return new DongbaekError('state/damaged', 'a stored page of the state tree is missing or damaged: rebuild the state with `dongbaek resync`')
}
