// docs/transactions.md says what the node does: its generated parts are current, and every description is whole and about what there is.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { chapters, withGenerated } from '../../scripts/reference/all.ts'
import { codesIn } from '../../scripts/reference/chapter.ts'
import { families } from '../../state/families.ts'

t.test('the page is what the code says', async (t) => {
  const page = readFileSync(path.join(path.dirname(path.dirname(import.meta.dirname)), 'docs/transactions.md'), 'utf8')
  t.ok(withGenerated(page) === page, 'node scripts/reference.ts makes it anew')
  t.throws(() => withGenerated('# a page without marks'), /no marks/)
})

for (const { family: name, kinds, byItself, byOthers = '' } of chapters) {
  t.test(name, async (t) => {
    const family = families.find((each) => each.name === name)
    t.same(Object.keys(kinds), family?.kinds.map(({ kind }) => kind), 'each kind, in order')
    const allCodes = new Set(families.flatMap(({ codes }) => Object.keys(codes)))
    const described = Object.values(kinds)
    const codes = new Set([...described.flatMap((kind) => [...codesIn(kind)]), ...codesIn({ rules: [byOthers] })])
    t.same([...codes].filter((code) => !allCodes.has(code)), [], 'no code that there is not')
    t.same(Object.keys(family?.codes ?? {}).filter((code) => !codes.has(code)), [], 'every code at some kind')
    const events = new Set([...described.flatMap((kind) => kind.events), ...(byItself?.match(/[a-z]+\.[a-zA-Z]+/g) ?? [])])
    // a kind may move what is another family's, as a reservation does points
    const allTypes = new Set(families.flatMap((each) => each.events.map(({ type }) => type)))
    const kindNames = new Set(families.flatMap((each) => each.kinds.map(({ kind }) => kind)))
    t.same([...events].filter((type) => !allTypes.has(type) && !kindNames.has(type)), [], 'no event that there is not')
    t.same(family?.events.map(({ type }) => type).filter((type) => !events.has(type)), [], 'every event at some kind')
  })
}
