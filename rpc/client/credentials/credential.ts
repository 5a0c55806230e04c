// Verifiable Credentials (W3C Data Model 2.0), signed by an issuer's DID and kept by the holder: nothing of them is on the chain but a salted hash, if the issuer
// anchors it, and a bit that says "withdrawn".
import type { Did } from '../../../primitives/brand.ts'
import { DongbaekError } from '../../../primitives/errors.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import type { DidResolver } from '../did-resolver.ts'
import type { Signer } from '../wallet.ts'
import { checkForm, credentialsContext, credentialStatements } from './form.ts'
import { addProof, isObject, keyFromMultibase, type KeyLookup, type ProofPurpose, verifyProof } from './proof.ts'
import { readStatusEntries, type StatusEntry, statusEntryJson } from './status.ts'
import { datetimeOf, msOf } from './time.ts'

/** Gives every term of ours a meaning of its own, so that a JSON-LD processor does not drop it. */
export const undefinedTermsContext = 'https://www.w3.org/ns/credentials/undefined-terms/v2'

export interface CredentialRequest {
  /** Beside VerifiableCredential. */
  readonly type: string
  /** The DID of whom it speaks. */
  readonly subject: Did
  readonly claims: JsonObject
  readonly validFromMs: number
  /** The last moment at which it counts. */
  readonly validUntilMs: number
  /** Where the issuer may withdraw it: one place for revocation, one for suspension, as it likes. */
  readonly status?: readonly StatusEntry[]
  /** The JSON Schema that the issuer has registered. */
  readonly schemaUrl?: string
  readonly id?: string
}

/** A signed credential. `issuer` signs by a key that its DID lists as assertionMethod. */
export async function issueCredential(request: CredentialRequest, issuer: Signer): Promise<JsonObject> {
  const { type, subject, claims, validFromMs, validUntilMs, status = [], schemaUrl, id } = request
  const unsigned: JsonObject = {
    '@context': [credentialsContext, undefinedTermsContext],
    ...(id === undefined ? {} : { id }),
    type: ['VerifiableCredential', type],
    issuer: issuer.did,
    validFrom: datetimeOf(validFromMs),
    validUntil: datetimeOf(validUntilMs),
    credentialSubject: { ...claims, id: subject },
    ...(status.length === 0 ? {} : { credentialStatus: status.map(statusEntryJson) }),
    ...(schemaUrl === undefined ? {} : { credentialSchema: { id: schemaUrl, type: 'JsonSchema' } }),
  }
  return addProof(unsigned, issuer, { purpose: 'assertionMethod', createdMs: validFromMs })
}

export interface Verification {
  /** Whose keys count: getResolver(client).dongbaek, or one that checks proofs. */
  readonly resolver: DidResolver
  readonly nowMs: number
  /** Whether the bit is set. It must make sure that the list is the issuer's (statusFromNode, provenStatus, statusFromList). */
  readonly status: (entry: StatusEntry, issuer: string) => Promise<boolean>
}

export interface VerifiedCredential {
  readonly issuer: string
  readonly subject: string | undefined
  readonly types: readonly string[]
  /** The credentialSubject, `id` included. */
  readonly claims: JsonObject
}

/**
 * Checks form, proof, issuer, times and status. Whether the issuer may issue such a credential is for the caller to say.
 * Throws DongbaekError: `vc/malformed`, `vc/json`, `vc/proof`, `vc/issuer`, `vc/not-yet-valid`, `vc/expired`, `vc/revoked`, `vc/suspended`, `vc/status-unknown`.
 */
export async function verifyCredential(credential: JsonObject, { resolver, nowMs, status }: Verification): Promise<VerifiedCredential> {
  checkForm(credential, credentialStatements)
  const issuer = partyOf(credential['issuer'])
  const subject = credential['credentialSubject'] as JsonObject
  const { verificationMethod } = await verifyProof(credential, keysOf(resolver), { purpose: 'assertionMethod', nowMs })
  if (controllerOf(verificationMethod) !== issuer) throw new DongbaekError('vc/issuer', 'the proof is by another than the issuer')
  const [fromMs, untilMs] = [msOf(credential['validFrom']), msOf(credential['validUntil'])]
  if (fromMs !== undefined && nowMs < fromMs) throw new DongbaekError('vc/not-yet-valid', 'the credential does not count yet', { validFromMs: fromMs })
  if (untilMs !== undefined && nowMs > untilMs) throw new DongbaekError('vc/expired', 'the credential counts no more', { validUntilMs: untilMs })
  for (const entry of readStatusEntries(credential['credentialStatus'])) {
    if (await status(entry, issuer)) throw new DongbaekError(entry.purpose === 'revocation' ? 'vc/revoked' : 'vc/suspended', `the issuer has withdrawn the credential (${entry.purpose})`)
  }
  return { issuer, types: typesOf(credential), subject: subject['id'] as string | undefined, claims: subject }
}

/** Finds keys in resolved documents: the key must be listed there, now, for the purpose. */
export function keysOf(resolver: DidResolver): KeyLookup {
  return async (verificationMethod: string, purpose: ProofPurpose) => {
    const did = controllerOf(verificationMethod)
    const { didDocument } = await resolver(did, { did }, undefined, {})
    if (didDocument === null || didDocument.id !== did) return undefined
    const listed = didDocument[purpose]
    if (!Array.isArray(listed) || !(listed as readonly Json[]).includes(verificationMethod)) return undefined
    const methods = didDocument['verificationMethod']
    const method = Array.isArray(methods) ? (methods as readonly Json[]).filter(isObject).find(({ id }) => id === verificationMethod) : undefined
    return method?.['controller'] === did && typeof method['publicKeyMultibase'] === 'string' ? keyFromMultibase(method['publicKeyMultibase']) : undefined
  }
}

export function controllerOf(verificationMethod: string): string {
  return verificationMethod.split('#', 1)[0] as string
}

export function typesOf(document: JsonObject): readonly string[] {
  const { type } = document
  const types = Array.isArray(type) ? (type as readonly Json[]) : [type]
  return types.filter((one) => typeof one === 'string')
}

/** The id of an issuer or holder, which may stand in a map with more about it. */
export function partyOf(value: Json | undefined): string {
  return (isObject(value) ? value['id'] : value) as string
}
