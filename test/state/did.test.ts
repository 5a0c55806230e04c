// DIDs rule by rule: registration, update, recovery, deactivation, resolution; and random lives against a naive account of who may act.
import fc from 'fast-check'
import t from 'tap'
import type { Receipt } from '../../state/receipt.ts'
import { isAuthorised } from '../../state/did/authority.ts'
import { didCodes } from '../../state/did/codes.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { history, resolve } from '../../state/did/queries.ts'
import { recover } from '../../state/did/recover.ts'
import { register } from '../../state/did/register.ts'
import { type DidKey, didOf, recoveryHashOf, type Relationship } from '../../state/did/types.ts'
import { update } from '../../state/did/update.ts'
import { toMultibase } from '../../state/did/base58.ts'
import { toDatetime } from '../../state/did/datetime.ts'
import { isAssertionKey } from '../../state/did/authority.ts'
import { didTable, readDid, versionsMax } from '../../state/did/documents.ts'
import { createOverlay, createValueCache } from '../../state/view.ts'
import { createHash } from 'node:crypto'
import { fromHex, toHex } from '../../primitives/bytes.ts'
import { encode } from '../../primitives/codec.ts'
import { organisationsTable } from '../../state/governance/organisations.ts'
import { actorWith, createHarness, type Harness, testActor, type TestActor, testGovernors, testKey, testPhone, testRegistrar, withKey } from '../support/state-harness.ts'

const alice = testActor('alice')
const bob = testActor('bob')
const recoveryKey = testKey('recovery of alice')
const recovery = recoveryHashOf(recoveryKey.multikey)
const keyOf = (name: string): DidKey => ({ key: testKey(name).multikey, relationships: ['authentication', 'assertionMethod'] })

const xKey = Uint8Array.of(0xec, 0x01, ...testKey('agreement').multikey.subarray(2))

const provoked = new Set<string>()
function codeOf(receipt: Receipt): string {
  if (receipt.code !== undefined) provoked.add(receipt.code)
  return receipt.code ?? receipt.status
}

function registered(chain: Harness, actor: TestActor, withRecovery = false): Receipt {
  return chain.run(register, actor, { keys: actor.keys, services: [], recovery: withRecovery ? recovery : undefined }, { cosigners: [testRegistrar] })
}

t.test('registration is self-certifying, countersigned and once', (t) => {
  const chain = createHarness({ actors: [bob] })
  const payload = { keys: alice.keys, services: [], recovery: undefined }
  t.equal(codeOf(chain.run(register, alice, payload)), 'did/registrar-missing')
  t.equal(codeOf(chain.run(register, alice, payload, { cosigners: [bob] })), 'did/registrar-missing', 'anybody’s countersignature is none')
  t.equal(codeOf(chain.run(register, alice, { ...payload, keys: [keyOf('other')] }, { cosigners: [testRegistrar] })), 'did/not-self-certifying')
  t.equal(codeOf(chain.run(register, withKey(alice, testKey('thief')), payload, { cosigners: [testRegistrar] })), 'did/key-not-listed')
  t.equal(codeOf(chain.run(register, alice, { ...payload, recovery: recoveryHashOf(alice.multikey) }, { cosigners: [testRegistrar] })), 'did/recovery-key-exposed')
  t.notOk(isAuthorised(chain.view(), alice.did, alice.multikey))
  t.equal(codeOf(registered(chain, alice)), 'ok')
  t.ok(isAuthorised(chain.view(), alice.did, alice.multikey))
  t.equal(codeOf(registered(chain, alice)), 'did/already-registered')
  t.end()
})

t.test('an update replaces the keys: the old one speaks no more', async (t) => {
  const chain = createHarness({ actors: [alice] })
  const keys = [keyOf('new phone')]
  const service = { id: 'home', type: 'LinkedDomains', endpoint: 'https://example.org/' }
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 2, keys, services: [], recovery: undefined })), 'did/version-conflict')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 1, keys, services: [], recovery: recoveryHashOf(testKey('new phone').multikey) })), 'did/recovery-key-exposed')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 1, keys, services: [service], recovery })), 'ok')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 2, keys, services: [], recovery: undefined })), 'tx/key-not-authorised')
  const phone = withKey(alice, testKey('new phone'))
  t.equal(codeOf(chain.run(update, phone, { baseVersion: 2, keys, services: [], recovery: recoveryHashOf(bob.multikey) })), 'did/recovery-already-set')
  t.equal(codeOf(chain.run(update, phone, { baseVersion: 2, keys, services: [], recovery })), 'ok')
  const shown = (await chain.query(history, { did: alice.did }))?.items
  t.same(shown?.map(({ versionId, services }) => [versionId, services.length]), [[1, 0], [2, 1], [3, 0]])
  t.same((await chain.query(history, { did: alice.did, limit: 1, cursor: '1' }))?.items.map(({ versionId }) => versionId), [2])
})

