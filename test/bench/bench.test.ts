// The part of the benchmark that computes: percentiles, mixes, the choice of a step, what a profile comes to.
import fc from 'fast-check'
import t from 'tap'
import { hundredOf, mixNames, type Part, shares } from '../../scripts/bench/mix.ts'
import { dayAt } from '../../scripts/bench/opening-day.ts'
import { readOptions } from '../../scripts/bench/options.ts'
import { sumProfile } from '../../scripts/bench/parts.ts'
import { createPool } from '../../scripts/bench/pool.ts'
import { latencySummary, percentile, smallestNearBest } from '../../scripts/bench/statistics.ts'
import type { TransactionId } from '../../primitives/brand.ts'
import { decode, encode } from '../../primitives/codec.ts'
import { openProgramPayload } from '../../state/points/types.ts'

t.test('percentiles are values that were measured, by rank', (t) => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
  for (let share = 1; share <= 100; share++) t.equal(percentile(hundred, share / 100), share, `p${share} of 1 to 100`)
  t.equal(percentile([7], 0.01), 7)
  t.equal(percentile([1, 2], 0.5), 1)
  t.equal(percentile([1, 2], 0.51), 2)
  t.ok(Number.isNaN(percentile([], 0.5)))
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 1_000 }), (values, thousandths) => {
      const sorted = values.toSorted((a, b) => a - b)
      const value = percentile(sorted, thousandths / 1_000)
      const atMost = sorted.filter((one) => one <= value).length
      const below = sorted.filter((one) => one < value).length
      return atMost * 1_000 >= thousandths * sorted.length && below * 1_000 < thousandths * sorted.length
    }),
  )
  t.end()
})

t.test('a summary sorts by number and knows the empty run', (t) => {
  t.strictSame(latencySummary([100, 9, 20, 3]), { p50: 9, p90: 100, p99: 100, max: 100 })
  t.strictSame(latencySummary([]), { p50: 0, p90: 0, p99: 0, max: 0 })
  t.end()
})

t.test('a mix is exact in every hundred and even within it', (t) => {
  for (const mix of mixNames) {
    const parts = hundredOf(mix)
    const wanted: Readonly<Partial<Record<Part, number>>> = shares[mix]
    t.equal(parts.length, 100)
    t.equal(Object.values(wanted).reduce((sum, share) => sum + share, 0), 100, `${mix} comes to a hundred`)
    for (const [part, share] of Object.entries(wanted)) {
      t.equal(parts.filter((one) => one === part).length, share, `${share} of ${part} in ${mix}`)
      const worst = Math.max(...parts.map((_, i) => Math.abs(parts.slice(0, i + 1).filter((one) => one === part).length - ((i + 1) * share) / 100)))
      t.ok(worst < 1.5, `${part} never more than one and a half off its share`)
    }
  }
  t.strictSame(shares.pilot, { spend: 70, reserve: 15, register: 5, issue: 5, anchor: 5 })
  t.end()
})

t.test('the smallest step that comes near the best', (t) => {
  const near = (figures: readonly number[]): number | undefined => smallestNearBest(figures, (figure) => figure, 0.95)
  t.equal(near([100, 200, 205]), 200)
  t.equal(near([100, 190, 205]), 205)
  t.equal(near([205, 190, 100]), 205)
  t.equal(near([]), undefined)
  t.end()
})

t.test('a pool hands out each once, in order, and counts what it signs late', async (t) => {
  let made = 0
  const pool = createPool(async () => ({ id: Uint8Array.of(++made) as TransactionId, validUntilMs: 0, bytes: Uint8Array.of(made) }))
  await pool.fill(3)
  const first = await pool.take(2)
  t.equal(pool.size(), 1)
  const second = await pool.take(4)
  t.equal(pool.late(), 3)
  t.equal(new Set([...first, ...second].map(({ id }) => id)).size, 6)
  t.equal(made, 6)
})

