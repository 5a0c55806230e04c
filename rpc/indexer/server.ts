// The map over HTTP: GeoJSON for browsers and map tiles of others' making. Read only and public, so every origin may ask.
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { DongbaekError } from '../../primitives/errors.ts'
import { type Json, type JsonObject, slug } from '../../primitives/schema.ts'
import { bbox as bboxSchema, livingAreaFeature } from '../../state/reservation/geojson.ts'
import { categories, type Category } from '../../state/reservation/types.ts'
import type { Following, IndexerLog } from './follow.ts'
import { collection, courseFeature, facilityFeature, slotFeature } from './geojson.ts'
import { bodyBytesMax, connectionsMax, distanceMMax, featuresDefault, featuresMax, requestTimeoutMs } from './limits.ts'
import { type After, findAreas, findCourses, findFacilities, findSlots, type PageOf, type When, type Where } from './queries.ts'
import type { Database } from './sql.ts'
import type { Progress } from './tables.ts'

const dayMs = 86_400_000
/** Slots are looked for in a stretch of this length, unless another is asked for. */
const stretchMs = 31 * dayMs
const stretchMsMax = 366 * dayMs

const geoJsonType = 'application/geo+json; charset=utf-8'

const number = String.raw`-?\d{1,3}(?:\.\d{1,15})?`
const id: JsonObject = slug.jsonSchema
const time: JsonObject = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }
const bbox: JsonObject = { type: 'string', maxLength: 100, pattern: `^${number}(?:,${number}){3}$`, description: 'west,south,east,north in degrees' }
const where: JsonObject = {
  livingArea: id,
  category: { enum: categories },
  bbox,
  near: { type: 'string', maxLength: 50, pattern: `^${number},${number}$`, description: 'longitude,latitude in degrees' },
  distanceM: { type: 'integer', minimum: 1, maximum: distanceMMax, description: 'with near: within so many metres of it' },
}
const when: JsonObject = { fromMs: time, toMs: time }
const page: JsonObject = { limit: { type: 'integer', minimum: 1, maximum: featuresMax }, after: { type: 'string', maxLength: 90, pattern: String.raw`^\d{1,16}\.[a-z0-9-]{1,64}$`, description: 'next of the page before' } }

interface Query {
  readonly livingArea?: string
  readonly category?: Category
  readonly bbox?: string
  readonly near?: string
  readonly distanceM?: number
  readonly fromMs?: number
  readonly toMs?: number
  readonly limit?: number
  readonly after?: string
  readonly facility?: string
  readonly course?: string
}

export interface MapServer {
  /** Throws `indexer/listen`. */
  readonly start: (host: string, port: number) => Promise<string>
  readonly stop: () => Promise<void>
}

export function createMapServer(database: Database, following: Following, log: IndexerLog): MapServer {
  const app = fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 2 * requestTimeoutMs,
    forceCloseConnections: true,
    exposeHeadRoutes: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: true, allErrors: false } },
  })
  app.server.maxConnections = connectionsMax
  answerErrors(app, log)
  app.addHook('onRequest', async (_request, reply) => void reply.header('access-control-allow-origin', '*'))

  const get = (path: string, properties: JsonObject, answer: (query: Query, at: Progress) => Promise<JsonObject>): void => {
    app.get(path, { schema: { querystring: { type: 'object', properties, additionalProperties: false } } }, async ({ query }, reply) => {
      const at = following.progress()
      if (at === undefined) throw new DongbaekError('indexer/not-ready', 'no node has told yet where the chain begins. Ask again in a moment; /status says more')
      return reply.type(geoJsonType).send(JSON.stringify(await answer(query as Query, at)))
    })
  }

  get('/living-areas', { livingArea: id, bbox }, async (query, at) => {
    const areas = await findAreas(database, { livingArea: query.livingArea, ...whereOf(query) })
    return collection(areas.map(livingAreaFeature), undefined, at)
  })
  get('/facilities', { ...where, ...when, ...page }, async (query, at) => {
    const { rows, next } = await findFacilities(database, whereOf(query), whenOf(query, at), pageOf(query))
    return collection(rows.map((row) => facilityFeature(row, query.near !== undefined)), next, at)
  })
  get('/courses', { ...where, ...when, ...page }, async (query, at) => {
    const { rows, next } = await findCourses(database, whereOf(query), whenOf(query, at), pageOf(query))
    return collection(rows.map((row) => courseFeature(row, query.near !== undefined)), next, at)
  })
  get('/slots', { ...where, facility: id, course: id, ...when, ...page }, async (query, at) => {
    const { rows, next } = await findSlots(database, { ...whereOf(query), facility: query.facility, course: query.course }, whenOf(query, at), pageOf(query))
    return collection(rows.map((row) => slotFeature(row, query.near !== undefined)), next, at)
  })
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/status', async (_request, reply) => sendStatus(reply, following))

  return {
    start: async (host, port) => {
      try {
        const url = await app.listen({ host, port })
        log.info('indexer-listening', { url })
        return url
      } catch (cause) {
        throw new DongbaekError('indexer/listen', `the map cannot be served at ${host}:${port}: ${(cause as Error).message}. Choose another address or port`, { host, port }, { cause })
      }
    },
    stop: async () => app.close(),
  }
}

