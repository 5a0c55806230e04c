// Mixes of transactions, as exact shares of every hundred: a run differs from another in nothing but chance of the salts.
import type { City, Make } from './city.ts'

export const mixNames = ['pilot', 'spend', 'register'] as const
export type MixName = (typeof mixNames)[number]

type Part = 'spend' | 'reserve' | 'register' | 'issue' | 'anchor'

/** In a hundred. */
export const shares: Readonly<Record<MixName, Readonly<Partial<Record<Part, number>>>>> = {
  pilot: { spend: 70, reserve: 15, register: 5, issue: 5, anchor: 5 },
  spend: { spend: 100 },
  register: { register: 100 },
}

/** The parts of a hundred transactions, each spread evenly over them. */
export function hundredOf(mix: MixName): readonly Part[] {
  const parts = Object.entries(shares[mix]) as [Part, number][]
  const given = new Map<Part, number>()
  return Array.from({ length: 100 }, (_, i) => {
    // the part that is furthest behind its share
    const lag = ([part, share]: [Part, number]): number => ((i + 1) * share) / 100 - (given.get(part) ?? 0)
    const [part] = parts.reduce((best, one) => (lag(one) > lag(best) ? one : best))
    given.set(part, (given.get(part) ?? 0) + 1)
    return part
  })
}

export function makerOf(mix: MixName, city: City): Make {
  const parts = hundredOf(mix)
  let turn = 0
  return () => city[parts[turn++ % parts.length] as Part]()
}
