// npm run simulate: the consensus core under a seeded scheduler, with faults and liars. See --help and docs/consensus.md.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { validatorsMax } from '../primitives/limits.ts'
import { faultKinds, type FaultKind } from '../test/simulator/faults.ts'
import { simulate, type SimulationResult } from '../test/simulator/simulate.ts'

const help = `npm run simulate -- [flags]

  --seeds N        how many seeds (default 200)
  --first S        the first of them (default 1)
  --validators N   1 to ${validatorsMax} (default 4)
  --faults LIST    comma-separated, of: ${faultKinds.join(' ')}; or none (default: all)
  --json FILE      the result as JSON
  --replay SEED    one seed again; the flags that shaped it must be the same
  --trace          with --replay: what happened, line by line

Exit code 1 and the seeds to replay when an invariant was violated or a healed network stood still.`

interface Options {
  readonly validators: number
  readonly faults: readonly FaultKind[]
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    seeds: { type: 'string', default: '200' },
    first: { type: 'string', default: '1' },
    validators: { type: 'string', default: '4' },
    faults: { type: 'string', default: faultKinds.join(',') },
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

function faultsOf(list: string): FaultKind[] {
  const names = list === 'none' ? [] : list.split(',').map((name) => name.trim())
  return names.map((name) => {
    const kind = faultKinds.find((one) => one === name)
    if (kind === undefined) throw new RangeError(`--faults: there is no fault ${name}; there are ${faultKinds.join(', ')}, and none`)
    return kind
  })
}

function failureOf({ violation, stalled }: SimulationResult): string | undefined {
  if (violation !== undefined) return `violation: ${violation}`
  return stalled === undefined ? undefined : `stalled: ${stalled}`
}

function replay(seed: number, options: Options): number {
  const result = simulate({ seed, ...options, ...(values.trace ? { trace: (line: string) => console.log(line) } : {}) })
  const failure = failureOf(result)
  console.log(`seed ${seed}: ${failure ?? 'nothing violated, nothing stalled'}; ${result.blocks} blocks, ${result.viewChanges} view changes, all well ${result.recoveryMs.toFixed(0)} ms (simulated) after the faults ended`)
  return failure === undefined ? 0 : 1
}

function run(first: number, seeds: number, options: Options): number {
  const sum = { seeds, validators: options.validators, violations: 0, stalled: 0, blocks: 0, viewChanges: 0, faults: {} as Record<string, number>, seconds: 0 }
  const startMs = performance.now()
  let saidMs = startMs
  for (let seed = first; seed < first + seeds; seed++) {
    const result = simulate({ seed, ...options })
    const failure = failureOf(result)
    if (result.violation !== undefined) sum.violations++
    else if (failure !== undefined) sum.stalled++
    if (failure !== undefined) {
      console.log(`seed ${seed}: ${failure}\n  npm run simulate -- --validators ${options.validators}${values.faults === faultKinds.join(',') ? '' : ` --faults ${values.faults}`} --replay ${seed} --trace`)
    }
    sum.blocks += result.blocks
    sum.viewChanges += result.viewChanges
    for (const [kind, count] of Object.entries(result.faults)) sum.faults[kind] = (sum.faults[kind] ?? 0) + count
    const nowMs = performance.now()
    if (nowMs - saidMs > 15_000) {
      saidMs = nowMs
      console.log(`${seed - first + 1} of ${seeds} seeds after ${((nowMs - startMs) / 1_000).toFixed(0)} s`)
    }
  }
  sum.seconds = Math.round((performance.now() - startMs) / 100) / 10
  const counted = Object.entries(sum.faults).sort(([a], [b]) => (a < b ? -1 : 1))
  console.log(`${seeds} seeds from ${first}, ${sum.validators} validators: ${sum.violations} violations, ${sum.stalled} stalled; ${sum.blocks} blocks, ${sum.viewChanges} view changes, ${sum.seconds} s`)
  console.log(`faults: ${counted.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none'}`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(sum, undefined, 2)}\n`)
  return sum.violations + sum.stalled === 0 ? 0 : 1
}

function main(): number {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  try {
    const options: Options = { validators: wholeNumber('validators', values.validators, 1, validatorsMax), faults: faultsOf(values.faults) }
    if (values.replay !== undefined) return replay(wholeNumber('replay', values.replay, 0, Number.MAX_SAFE_INTEGER), options)
    return run(wholeNumber('first', values.first, 0, Number.MAX_SAFE_INTEGER), wholeNumber('seeds', values.seeds, 1, 1e9), options)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(error.message)
    return 2
  }
}

process.exitCode = main()
