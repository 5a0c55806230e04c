// From a declaration and its work to a method that the dispatcher can call.
import type { Height } from '../../primitives/brand.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import type { Query } from '../../state/query.ts'
import type { Answers } from '../answers.ts'
import type { Declaration } from '../api/declare.ts'
import type { Backend } from '../backend.ts'
import { InvalidParams } from '../errors.ts'
import type { Feed } from '../feed.ts'

/** What a method works with. */
export interface Call {
  readonly backend: Backend
  readonly feed: Feed
  readonly answers: Answers
  /** The caller has gone, or the node stops: waiting makes no sense any more. */
  readonly signal: AbortSignal
  readonly discover: () => Json
}

/** A method with its types taken off, for the table. */
export interface Method {
  readonly method: string
  readonly summary: string
  readonly paramsSchema: JsonObject
  readonly resultSchema: JsonObject
  readonly example: JsonObject
  readonly errors: readonly string[]
  readonly cost: number
  /** Throws InvalidParams, or DongbaekError for what the method refuses. */
  readonly answer: (call: Call, params: Json) => Promise<Json>
  /** The same as text, which may be kept from an earlier call. */
  readonly text: (call: Call, params: Json) => Promise<string>
}

export function serve<P, R>(declaration: Declaration<P, R>, run: (call: Call, params: P) => R | Promise<R>): Method {
  const answer: Method['answer'] = async (call, json) => declaration.result.toJson(await run(call, readParams(declaration, json)))
  return {
    method: declaration.method,
    summary: declaration.summary,
    paramsSchema: declaration.params.jsonSchema,
    resultSchema: declaration.result.jsonSchema,
    example: declaration.example,
    errors: declaration.errors ?? [],
    cost: declaration.cost ?? 1,
    answer,
    text: async (call, json) => JSON.stringify(await answer(call, json)),
  }
}

/** A family's query under its own name; what is undefined there is `<family>/not-found` here. */
export function serveQuery(query: Query<never, unknown>, example: JsonObject): Method {
  const family = query.method.split('_', 1)[0] as string
  const notFound = `${family}/not-found`
  const declaration: Declaration<never, unknown> = { method: query.method, summary: query.summary, params: query.params, result: query.result, example, errors: query.alwaysAnswers === true ? [] : [notFound], cost: 3 }
  const ask = ({ backend }: Call, params: never): Promise<{ readonly height: Height; readonly result: unknown }> =>
    backend.query(async (view, head) => {
      const result = await query.run(view, params, head)
      if (result === undefined) throw new DongbaekError(notFound, `${query.method}: there is no such thing at the head of this node`)
      return { height: head.height, result }
    })
  return {
    ...serve(declaration, async (call, params) => (await ask(call, params)).result),
    text: (call, json) =>
      call.answers.text(`${query.method} ${JSON.stringify(json)}`, async () => {
        const { height, result } = await ask(call, readParams(declaration, json))
        return { height, text: JSON.stringify(query.result.toJson(result)) }
      }),
  }
}

function readParams<P>({ params }: { readonly params: Declaration<P, unknown>['params'] }, json: Json): P {
  try {
    return params.fromJson(json, '')
  } catch (thrown) {
    if (thrown instanceof DongbaekError) throw new InvalidParams(thrown)
    throw thrown
  }
}
