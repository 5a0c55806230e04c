// The authenticated state: a sparse Merkle tree over SHA-256(key), compact in that a subtree with one leaf is that leaf.
//   empty subtree: 32 zero bytes · leaf: H(0 ‖ keyHash ‖ valueHash) · inner node: H(1 ‖ left ‖ right)
// The root depends on the content alone, not on the order it came in. Four levels are kept together as one page of 16 slots,
// so that a look-up reads a few pages and a block writes each page once (the idea of the Jellyfish Merkle tree, Diem, 2021).
import type { Hash } from '../primitives/brand.ts'
import { compareBytes } from '../primitives/bytes.ts'
import { assert, DongbaekError } from '../primitives/errors.ts'
import { zeroHash } from '../primitives/hash.ts'
import { createRecent } from './recent.ts'
import { clearSlot, decodePage, empty, emptyPage, encodePage, findLeaf, fold, hashAt, holdsKey, inner, isNamedBy, keyHashAt, leaf, nibbleAt, nibbles, nodeAt, raise, setLeaf, slotsOfPage, type TreePage, valueHashAt } from './tree-page.ts'

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

/** Pages kept as they are stored for each that is kept decoded: they take a third of the room each, and save what reading one from the disk costs. */
const storedPerDecoded = 8

/**
 * A tree over stored pages. `readPage` returns what was last written at a path, this tree's own unwritten updates included.
 * Keeps about `pagesMax` pages decoded, and eight times as many as they are stored. A page that is missing, or is not the one that the page above it names, throws `state/damaged`.
 */
export function createStateTree(readPage: (path: string) => Uint8Array | undefined, pagesMax: number): StateTree {
  const pages = createRecent<TreePage>(pagesMax)
  const stored = createRecent<Uint8Array>(pagesMax * storedPerDecoded)

  const storedAt = (path: string): Uint8Array | undefined => {
    const known = stored.get(path)
    if (known !== undefined) return known
    const encoded = readPage(path)
    if (encoded !== undefined) stored.set(path, encoded)
    return encoded
  }
  const load = (path: string): TreePage | undefined => {
    const hit = pages.get(path)
    if (hit !== undefined) return hit
    const encoded = storedAt(path)
    if (encoded === undefined) return undefined
    const page = decodePage(encoded)
    pages.set(path, page)
    return page
  }
  const loadChild = (path: string, above: TreePage, slot: number): TreePage => {
    const page = load(path)
    if (page === undefined || !isNamedBy(page, above, slot)) {
      throw new DongbaekError('state/damaged', `page ${path} of the state tree is ${page === undefined ? 'missing' : 'not the one that the page above it names'}: rebuild the state with \`dongbaek resync\``)
    }
    return page
  }

  const apply = (path: string, page: TreePage, changes: readonly TreeChange[], from: number, to: number, writes: PageWrite[]): void => {
    const depth = path.length
    let dirty = 0
    let start = from
    while (start < to) {
      const nibble = nibbleAt((changes[start] as TreeChange).keyHash, depth)
      let end = start + 1
      while (end < to && nibbleAt((changes[end] as TreeChange).keyHash, depth) === nibble) end++
      applySlot(path + (nibbles[nibble] as string), page, nibble, changes, start, end, writes)
      dirty |= 1 << (slotsOfPage + nibble)
      start = end
    }
    fold(page, dirty)
    if (depth > 0 && page.kinds[1] !== inner) {
      pages.delete(path)
      stored.delete(path)
      writes.push({ path, page: undefined })
    } else {
      const encoded = encodePage(page)
      pages.set(path, page)
      stored.set(path, encoded)
      writes.push({ path, page: encoded })
    }
  }

  /** `path` is that of the page that hangs below the slot, or would. */
  const applySlot = (path: string, above: TreePage, slot: number, changes: readonly TreeChange[], from: number, to: number, writes: PageWrite[]): void => {
    const kind = above.kinds[slotsOfPage + slot]
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
    const page = kind === inner ? loadChild(path, above, slot) : emptyPage()
    if (kind === leaf) {
      const keyHash = keyHashAt(above, slot)
      const nibble = nibbleAt(keyHash, path.length)
      setLeaf(page, nibble, keyHash, valueHashAt(above, slot))
      fold(page, 1 << (slotsOfPage + nibble))
    }
    apply(path, page, changes, from, to, writes)
    raise(page, above, slot)
  }

  const countIn = (path: string, page: TreePage): number => {
    let leaves = 0
    for (let slot = 0; slot < slotsOfPage; slot++) {
      const kind = page.kinds[slotsOfPage + slot]
      const below = path + (nibbles[slot] as string)
      if (kind !== empty) leaves += kind === leaf ? 1 : countIn(below, loadChild(below, page, slot))
    }
    return leaves
  }

  return {
    leaf: (keyHash) => {
      let path = ''
      for (let page = pages.get(path); page !== undefined; page = pages.get(path)) {
        const slot = nibbleAt(keyHash, path.length)
        if (page.kinds[slotsOfPage + slot] !== inner) return holdsKey(page, slot, keyHash) ? valueHashAt(page, slot) : undefined
        path += nibbles[slot] as string
      }
      // decoding a page for one look would cost more than all the rest
      return findLeaf(storedAt, keyHash, path)
    },
    count: () => countIn('', load('') ?? emptyPage()),
    root: () => {
      const page = load('')
      return page === undefined ? zeroHash : (hashAt(page, 1) as Hash)
    },
    update: (changes) => {
      if (changes.length === 0) return []
      const sorted = [...changes].sort((a, b) => compareBytes(a.keyHash, b.keyHash))
      const writes: PageWrite[] = []
      apply('', load('') ?? emptyPage(), sorted, 0, sorted.length, writes)
      return writes
    },
    prove: (keyHash) => {
      const siblings: Uint8Array[] = []
      let path = ''
      let page = load('') ?? emptyPage()
      let at = 1
      let depth = 0
      for (;;) {
        const node = nodeAt(page, at)
        if (node === undefined || node.leaf) return { keyHash, siblings, terminal: node === undefined ? undefined : { keyHash: node.keyHash, valueHash: node.valueHash } }
        if (at >= slotsOfPage) {
          path += nibbles[at - slotsOfPage] as string
          page = loadChild(path, page, at - slotsOfPage)
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
