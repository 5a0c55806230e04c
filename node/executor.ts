// The executor: runs final blocks in order, a few transactions at a time so that votes pass in between, and stores each with one batch. It waits for nothing
// but the payload and the store.
import { blockHash } from '../consensus/block.ts'
import type { Decision } from '../consensus/certificate.ts'
import type { Hash, Height, TimeMs } from '../primitives/brand.ts'
import { assert } from '../primitives/errors.ts'
import { type ExecutableBlock, type Executed, executeInSteps, type State } from '../state/execute.ts'
import type { ChainStore } from './chain-store.ts'
import { executeStepTransactions } from './limits.ts'
import type { Payload } from './payloads.ts'
import type { Clock, StoreOp } from './world.ts'

export interface ExecutedBlock {
  readonly height: Height
  readonly hash: Hash
  readonly payload: Payload
  readonly executed: Executed
}

export interface Executor {
  /** Takes the next final block. */
  readonly deliver: (decision: Decision) => void
  /** Runs nothing more; resolves when the block under way is stored. */
  readonly stop: () => Promise<void>
}

export interface ExecutorContext {
  readonly chainId: string
  readonly state: State
  readonly store: ChainStore
  readonly clock: Pick<Clock, 'soon'>
  /** The payload of a final block; fetched from peers for as long as it takes. Rejects only when the node stops. */
  readonly obtain: (decision: Decision) => Promise<Payload>
  /** What is stored in one batch with a block. */
  readonly opsOf: (executed: Executed, height: Height, timeMs: TimeMs) => readonly StoreOp[]
  /** After the block is stored. */
  readonly onExecuted: (block: ExecutedBlock) => void
  /** The disk failed, or our own code: the node must stop. */
  readonly onFatal: (error: unknown) => void
}

export function createExecutor({ chainId, state, store, clock, obtain, opsOf, onExecuted, onFatal }: ExecutorContext): Executor {
  const queue: Decision[] = []
  let running: Promise<void> | undefined
  let stopped = false

  const execute = async (block: ExecutableBlock): Promise<Executed> => {
    const run = executeInSteps(state, block, executeStepTransactions)
    for (;;) {
      const step = run.next()
      if (step.done === true) return step.value
      await new Promise<void>((resolve) => clock.soon(resolve))
    }
  }

  const runOne = async (decision: Decision): Promise<void> => {
    const { header } = decision
    const payload = await obtain(decision)
    if (stopped) return
    assert(header.height === store.head().height + 1, `block ${header.height} follows the stored head ${store.head().height}`)
    const hash = blockHash(header)
    const executed = await execute({ chain: chainId, height: header.height, hash, timeMs: header.timeMs, transactions: payload.transactions })
    await store.putBlock({ decision, references: payload.references, transactions: payload.transactions.map(({ transaction }) => transaction) }, executed, opsOf(executed, header.height, header.timeMs))
    onExecuted({ height: header.height, hash, payload, executed })
  }

  const drain = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !stopped; next = queue.shift()) await runOne(next)
  }

  const wake = (): void => {
    running ??= drain()
      .catch((error: unknown) => {
        if (!stopped) onFatal(error)
        stopped = true
      })
      .finally(() => {
        running = undefined
        if (queue.length > 0 && !stopped) wake()
      })
  }

  return {
    deliver: (decision) => {
      if (stopped) return
      queue.push(decision)
      wake()
    },
    stop: async () => {
      stopped = true
      await running
    },
  }
}
