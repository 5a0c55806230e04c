// Takes bodies that were erased out of the files of the database, where their bytes lie on after they were deleted, until LevelDB merges the files by itself, which may be never.
// Some at a time: each costs the merging of a few files.
import type { Bodies } from './bodies.ts'
import { bodyScrubMax, bodyScrubPauseMs } from './limits.ts'
import type { Clock, Log } from './world.ts'

export interface BodyScrub {
  readonly start: () => void
  /** Waits for nothing: what is not done is done after the next start. */
  readonly stop: () => void
}

export interface BodyScrubContext {
  readonly bodies: Pick<Bodies, 'scrub'>
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export function createBodyScrub({ bodies, clock, log, onFatal }: BodyScrubContext): BodyScrub {
  let cancel: () => void = () => {}
  let isStopped = false
  const next = (): void => {
    cancel = clock.after(bodyScrubPauseMs, () => {
      bodies.scrub(bodyScrubMax).then(
        (count) => {
          if (count > 0) log.debug('bodies-scrubbed', { bodies: count })
          if (!isStopped) next()
        },
        (error: unknown) => {
          if (!isStopped) onFatal(error)
        },
      )
    })
  }
  return {
    start: next,
    stop: () => {
      isStopped = true
      cancel()
    },
  }
}
