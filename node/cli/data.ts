// dongbaek resync, verify, snapshot, backup, restore: what is done with the data folder of a node that does not run.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { chainIdOf, type Genesis, readGenesis } from '../../genesis/genesis.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Config } from '../config.ts'
import { answer, type JsonOption, say, thousands } from './output.ts'
import { configFrom } from './start.ts'

interface DataOptions extends JsonOption, Readonly<Record<string, unknown>> {
  readonly out?: string
  readonly from?: string
  readonly votesLost?: boolean
}

interface Place {
  readonly config: Config
  readonly genesis: Genesis
  readonly chainId: string
}

function placeOf(options: DataOptions): Place {
  const config = configFrom(options)
  const genesis = readGenesis(readFileSync(config.genesis, 'utf8'))
  return { config, genesis, chainId: chainIdOf(genesis) }
}

function withPlace(program: Command, name: string, what: string): Command {
  return program.command(name).description(what).option('--config <file>', 'configuration file [DONGBAEK_CONFIG]').option('--data-dir <folder>', 'the data folder, over what the configuration says').option('--json', 'answer as JSON')
}

/** A folder that is not there yet. */
function newFolder(path: string): string {
  if (existsSync(path)) throw new DongbaekError('cli/exists', `${path} is there already: name one that is not`, { path })
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

async function resync(options: DataOptions): Promise<void> {
  const { config, chainId } = placeOf(options)
  const { takeStoreAway } = await import('../data-folder.ts')
  const movedTo = await takeStoreAway(config.dataDir, chainId, options.votesLost === true, new Date().toISOString().replaceAll(/[-:]|\..*/g, ''))
  answer(options, { movedTo: movedTo ?? null }, movedTo === undefined ? ['There is no database here: the next start fetches the chain from the peers.'] : [`Moved to ${movedTo}. Nothing was deleted.`, 'The next start fetches the chain from the peers; a validator follows until it may vote again. Remove the folder when the node is ready.'])
}

async function verify(options: DataOptions): Promise<void> {
  const { config, genesis, chainId } = placeOf(options)
  const [{ openStore }, { openChain }, { verifyStore }, { readEpochs }, { storeFolder }, { silentLog }] = await Promise.all([import('../store.ts'), import('../open-chain.ts'), import('../verify-store.ts'), import('../membership.ts'), import('../joined-store.ts'), import('../log.ts')])
  if (!existsSync(storeFolder(config.dataDir))) throw new DongbaekError('store/empty', `${config.dataDir} holds no database`, { dataDir: config.dataDir })
  const database = await openStore({ folder: storeFolder(config.dataDir), chainId })
  try {
    const chain = await openChain(database, genesis, config.limits.stateCacheMiB, silentLog)
    const report = await verifyStore(database, chain, chainId, readEpochs(chain.store), (height) => say(`down to block ${height}`))
    const { head, oldest, blocks, transactions, certificates, values } = report
    answer(options, { ...report, stateRoot: toBase64url(report.stateRoot), holds: true }, [`All holds: ${thousands(blocks)} blocks from ${oldest} to ${head} with ${thousands(transactions)} transactions, ${thousands(certificates)} checkpoint certificates, ${thousands(values)} values of the state.`, `State root ${toBase64url(report.stateRoot)}`])
  } finally {
    await database.close()
  }
}

async function snapshot(options: DataOptions): Promise<void> {
  const { config, genesis, chainId } = placeOf(options)
  const [{ openStore }, { openChain }, { infoOf, keptSnapshots, snapshotFolder }, { makeSnapshot, readPartFile }, { storeFolder }, { silentLog }] = await Promise.all([import('../store.ts'), import('../open-chain.ts'), import('../snapshots.ts'), import('../snapshot-make.ts'), import('../joined-store.ts'), import('../log.ts')])
  if (!existsSync(storeFolder(config.dataDir))) throw new DongbaekError('store/empty', `${config.dataDir} holds no database`, { dataDir: config.dataDir })
  const database = await openStore({ folder: storeFolder(config.dataDir), chainId })
  try {
    const { store } = await openChain(database, genesis, config.limits.stateCacheMiB, silentLog)
    const { height } = store.head()
    const folder = snapshotFolder(config.dataDir, height)
    const known = keptSnapshots(config.dataDir, silentLog).find(({ info }) => info.height === height)?.info
    const certificate = store.checkpoint(height)
    if (certificate === undefined) throw new DongbaekError('snapshot/not-certified', `the last block ${height} is not certified: start the node, wait until it is idle and ready, and stop it`, { height })
    const info = known ?? infoOf(folder, await makeSnapshot({ state: store.pastState(), certificate, folder, rest: async () => {} }))
    if (options.out !== undefined) {
      if (existsSync(options.out)) throw new DongbaekError('cli/exists', `${options.out} is there already: name a file that is not`, { path: options.out })
      // the parts one after the other: the same bytes on every node
      writeFileSync(options.out, new Uint8Array(), { mode: 0o600 })
      for (let index = 0; index < info.parts; index++) appendFileSync(options.out, await readPartFile(folder, index))
    }
    const { parts, bytes } = info
    answer(options, { height, stateRoot: toBase64url(info.stateRoot), hash: toBase64url(info.hash), parts, bytes, folder, file: options.out ?? null }, [`Snapshot of block ${height}: ${parts} parts, ${thousands(bytes)} bytes, in ${folder}${options.out === undefined ? '' : ` and in ${options.out}`}`, `State root ${toBase64url(info.stateRoot)}`, `Hash       ${toBase64url(info.hash)}`])
  } finally {
    await database.close()
  }
}

async function backup(options: DataOptions): Promise<void> {
  const { config, chainId } = placeOf(options)
  const { copyStore } = await import('../data-folder.ts')
  const target = newFolder(options.out as string)
  await copyStore(config.dataDir, chainId, target)
  for (const file of [config.genesis, config.keystore]) cpSync(file, join(target, basename(file)))
  answer(options, { folder: target }, [`Database, genesis and keystore are in ${target}. The votes are not: a validator that is restored follows before it votes.`])
}

async function restore(options: DataOptions): Promise<void> {
  const { config } = placeOf(options)
  const { putStore } = await import('../data-folder.ts')
  putStore(options.from as string, config.dataDir)
  answer(options, { dataDir: config.dataDir }, [`The database is in ${config.dataDir}. Start the node: it catches up from its peers, and a validator follows until it may vote.`])
}

export function addData(program: Command): void {
  withPlace(program, 'resync', 'move the database of a stopped node away, so that its next start fetches the chain from its peers').option('--votes-lost', 'move the record of votes away too: damaged, or gone. The validator follows before it votes').action(resync)
  withPlace(program, 'verify', 'look at everything that the database of a stopped node holds: blocks, certificates, receipts, state, indexes').action(verify)
  withPlace(program, 'snapshot', 'make a snapshot of the last block of a stopped node, for nodes that join, and print its hash: the same on every node').option('--out <file>', 'write its parts to this file too').action(snapshot)
  withPlace(program, 'backup', 'copy database, genesis and keystore of a stopped node; never its votes').requiredOption('--out <folder>', 'a folder that is not there yet').action(backup)
  withPlace(program, 'restore', 'put the database of a backup into an empty data folder').requiredOption('--from <folder>', 'what dongbaek backup made').action(restore)
}
