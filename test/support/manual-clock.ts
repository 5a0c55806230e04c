// A clock that stands still until a test moves it. `now` may be set apart from the monotonic time, as an operator or NTP does.
import type { Clock } from '../../node/world.ts'

export interface ManualClock extends Clock {
  /** Fires what is due on the way, in order, and lets promises settle in between. */
  readonly advance: (ms: number) => Promise<void>
  readonly set: (nowMs: number) => void
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

export function createManualClock(startMs = 1_780_000_000_000): ManualClock {
  let monotonicMs = 0
  let offsetMs = startMs
  let timers: { readonly atMs: number; readonly fire: () => void }[] = []
  return {
    now: () => offsetMs + monotonicMs,
    monotonic: () => monotonicMs,
    set: (nowMs) => {
      offsetMs = nowMs - monotonicMs
    },
    after: (ms, fire) => {
      // as setTimeout does it: what does not fit into 31 bits fires at once
      const timer = { atMs: monotonicMs + (ms > 2_147_483_647 ? 1 : ms), fire }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    soon: (fire) => void setImmediate(fire),
    advance: async (ms) => {
      const endMs = monotonicMs + ms
      for (;;) {
        await settled()
        const [next] = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)
        if (next === undefined) break
        timers = timers.filter((one) => one !== next)
        monotonicMs = Math.max(monotonicMs, next.atMs)
        next.fire()
      }
      monotonicMs = endMs
      await settled()
    },
  }
}
