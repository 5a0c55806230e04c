// The bytes of one file of the vote log. A header names what it is; batches follow, each checksummed as a whole and numbered on.
//
//   header  magic "DBVOTES\2" · chain tag 32 · public key 32 · log 16 · segment u32 · base u8 · first batch u48 · crc32 of the foregoing
//   batch   magic "DBvb" · number u48 · kind u8 · length u32 · crc32 of the foregoing · payload · crc32 of the payload
//   payload (kind 0, records) u32 length and bytes of each · (kind 1, seal) empty: another segment follows
//
// A batch is what one sync made durable, and the next is written only after that sync: so a crash can tear the last batch of the last
// segment and nothing else. A torn batch is short, or where the file system had grown the file before the data, zero from some sector on.
// Any other bad byte is damage to something that was acknowledged, and is never cut.
import { crc32 } from 'node:zlib'
import { equalBytes, utf8 } from '../primitives/bytes.ts'
import { voteBatchBytesMax, voteRecordBytesMax } from './limits.ts'

const fileMagic = utf8('DBVOTES\x02')
const batchMagic = utf8('DBvb')
const chainTagBytes = 32
const publicKeyBytes = 32
export const logIdBytes = 16
const ownerAt = fileMagic.length + chainTagBytes
const logAt = ownerAt + publicKeyBytes
const numbersAt = logAt + logIdBytes
const checkedBytes = numbersAt + 4 + 1 + 6
export const segmentHeaderBytes = checkedBytes + 4
const batchHeaderBytes = 4 + 6 + 1 + 4 + 4
const batchTrailerBytes = 4
const sectorBytes = 512
/** Records and their lengths; one record of the largest size always fits. */
export const payloadBytesMax = Math.max(voteBatchBytesMax, voteRecordBytesMax + 4)

/** Of what the segment is a part: the same in every segment of a log. */
export interface LogIdentity {
  readonly chainTag: Uint8Array
  /** Of the validator whose votes they are. */
  readonly publicKey: Uint8Array
  /** Drawn when the log is made, so that one that was thrown away is not taken for the one that followed it. */
  readonly log: Uint8Array
}

export interface SegmentHeader extends LogIdentity {
  readonly segment: number
  /** The log begins here: what stands in earlier segments is replaced. */
  readonly base: boolean
  readonly firstBatch: number
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const out = Buffer.alloc(segmentHeaderBytes)
  out.set(fileMagic, 0)
  out.set(header.chainTag, fileMagic.length)
  out.set(header.publicKey, ownerAt)
  out.set(header.log, logAt)
  out.writeUInt32BE(header.segment, numbersAt)
  out.writeUInt8(header.base ? 1 : 0, numbersAt + 4)
  out.writeUIntBE(header.firstBatch, numbersAt + 5, 6)
  out.writeUInt32BE(crc32(out.subarray(0, checkedBytes)), checkedBytes)
  return out
}

/** Undefined when any byte is not as written. */
export function decodeSegmentHeader(file: Buffer): SegmentHeader | undefined {
  if (file.length < segmentHeaderBytes || !equalBytes(file.subarray(0, fileMagic.length), fileMagic)) return undefined
  if (crc32(file.subarray(0, checkedBytes)) !== file.readUInt32BE(checkedBytes)) return undefined
  return {
    chainTag: file.subarray(fileMagic.length, ownerAt),
    publicKey: file.subarray(ownerAt, logAt),
    log: file.subarray(logAt, numbersAt),
    segment: file.readUInt32BE(numbersAt),
    base: file.readUInt8(numbersAt + 4) === 1,
    firstBatch: file.readUIntBE(numbersAt + 5, 6),
  }
}

export type BatchKind = 'records' | 'seal'

