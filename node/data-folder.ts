// What operators do with the data folder of a node that does not run: take its store away to start from peers, copy it, put a copy in place.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { syncFolder } from './files.ts'
import { joiningFolder, storeFolder } from './joined-store.ts'
import { openStore } from './store.ts'
import { hasVoteLog, votesFolder } from './votelog.ts'

/** Throws `store/locked` when a process has the database open; whatever else is wrong with it is no matter here. */
export async function assertStopped(dataDir: string, chainId: string): Promise<void> {
  const folder = storeFolder(dataDir)
  if (!existsSync(folder) || readdirSync(folder).length === 0) return
  try {
    const database = await openStore({ folder, chainId })
    await database.close()
  } catch (error) {
    if (codeOf(error) === 'store/locked') throw error
  }
}

/**
 * Moves the database, and what a snapshot was being put into, to a folder of its own in the data folder; the vote log too with `votesLost`. The next start begins from the genesis and
 * fetches the chain from peers; a validator follows before it votes, since its votes and its new database do not belong together. Returns where to, undefined when there was nothing.
 */
export async function takeStoreAway(dataDir: string, chainId: string, votesLost: boolean, stamp: string): Promise<string | undefined> {
  await assertStopped(dataDir, chainId)
  const [store, joining, votes] = [storeFolder(dataDir), joiningFolder(dataDir), votesFolder(dataDir)]
  const moved = [store, `${store}.json`, joining, `${joining}.json`, join(dataDir, 'store-joined'), ...(votesLost ? [votes] : [])].filter((path) => existsSync(path))
  if (moved.length === 0) return undefined
  const target = join(dataDir, `old-${stamp}`)
  mkdirSync(target, { recursive: true, mode: 0o700 })
  // the marker of the database last: interrupted, the next start refuses instead of mixing
  for (const path of moved.sort((a, b) => a.length - b.length || (a < b ? -1 : 1))) renameSync(path, join(target, path.slice(dataDir.length + 1)))
  syncFolder(target)
  syncFolder(dataDir)
  return target
}

/** The database with its marker. Never the vote log: put back later, it would let a validator contradict itself. */
export async function copyStore(dataDir: string, chainId: string, target: string): Promise<void> {
  await assertStopped(dataDir, chainId)
  const store = storeFolder(dataDir)
  if (!existsSync(store)) throw new DongbaekError('backup/empty', `${dataDir} holds no database: there is nothing to copy yet`, { dataDir })
  cpSync(store, join(target, 'store'), { recursive: true })
  cpSync(`${store}.json`, join(target, 'store.json'))
}

/** Into a data folder that has neither a database nor votes. */
export function putStore(source: string, dataDir: string): void {
  const [store, votes] = [storeFolder(dataDir), votesFolder(dataDir)]
  const taken = existsSync(store) ? store : hasVoteLog(votes) ? votes : undefined
  if (taken !== undefined) throw new DongbaekError('restore/not-empty', `${taken} is there: a copy is never put over what a node has. Move the data folder away first`, { path: taken })
  if (!existsSync(join(source, 'store.json'))) throw new DongbaekError('restore/no-backup', `${source} holds no copy of a database`, { source })
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  cpSync(join(source, 'store'), storeFolder(dataDir), { recursive: true })
  cpSync(join(source, 'store.json'), `${storeFolder(dataDir)}.json`)
  syncFolder(dataDir)
}
