// npm run devnet as a newcomer meets it: launch day holds, the data lasts, and what cannot be is said.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t, { type Test } from 'tap'
import type { Entry } from '../../scripts/devnet/journal.ts'
import { freeBasePort } from '../../scripts/devnet/ports.ts'

const program = path.join(import.meta.dirname, '../../scripts/devnet.ts')

interface Ended {
  readonly code: number | null
  readonly output: string
}

function run(t: Test, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  // asked to stop, it stops its nodes too
  t.teardown(() => void child.kill('SIGTERM'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

t.test('launch day', { timeout: 240_000 }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-devnet-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const data = path.join(folder, 'net')
  const base = await freeBasePort()
  const args = ['--data', data, '--base-port', String(base), '--exit']

  const first = await run(t, args)
  t.equal(first.code, 0, `played to its end:\n${first.output}`)
  t.match(first.output, /Launch day holds/)
  for (const said of ['points/pseudonym-used', 'points/category-not-allowed', 'points/claim-settled', 'first on the waitlist', 'posts to the board', 'proven from the genesis']) t.ok(first.output.includes(said), said)
  for (const secret of ['passphrase', 'offices/registrar.seed', 'nodes/busan-1/keystore.json', 'launch-day.json']) t.equal(statSync(path.join(data, secret)).mode & 0o077, 0, `${secret} is for its owner only`)
  const journal = JSON.parse(readFileSync(path.join(data, 'launch-day.json'), 'utf8')) as { completedMs?: number; transactions: Record<string, Entry> }
  const refused = Object.values(journal.transactions).filter(({ status }) => status === 'refused')
  t.equal(refused.length, 3, 'refusals of the story')

  const second = await run(t, args)
  t.equal(second.code, 0, `started again:\n${second.output}`)
  t.match(second.output, /all its \d+ receipts are still there/)

  // as if it had been cut short before the last receipts came
  delete journal.completedMs
  const keys = Object.keys(journal.transactions)
  for (const key of keys.slice(-3)) {
    const { id, bytes, validUntilMs } = journal.transactions[key] as Entry
    journal.transactions[key] = { id, bytes, validUntilMs }
  }
  writeFileSync(path.join(data, 'launch-day.json'), JSON.stringify(journal))
  const resumed = await run(t, args)
  t.equal(resumed.code, 0, `resumed:\n${resumed.output}`)
  t.match(resumed.output, /was cut short after \d+ transactions and goes on/)
  const after = JSON.parse(readFileSync(path.join(data, 'launch-day.json'), 'utf8')) as { transactions: Record<string, Entry> }
  t.strictSame(Object.keys(after.transactions), keys, 'nothing was sent anew')
})

t.test('what cannot be', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-devnet-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(path.join(folder, 'thesis.txt'), 'dear')
  const cases: readonly (readonly [args: readonly string[], code: number, said: RegExp])[] = [
    [['--help'], 0, /--base-port P/],
    [['--validators', 'four'], 2, /--validators takes a whole number from 1 to 32/],
    [['--nodes', '4'], 2, /Unknown option/],
    [['--data', folder], 1, /holds no devnet/],
    [['--data', folder, '--fresh'], 1, /is not thrown away/],
  ]
  for (const [args, code, said] of cases) {
    const ended = await run(t, args)
    t.equal(ended.code, code, args.join(' '))
    t.match(ended.output, said, args.join(' '))
  }
  t.equal(readFileSync(path.join(folder, 'thesis.txt'), 'utf8'), 'dear', 'nobody’s folder is thrown away')
})
