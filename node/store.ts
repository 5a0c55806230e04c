// The store over LevelDB (classic-level). LevelDB itself lets damage pass: a flipped byte gives a wrong value, a deleted CURRENT an empty
// database. So every value carries a checksum of its own, over its key too (a value under another key is no value), and a marker file beside
// the database says that it must be there. CRC-32 in four bytes: it is to notice damage, not an attacker, who would write the checksum as well;
// against those every value of weight hangs on a certified root. LevelDB skips what is damaged in its log, so that a database may be found empty: once something was synced the marker says that too.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { Level } from 'level'
import type { ClassicLevel } from 'classic-level'
import { toHex, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { damagedStore, rebuildWay as wayOut } from './damage.ts'
import { codeOfSystem, writeFileAtomically } from './files.ts'
import { storeCacheBytes, storeFillRows, storePendingBatchesMax, storePendingBytesMax, storePendingMsMax, storeReadersMax, storeWriteBufferBytes } from './limits.ts'
import { createPendingWrites, pageWith, type PendingWrites, plainBytes } from './pending-writes.ts'
import { createReadWriteLock } from './read-write-lock.ts'
import { lend, pageLimit, readerBy } from './store-range.ts'
import type { Store, StoreEntry, StoreOp, StoreReader } from './world.ts'

type Database = ClassicLevel<Uint8Array, Uint8Array>

const checksumBytes = 4
const scrubRounds = 3
const formatVersion = 1

export interface StoreOptions {
  /** The database's folder; the marker stands beside it as `<folder>.json`. */
  readonly folder: string
  readonly chainId: string
}

/**
 * Opens or creates. Throws `store/missing` (the marker is there and the database is not), `store/unmarked` (the other way round),
 * `store/other-chain`, `store/format`, `store/locked` (another process has it), `store/damaged`, `store/failed`.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { folder } = options
  const marker = readMarker(options)
  const marked = marker !== undefined
  const present = existsSync(folder) && readdirSync(folder).length > 0
  if (marked && !present) throw new DongbaekError('store/missing', `the database ${folder} is gone, though ${markerOf(folder)} says that it was made. ${wayOut}`, { folder })
  if (!marked) mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
  const database = await openDatabase(folder, !marked)
  if (marker?.filled === true && (await isEmpty(database, folder))) {
    await database.close()
    throw damagedStore(folder, 'it is empty, and was not')
  }
  if (!marked) {
    if (present && !(await isEmpty(database, folder))) {
      await database.close()
      throw new DongbaekError('store/unmarked', `the database ${folder} holds data, but ${markerOf(folder)} is gone, so nothing says whose it is. ${wayOut}`, { folder })
    }
    writeMarker(options, false)
  }
  return createStore(database, folder, marker?.filled === true ? () => {} : () => writeMarker(options, true))
}

/** Removes the database and its marker, for a resync. No process may have it open. */
export function destroyStore(folder: string): void {
  // the marker last: interrupted, the next start refuses instead of starting empty
  rmSync(folder, { recursive: true, force: true })
  rmSync(markerOf(folder), { force: true })
}

function markerOf(folder: string): string {
  return `${folder}.json`
}

function writeMarker({ folder, chainId }: StoreOptions, filled: boolean): void {
  writeFileAtomically(markerOf(folder), utf8(`${JSON.stringify({ format: 'dongbaek-store', version: formatVersion, chainId, filled })}\n`), 0o600)
}

/** `filled`: something was synced, so that the database cannot be empty. */
function readMarker({ folder, chainId }: StoreOptions): { readonly filled: boolean } | undefined {
  const path = markerOf(folder)
  if (!existsSync(path)) return undefined
  let marker: { readonly format?: unknown; readonly version?: unknown; readonly chainId?: unknown; readonly filled?: unknown }
  try {
    marker = JSON.parse(readFileSync(path, 'utf8')) as typeof marker
  } catch (cause) {
    throw new DongbaekError('store/damaged', `${path} is not what this node wrote. ${wayOut}`, { path }, { cause })
  }
  if (marker.format !== 'dongbaek-store' || marker.version !== formatVersion)
    throw new DongbaekError('store/format', `${path} names format ${String(marker.version)}; this version reads ${formatVersion}. Use the version that wrote it, or rebuild: dongbaek resync`, { path })
  if (marker.chainId !== chainId) throw new DongbaekError('store/other-chain', `${folder} belongs to chain ${String(marker.chainId)}, not ${chainId}. Point dataDir at this chain's own folder`, { folder, chainId })
  return { filled: marker.filled === true }
}

async function openDatabase(folder: string, createIfMissing: boolean): Promise<Database> {
  const level = new Level<Uint8Array, Uint8Array>(folder, { keyEncoding: 'view', valueEncoding: 'view' }) as unknown as Database
  try {
    await level.open({ createIfMissing, cacheSize: storeCacheBytes, writeBufferSize: storeWriteBufferBytes })
    return level
  } catch (error) {
    const cause = (error as { readonly cause?: unknown }).cause ?? error
    const code = codeOfSystem(cause)
    const text = String(cause)
    if (code === 'LEVEL_LOCKED') throw new DongbaekError('store/locked', `${folder} is open in another process. Stop that one first`, { folder }, { cause: error })
    if (/does not exist/.test(text)) throw new DongbaekError('store/missing', `the database in ${folder} has lost its CURRENT file. ${wayOut}`, { folder }, { cause: error })
    if (code === 'LEVEL_CORRUPTION' || /orruption/.test(text)) throw damagedStore(folder, text, {}, error)
    throw new DongbaekError('store/failed', `cannot open ${folder} (${text}). Check the disk and the folder's permissions. When a file is missing or cut short, rebuild this node from its peers: dongbaek resync`, { folder }, { cause: error })
  }
}

/** The value with its checksum, as it lies on the disk. */
export function sealValue(key: Uint8Array, value: Uint8Array): Uint8Array {
  const { length } = value
  const checksum = crc32(value, crc32(key))
  const out = Buffer.allocUnsafe(length + checksumBytes)
  out.set(value)
  out.writeUInt32BE(checksum, length)
  return out
}

/** The value without it. Throws `store/damaged`. */
export function openValue(key: Uint8Array, sealed: Uint8Array, place: string): Uint8Array {
  const length = sealed.length - checksumBytes
  if (length >= 0) {
    // plain bytes: LevelDB hands out Buffers, whose slice() shares memory where a Uint8Array's copies
    const value = new Uint8Array(sealed.buffer, sealed.byteOffset, length)
    if (crc32(value, crc32(key)) === new DataView(sealed.buffer, sealed.byteOffset + length, checksumBytes).getUint32(0)) return value
  }
  throw damagedStore(place, `the value of key ${toHex(key)} does not hold its checksum`, { key: toHex(key) })
}

/** LevelDB's errors as ours; they carry the cause. */
function failed(folder: string, error: unknown): DongbaekError {
  if (error instanceof DongbaekError) return error
  const code = codeOfSystem(error)
  if (code === 'LEVEL_CORRUPTION') return damagedStore(folder, String(error), {}, error)
  if (code === 'LEVEL_DATABASE_NOT_OPEN') return new DongbaekError('store/closed', 'the store is closed', { folder }, { cause: error })
  return new DongbaekError('store/failed', `the database in ${folder} failed (${String(error)}). Make room or replace the disk, then restart`, { folder }, { cause: error })
}

async function isEmpty(database: Database, folder: string): Promise<boolean> {
  try {
    return (await database.keys({ limit: 1 }).all()).length === 0
  } catch (error) {
    await database.close()
    throw failed(folder, error)
  }
}

/**
 * `onFirstSync`: what was written until then is on the disk.
 *
 * What is written is gathered (pending-writes.ts) and goes into the database all at once, in one atomic batch, soon or with the next batch that wants a sync: a power cut or kill -9 takes it back to an earlier block as a whole.
 * Each of these is synced: LevelDB syncs the log that it writes to and not the one before, which it leaves when its write buffer is full, so that a hole could be left in front of what was synced.
 *
 * No write happens while LevelDB holds a snapshot, as it does for each of its iterators: 1.20, which classic-level carries, keeps two versions of a key when there is a snapshot between
 * them, may lay them into two files, and may then merge the newer below the older (google/leveldb issue 320, put right in 1.21 by pull request 339). With nothing written there is
 * nothing between. `getSync` takes none and needs no turn.
 */
function createStore(database: Database, folder: string, onFirstSync: () => void): Store {
  let synced = false
  let closed = false
  const lock = createReadWriteLock(storeReadersMax)
  /** On its way into the database, and what came later. */
  let leaving: PendingWrites | undefined
  let pending = createPendingWrites()
  let batches = 0
  let timer: NodeJS.Timeout | undefined
  let flushed: Promise<void> = Promise.resolve()
  let failure: DongbaekError | undefined

  async function guarded<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      throw failed(folder, error)
    }
  }

  function get(key: Uint8Array): Uint8Array | undefined {
    const op = pending.of(key) ?? leaving?.of(key)
    if (op !== undefined) return op.type === 'put' ? plainBytes(op.value) : undefined
    let sealed: Uint8Array | undefined
    try {
      sealed = database.getSync(key)
    } catch (error) {
      throw failed(folder, error)
    }
    return sealed === undefined ? undefined : openValue(key, sealed, folder)
  }

  const storedPage: StoreReader['page'] = (range) =>
    guarded(async () => {
      const entries = await database.iterator({ ...range, limit: pageLimit(range) }).all()
      return entries.map((entry) => openEntry(entry, folder))
    })
  const pageHeld: StoreReader['page'] = (range) => pageWith(leaving === undefined ? [pending] : [leaving, pending], storedPage, range)

  /** One after the other. What fails to be written is not given up quietly: nothing is taken any more. */
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    flushed = flushed.then(async () => {
      if (failure !== undefined) throw failure
      const writes = pending
      leaving = writes
      pending = createPendingWrites()
      batches = 0
      try {
        const ops = writes.ops()
        const batch = ops.length === 0 ? undefined : await fill(database, ops)
        await lock.write(async () => {
          await batch?.write({ sync: true })
          leaving = undefined
        })
        if (synced || batch === undefined) return
        synced = true
        onFirstSync()
      } catch (error) {
        failure = failed(folder, error)
        throw failure
      }
    })
    // who waits for it is told, and everybody later
    flushed.catch(() => {})
    return flushed
  }

  const take = (ops: readonly StoreOp[]): Promise<void> =>
    lock.write(async () => {
      if (closed) throw new DongbaekError('store/closed', 'the store is closed', { folder })
      if (failure !== undefined) throw failure
      pending.add(ops)
      batches++
      timer ??= setTimeout(() => void flush(), storePendingMsMax).unref()
    })

  return {
    place: folder,
    ...readerBy(get, (range) => lock.read(() => pageHeld(range))),
    hold: (read) => lock.read(() => lend(get, pageHeld, read)),
    batch: async (ops, { sync }) => {
      await take(ops)
      if (sync) return flush()
      if (pending.bytes() < storePendingBytesMax && batches < storePendingBatchesMax) return
      // two are the most there may be in memory
      const earlier = leaving === undefined ? undefined : flushed
      void flush()
      await earlier
    },
    // Three rounds. Deleting only hides a value; merging the files around it drops it, and the log before with it. What the first merge has put straight into a deep level it leaves there, until the deletion
    // of the second is merged down onto it. And a file that is no longer used goes at a merge after the last reader that was open has ended: hence the third.
    scrub: async (keys) => {
      await take([])
      await flush()
      await guarded(async () => {
        for (let round = 0; round < scrubRounds; round++) {
          await lock.write(() => database.batch(keys.map((key) => ({ type: 'del', key })), { sync: true }))
          for (const key of keys) await database.compactRange(key, key)
        }
      })
    },
    approximateBytes: (from, to) => guarded(() => database.approximateSize(from, to)),
    close: async () => {
      await lock.write(async () => {
        closed = true
      })
      try {
        await flush()
      } finally {
        await lock.write(() => guarded(() => database.close()))
      }
    },
  }
}

/** Thousands of rows, some microseconds each: votes must not wait for all of them. */
async function fill(database: Database, ops: readonly StoreOp[]): Promise<ReturnType<Database['batch']>> {
  const batch = database.batch()
  let handed = 0
  for (const op of ops) {
    if (handed > 0 && handed % storeFillRows === 0) await nextTurn()
    handed++
    if (op.type === 'del') batch.del(op.key)
    else batch.put(op.key, sealValue(op.key, op.value))
  }
  return batch
}

function openEntry([key, sealed]: readonly [Uint8Array, Uint8Array], place: string): StoreEntry {
  return { key: new Uint8Array(key.buffer, key.byteOffset, key.length), value: openValue(key, sealed, place) }
}