t.test('options: defaults, and what is refused', (t) => {
  t.match(readOptions([]), { validators: 4, seconds: 15, mix: 'pilot', rate: undefined, outstanding: undefined })
  t.equal(readOptions(['--help']), undefined)
  t.match(readOptions(['--mix', 'opening-day', '--scale', '0.01']), { mix: 'opening-day', scale: 0.01 })
  t.match(readOptions(['--mix', 'opening-day']), { scale: 1 })
  t.match(readOptions(['--report', 'x', '--seconds', '20', '--mix', 'spend']), { report: 'x', seconds: 20, mix: 'spend' })
  t.match(readOptions(['--mix', 'spend', '--rate', '200']), { mix: 'spend', rate: 200 })
  for (const [args, why] of [
    [['--mix', 'opening-day', '--seconds', '10'], /do not go with opening-day/],
    [['--mix', 'opening-day', '--rate', '10'], /do not go with opening-day/],
    [['--mix', 'opening-day', '--scale', '0'], /above 0 up to 1/],
    [['--mix', 'opening-day', '--scale', '1.01'], /above 0 up to 1/],
    [['--mix', 'opening-day', '--scale', 'NaN'], /above 0 up to 1/],
    [['--scale', '0.5'], /opening-day alone/],
    [['--report', 'x', '--outstanding', '5'], /--report goes with/],
    [['--report', 'x', '--mix', 'opening-day'], /--report goes with/],
    [['--mix', 'nothing'], /no mix nothing/],
    [['--rate', '-1'], /rate/],
    [['--seconds', '1.5'], /whole number/],
    [['--validators', '33'], /from 1 to 32/],
    [['--rate', '1', '--outstanding', '1'], /exclude/],
    [['--nonsense'], /nonsense/],
  ] as const)
    t.throws(() => readOptions(args), { message: why }, args.join(' '))
  t.end()
})

t.test('opening day: the pilot’s figures, at any scale', (t) => {
  const whole = dayAt(1, 0)
  t.match(whole, { twoChildren: 99_000, threeOrMore: 23_000, youngResidents: 50_000, passes: 5_000, waiting: 10_000 })
  t.equal(whole.fund.budget, 41_200_000_000)
  t.equal(whole.pass.budget, 500_000_000)
  const part = dayAt(0.01, 0)
  t.match(part, { twoChildren: 990, threeOrMore: 230, youngResidents: 500, passes: 50, waiting: 100 })
  t.equal(part.fund.budget, 412_000_000, 'exactly what its households come to')
  t.match(part.pass, { budget: 5_000_000, terms: { grantsMax: 50, waitlistMax: 100 } })
  for (const { fund, pass } of [whole, part, dayAt(0.000_01, 0)]) for (const program of [fund, pass]) t.strictSame(decode(openProgramPayload, encode(openProgramPayload, program), 10_000), program, `${program.program} as it is sent`)
  t.match(dayAt(0.000_01, 0), { twoChildren: 1, threeOrMore: 1, passes: 1 }, 'nothing becomes fewer than one')
  t.end()
})

t.test('a profile: time counts for the innermost function that belongs to a part', (t) => {
  const node = (id: number, functionName: string, url: string, ...children: readonly number[]) => ({ id, callFrame: { functionName, url, lineNumber: 0 }, children })
  const sums = sumProfile({
    nodes: [
      node(1, '(root)', '', 2, 3, 4, 7),
      node(2, '(idle)', ''),
      node(3, '(garbage collector)', ''),
      node(4, 'runOne', 'file:///x/node/executor.ts', 5),
      node(5, 'putBlock', 'file:///x/node/chain-store.ts', 6),
      node(6, 'encode', 'file:///x/primitives/codec.ts'),
      node(7, 'processTimers', 'node:internal/timers'),
    ],
    samples: [2, 3, 4, 5, 6, 6, 7],
    timeDeltas: [10_000, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000],
  })
  t.equal(sums.wallMs, 31)
  t.equal(sums.busyMs, 21)
  t.strictSame(Object.fromEntries(sums.byPart), { 'garbage collection': 1, execution: 2, store: 12, 'Node: event loop, streams, timers': 6 })
  t.equal(sums.byFile.get('primitives/codec.ts'), 9)
  t.end()
})
