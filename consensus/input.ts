// Everything that can happen to a replica. The driver hands these to step() one at a time, in any order the world gives.
import type { Hash, Height, TimeMs, View } from '../primitives/brand.ts'
import type { Decision } from './certificate.ts'
import type { Message, Verified } from './messages.ts'
import type { Epoch } from './validators.ts'

export type TimerName = 'view' | 'retransmit' | 'heartbeat' | 'checkpoint' | 'answer'

/** The first input of every life of a replica, after createReplica or restoreReplica. */
export interface Start {
  readonly type: 'start'
}

export interface MessageArrived {
  readonly type: 'message'
  readonly message: Verified<Message>
}

export interface TimerExpired {
  readonly type: 'timer'
  readonly name: TimerName
}

/** Whether anything waits to be ordered here. Told on each change; a primary answers with `propose`, the others start to watch the primary. */
export interface Work {
  readonly type: 'work'
  readonly pending: boolean
}

/** Answer to output.propose, with its height, parent and view repeated: an answer that comes too late is ignored. The payload is handed to the disk before, and written with the next output that needs it. */
export interface Proposal {
  readonly type: 'proposal'
  readonly view: View
  readonly height: Height
  readonly parent: Hash
  /** Later than the parent's time. */
  readonly timeMs: TimeMs
  readonly payload: Hash
  readonly payloadCount: number
  readonly manifest: Uint8Array
}

/** Answer to output.propose: there is nothing to order after all. Counts as `work { pending: false }`. */
export interface NoProposal {
  readonly type: 'noProposal'
  readonly view: View
  readonly height: Height
}

/**
 * Answer to output.validate, at any later time: `valid` says that the payload is here, handed to the disk, acceptable, and the block's time not too
 * far ahead of the clock; `invalid` that it never will be. While it is merely missing or early, say nothing.
 */
export interface PayloadJudged {
  readonly type: 'payload'
  readonly blockHash: Hash
  readonly verdict: 'valid' | 'invalid'
}

/** A delivered block has been executed; in order, once per height. `nextSet` is a validator set that it scheduled, if it did. */
export interface Executed {
  readonly type: 'executed'
  readonly height: Height
  readonly blockHash: Hash
  readonly stateRoot: Hash
  readonly nextSet?: Epoch
}

/** A final block fetched from a peer: the one after the last committed. Any other is ignored. */
export interface Synced {
  readonly type: 'synced'
  readonly decision: Verified<Decision>
}

/** The primary is slow, or leaves out a transaction held for longer than the inclusion timeout while blocks go by. */
export interface Suspect {
  readonly type: 'suspect'
  readonly reason: string
}

export type Input = Start | MessageArrived | TimerExpired | Work | Proposal | NoProposal | PayloadJudged | Executed | Synced | Suspect
