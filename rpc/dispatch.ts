// JSON-RPC 2.0 (jsonrpc.org/specification): text in, text out, whatever carries it. Never throws and never rejects.
import type { Json, JsonObject } from '../primitives/schema.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { internalErrorNumber, invalidParamsNumber, invalidRequestNumber, methodNotFoundNumber, parseErrorNumber, type RpcError, rpcErrorOf } from './errors.ts'
import { JsonError, type ParsedJson, parseJson } from './json.ts'
import { batchAnswerBytesMax, batchCallsMax, batchParallel, batchTimeoutMs, idCharactersMax, jsonDepthMax } from './limits.ts'
import type { Call, Method } from './methods/method.ts'
import { rateLimited } from './rates.ts'

/** Where the caller stands: what differs between HTTP and WebSocket, and between callers. */
export interface Caller {
  readonly signal: AbortSignal
  /** Takes `cost` from the caller's rate: 0, or the ms to wait. */
  readonly take: (cost: number) => number
  /** Methods that only this connection has. */
  readonly own: ReadonlyMap<string, Method>
}

export interface Dispatcher {
  /** The answer to a request or a batch; undefined when there was nothing but notifications. */
  readonly answer: (body: Uint8Array, caller: Caller) => Promise<string | undefined>
}

export interface DispatcherOptions {
  readonly methods: ReadonlyMap<string, Method>
  readonly context: Omit<Call, 'signal'>
  /** What went wrong inside: for the log, never for the caller. */
  readonly onInternalError: (method: string, error: unknown) => void
  /** After each call: the method (or `unknown`), the number of its error or 0, and how long it took. */
  readonly onCall: (method: string, errorNumber: number, ms: number) => void
}

/** Fatal: bytes that are no UTF-8 are no JSON. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

export function createDispatcher({ methods, context, onInternalError, onCall }: DispatcherOptions): Dispatcher {
  const run = async (method: Method | undefined, name: string, params: Json, caller: Caller): Promise<string> => {
    if (method === undefined) throw new CallError({ code: methodNotFoundNumber, message: 'Method not found', data: { method: name.slice(0, 100) } })
    const waitMs = caller.take(method.cost)
    if (waitMs > 0) throw rateLimited(waitMs)
    // a getter, since most methods never wait and a signal costs something
    return method.text({ ...context, get signal() { return caller.signal } }, params)
  }

  /** One call of a request or batch as the text of its answer; undefined for a notification. */
  const answerOne = async (call: Json, { rawIds }: ParsedJson, caller: Caller): Promise<string | undefined> => {
    const request = readRequest(call, rawIds)
    if ('error' in request) return errorText(request.rawId, request.error)
    const { rawId, name, params } = request
    const method = caller.own.get(name) ?? methods.get(name)
    const startedAt = performance.now()
    let errorNumber = 0
    let text: string | undefined
    try {
      const result = await run(method, name, params, caller)
      text = rawId === undefined ? undefined : `{"jsonrpc":"2.0","id":${rawId},"result":${result}}`
    } catch (thrown) {
      const error = thrown instanceof CallError ? thrown.error : rpcErrorOf(thrown)
      errorNumber = error.code
      if (errorNumber === internalErrorNumber) onInternalError(name, thrown)
      text = rawId === undefined ? undefined : errorText(rawId, error)
    }
    onCall(method?.method ?? 'unknown', errorNumber, performance.now() - startedAt)
    return text
  }

  const answerBatch = async (calls: readonly Json[], parsed: ParsedJson, caller: Caller): Promise<string | undefined> => {
    if (calls.length === 0) return errorText('null', invalidRequest('an empty batch'))
    if (calls.length > batchCallsMax) return errorText('null', invalidRequest(`at most ${batchCallsMax} calls in a batch`))
    const answers: (string | undefined)[] = new Array<string | undefined>(calls.length)
    const deadline = performance.now() + batchTimeoutMs
    let next = 0
    let bytes = 0
    const worker = async (): Promise<void> => {
      while (next < calls.length) {
        const index = next++
        const call = calls[index] as Json
        const refusal = performance.now() > deadline ? batchTimeout() : bytes > batchAnswerBytesMax ? answerTooLarge() : undefined
        answers[index] = refusal === undefined ? await answerOne(call, parsed, caller) : refuse(call, parsed, refusal)
        bytes += answers[index]?.length ?? 0
      }
    }
    await Promise.all(Array.from({ length: Math.min(batchParallel, calls.length) }, worker))
    const given = answers.filter((answer) => answer !== undefined)
    return given.length === 0 ? undefined : `[${given.join(',')}]`
  }

  return {
    answer: async (body, caller) => {
      let parsed: ParsedJson
      try {
        parsed = parseJson(utf8.decode(body), jsonDepthMax)
      } catch (thrown) {
        const why = thrown instanceof JsonError ? thrown.message : 'the bytes are not UTF-8'
        return errorText('null', { code: parseErrorNumber, message: `Parse error: ${why}` })
      }
      return Array.isArray(parsed.value) ? answerBatch(parsed.value as readonly Json[], parsed, caller) : answerOne(parsed.value, parsed, caller)
    },
  }
}

