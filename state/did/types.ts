// DIDs and what their holders may say about them (docs/protocol.md, DIDs). No field takes personal data: a DID is its keys.
import type { Did } from '../../primitives/brand.ts'
import { concatBytes, equalBytes, toBase64url } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { bytes, did, hash, height, type Infer, integer, list, oneOf, optional, record, refine, text, token } from '../../primitives/schema.ts'
import { ofNobody, personalDataIn, refusalOf } from '../public-text.ts'
import { algorithmOf } from '../transaction.ts'

/** Several phones, a card, a machine; enough for a department, small enough to read on every signature. */
export const didKeysMax = 8
export const didServicesMax = 8

/** Scheduled changes that one height takes: each costs a block about what an update does. */
export const scheduledAtHeightMax = 64
/** How far ahead a change may be scheduled; at a block a second, half a year. */
export const scheduledHeightsMax = 16_000_000

/** The verification relationships of DID Core section 5.3, in the order in which they are listed. */
export const relationshipNames = ['authentication', 'assertionMethod', 'keyAgreement', 'capabilityInvocation', 'capabilityDelegation'] as const
export const relationship = oneOf(...relationshipNames)
export type Relationship = Infer<typeof relationship>

/** Signs (Ed25519, P-256) or agrees on a secret (P-256, X25519: 0xec01 and 32 bytes). */
const documentKey = refine(bytes(34, 35), (key) => (isX25519(key) || algorithmOf(key) !== undefined ? undefined : 'a Multikey of Ed25519, P-256 or X25519'))

function isX25519(key: Uint8Array): boolean {
  return key.length === 34 && key[0] === 0xec && key[1] === 0x01
}

export const didKey = refine(
  record({
    key: documentKey,
    /** What the key may be used for: distinct, in the order of `relationshipNames`. */
    relationships: refine(list(relationship, 1, relationshipNames.length), (names) =>
      names.every((name, i) => i === 0 || relationshipNames.indexOf(name) > relationshipNames.indexOf(names[i - 1] as Relationship)) ? undefined : 'distinct relationships in their fixed order',
    ),
  }),
  ({ key, relationships }) => {
    if (isX25519(key)) return relationships.every((name) => name === 'keyAgreement') ? undefined : 'an X25519 key for keyAgreement alone'
    return algorithmOf(key) === 'ed25519' && relationships.includes('keyAgreement') ? 'a P-256 or X25519 key for keyAgreement' : undefined
  },
)
export type DidKey = Infer<typeof didKey>

/** An https URL without user information or query, in which nothing looks like a person's data: an address of a service, never of a person. */
export const httpsUrl = refine(text(10, 256), (url) => {
  if (!/^https:\/\/[a-z0-9.-]+(?::[0-9]{1,5})?(?:\/[\x21-\x3e\x41-\x7e]*)?$/.test(url)) return 'an https URL without user information or query'
  const read = percentDecoded(url)
  if (read === undefined) return 'an https URL whose percent-encoded bytes are UTF-8'
  const found = personalDataIn(read)
  return found === undefined ? undefined : `an https URL ${refusalOf(found)}`
})

function percentDecoded(url: string): string | undefined {
  try {
    return decodeURIComponent(url)
  } catch {
    return undefined
  }
}

export const didService = record({
  /** The fragment of the service's id. */
  id: ofNobody(token(/[a-z][a-z0-9-]*/, 32, 'a fragment of lower-case letters, digits and hyphens')),
  type: ofNobody(token(/[A-Z][A-Za-z0-9]*/, 64, 'a service type such as LinkedDomains')),
  endpoint: httpsUrl,
})
export type DidService = Infer<typeof didService>

/** The keys of an active DID: distinct, and one at least for authentication, so that nobody locks himself out. */
export const didKeys = refine(list(didKey, 1, didKeysMax), (keys) => {
  if (keys.some(({ key }, i) => keys.slice(0, i).some((other) => equalBytes(other.key, key)))) return 'distinct keys'
  return keys.some(({ relationships }) => relationships.includes('authentication')) ? undefined : 'at least one key for authentication'
})

export const didServices = refine(list(didService, 0, didServicesMax), (services) => (new Set(services.map(({ id }) => id)).size === services.length ? undefined : 'services with distinct ids'))

/** Numbered from 1; what DID Resolution calls versionId, as a decimal string. */
export const didVersion = integer(1, 0xffff_ffff)

export const registerPayload = record({
  keys: didKeys,
  services: didServices,
  /** recoveryHashOf(recovery key): the key itself stays secret and unused until it is needed. */
  recovery: optional(hash),
})
export type RegisterPayload = Infer<typeof registerPayload>

/** Replaces keys and services as a whole. */
export const updatePayload = record({
  /** The version that it replaces, so that two phones do not undo each other's changes. */
  baseVersion: didVersion,
  keys: didKeys,
  services: didServices,
  /** The height from whose beginning on it holds; left out: at once. The version that it replaces must still be the current one then. */
  fromHeight: optional(height),
  /** A first recovery key. One that is committed is replaced by did.recover only, so that a stolen phone cannot replace it. */
  recovery: optional(hash),
})
export type UpdatePayload = Infer<typeof updatePayload>

/** Signed by the recovery key, which is thereby used up. */
export const recoverPayload = record({
  keys: didKeys,
  services: didServices,
  /** The next recovery key. */
  recovery: optional(hash),
})
export type RecoverPayload = Infer<typeof recoverPayload>

export const deactivatePayload = record({})

/** By a registrar: what the DID shall be after the waiting period. */
export const requestRecoveryPayload = record({
  did,
  keys: didKeys,
  services: didServices,
  /** The next recovery key, instead of the lost one. */
  recovery: optional(hash),
})
export type RequestRecoveryPayload = Infer<typeof requestRecoveryPayload>

export const stopRecoveryPayload = record({ did })
export type StopRecoveryPayload = Infer<typeof stopRecoveryPayload>

/** The self-certifying DID of the authentication keys among the first keys, in their order. */
export function didOf(keys: readonly DidKey[]): Did {
  const first = keys.filter(({ relationships }) => relationships.includes('authentication')).flatMap(({ key }) => [Uint8Array.of(key.length), key])
  return `did:dongbaek:${toBase64url(taggedHash('did', concatBytes(...first)).subarray(0, 20))}` as Did
}

/** What is committed for a recovery key. */
export function recoveryHashOf(recoveryKey: Uint8Array): ReturnType<typeof taggedHash> {
  return taggedHash('did-recovery', recoveryKey)
}
