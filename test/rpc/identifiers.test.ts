// DID resolution from outside: the HTTP binding with every status, the driver for the `did-resolver` package, and every statement of DID Core and DID Resolution that a
// result decides. The cases follow those of the W3C's DID Resolution test suite.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { type DIDResolutionOptions, type DIDResolutionResult, type DIDResolver, Resolver } from 'did-resolver'
import fc from 'fast-check'
import type { JsonObject } from '../../primitives/schema.ts'
import { createClient, getResolver, hardwareWallet } from '../../rpc/client/index.ts'
import { relationshipNames } from '../../state/did/types.ts'
import { history, resolve } from '../../state/did/queries.ts'
import { update } from '../../state/did/update.ts'
import { createHarness, testActor, testKey, testPhone, withKey } from '../support/state-harness.ts'
import { broken, documentStatements, errorStatements, resultStatements, type Value } from '../support/did-statements.ts'
import { citizens, createCity, serve } from './scenario.ts'

const city = createCity()
const [active, ended] = [citizens[0]!, citizens[1]!]
const services = [{ id: 'home', type: 'LinkedDomains', endpoint: 'https://example.org/' }]
const phone = hardwareWallet(testPhone('phone').multikey.subarray(2), testPhone('phone').sign, active.did)
await city.send('did.update', { baseVersion: 1, keys: [active.didKey, phone.didKey], services }, [active])
await city.send('did.update', { baseVersion: 2, keys: [phone.didKey], services }, [phone])
await city.send('did.deactivate', {}, [ended])
const { server, url, client } = await serve(city)
t.teardown(async () => server.stop())

interface Answer {
  readonly status: number
  readonly type: string | null
  readonly body: JsonObject
}
const get = async (did: string, query = '', accept?: string): Promise<Answer> => {
  const response = await fetch(`${url}/1.0/identifiers/${did}${query}`, accept === undefined ? {} : { headers: { accept } })
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as JsonObject }
}
const errorOf = (name: string): object => ({ didDocument: null, didDocumentMetadata: {}, didResolutionMetadata: { error: { type: `https://www.w3.org/ns/did#${name}` } } })
const nobody = 'did:dongbaek:AAAAAAAAAAAAAAAAAAAAAAAAAAA'

