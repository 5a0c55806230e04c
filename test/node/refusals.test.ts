// What an operator's mistakes and a failing world are called. Each code here can be met outside and is provoked by no other test; test/docs/codes.test.ts looks for all of them.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { chainIdOf, genesisFromJson, genesisToJson, writeGenesis } from '../../genesis/genesis.ts'
import { genesisStateRoot } from '../../genesis/state.ts'
import { createAvailability } from '../../node/availability.ts'
import { openBodies } from '../../node/bodies.ts'
import { createChainStore } from '../../node/chain-store.ts'
import { createNodeFolder } from '../../node/cli/init.ts'
import { run } from '../../node/cli/main.ts'
import { newPassphrase } from '../../node/cli/passphrase.ts'
import { paramsFrom } from '../../node/cli/remote.ts'
import { systemClock } from '../../node/clock.ts'
import type { Config } from '../../node/config.ts'
import { distribute } from '../../node/distribute.ts'
import { writeFileAtomically } from '../../node/files.ts'
import { storeFolder } from '../../node/joined-store.ts'
import { joinPauseMs, joinRoundsMax, voteAppendsWaitingMax } from '../../node/limits.ts'
import { silentLog } from '../../node/log.ts'
import { checkRole } from '../../node/membership.ts'
import { startNode } from '../../node/node.ts'
import { openChain } from '../../node/open-chain.ts'
import { snapshotsFolder } from '../../node/snapshots.ts'
import { openStore } from '../../node/store.ts'
import { createSyncSources } from '../../node/sync-sources.ts'
import { readEntries } from '../../node/vote-entries.ts'
import { openVoteLog } from '../../node/votelog.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { nodeCards, publicKeyOf, testGenesis } from '../support/genesis.ts'
import { longChain } from '../support/long-chain.ts'
import { createManualClock } from '../support/manual-clock.ts'
import { createMemoryStore } from '../support/memory-store.ts'
import { makePayload, makeTransaction, testChain } from '../support/transactions.ts'

const codeThrown = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error)
  }
  return 'nothing'
}

/** The code that a command ends with, as it stands on stderr. */
async function cli(...args: readonly string[]): Promise<string> {
  const [out, err] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)]
  let said = ''
  process.stdout.write = (() => true) as typeof out
  process.stderr.write = ((text: string) => ((said += text), true)) as typeof err
  try {
    await run([...args, '--json'])
  } finally {
    process.stdout.write = out
    process.stderr.write = err
  }
  const line = said.split('\n').find((one) => one.startsWith('{"error"'))
  return line === undefined ? 'nothing' : (JSON.parse(line) as { readonly error: { readonly code: string } }).error.code
}

t.test('commands on a data folder', async (t) => {
  const { genesis, build } = longChain(16)
  const folder = t.testdir({ keystore: '{}', empty: {}, chain: {} })
  const at = (...names: readonly string[]): string => join(folder, ...names)
  writeFileSync(at('genesis.json'), writeGenesis(genesis))
  writeFileSync(at('config.json'), JSON.stringify({ name: 'validator-0', role: 'validator', dataDir: 'none', genesis: 'genesis.json', keystore: 'keystore' }))
  const data = (command: string, dataDir: string, ...args: readonly string[]): Promise<string> => cli(command, '--config', at('config.json'), '--data-dir', at(dataDir), ...args)
  t.equal(await data('backup', 'empty', '--out', at('copy')), 'backup/empty')
  t.equal(await data('verify', 'empty'), 'store/empty')
  t.equal(await data('snapshot', 'empty'), 'store/empty')
  t.equal(await data('restore', 'fresh', '--from', at('empty')), 'restore/no-backup')

  await build(at('chain'), 20, 16)
  t.equal(await data('backup', 'chain', '--out', at('empty')), 'cli/exists')
  t.equal(await data('restore', 'chain', '--from', at('empty')), 'restore/not-empty')
  t.equal(await data('snapshot', 'chain'), 'nothing')
  // a bit of a part that is kept
  const [kept] = readdirSync(snapshotsFolder(at('chain')))
  const part = join(snapshotsFolder(at('chain')), kept as string, readdirSync(join(snapshotsFolder(at('chain')), kept as string)).filter((name) => name !== 'manifest').sort()[0] as string)
  const bytes = readFileSync(part)
  bytes[5] = (bytes[5] as number) ^ 1
  writeFileSync(part, bytes)
  t.equal(await data('snapshot', 'chain', '--out', at('snapshot.bin')), 'snapshot/damaged')
  // the certificate of the last block goes
  cpSync(at('chain'), at('bare'), { recursive: true })
  const database = await openStore({ folder: storeFolder(at('bare')), chainId: chainIdOf(genesis) })
  await database.batch([{ type: 'del', key: Uint8Array.of(0x63, 0, 0, 0, 0, 0, 0, 0, 16) }], { sync: true })
  await database.close()
  t.equal(await data('snapshot', 'bare'), 'snapshot/not-certified')
})

