// The report of a series of runs: a page in Markdown and its charts in SVG. What each figure is, docs/performance.md says.
import { barChart, lineChart } from './charts.ts'
import type { BenchResult } from './report.ts'

export interface SeriesRun {
  readonly validators: number
  readonly outstanding: number
  readonly result: BenchResult
}

export interface Series {
  /** When and on which machine, in words. */
  readonly head: string
  /** By load, at one number of validators, ascending. */
  readonly byLoad: readonly SeriesRun[]
  /** By validators, at one load, ascending. */
  readonly byValidators: readonly SeriesRun[]
  /** Of the main thread of one validator, in µs a transaction, the largest first. */
  readonly parts: readonly (readonly [part: string, microseconds: number])[]
  /** Runs that did not hold, in words: they have no figures here. */
  readonly failed: readonly string[]
}

/** Name and content of each file. Without a run by load or by validators its chart and table are left out. */
export function filesOf({ head, byLoad, byValidators, parts, failed }: Series): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const page = ['# Benchmark', head]
  if (failed.length > 0) page.push(['**These runs did not hold, and are left out:**', ...failed.map((words) => `- ${words}`)].join('\n'))
  if (byLoad.length > 0) {
    files.set('latency.svg', latencyChart(byLoad))
    page.push('## Throughput against latency', `${byLoad[0]?.validators} validators, closed loops.`, '![throughput against latency](latency.svg)', table('under way', byLoad, ({ outstanding }) => outstanding))
  }
  if (byValidators.length > 0) {
    files.set('validators.svg', validatorsChart(byValidators))
    page.push('## Throughput against validators', `${number(byValidators[0]?.outstanding ?? 0)} transactions under way. All validators share this machine.`, '![throughput against validators](validators.svg)', table('validators', byValidators, ({ validators }) => validators))
  }
  if (parts.length > 0) {
    const bars = parts.map(([name, value]) => ({ name, value }))
    files.set('parts.svg', barChart({ title: 'One transaction on the main thread of one validator', unit: 'µs', bars }))
    page.push('## What a transaction costs, by part', 'Samples by wall time of the first validator’s main thread; the workers that check signatures and the threads of V8 and LevelDB are not in it.', '![cost by part](parts.svg)')
    page.push(['| part | µs a transaction |', '| --- | --- |', ...parts.map(([name, value]) => `| ${name} | ${value.toFixed(1)} |`)].join('\n'))
  }
  files.set('report.md', `${page.join('\n\n')}\n`)
  return files
}

function latencyChart(runs: readonly SeriesRun[]): string {
  const at = (name: 'p50' | 'p99', labelled: boolean) => ({
    name,
    points: runs.map(({ outstanding, result }) => ({ x: result.txPerSecond, y: result.latencyMs[name], ...(labelled ? { label: `${number(outstanding)} under way` } : {}) })),
  })
  return lineChart({ title: 'Throughput against latency', x: { title: 'transactions a second' }, y: { title: 'ms until final', log: true }, series: [at('p50', false), at('p99', true)] })
}

function validatorsChart(runs: readonly SeriesRun[]): string {
  const of = (name: string, value: (result: BenchResult) => number) => ({ name, points: runs.map(({ validators, result }) => ({ x: validators, y: value(result) })) })
  return lineChart({
    title: 'Throughput against validators',
    x: { title: 'validators' },
    y: { title: 'transactions a second', log: true },
    series: [of('measured', ({ txPerSecond }) => txPerSecond), of('floor: signatures alone', ({ verifyFloorTxPerSecond }) => verifyFloorTxPerSecond)],
  })
}

function table(title: string, runs: readonly SeriesRun[], of: (run: SeriesRun) => number): string {
  return [
    `| ${title} | tx/s | p50 / p90 / p99 ms | CPU µs a tx, all | tx a block | ratio to floor | RSS MiB | bytes a tx: disk / network |`,
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...runs.map((run) => {
      const { txPerSecond, latencyMs, cpuSecondsPerTx, txPerBlock, ratioToFloor, rssMiB, bytesPerTx } = run.result
      const figures = [number(of(run)), number(txPerSecond), [latencyMs.p50, latencyMs.p90, latencyMs.p99].map(number).join(' / '), number(cpuSecondsPerTx * 1e6), number(txPerBlock), ratioToFloor.toFixed(3), number(rssMiB.validatorMax), `${number(bytesPerTx.disk)} / ${number(bytesPerTx.network)}`]
      return `| ${figures.join(' | ')} |`
    }),
  ].join('\n')
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 })
}
