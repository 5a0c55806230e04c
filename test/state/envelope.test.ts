// The rules of the envelope, which stand before those of every family: chain, time, id, keys. And that a node which was restarted judges as the others do.
import fc from 'fast-check'
import t from 'tap'
import { equalBytes } from '../../primitives/bytes.ts'
import { envelopeCodes, readyTransaction } from '../../state/families.ts'
import { kind } from '../../state/family.ts'
import type { Executed } from '../../state/execute.ts'
import type { Receipt } from '../../state/receipt.ts'
import { anchor } from '../../state/credential/anchor.ts'
import { anchorTable } from '../../state/credential/keys.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { registerPayload } from '../../state/did/types.ts'
import { propose } from '../../state/governance/propose.ts'
import { vote } from '../../state/governance/vote.ts'
import { verify } from '../../primitives/ed25519.ts'
import { sha256 } from '../../primitives/hash.ts'
import { transactionBytesMax } from '../../primitives/limits.ts'
import { createHarness, type Harness, testActor, testGovernors, testIssuer, testKey, testRegistrar, withKey } from '../support/state-harness.ts'
import { decodeTransaction, encodeBody, encodeTransaction, signatureChecks, transactionSignedBytes, type TransactionSignature } from '../../state/transaction.ts'

const minute = 60_000
const hour = 60 * minute
const hashOf = (n: number): never => sha256(Uint8Array.of(n, n >> 8)) as never
const codeOf = (receipt: Receipt): string => receipt.code ?? receipt.status

t.test('chain, time, id and keys', (t) => {
  const chain = createHarness()
  const now = chain.next().timeMs
  const payload = (n: number) => ({ hashes: [hashOf(n)] })
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(1), { chain: 'other-0123456789abcdef' })), 'tx/wrong-chain')
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(1), { validUntilMs: now })), 'tx/expired')
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(1), { validUntilMs: chain.next().timeMs + hour + 1 })), 'tx/valid-until-too-far')
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(1), { validUntilMs: chain.next().timeMs })), 'ok', 'valid up to and in its last millisecond')
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(2), { validUntilMs: chain.next().timeMs + hour })), 'ok')
  t.equal(codeOf(chain.run(anchor, withKey(testIssuer, testKey('thief')), payload(3))), 'tx/key-not-authorised')
  t.equal(codeOf(chain.run(anchor, testActor('unknown'), payload(3))), 'tx/key-not-authorised')
  t.equal(codeOf(chain.run(anchor, testActor('asserts only', ['assertionMethod', 'keyAgreement']), payload(3))), 'tx/key-not-authorised')
  t.equal(codeOf(chain.run(anchor, testIssuer, payload(3), { cosigners: [withKey(testRegistrar, testKey('thief'))] })), 'tx/key-not-authorised', 'of a countersigner too')
  const twice = chain.make(anchor, testIssuer, payload(3))
  const { receipts } = chain.execute(twice, twice)
  t.same(receipts.map(codeOf), ['ok', 'tx/duplicate'], 'in one block')
  t.same(chain.execute(twice).receipts.map(codeOf), ['tx/duplicate'], 'in another')
  t.equal(codeOf(chain.simulate(twice)), 'tx/duplicate')
  t.end()
})

t.test('what is refused counts as run, and changes nothing', (t) => {
  const chain = createHarness()
  const early = chain.make(anchor, testActor('not an issuer yet'), { hashes: [hashOf(1)] })
  chain.execute(early)
  t.same(chain.execute(early).receipts.map(codeOf), ['tx/duplicate'])
  const before = chain.entries().filter(([key]) => !key.startsWith('chain.block/'))
  t.equal(codeOf(chain.run(anchor, testIssuer, { hashes: [hashOf(5)] })), 'ok')
  const after = chain.entries().filter(([key]) => !key.startsWith('chain.block/'))
  t.equal(after.length, before.length + 1)
  t.equal(codeOf(chain.run(anchor, testIssuer, { hashes: [hashOf(6), hashOf(5)] })), 'credential/anchor-exists')
  t.same(chain.entries().filter(([key]) => !key.startsWith('chain.block/')), after, 'the first hash was written, and dropped')
  t.equal(chain.view().get(anchorTable, Buffer.from(hashOf(6)).toString('base64url')), undefined)
  t.end()
})

