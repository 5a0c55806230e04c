// A page of the state tree, in memory and as it is stored. In memory it is flat, so that a block that passes by makes no object for each node: a heap where node 1 is the
// page's root, nodes 2 to 15 lie below it, and 16 to 31 are its slots. A slot that is an inner node is the root of the page below.
// Stored: two bits a slot (0 empty, 1 leaf, 2 inner) in four bytes, then 64 bytes a leaf and 32 an inner node, in slot order.
import { DongbaekError } from '../primitives/errors.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { hashBytes, sha256Into } from '../primitives/hash.ts'
import type { TreeNode } from './tree-node.ts'
import { pathBelow, rootPath, type TreePath } from './tree-path.ts'

export const empty = 0
export const leaf = 1
export const inner = 2

export const slotsOfPage = 16
const nodesOfPage = 2 * slotsOfPage
const leafBytes = 2 * hashBytes
const slotsAt = slotsOfPage * hashBytes
const headerBytes = 4

export interface TreePage {
  /** 32 bytes from 32 × i on: for i = 0 the kinds, byte i that of node i (empty, leaf or inner; a subtree with one leaf is that leaf), for the others the hash of node i, zeros for an empty one. */
  readonly nodes: Uint8Array
  /** Key hash and value hash of each slot that is a leaf, 64 bytes each, in slot order; there may be room behind them. */
  leaves: Uint8Array
}

const noLeaves = new Uint8Array(0)

export function emptyPage(): TreePage {
  return { nodes: new Uint8Array(nodesOfPage * hashBytes), leaves: noLeaves }
}

export function clearPage({ nodes }: TreePage): void {
  nodes.fill(0)
}

// what is hashed is gathered here (tree-node.ts has the forms)
const leafInput = new Uint8Array(1 + leafBytes)
const innerInput = new Uint8Array(1 + 2 * hashBytes)
innerInput[0] = 1

// short stretches: a loop takes less than a call of set with a view for it
function copy(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = from[fromAt + i] as number
}

export function kindAt({ nodes }: TreePage, slot: number): number {
  return nodes[slotsOfPage + slot] as number
}

/** What the whole page comes to. */
export function kindOf({ nodes }: TreePage): number {
  return nodes[1] as number
}

/** True if other pages hang below this one. */
export function hasPagesBelow({ nodes }: TreePage): boolean {
  for (let node = slotsOfPage; node < nodesOfPage; node++) if (nodes[node] === inner) return true
  return false
}

/** Where the leaf of a slot lies, or would; of the slot after the last, where all end. */
function leafAt({ nodes }: TreePage, slot: number): number {
  let before = 0
  for (let node = slotsOfPage; node < slotsOfPage + slot; node++) if (nodes[node] === leaf) before++
  return before * leafBytes
}

/** Makes the slot one of a leaf, and returns where its key and value go. */
function openLeaf(page: TreePage, slot: number): number {
  const at = leafAt(page, slot)
  if (kindAt(page, slot) === leaf) return at
  const end = leafAt(page, slotsOfPage)
  if (end + leafBytes > page.leaves.length) {
    const roomier = new Uint8Array(Math.min(2 * end + leafBytes, slotsOfPage * leafBytes))
    roomier.set(page.leaves.subarray(0, end))
    page.leaves = roomier
  }
  page.leaves.copyWithin(at + leafBytes, at, end)
  page.nodes[slotsOfPage + slot] = leaf
  return at
}

/** Makes the slot one of another kind. */
function closeLeaf(page: TreePage, slot: number, kind: number): void {
  if (kindAt(page, slot) === leaf) {
    const at = leafAt(page, slot)
    page.leaves.copyWithin(at, at + leafBytes, leafAt(page, slotsOfPage))
  }
  page.nodes[slotsOfPage + slot] = kind
}

export function clearSlot(page: TreePage, slot: number): void {
  closeLeaf(page, slot, empty)
  const at = slotsAt + slot * hashBytes
  page.nodes.fill(0, at, at + hashBytes)
}

