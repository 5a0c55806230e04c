// ECDSA over P-256 with SHA-256 (FIPS 186-5; SEC 1, section 4.1.4), since phones keep their keys in hardware that knows this curve only. One rule, byte for byte
// the same on every node:
//   the signature is r ‖ s, 32 bytes each, big-endian; 1 ≤ r < n and 1 ≤ s ≤ (n − 1)/2 (low s, so that nobody can make a second signature out of one);
//   the public key is the compressed point, 0x02 or 0x03 ‖ x with x < p, on the curve;
//   and with e = SHA-256(M) as a number and w = 1/s mod n the point [e·w]G + [r·w]Q is not infinity and its x mod n is r.
// The implementation is chosen by package.json "imports": OpenSSL's on Node, @noble/curves elsewhere. Signing is for wallets in software and for tests.
import { p256 } from '@noble/curves/nist.js'

export { verify } from '#p256'

export const publicKeyBytes = 33

export interface P256KeyPair {
  /** The compressed point. */
  readonly publicKey: Uint8Array
  readonly secret: Uint8Array
}

/** Throws on another length than 32 bytes, and on 0 or a number from n on (once in 2^32). */
export function keyPairFromSecret(secret: Uint8Array): P256KeyPair {
  return { publicKey: p256.getPublicKey(secret, true), secret }
}

/** RFC 6979: deterministic, 64 bytes, low s. */
export function sign(message: Uint8Array, { secret }: P256KeyPair): Uint8Array {
  return p256.sign(message, secret, { lowS: true, prehash: true })
}
