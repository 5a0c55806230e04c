// Decisions on validators, rule sets and pauses, rule by rule; and random changes of the set that always leave one which can make blocks.
import fc from 'fast-check'
import t from 'tap'
import { isQuorum, quorumSize } from '../../consensus/quorum.ts'
import { validatorSet } from '../../consensus/validators.ts'
import type { Height } from '../../primitives/brand.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { families } from '../../state/families.ts'
import { update } from '../../state/did/update.ts'
import { decisionCodes } from '../../state/governance/codes.ts'
import { propose } from '../../state/governance/propose.ts'
import { proposalsQuery, rulesQuery, validatorsQuery } from '../../state/governance/queries.ts'
import { checkRulesKnown, ruleSetAt, ruleSetAheadMax } from '../../state/governance/rule-sets.ts'
import { changeSet, quorumOf } from '../../state/governance/set-changes.ts'
import { type Action, pausableFamilies, type ValidatorChange } from '../../state/governance/types.ts'
import { latestSet, scheduledSet, setInForce, validatorSetTable } from '../../state/governance/validator-sets.ts'
import { vote } from '../../state/governance/vote.ts'
import type { Receipt } from '../../state/receipt.ts'
import { createHarness, eventsOf, type Harness, testActor, testFounding, testGovernors, testKey } from '../support/state-harness.ts'

const { city, bank } = testGovernors
const citizen = testActor('citizen')
const day = 24 * 3_600_000
const delay = testFounding.window + 1

const provoked = new Set<string>()
const keyOf = (name: string): Uint8Array => testKey(name).multikey.slice(-32)
const newcomer = (name: string, organisation = 'city', key = name): ValidatorChange => ({ type: 'add', name, organisation, publicKey: keyOf(key), addresses: ['10.0.1.1:26600'] })
const change = (...changes: readonly ValidatorChange[]): Action => ({ type: 'changeValidators', changes })

function open(chain: Harness, action: Action): number {
  const receipt = chain.run(propose, city, { action, expiresMs: (chain.next().timeMs + day) as never })
  return Number(eventsOf(receipt, 'governance.proposed')[0]?.['proposal'])
}

/** Both organisations agree: the receipt of the completing vote. */
function decide(chain: Harness, action: Action): Receipt {
  const proposal = open(chain, action)
  chain.run(vote, city, { proposal, vote: 'yes' })
  return chain.run(vote, bank, { proposal, vote: 'yes' })
}

/** `executed`, or why not. */
function outcome(chain: Harness, action: Action): string {
  const receipt = decide(chain, action)
  const closing = eventsOf(receipt, 'governance.closed')[0] as { readonly code?: string } | undefined
  const code = receipt.code ?? closing?.code ?? 'executed'
  provoked.add(code)
  return code
}

function pass(chain: Harness, blocks: number): void {
  for (let i = 0; i < blocks; i++) chain.execute()
}

const names = (chain: Harness, height: number): readonly string[] => setInForce(chain.view(), height as Height).row.validators.map(({ name }) => name)

t.test('a set agreed on governs from window + 1 blocks above, and says so once', async (t) => {
  const chain = createHarness()
  const receipt = decide(chain, change(newcomer('validator-4')))
  const activation = receipt.height + delay
  t.match(eventsOf(receipt, 'governance.validatorSetScheduled'), [{ number: 1, activation }])
  t.same(names(chain, activation - 1), ['validator-0', 'validator-1', 'validator-2', 'validator-3'])
  t.same(names(chain, activation), ['validator-0', 'validator-1', 'validator-2', 'validator-3', 'validator-4'])
  t.match(await chain.query(validatorsQuery, {}), { current: { number: 0 }, scheduled: { number: 1, content: { activation, scheduledAtHeight: receipt.height } } })
  const told: number[] = []
  for (let i = 0; i < 3 * delay; i++) {
    const { height } = chain.next()
    if (i === delay - 3) chain.restart()
    if (eventsOf(chain.execute().outcome, 'governance.validatorSetActivated').length > 0) told.push(height)
  }
  t.same(told, [activation])
  t.match(await chain.query(validatorsQuery, {}), { current: { number: 1 }, scheduled: undefined })
  t.ok(chain.prove('governance.validatorSet/0000000000000001'), 'under the state root')
  t.ok(chain.view().get(validatorSetTable, 0), 'the sets before are kept')
})

