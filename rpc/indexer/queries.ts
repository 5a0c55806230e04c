// What the map asks of the index. Each answer is bounded: in features, in the slots counted for each, and slots in their stretch of time. Pages go on behind
// the last feature of the page before, so that nothing is shown twice or passed over while rows come and go.
import { type Box, ringMeetsBox } from '../../state/reservation/geometry.ts'
import type { Category, LivingArea } from '../../state/reservation/types.ts'
import { countedSlotsMax } from './limits.ts'
import { inBox } from './place.ts'
import type { Database, Near, Param, Row, Value } from './sql.ts'

/** Which facilities; every condition given must hold. */
export interface Where {
  readonly livingArea?: string | undefined
  readonly category?: Category | undefined
  readonly bbox?: Box | undefined
  readonly near?: Near | undefined
}

/** Slots that begin in [fromMs, toMs). */
export interface When {
  readonly fromMs: number
  readonly toMs: number
}

/** Behind which feature the page begins: what it is ordered by, and its id. */
export interface After {
  readonly place: number
  readonly id: string
}

export interface PageOf {
  readonly limit: number
  readonly after: After | undefined
}

export interface Found {
  readonly rows: readonly Row[]
  readonly next: After | undefined
}

/** The statement's parameters, by the place at which each is named. */
function parameters(): { readonly param: Param; readonly values: Value[] } {
  const values: Value[] = []
  return { values, param: (value) => `$${values.push(value)}` }
}

const facilityColumns = 'f.id AS facility, f.living_area, f.category, f.title_ko, f.title_en, f.longitude, f.latitude'
const isOpen = 's.closed_ms IS NULL AND NOT EXISTS (SELECT 1 FROM closed_days d WHERE d.facility = s.facility AND d.day = s.day)'

/** By distance when a place is given, and by id. */
export async function findFacilities({ dialect, read }: Database, where: Where, when: When, page: PageOf): Promise<Found> {
  const { param, values } = parameters()
  const distance = distanceOf(dialect, where, param)
  const counted = countedSlots('s.facility = f.id', when, param)
  const statement = `SELECT f.id AS id, ${facilityColumns}, ${distance} AS place, (SELECT COUNT(*) FROM ${counted}) AS upcoming, (SELECT SUM(n.seats_left) FROM ${counted}) AS seats_left
    FROM facilities f WHERE ${[...conditions(dialect, where, distance, param), ...behind(page, distance, 'f.id', param)].join(' AND ')}
    ORDER BY place, id LIMIT ${param(page.limit + 1)}`
  return foundOf(await read(statement, values), page)
}

/** Courses at open facilities, by the distance of the facility when a place is given, and by id. */
export async function findCourses({ dialect, read }: Database, where: Where, when: When, page: PageOf): Promise<Found> {
  const { param, values } = parameters()
  const distance = distanceOf(dialect, where, param)
  const counted = countedSlots('s.course = c.id', when, param)
  const statement = `SELECT c.id AS id, c.title_ko AS course_ko, c.title_en AS course_en, c.per_person_max, c.qualification, ${facilityColumns}, ${distance} AS place,
    (SELECT COUNT(*) FROM ${counted}) AS upcoming, (SELECT SUM(n.seats_left) FROM ${counted}) AS seats_left, (SELECT MIN(n.starts_ms) FROM ${counted}) AS next_starts_ms
    FROM courses c JOIN facilities f ON f.id = c.facility WHERE ${[...conditions(dialect, where, distance, param), ...behind(page, distance, 'c.id', param)].join(' AND ')}
    ORDER BY place, id LIMIT ${param(page.limit + 1)}`
  return foundOf(await read(statement, values), page)
}

