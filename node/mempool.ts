// The mempool: checked transactions that wait for a block, in order of arrival (a place in line is the place in the chain, so the proposer keeps this order).
// Bounded in number, bytes and per key that signs for the sender (who names a sender need not be it, until the chain has looked); everything in it expires.
import type { TimeMs, TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { ReadyTransaction } from '../state/families.ts'
import type { TransactionSignature } from '../state/transaction.ts'
import { mempoolBytesMax, mempoolPerSenderMax, mempoolTransactionsMax } from './limits.ts'

export interface Pending {
  readonly ready: ReadyTransaction
  /** Monotonic milliseconds at which this node took it. */
  readonly arrivedMs: number
}

export interface Mempool {
  /** False when its id is there already. Throws `mempool/full` or `mempool/sender-limit`. */
  readonly add: (ready: ReadyTransaction, nowMs: number) => boolean
  readonly hasId: (id: TransactionId) => boolean
  /** By its reference, in base64url. */
  readonly byReference: (key: string) => ReadyTransaction | undefined
  /** In order of arrival, those that `skip` does not name, within the bounds of a block. */
  readonly take: (transactionsMax: number, bytesMax: number, skip: (id: string, ready: ReadyTransaction) => boolean) => readonly ReadyTransaction[]
  /** The latest arrival of these, by id in base64url, which a block orders. What is not here has come with the block, at `nowMs`, unless so much waits here that it may have found no room. */
  readonly latestArrivalMs: (ids: Iterable<string>, nowMs: number) => number
  /** Those that ran, by id in base64url. */
  readonly remove: (ids: Iterable<string>) => void
  /** Drops what can no longer run at this block time. */
  readonly expire: (blockTimeMs: TimeMs) => number
  /** The longest waiting that `skip` does not name, if any. */
  readonly oldest: (skip: (id: string) => boolean) => Pending | undefined
  /** Those that arrived before `beforeMs` and not yet `count` of them; for sending again. */
  readonly waitingSince: (beforeMs: number, count: number) => readonly ReadyTransaction[]
  readonly size: () => { readonly transactions: number; readonly bytes: number }
}

interface Entry extends Pending {
  // its reference and the key that signs for the sender, in base64url
  readonly reference: string
  readonly signer: string
}

export function createMempool(): Mempool {
  // insertion order is arrival order
  const pending = new Map<string, Entry>()
  const references = new Map<string, ReadyTransaction>()
  // by the signing key: counted by DID, anyone could fill the share of someone else by signing in that name with a key of his own
  const perKey = new Map<string, number>()
  let bytes = 0

  const drop = (key: string): void => {
    const entry = pending.get(key)
    if (entry === undefined) return
    const { ready, reference, signer } = entry
    pending.delete(key)
    references.delete(reference)
    bytes -= ready.transaction.bytes.length
    const left = (perKey.get(signer) ?? 1) - 1
    if (left === 0) perKey.delete(signer)
    else perKey.set(signer, left)
  }

  return {
    add: (ready, nowMs) => {
      const { transaction } = ready
      const key = toBase64url(transaction.id)
      if (pending.has(key)) return false
      if (pending.size >= mempoolTransactionsMax || bytes + transaction.bytes.length > mempoolBytesMax) {
        throw new DongbaekError('mempool/full', `this node holds ${pending.size} waiting transactions, as many as it takes: send it again in some seconds, or to another node`, { transactions: pending.size, bytes })
      }
      const signer = toBase64url((transaction.signatures[0] as TransactionSignature).key)
      const ofSender = perKey.get(signer) ?? 0
      if (ofSender >= mempoolPerSenderMax) {
        throw new DongbaekError('mempool/sender-limit', `${transaction.sender} has ${ofSender} waiting transactions, as many as one sender may: wait for their receipts`, { sender: transaction.sender, waiting: ofSender })
      }
      const reference = toBase64url(transaction.reference)
      pending.set(key, { ready, arrivedMs: nowMs, reference, signer })
      references.set(reference, ready)
      perKey.set(signer, ofSender + 1)
      bytes += transaction.bytes.length
      return true
    },
    hasId: (id) => pending.has(toBase64url(id)),
    byReference: (key) => references.get(key),
    take: (transactionsMax, bytesMax, skip) => {
      const taken: ReadyTransaction[] = []
      let room = bytesMax
      for (const [key, { ready }] of pending) {
        if (taken.length >= transactionsMax) break
        if (skip(key, ready)) continue
        if (ready.transaction.bytes.length > room) break
        room -= ready.transaction.bytes.length
        taken.push(ready)
      }
      return taken
    },
    latestArrivalMs: (ids, nowMs) => {
      const isCrowded = 2 * pending.size > mempoolTransactionsMax || 2 * bytes > mempoolBytesMax
      const missingMs = isCrowded ? Number.NEGATIVE_INFINITY : nowMs
      let latestMs = Number.NEGATIVE_INFINITY
      for (const id of ids) latestMs = Math.max(latestMs, pending.get(id)?.arrivedMs ?? missingMs)
      return latestMs
    },
    remove: (ids) => {
      for (const id of ids) drop(id)
    },
    expire: (blockTimeMs) => {
      let dropped = 0
      for (const [key, { ready }] of pending) {
        if (ready.transaction.validUntilMs >= blockTimeMs) continue
        drop(key)
        dropped++
      }
      return dropped
    },
    oldest: (skip) => {
      for (const [key, entry] of pending) if (!skip(key)) return entry
      return undefined
    },
    waitingSince: (beforeMs, count) => {
      const waiting: ReadyTransaction[] = []
      for (const { ready, arrivedMs } of pending.values()) {
        if (arrivedMs > beforeMs || waiting.length >= count) break
        waiting.push(ready)
      }
      return waiting
    },
    size: () => ({ transactions: pending.size, bytes }),
  }
}
