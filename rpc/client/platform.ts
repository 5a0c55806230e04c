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

/** What is used of a WebSocket, in browsers, React Native and Node alike. */
export interface Socket {
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onclose: (() => void) | null
  onerror: (() => void) | null
  readonly send: (text: string) => void
  readonly close: () => void
}

export type SocketClass = new (url: string) => Socket

export interface StreamReader {
  readonly read: () => Promise<{ readonly done: boolean; readonly value?: Uint8Array }>
  readonly cancel: () => Promise<void>
}

interface Platform {
  readonly fetch: Fetch
  readonly crypto: { readonly getRandomValues: (bytes: Uint8Array) => unknown }
  readonly setTimeout: (fire: () => void, ms: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
  readonly AbortController: new () => { readonly signal: unknown; readonly abort: () => void }
  readonly Date: { readonly now: () => number }
  readonly WebSocket?: SocketClass
  /** Missing on some; the status lists of the W3C form need them. */
  readonly CompressionStream?: new (format: 'gzip') => unknown
  readonly DecompressionStream?: new (format: 'gzip') => unknown
  readonly Response: new (body: Uint8Array) => { readonly body: { readonly pipeThrough: (through: unknown) => { readonly getReader: () => StreamReader } } }
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
