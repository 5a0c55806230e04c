// The authenticated state: a sparse Merkle tree over SHA-256(key), compact in that a subtree with one leaf is that leaf.
//   empty subtree: 32 zero bytes · leaf: H(0 ‖ keyHash ‖ valueHash) · inner node: H(1 ‖ left ‖ right)
// The root depends on the content alone, not on the order it came in. Four levels are kept together as one page of 16 slots,
// so that a look-up reads a few pages and a block writes each page once (the idea of the Jellyfish Merkle tree, Diem, 2021).
import type { Hash } from '../primitives/brand.ts'
import { compareBytes } from '../primitives/bytes.ts'
import { assert, DongbaekError } from '../primitives/errors.ts'
import { zeroHash } from '../primitives/hash.ts'
import { createRecent } from './recent.ts'
import { clearPage, clearSlot, decodePage, empty, emptyPage, encodePage, findLeaf, fold, hashAt, hasPagesBelow, holdsKey, inner, isNamedBy, keyHashAt, kindAt, kindOf, leaf, nibbleAt, nodeAt, raise, setLeaf, slotsOfPage, type TreePage, valueHashAt } from './tree-page.ts'
import { pathBelow, pathText, rootPath, type TreePath } from './tree-path.ts'

const levelsOfPage = 4

export interface TreeChange {
  readonly keyHash: Uint8Array
  /** undefined removes the key. */
  readonly valueHash: Uint8Array | undefined
  /** Asserted: the tree has no such key. */
  readonly isNew?: true | undefined
}

export interface PageWrite {
  /** Nibbles from the root, in hex; the root page is the empty path. */
  readonly path: string
  /** undefined: the page is gone. */
  readonly page: Uint8Array | undefined
}

export interface StateProof {
  readonly keyHash: Uint8Array
  /** Siblings from the root down; zeroHash for an empty one. */
  readonly siblings: readonly Uint8Array[]
  /** What stands where the key would be: its own leaf, another key's leaf, or nothing. */
  readonly terminal: { readonly keyHash: Uint8Array; readonly valueHash: Uint8Array } | undefined
}

export interface StateTree {
  readonly root: () => Hash
  /** Applies the changes of one block; they must name each key once. Returns the pages to write. */
  readonly update: (changes: readonly TreeChange[]) => readonly PageWrite[]
  readonly prove: (keyHash: Uint8Array) => StateProof
  /** The hash of the value under a key; undefined when the state has no such key. */
  readonly leaf: (keyHash: Uint8Array) => Uint8Array | undefined
  /** The number of keys, by reading every page. */
  readonly count: () => number
}

/**
 * A tree over stored pages. `readPage` returns what was last written at a path, this tree's own unwritten updates included.
 * Keeps about `pagesMax` decoded pages that others hang below, and as many of the others as they are stored. A page that is missing, or is not the one that the page above it names, throws `state/damaged`.
 */