t.test('every status, with the result that it belongs to', async (t) => {
  const cases: readonly (readonly [did: string, query: string, status: number, body: object])[] = [
    [active.did, '', 200, { didDocument: { id: active.did }, didDocumentMetadata: { versionId: '3', deactivated: false } }],
    [encodeURIComponent(active.did), '?versionId=1', 200, { didDocument: { id: active.did }, didDocumentMetadata: { versionId: '1', nextVersionId: '2' } }],
    [active.did, '?versionTime=2099-01-01T00:00:00Z', 200, { didDocumentMetadata: { versionId: '3' } }],
    [active.did, '?expandRelativeUrls=true', 200, { didDocument: { id: active.did } }],
    [active.did, '?service=home&relativeRef=my%2520path%2Ffile', 200, { didDocument: { id: active.did } }],
    [active.did, '?serviceType=LinkedDomains', 200, { didDocument: { id: active.did } }],
    [ended.did, '', 410, { didDocument: null, didDocumentMetadata: { deactivated: true, versionId: '2' } }],
    [ended.did, '?versionId=1', 410, { didDocument: { id: ended.did }, didDocumentMetadata: { deactivated: true, versionId: '1' } }],
    [nobody, '', 404, errorOf('NOT_FOUND')],
    [active.did, '?versionId=4', 404, errorOf('NOT_FOUND')],
    [active.did, '?versionId=first', 404, errorOf('NOT_FOUND')],
    [active.did, '?versionId=99999999999999999999', 404, errorOf('NOT_FOUND')],
    [active.did, '?versionTime=1999-01-01T00:00:00Z', 404, errorOf('NOT_FOUND')],
    ['', '', 400, errorOf('INVALID_DID')],
    ['not-a-did', '', 400, errorOf('INVALID_DID')],
    ['did:example', '', 400, errorOf('INVALID_DID')],
    ['did:EXAMPLE:1', '', 400, errorOf('INVALID_DID')],
    ['did:example:%20%ZZ'.replaceAll('%', '%25'), '', 400, errorOf('INVALID_DID')],
    [`did:example:${'a'.repeat(2_048)}`, '', 400, errorOf('INVALID_DID')],
    ['did:dongbaek:short', '', 400, errorOf('INVALID_DID')],
    [encodeURIComponent(`${active.did}#key`), '', 400, errorOf('INVALID_DID')],
    [`${active.did}/path`, '', 400, errorOf('INVALID_DID')],
    [`did:example:${'a'.repeat(1_000)}`, '', 501, errorOf('METHOD_NOT_SUPPORTED')],
    ['did:unsupported:123456789abcdefghi', '', 501, errorOf('METHOD_NOT_SUPPORTED')],
    ['did:web:example.com:a:b', '', 501, errorOf('METHOD_NOT_SUPPORTED')],
    [active.did, '?what=1', 501, errorOf('FEATURE_NOT_SUPPORTED')],
    [active.did, '?hl=zQm', 501, errorOf('FEATURE_NOT_SUPPORTED')],
    [active.did, '?versionId=1&versionTime=2026-01-01T00:00:00Z', 400, errorOf('INVALID_OPTIONS')],
    [active.did, '?versionId=1&versionId=2', 400, errorOf('INVALID_OPTIONS')],
    [active.did, '?expandRelativeUrls=perhaps', 400, errorOf('INVALID_OPTIONS')],
    ...['service', 'serviceType', 'relativeRef', 'versionId', 'versionTime', 'hl', 'accept'].map((name) => [active.did, `?${name}=${encodeURIComponent('동백')}`, 400, errorOf('INVALID_OPTIONS')] as const),
    ...['my path/file', 'file#section', 'dir/with?query=value'].map((ref) => [active.did, `?relativeRef=${encodeURIComponent(ref)}`, 400, errorOf('INVALID_OPTIONS')] as const),
    ...['2025-10-07 12:30:45', '2025/10/07T12:30:45', '2025-13-07T12:30:45Z', '2025-10-32T12:30:45Z', '2025-02-30T12:30:45Z', '2025-10-07T25:00:00Z', '2025-10-07T24:00:00Z', '2025-10-07T12:30:60Z', '2025-10-07', 'T12:30:45'].map(
      (time) => [active.did, `?versionTime=${encodeURIComponent(time)}`, 400, errorOf('INVALID_OPTIONS')] as const,
    ),
    ...['2025-10-07T00:00:00+02:00', '2025-10-07T00:00:00', '2025-10-07T00:00:00.123Z'].map((time) => [active.did, `?versionTime=${encodeURIComponent(time)}`, 400, errorOf('INVALID_OPTIONS')] as const),
  ]
  for (const [did, query, status, body] of cases) {
    const answer = await get(did, query, 'application/did-resolution')
    t.match(answer, { status, type: 'application/did-resolution', body }, `${did}${query}`)
    t.strictSame(broken(answer.body as Value, decodeURIComponent(did)), [], `${did}${query}: statements`)
  }
  t.match(await fetch(`${url}/1.0/identifiers`), { status: 400 })
})

t.test('what is answered with goes by Accept', async (t) => {
  const types: readonly (readonly [accept: string | undefined, type: string])[] = [
    [undefined, 'application/did-resolution'],
    ['*/*', 'application/did-resolution'],
    ['text/html, application/*;q=0.5', 'application/did-resolution'],
    ['application/did', 'application/did'],
    ['application/did+json', 'application/did+json'],
    ['application/did+ld+json', 'application/did+ld+json'],
    ['application/did;q=0.2, application/did-resolution', 'application/did-resolution'],
    ['application/did-resolution;q=0, application/did', 'application/did'],
    ['application/ld+json;profile="https://w3id.org/did-resolution"', 'application/ld+json'],
    ['application/json', 'application/json'],
  ]
  for (const [accept, type] of types) {
    const answer = await get(active.did, '', accept)
    t.match(answer, { status: 200, type }, accept ?? 'none')
    t.strictSame(answer.body['id'] ?? (answer.body['didDocument'] as JsonObject)['id'], active.did)
    t.equal('didResolutionMetadata' in answer.body, !type.startsWith('application/did') || type === 'application/did-resolution')
  }
  for (const accept of ['text/html', 'application/x-unsupported', 'application/did;q=0', 'application/did-url-dereferencing']) t.match(await get(active.did, '', accept), { status: 406, type: 'application/did-resolution', body: errorOf('REPRESENTATION_NOT_SUPPORTED') }, accept)
  t.match(await get(nobody, '', 'application/did'), { status: 404, type: 'application/did-resolution', body: errorOf('NOT_FOUND') }, 'a document cannot say what is wrong')
  t.match(await get(ended.did, '', 'application/did'), { status: 410, type: 'application/did' })
  // the words of the did-resolver package, for those who ask as one did before
  for (const [did, name] of [[nobody, 'notFound'], ['nonsense', 'invalidDid'], ['did:web:a.example', 'unsupportedDidMethod']] as const) t.match(await get(did, '', 'application/json'), { type: 'application/json', body: { didDocument: null, didResolutionMetadata: { error: name } } })
  t.match((await get(nobody)).body, { didResolutionMetadata: { error: { name: 'notFound' } } }, 'which the other form has too')
})

