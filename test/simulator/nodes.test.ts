// Whole nodes under a seeded scheduler: the real code from the assembly down, on simulated clocks, disks and links, with crashes at every door and liars.
// A failing seed is replayed with: npm run simulate -- --validators N --replay SEED --trace
import t from 'tap'
import { nodeFaultKinds, type NodeFaultKind } from './nodes/faults.ts'
import { nodeBehaviourNames } from './nodes/liar.ts'
import { type NodesSimulationOptions, simulateNodes } from './nodes/simulate.ts'

interface Sum {
  readonly failures: string[]
  blocks: number
  viewChanges: number
  readonly faults: Map<string, number>
}

async function runSeeds(first: number, seeds: number, options: Omit<NodesSimulationOptions, 'seed'>): Promise<Sum> {
  const sum: Sum = { failures: [], blocks: 0, viewChanges: 0, faults: new Map() }
  for (let seed = first; seed < first + seeds; seed++) {
    const { violation, stalled, blocks, viewChanges, faults } = await simulateNodes({ seed, ...options })
    if (violation !== undefined) sum.failures.push(`seed ${seed}: violation: ${violation}`)
    else if (stalled !== undefined) sum.failures.push(`seed ${seed}: stalled: ${stalled}`)
    sum.blocks += blocks
    sum.viewChanges += viewChanges
    for (const [kind, count] of Object.entries(faults)) sum.faults.set(kind, (sum.faults.get(kind) ?? 0) + count)
  }
  return sum
}

t.test('networks of four whole nodes agree, keep what they acknowledged, and go on', async (t) => {
  const { failures, blocks, viewChanges, faults } = await runSeeds(1, 24, { validators: 4 })
  t.same(failures, [])
  t.ok(blocks > 150 && viewChanges > 15, `the runs were worth it: ${blocks} blocks, ${viewChanges} view changes`)
  // these have tests of their own
  const rare: readonly NodeFaultKind[] = ['byzantine', 'power-cut', 'old-votes', 'sets']
  for (const kind of nodeFaultKinds.filter((one) => !rare.includes(one) && !faults.has(one))) {
    const alone = await runSeeds(1, 5, { validators: 4, faults: [kind] })
    t.same(alone.failures, [])
    t.ok(alone.faults.has(kind), `${kind} happened`)
  }
})

t.test('every liar as a whole node', async (t) => {
  for (const [i, liar] of nodeBehaviourNames.entries()) t.same((await runSeeds(100 + i, 1, { validators: 4, liars: [liar] })).failures, [], liar)
})

t.test('a primary that leaves out is replaced, though it makes blocks, and fills them', async (t) => {
  for (const seed of [7, 13]) t.same((await runSeeds(seed, 1, { validators: 4, liars: ['censor'] })).failures, [])
})

t.test('validator sets change under crashes and partitions', async (t) => {
  const { failures, faults } = await runSeeds(3, 7, { validators: 4, faults: ['sets', 'crash', 'partition', 'starve', 'loss'] })
  t.same(failures, [])
  t.ok((faults.get('sets') ?? 0) > 3, 'sets were changed')
})

t.test('an older vote log that is put back is noticed', async (t) => {
  const { failures, faults } = await runSeeds(1, 15, { validators: 4, faults: ['old-votes', 'crash'] })
  t.same(failures, [])
  t.ok((faults.get('old-votes') ?? 0) > 0, 'one was put back')
})

t.test('other sizes', async (t) => {
  for (const validators of [1, 3, 5, 7]) t.same((await runSeeds(1, 1, { validators })).failures, [], `n = ${validators}`)
})

t.test('power cuts of all at once', async (t) => {
  const { failures, faults } = await runSeeds(1, 12, { validators: 4, faults: ['power-cut'] })
  t.same(failures, [])
  t.ok((faults.get('power-cut') ?? 0) > 3)
})

t.test('seeds that found something', async (t) => {
  // all lost power after a set had changed, and with it the certificate that names the new set
  t.same((await runSeeds(82, 1, { validators: 4, faults: ['sets', 'power-cut', 'crash', 'loss'] })).failures, [])
  // 929: who had been passed over by one liar asked it again, ten times; 1964: a new validator that heard the others late was taken for one that had lost its votes
  // 9849: the only one that had committed a block showed it in its ViewChange and lost its disk, and all others waited for it
  for (const seed of [929, 1964, 9849]) t.same((await runSeeds(seed, 1, { validators: 4 })).failures, [])
  // three of seven waited for a height that a liar had made up, since it was among the first that answered
  t.same((await runSeeds(1583, 1, { validators: 7 })).failures, [])
})

t.test('a run is its seed: the same events, line by line', async (t) => {
  for (const seed of [3, 25]) {
    const traces: string[][] = []
    for (let i = 0; i < 2; i++) {
      const lines: string[] = []
      await simulateNodes({ seed, validators: 4, trace: (line) => lines.push(line) })
      traces.push(lines)
    }
    t.ok((traces[0]?.length ?? 0) > 100)
    t.equal(traces[0]?.join('\n'), traces[1]?.join('\n'))
  }
})
