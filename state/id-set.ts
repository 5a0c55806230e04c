// A set of ids of 32 bytes in two arrays: the ids one after the other, and a hash table of their places with linear probing, at most half full. A set of strings
// would take twice the memory and give the collector two objects an id to look at, with a million of them.
import { hashBytes } from '../primitives/hash.ts'

export interface IdSet {
  readonly has: (id: Uint8Array) => boolean
  readonly add: (id: Uint8Array) => void
}

const roomMin = 128

/**
 * `multiplier`, an odd integer of 32 bits, decides in what order places are looked at (multiply-shift hashing: Dietzfelbinger et al., 1997), and never what is found. A
 * process draws one of its own, so that nobody can make ids that all fall upon one place of its table.
 */
export function createIdSet(multiplier: number): IdSet {
  let room = roomMin
  let count = 0
  let ids = new Uint8Array(room * hashBytes)
  /** 1 + the index of the id; 0: free. */
  let places = new Uint32Array(2 * room)
  let shift = 32 - Math.log2(places.length)

  /** The place of an id, or the free one where it would go. */
  const placeOf = (bytes: Uint8Array, at: number): number => {
    const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)
    for (let place = Math.imul(word, multiplier) >>> shift; ; place = (place + 1) % places.length) {
      const known = places[place] as number
      if (known === 0 || isEqual(ids, (known - 1) * hashBytes, bytes, at)) return place
    }
  }

  const grow = (): void => {
    room *= 2
    const before = ids
    ids = new Uint8Array(room * hashBytes)
    ids.set(before)
    places = new Uint32Array(2 * room)
    shift--
    for (let i = 0; i < count; i++) places[placeOf(ids, i * hashBytes)] = i + 1
  }

  return {
    has: (id) => places[placeOf(id, 0)] !== 0,
    add: (id) => {
      if (places[placeOf(id, 0)] !== 0) return
      if (count === room) grow()
      ids.set(id, count * hashBytes)
      places[placeOf(id, 0)] = ++count
    },
  }
}

function isEqual(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): boolean {
  for (let i = 0; i < hashBytes; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}
