// The index in PostgreSQL with PostGIS, for those who ask it more than this program serves: each facility has its position as a geography besides.
import { DatabaseError, Pool, type PoolClient, types } from 'pg'
import { DongbaekError } from '../../primitives/errors.ts'
import { databaseAnswerMs, databaseConnectionsMax, databaseConnectMs, databaseStatementMs } from './limits.ts'
import type { Database, Dialect, Row, Sql } from './sql.ts'

/** Numbers that the driver hands over as text: bigint, and numeric as sums of it are. All of ours are safe integers. */
const integerTypes: ReadonlySet<number> = new Set([20, 1_700])
const tables = ['closed_days', 'slots', 'courses', 'facilities', 'living_areas', 'progress']

const point = (longitude: string, latitude: string): string => `ST_SetSRID(ST_MakePoint(${longitude} / 1000000.0, ${latitude} / 1000000.0), 4326)::geography`

const dialect: Dialect = {
  text: 'TEXT COLLATE "C"',
  positionColumn: `, position geography(Point, 4326) GENERATED ALWAYS AS (${point('longitude', 'latitude')}) STORED`,
  afterTables: ['CREATE INDEX facilities_by_position ON facilities USING gist (position)'],
  // on the sphere, as in SQLite: the map is the same from both
  distanceM: (longitude, latitude) => `ROUND(ST_Distance(f.position, ${point(longitude, latitude)}, false))`,
  // a metre more than asked for, which is rounded
  neighbourhood: ({ longitude, latitude, distanceM }, param) => `ST_DWithin(f.position, ${point(param(longitude), param(latitude))}, ${param(distanceM + 1)}, false)`,
}

/** `postgres://user@host:port/database`; a password may stand in PGPASSWORD or ~/.pgpass instead. Throws `indexer/database`, `indexer/not-an-index`. */
export async function openPostgres(connectionString: string, rebuild: boolean): Promise<{ readonly database: Database; readonly isNew: boolean }> {
  // the text itself may hold a password
  if (!URL.canParse(connectionString)) throw new DongbaekError('indexer/database', 'the connection string is none. Write postgres://user@host:port/database')
  const { hostname, pathname } = new URL(connectionString)
  const where = `${hostname}${pathname}`
  const pool = new Pool({
    connectionString,
    max: databaseConnectionsMax,
    connectionTimeoutMillis: databaseConnectMs,
    statement_timeout: databaseStatementMs,
    query_timeout: databaseAnswerMs,
    idle_in_transaction_session_timeout: databaseStatementMs,
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
    if (isNew) {
      await assertFree(database.read, where)
      await addPostgis(database, where)
    }
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
    // closed, not rolled back by a statement: a server that has fallen silent would be waited for once more. It rolls back what a closed connection left
    broken = error as Error
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

/** Nothing of others is where the tables are to be made. */
async function assertFree(read: Sql['all'], where: string): Promise<void> {
  const [taken] = await read(`SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND c.relname IN (${tables.map((name) => `'${name}'`).join(', ')})`)
  if (taken === undefined) return
  throw new DongbaekError('indexer/not-an-index', `the database ${where} has a table ${taken['name']} that is no index of this program. Name another database, or a schema of its own by search_path; this one is left alone`, { where })
}

async function addPostgis({ read, transaction }: Database, where: string): Promise<void> {
  if ((await read("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")).length > 0) return
  try {
    await transaction(async (sql) => sql.run('CREATE EXTENSION postgis'))
  } catch (error) {
    if (!(error instanceof DongbaekError && error.cause instanceof DatabaseError)) throw error
    throw new DongbaekError('indexer/database', `the database ${where} has no PostGIS, and it could not be added: ${error.cause.message}. Have an administrator run CREATE EXTENSION postgis in it`, { where }, { cause: error })
  }
}

function databaseError(where: string, cause: unknown): DongbaekError {
  // of an attempt at several addresses, each failed for itself
  const why = cause instanceof AggregateError ? cause.errors.map(String).join('; ') : (cause as Error).message
  return new DongbaekError('indexer/database', `the database ${where} cannot be used: ${why}. When the server answers and the user has the rights of docs/indexer.md, start again: it goes on where it was`, { where }, { cause })
}
