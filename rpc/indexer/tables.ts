// The tables of the index, and how a page of changes goes into them: rows and cursor in one transaction, so that each event counts exactly once.
import { DongbaekError, unreachable } from '../../primitives/errors.ts'
import { dayOf } from '../../state/calendar.ts'
import type { FacilityDefinition, LivingArea, SlotDefinition } from '../../state/reservation/types.ts'
import type { Change } from './changes.ts'
import type { Database, Dialect, Row, Sql, Value } from './sql.ts'

/** Another number: other tables. The index is then made anew, which its events allow at any time. */
const tablesVersion = 1

/** How far the index is. */
export interface Progress {
  readonly chainId: string
  readonly genesisHash: string
  /** Where the feed goes on. */
  readonly cursor: string
  /** The last block of which all events are in, 0 being the genesis; its hash and time. */
  readonly height: number
  readonly hash: string
  readonly timeMs: number
}

export interface Beginning {
  readonly chainId: string
  readonly genesisHash: string
  readonly timeMs: number
  readonly livingAreas: readonly LivingArea[]
  readonly facilities: readonly FacilityDefinition[]
}

/** Coordinates are whole microdegrees, times ms since the epoch, days those of the Korean calendar counted from 1 January 1970. */
const tables = ({ text, positionColumn, afterTables }: Dialect): readonly string[] => [
  `CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, chain_id ${text} NOT NULL, genesis_hash ${text} NOT NULL,
    cursor ${text} NOT NULL, height BIGINT NOT NULL, hash ${text} NOT NULL, time_ms BIGINT NOT NULL)`,
  `CREATE TABLE living_areas (id ${text} PRIMARY KEY, name_ko ${text} NOT NULL, name_en ${text} NOT NULL, district_ko ${text} NOT NULL, district_en ${text} NOT NULL,
    longitude BIGINT NOT NULL, latitude BIGINT NOT NULL, polygon ${text} NOT NULL)`,
  `CREATE TABLE facilities (id ${text} PRIMARY KEY, living_area ${text} NOT NULL, category ${text} NOT NULL, title_ko ${text} NOT NULL, title_en ${text},
    longitude BIGINT NOT NULL, latitude BIGINT NOT NULL, registered_at_height BIGINT NOT NULL, closed_ms BIGINT, closed_reason ${text}${positionColumn})`,
  'CREATE INDEX facilities_by_area ON facilities (living_area, id)',
  'CREATE INDEX facilities_by_place ON facilities (latitude, longitude)',
  `CREATE TABLE courses (id ${text} PRIMARY KEY, facility ${text} NOT NULL, title_ko ${text} NOT NULL, title_en ${text}, per_person_max BIGINT NOT NULL, qualification ${text})`,
  'CREATE INDEX courses_by_facility ON courses (facility, id)',
  `CREATE TABLE slots (id ${text} PRIMARY KEY, facility ${text} NOT NULL, course ${text}, qualification ${text}, starts_ms BIGINT NOT NULL, ends_ms BIGINT NOT NULL,
    opens_ms BIGINT NOT NULL, closes_ms BIGINT NOT NULL, cancel_until_ms BIGINT NOT NULL, day BIGINT NOT NULL, capacity BIGINT NOT NULL, seats_left BIGINT NOT NULL,
    waiting BIGINT NOT NULL, waitlist_max BIGINT NOT NULL, price BIGINT, by_lot BIGINT NOT NULL, closed_ms BIGINT, closed_reason ${text})`,
  'CREATE INDEX slots_by_facility ON slots (facility, starts_ms, id)',
  'CREATE INDEX slots_by_course ON slots (course, starts_ms, id)',
  'CREATE INDEX slots_by_start ON slots (starts_ms, id)',
  `CREATE TABLE closed_days (facility ${text} NOT NULL, day BIGINT NOT NULL, closed_ms BIGINT NOT NULL, closed_reason ${text} NOT NULL, PRIMARY KEY (facility, day))`,
  ...afterTables,
]

