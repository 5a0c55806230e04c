// One call over several nodes. Every method may be asked twice: reads change nothing, and tx_submit of the same bytes is the same transaction.
// So whatever fails on the way is tried at the next node, and no retry can do a thing twice.
import { DongbaekError, type ErrorData } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { type Fetch, pause, platform } from './platform.ts'

export interface TransportOptions {
  /** Base addresses of nodes, in order of preference. */
  readonly urls: readonly string[]
  readonly fetch?: Fetch
  /** One try at one node, beyond what the call itself waits. Default 10 s. */
  readonly timeoutMs?: number
  /** How often the whole list is gone through. Default 3. */
  readonly rounds?: number
}

export interface Transport {
  /** `waitMs` is what the call itself waits (tx_wait). Throws DongbaekError with the code of the server, or `client/…`. */
  readonly call: (method: string, params: JsonObject, waitMs?: number) => Promise<Json>
}

const answerCharactersMax = 64 * 1_048_576
const backoffMs = 200

/** Codes that another node, or the same a moment later, may not answer. */
const passingCodes: ReadonlySet<string> = new Set(['client/unreachable', 'client/timeout', 'client/bad-answer', 'rpc/stopping', 'rpc/rate-limited', 'rpc/cursor-ahead', 'node/not-ready', 'node/busy', 'mempool/full', 'verifier/busy', 'verifier/stopped', 'internal'])

/** Another node, or the same a moment later, may answer otherwise. */
export function isPassing(code: string): boolean {
  return passingCodes.has(code)
}

export function createTransport({ urls, fetch = platform.fetch, timeoutMs = 10_000, rounds = 3 }: TransportOptions): Transport {
  if (urls.length === 0) throw new DongbaekError('client/no-nodes', 'give the address of one node at least')
  let preferred = 0
  let lastId = 0

  const tryAt = async (url: string, method: string, params: JsonObject, waitMs: number): Promise<Json> => {
    const id = ++lastId
    const text = await post(fetch, url, JSON.stringify({ jsonrpc: '2.0', id, method, params }), timeoutMs + waitMs)
    return readAnswer(text, id, url)
  }

  return {
    call: async (method, params, waitMs = 0) => {
      for (let attempt = 0; ; attempt++) {
        const at = preferred
        try {
          return await tryAt(urls[at] as string, method, params, waitMs)
        } catch (thrown) {
          if (!(thrown instanceof DongbaekError) || !isPassing(thrown.code) || attempt + 1 >= urls.length * rounds) throw thrown
          // another call may have moved on already
          if (preferred === at) preferred = (at + 1) % urls.length
          if ((attempt + 1) % urls.length === 0) await pause(backoffMs * 2 ** (attempt / urls.length))
        }
      }
    },
  }
}

async function post(fetch: Fetch, url: string, body: string, timeoutMs: number): Promise<string> {
  const cut = new platform.AbortController()
  let timedOut = false
  const timer = platform.setTimeout(() => {
    timedOut = true
    cut.abort()
  }, timeoutMs)
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: cut.signal })
    return await response.text()
  } catch (cause) {
    if (timedOut) throw new DongbaekError('client/timeout', `no answer from ${url} within ${timeoutMs} ms`, { url, timeoutMs }, { cause })
    throw new DongbaekError('client/unreachable', `${url} cannot be reached`, { url }, { cause })
  } finally {
    platform.clearTimeout(timer)
  }
}

/** The result in the text of an answer. Throws the error that it bears, by its code, or `client/bad-answer`. */
export function readAnswer(text: string, id: number, url: string): Json {
  const bad = (): DongbaekError => new DongbaekError('client/bad-answer', `the answer of ${url} is not that of a Dongbaek node`, { url })
  if (text.length > answerCharactersMax) throw bad()
  let answer: Json
  try {
    answer = JSON.parse(text) as Json
  } catch {
    throw bad()
  }
  if (!isObject(answer) || answer['jsonrpc'] !== '2.0') throw bad()
  const { error, result } = answer
  // an error that came before the id was read bears none
  if (answer['id'] !== id && (error === undefined || answer['id'] !== null)) throw bad()
  if (isObject(error)) throw serverError(error, url)
  if (result === undefined) throw bad()
  return result
}

const protocolCodes: Readonly<Record<number, string>> = { [-32700]: 'rpc/parse-error', [-32600]: 'rpc/invalid-request', [-32601]: 'rpc/method-not-found', [-32602]: 'codec/invalid', [-32603]: 'internal' }

/** An error of JSON-RPC as one of ours. */
export function serverError(error: JsonObject, url: string): DongbaekError {
  const data: Record<string, string | number | boolean> = { url }
  const given = isObject(error['data']) ? error['data'] : {}
  for (const [name, value] of Object.entries(given)) if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') data[name] = value
  const { code, ...rest } = data
  const { message } = error
  const known = typeof code === 'string' ? code : (protocolCodes[Number(error['code'])] ?? 'rpc/unknown')
  return new DongbaekError(known, typeof message === 'string' ? message : known, rest satisfies ErrorData)
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
