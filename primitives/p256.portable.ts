// P-256 by @noble/curves. The rule it follows is stated in p256.ts.
import { p256 } from '@noble/curves/nist.js'
import { hasForm } from './p256-form.ts'

/** Never throws: what has not the form is simply not valid. */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (!hasForm(signature, publicKey)) return false
  try {
    return p256.verify(signature, message, publicKey, { lowS: true, prehash: true })
  } catch {
    // noble throws on an x that is not on the curve
    return false
  }
}
