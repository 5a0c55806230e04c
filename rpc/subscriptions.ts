// Subscriptions of one connection. Each is a cursor and a loop: read a page behind the cursor, send it, wait until the reader has taken it,
// read the next; at the head, wait for a block. Past and live are the same loop, so there is no seam with a hole or a double in it.
import { DongbaekError } from '../primitives/errors.ts'
import type { Infer, JsonObject } from '../primitives/schema.ts'
import { type Channel, type Filter, subscribe, unsubscribe } from './api/events.ts'
import { rpcErrorOf } from './errors.ts'
import type { Feed } from './feed.ts'
import { subscriptionPageItems, subscriptionsPerSocketMax } from './limits.ts'
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
      const { items, next } = feed.page(subscription.channel, subscription.cursor, subscription.filter, subscriptionPageItems)
      for (const item of items) {
        if (subscription.ended) return
        await outlet.send(notification({ id: subscription.id, item }))
      }
      // nothing was awaited since the page was read, so no block can be slept through
      if (next === subscription.cursor) await woken(subscription)
      // a long way behind the head is gone in steps that leave room for others
      else await new Promise(setImmediate)
      subscription.cursor = next
    }
  }

  const woken = async (subscription: Subscription): Promise<void> => {
    await new Promise<void>((resolve) => {
      subscription.wake = resolve
    })
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

  const begin = ({ channel, filter, from }: Infer<(typeof subscribe)['params']>): Infer<(typeof subscribe)['result']> => {
    if (open.size >= subscriptionsPerSocketMax) throw new DongbaekError('rpc/too-many-subscriptions', `a connection has at most ${subscriptionsPerSocketMax} subscriptions`)
    const cursor = from ?? feed.now()
    // refuses a cursor that cannot be followed while the caller still waits for the answer
    feed.page(channel, cursor, filter, 1)
    const subscription: Subscription = { id: `s${++count}`, channel, filter, cursor, ended: false, wake: () => undefined }
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
