// npm run simulate as others call it: its JSON, its exit codes, and the command that it prints for a seed that found something.
import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inBrokenCopy, mutants, type Mutant } from './mutants.ts'

const root = join(import.meta.dirname, '../..')
const simulate = (...args: readonly string[]) => spawnSync(process.execPath, ['scripts/simulate.ts', '--of', 'consensus', ...args], { cwd: root, encoding: 'utf8' })

t.test('seeds without a finding: a summary, the JSON, exit code 0', async (t) => {
  const json = join(t.testdir(), 'result.json')
  const { status, stdout } = simulate('--seeds', '6', '--first', '11', '--validators', '4', '--faults', 'loss,crash', '--json', json)
  t.equal(status, 0)
  t.match(stdout, /^6 seeds from 11, 4 validators: 0 violations, 0 stalled; /m)
  const result = JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown>
  t.match(result, { seeds: 6, validators: 4, violations: 0, stalled: 0, blocks: Number, viewChanges: Number, faults: { crash: Number }, seconds: Number })
  const { stdout: trace, status: replayed } = simulate('--replay', '11', '--faults', 'loss,crash', '--trace')
  t.equal(replayed, 0)
  t.match(trace, /all faults end/)
  t.match(trace, /^seed 11: nothing violated, nothing stalled; /m)
})

t.test('a seed that finds something: exit code 1, and its command finds it again', async (t) => {
  const mutant = mutants.find(({ name }) => name === 'quorum of one less') as Mutant
  // with all that the command needs
  inBrokenCopy({ ...mutant, file: join('consensus', mutant.file), nodes: { faults: [] } }, (folder, run) => {
    cpSync(join(root, 'scripts/simulate.ts'), join(folder, 'scripts/simulate.ts'))
    const found = run(['scripts/simulate.ts', '--of', 'consensus', '--seeds', '60'])
    t.equal(found.status, 1)
    const command = /^ {2}npm run simulate -- (--of consensus --validators 4 --replay \d+ --trace)$/m.exec(found.stdout)?.[1]
    const again = run(['scripts/simulate.ts', ...(command ?? '--help').split(' ')])
    t.equal(again.status, 1)
    t.match(again.stdout, /^seed \d+: (violation|stalled): /m)
  })
})

t.test('a flag that cannot be: exit code 2, and which it is', async (t) => {
  for (const args of [['--seeds', '0'], ['--faults', 'rain'], ['--validators', 'four']]) {
    const { status, stderr } = simulate(...args)
    t.equal(status, 2)
    t.match(stderr, `${args[0]}`)
  }
})
