// Thousands of subscribers of one node, in processes of their own so that they do not hold each other up. Each process comes from a loopback address of its own, as
// the node bounds the connections of one.
import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from '../../rpc/client/index.ts'
import type { FromWorker, Report, ToWorker } from './messages.ts'

const tickMs = 50

export interface Delivery {
  /** Events that the chain has behind the cursor that all subscribed from. */
  readonly events: number
  /** Each of them once at every subscriber, in the order of the chain: events × subscribers. */
  readonly delivered: number
  /** From the first subscriber that had an event to the last, ms, ascending. */
  readonly spreadMs: readonly number[]
  /** In words; empty when everybody has everything once. */
  readonly wrong: readonly string[]
}

export interface Crowd {
  /** Waits until every subscriber has `events` items or `maxMs` have passed, and compares what each has with the feed of the node. */
  readonly delivery: (events: number, maxMs: number) => Promise<Delivery>
  readonly close: () => Promise<void>
}

export interface CrowdOptions {
  /** Of the node's RPC, http. */
  readonly url: string
  readonly subscribers: number
  readonly processes: number
  /** The cursor that all subscribe from. */
  readonly from: string
}

/** Resolves when all are subscribed. Throws an Error when one is not. */
export async function openCrowd({ url, subscribers, processes, from }: CrowdOptions): Promise<Crowd> {
  const workers = Array.from({ length: processes }, () => fork(path.join(import.meta.dirname, 'worker.ts'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  const close = async (): Promise<void> => {
    const ended = workers.map(async (worker) => new Promise((resolve) => (worker.exitCode === null ? worker.once('exit', resolve) : resolve(undefined))))
    for (const worker of workers) if (worker.connected) tell(worker, { type: 'close' })
    await Promise.all(ended)
  }
  const share = (i: number): number => Math.floor((subscribers * (i + 1)) / processes) - Math.floor((subscribers * i) / processes)
  const opened = await Promise.all(
    workers.map(async (worker, i) => ask(worker, { type: 'open', url: `${url.replace('http', 'ws')}/ws`, from, subscribers: share(i), localAddress: `127.0.0.${i + 2}` })),
  )
  const faults = opened.flatMap((answer) => answer.faults)
  if (faults.length > 0) {
    await close()
    throw new Error(`the crowd could not subscribe: ${faults[0]} (and ${faults.length - 1} more)`)
  }
  return {
    close,
    delivery: async (events, maxMs) => {
      const until = performance.now() + maxMs
      for (;;) {
        const reports = (await Promise.all(workers.map(async (worker) => ask(worker, { type: 'report' })))) as readonly Report[]
        if (reports.every(({ least }) => least >= events) || performance.now() > until) return compare(reports, await feedOf(url, from), subscribers)
        await pause(tickMs)
      }
    },
  }
}

function tell(worker: ChildProcess, message: ToWorker): void {
  worker.send(message)
}

/** Rejects when the process ends instead. */
function ask(worker: ChildProcess, message: ToWorker): Promise<FromWorker> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process of the crowd ended with ${code}`))
    worker.once('exit', onExit)
    worker.once('message', (answer: FromWorker) => {
      worker.off('exit', onExit)
      resolve(answer)
    })
    tell(worker, message)
  })
}

async function feedOf(url: string, from: string): Promise<readonly string[]> {
  const client = createClient({ url })
  const cursors: string[] = []
  for (let cursor = from; ; ) {
    const { items, next } = await client.call('events_since', { cursor, limit: 1_000 })
    cursors.push(...(items as readonly { readonly cursor: string }[]).map((item) => item.cursor))
    if (next === cursor) return cursors
    cursor = next
  }
}

function compare(reports: readonly Report[], feed: readonly string[], subscribers: number): Delivery {
  const wrong = reports.flatMap(({ faults }) => faults)
  for (const { cursors, least, most } of reports) {
    if (least !== feed.length || most !== feed.length) wrong.push(`of ${feed.length} events the subscribers of one process have ${least} to ${most}`)
    const at = cursors.findIndex((cursor, i) => cursor !== feed[i])
    if (at >= 0) wrong.push(`number ${at} is ${feed[at]} in the feed and ${cursors[at]} at the subscribers`)
  }
  const spreadMs = feed.map((_, i) => Math.max(...reports.map(({ lastMs }) => lastMs[i] ?? 0)) - Math.min(...reports.map(({ firstMs }) => firstMs[i] ?? Infinity)))
  return { events: feed.length, delivered: wrong.length === 0 ? feed.length * subscribers : 0, spreadMs: spreadMs.sort((a, b) => a - b), wrong }
}
