// P-256 from its definition (SEC 1 and 2), affine and slow, sharing nothing with what the node runs: it makes the vectors and judges them once more.
import { createHash } from 'node:crypto'

export const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
export const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

/** undefined: infinity. */
export type Point = { readonly x: bigint; readonly y: bigint } | undefined
export const G: Point = { x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n, y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n }

export const mod = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus

export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let square = mod(base, modulus), left = exponent; left > 0n; left >>= 1n, square = (square * square) % modulus) if ((left & 1n) === 1n) result = (result * square) % modulus
  return result
}

/** Of a prime modulus. */
export const inverse = (value: bigint, modulus: bigint): bigint => power(value, modulus - 2n, modulus)

export function add(a: Point, c: Point): Point {
  if (a === undefined) return c
  if (c === undefined) return a
  if (a.x === c.x && mod(a.y + c.y, p) === 0n) return undefined
  const slope = a.x === c.x ? (3n * a.x * a.x - 3n) * inverse(2n * a.y, p) : (c.y - a.y) * inverse(mod(c.x - a.x, p), p)
  const x = mod(slope * slope - a.x - c.x, p)
  return { x, y: mod(slope * (a.x - x) - a.y, p) }
}

export function multiply(point: Point, scalar: bigint): Point {
  let result: Point
  for (let doubled = point, left = mod(scalar, n); left > 0n; left >>= 1n, doubled = add(doubled, doubled)) if ((left & 1n) === 1n) result = add(result, doubled)
  return result
}

/** The point with this x and an even y, if there is one. */
export function lift(x: bigint): Point {
  const square = mod(x * x * x - 3n * x + b, p)
  const y = power(square, (p + 1n) / 4n, p)
  return x < p && (y * y) % p === square ? { x, y: y % 2n === 0n ? y : p - y } : undefined
}

export const bytesOf = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
export const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

export function compress(point: Point): Uint8Array {
  if (point === undefined) throw new Error('infinity has no such form')
  return Buffer.concat([Buffer.of(point.y % 2n === 0n ? 2 : 3), bytesOf(point.x)])
}

export const digest = (message: Uint8Array): bigint => numberOf(createHash('sha256').update(message).digest())

/** The key under which (r, s) is a signature of the message, when R is the point that it speaks of (SEC 1, section 4.1.6). */
export function keyFor(R: Point, r: bigint, s: bigint, message: Uint8Array): Point {
  const w = inverse(r, n)
  return add(multiply(R, s * w), multiply(G, mod(-digest(message) * w, n)))
}

/** The rule of docs/protocol.md. */
export function plainVerify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 33 || (publicKey[0] !== 2 && publicKey[0] !== 3)) return false
  const [r, s] = [numberOf(signature.subarray(0, 32)), numberOf(signature.subarray(32))]
  if (r < 1n || r >= n || s < 1n || s > (n - 1n) / 2n) return false
  const even = lift(numberOf(publicKey.subarray(1)))
  if (even === undefined) return false
  const Q = publicKey[0] === 2 ? even : { x: even.x, y: p - even.y }
  const w = inverse(s, n)
  const R = add(multiply(G, digest(message) * w), multiply(Q, r * w))
  return R !== undefined && R.x % n === r
}
