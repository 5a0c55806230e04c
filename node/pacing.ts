// Pacing: when a primary makes its next block. A block costs every validator some milliseconds of processor time however little it orders, so one is not made for each
// transaction that comes while others are under way: the next waits until these are final, or much has come, or some time has gone by. On fast links at a low
// load that is one block at a time; on slow links as many are under way as the pipeline holds. That blocks take longer than they once did is a sign that processors are busy, so
// that small blocks would only make them take longer still: the next waits as long as they do.
import type { Propose } from '../consensus/output.ts'
import type { Height, View } from '../primitives/brand.ts'
import { paceMaxMs, paceMinMs } from './limits.ts'
import type { Clock } from './world.ts'

export interface Pacing {
  /** The replica asks for a block. */
  readonly ask: (request: Propose) => void
  /** Something has become final, or has come. */
  readonly look: () => void
  readonly stop: () => void
}

export interface PacingContext {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly committed: () => Height
  readonly view: () => View
  /** Transactions that no open block orders, about. */
  readonly waiting: () => number
  /** So many are worth a block at once. */
  readonly enough: number
  readonly make: (request: Propose) => void
}

export function createPacing({ clock, committed, view, waiting, enough, make }: PacingContext): Pacing {
  let held: Propose | undefined
  let lastMs = Number.NEGATIVE_INFINITY
  let paceMs = paceMinMs
  let quickestMs = Number.POSITIVE_INFINITY
  /** Blocks made here that are not final yet, with the time. */
  const open = new Map<Height, number>()
  let cancel = (): void => {}

  const isDue = ({ height }: Propose): boolean => height - 1 <= committed() || waiting() >= enough || clock.monotonic() - lastMs >= paceMs

  const measure = (): void => {
    for (const [height, madeMs] of open) {
      if (height > committed()) continue
      open.delete(height)
      const tookMs = clock.monotonic() - madeMs
      quickestMs = Math.min(quickestMs, tookMs)
      paceMs = Math.min(Math.max(tookMs - quickestMs, paceMinMs), paceMaxMs)
    }
  }

  const look = (): void => {
    measure()
    if (held === undefined) return
    // the replica asks anew in its next view
    if (held.view !== view()) {
      held = undefined
      open.clear()
      cancel()
    } else if (isDue(held)) {
      const request = held
      held = undefined
      cancel()
      lastMs = clock.monotonic()
      open.set(request.height, lastMs)
      make(request)
    }
  }

  return {
    ask: (request) => {
      held = request
      cancel()
      look()
      if (held !== undefined) cancel = clock.after(Math.max(0, lastMs + paceMs - clock.monotonic()), look)
    },
    look,
    stop: () => {
      held = undefined
      cancel()
    },
  }
}
