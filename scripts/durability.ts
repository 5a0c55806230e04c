// npm run durability: power cuts on real processes, power cuts on the vote log alone, and damaged files of every kind. docs/durability.md has the figures.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { freeBasePort } from './devnet/ports.ts'
import { countOf, isFailure, type Judged, lineOf, runCases, tableOf } from './durability/cases.ts'
import { whyNoPowerCuts } from './durability/image.ts'
import { makeMaterial } from './durability/material.ts'
import { type PowerReport, runPowerCuts } from './durability/power.ts'

/** A network starts with a vote log of its own, which is read whole at each start: so it is replaced before that costs much. */
const cutsOfNetwork = 50

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    cuts: { type: 'string', default: '0' },
    cases: { type: 'string', default: '0' },
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
    verbose: { type: 'boolean', short: 'v', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    data: { type: 'string' },
  },
})
if (values.help === true) {
  console.log(`npm run durability -- [flags]

  --cuts N    cut the power of validators N times: real processes under load, on file systems that lose what was not synced.
              Takes root and loop devices
  --cases K   damage files K times: flip bits, cut short, delete, replace by an older copy, swap with another validator's; then compare
              all that is read with an undamaged twin
  --peers     with --cases: as real nodes among three undamaged ones, some seconds a case
  --only C    with --cases: only the case of this number, of the seed
  --verbose   a line for every case, not only for those that went wrong
  --seed S    of all choices; default 1
  --json F    writes the figures to this file
  --data DIR  works in a new folder in there; default /dev/shm where there is one. It stays after a failure

Exit code 1 when anything was lost, served wrongly or stood still.`)
  process.exit()
}

const cuts = count('--cuts', values.cuts)
const cases = count('--cases', values.cases)
const only = values.only === undefined ? undefined : count('--only', values.only)
const seed = count('--seed', values.seed)
const folder = mkdtempSync(path.join(values.data ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'dongbaek-durability-'))
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true))

const problems: string[] = []
const power: PowerReport[] = []
if (cuts > 0) {
  const why = await whyNoPowerCuts(folder)
  if (why === undefined) await cutPower()
  else problems.push(`power cannot be cut here: ${why}`)
}
let judged: readonly Judged[] = []
if (problems.length === 0 && cases > 0) await damageFiles()
if (problems.length === 0) rmSync(folder, { recursive: true, force: true })
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, power, cases: judged, problems }, undefined, 2)}\n`)
for (const problem of problems) console.log(`FAILED: ${problem}`)
if (problems.length > 0) console.log(`What is left of it is in ${folder}.`)
process.exitCode = problems.length > 0 ? 1 : 0

async function cutPower(): Promise<void> {
  for (let done = 0; done < cuts && problems.length === 0 && !stopped; ) {
    const report = await runPowerCuts({ folder: path.join(folder, `network-${power.length + 1}`), cuts: Math.min(cutsOfNetwork, cuts - done), seed: seed + power.length, onLine: console.log, isStopped: () => stopped })
    power.push(report)
    problems.push(...report.problems)
    done += report.cuts.length
    console.log(`network ${power.length}: seed ${report.seed}, ${report.cuts.length} cuts in ${Math.round(report.seconds)} s, ${report.acknowledged} receipts acknowledged, ${report.checked} looked at, ${report.height} blocks, evidence ${report.evidence}, ${report.problems.length} problems`)
  }
  const all = power.flatMap((report) => report.cuts)
  const waits = all.flatMap(({ backMs }) => (backMs > 0 ? [backMs] : [])).sort((a, b) => a - b)
  console.log(
    `${all.length} power cuts: ${all.filter(({ who }) => who.length === 4).length} of all four validators at once, ${all.filter(({ whileStarting }) => whileStarting).length} while they were starting; ` +
      `${power.reduce((sum, { acknowledged }) => sum + acknowledged, 0)} receipts acknowledged, ${power.reduce((sum, { checked }) => sum + checked, 0)} times looked for and found equal; ` +
      `back after ${((waits[Math.floor(waits.length / 2)] ?? 0) / 1_000).toFixed(1)} s (median), at most ${((waits.at(-1) ?? 0) / 1_000).toFixed(1)} s; ${problems.length} problems`,
  )
}

async function damageFiles(): Promise<void> {
  const started = performance.now()
  const seconds = (): number => Math.round((performance.now() - started) / 1_000)
  await makeMaterial(folder, await freeBasePort())
  console.log(`four validators have written what is damaged now, in ${seconds()} s`)
  judged = await runCases({
    folder,
    count: cases,
    seed,
    ...(only === undefined ? {} : { only }),
    amongPeers: values.peers,
    onCase: (one) => {
      if (values.verbose || isFailure(one)) console.log(lineOf(one))
    },
  })
  console.log(`\n${tableOf(judged)}\n`)
  console.log(`${judged.length} cases in ${seconds()} s, the making included; ${countOf(judged, 'SERVED SILENTLY')} served silently`)
  for (const one of judged) if (isFailure(one)) problems.push(`case ${one.number} of seed ${seed}: ${one.why}`)
}

function count(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    console.error(`${flag} takes a whole number, not ${text}.`)
    process.exit(2)
  }
  return Number(text)
}