t.test('other commands', async (t) => {
  const folder = t.testdir()
  t.equal(codeThrown(() => paramsFrom(['height'])), 'cli/argument')
  t.equal(await cli('query'), 'cli/argument')
  t.equal(await cli('tx', 'submit', `@${join(folder, 'nowhere')}`), 'cli/file')
  const node = { name: 'one', organisation: undefined, addresses: [], p2pPort: 0, rpcHost: '127.0.0.1', rpcPort: 0, passphraseFile: undefined }
  mkdirSync(join(folder, 'node'))
  writeFileSync(join(folder, 'node', 'keystore.json'), '{}')
  await t.rejects(createNodeFolder(join(folder, 'node'), node, 'a long enough passphrase'), { code: 'cli/folder-in-use' })
  t.equal(codeThrown(() => writeFileAtomically(join(folder, 'none', 'file'), new Uint8Array(1), 0o600)), 'file/write')
  const config: Config = {
    name: 'one',
    role: 'observer',
    dataDir: join(folder, 'data'),
    genesis: join(folder, 'nowhere.json'),
    keystore: '',
    passphraseFile: '',
    p2p: { host: '127.0.0.1', port: 0, addresses: {}, observers: [] },
    rpc: { host: '127.0.0.1', port: 0, origins: [], proxies: 0, staleMs: 10_000, keys: [] },
    admin: { host: '127.0.0.1', port: undefined },
    log: { level: 'info' },
    limits: { verifyWorkers: 0, stateCacheMiB: 64, rpcRequestsPerSecond: 1_000, senderTransactionsPerSecond: 100_000, snapshotBlocks: 0, keepBlocks: 0 },
  }
  await t.rejects(startNode(config, silentLog), { code: 'genesis/missing-file' })
})

t.test('a passphrase at the terminal', async (t) => {
  const real = Object.getOwnPropertyDescriptor(process, 'stdin') as PropertyDescriptor
  const write = process.stderr.write.bind(process.stderr)
  const { DONGBAEK_PASSPHRASE: kept, ...env } = process.env
  process.env = env
  t.teardown(() => {
    Object.defineProperty(process, 'stdin', real)
    process.stderr.write = write
    process.env = kept === undefined ? env : { ...env, DONGBAEK_PASSPHRASE: kept }
  })
  /** Each question is answered by the next line; after them the input ends. */
  const answers = (...lines: readonly string[]): void => {
    const terminal = Object.assign(new PassThrough(), { isTTY: true })
    const left = [...lines]
    Object.defineProperty(process, 'stdin', { value: terminal, configurable: true })
    process.stderr.write = ((text: string) => {
      if (!text.endsWith(': ')) return true
      const line = left.shift()
      setImmediate(() => (line === undefined ? terminal.end() : terminal.write(`${line}\n`)))
      return true
    }) as typeof write
  }
  answers('correct horse battery', 'correct horse batter')
  await t.rejects(newPassphrase(undefined, 'Passphrase: '), { code: 'keystore/passphrase-differs' })
  answers()
  await t.rejects(newPassphrase(undefined, 'Passphrase: '), { code: 'cli/cancelled' })
  answers('correct horse battery', 'correct horse battery')
  t.equal(await newPassphrase(undefined, 'Passphrase: '), 'correct horse battery')
})

