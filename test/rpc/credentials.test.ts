// Credentials off the chain with their status on it: the suites' vectors, the digital citizenship card through its whole life, and everything that must not pass.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import fc from 'fast-check'
import { fromBase64url, toBase64url, toHex, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../../primitives/ed25519.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import {
  addProof,
  getResolver,
  hardwareWallet,
  issueCitizenshipCard,
  issueCredential,
  present,
  provenStatus,
  registeredSchema,
  schemaHash,
  signStatusList,
  statusFromIssuer,
  statusFromList,
  statusFromNode,
  trustFromGenesis,
  type Verification,
  verifyCredential,
  verifyPresentation,
  verifyProof,
} from '../../rpc/client/index.ts'
import { credentialStatements, presentationStatements } from '../../rpc/client/credentials/form.ts'
import { canonicalize } from '../../rpc/client/credentials/jcs.ts'
import { hashData } from '../../rpc/client/credentials/proof.ts'
import { readStatusEntries, statusEntryJson } from '../../rpc/client/credentials/status.ts'
import { msOf } from '../../rpc/client/credentials/time.ts'
import { fromMultibase, toMultibase } from '../../state/did/base58.ts'
import { statusSegmentBits, statusSegmentBytes } from '../../state/credential/types.ts'
import { multikeyOf } from '../../state/transaction.ts'
import { testPhone } from '../support/state-harness.ts'
import { citizens, createCity, officer as issuer, serve, startMs } from './scenario.ts'

const city = createCity()
const { server, url, client } = await serve(city)
t.teardown(async () => server.stop())
const statusBase = `${url}/credentials/status`
const holder = citizens[0]!
const phone = hardwareWallet(testPhone('holder').multikey.subarray(2), testPhone('holder').sign, holder.did)
await city.send('did.update', { baseVersion: 1, keys: [holder.didKey, phone.didKey], services: [] }, [holder])

const nowMs = startMs + 1_000_000
const lists = { revocation: 'citizenship', suspension: 'citizenship-suspended' }
const index = 5 * statusSegmentBits + 94_567
await city.send('credential.setStatus', { list: lists.revocation, purpose: 'revocation', indexes: [3], status: true }, [issuer])
await city.send('credential.setStatus', { list: lists.suspension, purpose: 'suspension', indexes: [3], status: true }, [issuer])
const card = await issueCitizenshipCard({ holder: holder.did, livingArea: 'haeundae-1', validFromMs: startMs, validUntilMs: nowMs + 1_000_000, index, lists, statusBase }, issuer)
const verification: Verification = { resolver: getResolver(client).dongbaek, nowMs, status: statusFromNode(client) }

t.test('JCS (RFC 8785): its own examples, and any JSON both ways', (t) => {
  t.equal(canonicalize({ numbers: [JSON.parse('333333333.33333329') as number, 1e30, 4.5, 2e-3, 0.000000000000000000000000001], string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/', literals: [null, true, false] }), '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}')
  const sorted = { '\u20ac': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter Dalet With Dagesh', '1': 'One', '\ud83d\ude00': 'Emoji: Grinning Face', '\u0080': 'Control', '\u00f6': 'Latin Small Letter O With Diaeresis' }
  t.equal(canonicalize(sorted), '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis","\u20ac":"Euro Sign","\ud83d\ude00":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}')
  t.equal(canonicalize([-0, 1e21, 1e-7]), '[0,1e+21,1e-7]')
  const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes('\\ud'))
  fc.assert(fc.property(json, (value) => canonicalize(JSON.parse(JSON.stringify(value)) as Json) === canonicalize(JSON.parse(canonicalize(value as Json)) as Json) && JSON.stringify(JSON.parse(canonicalize(value as Json))) !== undefined), { numRuns: 1_000 })
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', { '\udc00': 1 }, Array.from({ length: 40 }).reduce<Json>((inner) => [inner], 1)]) t.throws(() => canonicalize(bad as Json), { code: 'vc/json' })
  t.end()
})

/** The example of both specifications' vectors. */
const alumni = {
  '@context': ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/examples/v2'],
  id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
  type: ['VerifiableCredential', 'AlumniCredential'],
  name: 'Alumni Credential',
  description: 'A minimum viable example of an Alumni Credential.',
  issuer: 'https://vc.example/issuers/5678',
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:abcdefgh', alumniOf: 'The School of Examples' },
}

t.test('eddsa-jcs-2022: the vector of the specification', async (t) => {
  const { '@context': context } = alumni
  const document = alumni
  const publicKey = 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2'
  const seed = fromMultibase('z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq', 100)!.subarray(2)
  const pair = keyPairFromSeed(seed)
  t.equal(toMultibase(multikeyOf(pair.publicKey)), publicKey)
  const options = { type: 'DataIntegrityProof', cryptosuite: 'eddsa-jcs-2022', created: '2023-02-24T23:36:38Z', verificationMethod: `did:key:${publicKey}#${publicKey}`, proofPurpose: 'assertionMethod', '@context': context }
  t.equal(toHex(hashData(document, options)), '66ab154f5c2890a140cb8388a22a160454f80575f6eae09e5a097cabe539a1db59b7cb6251b8991add1ce0bc83107e3db9dbbab5bd2c28f687db1a03abc92f19')
  const proofValue = toMultibase(sign(hashData(document, options), pair))
  t.equal(proofValue, 'z2HnFSSPPBzR36zdDgK8PbEHeXbR56YF24jwMpt3R1eHXQzJDMWS93FCzpvJpwTWd3GAVFuUfjoJdcnTMuVor51aX')
  const earlier = { ...options, verificationMethod: `https://vc.example/issuers/5678#${publicKey}` }
  t.equal(toMultibase(sign(hashData(document, earlier), pair)), 'z63t83Y53KfzJ5ZosfKTnqfMcKB2dmTrfjSaQjeNNjAD5srBowQfmWqeRb8rRjmeEuCBEsddF9LsVogtuTsijJKh4', 'that of the draft before')
  const secured = { ...document, proof: { ...options, proofValue } }
  const keyOf = async (): Promise<Uint8Array> => multikeyOf(pair.publicKey)
  const expected = { purpose: 'assertionMethod', nowMs } as const
  t.strictSame((await verifyProof(secured, keyOf, expected)).document, document)
  await t.resolves(verifyProof({ ...secured, '@context': [...context, 'https://more.example'] }, keyOf, expected), 'further contexts at the end are allowed by the suite')
  await t.rejects(verifyProof({ ...secured, '@context': ['https://more.example', ...context] }, keyOf, expected), { code: 'vc/proof' })
  await t.rejects(verifyProof({ ...secured, name: 'Another' }, keyOf, expected), { code: 'vc/proof' })
})

t.test('ecdsa-jcs-2019 by a phone', async (t) => {
  const document: JsonObject = { '@context': ['https://www.w3.org/ns/credentials/v2'], name: '동백' }
  const secured = await addProof(document, phone, { purpose: 'authentication', createdMs: nowMs, challenge: 'c', domain: 'd' })
  const { proofValue, ...options } = secured['proof'] as JsonObject
  t.equal(options['cryptosuite'], 'ecdsa-jcs-2019')
  t.strictSame((await verifyProof(secured, async () => phone.key, { purpose: 'authentication', nowMs, challenge: 'c', domain: 'd' })).document, document)
  t.equal(fromMultibase(proofValue as string, 100)?.length, 64)
  await t.rejects(verifyProof(secured, async () => holder.key, { purpose: 'authentication', nowMs, challenge: 'c', domain: 'd' }), { code: 'vc/proof' }, 'a key of another algorithm')
  await t.rejects(addProof(secured, phone, { purpose: 'authentication', createdMs: nowMs }), { code: 'vc/malformed' })
})

t.test('ecdsa-jcs-2019: the vector of the specification (TestVectors/ecdsa-jcs-2019-p256 of w3c/vc-di-ecdsa), and either form of a signature', async (t) => {
  const document: JsonObject = alumni
  const publicKey = 'zDnaepBuvsQ8cpsWrVKw8fbpGpvPeNSjVPTWoq6cRqaYzBKVP'
  const options: JsonObject = { type: 'DataIntegrityProof', cryptosuite: 'ecdsa-jcs-2019', created: '2023-02-24T23:36:38Z', verificationMethod: `did:key:${publicKey}#${publicKey}`, proofPurpose: 'assertionMethod' }
  const proofValue = 'zq6PrUMCtqY5obCSsrQxuFJdGffCDxvFuopdZiBPUBRTFEs1VVsBZi8YiEwVWgHYrXxoV93gBHqGDBtQLPFxpZxz'
  const keyOf = async (): Promise<Uint8Array> => fromMultibase(publicKey, 100)!
  const check = async (value: string): Promise<unknown> => (await verifyProof({ ...document, proof: { ...options, proofValue: value } }, keyOf, { purpose: 'assertionMethod', nowMs })).document
  t.strictSame(await check(proofValue), document)
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const signature = fromMultibase(proofValue, 100)!
  const other = order - BigInt(`0x${toHex(signature.subarray(32))}`)
  t.strictSame(await check(toMultibase(Buffer.concat([signature.subarray(0, 32), Buffer.from(other.toString(16).padStart(64, '0'), 'hex')]))), document, 'the other form')
  for (const bad of [new Uint8Array(64), signature.subarray(0, 63), Buffer.concat([signature.subarray(0, 32), new Uint8Array(32).fill(255)])]) await t.rejects(check(toMultibase(bad)), { code: 'vc/proof' })
})

t.test('multibase both ways', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => toHex(fromMultibase(toMultibase(bytes), 100)!) === toHex(bytes)), { numRuns: 500 })
  for (const bad of ['', 'x', 'u11', 'z0', 'zO', 'zl', `z${'1'.repeat(100)}`]) t.equal(fromMultibase(bad, 100), undefined, bad)
  t.end()
})

