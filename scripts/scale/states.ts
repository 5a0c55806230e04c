// Large states: the disk, a snapshot and a start against the number of accounts, and against the transactions that ran, on chains made without a network (scripts/bench/state-city.ts).
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { CheckpointCertificate } from '../../consensus/certificate.ts'
import type { Genesis } from '../../genesis/genesis.ts'
import { silentLog } from '../../node/log.ts'
import { type OpenChain, openChain } from '../../node/open-chain.ts'
import { makeSnapshot } from '../../node/snapshot-make.ts'
import { openStore } from '../../node/store.ts'
import type { Store } from '../../node/world.ts'
import { fromUtf8, utf8 } from '../../primitives/bytes.ts'
import { sha256, zeroHash } from '../../primitives/hash.ts'
import { executeBlock } from '../../state/execute.ts'
import { entryBytes } from '../../state/snapshot.ts'
import { createStateTree } from '../../state/tree.ts'
import { round } from '../bench/statistics.ts'
import { buildStateCity } from '../bench/state-city.ts'
import { allThreadsUs } from './cpu.ts'

const blockTransactions = 1_000
const depthSamples = 1_000
const cacheMiB = 256
/** LevelDB goes on merging what was written. */
const settleMs = 3_000

export interface StateFigures {
  readonly accounts: number
  /** On the disk, in all: values, the tree, and what LevelDB has not merged yet. */
  readonly storeMiB: number
  readonly storeBytesPerAccount: number
  /** Pages of the tree on the way to a key that is not there, on average. */
  readonly pagesToKey: number
  readonly snapshotMiB: number
  readonly snapshotParts: number
  readonly snapshotCpuSeconds: number
  readonly snapshotCpuUsPerKey: number
  /** To open it and to check what a start checks; of all threads. */
  readonly startCpuMs: number
}

export interface HistoryFigures {
  /** All within the time for which ids are remembered. */
  readonly transactions: number
  readonly storeMiB: number
  readonly startCpuMs: number
}

interface Opened extends OpenChain {
  readonly database: Store
  readonly cpuMs: number
}

export async function measureState(accounts: number): Promise<StateFigures> {
  return withCity(accounts, 1, async ({ place, folder, reopen }) => {
    const storeBytes = folderBytes(place)
    const { store, database, cpuMs } = await reopen()
    let pages = 0
    const readPage = (at: string): Uint8Array | undefined => {
      pages++
      return store.treePage(at)
    }
    // a tree for each look: the next would know the pages of the one before
    for (let i = 0; i < depthSamples; i++) createStateTree(readPage, 1).leaf(sha256(utf8(`nobody ${i}`)))
    const { height, hash: blockHash, stateRoot } = store.head()
    const certificate: CheckpointCertificate = { content: { height, blockHash, stateRoot, nextSet: zeroHash }, signatures: [{ validator: 0, signature: new Uint8Array(64) }] }
    let keys = 0
    let stateBytes = 0
    for await (const { key, value } of database.iterate({ gte: utf8('s'), lt: utf8('t') })) {
      keys++
      stateBytes += entryBytes(fromUtf8(key.subarray(1)), value)
    }
    const startUs = allThreadsUs()
    const { parts } = await makeSnapshot({ state: store.pastState(), certificate, folder: path.join(folder, 'snapshot'), rest: async () => {} })
    const snapshotUs = allThreadsUs() - startUs
    await database.close()
    return {
      accounts,
      storeMiB: mebibytes(storeBytes),
      storeBytesPerAccount: Math.round(storeBytes / accounts),
      pagesToKey: round(pages / depthSamples, 2),
      snapshotMiB: mebibytes(stateBytes),
      snapshotParts: parts.length,
      snapshotCpuSeconds: round(snapshotUs / 1e6, 2),
      snapshotCpuUsPerKey: round(snapshotUs / keys),
      startCpuMs: cpuMs,
    }
  })
}

export async function measureHistory(accounts: number, blocks: number): Promise<HistoryFigures> {
  return withCity(accounts, blocks, async ({ place, reopen }) => {
    const { database, cpuMs } = await reopen()
    await database.close()
    return { transactions: blocks * blockTransactions, storeMiB: mebibytes(folderBytes(place)), startCpuMs: cpuMs }
  })
}

interface City {
  readonly folder: string
  readonly place: string
  readonly reopen: () => Promise<Opened>
}

/** A chain of so many blocks of spends, closed. */
async function withCity<T>(accounts: number, blocks: number, run: (city: City) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-scale-state-'))
  try {
    const place = path.join(folder, 'store')
    const { genesis, store, state, spends, close } = await buildStateCity(place, accounts)
    let citizen = 0
    let chainId = ''
    for (let i = 0; i < blocks; i++) {
      const { executable, final } = spends(blockTransactions, () => (citizen = (citizen + 7_919) % accounts))
      chainId = executable.chain
      const executed = executeBlock(state, executable)
      if (executed.receipts.some(({ status }) => status !== 'ok')) throw new Error('a spend was refused')
      await store.putBlock(final, executed)
    }
    await store.sync()
    await new Promise((resolve) => setTimeout(resolve, settleMs))
    await close()
    return await run({ folder, place, reopen: () => reopen(place, chainId, genesis) })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function reopen(place: string, chainId: string, genesis: Genesis): Promise<Opened> {
  const startUs = allThreadsUs()
  const database = await openStore({ folder: place, chainId })
  const opened = await openChain(database, genesis, cacheMiB, silentLog)
  return { ...opened, database, cpuMs: Math.round((allThreadsUs() - startUs) / 1_000) }
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() ? statSync(path.join(folder, entry.name)).size : 0), 0)
}

function mebibytes(bytes: number): number {
  return round(bytes / 1_048_576)
}
