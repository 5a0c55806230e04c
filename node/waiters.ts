// Those who wait for a receipt: told when its block is stored, or let go when their time is up.
import type { TransactionId } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Receipt } from '../state/receipt.ts'
import { waitersMax } from './limits.ts'
import type { Clock } from './world.ts'

export interface Waiters {
  /** Undefined when `timeoutMs` has passed or `signal` is raised. Rejects with `node/busy`. */
  readonly wait: (id: TransactionId, timeoutMs: number, signal: AbortSignal) => Promise<Receipt | undefined>
  readonly tell: (receipt: Receipt) => void
  readonly letGo: () => void
}

export function createWaiters(clock: Clock): Waiters {
  const waiting = new Map<string, Set<(receipt: Receipt | undefined) => void>>()
  let count = 0
  return {
    wait: (id, timeoutMs, signal) =>
      new Promise((resolve, reject) => {
        if (count >= waitersMax) {
          reject(new DongbaekError('node/busy', `${count} calls wait for receipts here, as many as this node lets wait: ask for the receipt again in some seconds`))
          return
        }
        count++
        const key = toBase64url(id)
        const listeners = waiting.get(key) ?? new Set()
        waiting.set(key, listeners)
        const done = (receipt: Receipt | undefined): void => {
          if (!listeners.has(done)) return
          count--
          cancel()
          signal.removeEventListener('abort', abort)
          listeners.delete(done)
          if (listeners.size === 0) waiting.delete(key)
          resolve(receipt)
        }
        const abort = (): void => done(undefined)
        const cancel = clock.after(timeoutMs, abort)
        listeners.add(done)
        signal.addEventListener('abort', abort)
        if (signal.aborted) abort()
      }),
    tell: (receipt) => {
      if (count === 0) return
      for (const done of [...(waiting.get(toBase64url(receipt.id)) ?? [])]) done(receipt)
    },
    letGo: () => {
      for (const listeners of [...waiting.values()]) for (const done of [...listeners]) done(undefined)
    },
  }
}
