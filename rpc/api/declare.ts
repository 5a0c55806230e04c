// A declaration is what the outside knows of a method: its name, what goes in, what comes out, an example. The server adds the work to it
// (rpc/methods), OpenRPC is generated from it, and the client takes its types. Families declare theirs as queries (state/query.ts) of the same form.
import { type Json, type JsonObject, invalid, oneOf, type Schema } from '../../primitives/schema.ts'

export interface Declaration<P, R> {
  /** `family_verb`. */
  readonly method: string
  readonly summary: string
  readonly params: Schema<P>
  readonly result: Schema<R>
  /** Parameters in JSON that show how it is called; on a chain without the things it names, the answer is `…/not-found`. */
  readonly example: JsonObject
  /** Codes that are this method's own, besides those that every method may answer. */
  readonly errors?: readonly string[]
  /** How much of the caller's rate one call takes; 1 is a look-up. */
  readonly cost?: number
}

export function declare<P, R>(declaration: Declaration<P, R>): Declaration<P, R> {
  return declaration
}

export type ParamsOf<D> = D extends Declaration<infer P, infer _> ? P : never
export type ResultOf<D> = D extends Declaration<infer _, infer R> ? R : never

/** A value that only ever goes out, in JSON as it stands; `jsonSchema` describes it. */
export function answer<T extends Json>(jsonSchema: JsonObject): Schema<T> {
  const noWire = (_: unknown, path: string): never => {
    throw invalid(path, 'JSON only')
  }
  return { toWire: noWire, fromWire: noWire, toJson: (value) => value, fromJson: (value) => value as T, jsonSchema }
}

/** A sentence of ours. */
export const sentence: Schema<string> = answer<string>({ type: 'string' })

/** A count or number of ours without a bound of its own. */
export const count: Schema<number> = answer<number>({ type: 'integer', minimum: 0 })

export const transactionsForm = oneOf('ids', 'full')

/** The example values of the documents: well-formed, and on no chain. */
export const exampleHash = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
export const exampleDid = 'did:dongbaek:AAAAAAAAAAAAAAAAAAAAAAAAAAA'
