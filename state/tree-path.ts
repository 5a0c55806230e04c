// Where a page of the state tree hangs: the nibbles of the keys below it, from the root down. A number as long as that is exact, 1 and then the nibbles in hex: a map finds it several
// times as fast as text that was put together to look for it. Deeper pages, which only keys chosen to collide would need, go by text.

export type TreePath = number | string

export const rootPath: TreePath = 1
export const nibbles = '0123456789abcdef'
const extensibleMax = 2 ** 49

export function pathBelow(path: TreePath, nibble: number): TreePath {
  return typeof path === 'number' && path < extensibleMax ? 16 * path + nibble : pathText(path) + (nibbles[nibble] as string)
}

/** The nibbles in hex; '' is the root. */
export function pathText(path: TreePath): string {
  return typeof path === 'number' ? path.toString(16).slice(1) : path
}
