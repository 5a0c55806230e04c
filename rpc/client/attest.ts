// What an issuer hands to a citizen off chain: the small statement that points.apply and reservation.reserve carry.
import { type Attestation, attestationSignedBytes, type UnsignedAttestation } from '../../state/credential/attestation.ts'
import type { Signer } from './wallet.ts'

/** A statement for one purpose (`points:<program>`, `reservation:<course or facility>`), signed by a key that the issuer's DID lists as assertionMethod. The pseudonym is 32 bytes by a keyed function of the issuer. */
export async function attest(chain: string, issuer: Signer, statement: Omit<UnsignedAttestation, 'issuer' | 'key'>): Promise<Attestation> {
  const unsigned: UnsignedAttestation = { issuer: issuer.did, key: issuer.key, ...statement }
  return { ...unsigned, signature: await issuer.sign(attestationSignedBytes(chain, unsigned)) }
}
