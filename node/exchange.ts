// What nodes ask each other: envelopes by reference, the payload of one block, and final blocks in a row.
// Every answer is checked by the asker, so an answer need only be bounded and well-formed here.
import { blockHeight } from '../consensus/block.ts'
import { checkpointCertificate, decision } from '../consensus/certificate.ts'
import { validatorSet } from '../consensus/validators.ts'
import { decode, encode } from '../primitives/codec.ts'
import { blockBytesMax, blockTransactionsMax, transactionBytesMax } from '../primitives/limits.ts'
import { bytes, hash, height, type Infer, integer, list, optional, record, union, view } from '../primitives/schema.ts'
import { answerBytesMax, bodyBytesMax, questionBytesMax } from './limits.ts'

/** So many bodies are within an answer. */
export const answerBodiesMax = 64

/** Protocol `fetch`. */
const fetchQuestion = union({
  /** The envelopes that a manifest names. */
  envelopes: record({ references: list(hash, 1, blockTransactionsMax) }),
  /** The manifest and the envelopes of a block. */
  block: record({ blockHash: hash }),
  /** The highest checkpoint certificate at or below a height: what names the next validator set (set-certificates.ts). */
  checkpoint: record({ at: height }),
  /** Validator sets from this number on (the genesis' is 0), each with a certificate that names it (set-learning.ts). */
  sets: record({ from: integer(1) }),
  /** Bodies of posts, by hash. */
  bodies: record({ hashes: list(hash, 1, answerBodiesMax) }),
})
export type FetchQuestion = Infer<typeof fetchQuestion>

/** Answers a checkpoint question. */
const checkpointAnswer = record({ certificate: optional(checkpointCertificate) })
export type CheckpointAnswer = Infer<typeof checkpointAnswer>

export const setChangesMax = 32
const setChange = record({ activation: blockHeight, set: validatorSet, certificate: checkpointCertificate })
export type SetChange = Infer<typeof setChange>
/** Answers a question for sets; empty when there is none, or no certificate of it here. */
const setsAnswer = record({ changes: list(setChange, 0, setChangesMax) })

/** `references` answers a block question; envelopes come in the order asked, leaving out what the answerer lacks or has no room for. */
const fetchAnswer = record({ references: list(hash, 0, blockTransactionsMax), envelopes: list(bytes(1, transactionBytesMax), 0, blockTransactionsMax) })
export type FetchAnswer = Infer<typeof fetchAnswer>

/** Answers a question for bodies, leaving out those that the answerer lacks. */
const bodiesAnswer = record({ bodies: list(bytes(1, bodyBytesMax), 0, answerBodiesMax) })

export const syncBlocksMax = 256
/** Protocol `sync`: final blocks from a height on, as many as fit. */
const syncQuestion = record({ from: height, count: integer(1, syncBlocksMax) })
export type SyncQuestion = Infer<typeof syncQuestion>

export const syncBlock = record({ decision, references: list(hash, 1, blockTransactionsMax), envelopes: list(bytes(1, transactionBytesMax), 1, blockTransactionsMax) })
export type SyncBlock = Infer<typeof syncBlock>

const syncAnswer = record({
  blocks: list(syncBlock, 0, syncBlocksMax),
  /** The answerer's own head, so that the asker knows how far it is behind. */
  head: height,
  /** The highest height at which it has had a block prepared. */
  top: height,
  /** The epoch that it is in, and the highest view that it has asked for or been in there, over all its lives. */
  epoch: blockHeight,
  view,
  checkpoint: optional(checkpointCertificate),
})
export type SyncAnswer = Infer<typeof syncAnswer>

/** Room that an answerer fills with blocks or envelopes; the rest is for certificates and framing. */
export const answerContentBytesMax = blockBytesMax + 1_048_576

export const encodeFetchQuestion = (question: FetchQuestion): Uint8Array => encode(fetchQuestion, question)
export const decodeFetchQuestion = (encoded: Uint8Array): FetchQuestion => decode(fetchQuestion, encoded, questionBytesMax)
export const encodeCheckpointAnswer = (answer: CheckpointAnswer): Uint8Array => encode(checkpointAnswer, answer)
export const decodeCheckpointAnswer = (encoded: Uint8Array): CheckpointAnswer => decode(checkpointAnswer, encoded, answerBytesMax)
export const encodeSetsAnswer = (changes: readonly SetChange[]): Uint8Array => encode(setsAnswer, { changes })
export const decodeSetsAnswer = (encoded: Uint8Array): Infer<typeof setsAnswer> => decode(setsAnswer, encoded, answerBytesMax)
export const encodeFetchAnswer = (answer: FetchAnswer): Uint8Array => encode(fetchAnswer, answer)
export const decodeFetchAnswer = (encoded: Uint8Array): FetchAnswer => decode(fetchAnswer, encoded, answerBytesMax)
export const encodeBodiesAnswer = (bodies: readonly Uint8Array[]): Uint8Array => encode(bodiesAnswer, { bodies })
export const decodeBodiesAnswer = (encoded: Uint8Array): Infer<typeof bodiesAnswer> => decode(bodiesAnswer, encoded, answerBytesMax)
export const encodeSyncQuestion = (question: SyncQuestion): Uint8Array => encode(syncQuestion, question)
export const decodeSyncQuestion = (encoded: Uint8Array): SyncQuestion => decode(syncQuestion, encoded, questionBytesMax)
export const encodeSyncAnswer = (answer: SyncAnswer): Uint8Array => encode(syncAnswer, answer)
export const decodeSyncAnswer = (encoded: Uint8Array): SyncAnswer => decode(syncAnswer, encoded, answerBytesMax)

