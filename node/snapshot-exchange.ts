// Questions of protocol `snapshot` and their answers. A node that joins takes the state of a certified height in parts (state/snapshot.ts), and the blocks below it
// whose transactions could run again. Everything is checked against the certificate; an answer need only be bounded and well-formed here.
import { checkpointCertificate } from '../consensus/certificate.ts'
import { checkpointContent } from '../consensus/votes.ts'
import type { Hash } from '../primitives/brand.ts'
import { decode, encode } from '../primitives/codec.ts'
import { taggedHash } from '../primitives/hash.ts'
import { blockBytesMax, blockTransactionsMax } from '../primitives/limits.ts'
import { bytes, height, type Infer, integer, list, optional, record, union } from '../primitives/schema.ts'
import { partsMax, snapshotPart } from '../state/snapshot.ts'
import { syncBlock, syncBlocksMax } from './exchange.ts'
import { answerBytesMax, questionBytesMax } from './limits.ts'

const snapshotQuestion = union({
  /** The list of parts at this height, or at the latest that is there. */
  manifest: record({ height: optional(height) }),
  /** One part of a snapshot, by its place in the list. The answer is the part's bytes. */
  part: record({ height, index: integer(0, partsMax - 1) }),
  /** Final blocks with what they gave. */
  blocks: record({ from: height, count: integer(1, syncBlocksMax) }),
})
export type SnapshotQuestion = Infer<typeof snapshotQuestion>

export const manifest = record({ certificate: checkpointCertificate, parts: list(snapshotPart, 1, partsMax) })
export type Manifest = Infer<typeof manifest>

/** `leaves`: the encoded outcome, then the encoded receipts, as the block's receipts root binds them. */
const ranBlock = record({ block: syncBlock, leaves: list(bytes(1, blockBytesMax), 1, blockTransactionsMax + 1) })
export type RanBlockAnswer = Infer<typeof ranBlock>
const blocksAnswer = list(ranBlock, 0, syncBlocksMax)

export const encodeSnapshotQuestion = (question: SnapshotQuestion): Uint8Array => encode(snapshotQuestion, question)
export const decodeSnapshotQuestion = (encoded: Uint8Array): SnapshotQuestion => decode(snapshotQuestion, encoded, questionBytesMax)
export const encodeManifest = (value: Manifest): Uint8Array => encode(manifest, value)
export const decodeManifest = (encoded: Uint8Array): Manifest => decode(manifest, encoded, answerBytesMax)
export const encodeRanBlocks = (blocks: readonly RanBlockAnswer[]): Uint8Array => encode(blocksAnswer, blocks)
export const decodeRanBlocks = (encoded: Uint8Array): readonly RanBlockAnswer[] => decode(blocksAnswer, encoded, answerBytesMax)

const hashed = record({ content: checkpointContent, parts: list(snapshotPart, 1, partsMax) })
/** Names a snapshot: equal on all nodes that made it. The signatures stay out, since each node may hold another quorum's. */
export function snapshotHash({ certificate, parts }: Manifest): Hash {
  return taggedHash('snapshot', encode(hashed, { content: certificate.content, parts }))
}
