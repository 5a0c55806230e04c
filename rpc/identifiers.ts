// The HTTP binding of DID Resolution (section 12.1), which the Universal Resolver speaks: 200 resolved · 400 no valid DID or option · 404 not found ·
// 406 no representation that was asked for · 410 deactivated · 501 another method or an option that there is not. What it answers with goes by `Accept`.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DongbaekError } from '../primitives/errors.ts'
import type { Json, JsonObject } from '../primitives/schema.ts'
import { documentTypes, fail, resolveDid, type Resolved, type Unresolved } from './api/resolution.ts'
import { rpcErrorOf } from './errors.ts'
import type { Call } from './methods/method.ts'
import { methods } from './methods/table.ts'

const resultType = 'application/did-resolution'
/** What resolvers asked for before there was a type for the result. Errors are the words of the `did-resolver` package then, since its drivers read those. */
const olderResultTypes: ReadonlySet<string> = new Set(['application/ld+json', 'application/json'])
const acceptCharactersMax = 1_000

interface Wanted {
  readonly type: string
  readonly form: 'result' | 'older-result' | 'document'
}

export function addResolverRoute(app: FastifyInstance, callOf: (request: FastifyRequest, reply: FastifyReply) => Call): void {
  // a wildcard, since the DIDs of other methods may be long, and a path after a DID is a mistake to be told
  app.get('/1.0/identifiers/*', async (request: FastifyRequest<{ Params: { readonly '*': string }; Querystring: Readonly<Record<string, unknown>> }>, reply) => {
    const wanted = representation(request.headers.accept)
    if (wanted === undefined) return sendFailure(reply, undefined, fail('notAcceptable', `ask for ${resultType} or ${documentTypes[0]}`))
    let found: Resolved | Unresolved
    try {
      found = await resolveDid(async (params) => ask(callOf(request, reply), params), request.params['*'], request.query)
    } catch (thrown) {
      const { code, message } = rpcErrorOf(thrown)
      request.log.error({ code })
      found = fail('internal', message)
    }
    return 'failure' in found ? sendFailure(reply, wanted, found) : answer(reply, wanted, found)
  })
  app.get('/1.0/identifiers', async (request, reply) => sendFailure(reply, representation(request.headers.accept), fail('invalidDid', 'the path ends with the DID to resolve')))
}

async function ask(call: Call, params: JsonObject): Promise<Json> {
  const method = methods.get('did_resolve')
  if (method === undefined) throw new DongbaekError('did/not-found', 'this node resolves no DIDs')
  return method.answer(call, params)
}

function answer(reply: FastifyReply, { type, form }: Wanted, { didDocument, didDocumentMetadata }: Resolved): FastifyReply {
  const status = didDocumentMetadata['deactivated'] === true ? 410 : 200
  if (form === 'document') return send(reply, status, type, didDocument)
  return send(reply, status, type, { didDocument, didResolutionMetadata: { contentType: documentTypes[0] }, didDocumentMetadata })
}

/** Always a whole result, since a document cannot say what is wrong. */
function sendFailure(reply: FastifyReply, wanted: Wanted | undefined, { failure: { status, name, type, title }, detail }: Unresolved): FastifyReply {
  const older = wanted?.form === 'older-result'
  const metadata: JsonObject = older ? { error: name, errorMessage: detail } : { error: { type, title, detail, name } }
  return send(reply, status, older ? wanted.type : resultType, { didDocument: null, didResolutionMetadata: metadata, didDocumentMetadata: {} })
}

function send(reply: FastifyReply, status: number, type: string, body: Json): FastifyReply {
  // besides what cors.ts has said
  return reply.code(status).header('content-type', type).header('vary', reply.hasHeader('vary') ? 'Accept, Origin' : 'Accept').send(JSON.stringify(body))
}

/** The type of the Accept header that the caller likes best of those that we have (RFC 9110, section 12.5.1); the whole result without one. */
function representation(accept: string | undefined): Wanted | undefined {
  if (accept === undefined || accept === '') return { type: resultType, form: 'result' }
  const asked = accept.slice(0, acceptCharactersMax).split(',').map((part) => {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase())
    const quality = parameters.find((one) => one.startsWith('q='))
    return { name, quality: quality === undefined ? 1 : Number(quality.slice(2)) }
  })
  for (const { name } of asked.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality)) {
    if (name === resultType || name === '*/*' || name === 'application/*') return { type: resultType, form: 'result' }
    if (olderResultTypes.has(name)) return { type: name, form: 'older-result' }
    if ((documentTypes as readonly string[]).includes(name)) return { type: name, form: 'document' }
  }
  return undefined
}