t.test('the citizenship card: issued, presented, suspended, restored, revoked', async (t) => {
  const request = { challenge: 'a challenge of the hall', domain: 'https://hall.busan.example' }
  const show = async (): Promise<unknown> => verifyPresentation(await present([card], phone, request, nowMs), request, verification)
  const set = async (purpose: 'revocation' | 'suspension', status: boolean): Promise<unknown> => city.send('credential.setStatus', { list: lists[purpose], purpose, indexes: [index], status }, [issuer])
  t.match(await verifyCredential(card, verification), { issuer: issuer.did, subject: holder.did, types: ['VerifiableCredential', 'DigitalCitizenshipCard'], claims: { citizenOf: 'Busan', livingArea: 'haeundae-1' } })
  t.match(await show(), { holder: holder.did, credentials: [{ issuer: issuer.did }] })
  await set('suspension', true)
  await t.rejects(show(), { code: 'vc/suspended' })
  await set('suspension', false)
  await t.resolves(show(), 'restored')
  await set('revocation', true)
  await t.rejects(show(), { code: 'vc/revoked' })
  t.notOk(JSON.stringify(city.chain.backend.results(city.chain.backend.head().height)).includes(holder.did), 'nothing on the chain says whose it was')
})

t.test('the schema of a credential is the very document that its issuer has registered', async (t) => {
  const schemaUrl = 'https://id.busan.example/schemas/resident/1.json'
  const document = utf8(JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', properties: { credentialSubject: { type: 'object', required: ['livingArea'] } } }))
  const request = { type: 'Resident', subject: holder.did, claims: { livingArea: 'haeundae-1' }, validFromMs: startMs, validUntilMs: nowMs + 1_000_000, schemaUrl }
  const credential = await issueCredential(request, issuer)
  const { schemaUrl: _, ...plain } = request
  const read = (of: JsonObject = credential, bytes: Uint8Array = document): Promise<JsonObject> => registeredSchema(client, of, async () => bytes)
  await t.rejects(read(), { code: 'vc/schema', message: /registered no schema/ }, 'not registered yet')
  await city.send('credential.registerSchema', { schema: 'resident', version: 1, hash: schemaHash(document), url: schemaUrl }, [issuer])
  t.match(await read(), { properties: { credentialSubject: { required: ['livingArea'] } } })
  t.equal((await verifyCredential(credential, verification)).issuer, issuer.did)
  await city.send('credential.registerSchema', { schema: 'not-json', version: 1, hash: schemaHash(utf8('[1]')), url: schemaUrl }, [issuer])
  for (const [what, of, bytes] of [
    ['changed', credential, utf8(`${new TextDecoder().decode(document)} `)],
    ['no object', credential, utf8('[1]')],
    ['too large', credential, new Uint8Array(1_048_577)],
    ['another issuer', await issueCredential(request, holder), document],
    ['none', await issueCredential(plain, issuer), document],
    ['another kind', { ...credential, credentialSchema: { id: schemaUrl, type: 'JsonSchemaCredential' } }, document],
  ] as const) await t.rejects(read(of, bytes), { code: 'vc/schema' }, what)
})

t.test('the status by each way, for the set bit and for others', async (t) => {
  const trust = trustFromGenesis(city.chain.chainId, city.chain.backend.validators()!.set)
  const listed = async (entry: { list: string; index: number }): Promise<JsonObject> => (await (await fetch(`${statusBase}/${entry.list}/${Math.floor(entry.index / statusSegmentBits)}`)).json()) as JsonObject
  for (const [at, set] of [[3, true], [4, false], [index, true], [index + 1, false], [index - statusSegmentBits, false], [128 * statusSegmentBits - 1, false]] as const) {
    const entry = { purpose: 'revocation', list: lists.revocation, index: at, base: statusBase } as const
    t.strictSame([await statusFromNode(client)(entry, issuer.did), await provenStatus(client, trust)(entry, issuer.did), await statusFromList(await listed(entry), entry, issuer.did)], [set, set, set], `index ${at}`)
    t.strictSame(readStatusEntries(statusEntryJson(entry)), [entry], 'the entry in its W3C form says the same')
  }
  const entry = { purpose: 'revocation', list: lists.revocation, index: 3, base: statusBase } as const
  for (const [wrong, by] of [[entry, holder.did], [{ ...entry, purpose: 'suspension' as const }, issuer.did]] as const) {
    await t.rejects(statusFromNode(client)(wrong, by), { code: 'vc/status-unknown' })
    await t.rejects(provenStatus(client, trust)(wrong, by), { code: 'vc/status-unknown' })
    await t.rejects(statusFromList(await listed(entry), wrong, by), { code: 'vc/status-unknown' })
  }
  await t.rejects(provenStatus(client, trust)({ ...entry, list: 'no-such-list' }, issuer.did), { code: 'vc/status-unknown' }, 'a list that is proven not to be there')
})

t.test('the list as the W3C has it, over RPC and HTTP, and signed by its issuer', async (t) => {
  const answer = await fetch(`${statusBase}/${lists.revocation}/0`)
  t.match([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')], [200, 'application/vc', 'public, max-age=60'])
  const served = (await answer.json()) as { credentialSubject: { encodedList: string } } & JsonObject
  t.match(served, {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    id: `${statusBase}/${lists.revocation}/0`,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: issuer.did,
    credentialSubject: { id: `${statusBase}/${lists.revocation}/0#list`, type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList: /^u[A-Za-z0-9_-]+$/ },
  })
  const byRpc = (await client.call('credential_statusList', { list: lists.revocation, segment: 0 })) as typeof served
  t.equal(byRpc.credentialSubject.encodedList, served.credentialSubject.encodedList)
  t.ok(served.credentialSubject.encodedList.length < 200, 'a list of few bits is small')
  for (const path of ['no-such-list/0', `${lists.revocation}/128`, `${lists.revocation}/00`, `${lists.revocation}/x`, `${lists.revocation}/-1`, 'NO/0']) t.equal((await fetch(`${statusBase}/${path}`)).status, 404, path)
  await t.rejects(client.call('credential_statusList', { list: 'no-such-list', segment: 0 }), { code: 'credential/not-found' })
})

t.test('what an issuer signs and publishes: what was proven to it, at the address of the card, for a time', async (t) => {
  const trust = trustFromGenesis(city.chain.chainId, city.chain.backend.validators()!.set)
  const base = 'https://id.busan.example/status'
  const sign = (segment: number, by = issuer, list = lists.revocation): Promise<JsonObject> => signStatusList(client, trust, { list, segment, base, validFromMs: nowMs, validUntilMs: nowMs + 3_600_000 }, by)
  const segment = Math.floor(index / statusSegmentBits)
  const good = await sign(segment)
  t.match(good, { id: `${base}/${lists.revocation}/${segment}`, type: ['VerifiableCredential', 'BitstringStatusListCredential'], validUntil: /Z$/, proof: { type: 'DataIntegrityProof' } })
  await t.rejects(sign(0, holder), { code: 'vc/status-unknown' }, 'not of another’s list')
  await t.rejects(sign(0, issuer, 'no-such-list'), { code: 'vc/status-unknown' }, 'not of a list that is proven not to be there')
  const lying: Pick<typeof client, 'callUntyped'> = {
    callUntyped: async (method, params) => {
      const answer = (await client.callUntyped(method, params)) as { readonly entries: readonly JsonObject[] } & JsonObject
      return { ...answer, entries: answer.entries.map((one, i) => (i > 0 && one['value'] !== undefined ? { ...one, value: toBase64url(new Uint8Array(1_027)) } : one)) }
    },
  }
  await t.rejects(signStatusList(lying, trust, { list: lists.revocation, segment, base, validFromMs: nowMs, validUntilMs: nowMs + 1 }, issuer), { code: 'proof/state' }, 'not what a node makes up')

  const entry = { purpose: 'revocation', list: lists.revocation, index, base } as const
  const read = (listed: JsonObject, of: typeof entry | { readonly index: number } = entry, atMs = nowMs): Promise<boolean> => statusFromIssuer(async () => listed, { resolver: verification.resolver, nowMs: atMs })({ ...entry, ...of }, issuer.did)
  t.same([await read(good), await read(good, { index: index + 1 })], [true, false])
  const anew = async (change: JsonObject, by = issuer): Promise<JsonObject> => {
    const { proof: _, ...unsigned } = { ...good, ...change }
    return addProof(Object.fromEntries(Object.entries(unsigned).filter(([, value]) => value !== null)), by, { purpose: 'assertionMethod', createdMs: nowMs })
  }
  for (const [what, listed, code] of [
    ['another segment, well signed', await sign(segment + 1), 'vc/status-unknown'],
    ['without an end', await anew({ validUntil: null }), 'vc/status-unknown'],
    ['with a status of its own', await anew({ credentialStatus: statusEntryJson(entry) }), 'vc/status-unknown'],
    ['of another type', await anew({ type: ['VerifiableCredential'] }), 'vc/status-unknown'],
    ['signed by another', await anew({}, holder), 'vc/issuer'],
    ['another’s list', await anew({ issuer: holder.did }, holder), 'vc/status-unknown'],
    ['of another purpose', await anew({ credentialSubject: { ...(good['credentialSubject'] as JsonObject), statusPurpose: 'suspension' } }), 'vc/status-unknown'],
    ['changed', { ...good, validUntil: '2999-01-01T00:00:00Z' }, 'vc/proof'],
    ['not signed', Object.fromEntries(Object.entries(good).filter(([name]) => name !== 'proof')), 'vc/proof'],
  ] as const) await t.rejects(read(listed), { code }, what)
  await t.rejects(read(good, entry, nowMs + 3_601_000), { code: 'vc/expired' }, 'after its time')
})

t.test('a list that is none is refused', async (t) => {
  const entry = { purpose: 'revocation', list: 'l', index: 3, base: statusBase } as const
  const listOf = (encodedList: string): JsonObject => ({ issuer: issuer.did, credentialSubject: { type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList } })
  const encoded = (bits: Uint8Array): string => `u${toBase64url(gzipSync(bits))}`
  t.equal(await statusFromList(listOf(encoded(Uint8Array.of(0x10, ...new Uint8Array(statusSegmentBytes - 1)))), entry, issuer.did), true, 'the left-most bit is the first')
  for (const bad of ['', 'x', 'u!', encoded(new Uint8Array(statusSegmentBytes - 1)), encoded(new Uint8Array(statusSegmentBytes + 1)), encoded(new Uint8Array(50_000_000)), `u${toBase64url(utf8('no gzip'))}`, encoded(new Uint8Array(statusSegmentBytes)).slice(1)]) await t.rejects(statusFromList(listOf(bad), entry, issuer.did), { code: 'vc/status-unknown' }, bad.slice(0, 20))
  t.equal(fromBase64url(encoded(new Uint8Array(1)).slice(1)) !== undefined, true)
  const good = statusEntryJson(entry)
  for (const change of [{ type: 'StatusList2021Entry' }, { statusPurpose: 'message' }, { statusListIndex: 3 }, { statusListIndex: '-1' }, { statusListIndex: String(statusSegmentBits) }, { statusListIndex: '03' }, { statusSize: 2 }, { id: good['statusListCredential'] as string }, { statusListCredential: 'https://x' }, { statusListCredential: `${statusBase}/l/128` }]) t.throws(() => readStatusEntries({ ...good, ...change }), { code: 'vc/status-unknown' }, JSON.stringify(change))
  t.throws(() => readStatusEntries([good, null]), { code: 'vc/status-unknown' })
})

t.test('the encoded list of the specification: 131,072 entries, none of them set (Bitstring Status List 1.0, example 5)', async (t) => {
  const listed: JsonObject = { issuer: issuer.did, credentialSubject: { type: 'BitstringStatusList', statusPurpose: 'revocation', encodedList: 'uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA' } }
  for (const at of [0, 94_567, statusSegmentBits - 1]) t.equal(await statusFromList(listed, { purpose: 'revocation', list: 'l', index: at, base: statusBase }, issuer.did), false)
})

t.test('the Data Model, statement by statement: each can fail, in a credential that is well signed, and docs/credentials.md lists all of them', async (t) => {
  const status = statusEntryJson({ purpose: 'revocation', list: lists.revocation, index: 4, base: statusBase })
  // the cases follow the inputs of the W3C's test suite for the Data Model 2.0, by their names
  const good: readonly (readonly [what: string, change: JsonObject])[] = [
    ['context-combo-ok', { '@context': ['https://www.w3.org/ns/credentials/v2', 'https://example.org/v1', { term: 'https://example.org/term' }] }],
    ['single-id-ok', { id: 'https://example.org/credentials/1' }],
    ['id-other-ok', { id: 'did:example:1' }],
    ['optional-type-ok', { type: ['VerifiableCredential', 'https://example.org/Type'] }],
    ['one type alone', { type: 'VerifiableCredential' }],
    ['name-ok', { name: '카드', description: 'A card' }],
    ['name-language-direction-ok', { name: { '@value': '카드', '@language': 'ko', '@direction': 'ltr' } }],
    ['multi-language-name-ok', { name: [{ '@value': '카드', '@language': 'ko' }, { '@value': 'Card', '@language': 'en' }] }],
    ['issuer-object-ok', { issuer: { id: issuer.did, name: 'Busan', description: { '@value': '시', '@language': 'ko' } } }],
    ['validfrom-ms-ok', { validFrom: '2020-01-01T00:00:00.123Z' }],
    ['validuntil-tz-ok', { validUntil: '2099-01-01T00:00:00-07:00' }],
    ['validfrom and validuntil the same', { validFrom: new Date(nowMs).toISOString(), validUntil: new Date(nowMs).toISOString() }],
    ['status-missing-id-ok', { credentialStatus: Object.fromEntries(Object.entries(status).filter(([name]) => name !== 'id')) }],
    ['schemas-ok', { credentialSchema: [{ id: 'https://example.org/1', type: 'JsonSchema' }, { id: 'https://example.org/2', type: 'JsonSchema' }] }],
    ['relatedResource-digest-ok', { relatedResource: [{ id: 'https://example.org/1', digestSRI: 'sha384-x' }, { id: 'https://example.org/2', digestMultibase: 'uEi', mediaType: 'text/plain' }] }],
    ['refreshs-ok', { refreshService: [{ type: 'Refresh' }, { type: 'Refresh', id: 'https://example.org/r' }] }],
    ['termsofuses-ok', { termsOfUse: [{ type: 'Policy' }, { type: 'Policy', id: 'https://example.org/p' }] }],
    ['evidences-ok', { evidence: [{ type: 'Evidence' }, { type: ['Evidence', 'Document'], id: 'https://example.org/e' }] }],
  ]
  const bad: readonly (readonly [what: string, change: JsonObject, statement: string])[] = [
    ['no-context-fail', { '@context': null }, 'vc-4.3 @context begins'],
    ['missing-base-context-fail', { '@context': ['https://example.org/v1'] }, 'vc-4.3 @context begins'],
    ['context-order-fail', { '@context': ['https://example.org/v1', 'https://www.w3.org/ns/credentials/v2'] }, 'vc-4.3 @context begins'],
    ['context as a string', { '@context': 'https://www.w3.org/ns/credentials/v2' }, 'vc-4.3 @context begins'],
    ['context-combo-fail', { '@context': ['https://www.w3.org/ns/credentials/v2', 5] }, 'vc-4.3 @context holds'],
    ['not-url-id-fail', { id: 'not-a-url' }, 'vc-4.4'],
    ['id with a space', { id: 'https ://example.org' }, 'vc-4.4'],
    ['nonsingle-id-fail', { id: ['https://example.org/1', 'https://example.org/2'] }, 'vc-4.4'],
    ['no-type-fail', { type: null }, 'vc-4.5'],
    ['missing-required-type-fail', { type: ['Card'] }, 'vc-4.5'],
    ['type that is neither term nor URL', { type: ['VerifiableCredential', 'two words'] }, 'vc-4.5'],
    ['type-unmapped-fail', { type: ['VerifiableCredential', 5] }, 'vc-4.5'],
    ['name-extra-prop-en-fail', { name: { '@value': 'Card', '@language': 'en', url: 'https://example.org' } }, 'vc-4.6'],
    ['description-extra-prop-en-fail', { description: { '@value': 'Card', extra: 'x' } }, 'vc-4.6'],
    ['issuer-name-extra-prop-en-fail', { issuer: { id: issuer.did, name: { '@value': 'Busan', extra: 'x' } } }, 'vc-4.6'],
    ['issuer description that is no text', { issuer: { id: issuer.did, description: 5 } }, 'vc-4.6'],
    ['no-issuer-fail', { issuer: null }, 'vc-4.7'],
    ['issuer-nonurl-fail', { issuer: 'busan' }, 'vc-4.7'],
    ['issuer-object-no-id-fail', { issuer: { name: 'Busan' } }, 'vc-4.7'],
    ['issuer-object-id-not-url-fail', { issuer: { id: 'busan' } }, 'vc-4.7'],
    ['no-subject-fail', { credentialSubject: null }, 'vc-4.8'],
    ['subject-no-claims-fail', { credentialSubject: {} }, 'vc-4.8'],
    ['subject-multiple (not read here)', { credentialSubject: [{ a: 1 }, { a: 2 }] }, 'vc-4.8'],
    ['subject-multi-id-fail', { credentialSubject: { id: ['did:example:1', 'did:example:2'], a: 1 } }, 'vc-4.8'],
    ['validfrom-invalid-fail', { validFrom: '2020-01-01' }, 'vc-4.9 validFrom and'],
    ['validuntil-invalid-fail', { validUntil: '2099-01-01T00:00:00' }, 'vc-4.9 validFrom and'],
    ['validuntil before validfrom', { validFrom: '2020-01-02T00:00:00Z', validUntil: '2020-01-01T00:00:00Z' }, 'vc-4.9 validFrom is'],
    ['status-missing-type-fail', { credentialStatus: { id: 'https://example.org/s' } }, 'vc-4.10'],
    ['status-nonurl-id-fail', { credentialStatus: { ...status, id: 'no url' } }, 'vc-4.10'],
    ['status-multiple-id-fail', { credentialStatus: { ...status, id: ['https://example.org/1', 'https://example.org/2'] } }, 'vc-4.10'],
    ['an empty set of statuses', { credentialStatus: [] }, 'vc-4.10'],
    ['schema-no-id-fail', { credentialSchema: { type: 'JsonSchema' } }, 'vc-4.11'],
    ['schema-no-type-fail', { credentialSchema: { id: 'https://example.org/s' } }, 'vc-4.11'],
    ['schema-non-url-id-fail', { credentialSchema: { id: 's', type: 'JsonSchema' } }, 'vc-4.11'],
    ['relatedResource-list-of-strings-fail', { relatedResource: ['https://example.org/1'] }, 'vc-5.3'],
    ['relatedResource-missing-id-fail', { relatedResource: { digestSRI: 'sha384-x' } }, 'vc-5.3'],
    ['relatedResource-duplicate-id-fail', { relatedResource: [{ id: 'https://example.org/1', digestSRI: 'a' }, { id: 'https://example.org/1', digestSRI: 'b' }] }, 'vc-5.3'],
    ['relatedResource-no-digest-fail', { relatedResource: { id: 'https://example.org/1' } }, 'vc-5.3'],
    ['refresh-no-type-fail', { refreshService: { id: 'https://example.org/r' } }, 'vc-5.4'],
    ['refresh-non-url-id-fail', { refreshService: { id: 'r', type: 'Refresh' } }, 'vc-5.4'],
    ['termsofuse-no-type-fail', { termsOfUse: { id: 'https://example.org/p' } }, 'vc-5.5'],
    ['evidence-missing-type-fail', { evidence: { id: 'https://example.org/e' } }, 'vc-5.6'],
  ]
  const signed = async (change: JsonObject): Promise<JsonObject> => {
    const base: JsonObject = { '@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiableCredential', 'Card'], issuer: issuer.did, credentialSubject: { id: holder.did, a: 1 }, ...change }
    return addProof(Object.fromEntries(Object.entries(base).filter(([, value]) => value !== null)), issuer, { purpose: 'assertionMethod', createdMs: startMs })
  }
  for (const [what, change] of good) await t.resolves(verifyCredential(await signed(change), verification), what)
  const seen = new Set<string>()
  const fails = async (what: string, verified: () => Promise<unknown>, statement: string): Promise<void> => {
    const error: unknown = await verified().then(() => undefined, (thrown: unknown) => thrown)
    const told = error instanceof DongbaekError && error.code === 'vc/malformed' ? String(error.data['statement']) : String(error)
    t.ok(told.startsWith(statement), `${what}: ${told}`)
    seen.add(told)
  }
  for (const [what, change, statement] of bad) await fails(what, async () => verifyCredential(await signed(change), verification), statement)

  const request = { challenge: 'c', domain: 'd' }
  const own = await signed({})
  const shown = async (change: JsonObject): Promise<unknown> => {
    const base: JsonObject = { '@context': ['https://www.w3.org/ns/credentials/v2'], type: ['VerifiablePresentation'], holder: holder.did, verifiableCredential: [own], ...change }
    return verifyPresentation(await addProof(base, holder, { purpose: 'authentication', createdMs: nowMs, ...request }), request, verification)
  }
  for (const change of [{}, { id: 'urn:uuid:1' }, { holder: { id: holder.did } }, { verifiableCredential: own }, { type: 'VerifiablePresentation' }]) t.match(await shown(change), { holder: holder.did, credentials: [{ issuer: issuer.did }] }, JSON.stringify(change).slice(0, 60))
  for (const [change, statement] of [
    [{ '@context': [] }, 'vc-4.3 @context begins'],
    [{ '@context': ['https://www.w3.org/ns/credentials/v2', 5] }, 'vc-4.3 @context holds'],
    [{ id: 'x' }, 'vc-4.4'],
    [{ termsOfUse: {} }, 'vc-5.5'],
    [{ type: ['Other'] }, 'vc-4.13 type'],
    [{ holder: 5 }, 'vc-4.13 holder'],
    [{ holder: {} }, 'vc-4.13 holder'],
    [{ verifiableCredential: ['a string'] }, 'vc-4.13 each'],
    [{ verifiableCredential: [] }, 'vc-4.13 each'],
  ] as const) await fails(JSON.stringify(change), async () => shown(change), statement)

  const all = [...new Set([...Object.keys(credentialStatements), ...Object.keys(presentationStatements)])].sort()
  t.same([...seen].sort(), all, 'every statement has failed once')
  const page = readFileSync(new URL('../../docs/credentials.md', import.meta.url), 'utf8')
  t.same([...page.matchAll(/^\| (vc-[^|]*) \|/gm)].map(([, statement = '']) => statement).sort(), all)
})

t.test('what must not pass', async (t) => {
  const fresh = await issueCredential({ type: 'Test', subject: holder.did, claims: { a: 1 }, validFromMs: startMs, validUntilMs: nowMs, schemaUrl: 'https://example.org/s.json', id: 'urn:uuid:1' }, issuer)
  const check = async (credential: JsonObject, change: Partial<Verification> = {}): Promise<string> => {
    try {
      await verifyCredential(credential, { ...verification, ...change })
      return 'ok'
    } catch (error) {
      return error instanceof DongbaekError ? error.code : String(error)
    }
  }
  t.equal(await check(fresh), 'ok')
  t.match(fresh, { id: 'urn:uuid:1', credentialSchema: { id: 'https://example.org/s.json', type: 'JsonSchema' } })
  t.equal(await check(fresh, { nowMs: nowMs + 1_000 }), 'vc/expired')
  t.equal(await check(fresh, { nowMs: startMs - 1_000 }), 'vc/not-yet-valid')
  t.equal(await check({ ...fresh, credentialSubject: { a: 2, id: holder.did } }), 'vc/proof')
  t.equal(await check({ ...fresh, extra: true }), 'vc/proof')
  t.equal(await check({ ...fresh, issuer: holder.did }), 'vc/proof')
  t.equal(await check({ ...fresh, '@context': ['https://www.w3.org/2018/credentials/v1'] }), 'vc/malformed')
  t.equal(await check({ ...fresh, type: ['Test'] }), 'vc/malformed')
  t.equal(await check({ ...fresh, credentialSubject: [] }), 'vc/malformed')
  t.equal(await check({ ...fresh, issuer: 5 }), 'vc/malformed')
  const { proof, ...unsigned } = fresh as { proof: JsonObject } & JsonObject
  t.equal(await check(unsigned), 'vc/proof')
  t.equal(await check({ ...unsigned, proof: [proof, proof] }), 'vc/proof')
  for (const change of [{ type: 'Other' }, { cryptosuite: 'eddsa-rdfc-2022' }, { cryptosuite: 'ecdsa-jcs-2019' }, { proofPurpose: 'authentication' }, { challenge: 'x' }, { created: 'today' }, { expires: '2001-01-01T00:00:00Z' }, { verificationMethod: 5 }, { verificationMethod: `${issuer.did}#key` }, { proofValue: 'z1' }, { proofValue: 5 }, { '@context': [] }]) t.equal(await check({ ...unsigned, proof: { ...proof, ...change } }), 'vc/proof', JSON.stringify(change))
  // a proof that its maker has limited in time
  const { proofValue: _, ...options } = proof
  const limited = { ...options, expires: '2025-10-09T08:53:20Z' }
  const proven = { ...unsigned, proof: { ...limited, proofValue: toMultibase(await issuer.sign(hashData(unsigned, limited))) } }
  t.equal(await check(proven, { nowMs: msOf(limited.expires)! }), 'ok')
  t.equal(await check(proven, { nowMs: msOf(limited.expires)! + 1 }), 'vc/proof')
  // one who signs in another's name
  const forged = await addProof({ ...unsigned, issuer: issuer.did }, holder, { purpose: 'assertionMethod', createdMs: startMs })
  t.equal(await check(forged), 'vc/issuer')
  const badTime = await addProof({ ...unsigned, validUntil: 'never' }, issuer, { purpose: 'assertionMethod', createdMs: startMs })
  t.equal(await check(badTime), 'vc/malformed')
  // any bit of any text
  const text = JSON.stringify(fresh)
  let lies = 0
  for (let i = 0; i < text.length; i += 7) {
    const lie = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) ^ 1) + text.slice(i + 1)
    let parsed: JsonObject
    try {
      parsed = JSON.parse(lie) as JsonObject
    } catch {
      continue
    }
    lies++
    if ((await check(parsed)) === 'ok') t.fail(lie)
  }
  t.ok(lies > 50, `${lies} lies`)
})

