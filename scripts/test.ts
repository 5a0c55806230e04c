// npm test: one line a test file, every failure in full, and as the last line always `N passed, N failed`.
// Assertions are counted. A file that crashes, times out or tests nothing is a failure of its own.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { parseArgs, styleText } from 'node:util'
import { Parser, type Result } from 'tap-parser'

const root = path.dirname(import.meta.dirname)
const noTestsFound = 'no tests found' // tap's reason for skipping such a file
const runnerFields = new Set(['args', 'command', 'cwd', 'externalID', 'jobId', 'stdio'])

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
const inFile = { passed: 0, failed: 0 }
let lastFile: Result | undefined

const results = new Parser()
results.on('pass', () => {
  total.passed++
  inFile.passed++
})
results.on('fail', (failure: Result) => {
  total.failed++
  // a file that ended badly with nothing failed inside comes here after its own line
  if (failure !== lastFile) inFile.failed++
  printFailure(failure)
})
results.on('assert', (file: Result) => {
  const empty = file.skip === noTestsFound
  if (empty) total.failed++
  printFile(file, empty)
  lastFile = file
  inFile.passed = 0
  inFile.failed = 0
})
results.on('extra', (output: string) => {
  if (!output.includes(noTestsFound)) process.stdout.write(output)
})

const tap = spawn(process.execPath, ['node_modules/tap/dist/esm/run.mjs', '--reporter=tap', ...positionals], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => tap.kill(signal))
tap.stdout.pipe(results)
// 'close': its output has ended too, so everything is counted
tap.on('close', (code, signal) => {
  if (code !== 0 && total.failed === 0) {
    total.failed++
    console.log(`the test runner itself ended with ${signal ?? `exit code ${code}`}`)
  }
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
})

function printFile(file: Result, empty: boolean): void {
  const ok = file.ok && !empty
  const mark = ok ? styleText('green', '✓') : styleText('red', '✗')
  const time = file.time === null ? '' : `, ${Math.round(file.time)} ms`
  const outcome = empty ? noTestsFound : `${inFile.passed} passed${inFile.failed > 0 ? `, ${inFile.failed} failed` : ''}${time}`
  console.log(`${mark} ${file.name} ${styleText('gray', outcome)}`)
}

function printFailure(failure: Result): void {
  console.log(`\n${styleText('red', '✗')} ${failure.fullname}`)
  for (const [field, value] of Object.entries(failure.diag ?? {})) {
    if (field === 'at' || runnerFields.has(field)) continue
    console.log(describe(field, value).replaceAll(/^/gm, '    '))
  }
}

function describe(field: string, value: unknown): string {
  const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value)
  return text.includes('\n') ? `${field}:\n${text}` : `${field}: ${text}`
}
