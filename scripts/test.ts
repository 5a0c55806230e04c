// npm test: one line a test file, every failure in full, and as the last line always `N passed, N failed`.
// Assertions are counted. A file that crashes, times out or tests nothing is a failure of its own.
// Each file is a Node process as it is when run by hand, without the loaders that tap's own runner puts into it and into every process that it starts; they
// took longer than many a test. What Node makes of the sources is kept from one process to the next.
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import path from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { type FinalResults, Parser, type Result } from 'tap-parser'

const root = path.dirname(import.meta.dirname)
/** For one file: simulations run long on a slow machine, and a hang still ends. */
const timeoutSeconds = 600
/** tap says what a file hangs on, and ends it, well within this. */
const lastWordsMs = 10_000
const runnerFields = new Set(['at', 'tapError'])

// Two files at a time. Those that start processes and hold them to time limits come one after the other, and beside them those that compute, the longest of
// either first; the rest is short, and shared by both at the end.
const processes = [
  'test/durability/power.test.ts',
  'test/devnet/faults.test.ts',
  'test/chaos/chaos.test.ts',
  'test/devnet/cli.test.ts',
  'test/node/cluster.test.ts',
  'test/durability/damage.test.ts',
  'test/node/membership.test.ts',
  'test/node/join.test.ts',
  'test/devnet/devnet.test.ts',
  'test/rpc/indexer-kill.test.ts',
]
const computing = [
  'test/simulator/simulator.test.ts',
  'test/simulator/nodes.test.ts',
  'test/state/all-families.test.ts',
  'test/state/points-property.test.ts',
]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' } },
})
if (values.help) {
  console.log(`npm test [-- FILE...]

Runs test/**/*.test.ts, or the given files only. The last line is "N passed, N failed".
Exit code 1 when anything failed or nothing was tested.`)
  process.exit()
}

const total = { passed: 0, failed: 0 }
const running = new Set<ReturnType<typeof spawn>>()
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopped = true
    for (const child of running) child.kill(signal)
  })

const files = positionals.length > 0 ? positionals : globSync('test/**/*.test.ts', { cwd: root }).sort()
const queue = [...processes.filter((file) => files.includes(file)), ...files.filter((file) => !processes.includes(file) && !computing.includes(file)), ...computing.filter((file) => files.includes(file)).reverse()]
await Promise.all([runAll(() => queue.shift()), runAll(() => queue.pop())])

process.exitCode = total.failed > 0 || total.passed === 0 || stopped ? 1 : 0
console.log(`\n${total.passed} passed, ${total.failed} failed`)

async function runAll(next: () => string | undefined): Promise<void> {
  for (let file = next(); file !== undefined && !stopped; file = next()) await runFile(file)
}

async function runFile(file: string): Promise<void> {
  const started = performance.now()
  const child = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TAP_TIMEOUT: String(timeoutSeconds), NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/compiled') },
  })
  running.add(child)
  const alarms = [setTimeout(() => child.kill('SIGALRM'), timeoutSeconds * 1_000), setTimeout(() => child.kill('SIGKILL'), timeoutSeconds * 1_000 + lastWordsMs)]
  const results = new Parser({ name: file })
  let passed = 0
  const skipped: string[] = []
  const failures: string[] = []
  results.on('pass', () => passed++)
  results.on('fail', (failure: Result) => failures.push(describeFailure(failure)))
  results.on('skip', ({ name, skip }: Result) => skipped.push(`${name}: ${skip === true ? 'skipped' : skip}`))
  results.on('extra', (output: string) => process.stdout.write(output))
  const complete = new Promise<FinalResults>((resolve) => results.on('complete', resolve))
  const closed = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    // 'close': its output has ended too, so everything is counted
    child.on('close', (code, signal) => resolve(code === 0 ? '' : `it ended with ${signal ?? `exit code ${code}`}`))
  })
  child.stdout.pipe(results)
  const [end, { ok, count, failures: broken }] = await Promise.all([closed, complete])
  alarms.forEach(clearTimeout)
  running.delete(child)

  for (const one of broken) if ('tapError' in one && one.tapError) failures.push(title(`${file}: ${String(one.tapError)}${end === '' ? '' : `; ${end}`}`))
  if (failures.length === 0 && (end !== '' || !ok)) failures.push(title(`${file}: ${end || 'not ok'}`))
  if (failures.length === 0 && count === 0) failures.push(title(`${file}: no tests found`))
  total.passed += passed
  total.failed += failures.length
  for (const failure of failures) console.log(failure)
  const mark = failures.length === 0 ? styleText('green', '✓') : styleText('red', '✗')
  console.log(`${mark} ${file} ${styleText('gray', `${passed} passed${failures.length > 0 ? `, ${failures.length} failed` : ''}, ${Math.round(performance.now() - started)} ms`)}`)
  for (const one of skipped) console.log(styleText('gray', `  - ${one}`))
}

function describeFailure({ fullname, diag }: Result): string {
  const fields = Object.entries(diag ?? {}).filter(([field]) => !runnerFields.has(field))
  return [title(fullname), ...fields.map(([field, value]) => describe(field, value).replaceAll(/^/gm, '    '))].join('\n')
}

function title(text: string): string {
  return `\n${styleText('red', '✗')} ${text}`
}

function describe(field: string, value: unknown): string {
  const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value)
  return text.includes('\n') ? `${field}:\n${text}` : `${field}: ${text}`
}
