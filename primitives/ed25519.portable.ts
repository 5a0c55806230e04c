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
    if (A.isSmallOrder()) return false
    const h = littleEndian(sha512(concatBytes(encodedR, publicKey, message))) % L
    const R = difference(s, h, A)
    // what is encoded is canonical: R need not be decoded to know that its bytes are
    return !R.isSmallOrder() && equalBytes(R.toBytes(), encodedR)
  } catch {
    // noble throws on bytes that are no point: such a signature is not valid
    return false
  }
}

type EdwardsPoint = typeof Point.BASE

/** Odd multiples below 2^(width − 1), with their negatives, make every scalar of few additions. */
const width = 5
const scalarBits = 254
let oddsOfBase: readonly EdwardsPoint[] | undefined

/**
 * [s]B − [h]A with the doublings of both done once (Straus): nothing here is secret, so time may tell. noble would make a table of thousands of points first, which
 * on a phone costs more than the handful of signatures that a proof has.
 */
function difference(s: bigint, h: bigint, A: EdwardsPoint): EdwardsPoint {
  oddsOfBase ??= oddMultiples(Point.BASE)
  const oddsOfKey = oddMultiples(A.negate())
  const [ofBase, ofKey] = [digitsOf(s), digitsOf(h)]
  let sum = Point.ZERO
  for (let i = scalarBits; i >= 0; i--) {
    sum = sum.double()
    sum = addDigit(sum, oddsOfBase, ofBase[i] as number)
    sum = addDigit(sum, oddsOfKey, ofKey[i] as number)
  }
  return sum
}

function addDigit(sum: EdwardsPoint, odds: readonly EdwardsPoint[], digit: number): EdwardsPoint {
  if (digit === 0) return sum
  const multiple = odds[(Math.abs(digit) - 1) >> 1] as EdwardsPoint
  return sum.add(digit > 0 ? multiple : multiple.negate())
}

function oddMultiples(point: EdwardsPoint): readonly EdwardsPoint[] {
  const twice = point.double()
  const odds = [point]
  while (odds.length < 2 ** (width - 2)) odds.push((odds.at(-1) as EdwardsPoint).add(twice))
  return odds
}

/** Digits of a scalar below 2^253 by place: 0, or odd, with width − 1 zeros at least after each that is not. */
function digitsOf(scalar: bigint): Int8Array {
  const digits = new Int8Array(scalarBits + 1)
  let left = scalar
  for (let i = 0; left > 0n; i++, left >>= 1n) {
    if ((left & 1n) === 0n) continue
    const low = Number(left & BigInt(2 ** width - 1))
    const digit = low >= 2 ** (width - 1) ? low - 2 ** width : low
    digits[i] = digit
    left -= BigInt(digit)
  }
  return digits
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number)
  return value
}
