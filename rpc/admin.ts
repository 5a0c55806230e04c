// Administration: JSON-RPC on a loopback port of its own, for whoever may log in to the machine. There is no password, so nothing but loopback is ever bound (the
// configuration refuses it), and what a browser on that machine could be made to send by a page is refused: a foreign Host (DNS rebinding) and any Origin.
import fastify from 'fastify'
import type { SnapshotRequest, LogLevel } from './api/admin.ts'
import { adminLogLevel, adminSnapshot, adminStop } from './api/admin.ts'
import { nodePeersMethod, nodeStatusMethod, type NodeStatus, type PeerStatus } from './api/node.ts'
import { type Caller, createDispatcher, errorText } from './dispatch.ts'
import { invalidRequestNumber } from './errors.ts'
import { adminRequestBytesMax, connectionTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs, requestTimeoutMs, stopGraceMs, timeoutTickMs } from './limits.ts'
import { type Method, serve } from './methods/method.ts'
import { addressOf, answerErrors, jsonType, listenError, type RpcLog } from './server.ts'

/** What an operator may have of a running node. */
export interface Operator {
  readonly status: () => NodeStatus
  readonly peers: () => readonly PeerStatus[]
  /** Prometheus text, that of the RPC included. */
  readonly metrics: () => Promise<string>
  readonly logLevel: () => LogLevel
  readonly setLogLevel: (level: LogLevel) => void
  readonly makeSnapshot: () => SnapshotRequest
  /** Begins to stop the node; must not wait. */
  readonly stop: () => void
}

export interface AdminServer {
  /** Throws `rpc/listen` when the address cannot be bound. */
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  /** With the real port; undefined when it does not listen. */
  readonly url: () => string | undefined
}

export interface AdminServerOptions {
  /** A loopback address. */
  readonly host: string
  readonly port: number
  readonly log: RpcLog
}

export function createAdminServer(operator: Operator, { host, port, log }: AdminServerOptions): AdminServer {
  const app = fastify({
    bodyLimit: adminRequestBytesMax,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: timeoutTickMs },
    forceCloseConnections: 'idle',
  })
  const dispatcher = createDispatcher({
    methods: new Map(adminMethods(operator, log).map((method) => [method.method, method])),
    context: noContext,
    onInternalError: (method, error) => log.error('admin-internal-error', { method, error }),
    onCall: () => {},
  })

  app.addHook('onRequest', async (request, reply) => {
    const why = foreign(request.headers)
    if (why === undefined) return
    log.warn('admin-refused', { why })
    await reply.code(403).type(jsonType).send(errorText('null', { code: invalidRequestNumber, message: `Invalid Request: administration is for programs on this machine, not for pages: ${why}` }))
  })
  answerErrors(app, log)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.post('/', async (request, reply) => {
    const text = await dispatcher.answer(request.body instanceof Uint8Array ? request.body : new Uint8Array(0), local)
    return text === undefined ? reply.code(204).send() : reply.type(jsonType).send(text)
  })
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4; charset=utf-8').send(await operator.metrics()))

  return {
    start: async () => {
      try {
        await app.listen({ host, port })
      } catch (cause) {
        throw listenError('the administration', { host, port }, cause)
      }
      log.info('admin-listening', { url: addressOf(app)?.url })
    },
    stop: async () => {
      const cut = setTimeout(() => app.server.closeAllConnections(), stopGraceMs)
      await app.close()
      clearTimeout(cut)
    },
    url: () => addressOf(app)?.url,
  }
}

/** Whoever is on the machine is trusted with it, so nothing is counted. */
const local: Caller = { own: new Map(), take: () => 0, signal: new AbortController().signal }

/** The methods here close over the operator and ask for nothing else. */
const noContext = {} as Parameters<typeof createDispatcher>[0]['context']

function adminMethods(operator: Operator, log: RpcLog): readonly Method[] {
  return [
    serve(nodeStatusMethod, () => operator.status()),
    serve(nodePeersMethod, () => ({ items: operator.peers() })),
    serve(adminLogLevel, (_call, { level }) => {
      if (level !== undefined) {
        operator.setLogLevel(level)
        log.info('log-level', { level })
      }
      return { level: operator.logLevel() }
    }),
    serve(adminSnapshot, () => operator.makeSnapshot()),
    serve(adminStop, () => {
      // after the answer has been written
      setImmediate(operator.stop)
      return { stopping: 'yes' as const }
    }),
  ]
}

/** Names of this machine, with any port: a page of another name that resolves to loopback is not meant. */
const loopbackName = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|localhost)(?::\d{1,5})?$/i

function foreign({ host, origin }: { readonly host?: string | undefined; readonly origin?: string | undefined }): string | undefined {
  if (origin !== undefined) return `the request has the origin ${origin.slice(0, 100)}`
  return host !== undefined && loopbackName.test(host) ? undefined : 'the Host header names no loopback address'
}
