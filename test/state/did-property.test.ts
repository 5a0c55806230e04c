// Random lives of DIDs in any order, every kind of transaction by every key, against a naive account written from docs/transactions.md: each receipt's code, the keys that
// speak, the versions that history tells and what is pending, after every block.
import fc from 'fast-check'
import t from 'tap'
import type { Height } from '../../primitives/brand.ts'
import { isAuthorised } from '../../state/did/authority.ts'
import { completeRecovery } from '../../state/did/complete-recovery.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { didEvents } from '../../state/did/events.ts'
import { didFamily } from '../../state/did/family.ts'
import { history, pending, resolve } from '../../state/did/queries.ts'
import { recover } from '../../state/did/recover.ts'
import { register } from '../../state/did/register.ts'
import { requestRecovery } from '../../state/did/request-recovery.ts'
import { stopRecovery } from '../../state/did/stop-recovery.ts'
import { type DidKey, recoveryHashOf } from '../../state/did/types.ts'
import { update } from '../../state/did/update.ts'
import type { Receipt } from '../../state/receipt.ts'
import { codesIn, type KindReference } from '../../scripts/reference/chapter.ts'
import { didReference } from '../../scripts/reference/did.ts'
import { broken, type Value } from '../support/did-statements.ts'
import { createHarness, type Harness, testActor, type TestActor, testKey, testPhone, testRegistrar, withKey } from '../support/state-harness.ts'

const subject = testActor('subject')
const stranger = testActor('stranger')
const second = testActor('second registrar')
const names = ['subject', 'phone', 'card', 'safe', 'safer'] as const
type Name = (typeof names)[number]
const keys = new Map(names.map((name) => [name, name === 'phone' ? testPhone(name) : testKey(name)] as const))
const keyFor = (name: Name): ReturnType<typeof testKey> => keys.get(name) as ReturnType<typeof testKey>
const by = (name: Name): TestActor => withKey(subject, keyFor(name))
const listed = (keys: readonly Name[]): readonly DidKey[] => keys.map((name) => ({ key: keyFor(name).multikey, relationships: ['authentication'] }))
const waitMs = 86_400_000
const kindOf = { register: 'did.register', update: 'did.update', recover: 'did.recover', request: 'did.requestRecovery', stop: 'did.stopRecovery', complete: 'did.completeRecovery', deactivate: 'did.deactivate' } as const

/** The account: what the page says, in the plainest way. */
interface Account {
  registered: boolean
  deactivated: boolean
  version: number
  keys: readonly Name[]
  recovery: Name | undefined
  scheduled: { readonly fromHeight: number; readonly keys: readonly Name[]; readonly recovery: Name | undefined } | undefined
  request: { readonly keys: readonly Name[]; readonly recovery: Name | undefined; readonly readyMs: number; readonly firm: boolean } | undefined
}

const keySets = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
const recovery = fc.option(fc.constantFrom(...names), { nil: undefined })
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ type: fc.constant('register' as const), by: fc.constantFrom(...names), recovery, countersigned: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('update' as const), by: fc.constantFrom(...names), keys: keySets, recovery, stale: fc.boolean(), ahead: fc.constantFrom(undefined, undefined, 0, 1, 2, 4) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('recover' as const), by: fc.constantFrom(...names), keys: keySets, recovery }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('request' as const), registrar: fc.boolean(), firm: fc.constantFrom(true, true, false), keys: keySets, recovery }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('stop' as const), by: fc.constantFrom('registrar' as const, 'stranger' as const, ...names) }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('complete' as const), by: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('deactivate' as const), by: fc.constantFrom(...names) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait' as const), ms: fc.constantFrom(0, waitMs / 2, waitMs, 3 * waitMs) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
const life = fc.record({ registered: fc.constantFrom(true, true, true, false), recovery, steps: fc.array(fc.record({ one: step, fitting: fc.constantFrom(true, true, false) }), { minLength: 8, maxLength: 30 }) })

/** With a key that may, where there is one: by chance alone few would. */
function fit(one: Step, { keys, recovery: own, request }: Account): Step {
  switch (one.type) {
    case 'update':
      return { ...one, by: keys[0] ?? one.by }
    case 'stop':
      return one.by === 'registrar' || one.by === 'stranger' ? one : { ...one, by: keys[0] ?? one.by }
    case 'recover':
    case 'deactivate':
      return { ...one, by: own ?? keys[0] ?? one.by }
    case 'complete':
      return { ...one, by: request?.keys[0] ?? one.by }
    default:
      return one
  }
}

