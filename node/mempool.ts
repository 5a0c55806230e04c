// The mempool: checked transactions that wait for a block, in order of arrival (a place in line is the place in the chain, so the proposer keeps this order).
// Bounded in number, bytes and per sender; everything in it expires.
import type { Did, Hash, TimeMs, TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { ReadyTransaction } from '../state/families.ts'
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
  readonly byReference: (reference: Hash) => ReadyTransaction | undefined
  /** In order of arrival, those that `skip` does not name, within the bounds of a block. */
  readonly take: (transactionsMax: number, bytesMax: number, skip: (id: string) => boolean) => readonly ReadyTransaction[]
  /** Those that ran, by id. */
  readonly remove: (ids: readonly TransactionId[]) => void
  /** Drops what can no longer run at this block time. */
  readonly expire: (blockTimeMs: TimeMs) => number
  /** The longest waiting, if any. */
  readonly oldest: () => Pending | undefined
  /** Those that arrived before `beforeMs` and not yet `count` of them; for sending again. */
  readonly waitingSince: (beforeMs: number, count: number) => readonly ReadyTransaction[]
  readonly size: () => { readonly transactions: number; readonly bytes: number }
}

export function createMempool(): Mempool {
  // insertion order is arrival order
  const pending = new Map<string, Pending>()
  const references = new Map<string, ReadyTransaction>()
  const perSender = new Map<Did, number>()
  let bytes = 0

  const drop = (key: string): void => {
    const entry = pending.get(key)
    if (entry === undefined) return
    const { transaction } = entry.ready
    pending.delete(key)
    references.delete(toBase64url(transaction.reference))
    bytes -= transaction.bytes.length
    const left = (perSender.get(transaction.sender) ?? 1) - 1
    if (left === 0) perSender.delete(transaction.sender)
    else perSender.set(transaction.sender, left)
  }

  return {
    add: (ready, nowMs) => {
      const { transaction } = ready
      const key = toBase64url(transaction.id)
      if (pending.has(key)) return false
      if (pending.size >= mempoolTransactionsMax || bytes + transaction.bytes.length > mempoolBytesMax) {
        throw new DongbaekError('mempool/full', `this node holds ${pending.size} waiting transactions, as many as it takes: send it again in some seconds, or to another node`, { transactions: pending.size, bytes })
      }
      const ofSender = perSender.get(transaction.sender) ?? 0
      if (ofSender >= mempoolPerSenderMax) {
        throw new DongbaekError('mempool/sender-limit', `${transaction.sender} has ${ofSender} waiting transactions, as many as one sender may: wait for their receipts`, { sender: transaction.sender, waiting: ofSender })
      }
      pending.set(key, { ready, arrivedMs: nowMs })
      references.set(toBase64url(transaction.reference), ready)
      perSender.set(transaction.sender, ofSender + 1)
      bytes += transaction.bytes.length
      return true
    },
    hasId: (id) => pending.has(toBase64url(id)),
    byReference: (reference) => references.get(toBase64url(reference)),
    take: (transactionsMax, bytesMax, skip) => {
      const taken: ReadyTransaction[] = []
      let room = bytesMax
      for (const [key, { ready }] of pending) {
        if (taken.length >= transactionsMax) break
        if (skip(key)) continue
        if (ready.transaction.bytes.length > room) break
        room -= ready.transaction.bytes.length
        taken.push(ready)
      }
      return taken
    },
    remove: (ids) => {
      for (const id of ids) drop(toBase64url(id))
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
    oldest: () => pending.values().next().value,
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