/** Slots of open facilities, those that do not take place among them, by their start and id. */
export async function findSlots({ dialect, read }: Database, where: Where & { readonly facility?: string | undefined; readonly course?: string | undefined }, { fromMs, toMs }: When, page: PageOf): Promise<Found> {
  const { param, values } = parameters()
  const distance = distanceOf(dialect, where, param)
  const own = [
    `s.starts_ms >= ${param(fromMs)} AND s.starts_ms < ${param(toMs)}`,
    ...(where.facility === undefined ? [] : [`s.facility = ${param(where.facility)}`]),
    ...(where.course === undefined ? [] : [`s.course = ${param(where.course)}`]),
  ]
  const statement = `SELECT s.id AS id, s.course, s.qualification, s.starts_ms, s.ends_ms, s.opens_ms, s.closes_ms, s.capacity, s.seats_left, s.waiting, s.waitlist_max, s.price, s.by_lot,
    c.title_ko AS course_ko, c.title_en AS course_en, COALESCE(s.closed_reason, (SELECT d.closed_reason FROM closed_days d WHERE d.facility = s.facility AND d.day = s.day)) AS closed_reason,
    ${facilityColumns}, s.starts_ms AS place, ${distance} AS distance
    FROM slots s JOIN facilities f ON f.id = s.facility LEFT JOIN courses c ON c.id = s.course
    WHERE ${[...own, ...conditions(dialect, where, distance, param), ...behind(page, 's.starts_ms', 's.id', param)].join(' AND ')}
    ORDER BY s.starts_ms, s.id LIMIT ${param(page.limit + 1)}`
  return foundOf(await read(statement, values), page)
}

/** A city has at most 200, so they are looked at one by one. */
export async function findAreas({ read }: Database, { livingArea, bbox }: Pick<Where, 'livingArea' | 'bbox'>): Promise<readonly LivingArea[]> {
  const rows = await read('SELECT * FROM living_areas ORDER BY id')
  return rows.map(areaOf).filter(({ id, polygon }) => (livingArea === undefined || id === livingArea) && (bbox === undefined || ringMeetsBox(polygon, bbox)))
}

function areaOf(row: Row): LivingArea {
  const text = (column: string): string => String(row[column])
  const ring = JSON.parse(text('polygon')) as readonly (readonly [number, number])[]
  return {
    id: text('id'),
    name: { ko: text('name_ko'), en: text('name_en') },
    district: { ko: text('district_ko'), en: text('district_en') },
    centre: { longitude: Number(row['longitude']), latitude: Number(row['latitude']) },
    polygon: ring.map(([longitude, latitude]) => ({ longitude, latitude })),
  }
}

/** The first `countedSlotsMax` slots that take place, as `n`. */
function countedSlots(of: string, { fromMs, toMs }: When, param: Param): string {
  return `(SELECT s.seats_left, s.starts_ms FROM slots s WHERE ${of} AND s.starts_ms >= ${param(fromMs)} AND s.starts_ms < ${param(toMs)} AND ${isOpen} ORDER BY s.starts_ms, s.id LIMIT ${countedSlotsMax}) n`
}

function distanceOf({ distanceM }: Database['dialect'], { near }: Where, param: Param): string {
  return near === undefined ? 'CAST(0 AS BIGINT)' : distanceM(param(near.longitude), param(near.latitude))
}

function conditions({ neighbourhood }: Database['dialect'], { livingArea, category, bbox, near }: Where, distance: string, param: Param): readonly string[] {
  return [
    'f.closed_ms IS NULL',
    ...(livingArea === undefined ? [] : [`f.living_area = ${param(livingArea)}`]),
    ...(category === undefined ? [] : [`f.category = ${param(category)}`]),
    ...(bbox === undefined ? [] : [inBox(bbox, param)]),
    ...(near === undefined ? [] : [neighbourhood(near, param), `${distance} <= ${param(near.distanceM)}`]),
  ]
}

function behind({ after }: PageOf, place: string, id: string, param: Param): readonly string[] {
  if (after === undefined) return []
  const [at, from] = [param(after.place), param(after.id)]
  return [`(${place} > ${at} OR (${place} = ${at} AND ${id} > ${from}))`]
}

function foundOf(rows: readonly Row[], { limit }: PageOf): Found {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, next: rows.length > limit && last !== undefined ? { place: Number(last['place']), id: String(last['id']) } : undefined }
}