t.test('one change at a time: the completing vote is refused until the set before is in force, and then counts', (t) => {
  const chain = createHarness()
  const first = decide(chain, change(newcomer('validator-4')))
  const proposal = open(chain, change({ type: 'remove', name: 'validator-4' }))
  chain.run(vote, city, { proposal, vote: 'yes' })
  const early = chain.run(vote, bank, { proposal, vote: 'yes' })
  provoked.add(String(early.code))
  t.match(early, { code: 'governance/set-change-pending', data: { activation: first.height + delay }, events: [] })
  pass(chain, first.height + delay - 1 - chain.next().height)
  t.equal(chain.run(vote, bank, { proposal, vote: 'yes' }).code, 'governance/set-change-pending', 'the block before it governs')
  const done = chain.run(vote, bank, { proposal, vote: 'yes' })
  t.equal(done.height, first.height + delay)
  t.match(eventsOf(done, 'governance.closed'), [{ outcome: 'executed' }])
  t.equal(scheduledSet(chain.view(), done.height)?.row.activation, done.height + delay)
  t.end()
})

t.test('what no set may be is refused', (t) => {
  const cases: readonly (readonly [readonly ValidatorChange[], string])[] = [
    [[newcomer('validator-4', 'port')], 'governance/unknown-organisation'],
    [[{ type: 'remove', name: 'nobody' }], 'governance/unknown-validator'],
    [[{ type: 'replaceKey', name: 'nobody', publicKey: keyOf('x') }], 'governance/unknown-validator'],
    [[newcomer('validator-1')], 'governance/validator-twice'],
    [[newcomer('validator-4', 'city', 'validator 2')], 'governance/validator-key-twice'],
    [[{ type: 'replaceKey', name: 'validator-0', publicKey: keyOf('validator 3') }], 'governance/validator-key-twice'],
    [[0, 1, 2, 3].map((i) => ({ type: 'remove', name: `validator-${i}` }) as const), 'governance/set-size'],
    [[{ type: 'setMinimum', organisation: 'city', minimum: 3 }], 'governance/minimum-unreachable'],
    [[{ type: 'setMinimum', organisation: 'port', minimum: 1 }], 'governance/minimum-unreachable'],
    [[{ type: 'remove', name: 'validator-1' }, { type: 'remove', name: 'validator-3' }], 'governance/minimum-unreachable'],
    [[{ type: 'setMinimum', organisation: 'city', minimum: 1 }], 'governance/set-unchanged'],
    [[newcomer('validator-4'), { type: 'remove', name: 'validator-4' }], 'governance/set-unchanged'],
    [[newcomer('validator-4'), newcomer('validator-5', 'bank')], 'governance/set-change-too-large'],
    [[{ type: 'replaceKey', name: 'validator-0', publicKey: keyOf('x') }, { type: 'replaceKey', name: 'validator-1', publicKey: keyOf('y') }], 'governance/set-change-too-large'],
    [[{ type: 'setMinimum', organisation: 'bank', minimum: 0 }, { type: 'remove', name: 'validator-1' }, newcomer('validator-4')], 'governance/set-one-organisation'],
  ]
  const chain = createHarness()
  for (const [changes, code] of cases) t.equal(outcome(chain, change(...changes)), code, code)
  t.equal(latestSet(chain.view()).number, 0)
  t.end()
})

