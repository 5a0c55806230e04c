// Credentials rule by rule: issuers, schemas, anchors, status lists, and the attestations that other families check.
import fc from 'fast-check'
import t from 'tap'
import { sha256 } from '../../primitives/hash.ts'
import { anchor } from '../../state/credential/anchor.ts'
import { type Attestation, checkAttestation, signAttestation } from '../../state/credential/attestation.ts'
import { credentialCodes } from '../../state/credential/codes.ts'
import { anchorQuery, issuers, schemas, status, statusChunk } from '../../state/credential/queries.ts'
import { registerIssuer } from '../../state/credential/register-issuer.ts'
import { registerSchema } from '../../state/credential/register-schema.ts'
import { setStatus } from '../../state/credential/set-status.ts'
import { statusChunkBits, statusChunksTouchedMax, statusIndexMax } from '../../state/credential/types.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { propose } from '../../state/governance/propose.ts'
import { vote } from '../../state/governance/vote.ts'
import { actorWith, createHarness, eventsOf, type Harness, testActor, testGovernors, testIssuer, testPhone } from '../support/state-harness.ts'

const citizen = testActor('citizen')
const officer = testActor('officer')
const school = testActor('a school that attests for one course')
const other = testActor('another issuer for all')
const hardware = actorWith(testPhone('an issuer’s hardware'))
const provoked = new Set<string>()
function codeOf(receipt: { readonly code?: string | undefined; readonly status: string }): string {
  if (receipt.code !== undefined) provoked.add(receipt.code)
  return receipt.code ?? receipt.status
}
const hashOf = (name: string): never => sha256(new TextEncoder().encode(name)) as never

function harness(): Harness {
  return createHarness({ actors: [citizen], roles: [[school, 'issuer', 'art-course'], [other, 'issuer', '*'], [hardware, 'issuer', '*']] })
}

t.test('issuers and schemas', async (t) => {
  const chain = harness()
  const about = { scope: 'art-course', name: '미술학교', website: 'https://example.org/' }
  t.equal(codeOf(chain.run(registerIssuer, citizen, about)), 'credential/not-issuer')
  t.equal(codeOf(chain.run(anchor, school, { hashes: [hashOf('x')] })), 'credential/issuer-not-registered')
  t.equal(codeOf(chain.run(registerIssuer, school, about)), 'ok')
  t.same((await chain.query(issuers, {}))?.items.map(({ issuer, name }) => [issuer, name]), [[school.did, '미술학교']])
  const schema = { schema: 'course-pass', version: 1, hash: hashOf('schema'), url: 'https://example.org/schema.json' }
  t.equal(codeOf(chain.run(registerSchema, school, { ...schema, version: 2 })), 'credential/schema-version-gap')
  t.equal(codeOf(chain.run(registerSchema, school, schema)), 'ok')
  t.equal(codeOf(chain.run(registerSchema, school, schema)), 'credential/schema-exists')
  t.equal(codeOf(chain.run(registerSchema, school, { ...schema, version: 2 })), 'ok')
  t.same((await chain.query(schemas, { issuer: school.did }))?.items.map(({ version }) => version), [1, 2])
})

t.test('an issuer acts as far and as long as its role reaches', async (t) => {
  const untilMs = createHarness().next().timeMs + 30_000
  const chain = createHarness({ actors: [citizen], roles: [[officer, 'officer', '*']] })
  chain.run(propose, testGovernors.city, { action: { type: 'grantRole', did: citizen.did, role: 'issuer', scope: 'art-course', untilMs: untilMs as never }, expiresMs: (chain.next().timeMs + 60_000) as never })
  for (const governor of [testGovernors.city, testGovernors.bank]) chain.run(vote, governor, { proposal: 1, vote: 'yes' })
  t.equal(codeOf(chain.run(registerIssuer, citizen, { scope: '*', name: 'A', website: undefined })), 'credential/not-issuer')
  t.equal(codeOf(chain.run(registerIssuer, citizen, { scope: 'art-course', name: 'A', website: undefined })), 'ok')
  t.equal(codeOf(chain.run(anchor, citizen, { hashes: [hashOf('a')] })), 'ok')
  const first = (await chain.query(issuers, {}))?.items[0]
  t.equal(codeOf(chain.run(registerIssuer, citizen, { scope: 'art-course', name: 'B', website: 'https://example.org/' })), 'ok')
  const second = (await chain.query(issuers, {}))?.items[0]
  t.equal(second?.name, 'B')
  t.equal(second?.registeredMs, first?.registeredMs, 'it is one issuer still')
  t.not(second?.updatedMs, first?.updatedMs)
  chain.advance(60_000)
  t.equal(codeOf(chain.run(anchor, citizen, { hashes: [hashOf('b')] })), 'credential/not-issuer', 'its term is over')
  t.equal(codeOf(chain.run(registerSchema, citizen, { schema: 's', version: 1, hash: hashOf('s'), url: 'https://example.org/s' })), 'credential/not-issuer')
  t.equal(codeOf(chain.run(setStatus, citizen, { list: 'l', purpose: 'suspension', indexes: [1], status: true })), 'credential/not-issuer')
})

