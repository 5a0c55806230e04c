// Whose rate a request counts against: that of the key that it bears, if the operator has issued one, else that of its address. A key is for whoever asks much from
// few addresses (a back end, an indexer, an exchange of data); it opens nothing, so a browser or an app has no use for one.
import { toBase64url, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { sha256 } from '../primitives/hash.ts'
import { bucketKey, createLimiter } from './limiter.ts'
import { apiKeyCharactersMax } from './limits.ts'

/** What the configuration has of a key: not the key itself, so that whoever reads the file cannot use it. */
export interface ApiKey {
  readonly name: string
  /** `hashOfApiKey` of it. */
  readonly hash: string
  /** Calls a second, weighed by the method; twice as many may be saved up. */
  readonly perSecond: number
}

/** Takes `cost`: 0, or the ms to wait. */
export type Take = (cost: number) => number

export interface Rates {
  /** Throws `rpc/unknown-key` for a key that was not issued; that takes one of the address, so that guessing is bounded as asking is, by `rpc/rate-limited`. Where none is issued, none is looked at. */
  readonly of: (address: string, authorization: string | undefined) => { readonly take: Take }
}

export interface RatesOptions {
  /** Of an address. `perSecond` 0: no limit. */
  readonly address: { readonly perSecond: number; readonly burst: number }
  readonly keys: readonly ApiKey[]
  readonly nowMs: () => number
}

export function createRates({ address: { perSecond, burst }, keys, nowMs }: RatesOptions): Rates {
  const addresses = createLimiter(perSecond, burst, nowMs)
  const byHash = new Map(keys.map(({ hash, name, perSecond: own }) => [hash, { name, limiter: createLimiter(own, 2 * own, nowMs) }]))
  return {
    of: (address, authorization) => {
      const bucket = bucketKey(address)
      const key = authorization === undefined || byHash.size === 0 ? undefined : keyIn(authorization)
      if (key === undefined) return { take: (cost) => addresses.take(bucket, cost) }
      const known = byHash.get(hashOfApiKey(key))
      if (known !== undefined) return { take: (cost) => known.limiter.take(known.name, cost) }
      const waitMs = addresses.take(bucket, 1)
      throw waitMs > 0 ? rateLimited(waitMs) : new DongbaekError('rpc/unknown-key', 'this node has issued no such key: send the one that its operator gave you, or none')
    },
  }
}

export function rateLimited(waitMs: number): DongbaekError {
  return new DongbaekError('rpc/rate-limited', `too many calls from this address or with this key; wait ${waitMs} ms`, { retryAfterMs: waitMs })
}

/** A key has 32 random bytes, so a plain hash is enough; that it is looked up by its hash tells nothing by the time it takes. */
export function hashOfApiKey(key: string): string {
  return toBase64url(sha256(utf8(key)))
}

/** undefined: another scheme, which is for a proxy before us. */
function keyIn(authorization: string): string | undefined {
  const given = /^Bearer(?:\s+(.*))?$/i.exec(authorization)
  return given === null ? undefined : (given[1] ?? '').slice(0, apiKeyCharactersMax)
}