export function setLeaf(page: TreePage, slot: number, keyHash: Uint8Array, valueHash: Uint8Array): void {
  const at = openLeaf(page, slot)
  copy(keyHash, 0, page.leaves, at, hashBytes)
  copy(valueHash, 0, page.leaves, at + hashBytes, hashBytes)
  hashLeaf(page, slot, at)
}

/** The hash of a leaf whose key and value are in place. */
function hashLeaf({ nodes, leaves }: TreePage, slot: number, at: number): void {
  copy(leaves, at, leafInput, 1, leafBytes)
  sha256Into(leafInput, nodes, slotsAt + slot * hashBytes)
}

/** `hash`, from `at` on, is that of the page below. */
export function setInner(page: TreePage, slot: number, hash: Uint8Array, at = 0): void {
  closeLeaf(page, slot, inner)
  copy(hash, at, page.nodes, slotsAt + slot * hashBytes, hashBytes)
}

export function setNode(page: TreePage, slot: number, node: TreeNode): void {
  if (node === undefined) clearSlot(page, slot)
  else if (node.leaf) setLeaf(page, slot, node.keyHash, node.valueHash)
  else setInner(page, slot, node.hash)
}

/** Puts what a page comes to into the slot of the page above it. */
export function raise(page: TreePage, above: TreePage, slot: number): void {
  const kind = kindOf(page)
  if (kind === empty) clearSlot(above, slot)
  else if (kind === inner) setInner(above, slot, page.nodes, hashBytes)
  else {
    const at = openLeaf(above, slot)
    copy(page.leaves, 0, above.leaves, at, leafBytes)
    copy(page.nodes, hashBytes, above.nodes, slotsAt + slot * hashBytes, hashBytes)
  }
}

/** Recomputes the nodes above the slots in the bit set `dirty` (bit i is node i); −1 for all. A lone leaf rises, anything else is hashed. */
export function fold({ nodes }: TreePage, dirty: number): void {
  let marks = dirty
  for (let left = nodesOfPage - 2; left >= 2; left -= 2) {
    if (((marks >>> left) & 3) === 0) continue
    const parent = left >> 1
    marks |= 1 << parent
    const [a, b] = [nodes[left] as number, nodes[left + 1] as number]
    if (a === empty && b !== inner) {
      nodes[parent] = b
      copy(nodes, (left + 1) * hashBytes, nodes, parent * hashBytes, hashBytes)
    } else if (b === empty && a === leaf) {
      nodes[parent] = leaf
      copy(nodes, left * hashBytes, nodes, parent * hashBytes, hashBytes)
    } else {
      nodes[parent] = inner
      copy(nodes, left * hashBytes, innerInput, 1, 2 * hashBytes)
      sha256Into(innerInput, nodes, parent * hashBytes)
    }
  }
}

/** The slot of the only leaf below a node that is a leaf. */
function leafSlotBelow({ nodes }: TreePage, node: number): number {
  let at = node
  while (at < slotsOfPage) at = 2 * at + (nodes[2 * at] === leaf ? 0 : 1)
  return at - slotsOfPage
}

export function hashAt({ nodes }: TreePage, node: number): Uint8Array {
  return nodes.slice(node * hashBytes, (node + 1) * hashBytes)
}

export function keyHashAt(page: TreePage, slot: number): Uint8Array {
  const at = leafAt(page, slot)
  return page.leaves.slice(at, at + hashBytes)
}

export function valueHashAt(page: TreePage, slot: number): Uint8Array {
  const at = leafAt(page, slot)
  return page.leaves.slice(at + hashBytes, at + leafBytes)
}

export function holdsKey(page: TreePage, slot: number, keyHash: Uint8Array): boolean {
  if (kindAt(page, slot) !== leaf) return false
  const at = leafAt(page, slot)
  for (let i = 0; i < hashBytes; i++) if (page.leaves[at + i] !== keyHash[i]) return false
  return true
}

/** True if the page comes to the inner node in this slot of the page above it. */
export function isNamedBy(page: TreePage, above: TreePage, slot: number): boolean {
  if (kindOf(page) === empty) return false
  const at = slotsAt + slot * hashBytes
  for (let i = 0; i < hashBytes; i++) if (page.nodes[hashBytes + i] !== above.nodes[at + i]) return false
  return true
}

