// The index in PostgreSQL with PostGIS, for those who ask it more than this program serves: each facility has its position as a geography besides.
import { Pool, type PoolClient, types } from 'pg'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Database, Dialect, Row, Sql } from './sql.ts'

const connectionsMax = 8
const connectMs = 5_000
const statementMs = 10_000
/** Numbers that the driver hands over as text: bigint, and numeric as sums of it are. All of ours are safe integers. */
const integerTypes: ReadonlySet<number> = new Set([20, 1_700])
const tables = ['closed_days', 'slots', 'courses', 'facilities', 'living_areas', 'progress']

const point = (longitude: string, latitude: string): string => `ST_SetSRID(ST_MakePoint(${longitude} / 1000000.0, ${latitude} / 1000000.0), 4326)::geography`

const dialect: Dialect = {
  text: 'TEXT COLLATE "C"',
  positionColumn: `, position geography(Point, 4326) GENERATED ALWAYS AS (${point('longitude', 'latitude')}) STORED`,
  afterTables: ['CREATE INDEX facilities_by_position ON facilities USING gist (position)'],
  distanceM: (longitude, latitude) => `ROUND(ST_Distance(f.position, ${point(longitude, latitude)}))`,
  // a metre more than asked for, which is rounded
  neighbourhood: ({ longitude, latitude, distanceM }, param) => `ST_DWithin(f.position, ${point(param(longitude), param(latitude))}, ${param(distanceM + 1)})`,
}

/** `postgres://user@host:port/database`; a password may stand in PGPASSWORD or ~/.pgpass instead. Throws `indexer/database`. */
export async function openPostgres(connectionString: string, rebuild: boolean): Promise<{ readonly database: Database; readonly isNew: boolean }> {
  const { hostname, pathname } = new URL(connectionString)
  const where = `${hostname}${pathname}`
  const pool = new Pool({
    connectionString,
    max: connectionsMax,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    types: { getTypeParser: (id, format) => (integerTypes.has(id) ? Number : types.getTypeParser(id, format)) },
  })
  // a connection that breaks is told of by the statement that fails on it, and replaced by the next use; an error that nobody hears would end the process
  pool.on('error', () => undefined)
  pool.on('connect', (connection) => connection.on('error', () => undefined))
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw error instanceof DongbaekError ? error : databaseError(where, error)
    }
  }
  const database: Database = {
    dialect,
    read: async (statement, values) => guarded(async () => sqlOf(pool).all(statement, values)),
    transaction: async (work) => guarded(async () => inTransaction(pool, work)),
    close: async () => pool.end(),
  }
  try {
    if (rebuild) await database.transaction(async (sql) => dropTables(sql))
    const isNew = !(await hasIndex(database.read))
    if (isNew) await addPostgis(database, where)
    return { database, isNew }
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function inTransaction<T>(pool: Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const connection = await pool.connect()
  let broken: Error | undefined
  try {
    await connection.query('BEGIN')
    const result = await work(sqlOf(connection))
    await connection.query('COMMIT')
    return result
  } catch (error) {
    await connection.query('ROLLBACK').catch((cause: Error) => (broken = cause))
    throw error
  } finally {
    connection.release(broken)
  }
}

function sqlOf(connection: Pool | PoolClient): Sql {
  return {
    run: async (text, values = []) => (await connection.query(text, [...values])).rowCount ?? 0,
    all: async (text, values = []) => (await connection.query<Row>(text, [...values])).rows,
  }
}

async function hasIndex(read: Sql['all']): Promise<boolean> {
  const rows = await read("SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'progress' AND column_name = 'genesis_hash'")
  return rows.length > 0
}

/** Only where an index of ours is. */
async function dropTables(sql: Sql): Promise<void> {
  if (await hasIndex(sql.all)) await sql.run(`DROP TABLE ${tables.join(', ')}`)
}

async function addPostgis({ read, transaction }: Database, where: string): Promise<void> {
  if ((await read("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).length > 0) return
  try {
    await transaction(async (sql) => sql.run('CREATE EXTENSION postgis'))
  } catch (cause) {
    throw new DongbaekError('indexer/database', `the database ${where} has no PostGIS, and this user may not add it. Have an administrator run CREATE EXTENSION postgis in it`, { where }, { cause })
  }
}

function databaseError(where: string, cause: unknown): DongbaekError {
  return new DongbaekError('indexer/database', `the database ${where} cannot be used: ${(cause as Error).message}. If the server is there, make the index anew with --rebuild`, { where }, { cause })
}
