// reservation.registerFacility: an operator puts a public facility on the map.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import type { WriteView } from '../view.ts'
import { facilityRegistered } from './events.ts'
import { areaTable, courseTable, facilityByAreaTable, facilityByCategoryTable, facilityTable, present } from './keys.ts'
import { isOperator } from './slots.ts'
import { type Facility, type RegisterFacility, registerFacilityPayload } from './types.ts'

export const registerFacility = kind({
  kind: 'reservation.registerFacility',
  summary: 'Registers a public facility. By an operator of its living area, or of its id.',
  payload: registerFacilityPayload,
  apply: ({ block, transaction, view, emit }: Context, facility: RegisterFacility): Refusal | undefined => {
    const { id, livingArea, category } = facility
    if (view.get(areaTable, livingArea) === undefined) return refuse('reservation/unknown-living-area', { livingArea })
    // the scope written into the facility counts only afterwards: anyone could write their own there
    if (!isOperator(view, transaction.sender, { id, livingArea }, block)) return refuse('reservation/not-operator', { facility: id })
    if (isNameTaken(view, id)) return refuse('reservation/name-taken', { id })
    putFacility(view, { ...facility, registeredBy: transaction.sender, registeredAtHeight: block.height })
    emit(facilityRegistered({ facility: id, livingArea, category, by: transaction.sender }))
    return undefined
  },
})

/** Ids of living areas, facilities and courses are scopes of roles and purposes of attestations, so none may mean two things. */
export function isNameTaken(view: WriteView, id: string): boolean {
  return view.get(areaTable, id) !== undefined || view.get(facilityTable, id) !== undefined || view.get(courseTable, id) !== undefined
}

export function putFacility(view: WriteView, facility: Facility): void {
  view.put(facilityTable, [facility.id], facility)
  view.put(facilityByAreaTable, [facility.livingArea, facility.id], present)
  view.put(facilityByCategoryTable, [facility.category, facility.id], present)
}
