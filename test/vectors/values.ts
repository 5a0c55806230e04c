// Vectors of values: each with its schema's JSON form, its encoding, and the same as a tree for readers without the schema.
import { toHex, utf8 } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { attributes, boolean, bytes, type Fields, integer, type Json, list, oneOf, optional, record, type Schema, slug, text, union } from '../../primitives/schema.ts'
import { plainDecode } from '../support/plain-messagepack.ts'

export interface ValueVector {
  readonly what: string
  readonly schema: string
  readonly json: Json
  readonly tree: Json
  readonly encoded: string
}

export const schemas: Readonly<Record<string, Schema<unknown>>> = Object.fromEntries(
  Object.entries({
    integer: integer(),
    boolean,
    'text of 0 to 300': text(0, 300),
    slug,
    'bytes of 0 to 70000': bytes(0, 70_000),
    'list of integers': list(integer(), 0, 70_000),
    'record of name, optional note, amount': record({ name: slug, note: optional(text(1, 40)), amount: integer() }),
    'union of paid(amount), open()': union({ paid: record({ amount: integer() }), open: record({}) }),
    'one of busan, bnk': oneOf('busan', 'bnk'),
    attributes,
  } satisfies Fields),
) as unknown as Readonly<Record<string, Schema<unknown>>>

const filled = (length: number): Uint8Array => new Uint8Array(length).fill(0xab)

const values: readonly (readonly [schema: string, what: string, value: unknown])[] = [
  ...[0, 1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, Number.MAX_SAFE_INTEGER].map((value) => ['integer', `integer ${value}`, value] as const),
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['text of 0 to 300', 'empty text', ''],
  ['text of 0 to 300', '31 bytes', 'a'.repeat(31)],
  ['text of 0 to 300', '32 bytes', 'a'.repeat(32)],
  ['text of 0 to 300', 'Hangul, 10 characters, 30 bytes', '가나다라마바사아자차'],
  ['text of 0 to 300', 'Hangul, 11 characters, 33 bytes', '가나다라마바사아자차카'],
  ['text of 0 to 300', 'Hangul, 100 characters, 300 bytes', '동'.repeat(100)],
  ['text of 0 to 300', 'the whole repertoire by example', 'Az ~ ¡é ‘’ ₩ 「」 あア ー ㄱ 漢 한 ！'],
  ['slug', 'a name', 'multi-child'],
  ['bytes of 0 to 70000', 'no bytes', filled(0)],
  ['bytes of 0 to 70000', '255 bytes', filled(255)],
  ['bytes of 0 to 70000', '256 bytes', filled(256)],
  ['list of integers', 'empty list', []],
  ['list of integers', '15 items', Array.from({ length: 15 }, (_, i) => i)],
  ['list of integers', '16 items', Array.from({ length: 16 }, (_, i) => i)],
  ['record of name, optional note, amount', 'with the optional field', { name: 'bnk', note: '정산', amount: 300_000 }],
  ['record of name, optional note, amount', 'without it', { name: 'bnk', amount: 300_000 }],
  ['union of paid(amount), open()', 'a variant with a field', { type: 'paid', amount: 42_000 }],
  ['union of paid(amount), open()', 'a variant without', { type: 'open' }],
  ['one of busan, bnk', 'a word', 'bnk'],
  ['attributes', 'names are sorted', { scope: 'busan', available: 300_000 }],
]

/** Encodings that no decoder may take, by the schema they are read with. */
const refused: readonly (readonly [schema: string, why: string, code: string, encoded: string])[] = [
  ['integer', 'longer form than needed: uint 8 of 1', 'codec/not-canonical', 'cc01'],
  ['integer', 'longer form than needed: uint 64 of 2^32', 'codec/not-canonical', 'cf0000000100000000'],
  ['integer', 'negative', 'codec/invalid', 'ff'],
  ['integer', 'float', 'codec/invalid', 'cb3ff8000000000000'],
  ['integer', 'float of a whole number', 'codec/not-canonical', 'cb4000000000000000'],
  ['integer', 'past 2^53 - 1', 'codec/invalid', 'd30020000000000000'],
  ['integer', 'a byte too many', 'codec/malformed', '0101'],
  ['integer', 'no bytes at all', 'codec/malformed', ''],
  ['text of 0 to 300', 'longer form than needed: str 8 of one byte', 'codec/not-canonical', 'd90161'],
  ['text of 0 to 300', 'decomposed Hangul', 'codec/invalid', 'a6e18492e185a1'],
  ['text of 0 to 300', 'a combining accent', 'codec/invalid', 'a365cc81'],
  ['text of 0 to 300', 'an emoji', 'codec/invalid', 'a4f09f9880'],
  ['text of 0 to 300', 'a line break', 'codec/invalid', 'a10a'],
  ['text of 0 to 300', 'a soft hyphen', 'codec/invalid', 'a2c2ad'],
  ['text of 0 to 300', 'a space at the end', 'codec/invalid', 'a26120'],
  ['bytes of 0 to 70000', 'text where bytes are due', 'codec/invalid', 'a161'],
  ['bytes of 0 to 70000', 'shorter than its length says', 'codec/malformed', 'c403abab'],
  ['list of integers', 'longer form than needed: array 16 of none', 'codec/not-canonical', 'dc0000'],
  ['record of name, optional note, amount', 'a field too few', 'codec/invalid', '92a3626e6b01'],
  ['record of name, optional note, amount', 'a field too many', 'codec/invalid', '94a3626e6bc00102'],
  ['record of name, optional note, amount', 'a map', 'codec/invalid', '81a46e616d65a3626e6b'],
  ['union of paid(amount), open()', 'unknown tag', 'codec/invalid', '92a46c6f737490'],
  ['boolean', 'a number', 'codec/invalid', '01'],
  ['attributes', 'names out of order', 'codec/not-canonical', '9292a573636f706501' + '92a9617661696c61626c6501'],
]

export function valueVectors(): Json {
  return {
    values: values.map(([schema, what, value]) => {
      const used = schemas[schema] as Schema<unknown>
      const encoded = encode(used, value)
      return { what, schema, json: used.toJson(value), tree: plainDecode(encoded) as Json, encoded: toHex(encoded) }
    }),
    refused: refused.map(([schema, why, code, encoded]) => ({ why, schema, code, encoded })),
    domains: ['block', 'transaction-id'].map((tag) => ({ tag, bytes: toHex(utf8(`dongbaek/${tag}\0`)) })),
  }
}