t.test('a key is replaced in its place, an organisation’s minimum moves with its members, and addresses count at once', (t) => {
  const chain = createHarness()
  const replaced = decide(chain, change({ type: 'replaceKey', name: 'validator-1', publicKey: keyOf('new key'), addresses: ['[::1]:26601'] }))
  const { row } = latestSet(chain.view())
  t.same(row.validators.map(({ name }) => name), ['validator-0', 'validator-1', 'validator-2', 'validator-3'])
  t.same(row.validators[1]?.publicKey, keyOf('new key'))
  t.same(setInForce(chain.view(), replaced.height).row.validators[1]?.publicKey, keyOf('validator 1'), 'not before')
  const moved = decide(chain, { type: 'setAddresses', name: 'validator-0', addresses: ['node.busan.go.kr:26600'] })
  t.match(eventsOf(moved, 'governance.closed'), [{ outcome: 'executed' }], 'while a change is pending')
  for (const number of [0, 1]) t.same(chain.view().get(validatorSetTable, number)?.validators[0]?.addresses, ['node.busan.go.kr:26600'])
  t.equal(outcome(chain, { type: 'setAddresses', name: 'nobody', addresses: ['a:1'] }), 'governance/unknown-validator')
  pass(chain, delay)
  t.equal(outcome(chain, change({ type: 'remove', name: 'validator-2' }, { type: 'setMinimum', organisation: 'bank', minimum: 2 })), 'executed')
  t.same(latestSet(chain.view()).row.minimums, [{ organisation: 'city', minimum: 1 }, { organisation: 'bank', minimum: 2 }])
  t.end()
})

t.test('evidence goes along with a change of validators: its hash is kept', async (t) => {
  const chain = createHarness()
  const evidence = new TextEncoder().encode('two messages')
  const payload = { expiresMs: (chain.next().timeMs + day) as never, evidence }
  t.equal(chain.run(propose, city, { action: change({ type: 'remove', name: 'validator-0' }), ...payload }).status, 'ok')
  t.same((await chain.query(proposalsQuery, {}))?.items[0]?.content.evidence, taggedHash('governance-evidence', evidence))
  t.throws(() => chain.make(propose, city, { action: { type: 'pauseFamily', family: 'did' }, ...payload }), { code: 'codec/invalid' })
})

t.test('whatever is agreed on, in whatever order, the set can make blocks and newcomers are few', (t) => {
  for (let n = 1; n <= 64; n++) t.equal(quorumOf(n), quorumSize(n))
  const name = fc.integer({ min: 0, max: 9 }).map((i) => `validator-${i}`)
  const organisation = fc.constantFrom('city', 'bank')
  const key = fc.integer({ min: 0, max: 40 }).map((i) => keyOf(`validator ${i}`))
  const one: fc.Arbitrary<ValidatorChange> = fc.oneof(
    fc.record({ type: fc.constant('add' as const), name, organisation, publicKey: key, addresses: fc.constant(['a:1']) }),
    fc.record({ type: fc.constant('remove' as const), name }),
    fc.record({ type: fc.constant('replaceKey' as const), name, publicKey: key }),
    fc.record({ type: fc.constant('setMinimum' as const), organisation, minimum: fc.integer({ min: 0, max: 5 }) }),
  )
  let taken = 0
  fc.assert(
    fc.property(fc.array(fc.array(one, { minLength: 1, maxLength: 3 }), { maxLength: 30 }), (decisions) => {
      let set: Pick<typeof testFounding, 'validators' | 'minimums'> = testFounding
      for (const changes of decisions) {
        const after = changeSet(set, changes, ['city', 'bank'])
        if ('code' in after) continue
        taken++
        // consensus takes it, and can do without those who are new
        validatorSet.toWire(after, '')
        if (!isQuorum(after, new Set(after.validators.keys()))) return false
        const before = new Set(set.validators.map(({ publicKey }) => publicKey.join()))
        const old = after.validators.flatMap(({ publicKey }, i) => (before.has(publicKey.join()) ? [i] : []))
        if (after.validators.length >= 4 && old.length < quorumSize(after.validators.length)) return false
        set = after
      }
      return true
    }),
    { numRuns: 200 },
  )
  t.ok(taken > 100, `${taken} changes taken`)
  t.end()
})

