// The flags of the benchmark.
import { parseArgs } from 'node:util'
import { type MixName, mixNames } from './mix.ts'
import { openingDay } from './opening-day.ts'

const names: readonly BenchOptions['mix'][] = [...mixNames, openingDay]

export const help = `npm run bench -- [flags]

Throughput and latency of a network of validator processes on this machine: real connections, real disk, every signature checked by every
validator. Counted is what was read back over RPC as final with status ok.

  --validators N   validator processes, 1 to 32; default 4
  --seconds S      measured seconds, after 3 of warm-up; default 15
  --mix NAME       ${names.join(', ')}; default pilot. ${openingDay} is the pilot at true scale and ends when it is done:
                   172,000 register, 122,000 households apply, 50,000 young residents race for 5,000 passes
  --scale X        of ${openingDay}: a share of it, such as 0.01
  --rate R         R transactions a second, whatever comes back (open loop); latency counts from when each was due
  --outstanding N  without --rate: N transactions under way at any time (closed loop). Without either, steps of
                   250, 1,000 and 3,000 are tried for 3 s each, and the smallest that is within 5 % of the best is measured
  --base-port P    RPC of validator i listens on P + i, and between nodes on P + 200 + i; default 16500
  --json FILE      the result as JSON
  --profile FILE   a CPU profile of the main thread of the first validator over the measured seconds;
                   node scripts/bench/profile.ts FILE sums it up
  --report DIR     instead of one run a series, with a page and charts of it in DIR: 1, 200, 1,000 and 3,000 under way with 4
                   validators, 1,000 with 7 and 10, and what a transaction costs by part. With --seconds, --mix and --base-port alone

Exit code 1 if a receipt is missing, a transaction was refused by a rule, validators differ, or an audit does not hold.`

export interface BenchOptions {
  readonly validators: number
  readonly seconds: number
  readonly mix: MixName | typeof openingDay
  /** Of opening-day, above 0 up to 1. */
  readonly scale: number
  readonly rate: number | undefined
  readonly outstanding: number | undefined
  readonly basePort: number
  readonly json: string | undefined
  readonly profile: string | undefined
  readonly report: string | undefined
}

/** Undefined: the help was asked for. Throws an Error with a sentence for the user. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      validators: { type: 'string' },
      seconds: { type: 'string' },
      mix: { type: 'string', default: 'pilot' },
      scale: { type: 'string' },
      rate: { type: 'string' },
      outstanding: { type: 'string' },
      'base-port': { type: 'string', default: '16500' },
      json: { type: 'string' },
      profile: { type: 'string' },
      report: { type: 'string' },
    },
  })
  if (values.help === true) return undefined
  if (values.rate !== undefined && values.outstanding !== undefined) throw new Error('--rate (open loop) and --outstanding (closed loop) exclude each other.')
  const mix = mixOf(values.mix)
  if (mix === openingDay && (values.rate !== undefined || values.seconds !== undefined || values.profile !== undefined)) throw new Error(`--rate, --seconds and --profile do not go with ${openingDay}, which ends when it is done.`)
  if (mix !== openingDay && values.scale !== undefined) throw new Error(`--scale goes with ${openingDay} alone.`)
  if (values.report !== undefined && (mix === openingDay || [values.validators, values.rate, values.outstanding, values.json, values.profile].some((value) => value !== undefined))) throw new Error('--report goes with --seconds, --base-port and the mixes that take them alone.')
  return {
    validators: whole('--validators', values.validators ?? '4', 1, 32),
    seconds: whole('--seconds', values.seconds ?? '15', 1, 3_600),
    mix,
    scale: shareOf(values.scale ?? '1'),
    rate: values.rate === undefined ? undefined : whole('--rate', values.rate, 1, 100_000),
    outstanding: values.outstanding === undefined ? undefined : whole('--outstanding', values.outstanding, 1, 30_000),
    basePort: whole('--base-port', values['base-port'], 1_024, 65_000),
    json: values.json,
    profile: values.profile,
    report: values.report,
  }
}

function mixOf(name: string): BenchOptions['mix'] {
  const mix = names.find((one) => one === name)
  if (mix === undefined) throw new Error(`There is no mix ${name}; there are ${names.join(', ')}.`)
  return mix
}

function shareOf(text: string): number {
  const share = Number(text)
  if (!/^\d*\.?\d+$/.test(text) || share <= 0 || share > 1) throw new Error(`--scale takes a number above 0 up to 1, not ${text}.`)
  return share
}

function whole(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new Error(`${flag} takes a whole number from ${min} to ${max}, not ${text}.`)
  return value
}
