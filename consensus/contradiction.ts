// Evidence to be shown to others: two statements that one key signed and that no correct validator signs both (paper, section 2: faults). Whoever has it needs
// nothing but the chain's name to check it. What only a replica can judge (a NewView that chose wrongly) is kept and shown, and convicts nobody here.
import { equalBytes } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { verify } from '../primitives/ed25519.ts'
import { consensusMessageBytesMax } from '../primitives/limits.ts'
import { bytes, height, type Infer, list, oneOf, optional, record, slug, view } from '../primitives/schema.ts'
import { blockHash } from './block.ts'
import { type Message, message, viewChangeBytes } from './messages.ts'
import { checkpointBytes, voteBytes } from './votes.ts'

export const evidence = record({
  /** The name it had, for the reader; what is proven is of the key. */
  validator: slug,
  publicKey: bytes(32, 32),
  kind: oneOf('pre-prepare', 'prepare', 'commit', 'checkpoint', 'view-change', 'new-view'),
  height: optional(height),
  view: optional(view),
  messages: list(message, 1, 2),
})
export type EvidenceRecord = Infer<typeof evidence>

export const evidenceRecordBytesMax = 2 * consensusMessageBytesMax + 1_024

export function encodeEvidence(one: EvidenceRecord): Uint8Array {
  return encode(evidence, one)
}

/** Throws `codec/…`. */
export function decodeEvidence(encoded: Uint8Array): EvidenceRecord {
  return decode(evidence, encoded, evidenceRecordBytesMax)
}

/** A signed statement: where it was made, within its kind, and what it says there. */
interface Statement {
  readonly place: string
  readonly says: Uint8Array
  readonly signature: Uint8Array
}

function statementOf(one: Message, chain: string): Statement | undefined {
  switch (one.type) {
    case 'pre-prepare':
      return { place: `pre-prepare ${one.view} ${one.header.height}`, says: voteBytes('pre-prepare', chain, one.view, one.header.height, blockHash(one.header)), signature: one.signature }
    case 'prepare':
    case 'commit':
      return { place: `${one.type} ${one.view} ${one.height}`, says: voteBytes(one.type, chain, one.view, one.height, one.blockHash), signature: one.signature }
    case 'checkpoint':
      return { place: `checkpoint ${one.content.height}`, says: checkpointBytes(chain, one.content), signature: one.signature }
    case 'view-change': {
      const { type: _, signature, ...content } = one
      return { place: `view-change ${one.epoch} ${one.view}`, says: viewChangeBytes(chain, content), signature }
    }
    default:
      return undefined
  }
}

/** Why the key is not convicted by it; undefined when it is. */
export function whyNotConvicted({ publicKey, messages }: EvidenceRecord, chain: string): string | undefined {
  const statements = messages.map((one) => statementOf(one, chain))
  const [a, b] = statements
  if (a === undefined || b === undefined) return 'it is not two statements of a kind that can be judged by themselves'
  if (a.place !== b.place) return 'the two statements are about different places'
  if (equalBytes(a.says, b.says)) return 'the two statements say the same'
  return [a, b].every(({ says, signature }) => verify(signature, says, publicKey)) ? undefined : 'a signature is not by this key, or for another chain'
}
