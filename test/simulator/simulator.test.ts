// The consensus core under a seeded scheduler: 1,000 networks of four and 200 of seven, each a few seconds of simulated loss, delay, duplication,
// partitions, crashes at effect boundaries and liars, then a healed phase in which everything must be done within a stated time.
// A failing seed is replayed with: npm run simulate -- --validators N --replay SEED --trace
import t from 'tap'
import { faultKinds } from './faults.ts'
import { simulate, type SimulationOptions } from './simulate.ts'

interface Sum {
  readonly failures: string[]
  blocks: number
  viewChanges: number
  readonly faults: Map<string, number>
}

function runSeeds(first: number, seeds: number, options: Omit<SimulationOptions, 'seed'>): Sum {
  const sum: Sum = { failures: [], blocks: 0, viewChanges: 0, faults: new Map() }
  for (let seed = first; seed < first + seeds; seed++) {
    const { violation, stalled, blocks, viewChanges, faults } = simulate({ seed, ...options })
    if (violation !== undefined) sum.failures.push(`seed ${seed}: violation: ${violation}`)
    else if (stalled !== undefined) sum.failures.push(`seed ${seed}: stalled: ${stalled}`)
    sum.blocks += blocks
    sum.viewChanges += viewChanges
    for (const [kind, count] of Object.entries(faults)) sum.faults.set(kind, (sum.faults.get(kind) ?? 0) + count)
  }
  return sum
}

t.test('1,000 networks of four agree and go on', (t) => {
  const { failures, blocks, viewChanges, faults } = runSeeds(1, 1_000, { validators: 4 })
  t.same(failures, [])
  t.ok(blocks > 8_000 && viewChanges > 2_000, `the runs were worth it: ${blocks} blocks, ${viewChanges} view changes`)
  for (const kind of faultKinds.filter((one) => one !== 'byzantine')) t.ok((faults.get(kind) ?? 0) > 20, `${kind} happened: ${faults.get(kind)}`)
  t.ok([...faults.keys()].filter((one) => one.startsWith('byzantine:')).length >= 13, 'every liar had its turn')
  t.comment(`${blocks} blocks, ${viewChanges} view changes`)
  t.end()
})

t.test('200 networks of seven agree and go on', (t) => {
  const { failures, blocks, viewChanges } = runSeeds(1, 200, { validators: 7 })
  t.same(failures, [])
  t.comment(`${blocks} blocks, ${viewChanges} view changes`)
  t.end()
})

t.test('sizes that are not 3f + 1, and the smallest', (t) => {
  for (const validators of [1, 2, 3, 5, 6, 8]) t.same(runSeeds(1, 15, { validators }).failures, [], `n = ${validators}`)
  t.end()
})

t.test('a run is its seed: the same events, line by line', (t) => {
  for (const seed of [3, 17]) {
    const traced = [0, 1].map(() => {
      const lines: string[] = []
      const result = simulate({ seed, validators: 4, trace: (line) => lines.push(line) })
      return { lines, result }
    })
    t.ok((traced[0]?.lines.length ?? 0) > 100)
    t.same(traced[0], traced[1])
  }
  t.end()
})

t.test('without faults, transactions still reach some validators only', (t) => {
  t.same(runSeeds(1, 20, { validators: 4, faults: [] }).failures, [])
  t.end()
})

t.test('sawtooth-pbft #125: a whole network restarted without seals never resumed', (t) => {
  const { failures, faults } = runSeeds(1, 40, { validators: 4, faults: ['crash-all'] })
  t.same(failures, [])
  t.ok((faults.get('crash-all') ?? 0) >= 10)
  t.end()
})
