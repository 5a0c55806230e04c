// The HTTP binding of DID Resolution (w3.org/TR/did-resolution, bindings), which the Universal Resolver speaks:
// 200 resolved · 400 no valid DID or option · 404 not found · 406 no representation that was asked for · 410 deactivated · 501 another method.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DongbaekError } from '../primitives/errors.ts'
import type { Json, JsonObject } from '../primitives/schema.ts'
import { did } from '../primitives/schema.ts'
import { InvalidParams, rpcErrorOf } from './errors.ts'
import type { Call } from './methods/method.ts'
import { methods } from './methods/table.ts'

const resolutionType = 'application/did-resolution'
/** The whole result of resolution. The second is what resolvers asked for before the first was registered. */
const resultTypes: ReadonlySet<string> = new Set([resolutionType, 'application/ld+json', 'application/json', 'application/*', '*/*'])
/** The document alone. */
const documentTypes: ReadonlySet<string> = new Set(['application/did', 'application/did+json', 'application/did+ld+json'])

/** The name that the `did-resolver` package uses, and the URI of the specification. */
interface Failure {
  readonly status: number
  readonly error: string
  readonly type: string
}

const failures = {
  invalidDid: { status: 400, error: 'invalidDid', type: 'https://www.w3.org/ns/did#INVALID_DID' },
  invalidOptions: { status: 400, error: 'invalidOptions', type: 'https://www.w3.org/ns/did#INVALID_OPTIONS' },
  notFound: { status: 404, error: 'notFound', type: 'https://www.w3.org/ns/did#NOT_FOUND' },
  notAcceptable: { status: 406, error: 'representationNotSupported', type: 'https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED' },
  internal: { status: 500, error: 'internalError', type: 'https://www.w3.org/ns/did#INTERNAL_ERROR' },
  otherMethod: { status: 501, error: 'methodNotSupported', type: 'https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED' },
} as const satisfies Readonly<Record<string, Failure>>

export function addResolverRoute(app: FastifyInstance, callOf: (request: FastifyRequest, reply: FastifyReply) => Call): void {
  app.get('/1.0/identifiers/:did', async (request: FastifyRequest<{ Params: { readonly did: string }; Querystring: Readonly<Record<string, unknown>> }>, reply) => {
    const wanted = representation(request.headers.accept)
    const subject = request.params.did
    if (wanted === undefined) return fail(reply, failures.notAcceptable, `ask for ${resolutionType} or application/did`)
    if (!/^did:[a-z0-9]+:.+$/.test(subject)) return fail(reply, failures.invalidDid, 'this is no DID')
    if (!subject.startsWith('did:dongbaek:')) return fail(reply, failures.otherMethod, 'this node resolves did:dongbaek only')
    if (!isOurs(subject)) return fail(reply, failures.invalidDid, 'did:dongbaek: is followed by 27 base64url characters')
    const options = readOptions(request.query)
    if (options === undefined) return fail(reply, failures.invalidOptions, 'options are versionId or versionTime')
    let result: JsonObject
    try {
      result = await resolve(callOf(request, reply), { did: subject, ...options })
    } catch (thrown) {
      if (thrown instanceof InvalidParams) return fail(reply, failures.invalidOptions, thrown.message)
      if (thrown instanceof DongbaekError && thrown.code === 'did/not-found') return fail(reply, failures.notFound, thrown.message)
      const { code, message } = rpcErrorOf(thrown)
      request.log.error({ code })
      return fail(reply, failures.internal, message)
    }
    return answer(reply, wanted, result)
  })
}

async function resolve(call: Call, params: JsonObject): Promise<JsonObject> {
  const method = methods.get('did_resolve')
  if (method === undefined) throw new DongbaekError('did/not-found', 'this node resolves no DIDs')
  return (await method.answer(call, params)) as JsonObject
}

function answer(reply: FastifyReply, wanted: 'result' | 'document', result: JsonObject): FastifyReply {
  const { didDocument = null, didDocumentMetadata = {} } = result
  const status = (didDocumentMetadata as JsonObject)['deactivated'] === true ? 410 : 200
  if (wanted === 'document') return reply.code(status).header('content-type', 'application/did').send(JSON.stringify(didDocument))
  const didResolutionMetadata: Json = { contentType: 'application/did', ...(result['didResolutionMetadata'] as JsonObject | undefined) }
  return sendResult(reply, status, { ...result, didDocument, didDocumentMetadata, didResolutionMetadata })
}

function fail(reply: FastifyReply, { status, error, type }: Failure, detail: string): FastifyReply {
  return sendResult(reply, status, { didResolutionMetadata: { error, errorMessage: detail, problem: { type, title: error, detail } }, didDocument: null, didDocumentMetadata: {} })
}

function sendResult(reply: FastifyReply, status: number, result: JsonObject): FastifyReply {
  return reply.code(status).header('content-type', resolutionType).send(JSON.stringify(result))
}

function isOurs(subject: string): boolean {
  try {
    did.fromJson(subject, '')
    return true
  } catch {
    return false
  }
}

/** The first type of the Accept header that we have; the whole result without one. */
function representation(accept: string | undefined): 'result' | 'document' | undefined {
  if (accept === undefined || accept === '') return 'result'
  for (const part of accept.slice(0, 1_000).split(',')) {
    const type = (part.split(';', 1)[0] as string).trim().toLowerCase()
    if (resultTypes.has(type)) return 'result'
    if (documentTypes.has(type)) return 'document'
  }
  return undefined
}

/** versionId is a number in our method, versionTime an XML date-time in UTC; did_resolve takes ms. undefined: something else was asked for. */
function readOptions(query: Readonly<Record<string, unknown>>): JsonObject | undefined {
  const options: Record<string, Json> = {}
  for (const [name, value] of Object.entries(query)) {
    if (typeof value !== 'string') return undefined
    if (name === 'versionId' && /^[0-9]{1,15}$/.test(value)) options[name] = Number(value)
    else if (name === 'versionTime') {
      const ms = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?Z$/.test(value) ? Date.parse(value) : Number.NaN
      if (!(ms >= 0)) return undefined
      options[name] = ms
    } else return undefined
  }
  return options
}
