// A bounded map of what was used last, in two generations: when the young one is full it becomes the old one, and what is used of the old comes back. A hit costs a
// look-up or two, and no order is kept. What it holds decides how fast something is found, never what.

export interface Recent<K, V> {
  readonly get: (key: K) => V | undefined
  readonly set: (key: K, value: V) => void
  readonly delete: (key: K) => void
}

/** Keeps at least half of `entriesMax` and at most all of it. */
export function createRecent<K, V>(entriesMax: number): Recent<K, V> {
  let young = new Map<K, V>()
  let old = new Map<K, V>()
  const set = (key: K, value: V): void => {
    if (young.size >= entriesMax / 2 && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    set,
    get: (key) => {
      const value = young.get(key)
      if (value !== undefined) return value
      const aged = old.get(key)
      if (aged !== undefined) set(key, aged)
      return aged
    },
    delete: (key) => {
      young.delete(key)
      old.delete(key)
    },
  }
}
