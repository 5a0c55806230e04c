// Housekeeping: what nobody's message brings about. Transactions that were passed over are sent again, those too late are dropped, and a primary that lets
// one wait while it makes blocks is suspected.
import type { TimeMs } from '../primitives/brand.ts'
import { houseKeepingMs, resendAfterMs, resendTransactionsMax } from './limits.ts'
import type { Mempool } from './mempool.ts'
import type { Clock, Log } from './world.ts'

export interface House {
  /** After each stored block. `hasRoom`: another transaction would have fitted; `latestArrivalMs`: when the latest came here of those that it orders. */
  readonly blockStored: (hasRoom: boolean, latestArrivalMs: number) => void
  readonly stop: () => void
}

export interface HouseContext {
  readonly clock: Clock
  readonly log: Log
  readonly mempool: Pick<Mempool, 'expire' | 'waitingSince' | 'oldest'>
  readonly inclusionTimeoutMs: number
  /** Whether a block that is not executed yet orders this id. */
  readonly isOrdered: (id: string) => boolean
  readonly view: () => number
  readonly spread: (envelope: Uint8Array) => void
  readonly tellWork: () => void
  readonly suspect: (reason: string) => void
}

export function createHouse(context: HouseContext): House {
  const { clock, log, mempool, inclusionTimeoutMs } = context
  // what had come by then could have been in a block: it had room when it was stored here, or orders what came here as late as that
  let openMs = Number.NEGATIVE_INFINITY
  // a line that is long is no line that is lost: blocks that still order what came before a transaction will come to it
  let orderedMs = Number.NEGATIVE_INFINITY
  let storedMs = clock.monotonic()
  let resentMs = clock.monotonic()
  let view = context.view()
  // each primary has the whole time, and so has one that was suspected in vain: the others may know better
  let patienceFromMs = clock.monotonic()
  let cancel: () => void

  const lookForLeftOut = (nowMs: number): void => {
    if (context.view() !== view) {
      view = context.view()
      patienceFromMs = nowMs
    }
    const oldest = mempool.oldest(context.isOrdered)
    if (oldest === undefined) return
    const sinceMs = Math.max(oldest.arrivedMs, patienceFromMs)
    if (nowMs - sinceMs <= inclusionTimeoutMs || openMs <= sinceMs + inclusionTimeoutMs / 2) return
    log.warn('transaction-left-out', { waitedMs: Math.round(nowMs - oldest.arrivedMs) })
    patienceFromMs = nowMs
    context.suspect('a transaction held for longer than the inclusion timeout was left out of blocks that had room, or that order what came later')
  }

  const look = (): void => {
    cancel = clock.after(houseKeepingMs, look)
    const nowMs = clock.monotonic()
    const dropped = mempool.expire(clock.now() as TimeMs)
    if (dropped > 0) log.info('transactions-expired', { dropped })
    if (nowMs - resentMs >= resendAfterMs) {
      resentMs = nowMs
      const passedMs = nowMs - storedMs >= resendAfterMs ? nowMs : orderedMs
      for (const { transaction } of mempool.waitingSince(passedMs - resendAfterMs, resendTransactionsMax)) context.spread(transaction.bytes)
    }
    lookForLeftOut(nowMs)
    context.tellWork()
  }
  cancel = clock.after(houseKeepingMs, look)
  return {
    blockStored: (hasRoom, latestArrivalMs) => {
      openMs = Math.max(openMs, hasRoom ? clock.monotonic() : latestArrivalMs)
      orderedMs = Math.max(orderedMs, latestArrivalMs)
      storedMs = clock.monotonic()
    },
    stop: () => cancel(),
  }
}
