// Dials one peer for ever: its addresses in order, then a pause that doubles up to the cap, shortened at random so that nodes do not dial in step.
import { redialCapMs, redialFirstMs } from './limits.ts'
import type { Clock } from './world.ts'

export interface Dialer {
  /** The connection is gone, or was never there. Harmless when already dialling. */
  wanted(): void
  /** There is a connection; the next loss is dialled quickly again. */
  connected(): void
  /** Not before this many milliseconds from now. */
  holdOff(ms: number): void
  stop(): void
}

/** `dial` tries every address once and says whether one answered; it must not reject. */
export function createDialer(clock: Clock, dial: () => Promise<boolean>): Dialer {
  let cancel: (() => void) | undefined
  let dialling = false
  let satisfied = false
  let stopped = false
  let pauseMs = redialFirstMs
  let notBefore = 0

  async function attempt(): Promise<void> {
    cancel = undefined
    if (dialling || satisfied || stopped) return
    dialling = true
    await dial()
    dialling = false
    // whether it answered or not: connected() ends this, a connection that is refused at once must wait like a failure
    schedule()
  }

  function schedule(): void {
    if (satisfied || stopped || cancel !== undefined || dialling) return
    const jittered = pauseMs * (0.5 + Math.random() / 2)
    pauseMs = Math.min(pauseMs * 2, redialCapMs)
    cancel = clock.after(Math.max(jittered, notBefore - clock.monotonic()), () => void attempt())
  }

  return {
    wanted() {
      satisfied = false
      schedule()
    },
    connected() {
      satisfied = true
      pauseMs = redialFirstMs
      cancel?.()
      cancel = undefined
    },
    holdOff(ms) {
      notBefore = clock.monotonic() + ms
    },
    stop() {
      stopped = true
      cancel?.()
    },
  }
}
