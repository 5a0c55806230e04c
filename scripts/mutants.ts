// npm run mutants: breaks the protocol on purpose, one bug at a time, and counts the seeds that the simulator needs to notice.
// What no seed notices is tried on the tests of single replicas (test/consensus/). See docs/consensus.md.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { hunt, mutants, pathOf } from '../test/simulator/mutants.ts'

const help = `npm run mutants -- [flags]

  --seeds N     give up on a mutant after so many (default 2000)
  --first S     the first seed (default 1)
  --only TEXT   only the mutants with TEXT in their name
  --json FILE   the result as JSON
  --list        the mutants, without running them

Exit code 1 when one was not caught.`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    seeds: { type: 'string', default: '2000' },
    first: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    list: { type: 'boolean' },
  },
})

function main(): number {
  if (values.help === true) {
    console.log(help)
    return 0
  }
  const chosen = mutants.filter(({ name }) => name.includes(values.only))
  if (values.list === true) {
    for (const mutant of chosen) console.log(`${mutant.name.padEnd(64)} ${pathOf(mutant)}`)
    return 0
  }
  const seeds = Number(values.seeds)
  const first = Number(values.first)
  if (!Number.isSafeInteger(seeds) || seeds < 1 || !Number.isSafeInteger(first) || first < 0 || chosen.length === 0) {
    console.error(help)
    return 2
  }
  const rows = chosen.map((mutant) => {
    const { seeds: needed, validators, isCaught, how } = hunt(mutant, seeds, first)
    console.log(`${mutant.name.padEnd(64)} ${(needed ?? (isCaught ? 'by a test' : 'not caught')).toString().padStart(10)}  ${how.slice(0, 100)}`)
    return { name: mutant.name, file: mutant.file, validators, seeds: needed ?? null, isCaught, how }
  })
  const missed = rows.filter((row) => !row.isCaught)
  const bySeeds = rows.filter((row) => row.seeds !== null).length
  console.log(`${bySeeds} of ${rows.length} caught within ${seeds} seeds each, ${rows.length - bySeeds - missed.length} more by the tests of single replicas, ${missed.length} not caught`)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`)
  return missed.length === 0 ? 0 : 1
}

process.exitCode = main()
