// What a replica is told at its start and never changes.
import type { BlockHeader, BlockRef } from './block.ts'
import type { ForgottenVotes } from './votes.ts'

/** Fixed by genesis: every replica must have the same. */
export interface ConsensusParameters {
  /** Slots that may be open above the last stable checkpoint (paper, section 4.3: high − low watermark). At least 2 × checkpointInterval. */
  readonly window: number
  /** A checkpoint is certified at every multiple of this height, and at the last height of an idle chain. */
  readonly checkpointInterval: number
}

/** One replica's own patience; replicas may differ. All in milliseconds. */
export interface ConsensusTiming {
  /** How long a replica waits for progress, while work is pending, before it wishes for the next view. Doubled with each view that fails. */
  readonly viewTimeoutMs: number
  /** The doubling stops here, so that after an outage of any length views meet within one such wait. */
  readonly viewTimeoutMaxMs: number
  /** How often a replica repeats itself while something is open and nothing moves. */
  readonly retransmitMs: number
  /** How often an idle replica says where it stands. */
  readonly heartbeatMs: number
  /** How long after its last execution an idle replica asks to have it certified, when the height is no multiple of the interval. */
  readonly checkpointIdleMs: number
}

export const defaultTiming: ConsensusTiming = { viewTimeoutMs: 1_000, viewTimeoutMaxMs: 8_000, retransmitMs: 300, heartbeatMs: 5_000, checkpointIdleMs: 200 }

export interface ReplicaConfig {
  /** Chain id. */
  readonly chain: string
  /** The genesis as block 0: its hash is the parent of height 1, its time the time that height 1 must pass. */
  readonly genesis: BlockRef
  readonly parameters: ConsensusParameters
  readonly timing: ConsensusTiming
  /** Blocks that a primary may have proposed and not seen committed. */
  readonly pipelineDepth: number
  /** This replica's key. A replica whose key is in no set follows and never signs. */
  readonly publicKey: Uint8Array
  /** It has lost votes: it gives none, in all its later lives, where it may have given one (safety.ts, S7). */
  readonly forgotten?: ForgottenVotes
  /** Pure and deterministic: the same bytes always give the same signature. */
  readonly sign: (bytes: Uint8Array) => Uint8Array
  /** Pure: whether these are the manifest bytes that header.payload and header.payloadCount are about. */
  readonly bindsManifest: (header: BlockHeader, manifest: Uint8Array) => boolean
}
