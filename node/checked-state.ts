// State reads held against the tree. LevelDB may lose a key, or bring back an older value, without a word, and no checksum notices an absence; the tree's
// leaf under the certified root says what must be there.
import { equalBytes } from '../primitives/bytes.ts'
import { sha256 } from '../primitives/hash.ts'
import { keyHashOf } from '../state/proof.ts'
import type { StateTree } from '../state/tree.ts'
import { findLeaf } from '../state/tree-page.ts'
import { pathText } from '../state/tree-path.ts'
import type { StateSource } from '../state/view.ts'
import { damagedStore } from './damage.ts'

/** Throws `store/damaged` when the stored value is not the one of the leaf, absence included. */
export function checkValue(key: string, value: Uint8Array | undefined, valueHash: Uint8Array | undefined, place: string): void {
  if (value === undefined ? valueHash === undefined : valueHash !== undefined && equalBytes(sha256(value), valueHash)) return
  const what = value === undefined ? 'is missing' : valueHash === undefined ? 'is there and should not be' : 'is an older or another one'
  throw damagedStore(place, `the value of the state key ${key} ${what}`, { key })
}

/** For the executor, which reads when the store and the tree are of one height. */
export function checkedSource(get: StateSource['get'], tree: StateTree, place: string): StateSource {
  return {
    get: (key) => {
      const value = get(key)
      checkValue(key, value, tree.leaf(keyHashOf(key)), place)
      return value
    },
  }
}

/**
 * For queries, over values and pages that stand still. Only absence is looked into: a hash of each value and a walk to its leaf would cost a query several
 * times what it costs, and values of another height are looked for at the start and by `verify`.
 */
export function presenceChecked(get: StateSource['get'], readPage: (path: string) => Uint8Array | undefined, place: string): StateSource['get'] {
  return (key) => {
    const value = get(key)
    if (value === undefined) checkValue(key, value, findLeaf((path) => readPage(pathText(path)), keyHashOf(key)), place)
    return value
  }
}
