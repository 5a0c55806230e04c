// Payloads: what blocks order, by block hash, from the moment a block is proposed until it is stored. A payload is a list of envelope references,
// which the header binds, and the envelopes, which every validator must hold and have checked before it prepares a block, and have on disk before it commits to it.
import { type BlockHeader, blockHash } from '../consensus/block.ts'
import type { Hash, Height } from '../primitives/brand.ts'
import { concatBytes, equalBytes, toBase64url } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { hashBytes } from '../primitives/hash.ts'
import { blockBytesMax, blockTransactionsMax, transactionBytesMax } from '../primitives/limits.ts'
import { merkleRoot } from '../primitives/merkle.ts'
import { bytes, hash, type Infer, list, record } from '../primitives/schema.ts'
import type { ReadyTransaction } from '../state/families.ts'

export interface Payload {
  readonly header: BlockHeader
  readonly references: readonly Hash[]
  readonly transactions: readonly ReadyTransaction[]
  /** Ids as map keys, for a proposer that must leave out what open blocks order already. */
  readonly ids: ReadonlySet<string>
  readonly byReference: ReadonlyMap<string, ReadyTransaction>
  readonly bytes: number
}

/** What the vote log keeps of a payload, so that what was voted for survives a power cut. */
const payloadRecord = record({ blockHash: hash, references: list(hash, 1, blockTransactionsMax), envelopes: list(bytes(1, transactionBytesMax), 1, blockTransactionsMax) })
export type PayloadRecord = Infer<typeof payloadRecord>

const payloadRecordBytesMax = blockBytesMax + blockTransactionsMax * 48

export interface Payloads {
  /** `kept`: its entry is in the vote log, or is appended now. Once kept, it stays so. */
  readonly put: (payload: Payload, kept: boolean) => void
  readonly get: (block: Hash) => Payload | undefined
  readonly isKept: (block: Hash) => boolean
  readonly byReference: (reference: Hash) => ReadyTransaction | undefined
  /** Open payloads above `stored` that were kept, for the rewriting of the vote log. */
  readonly keptAbove: (stored: Height) => readonly Payload[]
  /** Forgets what stands at or below a stored height. */
  readonly release: (stored: Height) => void
  /** Forgets what `isNeeded` does not name. */
  readonly retain: (isNeeded: (header: BlockHeader, block: Hash) => boolean) => void
  /** Of the envelopes of all of them. */
  readonly bytes: () => number
  /** How many all of them order. */
  readonly transactions: () => number
  /** Whether an open block between `head` (exclusive) and `parent` (inclusive) orders this id. */
  readonly orderedBetween: (head: Hash, parent: Hash) => (id: string) => boolean
  /** Whether any open block orders this id. */
  readonly orders: (id: string) => boolean
}

export function createPayloads(): Payloads {
  const open = new Map<string, { readonly payload: Payload; readonly kept: boolean }>()
  /** By id, how many of them order it: a proposer asks for everything that waits. */
  const orderedBy = new Map<string, number>()
  const count = (ids: Iterable<string>, by: 1 | -1): void => {
    for (const id of ids) {
      const left = (orderedBy.get(id) ?? 0) + by
      if (left === 0) orderedBy.delete(id)
      else orderedBy.set(id, left)
    }
  }
  let bytes = 0
  let transactions = 0
  const drop = (key: string): void => {
    const payload = open.get(key)?.payload
    if (payload === undefined) return
    bytes -= payload.bytes
    transactions -= payload.transactions.length
    count(payload.ids, -1)
    open.delete(key)
  }
  return {
    put: (payload, kept) => {
      const key = toBase64url(blockHash(payload.header))
      const before = open.get(key)?.kept === true
      drop(key)
      open.set(key, { payload, kept: kept || before })
      bytes += payload.bytes
      transactions += payload.transactions.length
      count(payload.ids, 1)
    },
    get: (block) => open.get(toBase64url(block))?.payload,
    isKept: (block) => open.get(toBase64url(block))?.kept === true,
    byReference: (reference) => {
      const key = toBase64url(reference)
      for (const { payload } of open.values()) {
        const ready = payload.byReference.get(key)
        if (ready !== undefined) return ready
      }
      return undefined
    },
    keptAbove: (stored) => [...open.values()].flatMap(({ payload, kept }) => (kept && payload.header.height > stored ? [payload] : [])),
    release: (stored) => {
      for (const [key, { payload }] of open) if (payload.header.height <= stored) drop(key)
    },
    retain: (isNeeded) => {
      for (const [key, { payload }] of open) if (!isNeeded(payload.header, blockHash(payload.header))) drop(key)
    },
    bytes: () => bytes,
    transactions: () => transactions,
    orderedBetween: (head, parent) => {
      const sets: ReadonlySet<string>[] = []
      let at = parent
      while (!equalBytes(at, head)) {
        const payload = open.get(toBase64url(at))?.payload
        if (payload === undefined) break
        sets.push(payload.ids)
        at = payload.header.parent
      }
      return (id) => orderedBy.has(id) && sets.some((ids) => ids.has(id))
    },
    orders: (id) => orderedBy.has(id),
  }
}

export function payloadOf(header: BlockHeader, references: readonly Hash[], transactions: readonly ReadyTransaction[]): Payload {
  return {
    header,
    references,
    transactions,
    ids: new Set(transactions.map(({ transaction }) => toBase64url(transaction.id))),
    byReference: new Map(transactions.map((ready) => [toBase64url(ready.transaction.reference), ready])),
    bytes: transactions.reduce((sum, { transaction }) => sum + transaction.bytes.length, 0),
  }
}

/** The manifest of a block: its references, one after the other. */
export function manifestOf(references: readonly Hash[]): Uint8Array {
  return concatBytes(...references)
}

export function payloadRoot(references: readonly Hash[]): Hash {
  return merkleRoot(references)
}

/** The references in a manifest that the header binds; undefined when it binds another, or one is listed twice. */
export function referencesOf(header: BlockHeader, manifest: Uint8Array): readonly Hash[] | undefined {
  if (manifest.length !== header.payloadCount * hashBytes) return undefined
  const references: Hash[] = []
  for (let at = 0; at < manifest.length; at += hashBytes) references.push(manifest.slice(at, at + hashBytes) as Hash)
  return bindsReferences(header, references) ? references : undefined
}

export function bindsReferences(header: BlockHeader, references: readonly Hash[]): boolean {
  return references.length === header.payloadCount && new Set(references.map(toBase64url)).size === references.length && equalBytes(payloadRoot(references), header.payload)
}

export function encodePayloadRecord({ header, references, transactions }: Pick<Payload, 'header' | 'references' | 'transactions'>): Uint8Array {
  return encodeStoredPayload(header, references, transactions.map(({ transaction }) => transaction.bytes))
}

export function encodeStoredPayload(header: BlockHeader, references: readonly Hash[], envelopes: readonly Uint8Array[]): Uint8Array {
  return encode(payloadRecord, { blockHash: blockHash(header), references, envelopes })
}

/** Throws `codec/…`. */
export function decodePayloadRecord(encoded: Uint8Array): PayloadRecord {
  return decode(payloadRecord, encoded, payloadRecordBytesMax)
}
