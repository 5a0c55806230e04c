// The map indexer as a whole: a database, the nodes it follows, and the map that it serves meanwhile.
import type { DongbaekError } from '../../primitives/errors.ts'
import { follow, type Following, type IndexerLog } from './follow.ts'
import { createMapServer } from './server.ts'
import type { Database } from './sql.ts'
import { openSqlite, removeSqlite } from './sqlite.ts'

export interface IndexerOptions {
  /** Base addresses of nodes of one chain, in order of preference; archive nodes, as the index begins at the genesis. */
  readonly urls: readonly string[]
  /** A file, made if it is not there; or `postgres://user@host/database`. */
  readonly database: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Throws the index away first. */
  readonly rebuild: boolean
  readonly log: IndexerLog
  /** For tests. */
  readonly idleMs?: number
}

export interface Indexer extends Following {
  readonly url: string
  /** Resolves at `stop`; rejects with what ends the following: see `follow`. */
  readonly ended: Promise<void>
  readonly stop: () => Promise<void>
}

async function openDatabase(target: string, rebuild: boolean): Promise<{ readonly database: Database; readonly isNew: boolean }> {
  if (/^postgres(?:ql)?:\/\//.test(target)) {
    // loaded here: most run without it
    const { openPostgres } = await import('./postgres.ts')
    return openPostgres(target, rebuild)
  }
  if (rebuild) removeSqlite(target)
  return openSqlite(target)
}

/** Throws `indexer/not-an-index`, `indexer/database`, `indexer/listen`. */
export async function startIndexer({ urls, database: target, host, port, rebuild, log, idleMs }: IndexerOptions): Promise<Indexer> {
  const { database, isNew } = await openDatabase(target, rebuild)
  const stopping = new AbortController()
  const following = follow({ database, isNew, urls, log, signal: stopping.signal, ...(idleMs === undefined ? {} : { idleMs }) })
  const server = createMapServer(database, following, log)
  // whoever waits for `ended` hears of it; until then it is no rejection that nobody handles
  following.ended.catch((error: DongbaekError) => log.error('indexer-ended', { error: error.message }))
  const stopNow = async (): Promise<void> => {
    stopping.abort()
    await server.stop()
    await following.ended.catch(() => undefined)
    await database.close()
  }
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => (stopped ??= stopNow())
  try {
    return { ...following, url: await server.start(host, port), stop }
  } catch (error) {
    await stop()
    throw error
  }
}
