// The vote log: what binds a validator, on the disk before what rests on it leaves the machine. Files <folder>/<number>.votes, one after the other, and
// a marker votes.json, so that a folder that was emptied is not taken for a new validator's. docs/consensus.md says what the records are.
//
// Order of making a segment: written, synced, renamed into place, folder synced; only then is the one before it sealed, and only after
// that does it take records. So a sealed segment without a successor, an unsealed one before a used one, or a gap is damage.
// The folder has no lock of its own: the store is opened first, and LevelDB's LOCK keeps a second process out of the whole data folder.
import { closeSync, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, write, writeSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { equalBytes, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { taggedHash } from '../primitives/hash.ts'
import { codeOfSystem, isMissing, syncFolder, writeFileAtomically } from './files.ts'
import { voteAppendsWaitingMax, voteBatchBytesMax, voteRecordBytesMax, voteSegmentBytesMax, voteWriteInlineMax } from './limits.ts'
import { markUsed, useOf } from './unused-key.ts'
import { decodeSegmentHeader, encodeBatch, encodeSegmentHeader, logIdBytes, type LogIdentity, readBatches, segmentHeaderBytes, type SegmentHeader } from './vote-segment.ts'
import type { Log, OpenedVoteLog, VotePosition } from './world.ts'

const writeAt = promisify(write)
const syncData = promisify(fdatasync)
const markerName = 'votes.json'
const segmentName = /^(\d{8})\.votes$/
const wayOut = 'Nothing was changed. Start over as a validator whose votes are lost (dongbaek resync), which follows the others before it votes; an older copy in its place would let this validator contradict itself'

export interface VoteLogOptions {
  readonly folder: string
  readonly chainId: string
  /** Whose votes they are: another validator's are refused. */
  readonly publicKey: Uint8Array
  readonly log: Log
  /** What the log of a key that was never used begins with (unused-key.ts). */
  readonly firstRecords?: readonly Uint8Array[]
  /** For tests; voteSegmentBytesMax otherwise. */
  readonly segmentBytesMax?: number
}

interface Segment {
  readonly number: number
  readonly handle: number
  sizeBytes: number
}

type Job =
  | { readonly type: 'append'; readonly records: readonly Uint8Array[]; readonly bytes: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }
  | { readonly type: 'rewrite' | 'renew'; readonly records: readonly Uint8Array[]; readonly resolve: () => void; readonly reject: (error: unknown) => void }

export function votesFolder(dataDir: string): string {
  return join(dataDir, 'votes')
}

/**
 * Opens or creates the log and reads it whole. Throws `votelog/damaged`, `votelog/missing`, `votelog/other-chain`, `votelog/other-validator`,
 * `votelog/failed`;
 * a refused log is left as it is.
 */
export function openVoteLog(options: VoteLogOptions): OpenedVoteLog {
  const { folder } = options
  const log = options.log.child({ part: 'votes' })
  const owner: Owner = { chainTag: taggedHash('votes', utf8(options.chainId)), publicKey: options.publicKey }
  const segmentBytesMax = options.segmentBytesMax ?? voteSegmentBytesMax
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const found = readFolder(folder, owner, log, options.firstRecords ?? [])
    return run(options, owner, segmentBytesMax, log, found)
  } catch (cause) {
    if (cause instanceof DongbaekError) throw cause
    throw new DongbaekError('votelog/failed', `cannot open the vote log in ${folder} (${codeOfSystem(cause)}). Check the disk and the folder's permissions`, { folder }, { cause })
  }
}

/** What every segment must bear. */
type Owner = Omit<LogIdentity, 'log'>

interface Found {
  readonly log: Uint8Array
  readonly created: boolean
  readonly records: readonly Uint8Array[]
  readonly cutBytes: number
  readonly last: Segment
  /** Sizes of the segments before the last. */
  readonly earlier: readonly { readonly number: number; readonly sizeBytes: number }[]
  readonly nextBatch: number
}

function readFolder(folder: string, owner: Owner, log: Log, firstRecords: readonly Uint8Array[]): Found {
  const names = readdirSync(folder)
  for (const name of names) if (name.endsWith('.tmp')) rmSync(join(folder, name))
  const numbers = names
    .map((name) => Number(segmentName.exec(name)?.[1] ?? Number.NaN))
    .filter((number) => !Number.isNaN(number))
    .sort((a, b) => a - b)
  const marked = names.includes(markerName)
  if (numbers.length === 0) {
    if (marked) throw new DongbaekError('votelog/missing', `${join(folder, markerName)} says that there are votes, and there are none. ${wayOut}`, { folder })
    const use = useOf(folder, owner.publicKey)
    if (use === 'other-key') log.warn('unused-key-ignored', { folder, why: 'unused.json is not of the key in the keystore: this validator follows before it votes' })
    return createFirst(folder, owner, use === 'unused' ? firstRecords : [])
  }
  markUsed(folder)
  const files = numbers.map((number) => readSegment(folder, number, owner))
  // the log begins at the last base; what stands before it is left of an interrupted rewrite
  const baseAt = files.findLastIndex((file) => file.header.base)
  if (baseAt < 0) throw damaged(pathOf(folder, (numbers[0] as number) - 1), 0, 'the segment is missing')
  for (const file of files.slice(0, baseAt)) rmSync(pathOf(folder, file.header.segment))
  if (baseAt > 0) syncFolder(folder)
  if (!marked) writeMarker(folder)
  return readChain(folder, files.slice(baseAt) as [SegmentFile, ...SegmentFile[]], log)
}

interface SegmentFile {
  readonly header: SegmentHeader
  readonly bytes: Buffer
}

function readSegment(folder: string, number: number, { chainTag, publicKey }: Owner): SegmentFile {
  const path = pathOf(folder, number)
  const bytes = readFileSync(path)
  const header = decodeSegmentHeader(bytes)
  if (header === undefined || header.segment !== number) throw damaged(path, 0, 'the header does not hold')
  if (!equalBytes(header.chainTag, chainTag)) throw new DongbaekError('votelog/other-chain', `${path} belongs to another chain. Point dataDir at this chain's own folder`, { path })
  if (!equalBytes(header.publicKey, publicKey)) throw new DongbaekError('votelog/other-validator', `${path} holds the votes of another validator. Point dataDir at this validator's own folder. ${wayOut}`, { path })
  return { header, bytes }
}

function readChain(folder: string, files: readonly [SegmentFile, ...SegmentFile[]], ownLog: Log): Found {
  const records: Uint8Array[] = []
  const { log } = files[0].header
  let nextBatch = files[0].header.firstBatch
  let cutBytes = 0
  let last: Segment | undefined
  const earlier: { number: number; sizeBytes: number }[] = []
  files.forEach(({ header, bytes }, i) => {
    const path = pathOf(folder, header.segment)
    const previous = files[i - 1]
    if (previous !== undefined && header.segment !== previous.header.segment + 1) throw damaged(pathOf(folder, previous.header.segment + 1), 0, 'the segment is missing')
    if (header.firstBatch !== nextBatch || !equalBytes(header.log, log)) throw damaged(path, 0, 'it does not follow on the segment before it')
    const content = readBatches(bytes, header.firstBatch)
    const isLast = i === files.length - 1
    // the successor was made and not yet used: a crash may have torn the seal, or come before it
    const successorUnused = !isLast && (files[i + 1] as SegmentFile).bytes.length <= segmentHeaderBytes
    if (content.rest === 'damaged' || (content.rest === 'torn' && !isLast && !successorUnused)) throw damaged(path, content.goodBytes, 'a batch of votes does not hold')
    if (isLast && content.sealed) throw damaged(pathOf(folder, header.segment + 1), 0, 'the segment is missing')
    if (!isLast && !content.sealed && !successorUnused) throw damaged(path, content.goodBytes, 'the end of the segment is missing')
    for (const record of content.records) records.push(record)
    nextBatch = content.nextBatch
    if (!isLast) {
      if (!content.sealed) seal(path, content.goodBytes, nextBatch++)
      earlier.push({ number: header.segment, sizeBytes: content.goodBytes })
      return
    }
    const handle = openSync(path, 'r+')
    if (content.rest === 'torn') {
      cutBytes = bytes.length - content.goodBytes
      ftruncateSync(handle, content.goodBytes)
    }
    // what a process that was killed has written and not synced is read here too, and votes go out again on it
    fsyncSync(handle)
    if (cutBytes > 0) {
      ownLog.warn('vote-log-tail-cut', { path, offset: content.goodBytes, cutBytes, why: 'a write was interrupted; it was never acknowledged' })
    }
    last = { number: header.segment, handle, sizeBytes: content.goodBytes }
  })
  return { log: new Uint8Array(log), created: false, records, cutBytes, last: last as Segment, earlier, nextBatch }
}

function createFirst(folder: string, owner: Owner, records: readonly Uint8Array[]): Found {
  const log = randomBytes(logIdBytes)
  const batches = splitIntoBatches(records)
  const last = makeSegment(folder, { ...owner, log, segment: 1, base: true, firstBatch: 1 }, Buffer.concat(batches.map((batch, i) => encodeBatch(1 + i, 'records', batch))))
  writeMarker(folder)
  markUsed(folder)
  return { log, created: true, records, cutBytes: 0, last, earlier: [], nextBatch: 1 + batches.length }
}

function writeMarker(folder: string): void {
  writeFileAtomically(join(folder, markerName), utf8(`${JSON.stringify({ format: 'dongbaek-votes', version: 1 })}\n`), 0o600)
}

function makeSegment(folder: string, header: SegmentHeader, batches: Buffer | undefined): Segment {
  const path = pathOf(folder, header.segment)
  const temporary = `${path}.tmp`
  rmSync(temporary, { force: true })
  const handle = openSync(temporary, 'wx', 0o600)
  const bytes = batches === undefined ? encodeSegmentHeader(header) : Buffer.concat([encodeSegmentHeader(header), batches])
  for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
  fsyncSync(handle)
  renameSync(temporary, path)
  syncFolder(folder)
  return { number: header.segment, handle, sizeBytes: bytes.length }
}

function seal(path: string, at: number, batch: number): void {
  const handle = openSync(path, 'r+')
  ftruncateSync(handle, at)
  writeSync(handle, encodeBatch(batch, 'seal', []), 0, undefined, at)
  fdatasyncSync(handle)
  closeSync(handle)
}

function run(options: VoteLogOptions, owner: Owner, segmentBytesMax: number, log: Log, found: Found): OpenedVoteLog {
  const { folder } = options
  let { last: segment, nextBatch } = found
  let earlier = [...found.earlier]
  let identity: LogIdentity = { ...owner, log: found.log }
  let durable: VotePosition = { log: found.log, batch: nextBatch - 1 }
  let jobs: Job[] = []
  let working: Promise<void> | undefined
  let failure: DongbaekError | undefined
  let closed = false

  async function writeBatch(records: readonly Uint8Array[]): Promise<void> {
    if (segment.sizeBytes >= segmentBytesMax) roll()
    const bytes = encodeBatch(nextBatch, 'records', records)
    // a small write only reaches the page cache: a hop to another thread and back would cost more than it (0.08 of 0.44 ms)
    const inline = bytes.length <= voteWriteInlineMax
    for (let at = 0; at < bytes.length; ) {
      const [length, position] = [bytes.length - at, segment.sizeBytes + at]
      at += inline ? writeSync(segment.handle, bytes, at, length, position) : (await writeAt(segment.handle, bytes, at, length, position)).bytesWritten
    }
    await syncData(segment.handle)
    segment.sizeBytes += bytes.length
    nextBatch++
  }

  /** Rare (one in voteSegmentBytesMax), so it may block. */
  function roll(): void {
    // the seal of the old segment takes one number before the new one begins
    const next = makeSegment(folder, { ...identity, segment: segment.number + 1, base: false, firstBatch: nextBatch + 1 }, undefined)
    writeSync(segment.handle, encodeBatch(nextBatch, 'seal', []), 0, undefined, segment.sizeBytes)
    fdatasyncSync(segment.handle)
    closeSync(segment.handle)
    earlier.push({ number: segment.number, sizeBytes: segment.sizeBytes })
    segment = next
    nextBatch++
  }

  function replace(records: readonly Uint8Array[]): void {
    const header = { ...identity, segment: segment.number + 1, base: true, firstBatch: nextBatch }
    const batches = splitIntoBatches(records).map((batch) => encodeBatch(nextBatch++, 'records', batch))
    const next = makeSegment(folder, header, Buffer.concat(batches))
    closeSync(segment.handle)
    for (const { number } of [...earlier, segment]) rmSync(pathOf(folder, number))
    syncFolder(folder)
    earlier = []
    segment = next
  }

  /** Takes as many waiting appends as one batch holds: they share the sync. */
  function takeAppends(): Extract<Job, { type: 'append' }>[] {
    const taken: Extract<Job, { type: 'append' }>[] = []
    let bytes = 0
    for (const job of jobs) {
      if (job.type !== 'append' || (taken.length > 0 && bytes + job.bytes > voteBatchBytesMax)) break
      taken.push(job)
      bytes += job.bytes
    }
    jobs = jobs.slice(taken.length)
    return taken
  }

  async function work(): Promise<void> {
    while (jobs.length > 0) {
      const first = jobs[0] as Job
      const taken: readonly Job[] = first.type === 'append' ? takeAppends() : jobs.splice(0, 1)
      try {
        if (first.type === 'renew') identity = { ...owner, log: randomBytes(logIdBytes) }
        if (first.type !== 'append') replace(first.records)
        else for (const batch of splitIntoBatches(taken.flatMap((job) => job.records))) await writeBatch(batch)
        durable = { log: identity.log, batch: nextBatch - 1 }
        for (const job of taken) job.resolve()
      } catch (cause) {
        const error = fail(cause)
        for (const job of [...taken, ...jobs]) job.reject(error)
        jobs = []
      }
    }
    working = undefined
  }

  function fail(cause: unknown): DongbaekError {
    failure = new DongbaekError(
      'votelog/failed',
      `writing the vote log in ${folder} failed (${codeOfSystem(cause)}); this validator can sign nothing more. Make room or replace the disk, then restart`,
      { folder, cause: codeOfSystem(cause) },
      { cause },
    )
    log.error('vote-log-failed', { folder, error: failure })
    return failure
  }

  function submit(type: Job['type'], records: readonly Uint8Array[]): Promise<void> {
    if (failure !== undefined) return Promise.reject(failure)
    if (closed) return Promise.reject(new DongbaekError('votelog/closed', 'the vote log is closed'))
    if (jobs.length >= voteAppendsWaitingMax) return Promise.reject(new DongbaekError('votelog/busy', `${jobs.length} appends wait for the disk`))
    let bytes = 0
    for (const record of records) {
      if (record.length > voteRecordBytesMax) return Promise.reject(new DongbaekError('votelog/too-large', `a record of ${record.length} bytes where at most ${voteRecordBytesMax} are allowed`))
      bytes += record.length + 4
    }
    if (type === 'append' && records.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      jobs.push(type === 'append' ? { type, records, bytes, resolve, reject } : { type, records, resolve, reject })
      working ??= Promise.resolve().then(work)
    })
  }

  return {
    records: found.records,
    cutBytes: found.cutBytes,
    created: found.created,
    log: {
      append: (records) => submit('append', records),
      rewrite: (records) => submit('rewrite', records),
      renew: () => submit('renew', []),
      position: () => durable,
      sizeBytes: () => earlier.reduce((sum, { sizeBytes }) => sum + sizeBytes, segment.sizeBytes),
      async close() {
        if (closed) return
        closed = true
        await working
        closeSync(segment.handle)
      },
    },
  }
}

function splitIntoBatches(records: readonly Uint8Array[]): Uint8Array[][] {
  const batches: Uint8Array[][] = []
  let bytes = Infinity
  for (const record of records) {
    if (bytes + record.length + 4 > voteBatchBytesMax) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)?.push(record)
    bytes += record.length + 4
  }
  return batches
}

function pathOf(folder: string, number: number): string {
  return join(folder, `${String(number).padStart(8, '0')}.votes`)
}

function damaged(path: string, offset: number, what: string): DongbaekError {
  return new DongbaekError('votelog/damaged', `${path}, byte ${offset}: ${what}. ${wayOut}`, { path, offset })
}

/** Whether a vote log is in the folder: for the commands that look before the node runs. */
export function hasVoteLog(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name === markerName || segmentName.test(name))
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
