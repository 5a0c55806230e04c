// Ed25519 by libsodium. The rule it follows is stated in ed25519.ts.
import sodium from 'sodium-native'

/** `secret` is libsodium's 64-byte form, seed ‖ public key; hand it to sign only. */
export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secret: Uint8Array
}

/** Deterministic: the same 32-byte seed gives the same pair. Throws on another length. */
export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const publicKey = new Uint8Array(sodium.crypto_sign_PUBLICKEYBYTES)
  const secret = new Uint8Array(sodium.crypto_sign_SECRETKEYBYTES)
  sodium.crypto_sign_seed_keypair(publicKey, secret, seed)
  return { publicKey, secret }
}

/** RFC 8032 section 5.1.6: deterministic, 64 bytes. */
export function sign(message: Uint8Array, pair: KeyPair): Uint8Array {
  const signature = new Uint8Array(sodium.crypto_sign_BYTES)
  sodium.crypto_sign_detached(signature, message, pair.secret)
  return signature
}

/** Never throws: wrong lengths are simply not valid. */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