t.test('recovery by the committed key, once', (t) => {
  const chain = createHarness({ actors: [bob] })
  const owner = (key: string): TestActor => withKey(alice, testKey(key))
  const next = recoveryHashOf(testKey('next recovery').multikey)
  const take = (actor: TestActor, keys: readonly DidKey[], nextRecovery: Uint8Array | undefined): string => codeOf(chain.run(recover, actor, { keys, services: [], recovery: nextRecovery as never }))
  t.equal(take(alice, [keyOf('new')], undefined), 'did/not-registered')
  t.equal(codeOf(chain.run(recover, bob, { keys: bob.keys, services: [], recovery: undefined })), 'did/no-recovery-key')
  registered(chain, alice, true)
  t.equal(take(owner('thief'), [keyOf('new')], next), 'did/recovery-key-wrong')
  t.equal(take(alice, [keyOf('new')], next), 'did/recovery-key-wrong', 'a key of the document is not the recovery key')
  t.equal(take(owner('recovery of alice'), [keyOf('new')], recovery), 'did/recovery-key-reused')
  t.equal(take(owner('recovery of alice'), [keyOf('recovery of alice')], next), 'did/recovery-key-exposed')
  t.equal(take(owner('recovery of alice'), [keyOf('next recovery')], next), 'did/recovery-key-exposed', 'the next one neither')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 1, keys: [keyOf('thief')], services: [], recovery: undefined })), 'ok', 'a thief with the phone takes the DID')
  t.equal(take(owner('recovery of alice'), [keyOf('new')], next), 'ok', 'and loses it again')
  t.notOk(isAuthorised(chain.view(), alice.did, testKey('thief').multikey))
  t.notOk(isAuthorised(chain.view(), alice.did, alice.multikey))
  t.ok(isAuthorised(chain.view(), alice.did, testKey('new').multikey))
  t.equal(take(owner('recovery of alice'), [keyOf('again')], undefined), 'did/recovery-key-wrong', 'it is used up')
  t.end()
})

t.test('deactivation is for good and needs the recovery key where there is one', async (t) => {
  const chain = createHarness({ actors: [bob] })
  t.equal(codeOf(chain.run(deactivate, alice, {})), 'did/not-registered')
  registered(chain, alice, true)
  t.equal(codeOf(chain.run(deactivate, alice, {})), 'did/recovery-key-needed')
  t.equal(codeOf(chain.run(deactivate, withKey(alice, recoveryKey), {})), 'ok')
  t.equal(codeOf(chain.run(deactivate, withKey(alice, recoveryKey), {})), 'did/deactivated')
  t.equal(codeOf(chain.run(recover, withKey(alice, recoveryKey), { keys: alice.keys, services: [], recovery: undefined })), 'did/deactivated')
  t.equal(codeOf(registered(chain, alice)), 'did/already-registered')
  t.equal(codeOf(chain.run(deactivate, withKey(bob, testKey('thief')), {})), 'did/key-not-authorised')
  t.equal(codeOf(chain.run(deactivate, testGovernors.city, {})), 'did/holds-governor')
  const shown = (await chain.query(resolve, { did: alice.did })) as { didDocument: object | null; didDocumentMetadata: { deactivated: boolean } }
  t.equal(shown.didDocumentMetadata.deactivated, true)
  t.equal(shown.didDocument, null)
})

