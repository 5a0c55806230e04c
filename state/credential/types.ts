// Credentials stay with their holders. On the chain: who issues, by which schemas, salted hashes, and bits that say "withdrawn".
import { compareBytes, equalBytes } from '../../primitives/bytes.ts'
import { boolean, hash, type Infer, integer, list, oneOf, optional, record, refine, slug, token } from '../../primitives/schema.ts'
import { httpsUrl } from '../did/types.ts'
import { madeUpName, publicText } from '../public-text.ts'

/** The scope of an issuer's role: a programme or course, or `*` for all. */
export const issuerScope = token(/\*|[a-z0-9]+(?:-[a-z0-9]+)*/, 64, 'a programme or course, or *')

export const registerIssuerPayload = record({
  /** The scope for which the sender holds the role. */
  scope: issuerScope,
  /** Of the institution, as people know it. */
  name: publicText(1, 100),
  website: optional(httpsUrl),
})
export type RegisterIssuerPayload = Infer<typeof registerIssuerPayload>

export const schemaVersion = integer(1, 10_000)

export const registerSchemaPayload = record({
  schema: madeUpName(slug),
  version: schemaVersion,
  /** SHA-256 of the JSON Schema document, as served at `url`. */
  hash,
  url: httpsUrl,
})
export type RegisterSchemaPayload = Infer<typeof registerSchemaPayload>

/** At 35 bytes each they fit a transaction with room to spare. */
export const anchorsMax = 500

export const anchorPayload = record({
  /** Hashes of credentials, each salted by the issuer with 16 random bytes at least, so that nobody can guess the content. */
  hashes: refine(list(hash, 1, anchorsMax), (hashes) => (distinct(hashes) ? undefined : 'distinct hashes')),
})
export type AnchorPayload = Infer<typeof anchorPayload>

/** 2,048 chunks; more than the credentials that a list of 10 million needs. */
export const statusIndexMax = 2 ** 24 - 1
export const statusChunkBytes = 1_024
export const statusChunkBits = statusChunkBytes * 8
/** How the W3C form shows a list: in parts of the least length that hides a single credential among others (Bitstring Status List 1.0, section 6.1). */
export const statusSegmentBits = 131_072
export const statusSegmentBytes = statusSegmentBits / 8
export const statusIndexesMax = 1_000
/** Chunks that one transaction may touch: each is a kilobyte to hash and store. */
export const statusChunksTouchedMax = 64

/** A place in a Bitstring Status List. */
export const statusEntry = record({ list: slug, index: integer(0, statusIndexMax) })
export type StatusEntry = Infer<typeof statusEntry>

/** Revocation is for good; a suspension may be lifted (Bitstring Status List 1.0, section 2.1). */
export const statusPurpose = oneOf('revocation', 'suspension')
export type StatusPurpose = Infer<typeof statusPurpose>

export const setStatusPayload = record({
  /** The name of the list, made by its first use and its issuer's from then on. */
  list: madeUpName(slug),
  purpose: statusPurpose,
  /** None at all makes the list, so that its bits can be read before the first withdrawal. */
  indexes: refine(list(integer(0, statusIndexMax), 0, statusIndexesMax), (indexes) => {
    if (indexes.some((index, i) => i > 0 && index <= (indexes[i - 1] as number))) return 'ascending, distinct indexes'
    return new Set(indexes.map((index) => Math.floor(index / statusChunkBits))).size <= statusChunksTouchedMax ? undefined : `indexes within ${statusChunksTouchedMax} chunks of ${statusChunkBits}`
  }),
  /** True: revoked or suspended. */
  status: boolean,
})
export type SetStatusPayload = Infer<typeof setStatusPayload>

function distinct(hashes: readonly Uint8Array[]): boolean {
  const sorted = [...hashes].sort(compareBytes)
  return sorted.every((hash, i) => i === 0 || !equalBytes(hash, sorted[i - 1] as Uint8Array))
}
