// Reading an index as a whole: every row of every table in the order of its key, as text. Two indexes of one history give the same bytes.
import { DatabaseSync } from 'node:sqlite'

const keys: Readonly<Record<string, string>> = { progress: 'id', living_areas: 'id', facilities: 'id', courses: 'id', slots: 'id', closed_days: 'facility, day' }

export function dumpOf(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all().map(({ name }) => String(name))
    return names.map((name) => `${name}\n${rowsOf(database, name).map((row) => JSON.stringify(Object.values(row))).join('\n')}\n`).join('\n')
  } finally {
    database.close()
  }
}

export function tableOf(path: string, name: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    return rowsOf(database, name)
  } finally {
    database.close()
  }
}

function rowsOf(database: DatabaseSync, name: string): readonly Readonly<Record<string, unknown>>[] {
  const key = keys[name]
  if (key === undefined) throw new Error(`a table that the dump does not know: ${name}`)
  return database.prepare(`SELECT * FROM ${name} ORDER BY ${key}`).all()
}
