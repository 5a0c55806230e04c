// Data Integrity proofs over JCS (W3C Data Integrity EdDSA and ECDSA Cryptosuites 1.0, sections 3.3): eddsa-jcs-2022 for Ed25519 keys, ecdsa-jcs-2019 for the
// P-256 keys of phones. Both sign SHA-256 of the canonical proof options ‖ SHA-256 of the canonical document.
import { concatBytes, utf8 } from '../../../primitives/bytes.ts'
import { DongbaekError } from '../../../primitives/errors.ts'
import { sha256 } from '../../../primitives/hash.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import { type Algorithm, signatureBytes, verifySigned } from '../../../primitives/signature.ts'
import { fromMultibase, toMultibase } from '../../../state/did/base58.ts'
import { algorithmOf, signedItem } from '../../../state/transaction.ts'
import { p256Signature } from '../hardware.ts'
import type { Signer } from '../wallet.ts'
import { canonicalize } from './jcs.ts'
import { datetimeOf, msOf } from './time.ts'

export type ProofPurpose = 'assertionMethod' | 'authentication'

export interface ProofOptions {
  readonly purpose: ProofPurpose
  readonly createdMs: number
  readonly challenge?: string
  readonly domain?: string
}

const suites: Readonly<Record<Algorithm, string>> = { ed25519: 'eddsa-jcs-2022', p256: 'ecdsa-jcs-2019' }
/** 64 bytes in base58btc take 88 characters at most, a Multikey 49. */
const multibaseMax = 100

/** The document with a proof by one of the signer's keys. Throws `vc/json`, and `vc/malformed` when it has a proof already. */
export async function addProof(document: JsonObject, signer: Signer, { purpose, createdMs, challenge, domain }: ProofOptions): Promise<JsonObject> {
  if (document['proof'] !== undefined) throw new DongbaekError('vc/malformed', 'the document has a proof already')
  const algorithm = algorithmOf(signer.key)
  if (algorithm === undefined) throw new DongbaekError('vc/malformed', 'the signer’s key is no Multikey that signs')
  const options: JsonObject = {
    type: 'DataIntegrityProof',
    cryptosuite: suites[algorithm],
    created: datetimeOf(createdMs),
    verificationMethod: methodId(signer.did, signer.key),
    proofPurpose: purpose,
    ...(challenge === undefined ? {} : { challenge }),
    ...(domain === undefined ? {} : { domain }),
    ...(document['@context'] === undefined ? {} : { '@context': document['@context'] }),
  }
  const signature = await signer.sign(hashData(document, options))
  return { ...document, proof: { ...options, proofValue: toMultibase(signature) } }
}

/** How documents of did:dongbaek name their keys. */
export function methodId(did: string, key: Uint8Array): string {
  return `${did}#${toMultibase(key)}`
}

export interface VerifiedProof {
  readonly document: JsonObject
  readonly verificationMethod: string
  readonly createdMs: number | undefined
}

/** The Multikey of a verification method, if its controller lists it for the purpose now. */
export type KeyLookup = (verificationMethod: string, purpose: ProofPurpose) => Promise<Uint8Array | undefined>

export interface ExpectedProof {
  readonly purpose: ProofPurpose
  readonly nowMs: number
  /** Must be the proof's, exactly. */
  readonly challenge?: string
  readonly domain?: string
}

/** Throws `vc/proof` with the reason, or `vc/json`. The document is returned without its proof. */
export async function verifyProof(secured: JsonObject, keyOf: KeyLookup, { purpose, nowMs, challenge, domain }: ExpectedProof): Promise<VerifiedProof> {
  const { proof, ...document } = secured
  if (!isObject(proof)) throw proofError('there is not exactly one proof')
  const { proofValue, ...options } = proof
  const { type, cryptosuite, proofPurpose, verificationMethod, created, expires } = options
  if (type !== 'DataIntegrityProof' || !Object.values(suites).includes(cryptosuite as string)) throw proofError('the proof is of no cryptosuite that is known here')
  if (proofPurpose !== purpose) throw proofError(`the proof was not made for ${purpose}`)
  if (options['challenge'] !== challenge || options['domain'] !== domain) throw proofError('the challenge or the domain is another')
  const createdMs = created === undefined ? undefined : msOf(created)
  const expiresMs = expires === undefined ? undefined : msOf(expires)
  if ((created !== undefined && createdMs === undefined) || (expires !== undefined && expiresMs === undefined)) throw proofError('a time of the proof is no datetime')
  if (expiresMs !== undefined && nowMs > expiresMs) throw proofError('the proof has expired')
  if (!beginsWith(secured['@context'], options['@context'])) throw proofError('the proof was made in another context')
  if (typeof verificationMethod !== 'string' || typeof proofValue !== 'string') throw proofError('the proof lacks its method or value')
  const signature = fromMultibase(proofValue, multibaseMax)
  const key = await keyOf(verificationMethod, purpose)
  if (key === undefined) throw proofError('the verification method is not one of its controller for this purpose')
  if (suites[algorithmOf(key) ?? 'ed25519'] !== cryptosuite) throw proofError('the key is of another algorithm')
  // the context that was signed is the proof's
  const signed = options['@context'] === undefined ? document : { ...document, '@context': options['@context'] as Json }
  if (signature === undefined || !verifySigned(signedItem(key, hashData(signed, options), eitherForm(signature, key)))) throw proofError('the signature does not verify: the document was changed')
  return { document, verificationMethod, createdMs }
}

/** The chain takes one of the two forms of an ECDSA signature; the suite takes both, and other signers make both. */
function eitherForm(signature: Uint8Array, key: Uint8Array): Uint8Array {
  if (algorithmOf(key) !== 'p256' || signature.length !== signatureBytes) return signature
  try {
    return p256Signature(signature)
  } catch {
    // r or s out of range: no signature in any form
    return signature
  }
}

/** What is signed: 64 bytes. */
export function hashData(document: JsonObject, options: JsonObject): Uint8Array {
  return concatBytes(sha256(utf8(canonicalize(options))), sha256(utf8(canonicalize(document))))
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The key that a multibase text names; undefined when it is no key that signs. */
export function keyFromMultibase(text: string): Uint8Array | undefined {
  const key = fromMultibase(text, multibaseMax)
  return key !== undefined && algorithmOf(key) !== undefined ? key : undefined
}

function beginsWith(context: Json | undefined, signed: Json | undefined): boolean {
  if (signed === undefined) return true
  const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : value === undefined ? [] : [value])
  const [all, first] = [listOf(context), listOf(signed)]
  return first.every((one, i) => all[i] !== undefined && canonicalize(all[i]) === canonicalize(one))
}

function proofError(why: string): DongbaekError {
  return new DongbaekError('vc/proof', why)
}
