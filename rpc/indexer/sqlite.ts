// The index in one file, by Node's own SQLite. Written in WAL mode: a process killed at any point leaves a file that opens at its last whole transaction,
// and readers see committed state while a page goes in.
import { closeSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { DongbaekError } from '../../primitives/errors.ts'
import { boxAround, inBox } from './place.ts'
import type { Database, Dialect, Row, Sql } from './sql.ts'

/** In the header of the file (sqlite.org/fileformat2.html, section 1.3.16): "dong". */
const applicationId = 0x646f6e67
const headerBytes = 100
const applicationIdAt = 68
const busyMs = 5_000
const statementsMax = 100
/** The mean radius of WGS 84, (2a + b) / 3, which PostGIS takes for its sphere as well. */
const earthRadiusM = 6_371_008.771415059

const dialect: Dialect = {
  text: 'TEXT',
  positionColumn: '',
  afterTables: [],
  neighbourhood: (near, param) => inBox(boxAround(near, near.distanceM), param),
  distanceM: (longitude, latitude) => `distance_m(f.longitude, f.latitude, ${longitude}, ${latitude})`,
}

/** Opens the file, or makes an empty one. Throws `indexer/not-an-index`, `indexer/database`. */
export function openSqlite(path: string): { readonly database: Database; readonly isNew: boolean } {
  assertOurs(path)
  try {
    const writer = new DatabaseSync(path, { timeout: busyMs })
    // before WAL, so that the header in the file itself has it from the first page on
    if (writer.prepare('PRAGMA application_id').get()?.['application_id'] !== applicationId) writer.exec(`PRAGMA application_id = ${applicationId}`)
    writer.exec('PRAGMA journal_mode = WAL')
    writer.exec('PRAGMA synchronous = NORMAL')
    const isNew = writer.prepare("SELECT 1 FROM sqlite_master WHERE name = 'progress'").get() === undefined
    const reader = new DatabaseSync(path, { timeout: busyMs, readOnly: true })
    reader.function('distance_m', { deterministic: true }, (fromLongitude, fromLatitude, toLongitude, toLatitude) => distanceM([fromLongitude, fromLatitude, toLongitude, toLatitude].map(Number)))
    const write = sqlOf(writer)
    const { all: read } = sqlOf(reader)
    return {
      isNew,
      database: {
        dialect,
        read: async (statement, values) => guarded(path, async () => read(statement, values)),
        transaction: async (work) =>
          guarded(path, async () => {
            writer.exec('BEGIN IMMEDIATE')
            try {
              const result = await work(write)
              writer.exec('COMMIT')
              return result
            } catch (error) {
              if (writer.isTransaction) writer.exec('ROLLBACK')
              throw error
            }
          }),
        close: async () => {
          reader.close()
          writer.close()
        },
      },
    }
  } catch (cause) {
    throw databaseError(path, cause)
  }
}

/** Takes the file away, and those that SQLite keeps beside it. Throws `indexer/not-an-index` for a file that is none of ours. */
export function removeSqlite(path: string): void {
  assertOurs(path)
  for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(file, { force: true })
}

/** Nothing there, nothing in it, or an index, however damaged behind its header. */
function assertOurs(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size === 0) return
  const header = Buffer.alloc(headerBytes)
  const file = openSync(path, 'r')
  try {
    readSync(file, header, 0, headerBytes, 0)
  } finally {
    closeSync(file)
  }
  if (header.toString('latin1', 0, 16) === 'SQLite format 3\0' && header.readUInt32BE(applicationIdAt) === applicationId) return
  throw new DongbaekError('indexer/not-an-index', `${path} is there and is no index of this program. Name another file; this one is left alone`, { path })
}

/** Statements are prepared once. */
function sqlOf(connection: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>()
  const statementOf = (text: string): StatementSync => {
    const known = prepared.get(text)
    if (known !== undefined) return known
    const statement = connection.prepare(text.replaceAll('$', '?'))
    if (prepared.size < statementsMax) prepared.set(text, statement)
    return statement
  }
  return {
    run: async (text, values = []) => Number(statementOf(text).run(...values).changes),
    all: async (text, values = []) => statementOf(text).all(...values) as readonly Row[],
  }
}

async function guarded<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR' ? databaseError(path, error) : error
  }
}

function databaseError(path: string, cause: unknown): DongbaekError {
  return new DongbaekError('indexer/database', `the index ${path} cannot be used: ${(cause as Error).message}. If the disk and the rights on the file are in order, make it anew with --rebuild`, { path }, { cause })
}

/** On a sphere, in whole metres, of two points in microdegrees: the haversine, exact to half a percent. */
function distanceM(places: readonly number[]): number {
  const [lon1 = 0, lat1 = 0, lon2 = 0, lat2 = 0] = places.map((place) => (place / 1_000_000) * (Math.PI / 180))
  const half = Math.sin((lat2 - lat1) / 2) ** 2 + Math.cos(lat1) * Math.cos(lat2) * Math.sin((lon2 - lon1) / 2) ** 2
  return Math.round(2 * earthRadiusM * Math.asin(Math.min(1, Math.sqrt(half))))
}
