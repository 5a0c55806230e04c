// Everything that can happen to four validators, one of them a liar, at one height in two views: over the real code, all states. More: npm run explore.
import t from 'tap'
import { explore } from './explore.ts'
import { exploreMutant } from './mutants.ts'

const limits = { states: 60_000, depth: 1_000 }

t.test('no order of events and no lie within bounds breaks agreement, an invariant or a promise', (t) => {
  for (const liar of [0, 1, 2]) {
    const { states, transitions, depth, complete, violation, delivered } = explore({ validators: 4, liar, heights: 1, views: 2, restarts: 0 }, limits)
    t.equal(violation, undefined, `v${liar} lies`)
    t.ok(complete && states > 10_000 && (delivered[0] ?? 0) > 10_000, 'every state was seen, and most have a final block')
    t.comment(`v${liar} lies: ${states} states, ${transitions} transitions, depth ${depth}`)
  }
  t.end()
})

t.test('two heights, and power cuts, as far as the time allows', (t) => {
  for (const bounds of [{ liar: 0, heights: 2, restarts: 0 }, { liar: 1, heights: 1, restarts: 1 }]) {
    const { states, violation } = explore({ validators: 4, views: 2, ...bounds }, { states: 20_000, depth: 1_000 })
    t.equal(violation, undefined)
    t.ok(states > 20_000)
  }
  t.end()
})

t.test('the same exploration counts the same states', (t) => {
  const [one, two] = [0, 1].map(() => explore({ validators: 4, liar: 3, heights: 1, views: 2, restarts: 0 }, { states: 4_000, depth: 1_000 }))
  t.same(one, two)
  t.end()
})

t.test('deliberate bugs are found', (t) => {
  for (const name of ['quorum of one less', 'wrong new view is followed', 'prepares of other blocks counted', 'view change not persisted']) {
    const { violation, states } = exploreMutant(name, 60_000)
    t.ok(violation !== undefined, `${name}: ${violation ?? 'not found'} (${states} states)`)
  }
  t.end()
})
