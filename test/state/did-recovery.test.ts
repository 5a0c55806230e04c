// DIDs over time: changes with effect from a height, and recovery through a registrar, which waits, can be stopped and lapses.
import fc from 'fast-check'
import t from 'tap'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { encode } from '../../primitives/codec.ts'
import { propose } from '../../state/governance/propose.ts'
import { vote } from '../../state/governance/vote.ts'
import { changedParameters, parameterChange, readParameters } from '../../state/parameters.ts'
import type { Receipt } from '../../state/receipt.ts'
import { isAuthorised } from '../../state/did/authority.ts'
import { completeRecovery } from '../../state/did/complete-recovery.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { createDid, didTable } from '../../state/did/documents.ts'
import { history, pending, resolve } from '../../state/did/queries.ts'
import { recover } from '../../state/did/recover.ts'
import { register } from '../../state/did/register.ts'
import { requestRecovery } from '../../state/did/request-recovery.ts'
import { dueTable, schedule } from '../../state/did/schedule.ts'
import { stopRecovery } from '../../state/did/stop-recovery.ts'
import { type DidKey, recoveryHashOf, scheduledAtHeightMax, scheduledHeightsMax } from '../../state/did/types.ts'
import { update } from '../../state/did/update.ts'
import { createOverlay, createValueCache } from '../../state/view.ts'
import { createHarness, eventsOf, type Harness, testActor, type TestActor, testGovernors, testIssuer, testKey, testRegistrar, withKey } from '../support/state-harness.ts'

const alice = testActor('alice')
const bob = testActor('bob')
const keyOf = (name: string): DidKey => ({ key: testKey(name).multikey, relationships: ['authentication', 'assertionMethod'] })
const by = (name: string): TestActor => withKey(alice, testKey(name))
const waitMs = 86_400_000

const provoked = new Set<string>()
function codeOf(receipt: Receipt): string {
  if (receipt.code !== undefined) provoked.add(receipt.code)
  return receipt.code ?? receipt.status
}
/** Which of these keys speak for alice now. */
const speak = (chain: Harness, ...names: readonly string[]): readonly string[] => names.filter((name) => isAuthorised(chain.view(), alice.did, testKey(name).multikey))
const at = (chain: Harness, ahead: number): Height => (chain.next().height + ahead) as Height

t.test('a change holds from its height on, for the first transaction of it already', async (t) => {
  const chain = createHarness({ actors: [alice] })
  const change = { baseVersion: 1, keys: [keyOf('next')], services: [], recovery: undefined }
  const fromHeight = at(chain, 3)
  t.equal(codeOf(chain.run(update, alice, { ...change, fromHeight: at(chain, 0) })), 'did/height-not-ahead')
  t.equal(codeOf(chain.run(update, alice, { ...change, fromHeight: at(chain, scheduledHeightsMax + 1) })), 'did/height-not-ahead')
  const receipt = chain.run(update, alice, { ...change, fromHeight })
  t.equal(receipt.height + 1, fromHeight, 'the height before')
  t.match(eventsOf(receipt, 'did.scheduled'), [{ did: alice.did, fromHeight }])
  t.same((await chain.query(pending, { did: alice.did }))?.scheduled?.fromHeight, fromHeight)
  t.same(speak(chain, 'alice', 'next'), ['alice'])
  // in the very block the new key acts and the old one does not
  const executed = chain.execute(chain.make(update, by('next'), { ...change, baseVersion: 2 }), chain.make(update, alice, { ...change, baseVersion: 2 }))
  t.same(executed.receipts.map(codeOf), ['ok', 'tx/key-not-authorised'])
  t.match(eventsOf(executed.outcome, 'did.updated'), [{ did: alice.did, version: 2 }])
  t.same((await chain.query(history, { did: alice.did }))?.items.map(({ versionId, atHeight }) => [versionId, atHeight]), [[1, 0], [2, fromHeight], [3, fromHeight]])
  t.strictSame(await chain.query(pending, { did: alice.did }), {})
  t.equal(await chain.query(pending, { did: bob.did }), undefined)
  t.notOk(chain.entries().some(([key]) => key.startsWith('did.due/') || key.startsWith('did.scheduled/')), 'nothing is left of it')
})

