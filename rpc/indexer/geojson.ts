// Rows of the index as GeoJSON (RFC 7946): longitude before latitude in degrees, rings closed and anticlockwise. What a collection has besides its features
// are foreign members (section 6.1): `next`, and the block as of which it answers.
import type { Json, JsonObject } from '../../primitives/schema.ts'
import type { Found } from './queries.ts'
import type { Row, Value } from './sql.ts'
import type { Progress } from './tables.ts'

const perDegree = 1_000_000

export function collection(features: readonly Json[], next: Found['next'], { height, timeMs }: Progress): JsonObject {
  return { type: 'FeatureCollection', features, ...(next !== undefined && { next: `${next.place}.${next.id}` }), height, timeMs }
}

/** `distanceM` only where a place was given. */
export function facilityFeature(row: Row, isNear: boolean): Json {
  return feature('facility', row, { ...placeOf(row), title: names(row, 'title'), upcomingSlots: count(row, 'upcoming'), seatsLeft: count(row, 'seats_left'), ...(isNear && { distanceM: count(row, 'place') }) })
}

export function courseFeature(row: Row, isNear: boolean): Json {
  return feature('course', row, {
    course: row['id'] as string,
    title: names(row, 'course'),
    ...placeOf(row),
    facilityTitle: names(row, 'title'),
    perPersonMax: count(row, 'per_person_max'),
    ...given(row, 'qualification', 'qualification'),
    upcomingSlots: count(row, 'upcoming'),
    seatsLeft: count(row, 'seats_left'),
    ...given(row, 'next_starts_ms', 'nextStartsMs'),
    ...(isNear && { distanceM: count(row, 'place') }),
  })
}

export function slotFeature(row: Row, isNear: boolean): Json {
  return feature('slot', row, {
    slot: row['id'] as string,
    ...given(row, 'course', 'course'),
    ...(row['course'] !== null && { title: names(row, 'course') }),
    ...placeOf(row),
    facilityTitle: names(row, 'title'),
    startsMs: count(row, 'starts_ms'),
    endsMs: count(row, 'ends_ms'),
    opensMs: count(row, 'opens_ms'),
    closesMs: count(row, 'closes_ms'),
    capacity: count(row, 'capacity'),
    seatsLeft: count(row, 'seats_left'),
    waiting: count(row, 'waiting'),
    waitlistMax: count(row, 'waitlist_max'),
    ...given(row, 'qualification', 'qualification'),
    ...given(row, 'price', 'price'),
    byLot: row['by_lot'] === 1,
    state: row['closed_reason'] === null ? 'open' : 'closed',
    ...given(row, 'closed_reason', 'reason'),
    ...(isNear && { distanceM: count(row, 'distance') }),
  })
}

function feature(kind: string, row: Row, properties: JsonObject): Json {
  const coordinates = [count(row, 'longitude') / perDegree, count(row, 'latitude') / perDegree]
  return { type: 'Feature', id: `${kind}:${row['id']}`, geometry: { type: 'Point', coordinates }, properties: { kind, ...properties } }
}

function placeOf(row: Row): JsonObject {
  return { facility: row['facility'] as string, livingArea: row['living_area'] as string, category: row['category'] as string }
}

function names(row: Row, column: 'title' | 'course'): JsonObject {
  return { ko: row[`${column}_ko`] as Value, ...given(row, `${column}_en`, 'en') }
}

function given(row: Row, column: string, name: string): JsonObject {
  const value = row[column]
  return value === null || value === undefined ? {} : { [name]: value }
}

/** A sum over nothing is null. */
function count(row: Row, column: string): number {
  return Number(row[column] ?? 0)
}
