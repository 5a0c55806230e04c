// The RPC server: fastify with every limit set (it has none by default), JSON-RPC over POST / and /ws, and the plain pages of http.ts.
// An assertion that breaks while a stranger's call is answered is logged and answered as −32603: a read must not be able to stop the node.
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { DongbaekError } from '../primitives/errors.ts'
import { createAnswers } from './answers.ts'
import type { Backend } from './backend.ts'
import { limitConnections } from './connections.ts'
import { allowOrigins, mayOpen } from './cors.ts'
import { type Caller, createDispatcher, errorText } from './dispatch.ts'
import { internalError, invalidRequestNumber, rpcErrorOf } from './errors.ts'
import { createFeed } from './feed.ts'
import { addPlainRoutes } from './http.ts'
import {
  callsBurstDefault,
  callsPerSecondDefault,
  connectionsMax,
  connectionsPerAddressDefault,
  connectionTimeoutMs,
  headersTimeoutMs,
  keepAliveTimeoutMs,
  requestBytesMax,
  requestTimeoutMs,
  socketsMax,
  stopGraceMs,
  timeoutTickMs,
} from './limits.ts'
import { type ApiKey, createRates, rateLimited, type Take } from './rates.ts'
import { createCallMetrics } from './metrics.ts'
import { methods } from './methods/table.ts'
import { openRpcDocument } from './openrpc.ts'
import { closeGoingAway, type Connection, serveConnection } from './websocket.ts'

/** The part of the node's log that is used here. */
export interface RpcLog {
  readonly debug: (event: string, data?: Readonly<Record<string, unknown>>) => void
  readonly info: (event: string, data?: Readonly<Record<string, unknown>>) => void
  readonly warn: (event: string, data?: Readonly<Record<string, unknown>>) => void
  readonly error: (event: string, data?: Readonly<Record<string, unknown>>) => void
}

export interface RpcServerOptions {
  readonly host: string
  /** 0 takes a free one: see `address`. */
  readonly port: number
  readonly log: RpcLog
  /** Calls of one address: a second, and saved up at most. `perSecond` 0 means no limit. */
  readonly rate?: { readonly perSecond: number; readonly burst: number }
  /** Whoever bears one has its rate instead of the address's. */
  readonly keys?: readonly ApiKey[]
  /** Connections of one address; 0 means no limit, as behind a proxy by default. */
  readonly connectionsPerAddress?: number
  /** Origins whose pages may call from a browser; `*` is all of them. None by default. */
  readonly origins?: readonly string[]
  /** Behind a proxy of one's own: how many in a row, so that rates count the client's address and not the proxy's. */
  readonly proxies?: number
  /** For tests; limits.ts has the real ones. */
  readonly timeouts?: Partial<{ readonly requestMs: number; readonly headersMs: number; readonly tickMs: number; readonly stopGraceMs: number; readonly slowReaderMs: number }>
}

export interface RpcServer {
  /** Throws `rpc/listen` when the address cannot be bound. */
  readonly start: () => Promise<void>
  /** Takes nothing new, lets what is under way end for `stopGraceMs`, then cuts it. Idempotent. */
  readonly stop: () => Promise<void>
  /** Where it listens, with the real port; undefined when it does not. */
  readonly address: () => { readonly host: string; readonly port: number; readonly url: string } | undefined
  /** Prometheus text: the node's and its own. */
  readonly metrics: () => Promise<string>
}