t.test('the form: kinds, payloads, signers', (t) => {
  const chain = createHarness()
  const { transaction } = chain.make(anchor, testIssuer, { hashes: [hashOf(1)] }, { cosigners: [testRegistrar, testGovernors.city, testGovernors.bank] })
  const { signatures, version, kind: name, validUntilMs, salt, payload } = transaction
  const encode = (listed: readonly TransactionSignature[], given = listed): Uint8Array => {
    const body = encodeBody({ version, chain: chain.chain, kind: name, signers: listed.map(({ signer, key }) => ({ did: signer, key })), validUntilMs, salt, payload })
    return encodeTransaction(body, given.map(({ signature }) => signature))
  }
  const [first, second, third, fourth] = signatures as [TransactionSignature, TransactionSignature, TransactionSignature, TransactionSignature]
  t.same(decodeTransaction(encode(signatures)).signatures, signatures)
  for (const [what, list] of [
    ['out of order', [first, third, second]],
    ['twice the same', [first, second, second]],
    ['the sender again', [first, second, first]],
  ] as const) t.throws(() => decodeTransaction(encode(list)), { code: 'tx/signers' }, what)
  t.throws(() => decodeTransaction(encode([first, second], [first])), { code: 'tx/signers' }, 'a signature taken away')
  t.throws(() => decodeTransaction(encode([first], [first, second])), { code: 'tx/signers' }, 'a signature too many')
  t.throws(() => encode([]), { code: 'codec/invalid' })
  t.throws(() => encode([first, second, third, fourth, fourth]), { code: 'codec/invalid' })
  t.throws(() => readyTransaction({ ...transaction, kind: 'credential.nothing' }), { code: 'tx/unknown-kind' })
  t.throws(() => readyTransaction({ ...transaction, payload: Uint8Array.of(0x90) }), { code: 'tx/payload-invalid' })
  t.throws(() => readyTransaction({ ...transaction, kind: 'did.register' }), { code: 'tx/payload-invalid' })
  t.end()
})

t.test('nobody uses up the id of another: other keys or fewer signers under what was signed make no transaction, or one with another id', (t) => {
  const chain = createHarness()
  const victim = chain.make(anchor, testIssuer, { hashes: [hashOf(1)] }, { cosigners: [testRegistrar], salt: new Uint8Array(16) })
  const { transaction } = victim
  const { body } = transaction
  const [sender, countersigner] = transaction.signatures.map(({ signature }) => signature) as [Uint8Array, Uint8Array]
  t.throws(() => decodeTransaction(encodeTransaction(body, [sender])), { code: 'tx/signers' })
  // a liar's own signature in its place: the key to check it by is the one that the body names
  const forged = decodeTransaction(encodeTransaction(body, [testKey('thief').sign(transactionSignedBytes(body)), countersigner]))
  t.notOk(signatureChecks(forged).every(({ signature, message, publicKey }) => verify(signature, message, publicKey)))
  const wrapped = chain.make(anchor, withKey(testIssuer, testKey('thief')), { hashes: [hashOf(1)] }, { cosigners: [testRegistrar], salt: new Uint8Array(16) })
  t.notSame(wrapped.transaction.id, transaction.id)
  t.same(chain.execute(wrapped, victim).receipts.map(codeOf), ['tx/key-not-authorised', 'ok'])
  t.end()
})

