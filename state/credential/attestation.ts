// Attestations: what an issuer states off chain about the holder of a DID for one purpose, shown inside a transaction (points.apply, reservation.reserve).
// The pseudonym is the same for one person (or household) within one purpose and unlinkable between purposes, so that the chain can say
// "already had one" without knowing who.
import { concatBytes } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { domain } from '../../primitives/hash.ts'
import { bytes, did, type Infer, optional, record, slug, timeMs, token } from '../../primitives/schema.ts'
import { verifySigned } from '../../primitives/signature.ts'
import { isAssertionKey } from '../did/authority.ts'
import { type BlockInfo, type Refusal, refuse } from '../family.ts'
import { hasRole } from '../roles.ts'
import { chainIdSchema, multikey, signedItem } from '../transaction.ts'
import type { ReadView } from '../view.ts'
import { readStatus } from './status.ts'
import { statusEntry } from './types.ts'

/** `points:<program>` or `reservation:<course>`. */
export const attestationPurpose = token(/[a-z]+:[a-z0-9]+(?:-[a-z0-9]+)*/, 80, 'a purpose such as points:youth-pass')

const fields = {
  issuer: did,
  /** The issuer's key, an assertionMethod of its DID. */
  key: multikey,
  purpose: attestationPurpose,
  subject: did,
  /** What is attested, e.g. the tier. */
  claim: slug,
  pseudonym: bytes(32, 32),
  /** The last block time at which it counts. */
  expiresMs: timeMs,
  /** Where the issuer may still withdraw it, in a status list of its own. */
  status: optional(statusEntry),
} as const

export const unsignedAttestation = record(fields)
export type UnsignedAttestation = Infer<typeof unsignedAttestation>

export const attestation = record({ ...fields, signature: bytes(64, 64) })
export type Attestation = Infer<typeof attestation>

const signedPart = record({ chain: chainIdSchema, ...fields })

/** What the issuer signs: the fields and the chain, so that a statement of one chain says nothing on another. */
export function attestationSignedBytes(chain: string, statement: UnsignedAttestation): Uint8Array {
  return concatBytes(domain('attestation'), encode(signedPart, { chain, ...statement }))
}

export function signAttestation(chain: string, statement: UnsignedAttestation, sign: (message: Uint8Array) => Uint8Array): Attestation {
  return { ...statement, signature: sign(attestationSignedBytes(chain, statement)) }
}

/** The scope of the issuer role that a purpose needs: the programme or course it names. */
export function scopeOfPurpose(purpose: string): string {
  return purpose.slice(purpose.indexOf(':') + 1)
}

/** The refusal of an attestation that does not count for this purpose and subject in this block. The signature comes last since it costs most. */
export function checkAttestation(view: ReadView, block: BlockInfo, shown: Attestation, expected: { readonly purpose: string; readonly subject: string }): Refusal | undefined {
  const { issuer, key, purpose, subject, expiresMs, status } = shown
  if (purpose !== expected.purpose) return refuse('credential/attestation-purpose', { purpose, expected: expected.purpose })
  if (subject !== expected.subject) return refuse('credential/attestation-subject', { subject, expected: expected.subject })
  if (block.timeMs > expiresMs) return refuse('credential/attestation-expired', { expiresMs })
  if (!hasRole(view, issuer, 'issuer', scopeOfPurpose(purpose), block.timeMs)) return refuse('credential/attestation-issuer', { issuer, purpose })
  if (!isAssertionKey(view, issuer, key)) return refuse('credential/attestation-key', { issuer })
  if (status !== undefined && readStatus(view, issuer, status) !== false) return refuse('credential/attestation-withdrawn', { list: status.list, index: status.index })
  if (!verifySigned(signedItem(key, attestationSignedBytes(block.chain, shown), shown.signature))) return refuse('credential/attestation-signature', { issuer })
  return undefined
}
