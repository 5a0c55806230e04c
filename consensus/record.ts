// The vote log: what binds a replica, over all its lives. One record says one thing; records are replayed in order by restoreReplica. Most must be on the disk before
// the messages that rest on them leave (output.ts, `needsDisk`). Those that may trail can be lost with a torn tail; what they would have told lies within the last
// allowance, and there the next life gives no first vote (safety.ts, S8).
import { decode, encode } from '../primitives/codec.ts'
import { consensusMessageBytesMax } from '../primitives/limits.ts'
import { height, optional, record, union, view, type Infer } from '../primitives/schema.ts'
import { blockHeader, blockHeight } from './block.ts'
import { decision, foundation, preparedBlock, slotCertificate } from './certificate.ts'
import { newView, viewChange } from './messages.ts'
import { checkpointContent, signature } from './votes.ts'

export const logRecord = union({
  /**
   * Up to this height the PrePrepares and Prepares of this view may leave before their own records are on the disk. Of several the last counts. Written at a stop when
   * everything else is: it then says up to where an earlier life may have signed what no record tells of; 0 when there is no such thing.
   */
  allowance: record({ epoch: blockHeight, view, height }),
  /** This replica, as primary, proposed a block: its PrePrepare. */
  proposed: record({ view, header: blockHeader }),
  /** It sent a Prepare, on the strength of this PrePrepare signature. */
  prepared: record({ view, header: blockHeader, proposal: signature }),
  /** A slot became prepared here: whatever happens, a Commit vote in this view can only be for this block. */
  certificate: preparedBlock,
  /** A block became final here. */
  committed: decision,
  /** A NewView showed this final block above what is committed here: prepared certificates stand on it. */
  anchor: record({ header: blockHeader, certificate: slotCertificate, foundation }),
  /** It asked for this view. Binds to nothing, and is told to one that has lost its votes: where a quorum asked, it may have sent a ViewChange. */
  wished: record({ epoch: blockHeight, view }),
  /** It sent this ViewChange, and votes in no lower view any more. */
  viewChange,
  /** It entered this view. */
  newView,
  /** It sent a Checkpoint. */
  checkpoint: checkpointContent,
  /** Its state differs from the certified one: it never signs again. */
  halted: record({ certified: checkpointContent, own: optional(checkpointContent) }),
})
/** On the wire of the log: canonical encoding of this union. */
export type LogRecord = Infer<typeof logRecord>

export type Allowance = Extract<LogRecord, { readonly type: 'allowance' }>

/** Whether what rests on the record may leave before it is on the disk. A quorum has what makes a block final; of the other two an allowance has told before. */
export function mayTrail({ type }: LogRecord): boolean {
  return type === 'committed' || type === 'proposed' || type === 'prepared'
}

export function encodeRecord(one: LogRecord): Uint8Array {
  return encode(logRecord, one)
}

/** Throws `codec/…`. */
export function decodeRecord(encoded: Uint8Array): LogRecord {
  return decode(logRecord, encoded, consensusMessageBytesMax)
}
