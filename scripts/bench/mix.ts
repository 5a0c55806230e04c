// Mixes of transactions, exact in every hundred and spread evenly over it: runs differ in salts and keys alone.
import type { City, Make } from './city.ts'

export type Part = keyof City

/** In a hundred. The last five of the pilot's are anchors of credentials. */
export const shares = {
  pilot: { spend: 70, reserve: 15, register: 5, issue: 5, anchor: 5 },
  spend: { spend: 100 },
  register: { register: 100 },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<Part, number>>>>>

export type MixName = keyof typeof shares
export const mixNames = Object.keys(shares) as readonly MixName[]

/** The parts of a hundred transactions in order: at each place the one that is furthest behind its share. */
export function hundredOf(mix: MixName): readonly Part[] {
  const wanted = Object.entries(shares[mix]) as readonly (readonly [Part, number])[]
  const given = new Map<Part, number>()
  return Array.from({ length: 100 }, (_, i) => {
    const behind = ([part, share]: readonly [Part, number]): number => ((i + 1) * share) / 100 - (given.get(part) ?? 0)
    const [part] = wanted.reduce((best, one) => (behind(one) > behind(best) ? one : best))
    given.set(part, (given.get(part) ?? 0) + 1)
    return part
  })
}

/** Makes the mix one by one. `onMade` is told the id of each. */
export function makerOf(mix: MixName, city: City, onMade: (part: Part, id: Uint8Array) => void): Make {
  const parts = hundredOf(mix)
  let turn = 0
  return async () => {
    const part = parts[turn++ % parts.length] as Part
    const made = await city[part]()
    onMade(part, made.id)
    return made
  }
}
