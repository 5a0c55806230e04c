// The replica: one input at a time, in; what it asks of the world, out. This is the only dispatch; each phase has its own file.
// After every input the rules of all phases run until none fires any more: whatever made one possible, it fires at once.
import type { Hash } from '../primitives/brand.ts'
import { toHex } from '../primitives/bytes.ts'
import { assert, unreachable } from '../primitives/errors.ts'
import { announce, distrustPrimary } from './announce.ts'
import { adoptCertificate, onCheckpoint, onExecuted } from './checkpoint.ts'
import { commitSlots, onSynced } from './commit.ts'
import type { ReplicaConfig } from './config.ts'
import { emptyEffects, outputOf } from './effects.ts'
import type { Input } from './input.ts'
import { advanceRoundsMax } from './limits.ts'
import type { Message } from './messages.ts'
import { acceptProposals, collectPrepared, onPayload, onPrePrepare, onVote, sendCommits, sendPrepares } from './normal.ts'
import type { Output } from './output.ts'
import { askForProposal, onNoProposal, onProposal, onWork } from './propose.ts'
import type { LogRecord } from './record.ts'
import { statusOf, type ReplicaStatus, type Waiting, waitingOf } from './report.ts'
import { closingRecord, replay, restoreState, type ReplicaPoint } from './restore.ts'
import { brokenInvariants } from './safety.ts'
import type { ReplicaState } from './state.ts'
import { onStatus } from './status.ts'
import { armTimers, onTimer } from './timer.ts'
import type { Epoch, Schedule } from './validators.ts'
import { buildNewView, onNewView, onViewChange } from './viewchange.ts'
import { followWishes } from './wish.ts'

export interface Replica {
  /** Handles one input. Deterministic: the same inputs in the same order give the same outputs. The first must be `start`. */
  readonly step: (input: Input) => Output
  readonly status: () => ReplicaStatus
  readonly waiting: () => Waiting
  /** For verifying what comes from the wire (verification.ts). Changes when a set change has been executed. */
  readonly schedule: () => Schedule
  /** Whether a payload is asked for here, or vouched for: the driver must not forget it. */
  readonly needsPayload: (blockHash: Hash) => boolean
  /** The last record of a life that ends in order, once all others are on the disk (restore.ts). */
  readonly closing: () => LogRecord | undefined
  /** Names of the invariants that do not hold; for tests and the simulator. */
  readonly brokenInvariants: () => readonly string[]
}

/** A replica of a new chain, which has never voted. */
export function createReplica(config: ReplicaConfig, genesisEpoch: Epoch): Replica {
  return restoreReplica(config, { epochs: [genesisEpoch] }, [])
}

/** A replica after a restart. `records`: the vote log, oldest first. */
export function restoreReplica(config: ReplicaConfig, point: ReplicaPoint, records: readonly LogRecord[]): Replica {
  const state = restoreState(config, point)
  let rest = replay(state, records, point.manifestOf)
  let started = false
  return {
    step: (input) => {
      assert(started === (input.type !== 'start'), 'start comes first, and once')
      started = true
      if (state.replaying) {
        // Until the log has been replayed to its end, only what lets it go on matters.
        if (input.type === 'executed') {
          onExecuted(state, input)
          rest = replay(state, rest, point.manifestOf)
        } else if (input.type === 'timer') state.running.delete(input.name)
        else if (input.type === 'work') onWork(state, input.pending)
      } else handle(state, input)
      return settle(state)
    },
    status: () => statusOf(state),
    waiting: () => waitingOf(state),
    schedule: () => state.schedule,
    needsPayload: (hash) => {
      const verdict = state.payloads.get(toHex(hash))?.verdict
      return verdict === 'asked' || verdict === 'valid'
    },
    closing: () => closingRecord(state),
    brokenInvariants: () => brokenInvariants(state),
  }
}

/** One input, over a state that has no log left to replay: what `step` of a replica does. For those who keep the state themselves (test/explorer/). */
export function stepState(state: ReplicaState, input: Input): Output {
  handle(state, input)
  return settle(state)
}

/** What the input has made possible, and the output of it all. */
function settle(state: ReplicaState): Output {
  if (!state.replaying) {
    advance(state)
    askForProposal(state)
  }
  armTimers(state)
  const output = outputOf(state.effects)
  state.effects = emptyEffects()
  return output
}

function handle(state: ReplicaState, input: Input): void {
  switch (input.type) {
    case 'start':
      announce(state)
      return
    case 'message':
      onMessage(state, input.message)
      return
    case 'timer':
      onTimer(state, input.name)
      return
    case 'work':
      onWork(state, input.pending)
      return
    case 'proposal':
      onProposal(state, input)
      return
    case 'noProposal':
      onNoProposal(state, input)
      return
    case 'payload':
      onPayload(state, input)
      return
    case 'executed':
      onExecuted(state, input)
      return
    case 'synced':
      onSynced(state, input)
      return
    case 'suspect':
      distrustPrimary(state, 'suspicion')
      return
    default:
      unreachable(input)
  }
}

function onMessage(state: ReplicaState, message: Message): void {
  switch (message.type) {
    case 'pre-prepare':
      onPrePrepare(state, message)
      return
    case 'prepare':
      onVote(state, 'prepare', message)
      return
    case 'commit':
      onVote(state, 'commit', message)
      return
    case 'checkpoint':
      onCheckpoint(state, message)
      return
    case 'view-change':
      onViewChange(state, message)
      return
    case 'new-view':
      onNewView(state, message)
      return
    case 'status':
      onStatus(state, message)
      return
    case 'certified':
      adoptCertificate(state, message.certificate)
      return
    default:
      unreachable(message)
  }
}

/** The rules of all phases, until none fires. Each fires a bounded number of times for one input, so this ends. */
function advance(state: ReplicaState): void {
  const rules = [acceptProposals, sendPrepares, collectPrepared, sendCommits, commitSlots, followWishes, buildNewView]
  for (let round = 0; ; round++) {
    assert(round < advanceRoundsMax, 'the rules come to rest')
    let fired = false
    for (const rule of rules) fired = rule(state) || fired
    if (!fired) return
  }
}

