// The result: the JSON that others read (its fields are fixed), and the table for people, which says more.
import { availableParallelism } from 'node:os'
import { styleText } from 'node:util'
import type { DayResult } from './opening-day.ts'
import type { LatencySummary } from './statistics.ts'

export interface BenchResult {
  readonly validators: number
  readonly seconds: number
  readonly mix: string
  /** Sent, or due, in the measured seconds. */
  readonly submitted: number
  /** Of those, final with status ok. */
  readonly committed: number
  /** Of those, turned away by a node or refused by a rule. */
  readonly rejected: number
  /** Receipts with status ok that came in the measured seconds, a second. */
  readonly txPerSecond: number
  readonly latencyMs: LatencySummary
  /** Of all validators together. */
  readonly cpuSecondsPerTx: number
  readonly verifyFloorTxPerSecond: number
  readonly ratioToFloor: number
  readonly blocks: number
  readonly txPerBlock: number
  readonly rssMiB: { readonly validatorMax: number }
  /** What one validator stores, and sends to the others, on the average. */
  readonly bytesPerTx: { readonly disk: number; readonly network: number }
  readonly versions: Readonly<Record<string, string>>
}

export interface Beside {
  /** What kept the load going. */
  readonly load: string
  /** Cores that the generator used. */
  readonly generatorCores: number
  readonly signedLate: number
  readonly verifyUs: number
  /** Cores that all validators used. */
  readonly validatorCores: number
  /** Of the machine, over the last minute: well above its cores, others had a part of it. */
  readonly loadAverage: number
  /** In the measured seconds: above none, the primary was too slow for the others, on a machine that is too busy for a figure. */
  readonly viewChanges: number
  /** From the logs of the nodes, over their whole life. */
  readonly warnings: ReadonlyMap<string, number>
  /** The largest resident set of a validator in each fifth of the run, in MiB. */
  readonly memoryByFifths: readonly number[]
  readonly storeBytesPerTx: number
  readonly votesBytesPerTx: number
  readonly threads: readonly (readonly [name: string, microsecondsPerTx: number])[]
  readonly rejectedBy: ReadonlyMap<string, number>
}

export function printReport(result: BenchResult, beside: Beside): void {
  const { latencyMs, bytesPerTx } = result
  const rows: readonly (readonly [string, string])[] = [
    ['load', `${result.mix}, ${beside.load}, ${result.validators} validators, ${result.seconds} s`],
    ['throughput', `${number(result.txPerSecond)} tx/s (${number(result.committed)} of ${number(result.submitted)} submitted, ${number(result.rejected)} rejected)`],
    ['latency', `p50 ${latencyMs.p50} ms, p90 ${latencyMs.p90} ms, p99 ${latencyMs.p99} ms, max ${latencyMs.max} ms`],
    ['blocks', `${number(result.blocks)}, ${result.txPerBlock} tx each; ${beside.viewChanges} changes of the view`],
    ['floor', `${number(result.verifyFloorTxPerSecond)} tx/s at ${beside.verifyUs.toFixed(1)} µs a signature; ratio ${result.ratioToFloor}`],
    ['CPU', `${(result.cpuSecondsPerTx * 1e6).toFixed(0)} µs a tx over all validators (${beside.validatorCores.toFixed(2)} cores), of which signatures at the floor ${((beside.verifyUs * result.validators) / (result.cpuSecondsPerTx * 1e6) * 100).toFixed(0)} %`],
    ['machine', `load average ${beside.loadAverage.toFixed(1)} on ${availableParallelism()} cores; with all of them free, the CPU used would carry ${number(Math.round(availableParallelism() / (result.cpuSecondsPerTx + beside.generatorCores / Math.max(1, result.txPerSecond))))} tx/s (computed)`],
    ['threads', beside.threads.map(([name, us]) => `${name} ${us.toFixed(0)} µs`).join(', ')],
    ['memory', `${result.rssMiB.validatorMax} MiB at the most in a validator; in each fifth of the run ${beside.memoryByFifths.map((mebibytes) => mebibytes.toFixed(0)).join(', ')}`],
    ['disk', `${number(bytesPerTx.disk)} bytes a tx and validator (store ${number(beside.storeBytesPerTx)}, vote log ${number(beside.votesBytesPerTx)})`],
    ['network', `${number(bytesPerTx.network)} bytes a tx sent by a validator`],
    ['generator', `${beside.generatorCores.toFixed(2)} cores; ${number(beside.signedLate)} transactions signed during the run`],
    ['warnings', beside.warnings.size === 0 ? 'none' : [...beside.warnings].map(([kind, count]) => `${kind} ${number(count)}`).join(', ')],
    ['versions', Object.entries(result.versions).map(([name, version]) => `${name} ${version}`).join(', ')],
  ]
  console.log('')
  for (const [name, what] of rows) console.log(`${styleText('bold', name.padEnd(11))}${what}`)
  for (const [code, count] of beside.rejectedBy) console.log(styleText('yellow', `${number(count)} rejected with ${code}`))
}

export function printDay({ households, granted, passes, passesGranted, auditHolds, minutes }: DayResult): void {
  console.log(`${styleText('bold', 'day'.padEnd(11))}${number(granted)} won granted to ${number(households)} households, ${number(passesGranted)} of ${number(passes)} passes; the audits ${auditHolds ? 'hold' : 'do NOT hold'}; ${minutes} minutes, registrations included`)
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