t.test('status lists hold what was set and not cleared', async (t) => {
  const index = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: statusChunkBits - 5, max: statusChunkBits + 5 }), fc.constant(statusIndexMax))
  const step = fc.record({ indexes: fc.uniqueArray(index, { minLength: 1, maxLength: 12 }).map((all) => all.sort((a, b) => a - b)), status: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const chain = harness()
      const set = new Set<number>()
      for (const { indexes, status: value } of steps) {
        const changed = indexes.filter((each) => set.has(each) !== value)
        for (const each of indexes) if (value) set.add(each)
          else set.delete(each)
        const receipt = chain.run(setStatus, testIssuer, { list: 'cards', purpose: 'suspension', indexes, status: value })
        if (receipt.status !== (changed.length > 0 ? 'ok' : 'refused')) return false
        if (changed.length > 0) t.strictSame(eventsOf(receipt, 'credential.statusSet')[0]?.['indexes'], changed)
      }
      if (set.size === 0) return true
      for (const each of [...set, 3, 20, statusChunkBits, statusIndexMax]) if ((await chain.query(status, { list: 'cards', index: each }))?.status !== set.has(each)) return false
      const bits = (await chain.query(statusChunk, { list: 'cards', chunk: 0 }))?.bits ?? new Uint8Array(0)
      const ones = Array.from(bits, (byte) => byte.toString(2).padStart(8, '0')).join('')
      return ones.split('').every((bit, i) => (bit === '1') === set.has(i))
    }),
    { numRuns: 40 },
  )
  const chain = harness()
  const make = (indexes: readonly number[]) => () => chain.make(setStatus, testIssuer, { list: 'cards', purpose: 'suspension', indexes, status: true })
  const spread = (chunks: number): number[] => Array.from({ length: chunks }, (_, i) => i * statusChunkBits)
  t.doesNotThrow(make(spread(statusChunksTouchedMax)))
  for (const indexes of [[2, 1], [1, 1], [statusIndexMax + 1], spread(statusChunksTouchedMax + 1)]) t.throws(make(indexes), { code: 'codec/invalid' })
})

t.test('only the kilobytes in which a bit was set are kept', (t) => {
  const chain = harness()
  const rows = (): readonly (readonly [string, Uint8Array])[] => chain.entries().filter(([key]) => key.startsWith('credential.statusChunk/'))
  // ten million cards, every ten-thousandth withdrawn
  const all = Array.from({ length: 1_000 }, (_, i) => i * 10_000)
  for (let from = 0; from < all.length; from += 50) t.equal(codeOf(chain.run(setStatus, testIssuer, { list: 'cards', purpose: 'revocation', indexes: all.slice(from, from + 50), status: true })), 'ok')
  t.equal(rows().length, new Set(all.map((index) => Math.floor(index / statusChunkBits))).size)
  t.ok(rows().every(([, value]) => value.length < 1_030))
  const before = rows().length
  t.equal(codeOf(chain.run(setStatus, testIssuer, { list: 'cards', purpose: 'revocation', indexes: [1, 2, 3], status: true })), 'ok')
  t.equal(rows().length, before)
  t.end()
})

t.test('anchors: all or none, once', async (t) => {
  const chain = harness()
  t.equal(codeOf(chain.run(anchor, testIssuer, { hashes: [hashOf('a'), hashOf('b')] })), 'ok')
  const again = chain.run(anchor, other, { hashes: [hashOf('c'), hashOf('a')] })
  t.equal(codeOf(again), 'credential/anchor-exists')
  t.equal(again.data?.['index'], 1)
  t.equal(await chain.query(anchorQuery, { hash: hashOf('c') }), undefined)
  for (const name of ['a', 'b']) t.equal((await chain.query(anchorQuery, { hash: hashOf(name) }))?.issuer, testIssuer.did)
})

