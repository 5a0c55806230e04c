// SHA-256 in JavaScript, for browsers and React Native.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** Writes the digest to `target` from `at` on. */
export function sha256Into(bytes: Uint8Array, target: Uint8Array, at: number): void {
  target.set(nobleSha256(bytes), at)
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes)
}