t.test('a presentation is for one challenge, one domain and its holder', async (t) => {
  const other = citizens[2]!
  const own = await issueCredential({ type: 'Test', subject: holder.did, claims: {}, validFromMs: startMs, validUntilMs: nowMs }, issuer)
  const request = { challenge: 'one', domain: 'https://hall.example' }
  const shown = await present([own], holder, request, nowMs)
  const check = async (presentation: JsonObject, asked = request): Promise<unknown> => verifyPresentation(presentation, asked, verification)
  t.match(await check(shown), { holder: holder.did })
  await t.rejects(check(shown, { ...request, challenge: 'two' }), { code: 'vc/proof' })
  await t.rejects(check(shown, { ...request, domain: 'https://elsewhere.example' }), { code: 'vc/proof' })
  await t.rejects(check(await present([own], other, request, nowMs)), { code: 'vc/holder' }, 'a credential that was seen by another')
  const { proof: _, ...unsigned } = shown
  await t.rejects(check(await addProof(unsigned, other, { purpose: 'authentication', createdMs: nowMs, ...request })), { code: 'vc/holder' })
  await t.rejects(check(await addProof(unsigned, holder, { purpose: 'assertionMethod', createdMs: nowMs, ...request })), { code: 'vc/proof' })
  await t.rejects(check(await present([], holder, request, nowMs)), { code: 'vc/malformed' })
  await t.rejects(check(await present(new Array<JsonObject>(17).fill(own), holder, request, nowMs)), { code: 'vc/malformed' })
  await t.rejects(check(own), { code: 'vc/malformed' })
})

t.test('a key that is listed no more signs no more', async (t) => {
  const school = citizens[3]!
  const shown = await issueCredential({ type: 'Test', subject: holder.did, claims: {}, validFromMs: startMs, validUntilMs: nowMs }, school)
  t.equal((await verifyCredential(shown, verification)).issuer, school.did)
  await city.send('did.update', { baseVersion: 1, keys: [{ key: school.key, relationships: ['authentication'] }], services: [] }, [school])
  await t.rejects(verifyCredential(shown, verification), { code: 'vc/proof' })
  await city.send('did.deactivate', {}, [school])
  await t.rejects(verifyCredential(shown, verification), { code: 'vc/proof' })
})

t.test('times with offsets and fractions are read, others are not', (t) => {
  t.equal(msOf('2026-01-01T09:00:00.5+09:00'), Date.parse('2026-01-01T00:00:00.500Z'))
  for (const bad of [5, '', '2026-01-01', '2026-01-01T00:00:00', '2026-13-01T00:00:00Z', 'x2026-01-01T00:00:00Z']) t.equal(msOf(bad), undefined, String(bad))
  t.end()
})
