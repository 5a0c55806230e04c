// The typed client. Its actions (submitAndWait, followEvents, the proofs) stand in files of their own and take it as their first argument.
import type { Json, JsonObject } from '../../primitives/schema.ts'
import type { MethodName, ParamsJson, ResultJson } from './methods.ts'
import type { Fetch } from './platform.ts'
import { createTransport } from './transport.ts'

export interface ClientOptions {
  /** Nodes to ask, in order of preference; `url` for a single one. */
  readonly urls?: readonly string[]
  readonly url?: string
  /** The platform's own by default. */
  readonly fetch?: Fetch
  readonly timeoutMs?: number
  readonly rounds?: number
}

export interface Client {
  /**
   * Calls a method by name, parameters and result in JSON form. `waitMs` is what the call itself waits for (tx_wait).
   * Throws DongbaekError with the code that the node answered (`points/not-found`), or `client/unreachable`, `client/timeout`, `client/bad-answer`.
   */
  readonly call: <M extends MethodName>(method: M, params: ParamsJson<M>, options?: { readonly waitMs?: number }) => Promise<ResultJson<M>>
  /** The same for a method that this version of the client has no types for. */
  readonly callUntyped: (method: string, params: JsonObject) => Promise<Json>
}

export function createClient({ urls = [], url, fetch, timeoutMs, rounds }: ClientOptions): Client {
  const transport = createTransport({
    urls: url === undefined ? urls : [url, ...urls],
    ...(fetch === undefined ? {} : { fetch }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(rounds === undefined ? {} : { rounds }),
  })
  // the node checks the parameters and made the result by the schemas that these types come from
  return {
    call: async (method, params, options) => transport.call(method, params as unknown as JsonObject, options?.waitMs) as Promise<never>,
    callUntyped: async (method, params) => transport.call(method, params),
  }
}
