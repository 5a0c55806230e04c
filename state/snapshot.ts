// Snapshots: the state of one height in parts, each a subtree of the state tree, so that whoever holds the certified root can check every part by itself.
// A part is the highest subtree whose entries fit into `partBytesMax`. The cut follows from the content alone: two nodes make the same parts and the same bytes.
// The list of parts is checked by joining their nodes up to the root, a part by building its subtree anew, which gives the tree's pages besides.
import type { Hash } from '../primitives/brand.ts'
import { compareBytes, equalBytes, fromUtf8, toHex } from '../primitives/bytes.ts'
import { assert, DongbaekError } from '../primitives/errors.ts'
import { sha256, zeroHash } from '../primitives/hash.ts'
import { stateKeyBytesMax, stateValueBytesMax } from '../primitives/limits.ts'
import { bytes, hash, type Infer, record, token, union } from '../primitives/schema.ts'
import { createStateTree, type PageWrite } from './tree.ts'
import { leafOf, type TreeNode } from './tree-node.ts'
import { decodePage, emptyPage, encodePage, fold, nodeAt, setNode } from './tree-page.ts'

/** Entries of one part, encoded. Half of an answer between nodes; one part in each peer's hands is what a joining node holds in memory. */
export const partBytesMax = 4 * 1_048_576
/** Parts of one snapshot: 256 GiB of state at the most, and a list of some megabytes. */
export const partsMax = 65_536

/** Nibbles from the root, in hex. */
const prefix = token(/[0-9a-f]*/, 64, 'nibbles in hex')

export const snapshotPart = union({
  /** A subtree of several entries. */
  inner: record({ prefix, hash }),
  /** A subtree of one. */
  leaf: record({ prefix, keyHash: bytes(32, 32), valueHash: bytes(32, 32) }),
})
export type SnapshotPart = Infer<typeof snapshotPart>

export interface SnapshotEntry {
  readonly keyHash: Uint8Array
  readonly key: string
  readonly value: Uint8Array
}

/** What a list of parts, or a part, comes to. */
export interface Subtree {
  readonly node: TreeNode
  /** The tree's pages in it. */
  readonly pages: readonly PageWrite[]
}

const nibbles: readonly string[] = Array.from({ length: 16 }, (_, i) => i.toString(16))

const headBytes = 6
/** A part is cut further while it has more than one entry, so one entry may exceed the usual bound. */
const onePartBytesMax = Math.max(partBytesMax, headBytes + stateKeyBytesMax + stateValueBytesMax)

/** Bytes of an entry in a part: length of the key (2) and of the value (4), key, value. */
export function entryBytes(key: string, value: Uint8Array): number {
  return headBytes + key.length + value.length
}

/** Writes an entry at `at`, where entryBytes(key, value) bytes are free, and returns where it ends. Keys are ASCII. */
export function writeEntry(out: Uint8Array, view: DataView, at: number, key: string, value: Uint8Array): number {
  view.setUint16(at, key.length)
  view.setUint32(at + 2, value.length)
  const keyAt = at + headBytes
  let bits = 0
  // a loop: encoding the text by itself takes longer than all the rest
  for (let i = 0; i < key.length; i++) {
    const code = key.charCodeAt(i)
    bits |= code
    out[keyAt + i] = code
  }
  assert(bits < 128, 'a key in ASCII')
  out.set(value, keyAt + key.length)
  return keyAt + key.length + value.length
}

/** `entries` ascend by their key hash. */
export function encodePart(entries: readonly Pick<SnapshotEntry, 'key' | 'value'>[]): Uint8Array {
  const out = new Uint8Array(entries.reduce((sum, { key, value }) => sum + entryBytes(key, value), 0))
  const view = new DataView(out.buffer)
  let at = 0
  for (const { key, value } of entries) at = writeEntry(out, view, at, key, value)
  return out
}

/** Entries in the order in which they stand; their values are views of `encoded`. Throws `snapshot/malformed`. */
export function parseEntries(encoded: Uint8Array): readonly SnapshotEntry[] {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.length)
  const entries: SnapshotEntry[] = []
  for (let at = 0; at < encoded.length; ) {
    if (encoded.length - at < headBytes) throw malformed('it is cut short')
    const keyBytes = view.getUint16(at)
    const valueBytes = view.getUint32(at + 2)
    const valueAt = at + headBytes + keyBytes
    if (keyBytes === 0 || keyBytes > stateKeyBytesMax || valueBytes > stateValueBytesMax || valueAt + valueBytes > encoded.length) throw malformed('an entry does not fit')
    const raw = encoded.subarray(at + headBytes, valueAt)
    for (const byte of raw) if (byte < 0x21 || byte > 0x7e) throw malformed('a key is no key of the state')
    entries.push({ keyHash: sha256(raw), key: fromUtf8(raw), value: encoded.subarray(valueAt, valueAt + valueBytes) })
    at = valueAt + valueBytes
  }
  return entries
}

