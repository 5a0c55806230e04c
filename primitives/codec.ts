// Canonical MessagePack. A value is valid only in the one encoding that we would give it ourselves:
// bound the length, decode, check the schema, encode again, compare. docs/protocol.md states the same form for other languages.
import { pack, packToKeep, unpack, unpackInPlace } from '#messagepack'
import { equalBytes } from './bytes.ts'
import { DongbaekError } from './errors.ts'
import type { Schema, Wire } from './schema.ts'

/** Throws `codec/invalid` when the value breaks a bound of its schema. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  return packToKeep(schema.toWire(value, ''))
}

/**
 * Decodes at most `bytesMax` bytes of canonical MessagePack.
 * Throws `codec/too-large`, `codec/malformed` (no MessagePack), `codec/invalid` (another shape) or `codec/not-canonical`.
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, bytesMax: number): T {
  return decodeBy(unpack, schema, bytes, bytesMax)
}

/** The same, and byte strings in it are views of `bytes`, which lives as long as they do and must not change: for what is kept together with its encoding. */
export function decodeInPlace<T>(schema: Schema<T>, bytes: Uint8Array, bytesMax: number): T {
  return decodeBy(unpackInPlace, schema, bytes, bytesMax)
}

function decodeBy<T>(read: (bytes: Uint8Array) => Wire, schema: Schema<T>, bytes: Uint8Array, bytesMax: number): T {
  if (bytes.length > bytesMax) throw new DongbaekError('codec/too-large', `${bytes.length} bytes where at most ${bytesMax} are allowed`, { bytes: bytes.length, bytesMax })
  const value = schema.fromWire(unpacked(read, bytes), '')
  const again = pack(schema.toWire(value, ''))
  if (!equalBytes(again, bytes)) throw new DongbaekError('codec/not-canonical', 'the bytes are not the canonical encoding of their value')
  return value
}

function unpacked(read: (bytes: Uint8Array) => Wire, bytes: Uint8Array): Wire {
  try {
    return read(bytes)
  } catch (cause) {
    throw new DongbaekError('codec/malformed', 'the bytes are not MessagePack', { bytes: bytes.length }, { cause })
  }
}
