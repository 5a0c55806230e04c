// The vote log against the disk: torn tails at every byte, flipped bytes at every place, lost segments, full disks, group commit.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { fromUtf8, utf8 } from '../../primitives/bytes.ts'
import { silentLog } from '../../node/log.ts'
import { voteRecordBytesMax } from '../../node/limits.ts'
import { hasVoteLog, openVoteLog } from '../../node/votelog.ts'
import { segmentHeaderBytes } from '../../node/vote-segment.ts'
import type { OpenedVoteLog } from '../../node/world.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const open = (folder: string, segmentBytesMax?: number, chainId = 'test', publicKey = key(1)): OpenedVoteLog =>
  openVoteLog({ folder, chainId, publicKey, log: silentLog, ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }) })
const texts = (opened: OpenedVoteLog): string[] => opened.records.map(fromUtf8)

async function written(folder: string, groups: readonly (readonly string[])[], segmentBytesMax?: number): Promise<void> {
  const { log } = open(folder, segmentBytesMax)
  for (const group of groups) await log.append(group.map(utf8))
  await log.close()
}

async function read(folder: string): Promise<string[]> {
  const opened = open(folder)
  await opened.log.close()
  return texts(opened)
}

const segments = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.votes')).sort()

t.test('what was appended is read again, in order, over segments, and goes on', async (t) => {
  const folder = join(t.testdir(), 'votes')
  t.equal(hasVoteLog(folder), false)
  const first = open(folder)
  t.same([first.created, first.records, first.cutBytes], [true, [], 0])
  await first.log.append([])
  await first.log.close()
  t.equal(hasVoteLog(folder), true)
  await written(folder, [['one', 'two'], ['three'], ['x'.repeat(200)], ['four'], ['five']], 120)
  t.ok(segments(folder).length > 2)
  await written(folder, [['six']], 150)
  t.same(await read(folder), ['one', 'two', 'three', 'x'.repeat(200), 'four', 'five', 'six'])
  const again = open(folder)
  t.equal(again.created, false)
  await t.rejects(again.log.append([new Uint8Array(voteRecordBytesMax + 1)]), { code: 'votelog/too-large' })
  await again.log.append([new Uint8Array(voteRecordBytesMax), new Uint8Array(voteRecordBytesMax), new Uint8Array(voteRecordBytesMax)])
  await again.log.close()
  await t.rejects(again.log.append([utf8('late')]), { code: 'votelog/closed' })
  t.equal((await read(folder)).length, 10)
  t.throws(() => open(folder, undefined, 'other'), { code: 'votelog/other-chain' })
  t.throws(() => open(folder, undefined, 'test', key(2)), { code: 'votelog/other-validator' })
})

t.test('tendermint #3295, Jepsen on Tendermint 0.10.2: a tail torn at any byte of the last batch is cut, and the log goes on', async (t) => {
  // every place is opened and synced some times over: not on a disk where there is a memory
  const root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'votes-torn-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const base = join(root, 'base')
  await written(base, [['one'], ['two', 'three']])
  const kept = readFileSync(join(base, '00000001.votes')).length
  await written(base, [['last', 'y'.repeat(1_700)]])
  const whole = readFileSync(join(base, '00000001.votes')).length
  // the write ended at any byte; or the file had grown and its sectors from one on had not been written
  const cuts = Array.from({ length: whole - kept }, (_, i) => ({ length: kept + i, grown: false }))
  for (let length = kept; length < whole; length = (Math.floor(length / 512) + 1) * 512) cuts.push({ length, grown: true })
  t.equal(cuts.length, whole - kept + 4)
  for (const { length, grown } of cuts) {
    const folder = join(root, 'cut')
    cpSync(base, folder, { recursive: true })
    const path = join(folder, '00000001.votes')
    truncateSync(path, length)
    if (grown) truncateSync(path, whole)
    const opened = open(folder)
    if (texts(opened).join() !== 'one,two,three' || (length > kept && opened.cutBytes === 0)) t.fail(`cut at ${length}: ${texts(opened).join()}`)
    await opened.log.append([utf8('after')])
    await opened.log.close()
    if ((await read(folder)).join() !== 'one,two,three,after') t.fail(`append after a cut at ${length}`)
    rmSync(folder, { recursive: true })
  }
  t.pass(`${whole - kept} places`)
})

t.test('a flipped byte anywhere is refused with file, offset and way out, and changes nothing', async (t) => {
  const base = join(t.testdir(), 'base')
  await written(base, [['one'], ['two', 'three'], ['z'.repeat(120)], ['four'], ['last']], 300)
  t.equal(segments(base).length, 2)
  let places = 0
  for (const name of segments(base)) {
    const good = readFileSync(join(base, name))
    for (let at = 0; at < good.length; at++) {
      const bad = Buffer.from(good)
      bad[at] = (bad[at] as number) ^ (at % 3 === 0 ? 0xff : 1 << at % 8)
      writeFileSync(join(base, name), bad)
      try {
        await read(base)
        t.fail(`${name}: the flip at ${at} went unnoticed`)
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        if (!/^votelog\/(damaged|other-chain|other-validator)$/.test(code) || !message.includes(name) || !/dongbaek|dataDir/.test(message)) t.fail(`${name} at ${at}: ${message}`)
      }
      if (!readFileSync(join(base, name)).equals(bad)) t.fail('the refused file was changed')
      places++
    }
    writeFileSync(join(base, name), good)
  }
  t.pass(`${places} places`)
  t.equal((await read(base)).length, 6)
})