/** The package itself, with the driver among others. */
async function byPackage(didUrl: string, options: DIDResolutionOptions = {}, from: Parameters<typeof getResolver>[0] = client): Promise<DIDResolutionResult> {
  const other: DIDResolver = async (did) => ({ didResolutionMetadata: {}, didDocument: { id: did }, didDocumentMetadata: {} })
  return new Resolver({ other, ...getResolver(from) }).resolve(didUrl, options)
}

t.test('the driver for the did-resolver package', async (t) => {
  t.match(await byPackage(active.did), { didResolutionMetadata: { contentType: 'application/did' }, didDocument: { id: active.did }, didDocumentMetadata: { versionId: '3' } })
  t.match(await byPackage(active.did, { accept: 'application/did+ld+json' }), { didResolutionMetadata: { contentType: 'application/did+ld+json' } })
  t.match(await byPackage(`${active.did}?versionId=1`), { didDocumentMetadata: { versionId: '1' } })
  t.match(await byPackage(active.did, { versionId: '2' }), { didDocumentMetadata: { versionId: '2' } })
  t.match(await byPackage(`${active.did}?versionTime=2099-01-01T00%3A00%3A00Z`), { didDocumentMetadata: { versionId: '3' } })
  t.match(await byPackage(`${active.did}?versionId=1#key-1`), { didDocumentMetadata: { versionId: '1' } }, 'a fragment is for the caller')
  t.match(await byPackage(`${active.did}?versionId=1`, { versionId: '2' }), { didDocumentMetadata: { versionId: '1' } }, 'what the URL says stands over the options')
  t.match(await byPackage('did:other:1'), { didDocument: { id: 'did:other:1' } })
  t.match(await byPackage(ended.did), { didDocument: null, didDocumentMetadata: { deactivated: true } })
  const errors: readonly (readonly [string, DIDResolutionOptions, string])[] = [
    [nobody, {}, 'notFound'],
    ['did:dongbaek:short', {}, 'invalidDid'],
    ['did:web:a.example', {}, 'unsupportedDidMethod'],
    [active.did, { accept: 'application/pdf' }, 'representationNotSupported'],
    [`${active.did}?versionId=1&versionId=2`, {}, 'invalidOptions'],
    [`${active.did}?versionTime=%E0%A4`, {}, 'invalidOptions'],
    [`${active.did}?versionTime=%E0%A4%A`, {}, 'invalidDid'],
    [`${active.did}?what=1`, {}, 'featureNotSupported'],
  ]
  for (const [did, options, error] of errors) t.match(await byPackage(did, options), { didResolutionMetadata: { error }, didDocument: null, didDocumentMetadata: {} }, `${did} ${error}`)
  t.match(await byPackage(active.did, {}, createClient({ url: 'http://127.0.0.1:1', rounds: 1 })), { didResolutionMetadata: { error: 'internalError' } }, 'no node answers')
  // each version is a DID URL of its own to the package's cache
  const cached = new Resolver(getResolver(client), { cache: true })
  for (const versionId of ['1', '2', '1']) t.match(await cached.resolve(`${active.did}?versionId=${versionId}`), { didDocumentMetadata: { versionId } })
})

t.test('every statement holds for every version of every DID that the rules let through', async (t) => {
  const names = ['a', 'b', 'c', 'd']
  const keys = fc
    .uniqueArray(fc.record({ name: fc.constantFrom(...names), hardware: fc.boolean(), relationships: fc.subarray([...relationshipNames], { minLength: 1 }) }), { selector: ({ name, hardware }) => `${name}${hardware}`, minLength: 1, maxLength: 4 })
    .map((list) => [{ key: testKey('holder').multikey, relationships: ['authentication' as const] }, ...list.map(({ name, hardware, relationships }) => (hardware ? { key: testPhone(name).multikey, relationships } : { key: testKey(name).multikey, relationships: relationships.filter((one) => one !== 'keyAgreement') }))])
    .filter((list) => list.every(({ relationships }) => relationships.length > 0))
  const content = fc.record({ keys, services: fc.uniqueArray(fc.record({ id: fc.constantFrom('home', 'files', 'a-1'), type: fc.constantFrom('LinkedDomains', 'Messaging'), endpoint: fc.constantFrom('https://example.org', 'https://a.example:8443/x/y;z#f') }), { selector: ({ id }) => id, maxLength: 3 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 4 }), async (contents) => {
      const actor = testActor('subject')
      const chain = createHarness({ actors: [actor] })
      let signer = actor
      for (const [i, one] of contents.entries()) {
        if (chain.run(update, signer, { baseVersion: i + 1, ...one, recovery: undefined }).status !== 'ok') return false
        signer = withKey(actor, testKey('holder'))
      }
      for (const { versionId } of (await chain.query(history, { did: actor.did }))?.items ?? []) {
        const result = (await chain.query(resolve, { did: actor.did, versionId })) as Value
        if (broken(result, actor.did).length > 0) return false
      }
      return true
    }),
    { numRuns: 100 },
  )
  t.pass('100 lives')
})

