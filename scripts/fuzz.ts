// npm run fuzz: calls of strangers without end at the RPC of a node in this process. docs/security.md says what must hold of every answer.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fuzz } from '../test/rpc/fuzz.ts'
import { createCity, liveADay, serve } from '../test/rpc/scenario.ts'

const { values } = parseArgs({
  options: { help: { type: 'boolean', short: 'h' }, calls: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' }, json: { type: 'string' } },
})
if (values.help === true) {
  console.log(`npm run fuzz -- [flags]

  --calls N   how many; default 1000000
  --seed S    the same seed makes the same calls; default 1
  --json F    writes what was met to this file

Valid, nearly valid and rubbish calls over HTTP and WebSocket, and plain pages. Exit code 1 on a status 5xx that is not documented, an error inside, words of a stack, or an answer that is none.`)
  process.exit()
}

const calls = count('--calls', values.calls)
const seed = count('--seed', values.seed)
const started = performance.now()
const city = createCity()
await liveADay(city)
const { server, url, log } = await serve(city, { rate: { perSecond: 0, burst: 0 } })
const { seen, wrong } = await fuzz({
  city,
  url,
  errors: () => log.lines.filter(({ level }) => level === 'error'),
  calls,
  seed,
  onProgress: (done) => {
    if (done % 50_000 === 0) console.log(`Asked      ${done} of ${calls} after ${Math.round((performance.now() - started) / 1_000)} s`)
  },
})
await server.stop()
const seconds = Math.round((performance.now() - started) / 1_000)
for (const [what, times] of Object.entries(seen).sort(([, a], [, b]) => b - a)) console.log(`  ${what.padEnd(14)} ${times}`)
for (const sentence of wrong) console.log(`WRONG: ${sentence}`)
console.log(`${calls} calls in ${seconds} s, ${wrong.length === 0 ? 'nothing wrong' : 'see above'}`)
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ calls, seed, seconds, seen, wrong }, undefined, 2)}\n`)
process.exitCode = wrong.length === 0 ? 0 : 1

function count(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    console.error(`${flag} takes a number of at least 1; "${text}" is none`)
    process.exit(2)
  }
  return value
}
