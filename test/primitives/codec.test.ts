// What MessagePack and its library let pass, and the codec does not. Ordinary values of every schema have vectors (test/vectors.test.ts).
import fc from 'fast-check'
import t from 'tap'
import { toBase64url as toBase64urlPortable } from '../../primitives/base64url.portable.ts'
import { equalBytes, fromBase64url, toBase64url, utf8 } from '../../primitives/bytes.ts'
import { decode, decodeInPlace, encode } from '../../primitives/codec.ts'
import { codeOf, type DongbaekError } from '../../primitives/errors.ts'
import { pack, packToKeep, unpack, unpackInPlace } from '../../primitives/messagepack.node.ts'
import { pack as packPortable, unpack as unpackPortable, unpackInPlace as unpackInPlacePortable } from '../../primitives/messagepack.portable.ts'
import { bytes, integer, list, optional, record, type Schema, union, type Wire } from '../../primitives/schema.ts'

const pair = record({ a: integer(), b: integer() })

function refusal<T>(schema: Schema<T>, hex: string | Uint8Array): string {
  try {
    return `decodes to ${JSON.stringify(decode(schema, typeof hex === 'string' ? Buffer.from(hex, 'hex') : hex, 1_048_576))}`
  } catch (thrown) {
    return codeOf(thrown)
  }
}

t.test('msgpackr: of duplicate keys the last wins. A record is an array: no map decodes, with or without duplicates', async (t) => {
  t.same(decode(pair, Buffer.from('920102', 'hex'), 100), { a: 1, b: 2 })
  for (const map of ['82a16101a16202', '82a16202a16101', '83a16101a16103a16202', '82a9' + Buffer.from('__proto__').toString('hex') + '01a16202']) t.equal(refusal(pair, map), 'codec/invalid', map)
})

t.test('msgpackr: key order follows the object. The bytes follow the schema, whatever order the fields were given in', async (t) => {
  t.same(encode(pair, { b: 2, a: 1 }), encode(pair, { a: 1, b: 2 }))
  t.equal(Buffer.from(encode(pair, { b: 2, a: 1 })).toString('hex'), '920102')
})

t.test('msgpackr: 100,000 nested levels throw a RangeError. Nesting of any depth is refused by a code of ours', async (t) => {
  for (const depth of [1, 10, 1_000, 5_000, 10_000, 20_000, 100_000, 1_000_000]) {
    for (const [what, opening] of [['lists', 0x91], ['maps', 0x81]] as const) {
      const nested = new Uint8Array(depth + 1).fill(opening)
      nested[depth] = 1
      for (const code of [refusal(pair, nested), refusal(list(pair, 0, 10), nested)]) t.match(code, /^codec\/(malformed|invalid)$/, `${depth} ${what}`)
    }
  }
})

t.test('msgpackr: uint64 comes back as BigInt, 2^40 as a number is a float and as a BigInt an integer. One form a number, and no other is taken', async (t) => {
  for (const [value, hex] of [[0, '00'], [127, '7f'], [128, 'cc80'], [65_536, 'ce00010000'], [2 ** 32 - 1, 'ceffffffff'], [2 ** 32, 'd30000000100000000'], [2 ** 40, 'd30000010000000000'], [2 ** 53 - 1, 'd3001fffffffffffff']] as const) {
    t.equal(Buffer.from(encode(integer(), value)).toString('hex'), hex, `${value}`)
    t.equal(decode(integer(), Buffer.from(hex, 'hex'), 9), value)
    const other = Buffer.alloc(9)
    for (const [form, write] of [[0xcb, () => other.writeDoubleBE(value, 1)], [0xcf, () => other.writeBigUInt64BE(BigInt(value), 1)], [0xd3, () => other.writeBigInt64BE(BigInt(value), 1)]] as const) {
      other[0] = form
      write()
      if (other.toString('hex') !== hex) t.equal(refusal(integer(), other), 'codec/not-canonical', other.toString('hex'))
    }
  }
  for (const beyond of ['cfffffffffffffffff', 'cf0020000000000000', 'd30020000000000000', 'd3ffffffffffffffff', 'cb7ff0000000000000', 'cb7ff8000000000000', 'cb3fe0000000000000', 'cb8000000000000000']) t.equal(refusal(integer(), beyond), 'codec/invalid', beyond)
})

t.test('base64url: Node’s and the portable one write the same, and what they write is read back', async (t) => {
  for (const [text, encoded] of [['', ''], ['f', 'Zg'], ['fo', 'Zm8'], ['foo', 'Zm9v'], ['foob', 'Zm9vYg'], ['fooba', 'Zm9vYmE'], ['foobar', 'Zm9vYmFy']] as const) {
    t.equal(toBase64url(utf8(text)), encoded, 'RFC 4648 section 10')
    t.equal(toBase64urlPortable(utf8(text)), encoded)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(3), (bytes, from) => {
      const part = bytes.subarray(from)
      const text = toBase64url(part)
      return text === toBase64urlPortable(part) && equalBytes(fromBase64url(text) as Uint8Array, part)
    }),
  )
})