t.test('each statement can fail: a result that breaks it is told', async (t) => {
  const good = (await get(active.did)).body as unknown as { readonly [name: string]: Value }
  const changed = (change: (result: Record<string, never>) => void): readonly string[] => {
    const copy = structuredClone(good) as never
    change(copy)
    return broken(copy, active.did)
  }
  const seen = new Set<string>()
  const breaks = (change: (document: Record<string, Value>, result: Record<string, Record<string, Value>>) => void): void => {
    for (const name of changed((result) => change((result as Record<string, never>)['didDocument'] as never, result as never))) seen.add(name)
  }
  breaks((document) => (document['id'] = 'did:dongbaek:'))
  breaks((document) => (document['extra'] = null))
  breaks((document) => (document['controller'] = ['nobody']))
  for (const method of [5, {}, { id: 'x', type: 'Multikey', controller: 'y', publicKeyMultibase: '0', publicKeyJwk: {} }]) breaks((document) => (document['verificationMethod'] = [method as Value, method as Value]))
  breaks((document) => (document['authentication'] = []))
  breaks((document) => (document['assertionMethod'] = ['key']))
  for (const service of [5, {}, { id: 'x', type: [], serviceEndpoint: 'nowhere' }]) breaks((document) => (document['service'] = [service as Value, service as Value]))
  breaks((document) => (document['@context'] = ['https://example.org', 'no uri']))
  breaks((_, result) => delete (result as Record<string, unknown>)['didDocumentMetadata'] && ((result as Record<string, unknown>)['didDocumentMetadata'] = []))
  breaks((_, result) => (result['didResolutionMetadata'] = {}))
  breaks((_, result) => (result['didDocumentMetadata'] = { created: 'today', updated: 'now', versionId: 3, nextUpdate: 'soon' }))
  breaks((_, result) => ((result as Record<string, unknown>)['didDocument'] = null))
  for (const name of broken({ didResolutionMetadata: { error: 'notFound' }, didDocument: {}, didDocumentMetadata: { a: 1 } }, active.did)) seen.add(name)
  for (const name of broken({ didResolutionMetadata: { error: { type: 'about:blank' } }, didDocument: null, didDocumentMetadata: {} }, active.did)) seen.add(name)
  const all = [...Object.keys(documentStatements), ...Object.keys(resultStatements), ...Object.keys(errorStatements)]
  // neither of JSON.parse’s results, nor a DID of another form, nor a result with and without an error at once can be made here
  const impossible = ['core-3.1 the DID has the form of a DID', 'core-6 the document survives JSON', 'res-4.2 no error in a result that is none']
  t.strictSame(all.filter((name) => !seen.has(name) && !impossible.includes(name)), [])
  t.ok(broken(good, 'did:x:y').includes('core-3.1 the DID has the form of a DID') === false && broken(good, 'x').includes('core-3.1 the DID has the form of a DID'))
})

t.test('docs/did.md lists every statement, and tests that there are', (t) => {
  const page = readFileSync(new URL('../../docs/did.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| ((?:core|res)-[^|]*) \| ([^|]*) \|$/gm)].map(([, statement = '', test = '']) => ({ statement, test }))
  const decided = [...Object.keys(documentStatements), ...Object.keys(resultStatements), ...Object.keys(errorStatements)]
  t.same(rows.filter(({ test }) => test === 'A').map(({ statement }) => statement).sort(), [...decided].sort(), 'those that a result decides')
  const named = [...rows.map(({ test }) => test).filter((test) => test !== 'A'), /^A is (.*)\.$/m.exec(page)?.[1] ?? 'nowhere']
  t.ok(named.length > 15)
  for (const test of new Set(named)) {
    const [, file = '', titles = ''] = /^`(.*)`: (.*)$/.exec(test) ?? []
    for (const title of titles.split('; ')) t.ok(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').includes(`t.test('${title}`), `${file}: ${title}`)
  }
  t.end()
})
