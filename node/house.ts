// Housekeeping: what nobody's message brings about. Transactions that wait are sent again, those too late are dropped, and a primary that lets
// one wait while it makes blocks is suspected.
import type { TimeMs } from '../primitives/brand.ts'
import { houseKeepingMs, resendAfterMs, resendTransactionsMax } from './limits.ts'
import type { Mempool } from './mempool.ts'
import type { Clock, Log } from './world.ts'

export interface House {
  /** After each stored block. `full`: it had no room for more. */
  readonly blockStored: (full: boolean) => void
  readonly stop: () => void
}

export interface HouseContext {
  readonly clock: Clock
  readonly log: Log
  readonly mempool: Mempool
  readonly inclusionTimeoutMs: number
  readonly spread: (envelope: Uint8Array) => void
  readonly tellWork: () => void
  readonly suspect: (reason: string) => void
}

export function createHouse(context: HouseContext): House {
  const { clock, log, mempool, inclusionTimeoutMs } = context
  // blocks with room for more, by the time they were stored here
  let roomyBlocksMs: number[] = []
  let resentMs = clock.monotonic()
  let cancel: () => void

  const look = (): void => {
    cancel = clock.after(houseKeepingMs, look)
    const nowMs = clock.monotonic()
    const dropped = mempool.expire(clock.now() as TimeMs)
    if (dropped > 0) log.info('transactions-expired', { dropped })
    if (nowMs - resentMs >= resendAfterMs) {
      resentMs = nowMs
      for (const { transaction } of mempool.waitingSince(nowMs - resendAfterMs, resendTransactionsMax)) context.spread(transaction.bytes)
    }
    const oldest = mempool.oldest()
    roomyBlocksMs = roomyBlocksMs.filter((storedMs) => storedMs > nowMs - 2 * inclusionTimeoutMs)
    if (oldest !== undefined && oldest.arrivedMs < nowMs - inclusionTimeoutMs && roomyBlocksMs.some((storedMs) => storedMs > oldest.arrivedMs + inclusionTimeoutMs / 2)) {
      log.warn('transaction-left-out', { waitedMs: Math.round(nowMs - oldest.arrivedMs) })
      roomyBlocksMs = []
      context.suspect('a transaction held for longer than the inclusion timeout was left out of blocks that had room')
    }
    context.tellWork()
  }
  cancel = clock.after(houseKeepingMs, look)
  return {
    blockStored: (full) => {
      if (!full) roomyBlocksMs.push(clock.monotonic())
    },
    stop: () => cancel(),
  }
}
