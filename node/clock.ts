// The machine's clock and timers.
import type { Clock } from './world.ts'

/** setTimeout takes what does not fit into 31 bits (25 days) for one millisecond. */
const timerMsMax = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, Math.min(ms, timerMsMax))
    return () => clearTimeout(timer)
  },
  soon(fire) {
    setImmediate(fire)
  },
}
