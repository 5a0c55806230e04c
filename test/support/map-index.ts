// Reading an index as a whole, and making one through crashes. A dump is every row of every table in the order of its key, as text: two indexes of one history
// give the same bytes, in SQLite and in PostgreSQL.
import { DatabaseSync } from 'node:sqlite'
import type { RpcLog } from '../../rpc/server.ts'
import { follow, type Following } from '../../rpc/indexer/follow.ts'
import type { Database, Row } from '../../rpc/indexer/sql.ts'
import { until } from './until.ts'

const keys: Readonly<Record<string, string>> = { closed_days: 'facility, day', courses: 'id', facilities: 'id', living_areas: 'id', progress: 'id', slots: 'id' }
export const tableNames: readonly string[] = Object.keys(keys)

/** Besides what a database keeps for itself. */
const own = (row: Row): Row => Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'position'))

export const rowsStatement = (name: string): string => `SELECT * FROM ${name} ORDER BY ${keys[name]}`

export function dumpOf(path: string): string {
  return textOf(tableNames.map((name) => [name, tableOf(path, name)]))
}

export async function dumpOfDatabase({ read }: Pick<Database, 'read'>): Promise<string> {
  const tables: (readonly [string, readonly Row[]])[] = []
  for (const name of tableNames) tables.push([name, await read(rowsStatement(name))])
  return textOf(tables)
}

function textOf(tables: readonly (readonly [string, readonly Row[]])[]): string {
  return tables.map(([name, rows]) => `${name}\n${rows.map((row) => JSON.stringify(Object.values(own(row)))).join('\n')}\n`).join('\n')
}

export function tableOf(path: string, name: string): readonly Row[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return database.prepare(rowsStatement(name)).all() as readonly Row[]
  } finally {
    database.close()
  }
}

const everyDay = 'fromMs=1760000000000&toMs=1785920000000'
const pages = [
  '/living-areas',
  ...['/facilities', '/courses', '/slots'].flatMap((path) => [path, `${path}?${everyDay}&limit=500`, `${path}?bbox=129.004,35.1,129.006,35.104&${everyDay}`, `${path}?near=129.01,35.1&distanceM=3000&${everyDay}&limit=7`]),
  `/slots?livingArea=west&category=lecture&${everyDay}&limit=3`,
  '/facilities?near=129.0049,35.1041&distanceM=400&limit=2',
]

/** What an indexer serves, byte by byte. */
export async function mapOf(url: string): Promise<string> {
  let map = ''
  for (const page of pages) map += `${page}\n${await (await fetch(`${url}${page}`)).text()}\n`
  return map
}

/** Follows into the database again and again, each time so many statements and commits further as the last, then breaks off, until `isDone`. How often it broke off. */
export async function followThroughCrashes(
  open: () => Promise<{ readonly database: Database; readonly isNew: boolean }>,
  { urls, log, isDone, stepsMore }: { readonly urls: readonly string[]; readonly log: RpcLog; readonly isDone: (following: Following) => boolean; readonly stepsMore: number },
): Promise<number> {
  for (let crashes = 0; ; crashes++) {
    let left = 1 + crashes * stepsMore
    const step = (): void => {
      if (left-- <= 0) throw new Error('crash')
    }
    const { database, isNew } = await open()
    const crashing: Database = {
      ...database,
      transaction: async (work) => {
        const result = await database.transaction(async (sql) => work({ ...sql, run: async (...statement) => (step(), sql.run(...statement)) }))
        step()
        return result
      },
    }
    const stopping = new AbortController()
    const following = follow({ database: crashing, isNew, urls, log, signal: stopping.signal, pageEvents: 7 })
    const ended = following.ended.then(() => undefined, (error: Error) => error)
    const done = await Promise.race([ended.then(() => false), until(() => isDone(following), 30_000).then(() => true)])
    stopping.abort()
    const error = await ended
    await database.close()
    if (done) return crashes
    if (!/crash/.test(error?.message ?? '')) throw error ?? new Error('it ended by itself')
  }
}