t.test('status lists', async (t) => {
  const chain = harness()
  const set = (by: typeof testIssuer, list: string, purpose: 'revocation' | 'suspension', indexes: number[], value: boolean): string => codeOf(chain.run(setStatus, by, { list, purpose, indexes, status: value }))
  const bit = async (index: number): Promise<boolean | undefined> => (await chain.query(status, { list: 'cards', index }))?.status
  const far = 5 * statusChunkBits + 3
  t.equal(await bit(0), undefined)
  t.equal(set(testIssuer, 'cards', 'suspension', [], false), 'ok', 'an empty list can be read before the first withdrawal')
  t.equal(await bit(0), false)
  t.equal(set(testIssuer, 'cards', 'suspension', [], true), 'credential/status-unchanged')
  t.equal(set(other, 'cards', 'suspension', [], true), 'credential/list-of-other')
  t.equal(set(testIssuer, 'cards', 'suspension', [0, 7, far], true), 'ok')
  t.same([await bit(0), await bit(1), await bit(7), await bit(far)], [true, false, true, true])
  t.equal(set(other, 'cards', 'suspension', [1], true), 'credential/list-of-other')
  t.equal(set(testIssuer, 'cards', 'revocation', [1], true), 'credential/list-purpose')
  t.equal(set(testIssuer, 'cards', 'suspension', [0, 7], true), 'credential/status-unchanged')
  t.equal(set(testIssuer, 'cards', 'suspension', [7], false), 'ok')
  t.same([await bit(0), await bit(7)], [true, false])
  t.equal(set(testIssuer, 'gone', 'revocation', [1], false), 'credential/revocation-final')
  const chunk = await chain.query(statusChunk, { list: 'cards', chunk: 0 })
  t.equal(chunk?.bits[0], 0b1000_0000, 'the left-most bit is index 0')
})

t.test('attestations', (t) => {
  const chain = harness()
  const statement = { purpose: 'reservation:art-course', subject: citizen.did, claim: 'adult', pseudonym: new Uint8Array(32).fill(7), expiresMs: (chain.next().timeMs + 60_000) as never }
  const check = (shown: Attestation, purpose = 'reservation:art-course', subject: string = citizen.did): string => {
    const refusal = checkAttestation(chain.view(), chain.next(), shown, { purpose, subject })
    if (refusal !== undefined) provoked.add(refusal.code)
    return refusal?.code ?? 'ok'
  }
  const good = chain.attest(school, statement as never)
  t.equal(check(good), 'ok')
  t.equal(check(chain.attest(testIssuer, statement as never)), 'ok', 'an issuer for all')
  t.equal(check(chain.attest(hardware, statement as never)), 'ok', 'by a key of P-256')
  t.equal(check({ ...chain.attest(hardware, statement as never), claim: 'child' }), 'credential/attestation-signature')
  t.equal(check(good, 'reservation:other'), 'credential/attestation-purpose')
  t.equal(check(good, undefined, school.did), 'credential/attestation-subject')
  t.equal(check(chain.attest(citizen, statement as never)), 'credential/attestation-issuer')
  t.equal(check(chain.attest(school, { ...statement, purpose: 'points:art-fund' } as never), 'points:art-fund'), 'credential/attestation-issuer', 'outside its scope')
  t.equal(check({ ...good, key: citizen.multikey }), 'credential/attestation-key')
  for (const changed of [{ claim: 'child' }, { pseudonym: new Uint8Array(32) }, { expiresMs: statement.expiresMs + 1 }, { status: { list: 'x', index: 0 } }]) {
    const code = check({ ...good, ...changed } as Attestation)
    t.ok(['credential/attestation-signature', 'credential/attestation-withdrawn'].includes(code), `${Object.keys(changed)[0]} changed: ${code}`)
  }
  const elsewhere = signAttestation('busan-0123456789abcdef', { ...statement, issuer: school.did, key: school.multikey } as never, school.sign)
  t.equal(check(elsewhere), 'credential/attestation-signature', 'of another chain')
  t.equal(check({ ...good, signature: new Uint8Array(64) }), 'credential/attestation-signature')
  chain.run(setStatus, other, { list: 'of-other', purpose: 'revocation', indexes: [5], status: true })
  t.equal(check(chain.attest(testIssuer, { ...statement, status: { list: 'of-other', index: 4 } } as never)), 'credential/attestation-withdrawn', 'a list of another issuer says nothing')
  const edge = chain.attest(school, { ...statement, expiresMs: chain.next().timeMs } as never)
  t.equal(check(edge), 'ok', 'in its last millisecond')
  chain.advance(1)
  t.equal(check(edge), 'credential/attestation-expired')
  const withdrawable = chain.attest(testIssuer, { ...statement, status: { list: 'shown', index: 4 } } as never)
  t.equal(check(withdrawable), 'credential/attestation-withdrawn', 'no such list')
  chain.run(setStatus, testIssuer, { list: 'shown', purpose: 'revocation', indexes: [5], status: true })
  t.equal(check(withdrawable), 'ok')
  chain.run(setStatus, testIssuer, { list: 'shown', purpose: 'revocation', indexes: [4], status: true })
  t.equal(check(withdrawable), 'credential/attestation-withdrawn')
  t.equal(codeOf(chain.run(deactivate, school, {})), 'ok')
  t.equal(check(good), 'credential/attestation-key', 'the issuer is gone')
  chain.advance(120_000)
  t.equal(check(good), 'credential/attestation-expired')
  t.end()
})

t.test('every code of credential was provoked', (t) => {
  t.same([...provoked].filter((code) => code.startsWith('credential/')).sort(), Object.keys(credentialCodes).sort())
  t.end()
})
