// A node from start to stop: reads its genesis and keys, opens what is on disk, and hands all that to the assembly. What was opened is closed again, in reverse.
import { readFileSync } from 'node:fs'
import { checkGenesis } from '../genesis/check.ts'
import { chainIdOf, type Genesis, genesisHash, readGenesis } from '../genesis/genesis.ts'
import { toHex } from '../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../primitives/ed25519.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { systemClock as clock } from './clock.ts'
import type { Config } from './config.ts'
import { codeOfSystem } from './files.ts'
import { adoptJoinedStore, storeFolder } from './joined-store.ts'
import { openKeystore, readPassphrase } from './keystore.ts'
import { createLibp2pTransport } from './libp2p.ts'
import { checkRole } from './membership.ts'
import { openChain } from './open-chain.ts'
import { type RunningNode as OpenNode, runWithRpc } from './run.ts'
import { openStore } from './store.ts'
import { createVerifier } from './verifier.ts'
import { version } from './version.ts'
import { votingEntry } from './vote-entries.ts'
import { openVoteLog, votesFolder } from './votelog.ts'
import type { Log } from './world.ts'

export type RunningNode = Omit<OpenNode, 'joined'>

/**
 * A node that is opened anew on the database of a snapshot when it has fetched one; `url` and `front` are those of its present life.
 * Throws DongbaekError of whatever could not be opened, as `openNode`.
 */
export async function startNode(config: Config, log: Log): Promise<RunningNode> {
  let current = await openNode(config, log)
  let stopped = false
  let tellFailed: (reason: unknown) => void = () => {}
  const failed = new Promise<unknown>((resolve) => (tellFailed = resolve))
  let reopening: Promise<void> | undefined
  const watch = (node: OpenNode): void => {
    void node.failed.then(tellFailed)
    void node.joined.then(() => {
      if (!stopped) reopening = reopen()
    })
  }
  const reopen = async (): Promise<void> => {
    try {
      current = await openNode(config, log)
      watch(current)
    } catch (error) {
      log.error('node-failed', { error })
      tellFailed(error)
    }
  }
  watch(current)
  return {
    chainId: current.chainId,
    get front() {
      return current.front
    },
    get url() {
      return current.url
    },
    get operator() {
      return current.operator
    },
    failed,
    stop: async () => {
      stopped = true
      await reopening
      await current.stop()
    },
  }
}

/** Throws DongbaekError of whatever could not be opened: `genesis/…`, `keystore/…`, `store/…`, `votelog/…`, `transport/listen`, `rpc/listen`, `config/role`. */
async function openNode(config: Config, log: Log): Promise<OpenNode> {
  const genesis = readGenesisFile(config.genesis)
  const chainId = chainIdOf(genesis)
  const { seed, publicKey } = await openKeystore(config.keystore, readPassphrase(config.passphraseFile))
  log.info('starting', { version, chainId, genesis: toHex(genesisHash(genesis)), role: config.role })

  const closers: (() => Promise<void>)[] = []
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => log.error('stop-incomplete', { error }))
  }
  try {
    if (adoptJoinedStore(config.dataDir)) log.info('snapshot-adopted')
    const database = await openStore({ folder: storeFolder(config.dataDir), chainId })
    closers.push(() => database.close())
    const chain = await openChain(database, genesis, config.limits.stateCacheMiB, log)
    checkRole(config, chain.store, publicKey)
    // not held on to as a whole: the entries read back may be many
    const { log: votes, records: entries } = openVoteLog({ folder: votesFolder(config.dataDir), chainId, publicKey, log, firstRecords: [votingEntry(undefined)] })
    closers.push(() => votes.close())
    const verifier = createVerifier({ log, workers: config.limits.verifyWorkers })
    closers.push(() => verifier.stop())
    const transport = await createLibp2pTransport({ chainId, seed, listen: { host: config.p2p.host, port: config.p2p.port }, clock, log })
    closers.push(() => transport.stop())
    const pair = keyPairFromSeed(seed)
    const signer = { publicKey, sign: (message: Uint8Array) => sign(message, pair) }
    return await runWithRpc({ config, log, clock, genesis, chainId, signer, database, chain, votes, entries, verifier, transport, closeAll })
  } catch (error) {
    await closeAll()
    throw error
  }
}

function readGenesisFile(path: string): Genesis {
  const text = readFile(path)
  try {
    const genesis = readGenesis(text)
    checkGenesis(genesis)
    return genesis
  } catch (error) {
    if (!(error instanceof DongbaekError)) throw error
    throw new DongbaekError(error.code, `${path}: ${error.message}`, { ...error.data, path }, { cause: error })
  }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new DongbaekError('genesis/missing-file', `cannot read the genesis file ${path} (${codeOfSystem(cause)}). Copy it from another operator, and compare the hash`, { path }, { cause })
  }
}