t.test('what was scheduled is replaced by a later wish, and dropped by any change before', async (t) => {
  const chain = createHarness({ actors: [alice] })
  const wish = (name: string, baseVersion: number, ahead: number): string => codeOf(chain.run(update, alice, { baseVersion, keys: [keyOf(name)], services: [], fromHeight: at(chain, ahead), recovery: undefined }))
  t.equal(wish('first', 1, 3), 'ok')
  t.equal(wish('second', 1, 3), 'ok')
  for (let i = 0; i < 3; i++) chain.execute()
  t.same(speak(chain, 'alice', 'first', 'second'), ['second'])
  const second = by('second')
  t.equal(codeOf(chain.run(update, second, { baseVersion: 2, keys: [keyOf('third')], services: [], fromHeight: at(chain, 3), recovery: undefined })), 'ok')
  t.equal(codeOf(chain.run(update, second, { baseVersion: 2, keys: [keyOf('second')], services: [], recovery: undefined })), 'ok', 'a change at once')
  for (let i = 0; i < 4; i++) chain.execute()
  t.same(speak(chain, 'second', 'third'), ['second'])
  t.equal(codeOf(chain.run(update, second, { baseVersion: 3, keys: [keyOf('fourth')], services: [], fromHeight: at(chain, 2), recovery: undefined })), 'ok')
  t.equal(codeOf(chain.run(deactivate, second, {})), 'ok')
  for (let i = 0; i < 3; i++) chain.execute()
  t.same(speak(chain, 'second', 'fourth'), [], 'a deactivated DID stays so')
})

t.test('a scheduled change keeps the recovery key, and may bring the first', (t) => {
  const chain = createHarness({ actors: [alice] })
  const recovery = recoveryHashOf(testKey('safe').multikey)
  chain.run(update, alice, { baseVersion: 1, keys: [keyOf('alice')], services: [], fromHeight: at(chain, 1), recovery })
  chain.execute()
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 2, keys: [keyOf('next')], services: [], fromHeight: at(chain, 1), recovery: undefined })), 'ok')
  chain.execute()
  t.equal(codeOf(chain.run(recover, by('safe'), { keys: [keyOf('new')], services: [], recovery: undefined })), 'ok')
  t.same(speak(chain, 'alice', 'next', 'new'), ['new'])
  t.end()
})

t.test('a height takes a bounded number of changes, and carries out all of them', (t) => {
  const view = createOverlay({ get: () => undefined }, createValueCache(1_000))
  const chain = createHarness()
  const block = chain.next()
  const fromHeight = (block.height + 5) as Height
  const holders = Array.from({ length: scheduledAtHeightMax + 1 }, (_, i) => testActor(`holder ${i}`))
  for (const { did, keys } of holders) createDid(view, block, did, { keys, services: [] })
  const send = (holder: TestActor): string | undefined =>
    update.apply({ block, view, emit: () => {}, transaction: chain.make(update, holder, { baseVersion: 1, keys: holder.keys, services: [], fromHeight, recovery: undefined }).transaction }, { baseVersion: 1, keys: holder.keys, services: [], fromHeight })?.code
  t.same(holders.slice(0, -1).map(send), new Array(scheduledAtHeightMax).fill(undefined))
  t.equal(send(holders.at(-1) as TestActor), 'did/height-full')
  provoked.add('did/height-full')
  t.equal(send(holders[3] as TestActor), undefined, 'who is on the list already may send again')
  t.equal(view.get(dueTable, fromHeight)?.length, scheduledAtHeightMax)
  schedule(view, (holders[0] as TestActor).did, { fromHeight: (fromHeight + 1) as Height, keys: alice.keys, services: [] })
  t.equal(view.get(dueTable, fromHeight)?.length, scheduledAtHeightMax - 1)
  t.equal(send(holders.at(-1) as TestActor), undefined)
  t.end()
})

