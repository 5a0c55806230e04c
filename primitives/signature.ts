// The two kinds of signatures on the chain. Validators sign by Ed25519 only; DIDs by either, as their Multikeys say.
import { publicKeyBytes as ed25519KeyBytes, signatureBytes, verify as verifyEd25519 } from './ed25519.ts'
import { unreachable } from './errors.ts'
import { publicKeyBytes as p256KeyBytes, verify as verifyP256 } from './p256.ts'

export const algorithms = ['ed25519', 'p256'] as const
export type Algorithm = (typeof algorithms)[number]

/** Raw, in bytes. Every signature has 64. */
export const publicKeyBytesOf: Readonly<Record<Algorithm, number>> = { ed25519: ed25519KeyBytes, p256: p256KeyBytes }
export { signatureBytes }

export interface SignedItem {
  readonly algorithm: Algorithm
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** By the rules of ed25519.ts and p256.ts. Never throws: wrong lengths are simply not valid. */
export function verifySigned({ algorithm, publicKey, message, signature }: SignedItem): boolean {
  switch (algorithm) {
    case 'ed25519':
      return verifyEd25519(signature, message, publicKey)
    case 'p256':
      return verifyP256(signature, message, publicKey)
    default:
      return unreachable(algorithm)
  }
}
