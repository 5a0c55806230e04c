// Pacing: when a primary makes its next block. A block costs every validator some milliseconds of processor time however little it orders. So what comes when nothing is
// under way is ordered at once, but no block is made for each transaction that comes while others are: the next waits until these are final and the last is a while old, or much
// has come, or more time has gone by. On fast links at a low load that is one block at a time; on slow links as many are under way as the pipeline holds. That blocks take longer than they once did is a sign that processors are busy, so
// that small blocks would only make them take longer still: the next waits for as long as that is more.
import type { Propose } from '../consensus/output.ts'
import type { Height, View } from '../primitives/brand.ts'
import { paceBlocksRemembered, paceGapMs, paceMaxMs, paceMinMs, paceShareOfView } from './limits.ts'
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
  readonly viewTimeoutMs: number
  readonly make: (request: Propose) => void
}

export function createPacing({ clock, committed, view, waiting, enough, viewTimeoutMs, make }: PacingContext): Pacing {
  const finality = createFinality(Math.max(paceMinMs, Math.min(paceMaxMs, paceShareOfView * viewTimeoutMs)))
  let held: Propose | undefined
  let lastMs = Number.NEGATIVE_INFINITY
  let cancel = (): void => {}

  const isLastFinal = ({ height }: Propose): boolean => height - 1 <= committed()
  const gapLeftMs = (): number => lastMs + paceGapMs - clock.monotonic()
  const leftMs = (): number => lastMs + finality.paceMs() - clock.monotonic()
  // with nothing to order the replica is told so, and asks again when something has come
  const isDue = (request: Propose): boolean => waiting() >= enough || leftMs() <= 0 || (isLastFinal(request) && (gapLeftMs() <= 0 || waiting() <= 0))

  const release = (request: Propose): void => {
    held = undefined
    cancel()
    lastMs = clock.monotonic()
    finality.made(request, lastMs)
    make(request)
  }

  const look = (): void => {
    finality.look(committed(), view(), clock.monotonic())
    if (held === undefined) return
    // the replica asks anew in its next view
    if (held.view !== view()) {
      held = undefined
      cancel()
    } else if (isDue(held)) release(held)
  }

  /** Until the block is made: the pace may have become slower meanwhile, and a timer may fire a little early. */
  const wait = (): void => {
    cancel = clock.after(Math.max(1, gapLeftMs() > 0 ? gapLeftMs() : leftMs()), () => {
      look()
      if (held !== undefined) wait()
    })
  }

  return {
    ask: (request) => {
      held = request
      cancel()
      if (isLastFinal(request)) release(request)
      else look()
      if (held !== undefined) wait()
    },
    look,
    stop: () => {
      held = undefined
      cancel()
    },
  }
}

interface Finality {
  readonly made: (request: Pick<Propose, 'height' | 'view'>, nowMs: number) => void
  readonly look: (committed: Height, view: View, nowMs: number) => void
  /** How long the next block waits for those under way. */
  readonly paceMs: () => number
}

/** How long blocks made here take to become final, and how much longer than the quickest of late. */
function createFinality(longestMs: number): Finality {
  const open = new Map<Height, { readonly view: View; readonly madeMs: number }>()
  let paceMs = paceMinMs
  let quickestMs = Number.POSITIVE_INFINITY
  let quickestBeforeMs = Number.POSITIVE_INFINITY
  let measured = 0

  const measure = (tookMs: number): void => {
    if (++measured % paceBlocksRemembered === 0) {
      quickestBeforeMs = quickestMs
      quickestMs = Number.POSITIVE_INFINITY
    }
    quickestMs = Math.min(quickestMs, tookMs)
    paceMs = Math.min(Math.max(tookMs - Math.min(quickestMs, quickestBeforeMs), paceMinMs), longestMs)
  }

  return {
    made: ({ height, view }, nowMs) => void open.set(height, { view, madeMs: nowMs }),
    look: (committed, view, nowMs) => {
      for (const [height, one] of open) {
        if (one.view !== view) open.delete(height)
        else if (height <= committed) {
          open.delete(height)
          measure(nowMs - one.madeMs)
        }
      }
    },
    paceMs: () => paceMs,
  }
}