t.test('random wishes against a naive account: the versions and their heights', (t) => {
  const step = fc.record({ ahead: fc.integer({ min: 0, max: 5 }), stale: fc.boolean(), idle: fc.integer({ min: 0, max: 3 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const chain = createHarness({ actors: [alice] })
      const changed: number[] = [0]
      let wish: number | undefined
      const next = (): void => {
        if (wish === chain.next().height) {
          changed.push(wish)
          wish = undefined
        }
      }
      for (const { ahead, stale, idle } of steps) {
        next()
        const baseVersion = changed.length + (stale ? 1 : 0)
        const fromHeight = ahead === 0 ? undefined : at(chain, ahead)
        const height = chain.next().height
        const receipt = chain.run(update, alice, { baseVersion, keys: alice.keys, services: [], fromHeight, recovery: undefined })
        if ((receipt.status === 'ok') === stale) return false
        if (!stale && fromHeight === undefined) {
          changed.push(height)
          wish = undefined
        } else if (!stale) wish = fromHeight
        for (let i = 0; i < idle; i++) {
          next()
          chain.execute()
        }
      }
      const own = chain.view().get(didTable, alice.did)
      return own?.version === changed.length && own.atHeight === changed.at(-1)
    }),
    { numRuns: 100 },
  )
  t.pass('100 lives')
  t.end()
})

t.test('a registrar’s recovery waits, and then the new key takes the DID', async (t) => {
  const chain = createHarness({ actors: [bob] })
  const recovery = recoveryHashOf(testKey('lost recovery').multikey)
  chain.run(register, alice, { keys: alice.keys, services: [], recovery }, { cosigners: [testRegistrar] })
  const content = { keys: [keyOf('new')], services: [], recovery: recoveryHashOf(testKey('new recovery').multikey) }
  const request = (sender: TestActor, did = alice.did, change: object = {}): string => codeOf(chain.run(requestRecovery, sender, { did, ...content, ...change }))
  const complete = (name: string): string => codeOf(chain.run(completeRecovery, by(name), {}))
  t.equal(complete('new'), 'did/no-recovery-request')
  t.equal(request(bob), 'did/not-registrar')
  t.equal(request(alice), 'did/not-registrar')
  t.equal(request(testRegistrar, testActor('nobody').did), 'did/not-registered')
  t.equal(request(testRegistrar, testGovernors.city.did), 'did/holds-office')
  t.equal(request(testRegistrar, testIssuer.did), 'did/holds-office')
  t.equal(request(testRegistrar, alice.did, { recovery: recoveryHashOf(testKey('new').multikey) }), 'did/recovery-key-exposed')
  const requestedMs = chain.next().timeMs
  t.equal(request(testRegistrar), 'ok')
  t.match((await chain.query(pending, { did: alice.did }))?.recovery, { registrar: testRegistrar.did, requestedMs, readyMs: requestedMs + waitMs, untilMs: requestedMs + 2 * waitMs })
  t.equal(request(testRegistrar), 'did/recovery-requested')
  t.equal(complete('thief'), 'did/key-not-listed')
  t.equal(complete('alice'), 'did/key-not-listed')
  t.equal(complete('new'), 'did/recovery-waiting')
  t.same(speak(chain, 'alice', 'new'), ['alice'], 'nothing has changed yet')
  chain.advance(requestedMs + waitMs - chain.next().timeMs - 1)
  t.equal(complete('new'), 'did/recovery-waiting', 'one ms early')
  const receipt = chain.run(completeRecovery, by('new'), {})
  t.match(eventsOf(receipt, 'did.recovered'), [{ did: alice.did, version: 2, by: 'registrar' }])
  t.same(speak(chain, 'alice', 'new'), ['new'])
  t.equal(complete('new'), 'did/no-recovery-request', 'once')
  t.equal(codeOf(chain.run(recover, by('lost recovery'), { keys: [keyOf('thief')], services: [], recovery: undefined })), 'did/recovery-key-wrong', 'the lost key counts no more')
  t.equal(codeOf(chain.run(deactivate, by('new recovery'), {})), 'ok')
  t.equal(request(testRegistrar), 'did/deactivated')
  t.equal(complete('new'), 'did/deactivated')
  t.equal(codeOf(chain.run(completeRecovery, testActor('nobody'), {})), 'did/not-registered')
})

t.test('the holder stops it, or a registrar; a change of keys does not; it lapses', async (t) => {
  const chain = createHarness({ actors: [alice, bob] })
  const request = (): string => codeOf(chain.run(requestRecovery, testRegistrar, { did: alice.did, keys: [keyOf('new')], services: [], recovery: undefined }))
  const stop = (sender: TestActor): string => codeOf(chain.run(stopRecovery, sender, { did: alice.did }))
  const complete = (): string => codeOf(chain.run(completeRecovery, by('new'), {}))
  t.equal(stop(alice), 'did/no-recovery-request')
  request()
  t.equal(stop(bob), 'did/not-registrar', 'a stranger stops nothing')
  t.equal(stop(by('thief')), 'tx/key-not-authorised')
  t.equal(stop(alice), 'ok')
  chain.advance(waitMs)
  t.equal(complete(), 'did/no-recovery-request')
  t.equal(request(), 'ok')
  t.equal(stop(testRegistrar), 'ok')
  t.equal(request(), 'ok')
  chain.advance(2 * waitMs)
  t.equal(complete(), 'did/no-recovery-request', 'too late')
  t.strictSame(await chain.query(pending, { did: alice.did }), {})
  t.equal(request(), 'ok', 'a lapsed one is in nobody’s way')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 1, keys: [keyOf('thief')], services: [], recovery: recoveryHashOf(testKey('safe').multikey) })), 'ok')
  chain.advance(waitMs)
  t.equal(complete(), 'ok', 'a thief who changes the keys does not end it')
  t.same(speak(chain, 'alice', 'thief', 'new'), ['new'])
})