/** Makes the tables with what the genesis says, all at once. */
export async function createIndex(database: Database, { chainId, genesisHash, timeMs, livingAreas, facilities }: Beginning): Promise<Progress> {
  await database.transaction(async (sql) => {
    for (const statement of tables(database.dialect)) await sql.run(statement)
    for (const { id, name, district, centre, polygon } of livingAreas) {
      const ring = JSON.stringify(polygon.map(({ longitude, latitude }) => [longitude, latitude]))
      await sql.run('INSERT INTO living_areas VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [id, name.ko, name.en, district.ko, district.en, centre.longitude, centre.latitude, ring])
    }
    for (const facility of facilities) await putFacility(sql, facility, 0)
    await sql.run('INSERT INTO progress VALUES (1, $1, $2, $3, $4, 0, $3, $5)', [tablesVersion, chainId, genesisHash, '', timeMs])
  })
  return { chainId, genesisHash, cursor: '', height: 0, hash: genesisHash, timeMs }
}

/** Of tables that are there. Throws `indexer/version` for those of another version. */
export async function readProgress(database: Database): Promise<Progress> {
  const [row] = await database.read('SELECT * FROM progress')
  if (row?.['version'] !== tablesVersion) {
    throw new DongbaekError('indexer/version', `the index has tables of version ${row?.['version'] ?? 'none'} where this program has ${tablesVersion}. Make it anew with --rebuild`, { version: tablesVersion })
  }
  const { chain_id: chainId, genesis_hash: genesisHash, cursor, height, hash, time_ms: timeMs } = row as Row
  return { chainId: String(chainId), genesisHash: String(genesisHash), cursor: String(cursor), height: Number(height), hash: String(hash), timeMs: Number(timeMs) }
}

/** Applies what lies between two places of the feed. Throws `indexer/other-writer` when the index is no longer at the first: another process writes to it. */
export async function applyChanges(database: Database, from: Progress, changes: readonly Change[], to: Progress): Promise<void> {
  await database.transaction(async (sql) => {
    const moved = await sql.run('UPDATE progress SET cursor = $1, height = $2, hash = $3, time_ms = $4 WHERE cursor = $5 AND genesis_hash = $6', [to.cursor, to.height, to.hash, to.timeMs, from.cursor, from.genesisHash])
    if (moved !== 1) throw new DongbaekError('indexer/other-writer', `the index is no longer at ${from.cursor}: another indexer writes to it. Let one run`, { cursor: from.cursor })
    for (const change of changes) await applyChange(sql, change)
  })
}

async function applyChange(sql: Sql, change: Change): Promise<void> {
  switch (change.what) {
    case 'facility':
      return putFacility(sql, change.facility, change.height)
    case 'facilityClosed':
      return one(change.facility, await sql.run('UPDATE facilities SET closed_ms = $2, closed_reason = $3 WHERE id = $1', [change.facility, change.closing.atMs, change.closing.reason]))
    case 'course': {
      const { id, title, perPersonMax } = change.course
      // named again with each of its sessions
      await sql.run('INSERT INTO courses VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING', [id, change.facility, title.ko, title.en ?? null, perPersonMax, change.qualification ?? null])
      return undefined
    }
    case 'slots': {
      let opened = 0
      for (const slot of change.slots) opened += await putSlot(sql, change.of, slot)
      if (opened !== change.opened) throw new DongbaekError('indexer/events', `the chain has opened ${change.opened} slots of ${change.of.facility} where the index finds ${opened}. Make it anew with --rebuild`, { facility: change.of.facility })
      return undefined
    }
    case 'seats':
      return one(change.slot, await sql.run('UPDATE slots SET seats_left = $2, waiting = $3 WHERE id = $1', [change.slot, change.seatsLeft, change.waiting]))
    case 'waiting':
      return one(change.slot, await sql.run('UPDATE slots SET waiting = $2 WHERE id = $1', [change.slot, change.waiting]))
    case 'shift':
      return one(change.slot, await sql.run('UPDATE slots SET seats_left = seats_left + $2, waiting = waiting + $3 WHERE id = $1', [change.slot, change.seatsLeft, change.waiting]))
    case 'slotAmended':
      return one(change.slot, await sql.run('UPDATE slots SET capacity = $2, waitlist_max = $3 WHERE id = $1', [change.slot, change.capacity, change.waitlistMax]))
    case 'slotClosed':
      return one(change.slot, await sql.run('UPDATE slots SET closed_ms = $2, closed_reason = $3 WHERE id = $1', [change.slot, change.closing.atMs, change.closing.reason]))
    case 'daysClosed':
      for (let day = change.firstDay; day <= change.lastDay; day++) await sql.run('INSERT INTO closed_days VALUES ($1, $2, $3, $4)', [change.facility, day, change.closing.atMs, change.closing.reason])
      return undefined
    default:
      return unreachable(change)
  }
}

/** Each event is about something that an event before it, or the genesis, has brought. */
function one(id: string, changed: number): void {
  if (changed !== 1) throw new DongbaekError('indexer/events', `an event is about ${id}, which the index does not have. Make it anew with --rebuild`, { id })
}

async function putFacility(sql: Sql, { id, livingArea, category, title, position }: FacilityDefinition, height: number): Promise<void> {
  await sql.run('INSERT INTO facilities (id, living_area, category, title_ko, title_en, longitude, latitude, registered_at_height) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
    id,
    livingArea,
    category,
    title.ko,
    title.en ?? null,
    position.longitude,
    position.latitude,
    height,
  ])
}

/** PostgreSQL takes what is selected for text unless told. */
const slotValues = [...['$1', '$2', '$3', '$4'].map((name) => `CAST(${name} AS TEXT)`), ...['$5', '$6', '$7', '$8', '$9', '$10', '$11', '$11', '0', '$12', '$13', '$14'].map((name) => `CAST(${name} AS BIGINT)`)].join(', ')
const insertSlot = `INSERT INTO slots (id, facility, course, qualification, starts_ms, ends_ms, opens_ms, closes_ms, cancel_until_ms, day, capacity, seats_left, waiting, waitlist_max, price, by_lot)
  SELECT ${slotValues} WHERE NOT EXISTS (SELECT 1 FROM closed_days WHERE facility = $2 AND day = $10)`

async function putSlot(sql: Sql, { facility, course, qualification }: Extract<Change, { readonly what: 'slots' }>['of'], slot: SlotDefinition): Promise<number> {
  const { id, startsMs, endsMs, opensMs, closesMs, cancelUntilMs, capacity, waitlistMax, price, lottery } = slot
  const values: readonly Value[] = [id, facility, course ?? null, qualification ?? null, startsMs, endsMs, opensMs, closesMs, cancelUntilMs, dayOf(startsMs), capacity, waitlistMax, price?.amount ?? null, lottery === undefined ? 0 : 1]
  return sql.run(insertSlot, values)
}
