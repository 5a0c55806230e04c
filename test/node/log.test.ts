// The log: one JSON line an event, no secrets, readable where a person looks on, and no flood from outside.
import t from 'tap'
import { DongbaekError } from '../../primitives/errors.ts'
import { createLog, createThrottle, type LogGate, silentLog } from '../../node/log.ts'
import { logRepeatKeysMax, logRepeatMs } from '../../node/limits.ts'
import type { Clock } from '../../node/world.ts'

t.test('lines of JSON with event, level, time, bindings and errors', async (t) => {
  const lines: string[] = []
  const log = createLog({ level: 'info', readable: false, bindings: { node: 'city-1' }, write: (line) => lines.push(line) })
  log.debug('left-out')
  log.child({ part: 'store' }).warn('disk-slow', { ms: 30 })
  const inner = new DongbaekError('a/b', 'inner sentence', { height: 5 })
  log.error('failed', { error: new DongbaekError('c/d', 'outer sentence', {}, { cause: inner }) })
  log.error('failed', { error: 'a string' })
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  t.equal(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1), true)
  t.match(parsed[0], { level: 'warn', event: 'disk-slow', ms: 30, node: 'city-1', part: 'store', time: /^\d{4}-/ })
  t.match(parsed[1], { level: 'error', error: { code: 'c/d', message: 'outer sentence', cause: { code: 'a/b', data: { height: 5 } } } })
  t.match(parsed[2], { error: 'a string' })
  t.equal(parsed.length, 3)
})

t.test('secrets are hidden by name', async (t) => {
  const lines: string[] = []
  const log = createLog({ level: 'info', readable: false, write: (line) => lines.push(line) })
  log.info('planted', { seed: 'abc', options: { passphrase: 'abc', deep: { privateKey: 'abc' } }, harmless: 1 })
  t.notMatch(lines.join(''), /abc/)
  t.match(JSON.parse(lines[0] as string), { seed: '(hidden)', harmless: 1 })
})

t.test('a level that is changed holds at once, for children made before too', async (t) => {
  const lines: string[] = []
  const gate: LogGate = { level: 'warn' }
  const log = createLog({ level: gate, readable: false, write: (line) => lines.push(line) })
  const child = log.child({ part: 'store' })
  child.debug('one')
  gate.level = 'debug'
  child.debug('two')
  log.debug('three')
  gate.level = 'silent'
  child.error('four')
  t.same(lines.map((line) => (JSON.parse(line) as { event: string }).event), ['two', 'three'])
})

t.test('readable', async (t) => {
  const lines: string[] = []
  const log = createLog({ level: 'debug', readable: true, bindings: { node: 'n' }, write: (line) => lines.push(line) })
  log.debug('peer-up', { peer: 'bank-1', count: { a: 1 } })
  t.match(lines[0], /^\d\d:\d\d:\d\d\.\d{3} DEBUG peer-up {2}node=n peer=bank-1 count=\{"a":1\}\n$/)
  silentLog.child({}).error('nothing')
})

t.test('a repeated line appears once in a while, with the number left out', async (t) => {
  let now = 0
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {}, soon: () => {} }
  const pass = createThrottle(clock)
  t.same([pass('a'), pass('a'), pass('a'), pass('b')], [0, undefined, undefined, 0])
  now += logRepeatMs
  t.same([pass('a'), pass('a')], [2, undefined])
  for (let i = 0; i < 3 * logRepeatKeysMax; i++) pass(`stranger ${i}`)
  t.equal(pass('yet another'), undefined, 'a flood of new keys shares one line')
  now += logRepeatMs
  t.ok((pass('yet another') ?? 0) > logRepeatKeysMax)
})