function send(chain: Harness, one: Exclude<Step, { type: 'wait' }>, account: Account): Receipt {
  const hash = (name: Name | undefined): ReturnType<typeof recoveryHashOf> | undefined => (name === undefined ? undefined : recoveryHashOf(keyFor(name).multikey))
  switch (one.type) {
    case 'register':
      return chain.run(register, by(one.by), { keys: subject.keys, services: [], recovery: hash(one.recovery) }, { cosigners: one.countersigned ? [testRegistrar] : [] })
    case 'update':
      return chain.run(update, by(one.by), { baseVersion: account.version + (one.stale ? 1 : 0) || 1, keys: listed(one.keys), services: [], recovery: hash(one.recovery), fromHeight: one.ahead === undefined ? undefined : ((chain.next().height + one.ahead) as Height) })
    case 'recover':
      return chain.run(recover, by(one.by), { keys: listed(one.keys), services: [], recovery: hash(one.recovery) })
    case 'request':
      return chain.run(requestRecovery, one.registrar ? testRegistrar : stranger, { did: subject.did, keys: listed(one.keys), services: [], recovery: hash(one.recovery) }, { cosigners: one.firm ? [second] : [] })
    case 'stop':
      return chain.run(stopRecovery, one.by === 'registrar' ? testRegistrar : one.by === 'stranger' ? stranger : by(one.by), { did: subject.did })
    case 'complete':
      return chain.run(completeRecovery, by(one.by), {})
    case 'deactivate':
      return chain.run(deactivate, by(one.by), {})
  }
}

/** The code that the page promises; 'ok' has changed the account. */
function expected(one: Exclude<Step, { type: 'wait' }>, account: Account, height: number, nowMs: number): string {
  const speaks = (name: Name): boolean => account.registered && !account.deactivated && account.keys.includes(name)
  const replace = (keys: readonly Name[], next: Name | undefined): 'ok' => {
    account.version++
    account.keys = keys
    account.recovery = next
    account.scheduled = undefined
    return 'ok'
  }
  const { request } = account
  const open = request !== undefined && nowMs <= request.readyMs + (request.firm ? 2 : 1) * waitMs ? request : undefined
  const exposes = (keys: readonly Name[], name: Name | undefined): boolean => name !== undefined && keys.includes(name)
  switch (one.type) {
    case 'register':
      if (account.registered) return 'did/already-registered'
      if (one.by !== 'subject') return 'did/key-not-listed'
      if (exposes(['subject'], one.recovery)) return 'did/recovery-key-exposed'
      if (!one.countersigned) return 'did/registrar-missing'
      account.registered = true
      return replace(['subject'], one.recovery)
    case 'update': {
      if (!speaks(one.by)) return 'tx/key-not-authorised'
      if (one.stale) return 'did/version-conflict'
      if (account.recovery !== undefined && one.recovery !== undefined && one.recovery !== account.recovery) return 'did/recovery-already-set'
      const kept = account.recovery ?? one.recovery
      if (exposes(one.keys, kept)) return 'did/recovery-key-exposed'
      if (one.ahead === undefined) return replace(one.keys, kept)
      if (one.ahead === 0) return 'did/height-not-ahead'
      account.scheduled = { fromHeight: height + one.ahead, keys: one.keys, recovery: kept }
      return 'ok'
    }
    case 'recover':
      if (!account.registered) return 'did/not-registered'
      if (account.deactivated) return 'did/deactivated'
      if (account.recovery === undefined) return 'did/no-recovery-key'
      if (account.recovery !== one.by) return 'did/recovery-key-wrong'
      if (account.recovery === one.recovery) return 'did/recovery-key-reused'
      if (exposes(one.keys, account.recovery) || exposes(one.keys, one.recovery)) return 'did/recovery-key-exposed'
      if (open?.firm !== true) account.request = undefined
      return replace(one.keys, one.recovery)
    case 'request':
      if (!one.registrar) return 'did/not-registrar'
      if (!account.registered) return 'did/not-registered'
      if (account.deactivated) return 'did/deactivated'
      if (open !== undefined) return 'did/recovery-requested'
      if (exposes(one.keys, one.recovery)) return 'did/recovery-key-exposed'
      account.request = { keys: one.keys, recovery: one.recovery, readyMs: nowMs + (one.firm ? 2 : 1) * waitMs, firm: one.firm }
      return 'ok'
    case 'stop':
      if (one.by === 'stranger') return 'did/not-registrar'
      if (one.by !== 'registrar' && !speaks(one.by)) return 'tx/key-not-authorised'
      if (open === undefined) return 'did/no-recovery-request'
      if (open.firm && one.by !== 'registrar') return 'did/recovery-firm'
      account.request = undefined
      return 'ok'
    case 'complete':
      if (!account.registered) return 'did/not-registered'
      if (account.deactivated) return 'did/deactivated'
      if (open === undefined) return 'did/no-recovery-request'
      if (!open.keys.includes(one.by)) return 'did/key-not-listed'
      if (nowMs < open.readyMs) return 'did/recovery-waiting'
      account.request = undefined
      return replace(open.keys, open.recovery)
    case 'deactivate':
      if (!account.registered) return 'did/not-registered'
      if (account.deactivated) return 'did/deactivated'
      if (account.recovery !== undefined && account.recovery !== one.by) return 'did/recovery-key-needed'
      if (account.recovery === undefined && !account.keys.includes(one.by)) return 'did/key-not-authorised'
      account.deactivated = true
      account.request = undefined
      return replace([], undefined)
  }
}

