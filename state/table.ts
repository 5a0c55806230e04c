// Tables: how a family names and encodes what it keeps. A state key is `<table>/<part>/<part>…` in UTF-8, its value the canonical encoding.
import { decode, encode } from '../primitives/codec.ts'
import { assert } from '../primitives/errors.ts'
import { stateKeyBytesMax, stateValueBytesMax } from '../primitives/limits.ts'
import type { Schema } from '../primitives/schema.ts'

export interface Table<T> {
  readonly name: string
  readonly schema: Schema<T>
}

export type KeyPart = string | number

export function table<T>(name: string, schema: Schema<T>): Table<T> {
  return { name, schema }
}

const numberWidth = 16

/** Numbers are padded to 16 digits, so that keys sort as numbers do. */
export function stateKey(table: { readonly name: string }, parts: readonly KeyPart[]): string {
  let key = table.name
  for (const part of parts) {
    const text = typeof part === 'number' ? String(part).padStart(numberWidth, '0') : part
    assert(text.length > 0 && !text.includes('/'), `key part ${text} of ${table.name}`)
    key += `/${text}`
  }
  assert(key.length <= stateKeyBytesMax, `key length of ${key}`)
  return key
}

/** The parts of a key after the table's name. */
export function keyParts(key: string): readonly string[] {
  return key.split('/').slice(1)
}

export function encodeValue<T>(table: Table<T>, value: T): Uint8Array {
  const encoded = encode(table.schema, value)
  assert(encoded.length <= stateValueBytesMax, `value of ${table.name} within bounds`)
  return encoded
}

export function decodeValue<T>(table: Table<T>, encoded: Uint8Array): T {
  return decode(table.schema, encoded, stateValueBytesMax)
}
