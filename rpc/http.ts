// Plain HTTP beside JSON-RPC: is the process there, is the node ready, what does it count, what can it do, and who is this DID.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { JsonObject } from '../primitives/schema.ts'
import { apiPage } from './api-page.ts'
import type { Backend } from './backend.ts'
import { addResolverRoute } from './identifiers.ts'
import type { Call } from './methods/method.ts'
import { addStatusListRoute } from './status-lists.ts'

export interface PlainRoutes {
  readonly backend: Backend
  readonly document: JsonObject
  readonly metrics: () => Promise<string>
  readonly callOf: (request: FastifyRequest, reply: FastifyReply) => Call
}

export function addPlainRoutes(app: FastifyInstance, { backend, document, metrics, callOf }: PlainRoutes): void {
  const openRpc = JSON.stringify(document)

  /** The process runs and answers. */
  app.get('/healthz', async () => ({ status: 'ok' }))

  /** Whether a load balancer should send anyone here; 503 with the reasons when not. */
  app.get('/readyz', async (_request, reply) => {
    const { ready, syncing, behind, head, problems } = backend.status()
    reply.header('dongbaek-behind-blocks', behind.blocks).header('dongbaek-behind-ms', behind.ms)
    return reply.code(ready ? 200 : 503).send({ ready, syncing, behind, headHeight: head.height, reasons: ready ? [] : problems })
  })

  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await metrics()))

  app.get('/openrpc.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(openRpc))

  // made when somebody asks: most nodes are never asked
  let page: string | undefined
  app.get('/api', async (_request, reply) => reply.type('text/html; charset=utf-8').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'").send((page ??= apiPage(document))))

  app.get('/', async (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send(`Dongbaek node of ${backend.chainId}\nJSON-RPC 2.0: POST / and WebSocket /ws\nMethods: /api for reading, /openrpc.json for programs\nHealth: /healthz /readyz /metrics\n`),
  )

  addResolverRoute(app, callOf)
  addStatusListRoute(app, callOf)
}
