// The series of runs that a report is made of, each a benchmark of its own with a network of its own, one after the other.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import path from 'node:path'
import type { CpuProfile } from './capture.ts'
import type { BenchOptions } from './options.ts'
import { filesOf, type SeriesRun } from './page.ts'
import { sumProfile } from './parts.ts'
import type { BenchResult } from './report.ts'

const program = path.join(import.meta.dirname, '..', 'bench.ts')
/** The load shapes that other ledgers are compared by. */
const loads = [1, 200, 1_000, 3_000] as const
const sizes = [4, 7, 10] as const
/** In both series, and profiled. */
const common = { validators: 4, outstanding: 1_000 } as const
const partsMin = 0.005

/** Runs the series and writes the report into `folder`. Returns the exit code: 1 when a run did not hold. */
export function makeReport(folder: string, { seconds, mix, basePort }: BenchOptions): number {
  mkdirSync(folder, { recursive: true })
  const failed: string[] = []
  const profile = path.join(folder, 'main-thread.cpuprofile')
  const run = (validators: number, outstanding: number): SeriesRun | undefined => {
    const json = path.join(folder, `${validators}-validators-${outstanding}-under-way.json`)
    const isCommon = validators === common.validators && outstanding === common.outstanding
    console.log(`\n${validators} validators, ${outstanding} under way`)
    const flags = { validators, outstanding, seconds, mix, 'base-port': basePort, json, ...(isCommon ? { profile } : {}) }
    const { status } = spawnSync(process.execPath, [program, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])], { stdio: 'inherit' })
    if (status === 0) return { validators, outstanding, result: JSON.parse(readFileSync(json, 'utf8')) as BenchResult }
    failed.push(`${validators} validators, ${outstanding} under way: exit code ${status ?? 'none'}`)
    return undefined
  }
  const isRun = (one: SeriesRun | undefined): one is SeriesRun => one !== undefined
  const byLoad = loads.map((outstanding) => run(common.validators, outstanding)).filter(isRun)
  const shared = byLoad.find(({ outstanding }) => outstanding === common.outstanding)
  const byValidators = sizes.map((validators) => (validators === common.validators ? shared : run(validators, common.outstanding))).filter(isRun)
  const parts = shared === undefined || !existsSync(profile) ? [] : partsOf(JSON.parse(readFileSync(profile, 'utf8')) as CpuProfile, shared.result)
  const head = `${new Date().toISOString()}, mix ${mix}, ${seconds} s a run, on ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), load average at the end ${(loadavg()[0] ?? 0).toFixed(1)}, Node ${process.versions.node}.`
  for (const [name, content] of filesOf({ head, byLoad, byValidators, parts, failed })) writeFileSync(path.join(folder, name), content)
  console.log(`\n${path.join(folder, 'report.md')}`)
  return failed.length > 0 ? 1 : 0
}

/** Busy time by part, a transaction; what is below half a percent is left out. */
function partsOf(profile: CpuProfile, { txPerSecond, seconds }: BenchResult): readonly (readonly [part: string, microseconds: number])[] {
  const { byPart, busyMs } = sumProfile(profile)
  return [...byPart]
    .filter(([, ms]) => ms >= busyMs * partsMin)
    .sort((a, b) => b[1] - a[1])
    .map(([name, ms]) => [name, (ms * 1_000) / (txPerSecond * seconds)] as const)
}
