// The database that a snapshot is put into, beside the one in use, and how it takes its place: at the next start, so that nothing has it open. A marker file says that it is whole;
// every step can be repeated, so a crash on the way costs nothing.
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { utf8 } from '../primitives/bytes.ts'
import { syncFolder, writeFileAtomically } from './files.ts'

export function storeFolder(dataDir: string): string {
  return join(dataDir, 'store')
}

export function joiningFolder(dataDir: string): string {
  return join(dataDir, 'store-joining')
}

function wholeFile(dataDir: string): string {
  return join(dataDir, 'store-joined')
}

/** After the joining database is synced and closed. */
export function markJoined(dataDir: string): void {
  writeFileAtomically(wholeFile(dataDir), utf8('the database in store-joining is whole and takes the place of store at the next start\n'), 0o600)
}

/** Before the database is opened. True when another took its place. */
export function adoptJoinedStore(dataDir: string): boolean {
  if (!existsSync(wholeFile(dataDir))) return false
  const [store, joining] = [storeFolder(dataDir), joiningFolder(dataDir)]
  if (existsSync(joining)) {
    rmSync(store, { recursive: true, force: true })
    renameSync(joining, store)
  }
  if (existsSync(`${joining}.json`)) renameSync(`${joining}.json`, `${store}.json`)
  syncFolder(dataDir)
  rmSync(wholeFile(dataDir))
  return true
}