/** Throws `snapshot/malformed` unless these are ascending entries within the prefix, at least one. */
function decodePart(encoded: Uint8Array, within: string): readonly SnapshotEntry[] {
  if (encoded.length > onePartBytesMax) throw malformed('it is too long')
  const entries = parseEntries(encoded)
  if (entries.length === 0) throw malformed('it is empty')
  entries.forEach(({ keyHash }, i) => {
    if (!toHex(keyHash).startsWith(within)) throw malformed('an entry belongs to another part')
    if (i > 0 && compareBytes((entries[i - 1] as SnapshotEntry).keyHash, keyHash) >= 0) throw malformed('its entries are not in order')
  })
  return entries
}

/** The subtree of all entries whose key hash begins with `within`. */
export function subtreeOf(entries: readonly SnapshotEntry[], within: string): Subtree {
  const leaves = entries.map(({ keyHash, value }) => ({ keyHash, valueHash: sha256(value) }))
  const [first] = leaves
  assert(first !== undefined, 'a subtree has entries')
  const pages = createStateTree(() => undefined, 2).update(leaves).filter(({ path }) => path.length >= within.length)
  const top = pages.find(({ path }) => path === within)?.page
  if (leaves.length === 1) return { node: leafOf(first.keyHash, first.valueHash), pages }
  assert(top !== undefined, 'several entries have a page at their prefix')
  return { node: nodeAt(decodePage(top), 1), pages }
}

export function partOf(node: TreeNode, at: string): SnapshotPart {
  assert(node !== undefined, 'a part has entries')
  return node.leaf ? { type: 'leaf', prefix: at, keyHash: node.keyHash, valueHash: node.valueHash } : { type: 'inner', prefix: at, hash: node.hash as Hash }
}

function nodeOf(part: SnapshotPart): NonNullable<TreeNode> {
  return part.type === 'leaf' ? leafOf(part.keyHash, part.valueHash) : { leaf: false, hash: part.hash }
}

/** The root that the parts come to and the pages above them; undefined when they overlap or are not in order. */
export function joinParts(parts: readonly SnapshotPart[]): { readonly root: Hash; readonly pages: readonly PageWrite[] } | undefined {
  for (let i = 1; i < parts.length; i++) {
    const before = (parts[i - 1] as SnapshotPart).prefix
    const { prefix: after } = parts[i] as SnapshotPart
    if (before >= after || after.startsWith(before)) return undefined
  }
  const pages: PageWrite[] = []
  const join = (from: number, to: number, path: string): TreeNode => {
    const only = parts[from]
    if (to - from === 1 && only?.prefix === path) return nodeOf(only)
    const page = emptyPage()
    for (let start = from; start < to; ) {
      const nibble = (parts[start] as SnapshotPart).prefix[path.length] as string
      let end = start + 1
      while (end < to && (parts[end] as SnapshotPart).prefix[path.length] === nibble) end++
      setNode(page, Number.parseInt(nibble, 16), join(start, end, path + nibble))
      start = end
    }
    fold(page, -1)
    const node = nodeAt(page, 1)
    if (path === '' || (node !== undefined && !node.leaf)) pages.push({ path, page: encodePage(page) })
    return node
  }
  const root = join(0, parts.length, '')
  return { root: (root?.hash ?? zeroHash) as Hash, pages }
}

/** The entries of a part and its pages. Throws `snapshot/malformed` when they are not what the part stands for. */
export function checkPart(part: SnapshotPart, encoded: Uint8Array): { readonly entries: readonly SnapshotEntry[]; readonly pages: readonly PageWrite[] } {
  const entries = decodePart(encoded, part.prefix)
  const { node, pages } = subtreeOf(entries, part.prefix)
  if (!equalBytes(node?.hash ?? zeroHash, nodeOf(part).hash)) throw malformed('its entries are not those of the certified state')
  return { entries, pages }
}

/** Prefixes of the parts below `at`: as it is if what is in it fits, else its 16 children, none for what is empty. Not below `depthMax`, which is how deep `bytesUnder` knows. */
export function cutParts(at: string, bytesUnder: (prefix: string) => number, depthMax: number): readonly string[] {
  const size = bytesUnder(at)
  if (size === 0) return []
  if (size <= partBytesMax || at.length >= depthMax) return [at]
  return nibbles.flatMap((nibble) => cutParts(at + nibble, bytesUnder, depthMax))
}

function malformed(why: string): DongbaekError {
  return new DongbaekError('snapshot/malformed', `a part of a snapshot does not hold: ${why}`)
}
