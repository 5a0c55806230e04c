// How far behind the chain this node is, in blocks and in time. Nobody's single word counts: a block that is certified is proof of itself, and that there is no later one
// is believed only while as many validators are connected as one more than may lie (an observer) or make a quorum (a validator), and those say so. An honest
// validator tells each of its blocks at once, so what was level a moment ago and has heard of nothing since is a moment behind at most.
import type { Clock } from './world.ts'

export interface Behind {
  /** That this node knows of. */
  readonly blocks: number
  /** What it shows is older than this by nothing. 0: it is level with those in sight. */
  readonly ms: number
}

export interface Freshness {
  /** A validator says how far it is. */
  readonly told: (validator: string, height: number) => void
  /** What is seen has changed, or will now: a peer came or went, a block was stored. */
  readonly look: () => void
  readonly behind: () => Behind
}

export interface Sight {
  /** Enough validators are connected to know of later blocks. */
  readonly inTouch: boolean
  readonly connected: ReadonlySet<string>
  /** How many validators may lie. */
  readonly faulty: number
  /** Blocks that are being fetched, once some have come. */
  readonly fetching: number
  readonly stored: number
  /** Of the last block; of the genesis when there is none. */
  readonly headMs: number
}

export function createFreshness(clock: Pick<Clock, 'now' | 'monotonic'>, see: () => Sight): Freshness {
  const heads = new Map<string, number>()
  let level = false
  let levelMs: number | undefined

  const blocksBehind = ({ connected, faulty, fetching, stored }: Sight): number => Math.max(0, Math.max(fetching, credibleHead(heads, connected, faulty)) - stored)

  const lookAt = (sight: Sight): void => {
    const before = level
    level = sight.inTouch && blocksBehind(sight) === 0
    // it was until now
    if (level || before) levelMs = clock.monotonic()
  }

  return {
    told: (validator, height) => {
      lookAt(see())
      heads.set(validator, height)
      lookAt(see())
    },
    look: () => lookAt(see()),
    behind: () => {
      const sight = see()
      lookAt(sight)
      const sinceBlockMs = Math.max(0, clock.now() - sight.headMs)
      return { blocks: blocksBehind(sight), ms: level ? 0 : Math.round(Math.min(sinceBlockMs, levelMs === undefined ? Infinity : clock.monotonic() - levelMs)) }
    },
  }
}

/** The greatest height that at least one honest validator has told: one more than may lie say at least this. */
function credibleHead(heads: ReadonlyMap<string, number>, connected: ReadonlySet<string>, faulty: number): number {
  return [...connected].map((name) => heads.get(name) ?? 0).sort((a, b) => b - a)[faulty] ?? 0
}
