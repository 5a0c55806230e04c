// Cross-origin calls (fetch.spec.whatwg.org, CORS): which pages of other origins a browser may let call this node. Nothing here is secret or
// tied to a cookie, so this guards a node that only its own network should reach from being used through a visitor's browser.
import type { FastifyInstance, FastifyRequest } from 'fastify'

const preflightSeconds = 600

/**
 * `*` in the list allows every origin. With an empty list no header is sent, and browsers refuse. To be called before other hooks: a page must be able to read what these refuse, or
 * it takes a node that tells it to wait for one that is gone. A preflight is answered here and now, for no more than its refusal would cost.
 */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return
  const every = origins.includes('*')
  const allowed = new Set(origins)
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers
    // of every answer, so that what a cache keeps of one caller is not given to another
    if (!every) reply.header('vary', 'origin')
    if (!every && (origin === undefined || !allowed.has(origin))) return done()
    reply.header('access-control-allow-origin', every ? '*' : origin)
    if (request.method !== 'OPTIONS') return done()
    reply
      .code(204)
      .header('access-control-allow-methods', 'GET, POST')
      .header('access-control-allow-headers', 'content-type')
      .header('access-control-max-age', preflightSeconds)
      .send()
  })
  app.options('/*', async (_request, reply) => reply.code(204).send())
}

/**
 * Whether a WebSocket may be opened. A browser opens one to anywhere without asking beforehand, and lets the page read what comes, so the node has to look. Without an origin it is no
 * page; and what the node itself has served, or the proxy before it by the same name, may call it as it may over HTTP.
 */
export function mayOpen({ headers: { origin, host } }: FastifyRequest, origins: readonly string[]): boolean {
  if (origin === undefined || origins.includes('*') || origins.includes(origin)) return true
  return URL.canParse(origin) && new URL(origin).host === host
}