t.test('the recovery key and the end of the DID end the request too', (t) => {
  const chain = createHarness()
  const recovery = recoveryHashOf(testKey('safe').multikey)
  chain.run(register, alice, { keys: alice.keys, services: [], recovery }, { cosigners: [testRegistrar] })
  chain.run(requestRecovery, testRegistrar, { did: alice.did, keys: [keyOf('new')], services: [], recovery: undefined })
  t.equal(codeOf(chain.run(recover, by('safe'), { keys: [keyOf('own')], services: [], recovery: undefined })), 'ok')
  chain.advance(waitMs)
  t.equal(codeOf(chain.run(completeRecovery, by('new'), {})), 'did/no-recovery-request')
  t.equal(codeOf(chain.run(requestRecovery, testRegistrar, { did: alice.did, keys: [keyOf('new')], services: [], recovery: undefined })), 'ok')
  t.equal(codeOf(chain.run(deactivate, by('own'), {})), 'ok')
  t.notOk(chain.entries().some(([key]) => key.startsWith('did.recoveryRequest/')))
  t.end()
})

t.test('what two registrars ask for waits twice as long, and no thief can stop it, by whatever key', async (t) => {
  const second = testActor('second registrar')
  const chain = createHarness({ actors: [alice, bob], roles: [[second, 'registrar', '*']] })
  const content = { did: alice.did, keys: [keyOf('new')], services: [], recovery: undefined }
  const stop = (sender: TestActor): string => codeOf(chain.run(stopRecovery, sender, { did: alice.did }))
  const complete = (): string => codeOf(chain.run(completeRecovery, by('new'), {}))
  chain.run(requestRecovery, testRegistrar, content, { cosigners: [bob] })
  t.equal(stop(alice), 'ok', 'a countersigner who is no registrar makes nothing firm')
  const requestedMs = chain.next().timeMs
  const receipt = chain.run(requestRecovery, testRegistrar, content, { cosigners: [second, bob] })
  t.match(eventsOf(receipt, 'did.recoveryRequested'), [{ registrar: testRegistrar.did, second: second.did, readyMs: requestedMs + 2 * waitMs }])
  t.match((await chain.query(pending, { did: alice.did }))?.recovery, { second: second.did, untilMs: requestedMs + 4 * waitMs })
  t.equal(stop(alice), 'did/recovery-firm')
  t.equal(stop(bob), 'did/not-registrar')
  t.equal(codeOf(chain.run(update, alice, { baseVersion: 1, keys: [keyOf('thief')], services: [], recovery: recoveryHashOf(testKey('his').multikey) })), 'ok')
  t.equal(codeOf(chain.run(recover, by('his'), { keys: [keyOf('thief')], services: [], recovery: undefined })), 'ok')
  chain.advance(requestedMs + 2 * waitMs - chain.next().timeMs - 1)
  t.equal(complete(), 'did/recovery-waiting')
  t.equal(complete(), 'ok')
  t.same(speak(chain, 'alice', 'thief', 'his', 'new'), ['new'])
  t.equal(codeOf(chain.run(requestRecovery, second, content, { cosigners: [testRegistrar] })), 'ok')
  t.equal(stop(second), 'ok', 'a registrar stops what was asked for by mistake or by fraud')
})

