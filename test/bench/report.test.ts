// The page and the charts of a series of runs.
import fc from 'fast-check'
import t from 'tap'
import { barChart, lineChart, ticksOf } from '../../scripts/bench/charts.ts'
import { filesOf, type SeriesRun } from '../../scripts/bench/page.ts'

t.test('ticks are round and hold every value between them', (t) => {
  t.strictSame(ticksOf({ title: '' }, [3, 90]), [0, 20, 40, 60, 80, 100])
  t.strictSame(ticksOf({ title: '' }, [0]), [0, 0.2], 'also where there is nothing')
  t.strictSame(ticksOf({ title: '', log: true }, [12, 900]), [10, 20, 50, 100, 200, 500, 1_000])
  t.strictSame(ticksOf({ title: '', log: true }, [10]), [10, 20])
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), { minLength: 1, maxLength: 20 }), fc.boolean(), (values, log) => {
      const ticks = ticksOf(log ? { title: '', log: true } : { title: '' }, values)
      const ascends = ticks.every((tick, i) => i === 0 || tick > (ticks[i - 1] as number))
      return ascends && ticks.length >= 2 && ticks.length <= 30 && (ticks[0] as number) <= Math.min(...values) * 1.000_01 && (ticks.at(-1) as number) >= Math.max(...values) * 0.999_99
    }),
  )
  t.end()
})

t.test('charts: every point within the picture, every text escaped', (t) => {
  const chart = lineChart({
    title: 'a < b & c',
    x: { title: 'x' },
    y: { title: 'y', log: true },
    series: [{ name: '<p50>', points: [{ x: 10, y: 5, label: 'low' }, { x: 2_000, y: 3_000 }] }],
  })
  t.match(chart, '<title>a &lt; b &amp; c</title>')
  t.match(chart, '&lt;p50&gt;')
  t.notMatch(chart, /NaN|Infinity/)
  for (const [, x, y] of chart.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) t.ok(Number(x) >= 72 && Number(x) <= 680 && Number(y) >= 64 && Number(y) <= 348, `${x}, ${y}`)
  const [long, short] = [...barChart({ title: 't', unit: 'µs', bars: [{ name: 'a', value: 40 }, { name: 'b', value: 10 }] }).matchAll(/<rect x="240" y="\d+" width="([\d.]+)"/g)].map(([, wide]) => Number(wide))
  t.equal(long, (short as number) * 4, 'bars are as long as what they show')
  t.end()
})

const run = (validators: number, outstanding: number, txPerSecond: number): SeriesRun => ({
  validators,
  outstanding,
  result: {
    validators,
    seconds: 15,
    mix: 'spend',
    submitted: 1,
    committed: 1,
    rejected: 0,
    txPerSecond,
    latencyMs: { p50: 12.5, p90: 20, p99: 31, max: 40 },
    cpuSecondsPerTx: 0.000_5,
    verifyFloorTxPerSecond: 11_000,
    ratioToFloor: 0.1,
    blocks: 10,
    txPerBlock: 100,
    rssMiB: { validatorMax: 400 },
    bytesPerTx: { disk: 1_000, network: 500 },
    versions: {},
  },
})

t.test('the page has each run in its table, and names those that did not hold', (t) => {
  const files = filesOf({ head: 'Today.', byLoad: [run(4, 1, 80), run(4, 200, 1_400)], byValidators: [run(4, 1_000, 2_100), run(7, 1_000, 1_200)], parts: [['consensus', 12.34]], failed: ['10 validators: exit code 1'] })
  t.strictSame([...files.keys()].sort(), ['latency.svg', 'parts.svg', 'report.md', 'validators.svg'])
  const page = files.get('report.md') ?? ''
  t.match(page, '| 200 | 1,400 | 12.5 / 20 / 31 | 500 | 100 | 0.100 | 400 | 1,000 / 500 |')
  t.match(page, '| 7 | 1,200 |')
  t.match(page, '| consensus | 12.3 |')
  t.match(page, '- 10 validators: exit code 1')
  for (const name of files.keys()) if (name.endsWith('.svg')) t.match(page, `](${name})`)
  t.strictSame([...filesOf({ head: '', byLoad: [], byValidators: [], parts: [], failed: [] }).keys()], ['report.md'], 'without runs there is no chart')
  t.end()
})
