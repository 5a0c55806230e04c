// What the family answers about itself. Lists are read by prefix; all work is bounded by the page.
import { did, type Json, list, oneOf, optional, record, slug, timeMs } from '../../primitives/schema.ts'
import { json, pageFields, pageItemsMax, pageOf, pageResult, query } from '../query.ts'
import { absencesOf, blockedUntil, readSettings } from './absences.ts'
import { answerSeat, answerSlot, courseAnswer, drawAnswer, seatAnswer, slotAnswer, standingAnswer } from './answers.ts'
import { bbox, facilityFeature, featureCollection, featureCollectionSchema, featureKinds, livingAreaFeature, slotFeature } from './geojson.ts'
import { ringMeetsBox } from './geometry.ts'
import { areaTable, courseTable, drawTable, facilityTable, holderTable, seatTable, slotTable } from './keys.ts'
import { missingParties } from './lottery.ts'
import { findFacilities, findSlots } from './scans.ts'
import { readSeats } from './slots.ts'
import { category, facility, livingAreasMax, settings as settingsSchema } from './types.ts'
import { placeInLine } from './waitlist.ts'

/** Slots told of each facility on the map. */
const mapSlotsMax = 5

export const facilities = query({
  method: 'reservation_facilities',
  summary: 'Public facilities, by living area, box in degrees or category. A page may be shorter than the limit, and next still go on.',
  params: record({ livingArea: optional(slug), bbox: optional(bbox), category: optional(category), ...pageFields }),
  result: pageResult(facility),
  run: async (view, params) => {
    const { items, next } = await findFacilities(view, params, pageOf(params))
    return { items, ...(next !== undefined && { next }) }
  },
})

export const oneFacility = query({
  method: 'reservation_facility',
  summary: 'One facility.',
  params: record({ facility: slug }),
  result: facility,
  run: (view, params) => view.get(facilityTable, params.facility),
})

export const slots = query({
  method: 'reservation_slots',
  summary: 'Slots of a facility that begin in [from, to), by their start, with the seats left. Without from: those yet to begin.',
  params: record({ facility: slug, from: optional(timeMs), to: optional(timeMs), ...pageFields }),
  result: pageResult(slotAnswer),
  run: async (view, params, head) => {
    if (view.get(facilityTable, params.facility) === undefined) return undefined
    const { items, next } = await findSlots(view, params.facility, params.from ?? head.timeMs, params.to ?? Number.MAX_SAFE_INTEGER, pageOf(params))
    return { items, ...(next !== undefined && { next }) }
  },
})

export const oneSlot = query({
  method: 'reservation_slot',
  summary: 'One slot, with the seats left.',
  params: record({ slot: slug }),
  result: slotAnswer,
  run: (view, params) => answerSlot(view, params.slot),
})

export const byDid = query({
  method: 'reservation_byDid',
  summary: 'All reservations and places in line of a DID, by slot.',
  params: record({ did, ...pageFields }),
  result: pageResult(seatAnswer),
  run: async (view, params) => {
    const { items, next } = await view.scan(seatTable, [params.did], pageOf(params))
    const seats = items.map(({ key, value }) => answerSeat(view, params.did, key.at(-1) as string, value)).filter((seat) => seat !== undefined)
    return { items: seats, ...(next !== undefined && { next }) }
  },
})

export const oneSeat = query({
  method: 'reservation_seat',
  summary: 'A DID’s reservation in one slot, with its place in line while it waits.',
  params: record({ slot: slug, did }),
  result: seatAnswer,
  run: (view, params) => {
    const row = view.get(seatTable, params.did, params.slot)
    const seat = row === undefined ? undefined : answerSeat(view, params.did, params.slot, row)
    if (row === undefined || seat === undefined) return undefined
    return row.state === 'waiting' ? { ...seat, place: placeInLine(view, params.slot, row) } : seat
  },
})

export const holders = query({
  method: 'reservation_holders',
  summary: 'Who holds a seat or waits in a slot, by DID: the list at the door.',
  params: record({ slot: slug, ...pageFields }),
  result: pageResult(seatAnswer),
  run: async (view, params) => {
    const { items, next } = await view.scan(holderTable, [params.slot], pageOf(params))
    const seats = items
      .map(({ key }) => {
        const holder = did.fromWire(key.at(-1) as string, 'did')
        const row = view.get(seatTable, holder, params.slot)
        return row === undefined ? undefined : answerSeat(view, holder, params.slot, row)
      })
      .filter((seat) => seat !== undefined)
    return { items: seats, ...(next !== undefined && { next }) }
  },
})