/** 503 while a node is missing or there is more to catch up with, for a load balancer. */
async function sendStatus(reply: FastifyReply, following: Following): Promise<FastifyReply> {
  const at = following.progress()
  const [node, problem] = [following.node(), following.problem()]
  const caughtUp = following.caughtUp() && problem === undefined
  const progress: JsonObject = at === undefined ? {} : { chainId: at.chainId, genesisHash: at.genesisHash, height: at.height, hash: at.hash, timeMs: at.timeMs, cursor: at.cursor }
  return reply.code(caughtUp ? 200 : 503).send({ caughtUp, ...progress, ...(node !== undefined && { node }), ...(problem !== undefined && { problem }) })
}

function whereOf({ livingArea, category, bbox: box, near, distanceM }: Query): Where {
  if ((near === undefined) !== (distanceM === undefined)) throw invalid('near and distanceM go together')
  const [longitude = 0, latitude = 0] = near === undefined ? [] : near.split(',').map((degrees) => Math.round(Number(degrees) * 1_000_000))
  if (Math.abs(longitude) > 180_000_000 || Math.abs(latitude) > 90_000_000) throw invalid('near is longitude,latitude in degrees')
  return { livingArea, category, bbox: box === undefined ? undefined : readBox(box.split(',').map(Number)), near: near === undefined || distanceM === undefined ? undefined : { longitude, latitude, distanceM } }
}

function readBox(sides: readonly Json[]): Where['bbox'] {
  try {
    return bboxSchema.fromJson(sides, 'bbox')
  } catch (cause) {
    throw invalid('bbox is west,south,east,north in degrees, west not east of east and south not north of north', cause)
  }
}

/** From the time of the last block on, unless the caller says from when. */
function whenOf({ fromMs, toMs }: Query, { timeMs }: Progress): When {
  const from = fromMs ?? timeMs
  const to = toMs ?? from + stretchMs
  if (to <= from || to - from > stretchMsMax) throw invalid('toMs lies after fromMs, by at most 366 days')
  return { fromMs: from, toMs: to }
}

function pageOf({ limit = featuresDefault, after }: Query): PageOf {
  return { limit, after: after === undefined ? undefined : afterOf(after) }
}

function afterOf(token: string): After {
  const [place, name] = token.split('.') as [string, string]
  return { place: Number(place), id: name }
}

function invalid(message: string, cause?: unknown): DongbaekError {
  return new DongbaekError('indexer/invalid-query', message, {}, { cause })
}

const statuses: Readonly<Record<string, number>> = { 'indexer/invalid-query': 400, 'indexer/not-ready': 503 }

/** `{ error: { code, message } }`; what broke inside is in the log alone. */
function answerErrors(app: FastifyInstance, log: IndexerLog): void {
  app.setErrorHandler(async (error: Error & { readonly statusCode?: number; readonly validation?: unknown }, request, reply) => {
    const status = error instanceof DongbaekError ? (statuses[error.code] ?? 500) : (error.statusCode ?? 500)
    if (status >= 500 && status !== 503) {
      log.error('indexer-request-failed', { error: error.message, url: request.url.slice(0, 200) })
      return reply.code(500).send({ error: { code: 'internal', message: 'The indexer failed to answer. Its log says why.' } })
    }
    const code = error instanceof DongbaekError ? error.code : 'indexer/invalid-query'
    return reply.code(status).send({ error: { code, message: error.message } })
  })
  app.setNotFoundHandler(async (_request, reply) => reply.code(404).send({ error: { code: 'indexer/no-such-page', message: 'GET /facilities, /courses, /slots, /living-areas or /status; docs/indexer.md' } }))
}