export function createRpcServer(backend: Backend, options: RpcServerOptions): RpcServer {
  const { log, timeouts = {} } = options
  const app = fastify({
    bodyLimit: requestBytesMax,
    requestTimeout: timeouts.requestMs ?? requestTimeoutMs,
    connectionTimeout: connectionTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    http: { headersTimeout: timeouts.headersMs ?? headersTimeoutMs, connectionsCheckingInterval: timeouts.tickMs ?? timeoutTickMs },
    forceCloseConnections: 'idle',
    exposeHeadRoutes: true,
    trustProxy: options.proxies === undefined ? false : trustFirst(options.proxies),
  })
  app.server.maxConnections = connectionsMax
  limitConnections(app.server, options.connectionsPerAddress ?? (options.proxies === undefined ? connectionsPerAddressDefault : 0))

  const rate = options.rate ?? { perSecond: callsPerSecondDefault, burst: callsBurstDefault }
  const rates = createRates({ address: rate, keys: options.keys ?? [], nowMs: () => performance.now() })
  /** Of each request, from its first line on. */
  const takes = new WeakMap<FastifyRequest, Take>()
  const takeOf = (request: FastifyRequest): Take => takes.get(request) as Take
  const feed = createFeed(backend)
  const answers = createAnswers(() => backend.head().height)
  const document = openRpcDocument(backend.status().version)
  const callMetrics = createCallMetrics()
  const metrics = async (): Promise<string> => `${await backend.metrics()}${callMetrics.text({ sockets: connections.size })}`
  const context = { backend, feed, answers, discover: () => document }
  const dispatcher = createDispatcher({
    methods,
    context,
    onInternalError: (method, error) => log.error('rpc-internal-error', { method, error }),
    onCall: callMetrics.count,
  })
  const waiting = new Set<AbortController>()
  const connections = new Set<Connection>()

  /** Costs an AbortController only when asked for. Aborts when the caller has gone, or at a stop. */
  const callerOf = (request: FastifyRequest, reply: FastifyReply): Caller => {
    let gone: AbortController | undefined
    return {
      own: noMethods,
      take: takeOf(request),
      get signal() {
        if (gone === undefined) {
          const made = (gone = new AbortController())
          waiting.add(made)
          reply.raw.once('close', () => {
            waiting.delete(made)
            made.abort()
          })
          if (stopping !== undefined) made.abort()
        }
        return gone.signal
      },
    }
  }

  const origins = options.origins ?? []
  allowOrigins(app, origins)
  // hooks that call back: each that were async would cost every request a promise
  app.addHook('onRequest', (request, reply, done) => {
    try {
      const { take } = rates.of(request.ip, request.headers.authorization)
      takes.set(request, take)
      const waitMs = take(1)
      if (waitMs > 0) throw rateLimited(waitMs)
    } catch (thrown) {
      const refusal = rpcErrorOf(thrown)
      const retryAfterMs = refusal.data?.['retryAfterMs']
      if (typeof retryAfterMs === 'number') reply.code(429).header('retry-after', Math.ceil(retryAfterMs / 1_000))
      else reply.code(401).header('www-authenticate', 'Bearer')
      reply.type(jsonType).send(errorText('null', refusal))
      return
    }
    done()
  })
  // an answer during the stop ends its connection too; fastify says so only to requests that came after the stop
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (stopping !== undefined) reply.header('connection', 'close')
    done(null, payload)
  })
  // what asked for a WebSocket and was answered otherwise is no connection of Node's any more: nobody else would close it, and a stop would wait for it for ever
  app.addHook('onResponse', (request, _reply, done) => {
    if (request.headers.upgrade !== undefined) request.raw.socket.destroySoon()
    done()
  })
  answerErrors(app, log)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  app.post('/', async (request, reply) => {
    const text = await dispatcher.answer(request.body instanceof Uint8Array ? request.body : new Uint8Array(0), callerOf(request, reply))
    return text === undefined ? reply.code(204).send() : reply.type(jsonType).send(text)
  })
  addPlainRoutes(app, { backend, document, metrics, callOf: (request, reply) => ({ ...context, signal: callerOf(request, reply).signal }) })
  addSocketRoute(app)

  function addSocketRoute(to: FastifyInstance): void {
    // preClose: our own close of each connection says why; ws would close them without a reason
    to.register(fastifyWebsocket, { options: { maxPayload: requestBytesMax, perMessageDeflate: false }, preClose: (done: () => void) => done(), errorHandler: (_error, socket) => socket.terminate() })
    to.register(async (scope) => {
      const refuseStrangers = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
        if (mayOpen(request, origins)) return done()
        reply.code(403).type(jsonType).send(errorText('null', { code: invalidRequestNumber, message: 'Invalid Request: pages of this origin may not call here; an operator lists those that may in rpc.origins' }))
      }
      scope.get('/ws', { websocket: true, onRequest: refuseStrangers }, (socket, request) => {
        const connection = serveConnection({
          socket,
          dispatcher,
          feed,
          take: takeOf(request),
          onError: (error) => log.error('rpc-socket-error', { error }),
          onClosed: () => connections.delete(connection),
          ...(timeouts.slowReaderMs === undefined ? {} : { slowReaderMs: timeouts.slowReaderMs }),
        })
        connections.add(connection)
        if (stopping !== undefined) connection.close(closeGoingAway, 'the node is stopping')
        else if (connections.size > socketsMax) connection.close(1013, 'this node has as many connections as it may have')
      })
    })
  }

  let forgetBlocks: (() => void) | undefined
  let stopping: Promise<void> | undefined

  const stopNow = async (): Promise<void> => {
    forgetBlocks?.()
    for (const connection of connections) connection.close(closeGoingAway, 'the node is stopping')
    for (const one of waiting) one.abort()
    const cut = setTimeout(() => app.server.closeAllConnections(), timeouts.stopGraceMs ?? stopGraceMs)
    await app.close()
    clearTimeout(cut)
    log.info('rpc-stopped')
  }

  return {
    start: async () => {
      try {
        await app.listen({ host: options.host, port: options.port })
      } catch (cause) {
        throw listenError('the RPC', options, cause)
      }
      forgetBlocks = backend.onBlock(() => wake(connections))
      log.info('rpc-listening', { url: addressOf(app)?.url })
    },
    stop: async () => {
      stopping ??= stopNow()
      await stopping
    },
    address: () => addressOf(app),
    metrics,
  }
}

