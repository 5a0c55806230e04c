// Calls as strangers make them, from a seed: valid, nearly valid and rubbish, over HTTP and WebSocket, with the plain pages in between; and what must hold of every answer: no status 5xx but
// those that are documented, no error inside, never words of a stack, a result or an error and not both.
import { once } from 'node:events'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import type { Json } from '../../primitives/schema.ts'
import { methodList } from '../../rpc/methods/table.ts'
import { citizens, type City, post } from './scenario.ts'

export interface FuzzResult {
  readonly calls: number
  /** How often each number of an error, each status of a page, or a result was met. */
  readonly seen: Readonly<Record<string, number>>
  /** What should not be, the first of them in words. */
  readonly wrong: readonly string[]
}

interface Answer {
  readonly error?: { readonly code: number }
  readonly result?: Json
}

const roundCalls = 2_000
const lanes = 8
const wrongMax = 10
/** The answers of a resolver and of pages (docs/did.md). */
const pageStatuses: ReadonlySet<number> = new Set([200, 400, 404, 406, 410, 431, 501])
const stackWords = /\\n\s+at |\.ts:\d|node:internal|node_modules/

/** Bodies of POST and texts of WebSocket messages; `ids` are those of transactions that are there. */
function bodies(ids: readonly string[]): fc.Arbitrary<string> {
  // the document is large, and the same each time
  const methods = methodList.filter(({ method }) => method !== 'rpc.discover')
  const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url'))
  const scalar = fc.oneof(
    fc.constantFrom(null, true, 0, 1, -1, 5, 13, 99, 2 ** 53, 1.5, '', 'x', 'multi-child-2025', '../../etc', 'a/b', '1.0', '3.2', '99.0', '16.9999999', citizens[0]!.did, ...ids),
    bytes32,
    fc.string(),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  )
  const names = ['id', 'height', 'hash', 'from', 'to', 'limit', 'cursor', 'filter', 'keys', 'did', 'program', 'merchant', 'transaction', 'transactions', 'timeoutMs', 'body', 'channel', 'facility', 'livingArea', 'bbox', 'order', 'kinds', 'list', 'index', 'versionId']
  const value: fc.Arbitrary<unknown> = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(fc.constantFrom('types', 'did', 'program', 'x'), fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), { maxKeys: 2 }))
  const declared = fc.constantFrom(...methods).chain(({ method, paramsSchema, example }) => {
    const own = Object.keys((paramsSchema as { properties?: object }).properties ?? {})
    const params = own.length === 0 ? fc.constant({}) : fc.dictionary(fc.constantFrom(...own), value, { maxKeys: 1 }).map((some) => ({ ...example, ...some }))
    return params.map((given) => ({ jsonrpc: '2.0', id: 1, method, params: method === 'tx_wait' ? { ...given, timeoutMs: 0 } : given }))
  })
  const loose = fc
    .record({ jsonrpc: fc.constantFrom('2.0', 2), id: fc.oneof(scalar, fc.constant(undefined)), method: fc.oneof(fc.constantFrom(...methods.map(({ method }) => method)), fc.string()), params: fc.oneof(fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }), scalar) }, { requiredKeys: ['method'] })
    .map((one) => (one.method === 'tx_wait' ? { ...one, method: 'tx_get' } : one))
  return fc.oneof(
    { weight: 6, arbitrary: declared.map((one) => JSON.stringify(one)) },
    { weight: 3, arbitrary: loose.map((one) => JSON.stringify(one)) },
    { weight: 1, arbitrary: fc.array(fc.oneof(declared, loose), { maxLength: 4 }).map((calls) => JSON.stringify(calls)) },
    { weight: 1, arbitrary: fc.json() },
    {
      weight: 1,
      arbitrary: fc.tuple(declared, fc.nat(200), fc.constantFrom('"', '{', '\\', '\u0000', '9')).map(([one, at, piece]) => {
        const text = JSON.stringify(one)
        return text.slice(0, at % text.length) + piece + text.slice((at % text.length) + 1)
      }),
    },
  )
}

/** Pages, with an Accept header. */
const pages = fc.record({
  path: fc
    .tuple(fc.constantFrom('/', '/healthz', '/readyz', '/openrpc.json', '/1.0/identifiers/', `/1.0/identifiers/${citizens[0]!.did}`, '/1.0/identifiers/did:dongbaek:', '/credentials/status/', '/credentials/status/citizenship/', '/ws', '/api'), fc.oneof(fc.constantFrom('', '0', '?versionId=1', '?versionTime=2026-01-01T00:00:00Z', '?versionId=x&versionId=2', '/..', '%00', '%ff', '?x=1'), fc.webPath(), fc.webQueryParameters().map((query) => `?${query}`)))
    .map(([start, rest]) => start + rest),
  accept: fc.oneof(fc.constantFrom('*/*', 'text/html', 'application/did', 'application/did-resolution', 'application/ld+json', 'image/png', ';;;q=,', 'a/b;q=x'), fc.string({ unit: fc.constantFrom('a', '/', ';', ',', 'q', '=', '1', '*'), maxLength: 30 })),
})