t.test('MessagePack: msgpackr and the portable one write the same bytes, and take the same ones', async (t) => {
  const sizes = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 65_535, 65_536]
  const edges: readonly Wire[] = [null, true, false, 0, ...sizes, 2 ** 32 - 1, 2n ** 32n, 2n ** 53n - 1n, ...sizes.flatMap((size): readonly Wire[] => ['x'.repeat(size), '한'.repeat(size), new Uint8Array(size).fill(7), new Array<Wire>(size).fill(1)])]
  for (const value of edges) {
    const bytes = new Uint8Array(pack(value))
    t.ok(equalBytes(packPortable(value), bytes), String(value).slice(0, 20))
    const read = unpack(bytes)
    for (const one of [unpackPortable, unpackInPlace, unpackInPlacePortable]) t.same(one(bytes), read)
  }
  const { wire } = fc.letrec<{ readonly wire: Wire }>((tie) => ({
    wire: fc.oneof({ depthSize: 'small' }, fc.constant(null), fc.boolean(), fc.nat(2 ** 31 - 1), fc.bigInt({ min: 2n ** 32n, max: 2n ** 53n - 1n }), fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 70 }), fc.array(tie('wire'), { maxLength: 20 })),
  }))
  const canonical = (bytes: Uint8Array, read: typeof unpack, write: typeof pack): string | undefined => {
    try {
      const value = read(bytes)
      // as the schemas have integers
      const asWire = (one: Wire): Wire => (typeof one === 'number' && one > 0xffff_ffff ? BigInt(one) : Array.isArray(one) ? (one as readonly Wire[]).map(asWire) : one)
      return equalBytes(write(asWire(value)), bytes) ? Buffer.from(bytes).toString('hex') : undefined
    } catch {
      return undefined
    }
  }
  let taken = 0
  fc.assert(
    fc.property(wire, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = new Uint8Array(pack(value))
      if (!equalBytes(packPortable(value), bytes)) return false
      const changed = bytes.with(at % bytes.length, byte)
      for (const one of [bytes, changed, bytes.subarray(0, -1), Uint8Array.of(...bytes, byte)]) {
        const portable = canonical(one, unpackPortable, packPortable)
        if (portable !== undefined) taken++
        // what is no form of the protocol (a map, a float, an extension) msgpackr may take back in its own form: no schema has one
        if (portable !== undefined && portable !== canonical(one, unpack, pack)) return false
      }
      return true
    }),
    { seed: 11, numRuns: 2_000 },
  )
  t.ok(taken > 2_000)
  for (const hex of ['', 'c1', 'c7', '80', 'cb0000000000000000', 'cf0000000000000001', 'd0ff', 'ff', 'e0', 'c410', 'a2c328', '9101ff', '0101', 'd6ffffffffff', 'dd7fffffff']) t.throws(() => unpackPortable(Buffer.from(hex, 'hex')), hex)
})

t.test('what is packed to be kept never overlaps', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(9_000), { maxLength: 40 }), (lengths) => {
      const parts = lengths.map((length, i) => packToKeep(new Uint8Array(length).fill(i)))
      return parts.every((part, i) => equalBytes(unpack(part) as Uint8Array, new Uint8Array(lengths[i] as number).fill(i)))
    }),
  )
  t.end()
})

t.test('decoded byte strings are copies, in place they are views; and what is encoded stays what it was', (t) => {
  const schema = record({ short: bytes(0, 100), long: bytes(0, 2_000) })
  const values = [0, 1, 2].map((i) => ({ short: new Uint8Array(80).fill(i), long: new Uint8Array(1_500).fill(i) }))
  const encodings = values.map((value) => encode(schema, value))
  for (const [i, encoded] of encodings.entries()) {
    const copied = decode(schema, encoded, 3_000)
    const viewed = decodeInPlace(schema, encoded, 3_000)
    t.same([copied, viewed], [values[i], values[i]])
    t.equal(viewed.short.buffer, encoded.buffer)
    encoded.fill(9)
    t.same(copied, values[i])
    t.same(viewed.long, new Uint8Array(1_500).fill(9))
  }
  t.throws(() => decodeInPlace(schema, Uint8Array.of(0x92, 0xc4, 0x00, 0xc5, 0x00, 0x00), 10), { code: 'codec/not-canonical' })
  t.end()
})

t.test('a refusal names the place, however deep', (t) => {
  const inner = record({ b: integer(0, 5), c: optional(list(list(integer(0, 5), 0, 2), 0, 2)) })
  const schema = record({ a: list(inner, 0, 3), u: optional(union({ x: record({ d: inner }) })) })
  const placeOf = (act: () => unknown): unknown => {
    try {
      act()
    } catch (error) {
      return (error as DongbaekError).data['path']
    }
    return undefined
  }
  const good = { b: 1 }
  for (const [value, path] of [
    [{ a: [good, { b: 9 }] }, 'a[1].b'],
    [{ a: [good, { b: 1, c: [[1], [1, 7]] }] }, 'a[1].c[1][1]'],
    [{ a: [good, { b: 1, c: [[1, 1, 1]] }] }, 'a[1].c[0]'],
    [{ a: [good, good, good, good] }, 'a'],
    [{ a: [], u: { type: 'x', d: { b: 9 } } }, 'u.d.b'],
  ] as const) {
    t.equal(placeOf(() => schema.toWire(value as never, '')), path)
    t.equal(placeOf(() => schema.fromJson(value as never, '')), path)
    t.equal(placeOf(() => schema.fromJson(value as never, 'params')), `params.${path}`)
  }
  t.equal(placeOf(() => schema.fromWire([[[1, null], [9, null]], null], '')), 'a[1].b')
  t.equal(placeOf(() => list(inner, 0, 2).fromWire([[1, [[6]]]], '')), '[0].c[0][0]')
  t.equal(placeOf(() => schema.fromWire(7, '')), '')
  t.end()
})
