// node scripts/bench/profile.ts FILE... [--rows N]: sums up CPU profiles: self time by part of the node, by file and by function, in shares of the busy time.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { CpuProfile } from './capture.ts'
import { sumProfile } from './parts.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { rows: { type: 'string', default: '25' }, help: { type: 'boolean', short: 'h' } } })
if (values.help === true || positionals.length === 0) console.log('node scripts/bench/profile.ts FILE... [--rows N]\n\nFILE is what npm run bench -- --profile FILE or node --cpu-prof wrote.')

for (const file of positionals) {
  const { busyMs, wallMs, byPart, byFile, byFunction } = sumProfile(JSON.parse(readFileSync(file, 'utf8')) as CpuProfile)
  console.log(`${file}: ${(busyMs / 1_000).toFixed(1)} s busy of ${(wallMs / 1_000).toFixed(1)} s`)
  for (const [title, sums] of [['by part, libraries counted for their callers', byPart], ['self time by file', byFile], ['self time by function', byFunction]] as const) {
    console.log(`\n${title}`)
    for (const [name, ms] of [...sums].sort((a, b) => b[1] - a[1]).slice(0, Number(values.rows))) console.log(`${((ms / busyMs) * 100).toFixed(1).padStart(5)} %  ${name}`)
  }
}