export function createStateTree(readPage: (path: string) => Uint8Array | undefined, pagesMax: number): StateTree {
  /** What is further down is reached through these again and again, and decoding one takes as many hashes as it has slots. */
  const upper = createRecent<TreePath, TreePage>(pagesMax)
  /** The lowest pages: most of a large tree, and each of them is passed rarely. They hold a few leaves, and take a fifth of the room as they are stored. */
  const lowest = createRecent<TreePath, Uint8Array>(pagesMax)
  /** By depth: a page to decode into that is not kept. Of one depth no two are in use at once. */
  const spare: (TreePage | undefined)[] = []

  const storedAt = (path: TreePath): Uint8Array | undefined => {
    const known = lowest.get(path)
    if (known !== undefined) return known
    const encoded = readPage(pathText(path))
    if (encoded !== undefined) lowest.set(path, encoded)
    return encoded
  }
  const spareAt = (depth: number): TreePage => (spare[depth] ??= emptyPage())
  const keep = (path: TreePath, depth: number, page: TreePage): void => {
    if (spare[depth] === page) spare[depth] = undefined
    lowest.delete(path)
    upper.set(path, page)
  }
  const load = (path: TreePath, depth: number): TreePage | undefined => {
    const hit = upper.get(path)
    if (hit !== undefined) return hit
    const encoded = storedAt(path)
    if (encoded === undefined) return undefined
    const page = decodePage(encoded, spareAt(depth))
    if (hasPagesBelow(page)) keep(path, depth, page)
    return page
  }
  const loadChild = (path: TreePath, depth: number, above: TreePage, slot: number): TreePage => {
    const page = load(path, depth)
    if (page === undefined || !isNamedBy(page, above, slot)) {
      throw new DongbaekError('state/damaged', `page ${pathText(path)} of the state tree is ${page === undefined ? 'missing' : 'not the one that the page above it names'}: rebuild the state with \`dongbaek resync\``)
    }
    return page
  }
  const newPage = (depth: number): TreePage => {
    const page = spareAt(depth)
    clearPage(page)
    return page
  }
  const loadRoot = (): TreePage => load(rootPath, 0) ?? newPage(0)

  const apply = (path: TreePath, depth: number, page: TreePage, changes: readonly TreeChange[], from: number, to: number, writes: PageWrite[]): void => {
    let dirty = 0
    let start = from
    while (start < to) {
      const nibble = nibbleAt((changes[start] as TreeChange).keyHash, depth)
      let end = start + 1
      while (end < to && nibbleAt((changes[end] as TreeChange).keyHash, depth) === nibble) end++
      applySlot(pathBelow(path, nibble), depth + 1, page, nibble, changes, start, end, writes)
      dirty |= 1 << (slotsOfPage + nibble)
      start = end
    }
    fold(page, dirty)
    if (depth > 0 && kindOf(page) !== inner) {
      upper.delete(path)
      lowest.delete(path)
      writes.push({ path: pathText(path), page: undefined })
      return
    }
    const encoded = encodePage(page)
    if (hasPagesBelow(page)) keep(path, depth, page)
    else {
      upper.delete(path)
      lowest.set(path, encoded)
    }
    writes.push({ path: pathText(path), page: encoded })
  }

  /** `path` and `depth` are those of the page that hangs below the slot, or would. */
  const applySlot = (path: TreePath, depth: number, above: TreePage, slot: number, changes: readonly TreeChange[], from: number, to: number, writes: PageWrite[]): void => {
    const kind = kindAt(above, slot)
    if (kind !== inner && to - from === 1) {
      const { keyHash, valueHash, isNew } = changes[from] as TreeChange
      if (kind === empty || holdsKey(above, slot, keyHash)) {
        assert(kind === empty || isNew !== true, 'a key that is new to the state')
        if (valueHash === undefined) clearSlot(above, slot)
        else setLeaf(above, slot, keyHash, valueHash)
        return
      }
      if (valueHash === undefined) return
    }
    const page = kind === inner ? loadChild(path, depth, above, slot) : newPage(depth)
    if (kind === leaf) {
      const keyHash = keyHashAt(above, slot)
      const nibble = nibbleAt(keyHash, depth)
      setLeaf(page, nibble, keyHash, valueHashAt(above, slot))
      fold(page, 1 << (slotsOfPage + nibble))
    }
    apply(path, depth, page, changes, from, to, writes)
    raise(page, above, slot)
  }

  const countIn = (path: TreePath, depth: number, page: TreePage): number => {
    let leaves = 0
    for (let slot = 0; slot < slotsOfPage; slot++) {
      const kind = kindAt(page, slot)
      const below = pathBelow(path, slot)
      if (kind !== empty) leaves += kind === leaf ? 1 : countIn(below, depth + 1, loadChild(below, depth + 1, page, slot))
    }
    return leaves
  }

  return {
    leaf: (keyHash) => {
      let path = rootPath
      let depth = 0
      for (let page = upper.get(path); page !== undefined; page = upper.get(path)) {
        const slot = nibbleAt(keyHash, depth)
        if (kindAt(page, slot) !== inner) return holdsKey(page, slot, keyHash) ? valueHashAt(page, slot) : undefined
        path = pathBelow(path, slot)
        depth++
      }
      // decoding a page for one look would cost more than all the rest
      return findLeaf(storedAt, keyHash, path, depth)
    },
    count: () => countIn(rootPath, 0, loadRoot()),
    root: () => {
      const page = load(rootPath, 0)
      return page === undefined ? zeroHash : (hashAt(page, 1) as Hash)
    },
    update: (changes) => {
      if (changes.length === 0) return []
      const sorted = [...changes].sort((a, b) => compareBytes(a.keyHash, b.keyHash))
      const writes: PageWrite[] = []
      apply(rootPath, 0, loadRoot(), sorted, 0, sorted.length, writes)
      return writes
    },
    prove: (keyHash) => {
      const siblings: Uint8Array[] = []
      let path = rootPath
      let page = loadRoot()
      let at = 1
      let depth = 0
      for (;;) {
        const node = nodeAt(page, at)
        if (node === undefined || node.leaf) return { keyHash, siblings, terminal: node === undefined ? undefined : { keyHash: node.keyHash, valueHash: node.valueHash } }
        if (at >= slotsOfPage) {
          path = pathBelow(path, at - slotsOfPage)
          page = loadChild(path, depth / levelsOfPage, page, at - slotsOfPage)
          at = 1
        }
        const bit = ((keyHash[depth >> 3] as number) >> (7 - (depth & 7))) & 1
        siblings.push(hashAt(page, 2 * at + 1 - bit))
        at = 2 * at + bit
        depth++
      }
    },
  }
}