export const oneCourse = query({
  method: 'reservation_course',
  summary: 'One course. Its sessions are among the slots of its facility.',
  params: record({ course: slug }),
  result: courseAnswer,
  run: (view, params) => {
    const course = view.get(courseTable, params.course)
    return course === undefined ? undefined : { id: params.course, ...course }
  },
})

export const oneDraw = query({
  method: 'reservation_draw',
  summary: 'How far the lottery of a slot is, from the end of its registration on: whose secrets are missing, the seed, the lots drawn.',
  params: record({ slot: slug }),
  result: drawAnswer,
  run: (view, params) => {
    const slot = view.get(slotTable, params.slot)
    const draw = view.get(drawTable, params.slot)
    if (slot?.lottery === undefined || draw === undefined) return undefined
    return { slot: params.slot, entered: readSeats(view, params.slot).entered, commitments: slot.lottery, ...draw, missing: draw.done ? [] : missingParties(slot.lottery, draw) }
  },
})

export const standing = query({
  method: 'reservation_standing',
  summary: 'How often a DID did not come, and until when it reserves nothing new for that.',
  params: record({ did }),
  result: standingAnswer,
  run: (view, params, head) => {
    const absences = absencesOf(view, params.did)
    const blockedUntilMs = blockedUntil(view, params.did, head.timeMs)
    return { did: params.did, ...(absences.length > 0 && { absences }), ...(blockedUntilMs !== undefined && { blockedUntilMs }) }
  },
})

export const settings = query({
  method: 'reservation_settings',
  summary: 'What holds for all facilities: how long seats are kept, and what follows from absences.',
  params: record({}),
  result: settingsSchema,
  alwaysAnswers: true,
  run: (view) => readSettings(view),
})

export const livingAreas = query({
  method: 'map_livingAreas',
  summary: 'The living areas of the city as GeoJSON polygons.',
  params: record({}),
  result: json(featureCollectionSchema),
  alwaysAnswers: true,
  run: async (view) => {
    const { items } = await view.scan(areaTable, [], { limit: livingAreasMax })
    return featureCollection(items.map(({ value }) => livingAreaFeature(value)), undefined)
  },
})

export const features = query({
  method: 'map_features',
  summary: `Open facilities with their seats left, each with up to ${mapSlotsMax} slots yet to begin, as GeoJSON points; with kinds also living areas. limit counts facilities.`,
  params: record({ livingArea: optional(slug), bbox: optional(bbox), kinds: optional(list(oneOf(...featureKinds), 1, featureKinds.length)), ...pageFields }),
  result: json(featureCollectionSchema),
  alwaysAnswers: true,
  run: async (view, params, head) => {
    const { livingArea, bbox: box, kinds = ['facility', 'slot'], cursor, limit = pageItemsMax } = params
    const out: Json[] = []
    if (kinds.includes('livingArea') && cursor === undefined) {
      const { items } = await view.scan(areaTable, [], { limit: livingAreasMax })
      for (const { value } of items) {
        if ((livingArea === undefined || value.id === livingArea) && (box === undefined || ringMeetsBox(value.polygon, box))) out.push(livingAreaFeature(value))
      }
    }
    if (!kinds.includes('facility') && !kinds.includes('slot')) return featureCollection(out, undefined)
    const { items, next } = await findFacilities(view, params, { cursor, limit })
    for (const item of items) {
      if (item.closed !== undefined) continue
      const upcoming = await findSlots(view, item.id, head.timeMs, Number.MAX_SAFE_INTEGER, { limit: mapSlotsMax })
      if (kinds.includes('facility')) out.push(facilityFeature(item, upcoming.items))
      if (kinds.includes('slot')) for (const slot of upcoming.items) out.push(slotFeature(item, slot))
    }
    return featureCollection(out, next)
  },
})

export const reservationQueries = [facilities, oneFacility, slots, oneSlot, byDid, oneSeat, holders, oneCourse, oneDraw, standing, settings, livingAreas, features]
