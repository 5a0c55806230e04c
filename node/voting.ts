// Whether this validator votes. One that starts with its votes hears first what the others have; one without them follows until all that it may have had a
// part in is final (recovery.ts); and one that is shown a vote of its own that it does not know of stops voting at once and does the same.
import type { ReplicaStatus } from '../consensus/report.ts'
import type { ForgottenVotes } from '../consensus/votes.ts'
import type { Height } from '../primitives/brand.ts'
import type { Driver } from './driver.ts'
import { recoveryPauseMs } from './limits.ts'
import type { OwnPlace } from './membership.ts'
import type { OwnVote } from './own-votes.ts'
import { followFirst, forgottenAt } from './recovery.ts'
import type { Recovering } from './status.ts'
import type { Clock, Log, Transport, VoteLog } from './world.ts'

export interface Voting {
  /** The vote log holds all that this validator has signed, or all that still binds it. */
  readonly isWhole: () => boolean
  /** Why it does not vote (yet); undefined: it votes, or is no validator. */
  readonly recovering: () => Recovering | undefined
  readonly forget: (vote: OwnVote) => void
  /** After the ordering began, and when the sets changed: a key in the set in force or in the scheduled one gets its vote, once it may have it. */
  readonly see: () => void
}

export interface VotingContext {
  readonly place: () => OwnPlace | undefined
  /** The first height that a set with this key governs. */
  readonly since: () => Height | undefined
  /** Votes are given up to so many heights above the last stable checkpoint. */
  readonly window: number
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Clock
  readonly log: Log
  readonly votes: Pick<VoteLog, 'renew'>
  /** The vote log that was found is whole. */
  readonly isWhole: boolean
  /** Why it is not, where that is known. */
  readonly why: string | undefined
  readonly ordering: () => { readonly status: () => Pick<ReplicaStatus, 'committed'>; readonly driver: Pick<Driver, 'input'> }
  readonly head: () => Height
  readonly follow: (head: Height, peer: string) => void
  /** Stopping, or halted: no vote any more. */
  readonly hasEnded: () => boolean
  /** Ends the life without a key and begins one with it, which never votes where this validator may have voted before. */
  readonly voteAgain: (forgotten: ForgottenVotes | undefined) => Promise<void>
  readonly onFatal: (error: unknown) => void
}

const noVotes = 'this validator has no record of its votes'
const justStarted = 'this validator has just started'

export function createVoting(context: VotingContext): Voting {
  const { place, clock, log, votes, ordering, head, hasEnded, onFatal } = context
  let isWhole = context.isWhole
  let recovering: Recovering | undefined = isWhole && place() !== undefined ? { why: justStarted } : undefined
  let mayForget = isWhole
  let running: Promise<void> | undefined
  let renewed: Promise<void> = Promise.resolve()
  const isSettled = (): boolean => ordering().status().committed === head()

  const recover = async ({ epoch, index }: OwnPlace, why: string): Promise<void> => {
    recovering = { why }
    await renewed
    const whole = isWhole
    // a life whose votes turn out to be old ends here, and goes on without them
    const stopped = (): boolean => hasEnded() || whole !== isWhole
    const standing = await followFirst({
      ...context,
      set: epoch.set,
      self: index,
      measure: whole ? 'head' : 'top',
      stopped,
      reached: () => (whole || isSettled() ? ordering().status().committed : undefined),
      onHorizon: ({ top }) => {
        if (!stopped()) recovering = { why, until: top }
      },
    })
    if (standing === undefined) return
    if (!whole) {
      // at a moment when nothing final waits to be executed: the life with the key begins where the store is
      while (!stopped() && !isSettled()) await new Promise<void>((resolve) => clock.after(recoveryPauseMs, resolve))
      if (stopped()) return
      const forgotten = forgottenAt(standing, context.since(), context.window)
      if (forgotten !== undefined) log.warn('votes-lost', { why, until: standing.top, head: head(), epoch: forgotten.epoch, view: forgotten.view, height: forgotten.height })
      await context.voteAgain(forgotten)
      // not before: a cut of the log in the life that ends would say that it is whole
      isWhole = true
    } else if (stopped()) return
    recovering = undefined
    // what was held back is said now
    for (const name of ['heartbeat', 'retransmit'] as const) ordering().driver.input({ type: 'timer', name })
    log.info('voting', { height: head() })
  }

  const see = (): void => {
    const own = place()
    if (running !== undefined || own === undefined || (isWhole && recovering === undefined)) return
    const waits = own.epoch.activation > head() + 1
    const why = recovering?.why ?? context.why ?? (waits ? `this node is a validator from block ${own.epoch.activation} on` : noVotes)
    running = recover(own, why).catch(onFatal).finally(() => {
      running = undefined
      // stopped voting meanwhile
      if (!isWhole && !hasEnded()) see()
    })
  }

  return {
    isWhole: () => isWhole,
    recovering: () => recovering,
    see,
    forget: ({ kind, height, view }) => {
      // once: votes of the time before may come up again later, and following once more would find out nothing
      if (!mayForget || hasEnded()) return
      mayForget = false
      isWhole = false
      recovering = { why: `others hold a ${kind} vote of this validator for block ${height} in view ${view}, of which its vote log knows nothing (its data folder is an older copy)` }
      log.error('votes-outdated', { why: recovering.why })
      renewed = votes.renew()
      renewed.catch(onFatal)
      see()
    },
  }
}