t.test('bounds of the payloads', (t) => {
  const chain = createHarness()
  const refused = (made: () => unknown, what: string): unknown => t.throws(made, { code: 'codec/invalid' }, what)
  const entry = (name: string, relationships: readonly string[]) => ({ key: testKey(name).multikey, relationships }) as never
  const register = kind({ kind: 'did.register', summary: '', payload: registerPayload, apply: () => undefined })
  const make = (keys: readonly never[], services: readonly unknown[] = []) => () => chain.make(register, testActor('x'), { keys, services } as never)
  refused(make([]), 'no key')
  refused(make([entry('a', ['assertionMethod'])]), 'none for authentication')
  refused(make([entry('a', ['authentication']), entry('a', ['keyAgreement'])]), 'a key twice')
  refused(make([entry('a', ['assertionMethod', 'authentication'])]), 'relationships out of order')
  refused(make([entry('a', ['authentication', 'authentication'])]), 'a relationship twice')
  refused(make(Array.from({ length: 9 }, (_, i) => entry(`k${i}`, ['authentication']))), 'nine keys')
  const service = { id: 'home', type: 'LinkedDomains', endpoint: 'https://example.org/' }
  t.doesNotThrow(make([entry('a', ['authentication'])], [service]))
  for (const [what, services] of [
    ['an id twice', [service, service]],
    ['http', [{ ...service, endpoint: 'http://example.org/' }]],
    ['a person in the address', [{ ...service, endpoint: 'https://hong@example.org/' }]],
    ['a mail address in the path', [{ ...service, endpoint: 'https://example.org/hong@example.org' }]],
    ['a fragment with a slash', [{ ...service, id: 'a/b' }]],
  ] as const) refused(make([entry('a', ['authentication'])], services), what)
  refused(() => chain.make(anchor, testIssuer, { hashes: [] }), 'no hash')
  refused(() => chain.make(anchor, testIssuer, { hashes: [hashOf(1), hashOf(2), hashOf(1)] }), 'a hash twice')
  const grant = (fields: object) => () => chain.make(propose, testGovernors.city, { action: { type: 'grantRole', did: testIssuer.did, role: 'governor', scope: 'city', ...fields }, expiresMs: 1 } as never)
  t.doesNotThrow(grant({}))
  refused(grant({ scope: '*' }), 'a governor of everything')
  refused(grant({ untilMs: 5 }), 'a governor for a time')
  refused(grant({ role: 'king' }), 'an unknown role')
  refused(() => chain.make(propose, testGovernors.city, { action: { type: 'setParameters', parameters: { transactionValidityMsMax: 59_999 } }, expiresMs: 1 as never }), 'parameters out of bounds')
  t.end()
})

/** Both organisations agree on another validity window. */
function setWindow(chain: Harness, proposal: number, windowMs: number): void {
  chain.run(propose, testGovernors.city, { action: { type: 'setParameters', parameters: { transactionValidityMsMax: windowMs } }, expiresMs: (chain.next().timeMs + minute) as never })
  chain.run(vote, testGovernors.city, { proposal, vote: 'yes' })
  chain.run(vote, testGovernors.bank, { proposal, vote: 'yes' })
}

t.test('a window made smaller lets nothing run twice after a restart', (t) => {
  const chain = createHarness()
  const citizen = chain.make(anchor, testIssuer, { hashes: [hashOf(1)] }, { validUntilMs: chain.next().timeMs + 50 * minute })
  t.same(chain.execute(citizen).receipts.map(codeOf), ['ok'])
  setWindow(chain, 1, minute)
  t.same(chain.execute(citizen).receipts.map(codeOf), ['tx/valid-until-too-far'])
  chain.advance(49 * minute + 30_000)
  // the window before this block, as it is now, does not reach back to where the transaction ran
  chain.execute()
  chain.restart()
  t.same(chain.execute(citizen).receipts.map(codeOf), ['tx/duplicate'])
  t.end()
})

