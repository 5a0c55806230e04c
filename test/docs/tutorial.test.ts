// docs/tutorial.md does what it says: its code blocks fit the client's types, and run from the first to the last against four validators in this process, with real
// consensus, vote logs and JSON-RPC. Only the clock is moved where the page waits.
import t from 'tap'
import { genesisHash } from '../../genesis/genesis.ts'
import type { Preset } from '../../genesis/presets/preset.ts'
import { systemClock } from '../../node/clock.ts'
import { toHex } from '../../primitives/bytes.ts'
import { createClient } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf, smallPreset } from '../support/genesis.ts'
import { codeBlocks, createPages, type TutorialNetwork } from '../support/pages.ts'
import { until } from '../support/until.ts'

const pages = createPages()
t.teardown(pages.remove)
const tutorial = pages.write('docs/tutorial.md', 'network: pages.TutorialNetwork')

const office = (id: string, rest: Partial<Preset['offices'][number]>): Preset['offices'][number] => ({ id, title: { ko: id, en: id }, roles: [], ...rest })
const preset: Preset = {
  ...smallPreset,
  offices: [
    ...smallPreset.offices,
    office('registrar-2', { roles: [{ role: 'registrar', scope: '*' }] }),
    office('moderator-2', { roles: [{ role: 'moderator', scope: '*' }] }),
    office('theatre', { merchant: { category: 'performance' } }),
    office('arts-school', { merchant: { category: 'arts-school' } }),
  ],
}

t.test('the page fits the types of the client', (t) => {
  t.ok(codeBlocks(tutorial.page).length > 20)
  t.equal(pages.compile(), '')
  t.end()
})

t.test('the page runs, from birth to proof', async (t) => {
  let aheadMs = 0
  const clock = { ...systemClock, now: () => Date.now() + aheadMs }
  const assembled = createAssembled({ preset, clock })
  t.teardown(() => assembled.stopAll())
  await Promise.all(assembled.names.map(assembled.start))
  const urls = assembled.names.map((name) => assembled.node(name).url)
  await until(async () => (await Promise.all(urls.map((url) => createClient({ url }).call('node_status', {})))).every(({ ready }) => ready), 30_000)
  const run = await tutorial.load<(network: TutorialNetwork) => Promise<unknown>>()
  await run({
    urls,
    genesisHash: toHex(genesisHash(assembled.genesis)),
    seedOf,
    now: clock.now,
    until: async (ms) => {
      aheadMs += Math.max(0, ms + 1 - clock.now())
    },
  })
  t.pass('every assertion of the page holds')
})
