// Subscriptions of one connection. Each is a cursor and a loop: read a page behind the cursor, send it, wait until the reader has taken it,
// read the next; at the head, wait for a block. Past and live are the same loop, so there is no seam with a hole or a double in it.
import { DongbaekError } from '../primitives/errors.ts'
import type { Infer, JsonObject } from '../primitives/schema.ts'
import { type Channel, type Filter, subscribe, unsubscribe } from './api/events.ts'
import { rpcErrorOf } from './errors.ts'
import type { Feed } from './feed.ts'
import { progressEveryMs, subscriptionPageItems, subscriptionsPerSocketMax } from './limits.ts'
import { type Method, serve } from './methods/method.ts'

/** The connection that the items go out by. */
export interface Outlet {
  /** Resolves when there is room for more; rejects when the connection is closed. */
  readonly send: (text: string) => Promise<void>
}

export interface Subscriptions {
  /** `subscribe` and `unsubscribe` of this connection. */
  readonly methods: ReadonlyMap<string, Method>
  /** There is a new block. */
  readonly wake: () => void
  readonly end: () => void
  readonly size: () => number
}

interface Subscription {
  readonly id: string
  readonly channel: Channel
  readonly filter: Filter | undefined
  /** When it was last told how far it is: undefined as long as it has not come up to the head. Absent: it does not want to know. */
  readonly progress: { toldAtMs: number | undefined; lookedTo: number } | undefined
  cursor: string
  ended: boolean
  wake: () => void
}

/** `onError` hears what went wrong inside, besides a closed connection. */
export function createSubscriptions(feed: Feed, outlet: Outlet, onError: (error: unknown) => void): Subscriptions {
  const open = new Map<string, Subscription>()
  let count = 0

  const follow = async (subscription: Subscription): Promise<void> => {
    while (!subscription.ended) {
      const { items, next, lookedTo, height } = feed.page(subscription.channel, subscription.cursor, subscription.filter, subscriptionPageItems)
      for (const item of items) {
        if (subscription.ended) return
        await outlet.send(notification({ id: subscription.id, item }))
      }
      if (subscription.ended) return
      const hasMoved = next !== subscription.cursor
      subscription.cursor = next
      const dueMs = untilDue(subscription, lookedTo, height)
      if (dueMs === 0) await tell(subscription, lookedTo)
      // a long way behind the head is gone in steps that leave room for others
      else if (hasMoved) await new Promise(setImmediate)
      // nothing was awaited since the page was read, so no block can be slept through
      else await woken(subscription, dueMs)
    }
  }

  /** When the reader is to be told how far it is; undefined: it knows, or does not want to. The first time as soon as the head is reached. */
  const untilDue = ({ progress }: Subscription, lookedTo: number, head: number): number | undefined => {
    if (progress === undefined || lookedTo <= progress.lookedTo) return undefined
    if (progress.toldAtMs === undefined) return lookedTo < head ? undefined : 0
    return Math.max(0, progress.toldAtMs + progressEveryMs - performance.now())
  }

  const tell = async ({ id, cursor, progress }: Subscription, lookedTo: number): Promise<void> => {
    if (progress !== undefined) Object.assign(progress, { toldAtMs: performance.now(), lookedTo })
    await outlet.send(notification({ id, cursor, lookedTo }))
  }

  const woken = async (subscription: Subscription, atLatestMs: number | undefined): Promise<void> => {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      subscription.wake = resolve
      if (atLatestMs !== undefined) timer = setTimeout(resolve, atLatestMs)
    })
    clearTimeout(timer)
  }

  const run = (subscription: Subscription): void => {
    // not before the answer with the id is on its way
    setImmediate(() => {
      follow(subscription)
        .catch(async (thrown: unknown) => {
          if (subscription.ended || thrown instanceof ClosedError) return
          if (!(thrown instanceof DongbaekError)) onError(thrown)
          await outlet.send(notification({ id: subscription.id, error: rpcErrorOf(thrown) as unknown as JsonObject }))
        })
        .catch(() => undefined)
        .finally(() => end(subscription))
    })
  }

  const end = (subscription: Subscription): void => {
    subscription.ended = true
    open.delete(subscription.id)
    subscription.wake()
  }

  const begin = ({ channel, filter, from, progress = false }: Infer<(typeof subscribe)['params']>): Infer<(typeof subscribe)['result']> => {
    if (open.size >= subscriptionsPerSocketMax) throw new DongbaekError('rpc/too-many-subscriptions', `a connection has at most ${subscriptionsPerSocketMax} subscriptions`)
    const cursor = from ?? feed.now(channel, filter)
    // refuses a cursor that cannot be followed while the caller still waits for the answer
    feed.page(channel, cursor, filter, 1)
    const subscription: Subscription = { id: `s${++count}`, channel, filter, progress: progress ? { toldAtMs: undefined, lookedTo: -1 } : undefined, cursor, ended: false, wake: () => undefined }
    open.set(subscription.id, subscription)
    run(subscription)
    return { id: subscription.id, cursor }
  }

  const stop = ({ id }: Infer<(typeof unsubscribe)['params']>): Record<never, never> => {
    const subscription = open.get(id)
    if (subscription === undefined) throw new DongbaekError('rpc/no-such-subscription', `this connection has no subscription ${id}`)
    end(subscription)
    return {}
  }

  const own: readonly Method[] = [serve(subscribe, (_, params) => begin(params)), serve(unsubscribe, (_, params) => stop(params))]
  return {
    methods: new Map(own.map((method) => [method.method, method])),
    wake: () => {
      for (const subscription of open.values()) subscription.wake()
    },
    end: () => {
      for (const subscription of [...open.values()]) end(subscription)
    },
    size: () => open.size,
  }
}

/** The connection is closed: nothing is wrong, and nobody is there to be told. */
export class ClosedError extends Error {}

function notification(params: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params })
}
