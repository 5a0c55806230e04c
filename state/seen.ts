// Ids run once: the ids of the recent past, forgotten when their transactions could no longer run anyway.
// Derived from the blocks alone (those within the validity window), so it needs no place in the state tree.
import type { Height, TimeMs, TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { longestValidityMs, parametersAt } from './governance/parameters.ts'
import type { ReadView } from './view.ts'

export interface SeenIds {
  readonly has: (id: TransactionId) => boolean
  readonly add: (id: TransactionId, validUntilMs: TimeMs) => void
  /** Forgets ids whose transactions expire before `nowMs`. */
  readonly forget: (nowMs: TimeMs) => void
}

const bucketMs = 10_000

export function createSeenIds(): SeenIds {
  const buckets = new Map<number, Set<string>>()
  const all = new Set<string>()
  return {
    has: (id) => all.has(toBase64url(id)),
    add: (id, validUntilMs) => {
      const key = toBase64url(id)
      const bucket = Math.floor(validUntilMs / bucketMs)
      let ids = buckets.get(bucket)
      if (ids === undefined) buckets.set(bucket, (ids = new Set()))
      ids.add(key)
      all.add(key)
    },
    forget: (nowMs) => {
      for (const [bucket, ids] of buckets) {
        if ((bucket + 1) * bucketMs > nowMs) continue
        for (const key of ids) all.delete(key)
        buckets.delete(bucket)
      }
    },
  }
}

export interface RanBlock {
  readonly height: Height
  readonly timeMs: TimeMs
  readonly transactions: Iterable<{ readonly id: TransactionId; readonly validUntilMs: TimeMs }>
}

/**
 * Remembers what a node that executed these blocks would: the ids of the chain up to the head, read newest first and only as far back as any
 * of them could run again. The window is that of each block's own time, not of now: governance may have made it smaller since.
 */
export function recallIds(seen: SeenIds, view: ReadView, headTimeMs: TimeMs, newestFirst: Iterable<RanBlock>): void {
  const oldestMs = headTimeMs - longestValidityMs(view)
  for (const { height, timeMs, transactions } of newestFirst) {
    if (timeMs < oldestMs) return
    const parameters = parametersAt(view, (height - 1) as Height)
    if (parameters === undefined) throw new DongbaekError('state/damaged', `the stored state does not remember the parameters of height ${height - 1}: rebuild it with \`dongbaek resync\``)
    for (const { id, validUntilMs } of transactions) {
      if (validUntilMs >= headTimeMs && validUntilMs <= timeMs + parameters.transactionValidityMsMax) seen.add(id, validUntilMs)
    }
  }
}
