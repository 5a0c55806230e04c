// What a P-256 signature and key must look like before the equation is asked, the same for both implementations. The rule is stated in p256.ts.
import { compareBytes, fromHex } from './bytes.ts'
import { assert } from './errors.ts'

function constant(hex: string): Uint8Array {
  const bytes = fromHex(hex)
  assert(bytes?.length === 32, 'a constant of 32 bytes')
  return bytes
}

/** The order of the group (SEC 2, section 2.4.2). */
const order = constant('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
/** (order − 1) / 2. */
const halfOrder = constant('7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8')
/** The prime of the field. */
const prime = constant('ffffffff00000001000000000000000000000000ffffffffffffffffffffffff')

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** Lengths, ranges and the form of the point; whether x lies on the curve is left to the implementation. */
export function hasForm(signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 33) return false
  const r = signature.subarray(0, 32)
  const s = signature.subarray(32)
  if (isZero(r) || compareBytes(r, order) >= 0) return false
  if (isZero(s) || compareBytes(s, halfOrder) > 0) return false
  return (publicKey[0] === 2 || publicKey[0] === 3) && compareBytes(publicKey.subarray(1), prime) < 0
}
