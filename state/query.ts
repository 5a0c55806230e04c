// Queries: what a family answers about itself. rpc/ serves each under its method name, checks the parameters by the same schema that
// the OpenRPC document is made from, and the typed client reads the result by its schema.
import { type Json, type JsonObject, integer, invalid, list, optional, record, type Schema, token } from '../primitives/schema.ts'
import type { BlockInfo } from './family.ts'
import type { Page, QueryView } from './view.ts'

export interface Query<P, R> {
  /** `family_verb`, as in JSON-RPC. */
  readonly method: string
  readonly summary: string
  readonly params: Schema<P>
  readonly result: Schema<R>
  /** There is something to answer whatever is asked, if only an empty list: never undefined. */
  readonly alwaysAnswers?: true
  /** Reads committed state of `head`; undefined when there is no such thing (the RPC answers `<family>/not-found`). Must be bounded. */
  readonly run: (view: QueryView, params: P, head: BlockInfo) => R | undefined | Promise<R | undefined>
}

export function query<P, R>(definition: Query<P, R>): Query<P, R> {
  return definition
}

export const pageItemsMax = 1_000
const pageItemsDefault = 100

/** The two parameters of every list. Spread into a record: `record({ facility: slug, ...pageFields })`. */
export const pageFields = {
  limit: optional(integer(1, pageItemsMax)),
  cursor: optional(token(/[\x21-\x7e]+/, 512, 'a cursor from an earlier answer')),
} as const

/** An empty cursor would mean the start; leave it out instead. */
export function pageOf(params: { readonly limit?: number | undefined; readonly cursor?: string | undefined }): Page {
  return { limit: params.limit ?? pageItemsDefault, cursor: params.cursor }
}

/** The answer of every list. */
export function pageResult<T>(item: Schema<T>): Schema<{ readonly items: readonly T[]; readonly next?: string | undefined }> {
  return record({ items: list(item, 0, pageItemsMax), next: optional(token(/[\x21-\x7e]+/, 512, 'a cursor')) }) as unknown as Schema<{ readonly items: readonly T[]; readonly next?: string | undefined }>
}

/** JSON that has no wire form, such as GeoJSON with its fractions. */
export function json(jsonSchema: JsonObject): Schema<Json> {
  const noWire = (_: unknown, path: string): never => {
    throw invalid(path, 'JSON only')
  }
  return { toWire: noWire, fromWire: noWire, toJson: (value) => value, fromJson: (value) => value, jsonSchema }
}

export type ParamsOf<Q> = Q extends Query<infer P, infer _> ? P : never
export type ResultOf<Q> = Q extends Query<infer _, infer R> ? R : never
