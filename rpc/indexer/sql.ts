// What the indexer asks of a database, be it SQLite or PostgreSQL: statements with parameters $1, $2, … in the part of SQL that both understand, and
// the few fragments in which they differ.

export type Value = string | number | null
export type Row = Readonly<Record<string, Value>>

/** Takes a value into the statement's parameters; the name that it has there. */
export type Param = (value: Value) => string

/** In microdegrees and metres. */
export interface Near {
  readonly longitude: number
  readonly latitude: number
  readonly distanceM: number
}

export interface Sql {
  /** The rows that were changed. */
  readonly run: (statement: string, values?: readonly Value[]) => Promise<number>
  readonly all: (statement: string, values?: readonly Value[]) => Promise<readonly Row[]>
}

export interface Dialect {
  /** A text that is ordered by its bytes. */
  readonly text: string
  /** What `facilities` has besides the columns of all, and statements that follow the making of the tables. */
  readonly positionColumn: string
  readonly afterTables: readonly string[]
  /** A condition on `facilities f` that an index answers and that holds for all within the distance, and few others. */
  readonly neighbourhood: (near: Near, param: Param) => string
  /** Metres from `facilities f` to a point of two parameters in microdegrees, a whole number. */
  readonly distanceM: (longitude: string, latitude: string) => string
}

export interface Database {
  readonly dialect: Dialect
  /** Committed state. */
  readonly read: Sql['all']
  /** All of it or nothing is kept, whatever happens. One at a time. */
  readonly transaction: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}