t.test('resolution by version and by time', async (t) => {
  const chain = createHarness({ actors: [alice] })
  const firstMs = chain.next().timeMs
  chain.advance(60_000)
  chain.run(update, alice, { baseVersion: 1, keys: [...alice.keys, keyOf('second phone')], services: [], recovery: undefined })
  const methods = async (params: { versionId?: number; versionTime?: number }): Promise<number> => {
    const found = (await chain.query(resolve, { did: alice.did, ...params } as never)) as { didDocument: { verificationMethod: object[] } } | undefined
    return found?.didDocument.verificationMethod.length ?? 0
  }
  t.equal(await methods({}), 2)
  t.equal(await methods({ versionId: 1 }), 1)
  t.equal(await methods({ versionId: 3 }), 0)
  t.equal(await methods({ versionTime: firstMs }), 1)
  t.equal(await methods({ versionTime: 1 }), 0, 'before it was')
  t.equal(await chain.query(resolve, { did: didOf([keyOf('nobody')]) }), undefined)
})

t.test('a key does what it is listed for, and nothing else', (t) => {
  const signs = { key: testKey('signs').multikey, relationships: ['authentication'] as const }
  const states = { key: testKey('states').multikey, relationships: ['assertionMethod', 'capabilityInvocation'] as const }
  const keys = [states, signs]
  const did = didOf(keys)
  t.equal(did, didOf([signs]), 'the DID follows from the authentication keys')
  const preimage = Buffer.concat([Buffer.from('dongbaek/did\0'), Buffer.of(34), signs.key])
  t.equal(did, `did:dongbaek:${createHash('sha256').update(preimage).digest().subarray(0, 20).toString('base64url')}`)
  const carol: TestActor = { ...testKey('signs'), did, keys, entry: { did, keys, services: [] } }
  const chain = createHarness()
  const payload = { keys, services: [], recovery: undefined }
  t.equal(codeOf(chain.run(register, withKey(carol, testKey('states')), payload, { cosigners: [testRegistrar] })), 'did/key-not-listed')
  t.equal(codeOf(chain.run(register, carol, payload, { cosigners: [testRegistrar] })), 'ok')
  t.same([signs, states].map(({ key }) => [isAuthorised(chain.view(), did, key), isAssertionKey(chain.view(), did, key)]), [[true, false], [false, true]])
  const content = { baseVersion: 1, keys: [signs], services: [], recovery: undefined }
  t.equal(codeOf(chain.run(update, withKey(carol, testKey('states')), content)), 'tx/key-not-authorised')
  t.equal(codeOf(chain.run(deactivate, withKey(carol, testKey('states')), {})), 'did/key-not-authorised')
  t.equal(codeOf(chain.run(update, carol, content)), 'ok')
  t.notOk(isAssertionKey(chain.view(), did, states.key))
  t.end()
})

t.test('a phone’s P-256 key registers, updates and signs; each algorithm does what it can', async (t) => {
  const chain = createHarness()
  const dana = actorWith(testPhone('dana'))
  t.equal(codeOf(chain.run(register, dana, { keys: dana.keys, services: [], recovery: recoveryHashOf(testPhone('dana’s recovery').multikey) }, { cosigners: [testRegistrar] })), 'ok')
  const both = [...dana.keys, keyOf('dana’s card'), { key: xKey, relationships: ['keyAgreement'] as const }]
  t.equal(codeOf(chain.run(update, dana, { baseVersion: 1, keys: both, services: [], recovery: undefined })), 'ok')
  t.equal(codeOf(chain.run(update, withKey(dana, testKey('dana’s card')), { baseVersion: 2, keys: both, services: [], recovery: undefined })), 'ok')
  t.equal(codeOf(chain.run(update, withKey(dana, testPhone('thief')), { baseVersion: 3, keys: both, services: [], recovery: undefined })), 'tx/key-not-authorised')
  t.equal(codeOf(chain.run(recover, withKey(dana, testPhone('dana’s recovery')), { keys: [keyOf('dana’s new phone')], services: [], recovery: undefined })), 'ok')
  const shown = (await chain.query(resolve, { did: dana.did, versionId: 2 })) as { didDocument: { verificationMethod: { publicKeyMultibase: string }[]; keyAgreement: string[] } }
  t.same(shown.didDocument.verificationMethod.map(({ publicKeyMultibase }) => publicKeyMultibase.slice(0, 4)), ['zDna', 'z6Mk', 'z6LS'])
  t.equal(shown.didDocument.keyAgreement.length, 1)
  const refused = (key: Uint8Array, ...relationships: readonly Relationship[]): void => {
    t.throws(() => encode(register.payload, { keys: [...dana.keys, { key, relationships }], services: [], recovery: undefined }), { code: 'codec/invalid' })
  }
  refused(xKey, 'authentication')
  refused(xKey, 'assertionMethod', 'keyAgreement')
  refused(testKey('card').multikey, 'keyAgreement')
  refused(testPhone('phone').multikey.subarray(0, 34), 'authentication')
  refused(Uint8Array.of(0xed, 0x01, ...new Uint8Array(33)), 'authentication')
  refused(Uint8Array.of(0xe7, 0x01, ...new Uint8Array(33)), 'authentication')
})