/** `calls` of them at a server on `city`, whose log is `errors`. The same seed makes the same calls. */
export async function fuzz({ city, url, errors, calls, seed, onProgress = () => {} }: { readonly city: City; readonly url: string; readonly errors: () => readonly unknown[]; readonly calls: number; readonly seed: number; readonly onProgress?: (done: number) => void }): Promise<FuzzResult> {
  const ids = (await city.chain.backend.transactionsByDid(citizens[0]!.did, undefined, 5)).items.map((id) => Buffer.from(id).toString('base64url'))
  const body = bodies(ids)
  const seen: Record<string, number> = {}
  const wrong: string[] = []
  const note = (what: string): void => void (seen[what] = (seen[what] ?? 0) + 1)
  const blame = (what: string): void => void (wrong.length < wrongMax && wrong.push(what))

  const judge = (text: string, asked: string): void => {
    if (stackWords.test(text)) blame(`a stack in ${text}, asked ${asked}`)
    const parsed = text === '' ? [] : (JSON.parse(text) as Answer | readonly Answer[])
    for (const { error, result } of Array.isArray(parsed) ? (parsed as readonly Answer[]) : [parsed as Answer]) {
      if (error?.code === -32603) blame(`an error inside, asked ${asked}`)
      if ((error === undefined) === (result === undefined)) blame(`neither result nor error: ${text}, asked ${asked}`)
      note(error === undefined ? 'result' : String(error.code))
    }
  }

  const byHttp = async (asked: string): Promise<void> => {
    const { status, text } = await post(url, asked)
    if (status !== 200 && status !== 204) blame(`status ${status}, asked ${asked}`)
    else judge(text, asked)
  }

  const byPage = async ({ path, accept }: { readonly path: string; readonly accept: string }): Promise<void> => {
    const response = await fetch(`${url}${path}`, { headers: { accept } })
    const text = await response.text()
    note(`page ${response.status}`)
    if (!pageStatuses.has(response.status)) blame(`status ${response.status} of ${path} with ${accept}`)
    if (stackWords.test(text)) blame(`a stack in the page ${path}`)
  }

  /** One connection, and its subscriptions; all is answered when the last call is, or a little later. */
  const bySocket = async (asked: readonly string[]): Promise<void> => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    let settle: () => void = () => undefined
    const done = new Promise<void>((resolve) => (settle = resolve))
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      const message = JSON.parse(text) as { readonly id?: Json; readonly method?: string }
      if (message.method === 'subscription') note('notification')
      else if (message.id === 'last of all') settle()
      else judge(text, 'by WebSocket')
    })
    socket.on('close', (code) => {
      if (code !== 1000 && code !== 1005) blame(`the socket was closed with ${code}`)
      settle()
    })
    socket.send('{"jsonrpc":"2.0","id":0,"method":"subscribe","params":{"channel":"events","from":""}}')
    for (const text of asked) socket.send(text)
    socket.send('{"jsonrpc":"2.0","id":"last of all","method":"chain_head"}')
    await done
    socket.close()
    await once(socket, 'close')
  }

  for (let done = 0, round = 0; done < calls; round++) {
    const count = Math.min(roundCalls, calls - done)
    const [atPages, atSocket] = [Math.floor(count / 20), Math.floor(count / 10)]
    const asked = fc.sample(body, { seed: seed + round, numRuns: count - atPages })
    const looked = fc.sample(pages, { seed: seed + round, numRuns: Math.max(1, atPages) }).slice(0, atPages)
    const rest = asked.slice(atSocket)
    const lane = async (from: number): Promise<void> => {
      for (let i = from; i < rest.length; i += lanes) await byHttp(rest[i] as string)
      for (let i = from; i < looked.length; i += lanes) await byPage(looked[i] as (typeof looked)[number])
    }
    await Promise.all([bySocket(asked.slice(0, atSocket)), ...Array.from({ length: lanes }, async (_, i) => lane(i))])
    done += count
    onProgress(done)
  }
  for (const line of errors()) blame(`in the log: ${JSON.stringify(line)}`)
  return { calls, seen, wrong }
}
