// What `npm run chaos` does by the hour, for half a minute: one fault of each sort, in this order, by the command itself.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type FaultKind, faultKinds, schedule } from '../../scripts/chaos/faults.ts'
import { createLinks } from '../../scripts/chaos/links.ts'
import type { ChaosReport } from '../../scripts/chaos/run.ts'
import { createRandom } from '../../scripts/durability/random.ts'

const seed = 7
// a start of five processes alone takes a quarter of it where the machine does much else
t.setTimeout(600_000)
const faults: readonly FaultKind[] = ['kill', 'halves', 'all-killed']

t.test('faults on a network of processes under load', { timeout: 400_000 }, async (t) => {
  const json = path.join(t.testdir(), 'report.json')
  const script = path.join(import.meta.dirname, '../../scripts/chaos.ts')
  const run = spawn(process.execPath, [script, '--seed', String(seed), '--rate', '15', '--faults', faults.join(','), '--json', json], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => run.kill())
  let said = ''
  run.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const [code] = (await once(run, 'exit')) as [number | null]
  t.equal(code, 0)
  if (code !== 0) t.comment(said)
  const report = JSON.parse(readFileSync(json, 'utf8')) as ChaosReport
  t.strictSame(report.violations, [], 'no violation')
  t.strictSame(report.faults, Object.fromEntries([...faults].sort().map((kind) => [kind, 1])), 'every fault struck')
  t.strictSame([report.lost, report.doubled, report.divergent], [0, 0, 0], `of ${report.acknowledged} acknowledged receipts none is lost, doubled or other elsewhere`)
  t.ok(report.acknowledged > 100, `${report.acknowledged} of ${report.sent} were acknowledged`)
  t.comment(`without a block: p50 ${report.unavailableMs.p50} ms, max ${report.unavailableMs.max} ms`)
})

t.test('a schedule is of its seed, and a round has every kind', async (t) => {
  const take = (count: number, of: number): readonly FaultKind[] => {
    const kinds = schedule(createRandom(of), new Set(['full-disk']))
    return Array.from({ length: count }, () => kinds.next().value)
  }
  t.strictSame(take(100, 3), take(100, 3))
  t.notSame(take(100, 3), take(100, 4))
  t.strictSame(new Set(take(100, 3)), new Set(faultKinds.filter((kind) => kind !== 'full-disk')))
})

t.test('links', async (t) => {
  const echo = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  const links = await createLinks([{ name: 'a', port: 1 }, { name: 'b', port }], createRandom(1))
  t.teardown(() => {
    links.close()
    echo.close()
  })
  const dial = () => {
    const [host, at] = (links.addressesFor('a')['b'] as string).split(':') as [string, string]
    const socket = connect({ host, port: Number(at) })
    const heard: string[] = []
    socket.on('error', () => {})
    socket.on('data', (bytes) => heard.push(bytes.toString('utf8')))
    t.teardown(() => socket.destroy())
    return { socket, heard, said: () => heard.join('') }
  }
  const until = async (t: Test, holds: () => boolean, what: string): Promise<number> => {
    const from = performance.now()
    while (!holds() && performance.now() - from < 5_000) await pause(5)
    t.ok(holds(), what)
    return performance.now() - from
  }

  await t.test('what is sent arrives, in order', async (t) => {
    const { socket, said } = dial()
    const words = Array.from({ length: 200 }, (_, i) => `${i};`)
    for (const word of words) socket.write(word)
    await until(t, () => said() === words.join(''), 'all of it')
  })

  await t.test('delay takes that long, each way, and keeps the order', async (t) => {
    const { socket, said } = dial()
    links.set('a', 'b', { delayMs: 100, jitterMs: 50 })
    links.set('b', 'a', { delayMs: 100, jitterMs: 50 })
    for (const word of ['one ', 'two ', 'three']) {
      socket.write(word)
      await pause(10)
    }
    const ms = await until(t, () => said() === 'one two three', 'in order')
    t.ok(ms >= 150, `${Math.round(ms)} ms`)
    links.clear()
  })

  await t.test('silence one way holds what is sent, and lets it pass afterwards', async (t) => {
    const { socket, said } = dial()
    socket.write('before ')
    await until(t, () => said() === 'before ', 'before')
    links.set('b', 'a', { silent: true })
    socket.write('meanwhile')
    await pause(200)
    t.equal(said(), 'before ')
    links.clear()
    await until(t, () => said() === 'before meanwhile', 'afterwards')
  })

  await t.test('cut: reset, refused, and again after it', async (t) => {
    const first = dial()
    first.socket.write('x')
    await until(t, () => first.said() === 'x', 'connected')
    links.setBetween('a', 'b', { cut: true })
    await until(t, () => first.socket.destroyed, 'the connection is reset')
    const second = dial()
    await until(t, () => second.socket.destroyed, 'another is refused')
    links.clear()
    const third = dial()
    third.socket.write('y')
    await until(t, () => third.said() === 'y', 'connected again')
  })

  await t.test('throttled', async (t) => {
    const { socket, said } = dial()
    links.set('a', 'b', { bytesPerSecond: 20_000 })
    socket.write('z'.repeat(10_000))
    const ms = await until(t, () => said().length === 10_000, 'all of it')
    t.ok(ms > 400, `${Math.round(ms)} ms for half a second of bytes`)
    links.clear()
  })
})
