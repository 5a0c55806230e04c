// docs/security.md says where each fault of other ledgers is kept away: the tests that it names are there, so are the files, and no test named after a fault is missing from it.
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'

const root = path.dirname(path.dirname(import.meta.dirname))
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')

/** The known faults: a row may grow, none may get lost. */
const sources = [
  'celo-blockchain #253', 'arXiv 2002.03613', 'arXiv 1901.07160', 'besu #1734', 'neo #642', 'fabric #1111', 'sawtooth-pbft #90', 'sawtooth-pbft #133', 'sawtooth-pbft #125', 'sawtooth-pbft:', 'besu #7642', 'quorum #1664',
  'besu GHSA-23rh-rrqg-wq82', 'SmartBFT #622, #570', 'CometBFT ASA-2025-002', 'CometBFT ASA-2025-001', 'cometbft #5668', 'cometbft #5953', 'arXiv 2107.11144', 'tendermint #3295, Jepsen on Tendermint 0.10.2', 'cometbft #1637',
  'cometbft #169', 'cometbft #6023, hermes #1205', 'cometbft #5861', 'fabric #4875', 'fabric #5076', 'indy-node #1823', 'indy-node #1720', 'lodestar #6129, #6078, #7377', 'kill -9 shows nothing about a disk', 'LevelDB', 'msgpackr', 'Fastify',
] as const

interface Named {
  readonly source: string
  readonly file: string
  readonly title: string
}

/** The rows under the heading: source, and each `file: title` of the last column. */
function rowsOf(page: string): readonly { readonly source: string; readonly cells: readonly string[]; readonly tests: readonly Named[] }[] {
  const section = page.slice(page.indexOf('## Faults of others'))
  return [...section.matchAll(/^\| (?!source|method|---)([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, source = '', property = '', held = '', tests = '']) => ({
    source,
    cells: [property, held, tests],
    tests: tests.split('; ').map((one) => {
      const [, file, title] = /^([a-z/-]+): `([^`]+)`$/.exec(one) ?? []
      if (file === undefined || title === undefined) throw new Error(`not of the form "folder/file: \`beginning of the title\`": ${one}`)
      return { source, file: `test/${file}.test.ts`, title }
    }),
  }))
}

/** Titles as they stand in the sources. */
const titlesIn = (file: string): readonly string[] => [...read(file).matchAll(/\btest\('((?:[^'\\]|\\.)*)'/g)].map(([, title = '']) => title.replaceAll("\\'", "'"))

const page = read('docs/security.md')
const rows = rowsOf(page)
const named = rows.flatMap(({ tests }) => tests)

t.test('every test that the table names is there', async (t) => {
  t.ok(named.length >= sources.length)
  t.same(named.filter(({ file, title }) => !existsSync(path.join(root, file)) || !titlesIn(file).some((one) => one.startsWith(title))).map(({ file, title }) => `${file}: ${title}`), [])
})

t.test('every known fault has a row, and a test that is named after it', async (t) => {
  for (const source of sources) {
    const own = rows.filter((row) => row.source.startsWith(source))
    t.ok(own.length >= 1 && own.every(({ cells }) => cells.every((cell) => cell.trim() !== '')), source)
    t.ok(own.some(({ tests }) => tests.some(({ title }) => title.includes(source))), `${source}: in a title`)
  }
})

t.test('every test that is named after a fault stands in the table', async (t) => {
  const files = globSync('test/**/*.test.ts', { cwd: root }).filter((file) => !file.startsWith('test/docs/'))
  const all = files.flatMap((file) => titlesIn(file).map((title) => ({ file, title })))
  t.ok(all.length > 300, `${all.length} titles`)
  const begins = new RegExp(`^(?:${sources.map((source) => source.split(/ (?=#|GHSA|ASA|\d)|:/)[0]).join('|')})[ :]`)
  const unnamed = all.filter(({ file, title }) => begins.test(title) && !named.some((one) => one.file === file && title.startsWith(one.title)))
  t.same(unnamed, [])
})

t.test('every file that the page names is there', async (t) => {
  const files = [...page.matchAll(/`((?:primitives|consensus|state|node|rpc|genesis|scripts|test)\/[a-z0-9/*.-]+)`/g)].map(([, file = '']) => file)
  t.ok(files.length > 60)
  t.same(files.filter((file) => globSync(file, { cwd: root }).length === 0), [])
})
