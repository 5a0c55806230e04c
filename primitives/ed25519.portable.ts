// Ed25519 by @noble/curves, following the rule stated in ed25519.ts: noble's own verify is cofactored, so the equation stands here.
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from './bytes.ts'

export interface KeyPair {
  readonly publicKey: Uint8Array
  readonly secret: Uint8Array
}

const Point = ed25519.Point
const L = Point.Fn.ORDER

export function keyPairFromSeed(seed: Uint8Array): KeyPair {
  const publicKey = ed25519.getPublicKey(seed)
  return { publicKey, secret: concatBytes(seed, publicKey) }
}

export function sign(message: Uint8Array, pair: KeyPair): Uint8Array {
  return ed25519.sign(message, pair.secret.subarray(0, 32))
}

export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const encodedR = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= L) return false
  try {
    const A = Point.fromBytes(publicKey, false)
    const R = Point.fromBytes(encodedR, false)
    if (A.isSmallOrder() || R.isSmallOrder()) return false
    const h = littleEndian(sha512(concatBytes(encodedR, publicKey, message))) % L
    return equalBytes(Point.BASE.multiplyUnsafe(s).subtract(A.multiplyUnsafe(h)).toBytes(), encodedR)
  } catch {
    // noble throws on bytes that are no point: such a signature is not valid
    return false
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}
