// What the kinds share about slots: finding one, who operates it, its counters, and whether it still takes place.
import type { Did } from '../../primitives/brand.ts'
import { assert } from '../../primitives/errors.ts'
import { type BlockInfo, refuse, type Refusal } from '../family.ts'
import { hasRole } from '../roles.ts'
import type { ReadView } from '../view.ts'
import { dayOf } from '../calendar.ts'
import { closedDayTable, drawTable, facilityTable, seatsTable, slotTable } from './keys.ts'
import type { Closing, Facility, Seats, Slot } from './types.ts'

export interface Found {
  readonly slot: Slot
  readonly facility: Facility
  /** Of the slot itself, or of the day on which it begins. */
  readonly closed: Closing | undefined
}

export function findSlot(view: ReadView, id: string): Found | undefined {
  const slot = view.get(slotTable, id)
  if (slot === undefined) return undefined
  const facility = view.get(facilityTable, slot.facility)
  assert(facility !== undefined, `the facility of slot ${id}`)
  return { slot, facility, closed: slot.closed ?? view.get(closedDayTable, slot.facility, dayOf(slot.startsMs)) }
}

export function isOperator(view: ReadView, holder: Did, { id, livingArea, operatorScope }: Pick<Facility, 'id' | 'livingArea' | 'operatorScope'>, block: BlockInfo): boolean {
  return [id, livingArea, operatorScope].some((scope) => scope !== undefined && hasRole(view, holder, 'operator', scope, block.timeMs))
}

/** The slot, if the sender operates it. */
export function operatedSlot(view: ReadView, id: string, sender: Did, block: BlockInfo): Found | Refusal {
  const found = findSlot(view, id)
  if (found === undefined) return refuse('reservation/unknown-slot', { slot: id })
  return isOperator(view, sender, found.facility, block) ? found : refuse('reservation/not-operator', { facility: found.facility.id })
}

/** Closed slots, those of closed days and those of closed facilities do not take place: seats are given back at any time, and nobody moves up. */
export function isVoid({ closed, facility }: Found): boolean {
  return closed !== undefined || facility.closed !== undefined
}

/** Whether people could come: a slot that was closed, or whose facility was before it began, has no attendance. */
export function tookPlace({ slot, facility, closed }: Found): boolean {
  return closed === undefined && (facility.closed === undefined || facility.closed.atMs >= slot.startsMs)
}

const noSeats: Seats = { confirmed: 0, held: 0, attended: 0, absent: 0, waiting: 0, entered: 0, payers: 0, numbers: 0 }

export function readSeats(view: ReadView, slot: string): Seats {
  return view.get(seatsTable, slot) ?? noSeats
}

export function seatsLeft({ capacity }: Pick<Slot, 'capacity'>, { confirmed, held, attended, absent }: Seats): number {
  const left = capacity - confirmed - held - attended - absent
  assert(left >= 0, 'no seat sold twice')
  return left
}

/** The part of every event that says where. */
export function whereOf(id: string, { facility }: Found): { readonly slot: string; readonly facility: string; readonly livingArea: string } {
  return { slot: id, facility: facility.id, livingArea: facility.livingArea }
}

/** The purpose of an attestation of the qualification a slot asks for. */
export function qualificationPurpose({ course, facility }: Pick<Slot, 'course' | 'facility'>): string {
  return `reservation:${course ?? facility}`
}

/** From the end of its registration until all its lots are drawn, nothing of a lottery may change. */
export function isDrawing(view: ReadView, id: string, { lottery, closesMs }: Slot, block: BlockInfo): boolean {
  return lottery !== undefined && block.timeMs >= closesMs && view.get(drawTable, id)?.done !== true
}
