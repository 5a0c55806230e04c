// Whom catching up asks: one question at a time of each peer, those first that have not disappointed. What does not hold, does not come or was only
// claimed puts a peer aside for a while that doubles; what holds takes it back. A peer that is aside is asked when nobody else is left, and its claims count for nothing.
import type { Height } from '../primitives/brand.ts'
import { asideCapMs, asideFirstMs } from './limits.ts'
import type { Clock } from './world.ts'

export interface SyncSources {
  /** Those to ask from now on, whose words about the others before are forgotten. */
  readonly set: (peers: readonly string[]) => void
  /** Someone to ask who is not in `tried`; one that is aside only with `anyone`. */
  readonly pick: (tried: ReadonlySet<string>, anyone: boolean) => string | undefined
  /** All of them have been asked. */
  readonly exhausted: (tried: ReadonlySet<string>) => boolean
  readonly begin: (peer: string) => void
  readonly end: (peer: string) => void
  readonly isAside: (peer: string) => boolean
  readonly good: (peer: string) => void
  readonly bad: (peer: string) => void
  /** What a peer says of its own head. */
  readonly noteHead: (peer: string, head: Height) => void
  /** Half of those who have answered say at least this: fewer liars than honest peers cannot raise it. Undefined before anyone has. */
  readonly credibleHead: () => Height | undefined
}

interface Standing {
  failures: number
  untilMs: number
}

export function createSyncSources(clock: Pick<Clock, 'monotonic'>): SyncSources {
  let peers: readonly string[] = []
  let turn = 0
  const busy = new Set<string>()
  const standings = new Map<string, Standing>()
  const heads = new Map<string, Height>()
  const isAside = (peer: string): boolean => (standings.get(peer)?.untilMs ?? 0) > clock.monotonic()

  return {
    set: (next) => {
      peers = [...new Set(next)]
      for (const peer of [...heads.keys()]) if (!peers.includes(peer)) heads.delete(peer)
    },
    pick: (tried, anyone) => {
      const free = peers.filter((peer) => !busy.has(peer) && !tried.has(peer))
      const fit = free.filter((peer) => !isAside(peer))
      const from = fit.length > 0 || !anyone ? fit : free
      return from[turn++ % from.length]
    },
    exhausted: (tried) => peers.every((peer) => tried.has(peer)),
    begin: (peer) => void busy.add(peer),
    end: (peer) => void busy.delete(peer),
    isAside,
    good: (peer) => void standings.delete(peer),
    bad: (peer) => {
      const failures = (standings.get(peer)?.failures ?? 0) + 1
      standings.set(peer, { failures, untilMs: clock.monotonic() + Math.min(asideFirstMs * 2 ** (failures - 1), asideCapMs) })
    },
    noteHead: (peer, head) => void heads.set(peer, head),
    credibleHead: () => [...heads.values()].sort((a, b) => b - a)[heads.size >> 1],
  }
}
