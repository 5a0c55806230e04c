// A key that was never used votes from its first start on; one whose use is unknown follows first. What says so is used up before the key can sign anything.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createNodeFolder } from '../../node/cli/init.ts'
import { putStore } from '../../node/data-folder.ts'
import { silentLog } from '../../node/log.ts'
import { markUnused, useOf } from '../../node/unused-key.ts'
import { isUnused, readEntries, recordEntry, votingEntry } from '../../node/vote-entries.ts'
import { remembersVotes, voteMark, whyVotesMissing } from '../../node/vote-mark.ts'
import { openVoteLog, votesFolder } from '../../node/votelog.ts'
import type { Log, OpenedVoteLog } from '../../node/world.ts'
import { buildTransaction, createClient, randomSeed, signTransaction, submitAndWait, walletFromSeed } from '../../rpc/client/index.ts'
import { createAssembled } from '../support/assembled.ts'
import { seedOf } from '../support/genesis.ts'
import { createMemoryStore } from '../support/memory-store.ts'
import { until } from '../support/until.ts'

const registrar = walletFromSeed(seedOf('registrar'))

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const open = (folder: string, log: Log = silentLog): OpenedVoteLog => openVoteLog({ folder, chainId: 'test', publicKey: key(1), log, firstRecords: [votingEntry(undefined)] })
const mayVote = async (folder: string): Promise<boolean> => {
  const opened = open(folder)
  await opened.log.close()
  return readEntries(opened.records).mayVote
}

t.test('init makes the key and says that it is unused', async (t) => {
  const root = t.testdir({ backup: { 'store.json': '{}', store: {} } })
  const folder = join(root, 'node')
  const node = { name: 'one', organisation: 'busan', addresses: ['127.0.0.1:1'], p2pPort: 1, rpcHost: '127.0.0.1', rpcPort: 2, passphraseFile: undefined }
  const { publicKey } = await createNodeFolder(folder, node, 'a long enough passphrase')
  const { dataDir } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { dataDir: string }
  const votes = votesFolder(join(folder, dataDir))
  t.equal(useOf(votes, publicKey), 'unused')
  // its operator may begin from a copy of another node's database
  putStore(join(root, 'backup'), join(folder, dataDir))
  t.equal(useOf(votes, publicKey), 'unused')
})

t.test('it is told once, and lasts', async (t) => {
  const folder = votesFolder(t.testdir())
  markUnused(folder, key(1))
  t.equal(await mayVote(folder), true)
  t.same(readdirSync(folder).sort(), ['00000001.votes', 'votes.json'])
  t.equal(await mayVote(folder), true, 'by the log itself')
  // the same file again, as from a copy of the folder that init made
  markUnused(folder, key(1))
  const { log, records } = open(folder)
  t.equal(records.length, 1)
  t.equal(existsSync(join(folder, 'unused.json')), false)
  await log.append([votingEntry(undefined)])
  await log.close()
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
  t.equal(await mayVote(folder), false, 'a folder that was emptied')
})

t.test('without it, or with that of another key, a validator follows first', async (t) => {
  t.equal(await mayVote(votesFolder(t.testdir())), false)
  const own = `${JSON.stringify({ format: 'dongbaek-unused-key', version: 1 })}\n`
  for (const content of [undefined, '', own, '\0'.repeat(200)]) {
    const folder = votesFolder(t.testdir())
    if (content === undefined) markUnused(folder, key(2))
    else {
      mkdirSync(folder)
      writeFileSync(join(folder, 'unused.json'), content)
    }
    const warned: string[] = []
    const log: Log = { ...silentLog, child: () => log, warn: (event) => void warned.push(event) }
    const opened = open(folder, log)
    await opened.log.close()
    t.same([opened.records, warned], [[], ['unused-key-ignored']])
    t.same(readdirSync(folder).sort(), ['00000001.votes', 'votes.json'])
  }
})

t.test('a crash at any step of the first start leaves one that votes', async (t) => {
  const made = votesFolder(t.testdir())
  markUnused(made, key(1))
  await mayVote(made)
  const segment = readFileSync(join(made, '00000001.votes'))
  const files = { '00000001.votes.tmp': segment.subarray(0, 40), '00000001.votes': segment, 'votes.json': readFileSync(join(made, 'votes.json')) }
  const steps: readonly (readonly (keyof typeof files)[])[] = [['00000001.votes.tmp'], ['00000001.votes'], ['00000001.votes', 'votes.json']]
  for (const step of steps) {
    const folder = votesFolder(t.testdir())
    markUnused(folder, key(1))
    for (const name of step) writeFileSync(join(folder, name), files[name])
    t.equal(await mayVote(folder), true, step.join())
    t.same(readdirSync(folder).sort(), ['00000001.votes', 'votes.json'])
  }
})

t.test('the store hears of the log before it votes; later a log without votes does not belong to it', async (t) => {
  const store = createMemoryStore()
  const first = { log: key(7).subarray(0, 16), batch: 1 }
  t.equal(isUnused(readEntries([votingEntry(undefined)])), true)
  t.equal(isUnused(readEntries([])), false, 'one that follows')
  t.equal(isUnused(readEntries([votingEntry({ epoch: 1, view: 0, height: 9 } as never)])), false, 'one that followed')
  t.equal(isUnused(readEntries([votingEntry(undefined), recordEntry({ type: 'wished', epoch: 1, view: 1 } as never)])), false, 'one that has signed')
  t.equal(remembersVotes(store), false)
  t.match(whyVotesMissing(store, first), /knows of no vote log/)
  await store.batch([voteMark({ ...first, batch: 5 })], { sync: true })
  t.equal(remembersVotes(store), true)
  t.match(whyVotesMissing(store, first), /ends with batch 1, and the store was written when it had 5/)
})

t.test('a new validator that comes to a network which has begun votes as new, and is taken for one that lost its votes only without the file', async (t) => {
  for (const marked of [true, false]) {
    const events: string[] = []
    const nodes = createAssembled({ log: (name) => ({ ...silentLog, info: (event) => void events.push(`${name} ${event}`), warn: (event) => void events.push(`${name} ${event}`) }) })
    t.teardown(nodes.stopAll)
    const [late = '', ...first] = nodes.names
    if (marked) nodes.markUnused(late)
    await Promise.all(first.map(nodes.start))
    const client = createClient({ url: nodes.node('validator-1').url })
    const wallet = walletFromSeed(randomSeed())
    const unsigned = buildTransaction({ chain: nodes.node('validator-1').chainId, kind: 'did.register', sender: wallet, countersigners: [registrar], payload: { keys: [wallet.didKey], services: [] } })
    await submitAndWait(client, await signTransaction(unsigned, [wallet, registrar]), { timeoutMs: 60_000 })
    await nodes.start(late)
    await until(() => events.includes(`${late} voting`), 60_000)
    t.equal(events.includes(`${late} votes-lost`), !marked, marked ? 'new' : 'unknown')
    await nodes.stopAll()
  }
})
