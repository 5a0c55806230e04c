// Following: page after page from a node of the list into the index; where one fails, hangs behind or is of another chain, the next takes over at the same place.
import { DongbaekError } from '../../primitives/errors.ts'
import { createClient, type Client } from '../client/index.ts'
import { askTimeoutMs, idleMs, pageEvents, pollMs, retryMs, retryMsMax } from './limits.ts'
import type { Database } from './sql.ts'
import { assertSameChain, readBeginning, readPage } from './source.ts'
import { applyChanges, createIndex, type Progress, readProgress } from './tables.ts'

export interface IndexerLog {
  readonly info: (event: string, data?: Readonly<Record<string, unknown>>) => void
  readonly warn: (event: string, data?: Readonly<Record<string, unknown>>) => void
  readonly error: (event: string, data?: Readonly<Record<string, unknown>>) => void
}

export interface Following {
  /** Undefined until a node has told where the chain begins. */
  readonly progress: () => Progress | undefined
  /** The node that is followed at present, and whether the index has all that it has. */
  readonly node: () => string | undefined
  readonly caughtUp: () => boolean
  /** What keeps it from going on, in words. */
  readonly problem: () => string | undefined
}

interface Source {
  readonly url: string
  readonly client: Client
}

/** No other node answers these otherwise: the index itself is the matter. */
const ownFaults: ReadonlySet<string> = new Set(['indexer/database', 'indexer/other-writer', 'indexer/version'])

export interface FollowOptions {
  readonly database: Database
  /** The tables are still to be made. */
  readonly isNew: boolean
  readonly urls: readonly string[]
  readonly log: IndexerLog
  readonly signal: AbortSignal
  /** For tests; limits.ts has the real ones. */
  readonly idleMs?: number
  readonly pageEvents?: number
}

/**
 * `ended` resolves when the signal aborts, after the page under way; it rejects with what no other node can help: `indexer/database`, `indexer/other-writer`,
 * `indexer/version`, and `indexer/other-chain` when all nodes are of another.
 */
export function follow({ database, isNew, urls, log, signal, idleMs: idle = idleMs, pageEvents: limit = pageEvents }: FollowOptions): Following & { readonly ended: Promise<void> } {
  const sources: readonly Source[] = urls.map((url) => ({ url, client: createClient({ url, rounds: 1, timeoutMs: askTimeoutMs }) }))
  let progress: Progress | undefined
  let node: string | undefined
  let caughtUp = false
  let problem: string | undefined

  const begin = async ({ client }: Source): Promise<Progress> => {
    if (!isNew) return readProgress(database)
    return createIndex(database, await readBeginning(client))
  }

  /** Until the signal, an error, or nothing new for a while where another node could be asked. */
  const followOne = async (source: Source): Promise<void> => {
    progress ??= await begin(source)
    await assertSameChain(source.client, progress)
    node = source.url
    log.info('indexer-follows', { node, cursor: progress.cursor, height: progress.height })
    for (let newAtMs = performance.now(); !signal.aborted; ) {
      const page = await readPage(source.client, progress, limit)
      problem = undefined
      if (page !== undefined) {
        await applyChanges(database, progress, page.changes, page.to)
        progress = page.to
        newAtMs = performance.now()
        continue
      }
      caughtUp = true
      if (sources.length > 1 && performance.now() - newAtMs > idle) return
      await pause(pollMs, signal)
    }
  }

  const run = async (): Promise<void> => {
    if (!isNew) progress = await readProgress(database)
    let strangers = 0
    for (let turn = 0, waitMs = retryMs; !signal.aborted; turn++) {
      const source = sources[turn % sources.length] as Source
      const before = progress?.cursor
      try {
        await followOne(source)
        strangers = 0
      } catch (error) {
        if (!(error instanceof DongbaekError) || ownFaults.has(error.code)) throw error
        strangers = error.code === 'indexer/other-chain' ? strangers + 1 : 0
        if (strangers === sources.length) throw error
        caughtUp = false
        problem = `${source.url}: ${error.message}`
        log.warn('indexer-node-lost', { node: source.url, code: error.code, error: error.message })
      }
      if (progress?.cursor !== before) waitMs = retryMs
      else if ((turn + 1) % sources.length === 0 && problem !== undefined) {
        await pause(waitMs, signal)
        waitMs = Math.min(2 * waitMs, retryMsMax)
      }
    }
  }

  return { progress: () => progress, node: () => node, caughtUp: () => caughtUp, problem: () => problem, ended: run() }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
