// GeoJSON (RFC 7946): longitude before latitude in degrees, rings closed and right-handed. The only place where degrees have fractions.
import { invalid, type Json, type JsonObject, type Schema } from '../../primitives/schema.ts'
import type { SlotAnswer } from './answers.ts'
import type { Box } from './geometry.ts'
import type { Facility, LivingArea, Position } from './types.ts'

const perDegree = 1_000_000

/** `[west, south, east, north]` in degrees, as in RFC 7946 section 5; a box over the antimeridian is not taken. */
export const bbox: Schema<Box> = {
  toWire: (_, path) => {
    throw invalid(path, 'JSON only')
  },
  fromWire: (_, path) => {
    throw invalid(path, 'JSON only')
  },
  toJson: ({ west, south, east, north }) => [west, south, east, north].map((side) => side / perDegree),
  fromJson: (value, path) => {
    const sides: readonly Json[] = Array.isArray(value) ? value : []
    const [west, south, east, north] = sides.map((side) => (typeof side === 'number' && Math.abs(side) <= 180 ? Math.round(side * perDegree) : Number.NaN))
    if (sides.length !== 4 || west === undefined || south === undefined || east === undefined || north === undefined || !(west <= east && south <= north)) {
      throw invalid(path, '[west, south, east, north] in degrees')
    }
    return { west, south, east, north }
  },
  jsonSchema: { type: 'array', items: { type: 'number', minimum: -180, maximum: 180 }, minItems: 4, maxItems: 4 },
}

export const featureCollectionSchema: JsonObject = {
  type: 'object',
  properties: {
    type: { const: 'FeatureCollection' },
    features: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          type: { const: 'Feature' },
          id: { type: 'string' },
          geometry: { type: 'object', properties: { type: { enum: ['Point', 'Polygon'] }, coordinates: { type: 'array' } }, required: ['type', 'coordinates'] },
          properties: { type: 'object' },
        },
        required: ['type', 'id', 'geometry', 'properties'],
      },
    },
    next: { type: 'string', description: 'The cursor of the next page; absent on the last.' },
  },
  required: ['type', 'features'],
}

function degrees({ longitude, latitude }: Position): Json {
  return [longitude / perDegree, latitude / perDegree]
}

export function featureCollection(features: readonly Json[], next: string | undefined): Json {
  return { type: 'FeatureCollection', features, ...(next !== undefined && { next }) }
}

function feature(kind: FeatureKind, id: string, geometry: JsonObject, properties: JsonObject): Json {
  return { type: 'Feature', id: `${kind}:${id}`, geometry, properties: { kind, ...properties } }
}

export const featureKinds = ['livingArea', 'facility', 'slot'] as const
export type FeatureKind = (typeof featureKinds)[number]

export function livingAreaFeature({ id, name, district, centre, polygon }: LivingArea): Json {
  const ring = [...polygon, polygon[0] as Position].map(degrees)
  return feature('livingArea', id, { type: 'Polygon', coordinates: [ring] }, { livingArea: id, name: { ...name }, district: { ...district }, centre: degrees(centre) })
}

/** `slots` are the next ones of the facility; their seats left are summed, over those that take place. */
export function facilityFeature({ id, livingArea, category, title, position }: Facility, slots: readonly SlotAnswer[]): Json {
  const open = slots.filter(({ state }) => state === 'open')
  return feature('facility', id, point(position), {
    facility: id,
    livingArea,
    category,
    title: { ko: title.ko, ...(title.en !== undefined && { en: title.en }) },
    upcomingSlots: open.length,
    seatsLeft: open.reduce((sum, slot) => sum + slot.seatsLeft, 0),
  })
}

export function slotFeature({ position, category }: Facility, slot: SlotAnswer): Json {
  const { id, facility, livingArea, course, startsMs, endsMs, opensMs, closesMs, capacity, seatsLeft, waiting, state } = slot
  return feature('slot', id, point(position), {
    slot: id,
    facility,
    livingArea,
    category,
    ...(course !== undefined && { course: course.id, title: { ko: course.title.ko, ...(course.title.en !== undefined && { en: course.title.en }) } }),
    startsMs,
    endsMs,
    opensMs,
    closesMs,
    capacity,
    seatsLeft,
    waiting,
    state,
  })
}

function point(position: Position): JsonObject {
  return { type: 'Point', coordinates: degrees(position) }
}
