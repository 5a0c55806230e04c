// Answers to other nodes' questions (exchange.ts): envelopes, payloads of blocks, and final blocks in a row, each within the bounds of an answer.
import type { Hash, Height } from '../primitives/brand.ts'
import { answerFetch } from './availability.ts'
import type { ChainStore } from './chain-store.ts'
import { answerContentBytesMax, decodeFetchQuestion, decodeSyncQuestion, encodeFetchAnswer, encodeSyncAnswer, type SyncBlock } from './exchange.ts'
import type { Mempool } from './mempool.ts'
import type { Payloads } from './payloads.ts'
import type { RequestHandler } from './world.ts'

export interface ServingContext {
  readonly store: ChainStore
  readonly mempool: Mempool
  readonly payloads: Payloads
  /** The highest height at which a block has been accepted here. */
  readonly top: () => Height
}

export interface Serving {
  readonly fetch: RequestHandler
  readonly sync: RequestHandler
}

export function createServing({ store, mempool, payloads, top }: ServingContext): Serving {
  const byReference = (reference: Hash): Uint8Array | undefined => (mempool.byReference(reference) ?? payloads.byReference(reference))?.transaction.bytes
  const byBlock = (block: Hash): { readonly references: readonly Hash[]; readonly envelopes: readonly Uint8Array[] } | undefined => {
    const open = payloads.get(block)
    if (open !== undefined) return { references: open.references, envelopes: open.transactions.map(({ transaction }) => transaction.bytes) }
    const height = store.heightOf(block)
    const row = height === undefined ? undefined : store.block(height)
    const envelopes = height === undefined ? undefined : store.payload(height)
    return row === undefined || envelopes === undefined ? undefined : { references: row.references, envelopes }
  }
  return {
    fetch: async (_peer, question) => encodeFetchAnswer(answerFetch(decodeFetchQuestion(question), byReference, byBlock, answerContentBytesMax)),
    sync: async (_peer, question) => {
      const { from, count } = decodeSyncQuestion(question)
      const head = store.head().height
      const blocks: SyncBlock[] = []
      let room = answerContentBytesMax
      for (let height = Math.max(1, from) as Height; height <= head && blocks.length < count; height = (height + 1) as Height) {
        const row = store.block(height)
        const envelopes = store.payload(height)
        if (row === undefined || envelopes === undefined) break
        room -= envelopes.reduce((sum, envelope) => sum + envelope.length + 48, 4_096)
        if (room < 0 && blocks.length > 0) break
        blocks.push({ decision: { header: row.header, certificate: row.certificate }, references: row.references, envelopes })
      }
      const checkpoint = await store.checkpointAtOrBelow(head)
      return encodeSyncAnswer({ blocks, head, top: top(), ...(checkpoint === undefined ? {} : { checkpoint }) })
    },
  }
}