t.test('the document and its metadata, as DID Core has them', async (t) => {
  const chain = createHarness({ actors: [alice] })
  const both = { key: testKey('both').multikey, relationships: ['authentication', 'assertionMethod'] as const }
  const agrees = { key: testPhone('agrees').multikey, relationships: ['keyAgreement', 'capabilityDelegation'] as const }
  chain.advance(3_600_000)
  chain.run(update, alice, { baseVersion: 1, keys: [both, agrees], services: [{ id: 'home', type: 'LinkedDomains', endpoint: 'https://example.org/' }], recovery: undefined })
  chain.advance(3_600_000)
  chain.run(deactivate, withKey(alice, testKey('both')), {})
  const idOf = (key: Uint8Array): string => `${alice.did}#${toMultibase(key)}`
  const method = (key: Uint8Array): object => ({ id: idOf(key), type: 'Multikey', controller: alice.did, publicKeyMultibase: toMultibase(key) })
  t.strictSame(await chain.query(resolve, { did: alice.did, versionId: 2 }), {
    didResolutionMetadata: { contentType: 'application/did' },
    didDocument: {
      '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
      id: alice.did,
      verificationMethod: [method(both.key), method(agrees.key)],
      authentication: [idOf(both.key)],
      assertionMethod: [idOf(both.key)],
      keyAgreement: [idOf(agrees.key)],
      capabilityDelegation: [idOf(agrees.key)],
      service: [{ id: `${alice.did}#home`, type: 'LinkedDomains', serviceEndpoint: 'https://example.org/' }],
    },
    didDocumentMetadata: { created: '2026-05-28T20:26:40Z', versionId: '2', deactivated: true, updated: '2026-05-28T21:26:40Z', nextUpdate: '2026-05-28T22:26:41Z', nextVersionId: '3' },
  })
  t.strictSame(await chain.query(resolve, { did: alice.did }), {
    didResolutionMetadata: { contentType: 'application/did' },
    didDocument: null,
    didDocumentMetadata: { created: '2026-05-28T20:26:40Z', versionId: '3', deactivated: true, updated: '2026-05-28T22:26:41Z' },
  })
})

t.test('resolution by time finds what a search through the whole history finds', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 2_500 }), { maxLength: 12 }), fc.integer({ min: -2_000, max: 40_000 }), async (waits, offset) => {
      const chain = createHarness({ actors: [alice] })
      const startMs = chain.next().timeMs
      for (const [i, wait] of waits.entries()) {
        chain.advance(wait)
        chain.run(update, alice, { baseVersion: i + 1, keys: alice.keys, services: [], recovery: undefined })
      }
      const asked = (startMs + offset) as never
      const all = (await chain.query(history, { did: alice.did }))?.items ?? []
      const expected = all.findLast(({ atMs }) => Math.floor(atMs / 1_000) <= Math.floor(asked / 1_000))?.versionId
      const found = (await chain.query(resolve, { did: alice.did, versionTime: asked })) as { didDocumentMetadata: { versionId: string } } | undefined
      return all.length === waits.length + 1 && found?.didDocumentMetadata.versionId === (expected === undefined ? undefined : String(expected))
    }),
    { numRuns: 60 },
  )
  t.throws(() => resolve.params.fromJson({ did: alice.did, versionId: 1, versionTime: 1 }, ''), { code: 'codec/invalid' }, 'one or the other')
})

