// npm run simulate: whole nodes, or the consensus core alone, under a seeded scheduler, with faults and liars. See --help and docs/simulator.md.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { validatorsMax } from '../primitives/limits.ts'
import { faultKindsOf, runSeed, runSeeds, type SeedOptions, type Subject, subjects } from '../test/simulator/seeds.ts'
import type { SimulationResult } from '../test/simulator/simulate.ts'

const help = `npm run simulate -- [flags]

  --of WHAT        nodes: whole nodes (default); consensus: the consensus core alone, several times faster
  --seeds N        how many seeds (default 200)
  --first S        the first of them (default 1)
  --validators N   1 to ${validatorsMax} (default 4)
  --faults LIST    comma-separated, or none (default: all), of
                     nodes: ${faultKindsOf('nodes').join(' ')}
                     consensus: ${faultKindsOf('consensus').join(' ')}
  --json FILE      the result as JSON
  --replay SEED    one seed again; the flags that shaped it must be the same
  --trace          with --replay: what happened, line by line

Exit code 1 and the seeds to replay when something that must hold was violated or a healed network stood still.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    of: { type: 'string', default: 'nodes' },
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    validators: { type: 'string', default: '4' },
    faults: { type: 'string' },
    json: { type: 'string' },
    replay: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

function wholeNumber(flag: string, text: string, from: number, to: number): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < from || number > to) throw new RangeError(`--${flag} must be a whole number from ${from} to ${to}, and is ${text}`)
  return number
}

function subjectOf(text: string): Subject {
  const subject = subjects.find((one) => one === text)
  if (subject === undefined) throw new RangeError(`--of must be one of ${subjects.join(', ')}, and is ${text}`)
  return subject
}

function faultsOf(subject: Subject, list: string): readonly string[] {
  const kinds = faultKindsOf(subject)
  const names = list === 'none' ? [] : list.split(',').map((name) => name.trim())
  for (const name of names) if (!kinds.includes(name)) throw new RangeError(`--faults: there is no fault ${name}; there are ${kinds.join(', ')}, and none`)
  return names
}

function failureOf({ violation, stalled }: SimulationResult): string | undefined {
  if (violation !== undefined) return `violation: ${violation}`
  return stalled === undefined ? undefined : `stalled: ${stalled}`
}

async function replay(seed: number, options: SeedOptions): Promise<number> {
  const result = await runSeed(seed, options, values.trace ? (line) => console.log(line) : undefined)
  const failure = failureOf(result)
  console.log(`seed ${seed}: ${failure ?? 'nothing violated, nothing stalled'}; ${result.blocks} blocks, ${result.viewChanges} view changes, all well ${result.recoveryMs.toFixed(0)} ms (simulated) and ${result.recoveryViews} views after the faults ended`)
  return failure === undefined ? 0 : 1
}

function commandFor(seed: number, { of, validators }: SeedOptions): string {
  return `npm run simulate --${of === 'nodes' ? '' : ` --of ${of}`} --validators ${validators}${values.faults === undefined ? '' : ` --faults ${values.faults}`} --replay ${seed} --trace`
}

async function run(first: number, seeds: number, options: SeedOptions): Promise<number> {
  const sum = { seeds, validators: options.validators, violations: 0, stalled: 0, blocks: 0, viewChanges: 0, faults: {} as Record<string, number>, recoveryViewsMax: 0, seconds: 0 }
  const startMs = performance.now()
  let saidMs = startMs
  let done = 0
  await runSeeds(first, seeds, options, (result) => {
    done++
    const failure = failureOf(result)
    if (result.violation !== undefined) sum.violations++
    else if (failure !== undefined) sum.stalled++
    if (failure !== undefined) console.log(`seed ${result.seed}: ${failure}\n  ${commandFor(result.seed, options)}`)
    sum.blocks += result.blocks
    sum.viewChanges += result.viewChanges
    sum.recoveryViewsMax = Math.max(sum.recoveryViewsMax, result.recoveryViews)
    for (const [kind, count] of Object.entries(result.faults)) sum.faults[kind] = (sum.faults[kind] ?? 0) + count
    const nowMs = performance.now()
    if (nowMs - saidMs > 15_000) {
      saidMs = nowMs
      console.log(`${done} of ${seeds} seeds after ${((nowMs - startMs) / 1_000).toFixed(0)} s`)
    }
  })
  sum.seconds = Math.round((performance.now() - startMs) / 100) / 10
  const counted = Object.entries(sum.faults).sort(([a], [b]) => (a < b ? -1 : 1))
  console.log(`${seeds} seeds from ${first}, ${sum.validators} validators: ${sum.violations} violations, ${sum.stalled} stalled; ${sum.blocks} blocks, ${sum.viewChanges} view changes, at most ${sum.recoveryViewsMax} views after the faults, ${sum.seconds} s`)
  console.log(`faults: ${counted.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ ...sum, faults: Object.fromEntries(counted) }, undefined, 2)}\n`)
  return sum.violations + sum.stalled === 0 ? 0 : 1
}

async function main(): Promise<number> {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  try {
    const of = subjectOf(values.of)
    const options: SeedOptions = { of, validators: wholeNumber('validators', values.validators, 1, validatorsMax), faults: values.faults === undefined ? undefined : faultsOf(of, values.faults) }
    if (values.replay !== undefined) return await replay(wholeNumber('replay', values.replay, 0, Number.MAX_SAFE_INTEGER), options)
    return await run(wholeNumber('first', values.first, 0, Number.MAX_SAFE_INTEGER), wholeNumber('seeds', values.seeds, 1, 1e9), options)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(error.message)
    return 2
  }
}

process.exitCode = await main()