/** A life of what chance brings seldom, so that every refusal is reached in every run. */
const seldom: readonly Step[] = [
  { type: 'register', by: 'subject', recovery: undefined, countersigned: false },
  { type: 'register', by: 'subject', recovery: undefined, countersigned: true },
  { type: 'update', by: 'subject', keys: ['subject'], recovery: undefined, stale: false, ahead: 0 },
  { type: 'request', registrar: true, firm: true, keys: ['card'], recovery: undefined },
  { type: 'request', registrar: true, firm: true, keys: ['card'], recovery: undefined },
  { type: 'stop', by: 'subject' },
  { type: 'complete', by: 'card' },
  { type: 'stop', by: 'registrar' },
  { type: 'deactivate', by: 'card' },
  { type: 'update', by: 'subject', keys: ['phone'], recovery: 'safe', stale: false, ahead: undefined },
  { type: 'deactivate', by: 'phone' },
]

t.test('random lives agree with the account, receipt by receipt', async (t) => {
  const codes = new Map<string, number>()
  const events = new Set<string>()
  await fc.assert(
    fc.asyncProperty(life, async ({ registered, recovery: first, steps }) => {
      const chain = createHarness({ actors: [stranger], roles: [[second, 'registrar', '*']] })
      const account: Account = { registered: false, deactivated: false, version: 0, keys: [], recovery: undefined, scheduled: undefined, request: undefined }
      const begin = { one: { type: 'register', by: 'subject', recovery: first, countersigned: true } as const, fitting: false }
      for (const { one: drawn, fitting } of registered ? [begin, ...steps] : steps) {
        const one = fitting ? fit(drawn, account) : drawn
        if (one.type === 'wait') {
          chain.advance(one.ms)
          continue
        }
        const { height, timeMs } = chain.next()
        if (account.scheduled?.fromHeight === height) {
          const { keys, recovery: next } = account.scheduled
          Object.assign(account, { version: account.version + 1, keys, recovery: next, scheduled: undefined })
        }
        const receipt = send(chain, one, account)
        const code = receipt.code ?? receipt.status
        codes.set(code, (codes.get(code) ?? 0) + 1)
        for (const { type } of receipt.events) events.add(type)
        const wanted = expected(one, account, height, timeMs)
        if (code.startsWith('did/') && !codesIn(didReference.kinds[kindOf[one.type]] as KindReference).has(code)) throw new Error(`${kindOf[one.type]}: docs/transactions.md does not tell of ${code}`)
        if (code !== wanted) throw new Error(`${JSON.stringify(one)}: ${code}, and the account says ${wanted}`)
        if (names.some((name) => isAuthorised(chain.view(), subject.did, keyFor(name).multikey) !== (!account.deactivated && account.keys.includes(name)))) return false
      }
      if (!account.registered) return (await chain.query(resolve, { did: subject.did })) === undefined
      const open = (await chain.query(pending, { did: subject.did })) ?? {}
      const { timeMs } = chain.next()
      // a query sees the block before
      const lapsed = account.request === undefined || timeMs - 1_000 > account.request.readyMs + (account.request.firm ? 2 : 1) * waitMs
      if (open.scheduled?.fromHeight !== account.scheduled?.fromHeight || (open.recovery === undefined) !== lapsed) return (open.recovery === undefined) !== lapsed && timeMs - 1_000 >= (account.request?.readyMs ?? 0)
      const versions = (await chain.query(history, { did: subject.did }))?.items ?? []
      const result = (await chain.query(resolve, { did: subject.did })) as Value
      return versions.length === account.version && versions.at(-1)?.keys.length === account.keys.length && broken(result, subject.did).length === 0
    }),
    { numRuns: 150, examples: [[{ registered: false, recovery: undefined, steps: seldom.map((one) => ({ one, fitting: false })) }]] },
  )
  const reached = [...codes.keys()].filter((code) => code.startsWith('did/')).sort()
  // bounds that no short life meets, and what only an office can
  const elsewhere = ['did/height-full', 'did/holds-governor', 'did/holds-office', 'did/not-self-certifying', 'did/version-limit']
  t.strictSame([...Object.keys(didFamily.codes)].filter((code) => !elsewhere.includes(code) && !reached.includes(code)), [], 'every refusal was reached')
  t.strictSame(didEvents.map(({ type }) => type).filter((type) => !events.has(type)), [], 'and every event')
})
