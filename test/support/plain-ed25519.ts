// Ed25519 from its definition (RFC 8032, section 5.1), in plain numbers, sharing nothing with what the node runs: it makes the vectors and judges them once more.
import { createHash } from 'node:crypto'
import { inverse, mod, power } from './plain-p256.ts'

export const p = 2n ** 255n - 19n
export const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n
const d = mod(-121_665n * inverse(121_666n, p), p)

export interface Point {
  readonly x: bigint
  readonly y: bigint
}
export const identity: Point = { x: 0n, y: 1n }
export const B: Point = at(mod(4n * inverse(5n, p), p), 0n) as Point

/** The point with this y and the least bit of x, if there is one (section 5.1.3). */
export function at(y: bigint, odd: bigint): Point | undefined {
  const [u, v] = [mod(y * y - 1n, p), mod(d * y * y + 1n, p)]
  const square = mod(u * inverse(v, p), p)
  const root = power(square, (p + 3n) / 8n, p)
  const x = [root, mod(root * power(2n, (p - 1n) / 4n, p), p)].find((one) => mod(one * one, p) === square)
  if (x === undefined || (x === 0n && odd === 1n)) return undefined
  return { x: x % 2n === odd ? x : p - x, y }
}

export function add(a: Point, b: Point): Point {
  const k = mod(d * a.x * b.x * a.y * b.y, p)
  return { x: mod((a.x * b.y + b.x * a.y) * inverse(1n + k, p), p), y: mod((a.y * b.y + a.x * b.x) * inverse(mod(1n - k, p), p), p) }
}

export const negate = ({ x, y }: Point): Point => ({ x: mod(-x, p), y })

/** In extended coordinates (section 5.1.4), with the one inversion at the end. */
export function multiply(point: Point, scalar: bigint): Point {
  type Extended = readonly [x: bigint, y: bigint, z: bigint, t: bigint]
  const sum = ([x1, y1, z1, t1]: Extended, [x2, y2, z2, t2]: Extended): Extended => {
    const [a, b, c, e] = [(y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2), mod(2n * d * t1 * t2, p), 2n * z1 * z2]
    const [f, g, h, k] = [mod(b - a, p), mod(e - c, p), mod(e + c, p), mod(b + a, p)]
    return [mod(f * g, p), mod(h * k, p), mod(g * h, p), mod(f * k, p)]
  }
  let result: Extended = [0n, 1n, 1n, 0n]
  for (let doubled: Extended = [point.x, point.y, 1n, mod(point.x * point.y, p)], left = scalar; left > 0n; left >>= 1n, doubled = sum(doubled, doubled)) if ((left & 1n) === 1n) result = sum(result, doubled)
  const [x, y, z] = result
  const over = inverse(z, p)
  return { x: mod(x * over, p), y: mod(y * over, p) }
}

export const littleEndian = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse()
export const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)

/** With an encoding of y that may be p too great, or with the other bit for x: what no one should write. */
export const encodeAs = (y: bigint, odd: bigint): Uint8Array => littleEndian(y + (odd << 255n))
export const encode = ({ x, y }: Point): Uint8Array => encodeAs(y, x % 2n)

/** Undefined for what is not the one encoding of a point. */
export function decode(bytes: Uint8Array): Point | undefined {
  const value = numberOf(bytes)
  const y = value & (2n ** 255n - 1n)
  return y >= p ? undefined : at(y, value >> 255n)
}

export const isSmall = (point: Point): boolean => multiply(point, 8n).y === 1n

export function challenge(R: Uint8Array, A: Uint8Array, message: Uint8Array): bigint {
  return mod(numberOf(createHash('sha512').update(R).update(A).update(message).digest()), L)
}

/** The rule of docs/protocol.md. */
export function plainVerify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const [R, s] = [signature.subarray(0, 32), numberOf(signature.subarray(32))]
  const A = decode(publicKey)
  if (s >= L || A === undefined || isSmall(A)) return false
  const result = add(multiply(B, s), negate(multiply(A, challenge(R, publicKey, message))))
  return !isSmall(result) && Buffer.from(encode(result)).equals(R)
}