export const jsonType = 'application/json; charset=utf-8'
const noMethods: Caller['own'] = new Map()

function wake(connections: ReadonlySet<Connection>): void {
  for (const connection of connections) connection.wake()
}

/** The last `count` addresses of X-Forwarded-For are our own proxies. */
function trustFirst(count: number): (address: string, hop: number) => boolean {
  return (_, hop) => hop < count
}

/** What fastify itself refuses, and what breaks: in the form of JSON-RPC, without a stack. */
export function answerErrors(app: FastifyInstance, log: RpcLog): void {
  app.setErrorHandler(async (error: { readonly statusCode?: number; readonly code?: string }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) {
      log.error('rpc-request-error', { error, url: request.url.slice(0, 200) })
      return reply.code(500).type(jsonType).send(errorText('null', internalError))
    }
    // the rest of a body that is too large is not read
    if (status === 413) reply.header('connection', 'close')
    return reply.code(status).type(jsonType).send(errorText('null', { code: invalidRequestNumber, message: `Invalid Request: ${sentenceOf(status)}` }))
  })
  app.setNotFoundHandler(async (_request, reply) => {
    return reply.code(404).type(jsonType).send(errorText('null', { code: invalidRequestNumber, message: 'Invalid Request: there is nothing at this address; JSON-RPC is POST /' }))
  })
}

function sentenceOf(status: number): string {
  switch (status) {
    case 413:
      return `at most ${requestBytesMax} bytes in a request`
    case 415:
      return 'send the body as Content-Type: application/json'
    default:
      return 'the request cannot be read'
  }
}

export function listenError(who: string, { host, port }: { readonly host: string; readonly port: number }, cause: unknown): DongbaekError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const why = code === 'EADDRINUSE' ? 'another program listens there already' : code === 'EACCES' ? 'this user may not listen there' : code === 'EADDRNOTAVAIL' ? 'this machine does not have that address' : 'the address cannot be bound'
  return new DongbaekError('rpc/listen', `${who} cannot listen at ${host}:${port}: ${why}. Choose another port or address`, { host, port, reason: code }, { cause })
}

export function addressOf(app: FastifyInstance): { host: string; port: number; url: string } | undefined {
  const bound = app.server.address()
  if (bound === null || typeof bound === 'string') return undefined
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
  return { host: bound.address, port: bound.port, url: `http://${host}:${bound.port}` }
}