t.test('governance changes the wait alone, and not that of what was asked for before', (t) => {
  const before = { transactionValidityMsMax: 3_600_000, recoveryWaitMs: waitMs }
  t.strictSame(changedParameters(before, { recoveryWaitMs: 60_000 }), { ...before, recoveryWaitMs: 60_000 })
  t.strictSame(changedParameters(before, { transactionValidityMsMax: 60_000 }), { ...before, transactionValidityMsMax: 60_000 })
  t.throws(() => encode(parameterChange, { recoveryWaitMs: 59_999 }), { code: 'codec/invalid' })
  const chain = createHarness({ actors: [alice] })
  chain.run(requestRecovery, testRegistrar, { did: alice.did, keys: [keyOf('new')], services: [], recovery: undefined })
  const { receipts } = chain.execute(chain.make(propose, testGovernors.city, { action: { type: 'setParameters', parameters: { recoveryWaitMs: 60_000 } }, expiresMs: (chain.next().timeMs + 600_000) as TimeMs }))
  t.equal(codeOf(receipts[0] as Receipt), 'ok')
  for (const governor of [testGovernors.city, testGovernors.bank]) t.equal(codeOf(chain.run(vote, governor, { proposal: 1, vote: 'yes' })), 'ok')
  t.equal(readParameters(chain.view()).recoveryWaitMs, 60_000)
  chain.advance(60_000)
  t.equal(codeOf(chain.run(completeRecovery, by('new'), {})), 'did/recovery-waiting')
  t.end()
})

t.test('resolution shows what holds, not what is scheduled', async (t) => {
  const chain = createHarness({ actors: [alice] })
  chain.run(update, alice, { baseVersion: 1, keys: [keyOf('next')], services: [], fromHeight: at(chain, 2), recovery: undefined })
  const version = async (): Promise<string> => ((await chain.query(resolve, { did: alice.did })) as { didDocumentMetadata: { versionId: string } }).didDocumentMetadata.versionId
  t.equal(await version(), '1')
  chain.execute()
  chain.execute()
  t.equal(await version(), '2')
})

t.test('every code of these rules was provoked', (t) => {
  for (const code of ['height-not-ahead', 'height-full', 'not-registrar', 'holds-office', 'recovery-requested', 'no-recovery-request', 'recovery-firm', 'recovery-waiting']) t.ok(provoked.has(`did/${code}`), code)
  t.end()
})
