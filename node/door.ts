// The door for clients: what would only be refused for who signed it is not ordered at all, or anybody with a key of his own making could fill blocks. A transaction
// that comes right after the registration of its sender may be ahead of this node's state, so it is looked at again with every block for a moment.
// What validators send each other does not pass here: they may be a block apart, and a lying one can order what it likes anyway.
import type { Height, TimeMs } from '../primitives/brand.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Refusal } from '../state/family.ts'
import { refusalBeforeOrdering, type State } from '../state/execute.ts'
import type { ReadyTransaction } from '../state/families.ts'
import { createValueCache } from '../state/view.ts'
import { createLimiter } from '../rpc/limiter.ts'
import type { ChainStore } from './chain-store.ts'
import { doorEntriesMax, doorWaitingMax, doorWaitMs, senderBurstSeconds } from './limits.ts'
import type { Clock } from './world.ts'

export interface Door {
  /** Resolves when the transaction may be ordered. Rejects with the code of the rule that would refuse it, or `mempool/sender-rate`. */
  readonly pass: (ready: ReadyTransaction) => Promise<void>
  /** The state has moved on. */
  readonly blockStored: () => void
}

export interface DoorContext {
  readonly chainId: string
  readonly store: Pick<ChainStore, 'head'>
  readonly state: State
  readonly clock: Clock
  /** Caught up, and in touch with a quorum. Who is not knows too little to refuse anything. */
  readonly isReady: () => boolean
  /** Transactions that this node takes in from its clients a second for one sender; 0: any number. */
  readonly senderPerSecond: number
}

export function createDoor({ chainId, store, state, clock, isReady, senderPerSecond }: DoorContext): Door {
  // counted once the signatures hold and no rule refuses it: nobody can use up another's
  const senders = createLimiter(senderPerSecond, senderBurstSeconds * senderPerSecond, () => clock.monotonic())
  const waiting = new Set<() => void>()

  const look = (ready: ReadyTransaction): Refusal | undefined => {
    const { height, timeMs } = store.head()
    const block = { chain: chainId, height: (height + 1) as Height, timeMs: Math.max(clock.now(), timeMs + 1) as TimeMs }
    // a cache of its own: the executor's may be ahead of the store
    return refusalBeforeOrdering({ ...state, cache: createValueCache(doorEntriesMax) }, block, ready)
  }

  const nextBlock = (untilMs: number): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        cancel()
        waiting.delete(done)
        resolve()
      }
      const cancel = clock.after(untilMs - clock.monotonic(), done)
      waiting.add(done)
    })

  return {
    pass: async (ready) => {
      const untilMs = clock.monotonic() + doorWaitMs
      for (;;) {
        const refusal = look(ready)
        if (refusal === undefined || !isReady()) {
          const { sender } = ready.transaction
          const waitMs = senders.take(sender, 1)
          if (waitMs > 0) throw new DongbaekError('mempool/sender-rate', `${sender} sends more than ${senderPerSecond} transactions a second: send the same bytes again in ${waitMs} ms`, { sender, retryAfterMs: waitMs })
          return
        }
        if (clock.monotonic() >= untilMs || waiting.size >= doorWaitingMax) {
          throw new DongbaekError(refusal.code, `the transaction would be refused, so it is not ordered: ${refusal.code}. If what it needs has just been sent, wait for that receipt first`, refusal.data)
        }
        await nextBlock(untilMs)
      }
    },
    blockStored: () => {
      for (const done of [...waiting]) done()
    },
  }
}
