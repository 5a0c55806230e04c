// MessagePack by msgpackr: a node encodes and decodes thousands of values a second.
import { Packr } from 'msgpackr'
import type { Wire } from './schema.ts'

// useRecords off: plain MessagePack, no extension of msgpackr's own. copyBuffers: a decoded hash must not keep a whole frame alive.
const packr = new Packr({ useRecords: false, int64AsType: 'number', copyBuffers: true })

/** A view of a large shared buffer: to be copied or compared before the next call. */
export function pack(value: Wire): Uint8Array {
  return packr.pack(value)
}

/** Throws anything for what is no MessagePack. It takes more than the protocol has: the codec compares. */
export function unpack(bytes: Uint8Array): Wire {
  return packr.unpack(bytes) as Wire
}
