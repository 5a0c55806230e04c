// How much one address may ask: a token bucket each, counted in calls, so that a batch or a WebSocket buys no advantage over single requests.
// (@fastify/rate-limit counts HTTP requests, which is why it does not serve here.)
import { isIPv6 } from 'node:net'
import { rateAddressesMax } from './limits.ts'

export interface Limiter {
  /** Takes `cost` from the bucket of `key`, for an address its `bucketKey`: 0, or the ms until there is enough. A refused call takes nothing. */
  readonly take: (key: string, cost: number) => number
}

interface Bucket {
  tokens: number
  atMs: number
}

/** `perSecond` 0 means no limit. `nowMs` must not go back. */
export function createLimiter(perSecond: number, burst: number, nowMs: () => number): Limiter {
  if (perSecond === 0) return { take: () => 0 }
  const buckets = new Map<string, Bucket>()
  return {
    take: (key, cost) => {
      const now = nowMs()
      const bucket = buckets.get(key) ?? { tokens: burst, atMs: now }
      // the order of the map is the order of last use
      buckets.delete(key)
      buckets.set(key, bucket)
      if (buckets.size > rateAddressesMax) buckets.delete(buckets.keys().next().value as string)
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) * perSecond) / 1_000)
      bucket.atMs = now
      const wanted = Math.min(cost, burst)
      if (bucket.tokens < wanted) return Math.ceil(((wanted - bucket.tokens) * 1_000) / perSecond)
      bucket.tokens -= wanted
      return 0
    },
  }
}

/** An IPv6 customer has a whole /64, so that is what counts as one address; an IPv4 address mapped into IPv6 counts as itself. */
export function bucketKey(address: string): string {
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)
  if (mapped !== null) return mapped[1] as string
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%', 1)[0]!.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = tail === undefined ? left : [...left, ...new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right]
  return `${groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