/** An error of the protocol itself, on its way out of `run`. */
class CallError extends Error {
  readonly error: RpcError
  constructor(error: RpcError) {
    super(error.message)
    this.error = error
  }
}

interface Request {
  /** The text of the id as it came; undefined for a notification. */
  readonly rawId: string | undefined
  readonly name: string
  readonly params: Json
}

function readRequest(call: Json, rawIds: ParsedJson['rawIds']): Request | { readonly rawId: string; readonly error: RpcError } {
  if (!isObject(call)) return { rawId: 'null', error: invalidRequest('a call is an object') }
  const rawId = rawIds.get(call)
  if (rawId !== undefined && !isId(call['id'] as Json, rawId)) return { rawId: 'null', error: invalidRequest(`an id is a string, an integer or null, at most ${idCharactersMax} characters`) }
  const invalid = (why: string): { rawId: string; error: RpcError } => ({ rawId: rawId ?? 'null', error: invalidRequest(why) })
  const { jsonrpc, method, params } = call
  if (jsonrpc !== '2.0') return invalid('"jsonrpc" must be "2.0"')
  if (typeof method !== 'string') return invalid('"method" must be a string')
  for (const name of Object.keys(call)) if (name !== 'jsonrpc' && name !== 'method' && name !== 'params' && name !== 'id') return invalid(`a call has no member ${JSON.stringify(name.slice(0, 40))}`)
  if (params !== undefined && (typeof params !== 'object' || params === null)) return invalid('"params" must be an object')
  if (Array.isArray(params)) return { rawId: rawId ?? 'null', error: byNameOnly }
  return { rawId, name: method, params: params ?? {} }
}

const byNameOnly: RpcError = { code: invalidParamsNumber, message: 'Invalid params: by name only', data: { code: 'codec/invalid', path: '', expected: 'an object' } }

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isId(value: Json, raw: string): boolean {
  if (raw.length > idCharactersMax) return false
  return value === null || typeof value === 'string' || (typeof value === 'number' && /^-?[0-9]+$/.test(raw))
}

function invalidRequest(why: string): RpcError {
  return { code: invalidRequestNumber, message: `Invalid Request: ${why}` }
}

function batchTimeout(): RpcError {
  return rpcErrorOf(new DongbaekError('rpc/batch-timeout', `the batch ran for ${batchTimeoutMs} ms before this call began`))
}

function answerTooLarge(): RpcError {
  return rpcErrorOf(new DongbaekError('rpc/answer-too-large', `the answers before this one exceed ${batchAnswerBytesMax} bytes`, { bytesMax: batchAnswerBytesMax }))
}

function refuse(call: Json, { rawIds }: ParsedJson, error: RpcError): string | undefined {
  const request = readRequest(call, rawIds)
  if ('error' in request) return errorText(request.rawId, request.error)
  return request.rawId === undefined ? undefined : errorText(request.rawId, error)
}

export function errorText(rawId: string, { code, message, data }: RpcError): string {
  return `{"jsonrpc":"2.0","id":${rawId},"error":${JSON.stringify(data === undefined ? { code, message } : { code, message, data })}}`
}