t.test('times as the calendar has them', (t) => {
  const expected = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`
  fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => toDatetime(ms as never) === expected(ms)), { numRuns: 2_000 })
  for (const day of ['1970-01-01', '1999-12-31', '2000-02-28', '2000-02-29', '2000-03-01', '2026-01-31', '2026-02-01', '2028-02-29', '2100-02-28', '2100-03-01', '9999-12-31']) t.equal(toDatetime(Date.parse(day) as never), `${day}T00:00:00Z`)
  t.equal(toDatetime(Number.MAX_SAFE_INTEGER as never), '9999-12-31T23:59:59Z', 'later than any calendar: the last second it has')
  t.end()
})

t.test('the number of versions is bounded by its type, not by a crash', (t) => {
  const view = createOverlay({ get: () => undefined }, createValueCache(10))
  const block = createHarness().next()
  view.put(didTable, [alice.did], { version: versionsMax, keys: alice.keys, services: [], atMs: block.timeMs, atHeight: block.height, createdMs: block.timeMs, deactivated: false, recovery })
  const chain = createHarness()
  const content = { keys: bob.keys, services: [], recovery: undefined }
  const signed = (key: TestActor) => ({ block, view, emit: () => {}, transaction: chain.make(update, key, { baseVersion: 1, ...content }).transaction })
  for (const refusal of [update.apply(signed(alice), { baseVersion: versionsMax, ...content }), recover.apply(signed(withKey(alice, recoveryKey)), content)]) {
    provoked.add(refusal?.code ?? '')
    t.equal(refusal?.code, 'did/version-limit')
  }
  t.equal(deactivateDirectly(), undefined, 'it can still be ended')
  t.equal(readDid(view, alice.did)?.version, versionsMax + 1)
  t.end()

  function deactivateDirectly(): unknown {
    view.put(organisationsTable, ['all'], [])
    return deactivate.apply(signed(withKey(alice, recoveryKey)), {})
  }
})

t.test('base58btc (draft-msporny-base58, test vectors)', (t) => {
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
  t.equal(toMultibase(utf8('Hello World!')), 'z2NEpo7TZRRrLZSi2U')
  t.equal(toMultibase(utf8('The quick brown fox jumps over the lazy dog.')), 'zUSm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z')
  t.equal(toMultibase(fromHex('0000287fb4cd') as Uint8Array), 'z11233QC4')
  t.ok(toMultibase(alice.multikey).startsWith('z6Mk'), `an Ed25519 key: ${toHex(alice.multikey).slice(0, 4)}`)
  t.end()
})

t.test('random lives: exactly the keys of the current version act, and none after deactivation', (t) => {
  const names = ['alice', 'k1', 'k2']
  const step = fc.oneof(
    fc.record({ type: fc.constant('update' as const), by: fc.constantFrom(...names), to: fc.constantFrom(...names) }),
    fc.record({ type: fc.constant('recover' as const), to: fc.constantFrom(...names) }),
    fc.record({ type: fc.constant('deactivate' as const), by: fc.constantFrom(...names) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 15 }), (steps) => {
      const chain = createHarness()
      registered(chain, alice)
      let current: string | undefined = 'alice'
      let version = 1
      for (const one of steps) {
        const actor = withKey(alice, testKey(one.type === 'recover' ? 'recovery of alice' : one.by))
        const keys = one.type === 'deactivate' ? [] : [keyOf(one.to)]
        const receipt =
          one.type === 'update'
            ? chain.run(update, actor, { baseVersion: version, keys, services: [], recovery: undefined })
            : one.type === 'recover'
              ? chain.run(recover, actor, { keys, services: [], recovery: undefined })
              : chain.run(deactivate, actor, {})
        const allowed = current !== undefined && one.type !== 'recover' && one.by === current
        if ((receipt.status === 'ok') !== allowed) return false
        if (!allowed) continue
        version++
        current = one.type === 'update' ? one.to : undefined
        if (names.some((name) => isAuthorised(chain.view(), alice.did, testKey(name).multikey) !== (name === current))) return false
      }
      return true
    }),
    { numRuns: 60 },
  )
  t.pass('60 lives')
  t.end()
})

t.test('every code of did was provoked', (t) => {
  const elsewhere = ['height-not-ahead', 'height-full', 'not-registrar', 'holds-office', 'recovery-requested', 'no-recovery-request', 'recovery-firm', 'recovery-waiting'].map((name) => `did/${name}`)
  t.same([...provoked].filter((code) => code.startsWith('did/')).sort(), Object.keys(didCodes).filter((code) => !elsewhere.includes(code)).sort(), 'those of did-recovery.test.ts left out')
  t.end()
})
