// The family's settings and its part of the genesis.
import { assert } from '../../primitives/errors.ts'
import type { GenesisSection } from '../family.ts'
import { areaTable } from '../reservation/keys.ts'
import type { ReadView } from '../view.ts'
import { boardTable, settingsTable } from './keys.ts'
import { cityWide, type CommunityGenesis, genesisSection, type Settings, settingsDefault } from './types.ts'

export const communityGenesis: GenesisSection<CommunityGenesis> = {
  schema: genesisSection,
  apply: ({ view }, { boards, settings = settingsDefault }) => {
    assert(view.get(areaTable, cityWide) === undefined, `no living area named ${cityWide}`)
    view.put(settingsTable, ['current'], settings)
    for (const board of boards) {
      const { livingArea, board: name } = board
      assert(livingArea === cityWide || view.get(areaTable, livingArea) !== undefined, `a living area ${livingArea} for the board ${name}`)
      view.put(boardTable, [livingArea, name], board)
    }
  },
}

export function readSettings(view: ReadView): Settings {
  const current = view.get(settingsTable, 'current')
  assert(current !== undefined, 'settings set by genesis')
  return current
}