export function encodeBatch(number: number, kind: BatchKind, records: readonly Uint8Array[]): Buffer {
  let length = 0
  for (const record of records) length += 4 + record.length
  const out = Buffer.alloc(batchHeaderBytes + length + batchTrailerBytes)
  out.set(batchMagic, 0)
  out.writeUIntBE(number, 4, 6)
  out.writeUInt8(kind === 'seal' ? 1 : 0, 10)
  out.writeUInt32BE(length, 11)
  out.writeUInt32BE(crc32(out.subarray(0, 15)), 15)
  let at = batchHeaderBytes
  for (const record of records) {
    at = out.writeUInt32BE(record.length, at)
    out.set(record, at)
    at += record.length
  }
  out.writeUInt32BE(crc32(out.subarray(batchHeaderBytes, at)), at)
  return out
}

export interface SegmentContent {
  readonly records: readonly Uint8Array[]
  readonly sealed: boolean
  readonly nextBatch: number
  /** Up to here everything holds. */
  readonly goodBytes: number
  /** What begins at goodBytes, when something does. */
  readonly rest: 'none' | 'torn' | 'damaged'
}

export function readBatches(file: Buffer, firstBatch: number): SegmentContent {
  const records: Uint8Array[] = []
  let at = segmentHeaderBytes
  let number = firstBatch
  let sealed = false
  while (at < file.length && !sealed) {
    const batch = readBatch(file, at, number)
    if (batch === undefined) return { records, sealed, nextBatch: number, goodBytes: at, rest: isTorn(file, at, number) ? 'torn' : 'damaged' }
    for (const record of batch.records) records.push(record)
    sealed = batch.kind === 'seal'
    at = batch.end
    number++
  }
  return { records, sealed, nextBatch: number, goodBytes: at, rest: at < file.length ? 'damaged' : 'none' }
}

interface BatchHeader {
  readonly kind: BatchKind
  readonly payloadAt: number
  readonly payloadEnd: number
}

function readBatchHeader(file: Buffer, at: number, number: number): BatchHeader | undefined {
  if (at + batchHeaderBytes > file.length || !equalBytes(file.subarray(at, at + 4), batchMagic)) return undefined
  if (crc32(file.subarray(at, at + 15)) !== file.readUInt32BE(at + 15)) return undefined
  const length = file.readUInt32BE(at + 11)
  if (file.readUIntBE(at + 4, 6) !== number || length > payloadBytesMax) return undefined
  const payloadAt = at + batchHeaderBytes
  return { kind: file.readUInt8(at + 10) === 1 ? 'seal' : 'records', payloadAt, payloadEnd: payloadAt + length }
}

function readBatch(file: Buffer, at: number, number: number): { readonly records: readonly Uint8Array[]; readonly kind: BatchKind; readonly end: number } | undefined {
  const header = readBatchHeader(file, at, number)
  if (header === undefined || header.payloadEnd + batchTrailerBytes > file.length) return undefined
  if (crc32(file.subarray(header.payloadAt, header.payloadEnd)) !== file.readUInt32BE(header.payloadEnd)) return undefined
  const records: Uint8Array[] = []
  for (let next = header.payloadAt; next < header.payloadEnd; ) {
    const length = file.readUInt32BE(next)
    // a copy: a record must not keep its whole segment in memory
    records.push(new Uint8Array(file.subarray(next + 4, next + 4 + length)))
    next += 4 + length
  }
  return { records, kind: header.kind, end: header.payloadEnd + batchTrailerBytes }
}

/** Whether a crash during the write of batch `number` explains the bytes from `at` to the end of the file. */
function isTorn(file: Buffer, at: number, number: number): boolean {
  if (at + batchHeaderBytes > file.length) return equalBytes(file.subarray(at, at + 4), batchMagic.subarray(0, Math.min(4, file.length - at))) || hasZeroSector(file, at)
  const header = readBatchHeader(file, at, number)
  if (header !== undefined && header.payloadEnd + batchTrailerBytes > file.length) return true
  return hasZeroSector(file, at)
}

/** A whole sector's part of [at, end) is zero: it never reached the disk. */
function hasZeroSector(file: Buffer, at: number): boolean {
  for (let from = at; from < file.length; ) {
    const to = Math.min(file.length, (Math.floor(from / sectorBytes) + 1) * sectorBytes)
    if (file.subarray(from, to).every((byte) => byte === 0)) return true
    from = to
  }
  return false
}
