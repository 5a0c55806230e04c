// Asking a node over JSON-RPC, for the commands that do.
import type { Command } from 'commander'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { createClient, type Client } from '../../rpc/client/index.ts'
import type { JsonOption } from './output.ts'

const rpcDefault = 'http://127.0.0.1:26600'
const timeoutMs = 10_000

export interface RemoteOptions extends JsonOption {
  readonly rpc: string
}

export function withRemote(command: Command): Command {
  return command.option('--rpc <url>', 'JSON-RPC address of the node to ask', rpcDefault).option('--json', 'answer in JSON')
}

export function connect({ rpc }: RemoteOptions): Client {
  return createClient({ url: rpc, timeoutMs, rounds: 1 })
}

/** A method by a name that only the operator knows to be one; the node checks name and parameters. */
export async function callByName(client: Client, method: string, params: JsonObject): Promise<Json> {
  const call = client.call as (method: string, params: JsonObject) => Promise<Json>
  try {
    return await call(method, params)
  } catch (error) {
    if (error instanceof DongbaekError && error.code === 'rpc/method-not-found') throw new DongbaekError(error.code, `the node has no method ${method}. "dongbaek query --list" lists them`, error.data, { cause: error })
    throw error
  }
}

/** What nobody answered, in an operator's words. */
export function unreachable(error: unknown, rpc: string): unknown {
  if (!(error instanceof DongbaekError) || !['client/unreachable', 'client/timeout'].includes(error.code)) return error
  return new DongbaekError(error.code, `no node answers at ${rpc}. Is it running, and is this the rpc.host and rpc.port of its config.json? Another address is given by --rpc`, { rpc }, { cause: error })
}

/** `name=value` or one JSON object. A value that is a JSON number, boolean, list or object is taken as such, anything else as text. */
export function paramsFrom(words: readonly string[]): JsonObject {
  if (words.length === 1 && words[0]?.startsWith('{') === true) return objectFrom(words[0])
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw new DongbaekError('cli/argument', `${word}: write name=value, or all parameters as one JSON object`, { word })
      return [word.slice(0, at), valueFrom(word.slice(at + 1))]
    }),
  )
}

export function objectFrom(text: string): JsonObject {
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch (cause) {
    throw new DongbaekError('cli/argument', `not JSON: ${(cause as Error).message}`, {}, { cause })
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new DongbaekError('cli/argument', 'a JSON object is expected, such as {"height": 1}')
  return json as JsonObject
}

function valueFrom(text: string): Json {
  if (!/^(?:-?\d|true$|false$|[[{"])/.test(text)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    // a name that begins with a digit, such as a hash
    return text
  }
}