t.test('evidence that is no base64url is refused before anybody is believed', async (t) => {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: { chainId: 'test-0123456789abcdef' } })))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { readonly port: number }
  t.equal(await cli('validators', '--check', '??', '--rpc', `http://127.0.0.1:${port}`), 'cli/evidence')
})

t.test('a store and what it was made from', async (t) => {
  const genesis = testGenesis()
  const database = createMemoryStore()
  t.equal(codeThrown(() => createChainStore(createMemoryStore()).head()), 'store/empty')
  const { store } = await openChain(database, genesis, 64, silentLog)
  await t.rejects(openChain(database, testGenesis({ timeMs: 1_778_716_800_001 }), 64, silentLog), { code: 'store/other-genesis' })

  const [first] = nodeCards(1)
  const founding = first?.publicKey as Uint8Array
  const role = (name: string, as: 'validator' | 'observer', key: Uint8Array): string => codeThrown(() => checkRole({ name, role: as, keystore: 'keystore.json' }, store, key))
  t.same([role('stranger', 'validator', publicKeyOf('stranger')), role('busan-1', 'observer', founding), role('busan-2', 'validator', founding), role('busan-1', 'validator', founding), role('any', 'observer', publicKeyOf('any'))], ['config/role', 'config/role', 'config/role', 'nothing', 'nothing'])

  // boards of living areas that there are not
  const json = structuredClone(genesisToJson(genesis)) as Record<string, Json>
  const places = (json['state'] as JsonObject)['reservation'] as Record<string, Json>
  Object.assign(places, { livingAreas: [], facilities: [] })
  t.equal(codeThrown(() => genesisStateRoot(genesisFromJson(json))), 'genesis/state')
})

t.test('a vote log of another version, and one that is asked for more than the disk takes', async (t) => {
  t.equal(codeThrown(() => readEntries([Uint8Array.of(9, 1, 2)])), 'votelog/foreign')
  t.equal(codeThrown(() => readEntries([Uint8Array.of(1, 0xc1)])), 'votelog/foreign')
  const { log } = openVoteLog({ folder: join(t.testdir(), 'votes'), chainId: 'test', publicKey: publicKeyOf('one'), log: silentLog })
  const record = [Uint8Array.of(1)]
  // the first goes to the disk at once, in the next turn; the others wait
  const appends = Array.from({ length: voteAppendsWaitingMax }, () => log.append(record))
  await t.rejects(log.append(record), { code: 'votelog/busy' })
  await Promise.all(appends)
  await log.append(record)
  await log.close()
})

t.test('pieces of a snapshot that nobody has, and a node that stops over them', async (t) => {
  const clock = createManualClock()
  const piece = (stopped: () => boolean): Promise<void> => distribute({ pieces: ['part'], sources: createSyncSources(clock), clock, peers: () => ['a', 'b'], perform: async () => false, stopped, onDone: () => {} })
  const outcome = piece(() => false).then(() => 'nothing', (error: { readonly code: string }) => error.code)
  await clock.advance(10 * joinRoundsMax * joinPauseMs)
  t.equal(await outcome, 'snapshot/unavailable')
  await t.rejects(piece(() => true), { code: 'snapshot/stopped' })
})

t.test('a block that is wanted no more is given up', async (t) => {
  const payload = makePayload(1, [makeTransaction('one')])
  const availability = createAvailability({
    chainId: testChain,
    mempool: { byReference: () => undefined },
    admission: { isChecking: () => false },
    gossipSettled: async () => {},
    transport: { request: async () => new Uint8Array() },
    verifier: { verifyBatch: async () => [] },
    clock: systemClock,
    log: silentLog,
    blockBytesMax: 1_000,
    own: () => undefined,
  })
  await t.rejects(availability.obtain({ header: payload.header, manifest: () => undefined, holders: () => [], isWanted: () => false, final: false }), { code: 'node/not-wanted' })
})

t.test('a body has a byte', async (t) => {
  const bodies = await openBodies({ store: createMemoryStore(), clock: systemClock, stateOf: () => 'unknown' })
  await t.rejects(bodies.put(new Uint8Array()), { code: 'community/body-empty' })
})
