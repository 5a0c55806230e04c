// The family's part of the genesis: living areas, and the facilities known from the beginning.
import type { GenesisSection } from '../family.ts'
import { areaTable, settingsTable } from './keys.ts'
import { putFacility } from './register-facility.ts'
import { genesisSection, type ReservationGenesis } from './types.ts'

export const reservationGenesis: GenesisSection<ReservationGenesis> = {
  schema: genesisSection,
  apply: ({ block, view }, { livingAreas, facilities, settings }) => {
    if (settings !== undefined) view.put(settingsTable, ['current'], settings)
    for (const area of livingAreas) view.put(areaTable, [area.id], area)
    for (const facility of facilities) putFacility(view, { ...facility, registeredAtHeight: block.height })
  },
}
