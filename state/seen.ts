// Ids run once: the ids of the recent past, forgotten when their transactions could no longer run anyway.
// Derived from the blocks alone (those within the validity window), so it needs no place in the state tree.
import type { TimeMs, TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'

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