t.test('indy-node #1823: a rule set takes effect once, at its height, and never again', async (t) => {
  const chain = createHarness()
  t.equal(outcome(chain, { type: 'activateRules', version: 3, fromHeight: 100 as Height }), 'governance/rules-not-next')
  t.equal(outcome(chain, { type: 'activateRules', version: 2, fromHeight: (chain.next().height + 2 + delay - 1) as Height }), 'governance/rules-height', 'too near')
  t.equal(outcome(chain, { type: 'activateRules', version: 2, fromHeight: (chain.next().height + 2 + ruleSetAheadMax + 1) as Height }), 'governance/rules-height', 'too far')
  const late = open(chain, { type: 'activateRules', version: 2, fromHeight: 90 as Height })
  t.equal(outcome(chain, { type: 'activateRules', version: 2, fromHeight: 50 as Height }), 'executed')
  t.equal(outcome(chain, { type: 'activateRules', version: 2, fromHeight: 40 as Height }), 'executed', 'moved before it is in force')
  t.match(await chain.query(rulesQuery, {}), { version: 1, scheduled: { version: 2, fromHeight: 40 }, newestKnown: 1 })
  const view = chain.view()
  t.same([39, 40, 50, 90].map((height) => ruleSetAt(view, height as Height)), [1, 2, 2, 2])
  t.throws(() => checkRulesKnown(view, 40 as Height), { code: 'state/rules-unknown' })
  t.doesNotThrow(() => checkRulesKnown(view, 39 as Height))
  t.doesNotThrow(() => checkRulesKnown(view, 40 as Height, 2))
  // this program does not know version 2: it stops before the block, and has changed nothing
  while (chain.next().height < 40) chain.execute()
  const root = chain.root()
  t.throws(() => chain.execute(), { code: 'state/rules-unknown' })
  t.same(chain.root(), root)
  // the other proposal of the same version, agreed on a year later by a program that knows it, does nothing
  const begin = families.find(({ name }) => name === 'governance')?.beginBlock
  const told = Array.from({ length: 100 }, (_, at) => at + 1).filter((height) => {
    const events: unknown[] = []
    begin?.({ block: { ...chain.next(), height: height as Height }, view: { ...view, put: () => undefined, putNew: () => undefined, remove: () => undefined }, emit: (event) => events.push(event) })
    return events.length > 0
  })
  t.same(told, [40])
  t.ok(late > 0)
})

t.test('a version that is in force is not scheduled again by an old proposal', (t) => {
  const chain = createHarness()
  const old = open(chain, { type: 'activateRules', version: 2, fromHeight: 60 as Height })
  chain.run(vote, city, { proposal: old, vote: 'yes' })
  t.equal(outcome(chain, { type: 'activateRules', version: 2, fromHeight: 20 as Height }), 'executed')
  while (chain.next().height < 20) chain.execute()
  // simulated at the height where it is in force, by the rules alone
  const receipt = chain.simulate(chain.make(vote, bank, { proposal: old, vote: 'yes' }))
  t.match(eventsOf(receipt, 'governance.closed'), [{ outcome: 'failed', code: 'governance/rules-not-next' }])
  t.end()
})

t.test('a paused family refuses its transactions until it is resumed; governance itself cannot be paused', async (t) => {
  t.same([...pausableFamilies, 'governance'].sort(), families.map(({ name }) => name).sort())
  const chain = createHarness({ actors: [citizen] })
  const touch = (): Receipt => chain.run(update, citizen, { baseVersion: 1, keys: citizen.keys, services: [] })
  t.equal(outcome(chain, { type: 'resumeFamily', family: 'did' }), 'governance/family-not-paused')
  t.equal(outcome(chain, { type: 'pauseFamily', family: 'did' }), 'executed')
  t.equal(outcome(chain, { type: 'pauseFamily', family: 'did' }), 'governance/family-paused')
  t.match(touch(), { status: 'refused', code: 'tx/family-paused', data: { kind: 'did.update' } })
  t.match((await chain.query(rulesQuery, {}))?.paused, [{ family: 'did' }])
  chain.restart()
  t.equal(touch().code, 'tx/family-paused')
  t.equal(outcome(chain, { type: 'resumeFamily', family: 'did' }), 'executed')
  t.not(touch().code, 'tx/family-paused')
  t.throws(() => chain.make(propose, city, { action: { type: 'pauseFamily', family: 'governance' as never }, expiresMs: (chain.next().timeMs + day) as never }), { code: 'codec/invalid' })
})

t.test('every code of these decisions was provoked', (t) => {
  t.same([...provoked].filter((code) => code in decisionCodes).sort(), Object.keys(decisionCodes).sort())
  t.end()
})
