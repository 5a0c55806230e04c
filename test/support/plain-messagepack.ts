// A second encoder and decoder of canonical MessagePack, written from docs/protocol.md section 1 alone and sharing no code with ours:
// what the vectors are checked against, and a pattern for other languages.
import { Buffer } from 'node:buffer'

/** A value as it travels: text and bytes are told apart, everything else is as in JSON. */
export type Tree = number | boolean | null | { readonly text: string } | { readonly bytes: string } | readonly Tree[]

export function plainEncode(tree: Tree): Buffer {
  if (tree === null) return Buffer.of(0xc0)
  if (tree === false) return Buffer.of(0xc2)
  if (tree === true) return Buffer.of(0xc3)
  if (typeof tree === 'number') return encodeInteger(tree)
  if (Array.isArray(tree)) return Buffer.concat([head(tree.length, [[15, (n) => [0x90 | n]], [0xffff, (n) => [0xdc, ...big(n, 2)]], [0xffff_ffff, (n) => [0xdd, ...big(n, 4)]]]), ...(tree as readonly Tree[]).map(plainEncode)])
  if ('text' in tree) {
    const utf8 = Buffer.from(tree.text, 'utf8')
    return Buffer.concat([head(utf8.length, [[31, (n) => [0xa0 | n]], [0xff, (n) => [0xd9, n]], [0xffff, (n) => [0xda, ...big(n, 2)]], [0xffff_ffff, (n) => [0xdb, ...big(n, 4)]]]), utf8])
  }
  const raw = Buffer.from((tree as { readonly bytes: string }).bytes, 'hex')
  return Buffer.concat([head(raw.length, [[0xff, (n) => [0xc4, n]], [0xffff, (n) => [0xc5, ...big(n, 2)]], [0xffff_ffff, (n) => [0xc6, ...big(n, 4)]]]), raw])
}

function encodeInteger(value: number): Buffer {
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`not an integer of the protocol: ${value}`)
  if (value > 0xffff_ffff) return Buffer.from([0xd3, ...big(value, 8)])
  return head(value, [[0x7f, (n) => [n]], [0xff, (n) => [0xcc, n]], [0xffff, (n) => [0xcd, ...big(n, 2)]], [0xffff_ffff, (n) => [0xce, ...big(n, 4)]]])
}

/** The first form that has room. */
function head(n: number, forms: readonly (readonly [max: number, bytes: (n: number) => readonly number[]])[]): Buffer {
  const form = forms.find(([max]) => n <= max)
  if (form === undefined) throw new Error(`no form for a length of ${n}`)
  return Buffer.from(form[1](n))
}

function big(value: number, width: number): number[] {
  return Array.from({ length: width }, (_, i) => Number((BigInt(value) >> BigInt(8 * (width - 1 - i))) & 0xffn))
}

/** Undefined for anything but the canonical encoding of a tree. */
export function plainDecode(bytes: Uint8Array): Tree | undefined {
  const buffer = Buffer.from(bytes)
  try {
    const [tree, end] = decodeAt(buffer, 0)
    // canonical: encoding again gives the same bytes, to the last
    return end === buffer.length && plainEncode(tree).equals(buffer) ? tree : undefined
  } catch {
    return undefined
  }
}

function decodeAt(buffer: Buffer, at: number): readonly [Tree, number] {
  const first = buffer.readUInt8(at)
  const next = at + 1
  if (first <= 0x7f) return [first, next]
  if (first >= 0x90 && first <= 0x9f) return items(buffer, next, first & 15)
  if (first >= 0xa0 && first <= 0xbf) return text(buffer, next, first & 31)
  switch (first) {
    case 0xc0: return [null, next]
    case 0xc2: return [false, next]
    case 0xc3: return [true, next]
    case 0xc4: return raw(buffer, next + 1, buffer.readUInt8(next))
    case 0xc5: return raw(buffer, next + 2, buffer.readUInt16BE(next))
    case 0xc6: return raw(buffer, next + 4, buffer.readUInt32BE(next))
    case 0xcc: return [buffer.readUInt8(next), next + 1]
    case 0xcd: return [buffer.readUInt16BE(next), next + 2]
    case 0xce: return [buffer.readUInt32BE(next), next + 4]
    case 0xd3: return [Number(buffer.readBigInt64BE(next)), next + 8]
    case 0xd9: return text(buffer, next + 1, buffer.readUInt8(next))
    case 0xda: return text(buffer, next + 2, buffer.readUInt16BE(next))
    case 0xdb: return text(buffer, next + 4, buffer.readUInt32BE(next))
    case 0xdc: return items(buffer, next + 2, buffer.readUInt16BE(next))
    case 0xdd: return items(buffer, next + 4, buffer.readUInt32BE(next))
    default: throw new Error(`byte ${first} begins no value of the protocol`)
  }
}

function items(buffer: Buffer, at: number, count: number): readonly [Tree, number] {
  const list: Tree[] = []
  let next = at
  for (let i = 0; i < count; i++) {
    const [tree, end] = decodeAt(buffer, next)
    list.push(tree)
    next = end
  }
  return [list, next]
}

function slice(buffer: Buffer, at: number, length: number): Buffer {
  if (at + length > buffer.length) throw new Error('the bytes end too early')
  return buffer.subarray(at, at + length)
}

function text(buffer: Buffer, at: number, length: number): readonly [Tree, number] {
  return [{ text: slice(buffer, at, length).toString('utf8') }, at + length]
}

function raw(buffer: Buffer, at: number, length: number): readonly [Tree, number] {
  return [{ bytes: slice(buffer, at, length).toString('hex') }, at + length]
}
