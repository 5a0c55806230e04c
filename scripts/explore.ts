// npm run explore: everything that can happen to a few replicas within bounds, over the real code. See --help and docs/consensus.md.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { explore, type Exploration } from '../test/explorer/explore.ts'
import { explorable, exploreMutant } from '../test/explorer/mutants.ts'

const help = `npm run explore -- [flags]

  --liar I       the index of the validator that lies, of 4; or none; or all: each of the four in turn, and none (default: all)
  --heights N    blocks are proposed up to this height (default 1)
  --views N      views 0 to N - 1 (default 2); validator I leads view I
  --restarts N   how often each correct validator may lose its power (default 0)
  --depth N      look no further than so many steps (default: no limit)
  --states N     give up after so many states (default 2000000)
  --mutants      instead: whether deliberate bugs of the protocol are found
  --json FILE    the result as JSON

Exit code 1 when something was violated, or a bug was not found; 3 when the states are more than were looked at.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    liar: { type: 'string', default: 'all' },
    heights: { type: 'string', default: '1' },
    views: { type: 'string', default: '2' },
    restarts: { type: 'string', default: '0' },
    depth: { type: 'string', default: '1000' },
    states: { type: 'string', default: '2000000' },
    mutants: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
})

function wholeNumber(flag: string, text: string, from: number, to: number): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < from || number > to) throw new RangeError(`--${flag} must be a whole number from ${from} to ${to}, and is ${text}`)
  return number
}

function liarsOf(text: string): (number | undefined)[] {
  if (text === 'all') return [0, 1, 2, 3, undefined]
  return [text === 'none' ? undefined : wholeNumber('liar', text, 0, 3)]
}

function print({ bounds, states, transitions, locals, depth, complete, delivered, violation, trace }: Exploration, seconds: number): void {
  const { liar, heights, views, restarts } = bounds
  const extent = violation !== undefined ? 'until then' : complete ? 'all there are' : 'not all'
  console.log(
    `${liar === undefined ? 'no liar' : `v${liar} lies`}, ${heights} heights, ${views} views, ${restarts} restarts: ${states} states (${extent}), ${transitions} transitions, depth ${depth}, ${locals} local states; delivered ${delivered.map((count, i) => `${i + 1} in ${count}`).join(', ')}; ${seconds.toFixed(1)} s`,
  )
  if (violation !== undefined) console.log(`violation: ${violation}\n${trace.map((line) => `  ${line}`).join('\n')}`)
}

function huntMutants(states: number): number {
  const rows = explorable.map(({ name }) => {
    const found = exploreMutant(name, states)
    console.log(`${name.padEnd(60)} ${found.violation === undefined ? 'not found' : `after ${found.states} states, ${found.depth + 1} steps: ${found.violation.slice(0, 90)}`}`)
    return found
  })
  const missed = rows.filter(({ violation }) => violation === undefined).length
  console.log(`${rows.length - missed} of ${rows.length} found`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`)
  return missed === 0 ? 0 : 1
}

function main(): number {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  try {
    const limits = { states: wholeNumber('states', values.states, 1, 1e9), depth: wholeNumber('depth', values.depth, 1, 1e9) }
    if (values.mutants) return huntMutants(limits.states)
    const [heights, views, restarts] = [wholeNumber('heights', values.heights, 1, 3), wholeNumber('views', values.views, 1, 4), wholeNumber('restarts', values.restarts, 0, 3)]
    const rows = liarsOf(values.liar).map((liar) => {
      const startMs = performance.now()
      const row = explore({ validators: 4, liar, heights, views, restarts }, limits)
      print(row, (performance.now() - startMs) / 1_000)
      return row
    })
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`)
    if (rows.some((row) => row.violation !== undefined)) return 1
    return rows.every((row) => row.complete) ? 0 : 3
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    console.error(error.message)
    return 2
  }
}

process.exitCode = main()
