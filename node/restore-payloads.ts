// Payloads that were voted for before a restart and are not in the store yet: put back from the vote log, under the headers that its records name.
import { type BlockHeader, blockHash } from '../consensus/block.ts'
import type { LogRecord } from '../consensus/record.ts'
import type { Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { readyTransaction } from '../state/families.ts'
import { decodeTransaction } from '../state/transaction.ts'
import { type PayloadRecord, payloadOf, type Payloads } from './payloads.ts'

export function restorePayloads(payloads: Payloads, records: readonly LogRecord[], kept: readonly PayloadRecord[], stored: Height): void {
  const headers = new Map<string, BlockHeader>()
  for (const record of records) if ('header' in record && record.header.height > stored) headers.set(toBase64url(blockHash(record.header)), record.header)
  for (const { blockHash: hash, references, envelopes } of kept) {
    const header = headers.get(toBase64url(hash))
    if (header === undefined) continue
    payloads.put(payloadOf(header, references, envelopes.map((envelope) => readyTransaction(decodeTransaction(envelope)))), true)
  }
}
