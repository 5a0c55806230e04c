// SHA-256 in JavaScript, for browsers and React Native.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { utf8 } from './bytes.ts'

/** Writes the digest to `target` from `at` on. Text is hashed as UTF-8. */
export function sha256Into(bytes: Uint8Array | string, target: Uint8Array, at: number): void {
  target.set(sha256(bytes), at)
}

export function sha256(bytes: Uint8Array | string): Uint8Array {
  return nobleSha256(typeof bytes === 'string' ? utf8(bytes) : bytes)
}
