// Vectors of signatures by Ed25519: those of RFC 8032, section 7.1, and each edge where libraries differ or err. Made here, after the cases that Chalkias, Garillot and Nikolaenko tell apart
// ("Taming the many EdDSAs", 2020, section 5: small and mixed order, cofactor, S not reduced, encodings not canonical) and the ideas of Project Wycheproof's EdDSA tests.
import { createHash } from 'node:crypto'
import { fromHex, toHex, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { Json } from '../../primitives/schema.ts'
import { add, at, B, challenge, encode, encodeAs, identity, isSmall, L, littleEndian, multiply, numberOf, p, type Point } from '../support/plain-ed25519.ts'
import { mod } from '../support/plain-p256.ts'

interface Case {
  readonly what: string
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
  readonly valid: boolean
}

const rfcSeeds = [
  ['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', ''],
  ['4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', '72'],
  ['c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7', 'af82'],
] as const

const join = (R: Uint8Array, s: bigint): Uint8Array => Buffer.concat([R, littleEndian(s)])
const flip = (bytes: Uint8Array, bit: number): Uint8Array => Uint8Array.from(bytes, (byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))

/** A point of order 8: whatever is left of a point once L times it is taken. */
function torsion(): Point {
  for (let y = 2n; ; y++) {
    const found = at(y, 0n)
    const left = found === undefined ? identity : multiply(found, L)
    if (multiply(left, 4n).y !== 1n) return left
  }
}

export function ed25519Vectors(): Json {
  const seed = sha256(utf8('vector seed of a signer'))
  const pair = keyPairFromSeed(seed)
  const message = utf8('동백')
  const good = sign(message, pair)
  const [R, s] = [good.subarray(0, 32), numberOf(good.subarray(32))]
  const base = { publicKey: pair.publicKey, message, signature: good }
  const bad = (what: string, changed: Partial<Case>): Case => ({ ...base, what, ...changed, valid: false })
  const ordinary = ['', 'a', '동백', 'x'.repeat(200)].map((text): Case => ({ what: `an ordinary signature of ${utf8(text).length} bytes`, publicKey: pair.publicKey, message: utf8(text), signature: sign(utf8(text), pair), valid: true }))
  const rfc = rfcSeeds.map(([secret, text], i): Case => {
    const own = keyPairFromSeed(fromHex(secret) as Uint8Array)
    const signed = fromHex(text) as Uint8Array
    return { what: `RFC 8032, section 7.1, test ${i + 1}`, publicKey: own.publicKey, message: signed, signature: sign(signed, own), valid: true }
  })

  // a key of which the number is known: RFC 8032, section 5.1.5
  const half = createHash('sha512').update(seed).digest().subarray(0, 32)
  const a = mod((numberOf(half) & (2n ** 254n - 8n)) | 2n ** 254n, L)
  const r = mod(numberOf(sha256(utf8('vector nonce'))), L)
  const T = torsion()
  const small = Array.from({ length: 8 }, (_, i) => multiply(T, BigInt(i)))
  const names = ['the identity', 'order 8', 'order 4', 'order 8, the third', 'order 2', 'order 8, the fifth', 'order 4, the other', 'order 8, the seventh']

  /** Tries messages until the challenge is as wished. */
  const search = (wish: (h: bigint) => boolean, key: Uint8Array, nonce: Uint8Array): { readonly message: Uint8Array; readonly h: bigint } => {
    for (let i = 0; ; i++) {
      const tried = utf8(`동백 ${i}`)
      const h = challenge(nonce, key, tried)
      if (wish(h)) return { message: tried, h }
    }
  }
  /** Signed by a over a key that bears `ofKey` besides and a nonce that bears `ofNonce`: without cofactor the equation holds when h·ofKey + ofNonce is the identity. */
  const mixed = (what: string, ofKey: Point, ofNonce: Point, holds: boolean): Case => {
    const [key, nonce] = [encode(add(multiply(B, a), ofKey)), encode(add(multiply(B, r), ofNonce))]
    const { message: own, h } = search((one) => (add(multiply(ofKey, one), ofNonce).y === 1n) === holds, key, nonce)
    return { what, publicKey: key, message: own, signature: join(nonce, mod(r + h * a, L)), valid: holds }
  }
  /** A key of small order: any s fits a nonce [s]B when h is a multiple of 8. */
  const smallKey = (what: string, key: Uint8Array): Case => {
    const nonce = encode(multiply(B, r))
    return { what, publicKey: key, ...only(search((h) => h % 8n === 0n, key, nonce).message), signature: join(nonce, r), valid: false }
  }
  const only = (own: Uint8Array): { readonly message: Uint8Array } => ({ message: own })
  /** A nonce of small order: s = h·a leaves the identity. */
  const smallNonce = (what: string, nonce: Uint8Array): Case => ({ what, publicKey: pair.publicKey, message, signature: join(nonce, mod(challenge(nonce, pair.publicKey, message) * a, L)), valid: false })
  // y that is p too great: only 19 values fit into 255 bits
  const oddForms: readonly (readonly [string, Uint8Array])[] = [
    ['the identity as y = p + 1', encodeAs(p + 1n, 0n)],
    ['the identity with the bit of x', encodeAs(1n, 1n)],
    ['order 2 with the bit of x', encodeAs(p - 1n, 1n)],
    ['order 4 as y = p', encodeAs(p, 0n)],
    ['order 4 as y = p, with the bit of x', encodeAs(p, 1n)],
  ]
  const great = Array.from({ length: 19 }, (_, y) => BigInt(y)).find((y) => {
    const point = at(y, 0n)
    return point !== undefined && !isSmall(point)
  }) as bigint
  const offCurve = Array.from({ length: 50 }, (_, y) => BigInt(y)).find((y) => at(y, 0n) === undefined) as bigint

  const cases: readonly Case[] = [
    ...rfc,
    ...ordinary,
    { what: 'by the number of the key, with another nonce', publicKey: pair.publicKey, message, signature: join(encode(multiply(B, r)), mod(r + challenge(encode(multiply(B, r)), pair.publicKey, message) * a, L)), valid: true },
    bad('s + L: the same signature in another form', { signature: join(R, s + L) }),
    bad('s + 8 L', { signature: join(R, s + 8n * L) }),
    bad('s is L', { signature: join(R, L) }),
    bad('s is 0', { signature: join(R, 0n) }),
    bad('s is L − s', { signature: join(R, L - s) }),
    bad('the highest bit of s is set', { signature: join(R, s | (1n << 255n)) }),
    bad('s is 2^256 − 1', { signature: join(R, 2n ** 256n - 1n) }),
    bad('all zero', { signature: new Uint8Array(64) }),
    bad('R and s exchanged', { signature: Buffer.concat([good.subarray(32), R]) }),
    bad('R with the other x', { signature: join(flip(R, 255), s) }),
    bad('R is not on the curve', { signature: join(encodeAs(offCurve, 0n), s) }),
    bad('R as y = p + a small y', { signature: join(encodeAs(p + great, 0n), s) }),
    ...[0, 8, 255, 256, 257, 500, 511].map((bit) => bad(`bit ${bit} flipped`, { signature: flip(good, bit) })),
    bad('another message', { message: utf8('동백꽃') }),
    bad('the message hashed beforehand', { message: createHash('sha512').update(message).digest() }),
    bad('63 bytes', { signature: good.subarray(0, 63) }),
    bad('65 bytes', { signature: Buffer.concat([good, Buffer.of(0)]) }),
    bad('R alone', { signature: R }),
    bad('no bytes', { signature: new Uint8Array(0) }),
    bad('another key', { publicKey: keyPairFromSeed(sha256(utf8('vector seed of another signer'))).publicKey }),
    bad('the key with the other x', { publicKey: flip(pair.publicKey, 255) }),
    bad('the key is not on the curve', { publicKey: encodeAs(offCurve, 0n) }),
    bad('the key as y = p + a small y', { publicKey: encodeAs(p + great, 0n) }),
    bad('the key is all ones', { publicKey: new Uint8Array(32).fill(255) }),
    bad('31 bytes of the key', { publicKey: pair.publicKey.subarray(0, 31) }),
    bad('33 bytes of the key', { publicKey: Buffer.concat([pair.publicKey, Buffer.of(0)]) }),
    bad('no key', { publicKey: new Uint8Array(0) }),
    ...small.map((point, i) => smallKey(`a key of small order (${names[i] ?? ''}), and the equation holds`, encode(point))),
    ...oddForms.map(([what, key]) => smallKey(`a key in a form that is not canonical: ${what}`, key)),
    ...small.map((point, i) => smallNonce(`R of small order (${names[i] ?? ''}), and the equation holds, at least with cofactor`, encode(point))),
    ...oddForms.map(([what, nonce]) => smallNonce(`R in a form that is not canonical: ${what}`, nonce)),
    bad('key and R of small order, s is 0', { publicKey: encode(small[1] as Point), signature: join(encode(identity), 0n) }),
    mixed('a key of mixed order, and the equation holds without cofactor', T, identity, true),
    mixed('a key of mixed order, and the equation holds with cofactor only', T, identity, false),
    mixed('R of mixed order, and the equation holds with cofactor only', identity, T, false),
    mixed('key and R of mixed order, and the equation holds without cofactor', T, small[3] as Point, true),
    mixed('key and R of mixed order, and the equation holds with cofactor only', T, small[3] as Point, false),
  ]
  return {
    seed: toHex(seed),
    publicKey: toHex(pair.publicKey),
    cases: cases.map(({ what, publicKey, message: signed, signature, valid }) => ({ what, publicKey: toHex(publicKey), message: toHex(signed), signature: toHex(signature), valid })),
  }
}