t.test('a node that restarts before every block ends with the receipts and the root of one that never did', (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ type: fc.constant('new' as const), validForMs: fc.constantFrom(0, 5_000, 30_000, minute, 10 * minute, hour, 3 * hour, 30 * hour) }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('again' as const), which: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(500, 4_000, 9_000, minute, 20 * minute, 2 * hour) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('window' as const), ms: fc.constantFrom(minute, 5 * minute, hour, 24 * hour) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
      const steady = createHarness()
      const restarted = createHarness()
      const both = [steady, restarted]
      const made: ReturnType<Harness['make']>[] = []
      const ran = new Set<string>()
      let proposals = 0
      for (const one of steps) {
        if (one.type === 'wait') {
          for (const chain of both) {
            chain.advance(one.ms)
            chain.execute()
          }
        }
        if (one.type === 'window') {
          proposals++
          for (const chain of both) setWindow(chain, proposals, one.ms)
        }
        if (one.type === 'new' || one.type === 'again') {
          if (one.type === 'new') made.push(steady.make(anchor, testIssuer, { hashes: [hashOf(made.length)] }, { validUntilMs: steady.next().timeMs + one.validForMs, salt: new Uint8Array(16).fill(made.length) }))
          const ready = one.type === 'new' ? made.at(-1) : made[one.which % Math.max(1, made.length)]
          if (ready === undefined) continue
          restarted.restart()
          const [a, b] = both.map((chain) => chain.execute(ready))
          if (a === undefined || b === undefined || !equalBytes(a.receiptsRoot, b.receiptsRoot)) return false
          const id = Buffer.from(ready.transaction.id).toString('hex')
          if (a.receipts[0]?.status === 'ok') {
            if (ran.has(id)) return false
            ran.add(id)
          }
          // were it to run again, the anchor would stop it with another code
          if (a.receipts[0]?.code === 'credential/anchor-exists') return false
        }
      }
      return equalBytes(steady.root(), restarted.root())
    }),
    { numRuns: 150 },
  )
  t.pass('150 histories')
  t.end()
})

t.test('a deactivated DID does nothing, on its own or beside others', (t) => {
  const chain = createHarness()
  const signed = chain.make(anchor, testIssuer, { hashes: [hashOf(1)] })
  const countersigned = chain.make(anchor, testRegistrar, { hashes: [hashOf(2)] }, { cosigners: [testIssuer] })
  const { receipts } = chain.execute(chain.make(deactivate, testIssuer, {}), signed, countersigned)
  t.same(receipts.map(codeOf), ['ok', 'tx/key-not-authorised', 'tx/key-not-authorised'])
  t.end()
})

t.test('a block executed with pauses is the same block', (t) => {
  const [whole, paused] = [createHarness(), createHarness({ stepTransactions: 3 })]
  const results = [whole, paused].map((chain) =>
    chain.execute(...Array.from({ length: 10 }, (_, i) => chain.make(anchor, i % 4 === 3 ? testActor('stranger') : testIssuer, { hashes: [hashOf(i % 5)] }))),
  )
  const [one, other] = results as [Executed, Executed]
  t.same(other.leaves, one.leaves)
  t.ok(equalBytes(other.stateRoot, one.stateRoot))
  t.same(other.receipts.map(({ index }) => index), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.end()
})

t.test('a transaction of more bytes than one may have is not even decoded', (t) => {
  t.throws(() => decodeTransaction(new Uint8Array(transactionBytesMax + 1)), { code: 'codec/too-large', data: { bytesMax: transactionBytesMax } })
  t.end()
})

t.test('every code of the envelope is one that this file or the admission gives', (t) => {
  // tx/family-paused is provoked in validator-sets.test.ts; tx/signature-invalid is the verifier's: no transaction whose signatures do not hold is ever executed
  t.same(Object.keys(envelopeCodes).sort(), ['tx/duplicate', 'tx/expired', 'tx/family-paused', 'tx/key-not-authorised', 'tx/payload-invalid', 'tx/signature-invalid', 'tx/signers', 'tx/unknown-kind', 'tx/valid-until-too-far', 'tx/wrong-chain'])
  t.end()
})
