// Showing credentials: the holder signs them together with the verifier's challenge, so that what was shown once is of no use to anybody else.
import { DongbaekError } from '../../../primitives/errors.ts'
import type { Json, JsonObject } from '../../../primitives/schema.ts'
import type { Signer } from '../wallet.ts'
import { controllerOf, keysOf, partyOf, type Verification, type VerifiedCredential, verifyCredential } from './credential.ts'
import { checkForm, credentialsContext, presentationStatements } from './form.ts'
import { addProof, isObject, verifyProof } from './proof.ts'

/** Of one presentation. */
const credentialsMax = 16

export interface PresentationRequest {
  /** Random, by the verifier, used once. */
  readonly challenge: string
  /** Who asks, such as `https://hall.busan.example`. */
  readonly domain: string
}

/** Signed by a key that the holder's DID lists for authentication; a phone's P-256 key will do. */
export async function present(credentials: readonly JsonObject[], holder: Signer, { challenge, domain }: PresentationRequest, nowMs: number): Promise<JsonObject> {
  const unsigned: JsonObject = { '@context': [credentialsContext], type: ['VerifiablePresentation'], holder: holder.did, verifiableCredential: credentials }
  return addProof(unsigned, holder, { purpose: 'authentication', createdMs: nowMs, challenge, domain })
}

/**
 * Checks that the holder signed for this challenge and domain, and that each credential holds and speaks of the holder.
 * Throws DongbaekError: `vc/malformed`, `vc/proof`, `vc/holder`, and whatever verifyCredential throws.
 */
export async function verifyPresentation(presentation: JsonObject, request: PresentationRequest, verification: Verification): Promise<{ readonly holder: string; readonly credentials: readonly VerifiedCredential[] }> {
  checkForm(presentation, presentationStatements)
  const holder = partyOf(presentation['holder'])
  const { verifiableCredential } = presentation
  const listed = Array.isArray(verifiableCredential) ? (verifiableCredential as readonly Json[]) : verifiableCredential === undefined ? [] : [verifiableCredential]
  if (listed.length === 0 || listed.length > credentialsMax || !listed.every(isObject)) throw new DongbaekError('vc/malformed', `a presentation has 1 to ${credentialsMax} credentials`)
  const { verificationMethod } = await verifyProof(presentation, keysOf(verification.resolver), { purpose: 'authentication', nowMs: verification.nowMs, ...request })
  if (controllerOf(verificationMethod) !== holder) throw new DongbaekError('vc/holder', 'the proof is by another than the holder')
  const credentials: VerifiedCredential[] = []
  for (const credential of listed) {
    const verified = await verifyCredential(credential, verification)
    if (verified.subject !== holder) throw new DongbaekError('vc/holder', 'a credential speaks of another than the holder')
    credentials.push(verified)
  }
  return { holder, credentials }
}
