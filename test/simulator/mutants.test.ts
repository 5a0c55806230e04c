// Some of the deliberate bugs of mutants.ts: the simulator must notice each within a few seeds. All of them: npm run mutants.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { hunt, mutants, type Mutant, pathOf } from './mutants.ts'

const quick = ['quorum of one less', 'lowest base in the new view', 'votes go on after the view change', 'commits of different views counted together', 'proposals not persisted']

t.test('a broken protocol is noticed', (t) => {
  for (const name of quick) {
    const { seeds, how } = hunt(mutants.find((one) => one.name === name) as Mutant, 100)
    t.ok(seeds !== undefined, `${name}: ${seeds ?? 'not noticed'}: ${how.slice(0, 100)}`)
  }
  t.end()
})

t.test('every mutant fits the source, and has a name of its own', (t) => {
  t.ok(mutants.length >= 25)
  t.equal(new Set(mutants.map(({ name }) => name)).size, mutants.length)
  const root = path.join(import.meta.dirname, '../..')
  t.same(mutants.filter((one) => !readFileSync(path.join(root, pathOf(one)), 'utf8').includes(one.find)).map(({ name }) => name), [])
  t.end()
})
