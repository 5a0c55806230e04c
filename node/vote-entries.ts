// Entries of the vote log: what the replica is bound to, the payloads that it voted for, and that it may vote at all, told apart by their first byte.
import { decodeRecord, encodeRecord, type LogRecord } from '../consensus/record.ts'
import { type ForgottenVotes, forgottenVotes } from '../consensus/votes.ts'
import { concatBytes } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { BlockRow } from './chain-store.ts'
import { decodePayloadRecord, encodePayloadRecord, encodeStoredPayload, type Payload, type PayloadRecord } from './payloads.ts'

const recordTag = Uint8Array.of(1)
const payloadTag = Uint8Array.of(2)

const votingTag = Uint8Array.of(3)
const forgottenBytesMax = 256

/**
 * This log is whole from here on: what was signed before it, if anything, is final, or within `forgotten` and never voted on again (recovery.ts). A log without
 * it does not say what its validator is bound to.
 */
export function votingEntry(forgotten: ForgottenVotes | undefined): Uint8Array {
  return forgotten === undefined ? votingTag : concatBytes(votingTag, encode(forgottenVotes, forgotten))
}

export function recordEntry(record: LogRecord): Uint8Array {
  return concatBytes(recordTag, encodeRecord(record))
}

export function payloadEntry(payload: Payload): Uint8Array {
  return concatBytes(payloadTag, encodePayloadRecord(payload))
}

/** The same of a block that is in the store already. */
export function storedPayloadEntry({ header, references }: BlockRow, envelopes: readonly Uint8Array[]): Uint8Array {
  return concatBytes(payloadTag, encodeStoredPayload(header, references, envelopes))
}

export interface VoteEntries {
  readonly records: readonly LogRecord[]
  readonly payloads: readonly PayloadRecord[]
  readonly mayVote: boolean
  /** Of the last entry that says so. */
  readonly forgotten: ForgottenVotes | undefined
}

export const noEntries: VoteEntries = { records: [], payloads: [], mayVote: false, forgotten: undefined }

/** It may vote, and has not begun to. */
export function isUnused({ records, payloads, mayVote, forgotten }: VoteEntries): boolean {
  return mayVote && forgotten === undefined && records.length + payloads.length === 0
}

/** Sorts what was read back, each kind in order. Throws `votelog/foreign` on an entry that this version cannot read: its bytes are whole, as their checksum says. */
export function readEntries(entries: readonly Uint8Array[]): VoteEntries {
  const records: LogRecord[] = []
  const payloads: PayloadRecord[] = []
  let mayVote = false
  let forgotten: ForgottenVotes | undefined
  for (const entry of entries) {
    const content = entry.subarray(1)
    try {
      if (entry[0] === recordTag[0]) records.push(decodeRecord(content))
      else if (entry[0] === payloadTag[0]) payloads.push(decodePayloadRecord(content))
      else if (entry[0] === votingTag[0]) {
        mayVote = true
        forgotten = content.length === 0 ? undefined : decode(forgottenVotes, content, forgottenBytesMax)
      } else throw foreign(`tag ${entry[0] ?? 'none'}`)
    } catch (cause) {
      if (!(cause instanceof DongbaekError) || cause.code === 'votelog/foreign') throw cause
      throw foreign(cause.message, cause)
    }
  }
  return { records, payloads, mayVote, forgotten }
}

function foreign(what: string, cause?: unknown): DongbaekError {
  return new DongbaekError(
    'votelog/foreign',
    `the vote log holds an entry that this version cannot read (${what}): it was written by another version. Start that version; or move the data folder away, and this validator catches up from the others before it votes`,
    {},
    cause === undefined ? {} : { cause },
  )
}
