// Canonical MessagePack. A value is valid only in the one encoding that we would give it ourselves:
// bound the length, decode, check the schema, encode again, compare. docs/protocol.md states the same form for other languages.
import { pack, unpack } from '#messagepack'
import { equalBytes } from './bytes.ts'
import { DongbaekError } from './errors.ts'
import type { Schema, Wire } from './schema.ts'

/** Throws `codec/invalid` when the value breaks a bound of its schema. */
export function encode<T>(schema: Schema<T>, value: T): Uint8Array {
  // a copy: what was packed may be a view of a shared buffer
  return new Uint8Array(pack(schema.toWire(value, '')))
}

/**
 * Decodes at most `bytesMax` bytes of canonical MessagePack.
 * Throws `codec/too-large`, `codec/malformed` (no MessagePack), `codec/invalid` (another shape) or `codec/not-canonical`.
 */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, bytesMax: number): T {
  if (bytes.length > bytesMax) throw new DongbaekError('codec/too-large', `${bytes.length} bytes where at most ${bytesMax} are allowed`, { bytes: bytes.length, bytesMax })
  const value = schema.fromWire(unpacked(bytes), '')
  const again = pack(schema.toWire(value, ''))
  if (!equalBytes(again, bytes)) throw new DongbaekError('codec/not-canonical', 'the bytes are not the canonical encoding of their value')
  return value
}

function unpacked(bytes: Uint8Array): Wire {
  try {
    return unpack(bytes)
  } catch (cause) {
    throw new DongbaekError('codec/malformed', 'the bytes are not MessagePack', { bytes: bytes.length }, { cause })
  }
}
