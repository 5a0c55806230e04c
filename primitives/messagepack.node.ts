// MessagePack by msgpackr: a node encodes and decodes thousands of values a second.
import { Packr } from 'msgpackr'
import type { Wire } from './schema.ts'

// useRecords off: plain MessagePack, no extension of msgpackr's own. copyBuffers: a decoded hash must not keep a whole frame alive.
const options = { useRecords: false, int64AsType: 'number' } as const
const buffer = Buffer.allocUnsafeSlow(1_048_576)
const packr = new Packr({ ...options, copyBuffers: true })
const viewer = new Packr(options)

/** A view of a large shared buffer: to be copied or compared before the next call. */
export function pack(value: Wire): Uint8Array {
  // always from its beginning: left alone, msgpackr walks through one new buffer after the other, each as large as the largest value that was ever packed
  packr.useBuffer(buffer)
  return packr.pack(value)
}

/** Bytes of their own. Short ones come from Buffer's pool: an array buffer each would cost ten times as much, and is one more for the collector to find. */
export function packToKeep(value: Wire): Uint8Array {
  const { buffer: pool, byteOffset, length } = Buffer.from(pack(value))
  return new Uint8Array(pool, byteOffset, length)
}

/** Throws anything for what is no MessagePack. It takes more than the protocol has: the codec compares. */
export function unpack(bytes: Uint8Array): Wire {
  return packr.unpack(bytes) as Wire
}

/** The same; byte strings are views of `bytes`. */
export function unpackInPlace(bytes: Uint8Array): Wire {
  return viewer.unpack(bytes) as Wire
}