t.test('a lost segment is refused, whichever it is; so is an emptied folder', async (t) => {
  const base = join(t.testdir(), 'base')
  await written(base, [['one'], ['two'], ['three'], ['four']], 110)
  t.equal(segments(base).length, 4)
  for (const name of segments(base)) {
    const folder = join(t.testdirName, name)
    cpSync(base, folder, { recursive: true })
    rmSync(join(folder, name))
    t.throws(() => open(folder), { code: 'votelog/damaged', message: new RegExp(`${name}.*missing`) }, name)
  }
  for (const name of segments(base)) rmSync(join(base, name))
  t.throws(() => open(base), { code: 'votelog/missing' })
})

t.test('a crash at each step of a new segment is survived', async (t) => {
  const base = join(t.testdir(), 'base')
  await written(base, [['one']])
  const before = readFileSync(join(base, '00000001.votes'))
  await written(base, [['two']], 1)
  const sealed = readFileSync(join(base, '00000001.votes'))
  const second = readFileSync(join(base, '00000002.votes')).subarray(0, segmentHeaderBytes)
  for (let length = before.length; length <= sealed.length; length++) {
    const folder = join(t.testdirName, 'at')
    mkdirSync(folder)
    writeFileSync(join(folder, 'votes.json'), '{}')
    writeFileSync(join(folder, '00000001.votes'), sealed.subarray(0, length))
    writeFileSync(join(folder, '00000002.votes'), second)
    writeFileSync(join(folder, '00000003.votes.tmp'), 'half')
    if ((await read(folder)).join() !== 'one') t.fail(`seal cut at ${length}`)
    await written(folder, [['after']])
    if ((await read(folder)).join() !== 'one,after') t.fail(`append after a seal cut at ${length}`)
    rmSync(folder, { recursive: true })
  }
  t.pass()
})

t.test('rewrite replaces everything, and waits for what came before', async (t) => {
  const folder = join(t.testdir(), 'votes')
  const { log } = open(folder, 100)
  for (const text of ['one', 'two', 'three', 'four']) await log.append([utf8(text)])
  const kept = [utf8('two'), utf8('four')]
  await Promise.all([log.append([utf8('five')]), log.rewrite([...kept, utf8('five')]), log.append([utf8('six')])])
  await log.close()
  t.equal(segments(folder).length, 2)
  t.same(await read(folder), ['two', 'four', 'five', 'six'])
  // a crash between the new segment and the removal of the old ones: both stand there, the new one counts
  const old = join(folder, '00000001.votes')
  t.equal(existsSync(old), false)
  cpSync(join(folder, segments(folder)[0] as string), join(t.testdirName, 'base.votes'))
  writeFileSync(old, 'rubbish of an interrupted rewrite')
  t.throws(() => open(folder), { code: 'votelog/damaged' }, 'rubbish is not silently removed')
  rmSync(old)
  const { log: empty } = open(folder)
  await empty.rewrite([])
  await empty.close()
  t.same(await read(folder), [])
})

t.test('its position never falls behind the disk, and a log that was renewed is another', async (t) => {
  const folder = join(t.testdir(), 'votes')
  const { log } = open(folder, 150)
  const first = log.position()
  t.equal(first.batch, 0)
  let before = 0
  for (const text of ['one', 'two', 'three', 'four', 'five']) {
    await log.append([utf8(text)])
    const { batch } = log.position()
    t.ok(batch > before)
    before = batch
  }
  await log.rewrite([utf8('five')])
  t.ok(log.position().batch > before)
  const there = log.position()
  t.same(there.log, first.log)
  await log.close()
  const again = open(folder)
  t.same(again.log.position(), there, 'as it was')
  await again.log.renew()
  t.notSame(again.log.position().log, first.log)
  await again.log.append([utf8('six')])
  const renewed = again.log.position()
  await again.log.close()
  t.same(await read(folder), ['six'])
  t.equal(segments(folder).length, 1)
  const last = open(folder)
  t.same(last.log.position(), renewed)
  await last.log.close()
})

t.test('appends that wait together share one sync', async (t) => {
  const { log } = open(join(t.testdir(), 'votes'))
  const alone = performance.now()
  for (let i = 0; i < 50; i++) await log.append([utf8('a vote of some length'.repeat(14))])
  const aloneMs = (performance.now() - alone) / 50
  const together = performance.now()
  await Promise.all(Array.from({ length: 2_000 }, () => log.append([utf8('a vote of some length'.repeat(14))])))
  const togetherMs = (performance.now() - together) / 2_000
  t.comment(`an append of 300 bytes: ${aloneMs.toFixed(3)} ms alone, ${togetherMs.toFixed(4)} ms among 2,000`)
  t.ok(togetherMs < aloneMs / 4)
  await log.close()
})

t.test('a full disk ends the log for good, and what was acknowledged is there', { skip: process.getuid?.() === 0 ? false : 'needs root for a small tmpfs' }, async (t) => {
  // not among tap's fixtures: what is mounted there cannot be swept away
  const mount = mkdtempSync(join(tmpdir(), 'votes-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mount], { stdio: 'ignore' })
  } catch {
    t.comment('tmpfs cannot be mounted here: skipped')
    return
  }
  t.teardown(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true })
  })
  const folder = join(mount, 'votes')
  const { log } = open(folder)
  let kept = 0
  const failure = await (async () => {
    for (; kept < 100; kept++) await log.append([utf8(`${kept} `.padEnd(10_000))])
  })().catch((error: unknown) => error)
  t.match(failure, { code: 'votelog/failed', data: { cause: 'ENOSPC' } })
  rmSync(join(mount, 'votes', 'votes.json'))
  await t.rejects(log.append([utf8('x')]), { code: 'votelog/failed' }, 'room again, and still no vote')
  await t.rejects(log.rewrite([]), { code: 'votelog/failed' })
  await log.close()
  const records = await read(folder)
  t.equal(records.length, kept)
})
