// npm run chaos: faults on a network of real processes under load, with checks from outside. See --help and docs/chaos.md.
import { writeFileSync } from 'node:fs'
import { parseArgs, styleText } from 'node:util'
import { type FaultKind, faultKinds } from './chaos/faults.ts'
import { type ChaosReport, startChaos } from './chaos/run.ts'

const exitFailed = 1
const exitUsage = 2
const exitForced = 130

const help = `npm run chaos -- [flags]

Runs validators and an observer as processes of their own, connected through proxies of ours, sends them registrations and
purchases, and lets faults strike: ${faultKinds.join(', ')}. From outside, by RPC alone, it checks
that nothing acknowledged is lost, changed or doubled, that no two nodes differ, that every won is there, and that the chain goes on.

  --minutes M      how long faults strike; default 3
  --validators N   4 to 16; default 4
  --seed S         of the schedule and all choices; default 1
  --rate R         transactions a second, whatever comes back; default 20
  --faults LIST    these faults in this order, once, instead of a schedule: kill,halves,…
  --json FILE      the result as JSON

Ctrl-C ends after the fault under way, with all checks; a second one ends at once. Exit code 1 on any violation.`

// connections that nobody uses any more would keep the process for a while
process.exit(await main())

async function main(): Promise<number> {
  let flags: ReturnType<typeof readFlags>
  try {
    flags = readFlags()
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${help}`)
    return exitUsage
  }
  if (flags === undefined) {
    console.log(help)
    return 0
  }
  const { json, ...options } = flags
  const run = startChaos({ ...options, onLine: (line) => console.log(line.includes('VIOLATION') ? styleText('red', line) : line) })
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (asked) {
        run.abort()
        process.exit(exitForced)
      }
      asked = true
      console.log('Stopping after this fault …')
      run.stop()
    })
  }
  const report = await run.done
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
  console.log(`\n${summary(report)}`)
  return report.violations.length > 0 ? exitFailed : 0
}

function readFlags(): (Omit<Parameters<typeof startChaos>[0], 'onLine'> & { readonly json: string | undefined }) | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      minutes: { type: 'string', default: '3' },
      validators: { type: 'string', default: '4' },
      seed: { type: 'string', default: '1' },
      rate: { type: 'string', default: '20' },
      faults: { type: 'string' },
      json: { type: 'string' },
    },
  })
  if (values.help === true) return undefined
  const given = (values.faults ?? '').split(',').filter((kind) => kind !== '')
  const stranger = given.find((kind) => !(faultKinds as readonly string[]).includes(kind))
  if (stranger !== undefined) throw new Error(`There is no fault ${stranger}.`)
  return {
    validators: number('--validators', values.validators, 4, 16),
    seed: number('--seed', values.seed, 0, 100_000_000),
    rate: number('--rate', values.rate, 1, 500),
    faults: values.faults === undefined ? { minutes: number('--minutes', values.minutes, 0, 10_000) } : (given as readonly FaultKind[]),
    json: values.json,
  }
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  const isWhole = flag === '--minutes' || Number.isInteger(value)
  if (!/^\d+(?:\.\d+)?$/.test(text) || !isWhole || value < min || value > max) throw new Error(`${flag} takes a number from ${min} to ${max}, not ${text}.`)
  return value
}

function summary(report: ChaosReport): string {
  const { faults, acknowledged, lost, doubled, divergent, unavailableMs, violations, minutes, sent, unknown, unknownRan, blocks, readyMs } = report
  const count = Object.values(faults).reduce((sum, each) => sum + each, 0)
  return [
    `${count} faults in ${minutes} minutes: ${Object.entries(faults).map(([kind, times]) => `${kind} ${times}`).join(', ')}`,
    `${sent} transactions sent, ${acknowledged} acknowledged, ${unknown} of unknown fate (${unknownRan} of them ran), ${blocks} blocks`,
    `lost ${lost}, doubled ${doubled}, divergent ${divergent}`,
    `without a block: p50 ${unavailableMs.p50} ms, max ${unavailableMs.max} ms; all validators ready again: p50 ${readyMs.p50} ms, max ${readyMs.max} ms`,
    violations.length === 0 ? styleText('green', 'No violation.') : styleText('red', `${violations.length} violations.`),
  ].join('\n')
}
