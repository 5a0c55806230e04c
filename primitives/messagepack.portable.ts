// MessagePack (github.com/msgpack/msgpack/blob/master/spec.md) in JavaScript, as much of it as the protocol has: for browsers and React Native, where msgpackr
// would be a fifth of the client, and makes functions from text, which a page's security policy may forbid.
import { fromUtf8, utf8 } from './bytes.ts'
import type { Wire } from './schema.ts'

const firstBytes = 256

/** The shortest form of every value. Integers that are no bigint are below 2^32, as schemas make them. */
export function pack(value: Wire): Uint8Array {
  const out = createWriter()
  write(out, value)
  return out.written()
}

/** Bytes of their own, as those of `pack` are here. */
export const packToKeep = pack

interface Writer {
  /** `width` bytes of a number, big-endian. */
  readonly number: (value: number, width: number) => void
  readonly bytes: (bytes: Uint8Array) => void
  readonly written: () => Uint8Array
}

function createWriter(): Writer {
  let buffer = new Uint8Array(firstBytes)
  let length = 0
  const room = (more: number): number => {
    if (length + more > buffer.length) {
      const larger = new Uint8Array(Math.max(2 * buffer.length, length + more))
      larger.set(buffer)
      buffer = larger
    }
    length += more
    return length - more
  }
  return {
    number: (value, width) => {
      const at = room(width)
      for (let i = 0; i < width; i++) buffer[at + i] = Math.floor(value / 2 ** (8 * (width - 1 - i))) & 0xff
    },
    bytes: (bytes) => {
      const at = room(bytes.length)
      buffer.set(bytes, at)
    },
    written: () => buffer.slice(0, length),
  }
}

function write(out: Writer, value: Wire): void {
  if (value === null) out.number(0xc0, 1)
  else if (typeof value === 'boolean') out.number(value ? 0xc3 : 0xc2, 1)
  else if (typeof value === 'number') head(out, value, 0x00, 0x7f, [0xcc, 0xcd, 0xce])
  else if (typeof value === 'bigint') {
    out.number(0xd3, 1)
    out.number(Number(value), 8)
  } else if (typeof value === 'string') {
    const bytes = utf8(value)
    head(out, bytes.length, 0xa0, 0x1f, [0xd9, 0xda, 0xdb])
    out.bytes(bytes)
  } else if (value instanceof Uint8Array) {
    head(out, value.length, 0, -1, [0xc4, 0xc5, 0xc6])
    out.bytes(value)
  } else {
    head(out, value.length, 0x90, 0x0f, [undefined, 0xdc, 0xdd])
    for (const item of value) write(out, item)
  }
}

/** A number of up to 32 bits: within its first byte, or behind it in 1, 2 or 4 bytes, whichever is there and has room first. */
function head(out: Writer, value: number, fix: number, fixMax: number, [one, two, four]: readonly [number | undefined, number, number]): void {
  if (value <= fixMax) out.number(fix | value, 1)
  else if (value <= 0xff && one !== undefined) out.number(one * 2 ** 8 + value, 2)
  else if (value <= 0xffff) out.number(two * 2 ** 16 + value, 3)
  else out.number(four * 2 ** 32 + value, 5)
}

/** Throws anything for what is no MessagePack of the protocol, bytes behind the value included. Longer forms of a value are read: the codec compares. */
export function unpack(bytes: Uint8Array): Wire {
  // copies: a hash must not keep the whole of it alive
  return readAll(bytes, (from, to) => bytes.slice(from, to))
}

/** The same; byte strings are views of `bytes`. */
export function unpackInPlace(bytes: Uint8Array): Wire {
  return readAll(bytes, (from, to) => bytes.subarray(from, to))
}

function readAll(bytes: Uint8Array, part: (from: number, to: number) => Uint8Array): Wire {
  let at = 0
  const take = (length: number): Uint8Array => {
    if (at + length > bytes.length) throw new Error('the bytes end too early')
    at += length
    return part(at - length, at)
  }
  const number = (width: number): number => take(width).reduce((value, byte) => value * 256 + byte, 0)
  const items = (count: number): readonly Wire[] => {
    const list: Wire[] = []
    for (let i = 0; i < count; i++) list.push(read())
    return list
  }
  const read = (): Wire => {
    const first = number(1)
    if (first <= 0x7f) return first
    if (first >= 0x90 && first <= 0x9f) return items(first & 0x0f)
    if (first >= 0xa0 && first <= 0xbf) return fromUtf8(take(first & 0x1f))
    switch (first) {
      case 0xc0: return null
      case 0xc2: return false
      case 0xc3: return true
      case 0xc4: return take(number(1))
      case 0xc5: return take(number(2))
      case 0xc6: return take(number(4))
      case 0xcc: return number(1)
      case 0xcd: return number(2)
      case 0xce: return number(4)
      case 0xd3: return number(8)
      case 0xd9: return fromUtf8(take(number(1)))
      case 0xda: return fromUtf8(take(number(2)))
      case 0xdb: return fromUtf8(take(number(4)))
      case 0xdc: return items(number(2))
      case 0xdd: return items(number(4))
      default: throw new Error(`byte ${first} begins no value of the protocol`)
    }
  }
  const value = read()
  if (at !== bytes.length) throw new Error('there are bytes behind the value')
  return value
}
