// Status lists over plain HTTP, at the address that credentials name: `GET /credentials/status/{list}/{segment}`.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DongbaekError } from '../primitives/errors.ts'
import type { JsonObject } from '../primitives/schema.ts'
import { slug } from '../primitives/schema.ts'
import { statusSegment } from './api/credential.ts'
import { rpcErrorOf } from './errors.ts'
import { statusListCredential } from './methods/credential.ts'
import type { Call } from './methods/method.ts'

/** How long a verifier may keep a list; a withdrawal is noticed within this time. */
const maxAgeSeconds = 60
const hostForm = /^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/

export function addStatusListRoute(app: FastifyInstance, callOf: (request: FastifyRequest, reply: FastifyReply) => Call): void {
  app.get('/credentials/status/:list/:segment', async (request: FastifyRequest<{ Params: { readonly list: string; readonly segment: string } }>, reply) => {
    let found: JsonObject
    try {
      const { list, segment } = readPlace(request.params)
      const { protocol, host } = request
      // the name that the caller used, unless it is no name
      const id = hostForm.test(host) ? `${protocol}://${host}/credentials/status/${list}/${segment}` : undefined
      found = await statusListCredential(callOf(request, reply).backend, list, segment, id)
    } catch (thrown) {
      const { code, message } = rpcErrorOf(thrown)
      const known = thrown instanceof DongbaekError && thrown.code === 'credential/not-found'
      if (!known) request.log.error({ code })
      return reply.code(known ? 404 : 500).send({ code: known ? thrown.code : 'internal', message })
    }
    return reply.header('content-type', 'application/vc').header('cache-control', `public, max-age=${maxAgeSeconds}`).send(JSON.stringify(found))
  })
}

/** What has another form names no list. */
function readPlace(params: { readonly list: string; readonly segment: string }): { readonly list: string; readonly segment: number } {
  try {
    if (!/^(?:0|[1-9][0-9]{0,3})$/.test(params.segment)) throw new DongbaekError('codec/invalid', 'a segment is a number')
    return { list: slug.fromJson(params.list, 'list'), segment: statusSegment.fromJson(Number(params.segment), 'segment') }
  } catch (cause) {
    throw new DongbaekError('credential/not-found', 'there is no such status list', {}, { cause })
  }
}
