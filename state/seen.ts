// Ids run once: the ids of the recent past, forgotten when their transactions could no longer run anyway.
// Derived from the blocks alone (those within the validity window), so it needs no place in the state tree.
import type { Height, TimeMs } from '../primitives/brand.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { longestValidityMs, parametersAt } from './governance/parameters.ts'
import { createIdSet, type IdSet } from './id-set.ts'
import type { Transaction } from './transaction.ts'
import type { ReadView } from './view.ts'

/** An id binds the transaction, its time included. */
export type Seen = Pick<Transaction, 'id' | 'validUntilMs'>

export interface SeenIds {
  readonly has: (transaction: Seen) => boolean
  readonly add: (transaction: Seen) => void
  /** Forgets ids whose transactions expire before `nowMs`. */
  readonly forget: (nowMs: TimeMs) => void
}

const bucketMs = 10_000

/** For whoever need not fear ids that were made for it. */
const goldenRatio = 0x9e37_79b1

/**
 * By when they expire: what is forgotten goes as a whole, and no set grows so large that making room for more is felt (one of a million takes some 70 ms at once).
 * `multiplier`: see createIdSet.
 */
export function createSeenIds(multiplier = goldenRatio): SeenIds {
  const buckets = new Map<number, IdSet>()
  const bucketOf = ({ validUntilMs }: Seen): number => Math.floor(validUntilMs / bucketMs)
  return {
    has: (transaction) => buckets.get(bucketOf(transaction))?.has(transaction.id) === true,
    add: (transaction) => {
      const bucket = bucketOf(transaction)
      let ids = buckets.get(bucket)
      if (ids === undefined) buckets.set(bucket, (ids = createIdSet(multiplier)))
      ids.add(transaction.id)
    },
    forget: (nowMs) => {
      for (const bucket of buckets.keys()) if ((bucket + 1) * bucketMs <= nowMs) buckets.delete(bucket)
    },
  }
}

export interface RanBlock {
  readonly height: Height
  readonly timeMs: TimeMs
  readonly transactions: Iterable<Seen>
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
    for (const transaction of transactions) {
      const { validUntilMs } = transaction
      if (validUntilMs >= headTimeMs && validUntilMs <= timeMs + parameters.transactionValidityMsMax) seen.add(transaction)
    }
  }
}
