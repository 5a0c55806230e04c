// Making a snapshot: the state of a certified height, read once while blocks go on (past-state.ts), sorted into the parts of the state tree by way of
// files, and written into a folder that appears under its name when it is whole. Memory: one write buffer for each of 256 buckets, then one bucket.
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { appendFile, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { compareBytes, equalBytes, toHex } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import { keyHashOf } from '../state/proof.ts'
import { cutParts, encodePart, entryBytes, joinParts, parseEntries, partOf, type SnapshotEntry, type SnapshotPart, subtreeOf, writeEntry } from '../state/snapshot.ts'
import { syncFolder, writeFileAtomically } from './files.ts'
import { snapshotBufferBytes } from './limits.ts'
import { encodeManifest, type Manifest } from './snapshot-exchange.ts'
import type { PastState } from './past-state.ts'

const manifestFile = 'manifest'
const bucketDepth = 2
const checksumBytes = 4

export interface MakeSnapshot {
  /** Of the height that `certificate` certifies. */
  readonly state: Pick<PastState, 'entries'>
  readonly certificate: CheckpointCertificate
  /** Must not be there yet; what an earlier attempt left beside it is removed. */
  readonly folder: string
  /** Called every few milliseconds of work: a node that votes lets others have their turn here. Rejects to give up. */
  readonly rest: () => Promise<void>
}

/** Throws `store/damaged` when the state read does not come to the certified root, and what `rest` throws. */
export async function makeSnapshot({ state, certificate, folder, rest }: MakeSnapshot): Promise<Manifest> {
  const temporary = `${folder}.tmp`
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary, { recursive: true, mode: 0o700 })
  try {
    const sizes = await fillBuckets(state, temporary, rest)
    const parts: SnapshotPart[] = []
    for (const prefix of cutParts('', (under) => sumUnder(sizes, under), bucketDepth)) {
      const entries = (await Promise.all([...sizes.keys()].filter((bucket) => bucket.startsWith(prefix)).map((bucket) => readFile(bucketFile(temporary, bucket))))).flatMap((content) => parseEntries(content))
      entries.sort((a, b) => compareBytes(a.keyHash, b.keyHash))
      for (const cut of cutParts(prefix, (under) => bytesOf(entriesUnder(entries, under)), 64)) {
        const own = entriesUnder(entries, cut)
        const body = encodePart(own)
        await writeSynced(partFile(temporary, parts.length), body)
        parts.push(partOf(subtreeOf(own, cut).node, cut))
        await rest()
      }
    }
    const made = { certificate, parts }
    if (!equalBytes(joinParts(parts)?.root ?? new Uint8Array(), certificate.content.stateRoot)) {
      throw new DongbaekError('store/damaged', `the state of block ${certificate.content.height} as it is stored here is not the certified one. Rebuild this node from its peers: dongbaek resync`, { height: certificate.content.height })
    }
    for (const bucket of sizes.keys()) rmSync(bucketFile(temporary, bucket))
    writeFileAtomically(join(temporary, manifestFile), encodeManifest(made), 0o600)
    renameSync(temporary, folder)
    syncFolder(join(folder, '..'))
    return made
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    throw error
  }
}

/** Throws `file/…` of the system when there is none, `codec/…` when it is no manifest. */
export function readManifestFile(folder: string): Uint8Array {
  return readFileSync(join(folder, manifestFile))
}

/** The bytes of a part. Throws `snapshot/damaged` when the file is not what was written. */
export async function readPartFile(folder: string, index: number): Promise<Uint8Array> {
  const sealed = await readFile(partFile(folder, index))
  const length = sealed.length - checksumBytes
  const body = new Uint8Array(sealed.buffer, sealed.byteOffset, Math.max(0, length))
  if (length < 0 || sealed.readUInt32BE(length) !== crc32(body)) throw new DongbaekError('snapshot/damaged', `part ${index} of the snapshot in ${folder} is damaged. Remove the folder: the next one is made by itself`, { folder, index })
  return body
}

export function partFile(folder: string, index: number): string {
  return join(folder, `${String(index).padStart(6, '0')}.part`)
}

function bucketFile(folder: string, bucket: string): string {
  return join(folder, `${bucket}.bucket`)
}

interface Bucket {
  readonly name: string
  /** Bytes of its entries. */
  size: number
  /** What is not in its file yet. */
  readonly buffer: Uint8Array
  readonly view: DataView
  held: number
}

function emptyBucket(first: number): Bucket {
  const buffer = new Uint8Array(snapshotBufferBytes)
  return { name: toHex(Uint8Array.of(first)), size: 0, buffer, view: new DataView(buffer.buffer), held: 0 }
}

/** Sorts all entries into files by the first byte of their key hash. Bytes of the entries of each, by its prefix. */
async function fillBuckets(state: MakeSnapshot['state'], folder: string, rest: () => Promise<void>): Promise<ReadonlyMap<string, number>> {
  const buckets: (Bucket | undefined)[] = []
  const flush = async (bucket: Bucket): Promise<void> => {
    await appendFile(bucketFile(folder, bucket.name), bucket.buffer.subarray(0, bucket.held))
    bucket.held = 0
  }
  let read = 0
  for await (const [key, value] of state.entries()) {
    const first = keyHashOf(key)[0] as number
    const bucket = (buckets[first] ??= emptyBucket(first))
    const bytes = entryBytes(key, value)
    bucket.size += bytes
    if (bucket.held + bytes > snapshotBufferBytes) await flush(bucket)
    if (bytes > snapshotBufferBytes) await appendFile(bucketFile(folder, bucket.name), encodePart([{ key, value }]))
    else bucket.held = writeEntry(bucket.buffer, bucket.view, bucket.held, key, value)
    if (++read % 500 === 0) await rest()
  }
  const filled = buckets.filter((bucket) => bucket !== undefined)
  for (const bucket of filled) if (bucket.held > 0) await flush(bucket)
  return new Map(filled.map(({ name, size }) => [name, size]))
}

function sumUnder(sizes: ReadonlyMap<string, number>, prefix: string): number {
  let sum = 0
  for (const [bucket, bytes] of sizes) if (bucket.startsWith(prefix)) sum += bytes
  return sum
}

function entriesUnder(entries: readonly SnapshotEntry[], prefix: string): readonly SnapshotEntry[] {
  return prefix.length <= bucketDepth ? entries : entries.filter(({ keyHash }) => toHex(keyHash).startsWith(prefix))
}

function bytesOf(entries: readonly SnapshotEntry[]): number {
  return entries.length === 1 ? 1 : entries.reduce((sum, { key, value }) => sum + entryBytes(key, value), 0)
}

async function writeSynced(path: string, body: Uint8Array): Promise<void> {
  const checksum = new Uint8Array(checksumBytes)
  new DataView(checksum.buffer).setUint32(0, crc32(body))
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writev([body, checksum])
    await file.sync()
  } finally {
    await file.close()
  }
}
