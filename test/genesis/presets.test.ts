// The presets: sound with any keys, and with the pilot's reported figures in them, so that nobody changes one unseen.
import t from 'tap'
import { decode, encode } from '../../primitives/codec.ts'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { checkGenesis, genesisWarnings } from '../../genesis/check.ts'
import { readGenesis, writeGenesis } from '../../genesis/genesis.ts'
import { multiChild, pilotHouseholds, youthCulturePass } from '../../genesis/presets/busan-programs.ts'
import { presets } from '../../genesis/presets/index.ts'
import { openProgramPayload } from '../../state/points/types.ts'
import { nodeCards, publicKeyOf } from '../support/genesis.ts'

for (const [name, preset] of Object.entries(presets)) {
  t.test(name, async (t) => {
    const offices = preset.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) }))
    const genesis = buildGenesis(preset, { name: 'test', timeMs: 1_778_716_800_000, nodes: nodeCards(4, 1), offices })
    t.doesNotThrow(() => checkGenesis(genesis))
    t.doesNotThrow(() => checkGenesis(readGenesis(writeGenesis(genesis))))
    t.notMatch(genesisWarnings(genesis).join('\n'), /halts|alone/, 'with two of each, one dead node stops nothing and nobody rules alone')
    t.equal(preset.livingAreas.length, 62, 'reported: 62 living areas')
    for (const { id, merchant } of preset.offices) if (merchant !== undefined) t.ok(preset.livingAreas.some((area) => area.id === merchant.livingArea), `${id} lies in a living area`)
    for (const payload of preset.programs(1_778_716_800_000)) t.strictSame(decode(openProgramPayload, encode(openProgramPayload, payload), 10_000), payload, `${payload.program} as it is sent`)
  })
}

t.test('figures of the pilot', async (t) => {
  const points = multiChild(0)
  t.strictSame(points.terms.tiers.map(({ amount }) => amount), [300_000, 500_000], 'reported: 300,000 and 500,000 won')
  t.equal(points.budget, 41_200_000_000, 'reported: 41.2 billion won in 2024')
  t.equal(pilotHouseholds.two + pilotHouseholds.threeOrMore, 122_000, 'reported: 122,000 households')
  t.equal(pilotHouseholds.two * 300_000 + pilotHouseholds.threeOrMore * 500_000, points.budget, 'and they come to the sum')
  const pass = youthCulturePass(0)
  t.equal(pass.terms.ownShare, 10_000, 'reported: 10,000 won')
  t.equal((pass.terms.ownShare ?? 0) + (pass.terms.tiers[0]?.amount ?? 0), 110_000, 'reported: up to 110,000 won of performances')
  t.equal(points.terms.unit, 'household', 'reported: a household once')
  t.equal(pass.terms.grantsMax, 5_000, 'reported: 5,000 passes')
  t.equal(pass.budget, 5_000 * (pass.terms.tiers[0]?.amount ?? 0), 'the budget bears them all')
})
