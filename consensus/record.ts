// The vote log: what must be on disk before the messages that rest on it leave. One record says one thing; records are replayed in order
// by restoreReplica. A torn tail is no loss: nothing that it would have recorded has been sent.
import { decode, encode } from '../primitives/codec.ts'
import { consensusMessageBytesMax } from '../primitives/limits.ts'
import { optional, record, union, view, type Infer } from '../primitives/schema.ts'
import { blockHeader, blockHeight } from './block.ts'
import { decision, foundation, preparedBlock, slotCertificate } from './certificate.ts'
import { newView, viewChange } from './messages.ts'
import { checkpointContent, signature } from './votes.ts'

export const logRecord = union({
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

export function encodeRecord(one: LogRecord): Uint8Array {
  return encode(logRecord, one)
}

/** Throws `codec/…`. */
export function decodeRecord(encoded: Uint8Array): LogRecord {
  return decode(logRecord, encoded, consensusMessageBytesMax)
}
