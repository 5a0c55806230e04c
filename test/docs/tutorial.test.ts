// docs/tutorial.md does what it says: its code blocks fit the client's types, and run from the first to the last against four validators in this process, with real
// consensus, vote logs and JSON-RPC. Only the clock is moved where the page waits.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { writeGenesis } from '../../genesis/genesis.ts'
import type { Preset } from '../../genesis/presets/preset.ts'
import { systemClock } from '../../node/clock.ts'
import { createClient } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf, smallPreset } from '../support/genesis.ts'
import { codeBlocks, loadTutorial, moduleOf, readTutorial } from '../support/tutorial.ts'
import { until } from '../support/until.ts'

const root = path.join(import.meta.dirname, '../..')
const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-tutorial-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const page = readTutorial()
const file = path.join(folder, 'tutorial.ts')
writeFileSync(file, moduleOf(page))

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

t.test('the page fits the types of the client', async (t) => {
  t.ok(codeBlocks(page).length > 20)
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ extends: path.join(root, 'tsconfig.json'), compilerOptions: { typeRoots: [path.join(root, 'node_modules/@types')] }, include: [], files: [file, path.join(root, 'primitives/sodium-native.d.ts')] }))
  try {
    // the compiler itself: its launcher is a Node program, into which the test runner puts loaders of its own
    execFileSync(path.join(root, `node_modules/@typescript/typescript-${process.platform}-${process.arch}/lib/tsc`), ['-p', folder], { encoding: 'utf8' })
  } catch (error) {
    const { stdout, stderr, message } = error as { readonly stdout: string; readonly stderr: string; readonly message: string }
    t.fail(`${message}\n${stdout}${stderr}`)
  }
})

t.test('the page runs, from birth to proof', async (t) => {
  let aheadMs = 0
  const clock = { ...systemClock, now: () => Date.now() + aheadMs }
  const assembled = createAssembled({ preset, clock })
  t.teardown(() => assembled.stopAll())
  await Promise.all(assembled.names.map(assembled.start))
  const urls = assembled.names.map((name) => assembled.node(name).url)
  await until(async () => (await Promise.all(urls.map((url) => createClient({ url }).call('node_status', {})))).every(({ ready }) => ready), 30_000)
  const tutorial = await loadTutorial(file)
  await tutorial({
    urls,
    genesis: writeGenesis(assembled.genesis),
    seedOf,
    now: clock.now,
    until: async (ms) => {
      aheadMs += Math.max(0, ms + 1 - clock.now())
    },
  })
  t.pass('every assertion of the page holds')
})
