// A simulated machine's clock over the kernel's time: it may be wrong, and it may jump; what counts durations never does.
import type { Clock } from '../../../node/world.ts'
import type { Kernel } from '../kernel.ts'
import type { Life } from './life.ts'

/** The simulated time 0, in ms since the epoch. */
export const epochMs = 1_780_000_000_000

export function createSimulatedClock(kernel: Kernel, life: Life, offsetMs: () => number): Clock {
  return {
    now: () => Math.floor(epochMs + kernel.nowMs + offsetMs()),
    monotonic: () => kernel.nowMs,
    after: (ms, fire) => {
      let waits = true
      kernel.after(ms, () => {
        if (waits && life.alive) fire()
        waits = false
      })
      return () => {
        waits = false
      }
    },
    soon: (fire) => kernel.after(0, () => life.alive && fire()),
  }
}