export function nodeAt(page: TreePage, node: number): TreeNode {
  const kind = page.nodes[node]
  if (kind === empty) return undefined
  if (kind === inner) return { leaf: false, hash: hashAt(page, node) }
  const slot = leafSlotBelow(page, node)
  return { leaf: true, hash: hashAt(page, node), keyHash: keyHashAt(page, slot), valueHash: valueHashAt(page, slot) }
}

export function encodePage({ nodes, leaves }: TreePage): Uint8Array {
  let length = headerBytes
  let allInner = true
  for (let node = slotsOfPage; node < nodesOfPage; node++) {
    length += bytesOfKind(nodes[node] as number)
    allInner &&= nodes[node] === inner
  }
  const out = new Uint8Array(length)
  let at = headerBytes
  let leafFrom = 0
  for (let slot = 0; slot < slotsOfPage; slot++) {
    const kind = nodes[slotsOfPage + slot] as number
    out[slot >> 2] = (out[slot >> 2] as number) | (kind << (2 * (slot & 3)))
    if (kind === leaf) {
      copy(leaves, leafFrom, out, at, leafBytes)
      leafFrom += leafBytes
    } else if (kind === inner && !allInner) copy(nodes, slotsAt + slot * hashBytes, out, at, hashBytes)
    at += bytesOfKind(kind)
  }
  // as nearly all pages far from the leaves are
  if (allInner) out.set(nodes.subarray(slotsAt), headerBytes)
  return out
}

/** Into `page`, whatever it held before. Throws `state/damaged` when the bytes are not a page. */
export function decodePage(bytes: Uint8Array, page: TreePage = emptyPage()): TreePage {
  let length = headerBytes
  let leaves = 0
  for (let slot = 0; slot < slotsOfPage; slot++) {
    const kind = storedKind(bytes, slot)
    if (kind > inner) throw damaged()
    length += bytesOfKind(kind)
    if (kind === leaf) leaves += leafBytes
  }
  if (length !== bytes.length) throw damaged()
  if (page.leaves.length < leaves) page.leaves = new Uint8Array(leaves)
  let at = headerBytes
  let leafTo = 0
  for (let slot = 0; slot < slotsOfPage; slot++) {
    const kind = storedKind(bytes, slot)
    const hashAt = slotsAt + slot * hashBytes
    page.nodes[slotsOfPage + slot] = kind
    if (kind === leaf) {
      copy(bytes, at, page.leaves, leafTo, leafBytes)
      hashLeaf(page, slot, leafTo)
      leafTo += leafBytes
    } else if (kind === inner) copy(bytes, at, page.nodes, hashAt, hashBytes)
    else page.nodes.fill(0, hashAt, hashAt + hashBytes)
    at += bytesOfKind(kind)
  }
  fold(page, -1)
  return page
}

export function nibbleAt(keyHash: Uint8Array, depth: number): number {
  const byte = keyHash[depth >> 1] as number
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

/**
 * The hash of the value under a key, read from stored pages from the page `from` at `depth` down, without decoding what lies beside the way; undefined when there is no such key. Throws
 * `state/damaged` when a page on the way is missing.
 */
export function findLeaf(readPage: (path: TreePath) => Uint8Array | undefined, keyHash: Uint8Array, from = rootPath, fromDepth = 0): Uint8Array | undefined {
  let path = from
  for (let depth = fromDepth; ; depth++) {
    const page = readPage(path)
    if (page === undefined) {
      if (depth === 0) return undefined
      throw damaged()
    }
    const nibble = nibbleAt(keyHash, depth)
    let at = headerBytes
    for (let slot = 0; slot < nibble; slot++) at += bytesOfKind(storedKind(page, slot))
    const kind = storedKind(page, nibble)
    if (kind === empty) return undefined
    if (kind === leaf) return equalBytes(page.subarray(at, at + hashBytes), keyHash) ? page.subarray(at + hashBytes, at + leafBytes) : undefined
    path = pathBelow(path, nibble)
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
