// Watching the chain from outside: every validator is asked for its head all the time, and the first to name a height makes it final for us.
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '../../rpc/client/index.ts'

const everyMs = 50
const askMs = 1_000
/** Answers of one validator, ten minutes or so. */
const rememberedMax = 12_000

export interface Heads {
  /** The highest height that any validator has named. */
  readonly best: () => number
  /** When the first height came that was not known at `sinceMs`; undefined if none comes within `timeoutMs`, or the watch ends. */
  readonly next: (sinceMs: number, timeoutMs: number) => Promise<number | undefined>
  /** When so many validators had answered after `sinceMs`; undefined as long as they have not. */
  readonly answering: (sinceMs: number, count: number) => number | undefined
  /** The longest time without a new height between two moments. */
  readonly longestWait: (fromMs: number, toMs: number) => number
  readonly stop: () => Promise<void>
}

export function watchHeads(urls: readonly string[]): Heads {
  let best = 0
  let stopped = false
  const advancesMs: number[] = []
  /** Of each validator: when it was asked what it answered. */
  const answeredMs = urls.map((): number[] => [])
  const watch = async (url: string, validator: number): Promise<void> => {
    const client = createClient({ url, timeoutMs: askMs, rounds: 1 })
    while (!stopped) {
      try {
        const askedMs = performance.now()
        const { height } = await client.call('chain_head', {})
        // an answer to a question asked before the moment of interest proves nothing, so the question's time counts
        remember(answeredMs[validator] as number[], askedMs)
        if (height > best) {
          best = height
          advancesMs.push(performance.now())
        }
      } catch {
        // down, paused or just starting
      }
      await pause(everyMs)
    }
  }
  const watching = urls.map(watch)
  const remember = (moments: number[], askedMs: number): void => {
    moments.push(askedMs)
    if (moments.length > rememberedMax) moments.splice(0, rememberedMax / 2)
  }
  return {
    answering: (sinceMs, count) => {
      const firsts = answeredMs.flatMap((moments) => moments.find((atMs) => atMs >= sinceMs) ?? []).sort((a, b) => a - b)
      return firsts[count - 1]
    },
    best: () => best,
    next: async (sinceMs, timeoutMs) => {
      while (!stopped) {
        const found = advancesMs.find((atMs) => atMs > sinceMs)
        if (found !== undefined) return found
        if (performance.now() > sinceMs + timeoutMs) return undefined
        await pause(everyMs / 2)
      }
      return undefined
    },
    longestWait: (fromMs, toMs) => {
      const moments = [fromMs, ...advancesMs.filter((atMs) => atMs > fromMs && atMs < toMs), toMs]
      return moments.reduce((longest, atMs, i) => Math.max(longest, i === 0 ? 0 : atMs - (moments[i - 1] as number)), 0)
    },
    stop: async () => {
      stopped = true
      await Promise.all(watching)
    },
  }
}
