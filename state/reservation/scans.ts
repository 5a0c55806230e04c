// Bounded walks over the family's lists, shared by the queries.
import { pageItemsMax } from '../query.ts'
import { type KeyPart, stateKey } from '../table.ts'
import type { Page, QueryView, Scanned } from '../view.ts'
import { answerSlot, type SlotAnswer } from './answers.ts'
import { boxHolds, type Box } from './geometry.ts'
import { facilityByAreaTable, facilityByCategoryTable, facilityTable, slotByStartTable } from './keys.ts'
import type { Category, Facility } from './types.ts'

/** Rows looked at for one answer. A rare filter then gives a short page, or an empty one, with a cursor to go on from. */
const rowsMax = 2 * pageItemsMax

export interface FacilityFilter {
  readonly livingArea?: string | undefined
  readonly category?: Category | undefined
  readonly bbox?: Box | undefined
}

interface Found<T> {
  readonly items: readonly T[]
  readonly next: string | undefined
}

/** Facilities that pass the filter, by id, from the index that narrows most. */
export async function findFacilities(view: QueryView, filter: FacilityFilter, page: Page): Promise<Found<Facility>> {
  const { livingArea, category, bbox } = filter
  const ids = (part: Page): Promise<Scanned<unknown>> => {
    if (livingArea !== undefined) return view.scan(facilityByAreaTable, [livingArea], part)
    if (category !== undefined) return view.scan(facilityByCategoryTable, [category], part)
    return view.scan(facilityTable, [], part)
  }
  const items: Facility[] = []
  let cursor = page.cursor
  for (let rows = 0; rows < rowsMax; ) {
    const part = await ids({ cursor, limit: Math.min(page.limit - items.length, rowsMax - rows) })
    for (const { key } of part.items) {
      const facility = view.get(facilityTable, key.at(-1) as string)
      if (facility === undefined) continue
      if (category !== undefined && facility.category !== category) continue
      if (bbox !== undefined && !boxHolds(bbox, facility.position)) continue
      items.push(facility)
    }
    rows += part.items.length
    cursor = part.next
    if (cursor === undefined || items.length >= page.limit) break
  }
  return { items, next: cursor }
}

/** Slots of a facility that begin in [fromMs, toMs), by their start. */
export async function findSlots(view: QueryView, facility: string, fromMs: number, toMs: number, page: Page): Promise<Found<SlotAnswer>> {
  const cursor = page.cursor ?? beforeStart(fromMs)
  const part = await view.scan(slotByStartTable, [facility], { cursor, limit: page.limit })
  const inside = part.items.filter(({ key }) => Number(key.at(-2)) < toMs)
  const items = inside.map(({ key }) => answerSlot(view, key.at(-1) as string)).filter((slot) => slot !== undefined)
  return { items, next: inside.length < part.items.length ? undefined : part.next }
}

/** The cursor that stands before every slot that begins at `fromMs` or later. */
function beforeStart(fromMs: KeyPart): string {
  return stateKey({ name: '' }, [fromMs]).slice(1)
}
