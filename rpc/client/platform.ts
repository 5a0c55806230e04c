// What the client takes from the platform: browsers, React Native and Node all have it, and no type library of one of them is needed to say so.

export interface FetchResponse {
  readonly status: number
  readonly text: () => Promise<string>
}

export interface FetchInit {
  readonly method: 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal?: unknown
}

export type Fetch = (url: string, init: FetchInit) => Promise<FetchResponse>

interface Platform {
  readonly fetch: Fetch
  readonly crypto: { readonly getRandomValues: (bytes: Uint8Array) => unknown }
  readonly setTimeout: (fire: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  readonly AbortController: new () => { readonly signal: unknown; readonly abort: () => void }
  readonly Date: { readonly now: () => number }
}

export const platform = globalThis as unknown as Platform

/** From the platform's secure source. */
export function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  platform.crypto.getRandomValues(bytes)
  return bytes
}

export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => platform.setTimeout(resolve, ms))
}
