// Vectors of signatures by P-256: ordinary ones, and each edge where libraries differ or err (after the ideas of Project Wycheproof's ECDSA tests).
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { keyPairFromSecret, sign } from '../../primitives/p256.ts'
import type { Json } from '../../primitives/schema.ts'
import { bytesOf, compress, digest, G, inverse, keyFor, lift, mod, multiply, n, numberOf, p, type Point } from '../support/plain-p256.ts'

interface Case {
  readonly what: string
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly valid: boolean
}

const join = (r: bigint, s: bigint): Uint8Array => Buffer.concat([bytesOf(r), bytesOf(s)])
const half = (n - 1n) / 2n

export function p256Vectors(): Json {
  const secret = sha256(utf8('vector seed of a phone'))
  const pair = keyPairFromSecret(secret)
  const message = utf8('동백')
  const good = sign(message, pair)
  const [r, s] = [numberOf(good.subarray(0, 32)), numberOf(good.subarray(32))]
  const base = { publicKey: pair.publicKey, message, signature: good }
  const ordinary = ['', 'a', '동백', 'x'.repeat(200)].map((text): Case => ({ what: `an ordinary signature of ${utf8(text).length} bytes`, publicKey: pair.publicKey, message: utf8(text), signature: sign(utf8(text), pair), valid: true }))

  const firstOnCurve = (from: bigint, step: bigint): NonNullable<Point> => {
    for (let x = from; ; x += step) {
      const point = lift(x)
      if (point !== undefined) return point
    }
  }
  const firstOffCurve = (from: bigint): bigint => {
    let x = from
    while (lift(x) !== undefined) x++
    return x
  }
  // any (r, s) is a signature under some key: take the ones at the edges
  const made = (what: string, R: NonNullable<Point>, own: bigint): Case => ({ what, publicKey: compress(keyFor(R, R.x % n, own, message)), message, signature: join(R.x % n, own), valid: own <= half })
  const small = firstOnCurve(1n, 1n)
  const great = firstOnCurve(n - 1n, -1n)
  const wrapped = firstOnCurve(n + 1n, 1n)
  const e = digest(message)
  // e + r·d = 0, so that the sum is infinity whatever s is
  const toInfinity = multiply(G, mod(-e * inverse(r, n), n))
  const offCurve = Buffer.concat([Buffer.of(2), bytesOf(firstOffCurve(1n))])
  const flip = (bytes: Uint8Array, at: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))
  const point = lift(numberOf(pair.publicKey.subarray(1)))
  const signHash = (hash: Uint8Array): Uint8Array => {
    // k = 1 is as good as any here
    const k1 = (G as NonNullable<Point>).x % n
    const raw = mod(numberOf(hash) + k1 * numberOf(secret), n)
    return join(k1, raw <= half ? raw : n - raw)
  }
  const bad = (what: string, changed: Partial<Case>): Case => ({ ...base, what, ...changed, valid: false })

  const cases: readonly Case[] = [
    ...ordinary,
    made('the smallest r on the curve', small, 12_345n),
    made('the greatest r below n', great, 12_345n),
    made('x of the point is n or more, so r is x − n', wrapped, 12_345n),
    made('s is 1', small, 1n),
    made('s is (n − 1)/2, the greatest allowed', small, half),
    made('s is (n + 1)/2, one too high', small, half + 1n),
    made('s is n − 1', small, n - 1n),
    { what: 'the hash itself as a signed number, with k = 1', publicKey: pair.publicKey, message, signature: signHash(sha256(message)), valid: true },
    bad('high s of a good signature', { signature: join(r, n - s) }),
    bad('r is 0', { signature: join(0n, s) }),
    bad('s is 0', { signature: join(r, 0n) }),
    bad('both are 0', { signature: join(0n, 0n) }),
    bad('r is n', { signature: join(n, s) }),
    bad('s is n', { signature: join(r, n) }),
    bad('r is n + 1', { signature: join(n + 1n, s) }),
    bad('r is p', { signature: join(p, s) }),
    bad('s is p', { signature: join(r, p) }),
    bad('all ones', { signature: new Uint8Array(64).fill(255) }),
    bad('r and s exchanged', { signature: join(s, r) }),
    bad('r is x of the point, not x mod n', { publicKey: compress(keyFor(wrapped, wrapped.x % n, 12_345n, message)), signature: join(wrapped.x, 12_345n) }),
    bad('the sum is infinity', { publicKey: compress(toInfinity), signature: join(r, s) }),
    bad('the sum is infinity, s is 1', { publicKey: compress(toInfinity), signature: join(r, 1n) }),
    bad('63 bytes', { signature: good.subarray(0, 63) }),
    bad('65 bytes', { signature: Buffer.concat([good, Buffer.of(0)]) }),
    bad('no bytes', { signature: new Uint8Array(0) }),
    bad('in DER', { signature: Buffer.concat([Buffer.from('30440220', 'hex'), bytesOf(r), Buffer.from('0220', 'hex'), bytesOf(s)]) }),
    bad('another message', { message: utf8('동백꽃') }),
    bad('the message is the hash (not hashed again)', { message: sha256(message) }),
    bad('over the hash of the hash', { signature: signHash(sha256(sha256(message))) }),
    bad('over the first 31 bytes of the hash', { signature: signHash(sha256(message).subarray(0, 31)) }),
    ...[0, 31, 32, 63].map((at) => bad(`bit 0 of byte ${at} flipped`, { signature: flip(good, at) })),
    bad('the other y', { publicKey: flip(pair.publicKey, 0) }),
    bad('x is not on the curve', { publicKey: offCurve }),
    bad('x is p or more', { publicKey: Buffer.concat([Buffer.of(2), bytesOf(p + (lift(0n) === undefined ? firstOnCurve(1n, 1n).x : 0n))]) }),
    bad('infinity, one byte', { publicKey: Uint8Array.of(0) }),
    bad('infinity, 33 zero bytes', { publicKey: new Uint8Array(33) }),
    bad('the prefix is 4', { publicKey: Buffer.concat([Buffer.of(4), pair.publicKey.subarray(1)]) }),
    bad('the uncompressed point', { publicKey: Buffer.concat([Buffer.of(4), bytesOf(point?.x ?? 0n), bytesOf(point?.y ?? 0n)]) }),
    bad('x alone', { publicKey: pair.publicKey.subarray(1) }),
    bad('a key of Ed25519’s length', { publicKey: pair.publicKey.subarray(0, 32) }),
    bad('another key', { publicKey: keyPairFromSecret(sha256(utf8('vector seed of another phone'))).publicKey }),
  ]
  return {
    secret: toHex(secret),
    publicKey: toHex(pair.publicKey),
    cases: cases.map(({ what, publicKey, message: signed, signature, valid }) => ({ what, publicKey: toHex(publicKey), message: toHex(signed), signature: toHex(signature), valid })),
  }
}
