// The stored form of a tree page: two bits a slot (0 empty, 1 leaf, 2 inner) in four bytes, then 64 bytes a leaf and 32 an inner node, in slot order.
import { DongbaekError } from '../primitives/errors.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { leafOf, type TreeNode, type TreePage } from './tree-node.ts'

export function encodePage(page: TreePage): Uint8Array {
  let length = 4
  for (let slot = 0; slot < 16; slot++) {
    const node = page[16 + slot]
    if (node !== undefined) length += node.leaf ? 64 : 32
  }
  const out = new Uint8Array(length)
  let at = 4
  for (let slot = 0; slot < 16; slot++) {
    const node = page[16 + slot]
    if (node === undefined) continue
    const index = slot >> 2
    out[index] = (out[index] as number) | ((node.leaf ? 1 : 2) << (2 * (slot & 3)))
    if (node.leaf) {
      out.set(node.keyHash, at)
      out.set(node.valueHash, at + 32)
      at += 64
    } else {
      out.set(node.hash, at)
      at += 32
    }
  }
  return out
}

export const nibbles = '0123456789abcdef'
export function nibbleAt(keyHash: Uint8Array, depth: number): number {
  const byte = keyHash[depth >> 1] as number
  return depth % 2 === 0 ? byte >> 4 : byte & 15
}

/** The 16 slots. Throws `state/damaged` when the bytes are not a page. */
export function decodePage(bytes: Uint8Array): readonly TreeNode[] {
  const slots: TreeNode[] = []
  let at = 4
  for (let slot = 0; slot < 16; slot++) {
    const kind = ((bytes[slot >> 2] ?? 3) >> (2 * (slot & 3))) & 3
    if (kind === 0) slots.push(undefined)
    else if (kind === 1) {
      slots.push(leafOf(bytes.slice(at, at + 32), bytes.slice(at + 32, at + 64)))
      at += 64
    } else if (kind === 2) {
      slots.push({ leaf: false, hash: bytes.slice(at, at + 32) })
      at += 32
    } else throw damaged()
  }
  if (at !== bytes.length) throw damaged()
  return slots
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
    for (let slot = 0; slot < nibble; slot++) at += slotBytes(page, slot)
    const bytes = slotBytes(page, nibble)
    if (bytes === 0) return undefined
    if (bytes === 64) return equalBytes(page.subarray(at, at + 32), keyHash) ? page.subarray(at + 32, at + 64) : undefined
    path += nibbles[nibble] as string
  }
}

function slotBytes(page: Uint8Array, slot: number): number {
  const kind = ((page[slot >> 2] ?? 0) >> (2 * (slot & 3))) & 3
  return kind === 0 ? 0 : kind === 1 ? 64 : 32
}

function damaged(): DongbaekError {
  return new DongbaekError('state/damaged', 'a stored page of the state tree is missing or damaged: rebuild the state with `dongbaek resync`')
}
