// What one step asks of the driver, in this order: persist, and fsync if `needsDisk` says so, then everything else. Steps may be merged: the records of several
// first, one fsync, then their other effects in order.
import type { Hash, Height, TimeMs, View } from '../primitives/brand.ts'
import { unreachable } from '../primitives/errors.ts'
import type { BlockHeader } from './block.ts'
import type { CheckpointCertificate, Decision } from './certificate.ts'
import type { TimerName } from './input.ts'
import type { Message } from './messages.ts'
import { type LogRecord, mayTrail } from './record.ts'
import type { Validator } from './validators.ts'
import type { CheckpointContent } from './votes.ts'

/** To one validator, or to every other validator that this node is connected to. Loss is allowed: what matters is repeated. */
export interface Send {
  readonly to: Validator | 'all'
  readonly message: Message
}

/** Set (again) to expire after so many milliseconds; undefined clears it. */
export interface TimerChange {
  readonly name: TimerName
  readonly afterMs: number | undefined
}

/** Make a block to stand on `parent`, and answer with `proposal` or `noProposal`. Blocks between the last executed one and the parent are still open: leave out what they order. */
export interface Propose {
  readonly view: View
  readonly height: Height
  readonly parent: Hash
  readonly parentTimeMs: TimeMs
}

/**
 * Get the payload of a block, judge it, keep it for the next output that needs the disk, and answer with `payload` when there is a verdict. The manifest is given when the
 * PrePrepare has brought it; if not, look in the own store and ask `holders`. May be asked again for the same block.
 */
export interface Validate {
  readonly header: BlockHeader
  readonly blockHash: Hash
  readonly manifest?: Uint8Array
  readonly holders: readonly Validator[]
}

/**
 * This replica lacks final blocks from `from` up to `to`, as far as it knows: fetch them with their commit certificates and hand them in as `synced`,
 * in order. The answer should bring the peer's last stable checkpoint certificate along, as a message `certified`; when `to` is below `from`, that is all
 * that is lacking. `peers` claim to have so many blocks; a claim may be a lie.
 */
export interface Sync {
  readonly from: Height
  readonly to: Height
  readonly peers: readonly { readonly validator: Validator; readonly committed: Height }[]
}

/** One validator's two signed messages that contradict each other, or one that no correct validator makes. */
export interface Blame {
  readonly validator: Validator
  readonly kind: 'pre-prepare' | 'prepare' | 'commit' | 'checkpoint' | 'view-change' | 'new-view'
  readonly height?: Height
  readonly view?: View
  readonly messages: readonly Message[]
}

/** The own state differs from what a quorum certified: stop executing, keep everything, tell the operator. */
export interface Halt {
  readonly own: CheckpointContent
  readonly certified: CheckpointCertificate
}

/** Why a replica asks for another view. */
export type WishReason =
  /** The view timer: something waits, and nothing became final. */
  | 'no-progress'
  /** The driver's suspicion. */
  | 'suspicion'
  /** The primary has said two things that contradict each other. */
  | 'contradiction'
  | 'payload-refused'
  /** A NewView with another choice than follows from what it shows, or one that undoes what is final. */
  | 'wrong-new-view'
  /** f + 1 others ask for it. */
  | 'others'

/** What happened to the view, for the operator: asked for, left (bound by a ViewChange, or by the proof of a later view), entered. */
export type ViewNote =
  | { readonly what: 'asked'; readonly view: View; readonly reason: WishReason }
  | { readonly what: 'left'; readonly view: View; readonly reason: WishReason }
  | { readonly what: 'proven'; readonly view: View }
  | { readonly what: 'entered'; readonly view: View }

export interface Output {
  readonly persist: readonly LogRecord[]
  readonly send: readonly Send[]
  readonly timers: readonly TimerChange[]
  /** Final blocks, in order, each height once: execute them. The payload may still have to be fetched. */
  readonly deliver: readonly Decision[]
  readonly validate: readonly Validate[]
  /** New stable checkpoints, ascending: store them, and compact the vote log (neededRecords). */
  readonly certified: readonly CheckpointCertificate[]
  readonly blame: readonly Blame[]
  readonly views: readonly ViewNote[]
  readonly propose?: Propose
  readonly sync?: Sync
  readonly halt?: Halt
}

/**
 * Whether everything told so far, payloads that were judged valid among it, must be on the disk before this output is acted on. A PrePrepare or a Prepare need not wait:
 * the one sync that a block waits for is that of its prepared certificate, before the Commit.
 */
export function needsDisk({ persist, send }: Pick<Output, 'persist' | 'send'>): boolean {
  return persist.some((one) => !mayTrail(one)) || send.some(({ message }) => bindsToDisk(message))
}

/** A Commit vouches for the payload and the certificate, a Checkpoint for what was executed, the others for all that was prepared. */
function bindsToDisk({ type }: Message): boolean {
  switch (type) {
    case 'commit':
    case 'checkpoint':
    case 'view-change':
    case 'new-view':
      return true
    case 'pre-prepare':
    case 'prepare':
    case 'status':
    case 'certified':
      return false
    default:
      return unreachable(type)
  }
}
