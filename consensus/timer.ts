// Timers. Which should run follows from the state, so it is decided in one place at the end of every step; what expiry means stands here too.
// The paper's rules (section 4.5.2): the view timer runs while something waits to be ordered, doubles with every view that fails, and starts for a
// new view when a quorum is on its way there (wish.ts lets nobody leave before).
import { announce, raiseWish } from './announce.ts'
import { castIdleCheckpoint, idleCheckpointDue } from './checkpoint.ts'
import type { TimerName } from './input.ts'
import { needsRepetition, onRetransmitTimer } from './status.ts'
import { isOpen, type ReplicaState } from './state.ts'

export function viewTimeoutMs(state: ReplicaState): number {
  const { viewTimeoutMs: base, viewTimeoutMaxMs } = state.config.timing
  return Math.min(viewTimeoutMaxMs, base * 2 ** Math.min(state.failures, 30))
}

function set(state: ReplicaState, name: TimerName, afterMs: number): void {
  state.running.add(name)
  state.effects.timers.set(name, afterMs)
}

/** Starts what should run and does not, and stops the view timer when nothing is waited for. */
export function armTimers(state: ReplicaState): void {
  const { timing } = state.config
  const { running } = state
  if (!running.has('heartbeat')) set(state, 'heartbeat', timing.heartbeatMs)
  if (!running.has('retransmit') && needsRepetition(state)) set(state, 'retransmit', timing.retransmitMs)
  if (!running.has('answer') && state.answered.size > 0) set(state, 'answer', Math.ceil(timing.retransmitMs / 2))
  if (!running.has('checkpoint') && idleCheckpointDue(state)) set(state, 'checkpoint', timing.checkpointIdleMs)

  const waits = state.self !== undefined && !state.halted && !state.overdue && (state.mode === 'changing' || state.pending || isOpen(state))
  if (waits && !running.has('view')) set(state, 'view', viewTimeoutMs(state))
  else if (!waits && running.has('view')) {
    running.delete('view')
    state.effects.timers.set('view', undefined)
  }
}

export function onTimer(state: ReplicaState, name: TimerName): void {
  // A timer that was stopped may have expired on its way here.
  if (!state.running.delete(name)) return
  switch (name) {
    case 'view':
      state.overdue = true
      // Said before, it is said again: nothing has moved since.
      if (state.wish > state.view) announce(state)
      else raiseWish(state, state.view + 1, 'no-progress')
      return
    case 'retransmit':
      onRetransmitTimer(state)
      return
    case 'heartbeat':
      announce(state)
      return
    case 'checkpoint':
      castIdleCheckpoint(state)
      return
    case 'answer':
      state.answered.clear()
      return
  }
}
