// Governance rule by rule: proposals, votes, roles and their reach, parameters; and random sequences in which nothing is executed twice.
import fc from 'fast-check'
import t from 'tap'
import { historyTable } from '../../state/governance/parameters.ts'
import { hasRole, roleNames } from '../../state/roles.ts'
import { readParameters } from '../../state/parameters.ts'
import type { Receipt } from '../../state/receipt.ts'
import { post } from '../../state/community/post.ts'
import { settingsDefault as communityDefault } from '../../state/community/types.ts'
import { proposalCodes } from '../../state/governance/codes.ts'
import { grantRole } from '../../state/governance/grant-role.ts'
import { openProposals, openProposalsMax } from '../../state/governance/keys.ts'
import { propose } from '../../state/governance/propose.ts'
import { organisationsQuery, parametersQuery, proposalsQuery, rolesQuery } from '../../state/governance/queries.ts'
import { revokeRole } from '../../state/governance/revoke-role.ts'
import { type Action, governorsMax, proposalMsMax } from '../../state/governance/types.ts'
import { vote } from '../../state/governance/vote.ts'
import { deactivate } from '../../state/did/deactivate.ts'
import { hold } from '../../state/reservation/hold.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { settings as reservationSettings } from '../../state/reservation/queries.ts'
import { settingsDefault as reservationDefault } from '../../state/reservation/types.ts'
import { createHarness, eventsOf, type Harness, type HarnessOptions, testActor, type TestActor, testGovernors } from '../support/state-harness.ts'

const { city, bank } = testGovernors
const citizen = testActor('citizen')
const officer = testActor('officer')
const shop = testActor('shop')
const second = testActor('second governor of the city')
const third = testActor('third governor of the city')
const stranger = testActor('never registered')
const day = 24 * 3_600_000

const provoked = new Set<string>()
function codeOf(receipt: Receipt): string {
  if (receipt.code !== undefined) provoked.add(receipt.code)
  return receipt.code ?? receipt.status
}

function harness(options: HarnessOptions = {}): Harness {
  return createHarness({
    ...options,
    actors: [citizen, officer, shop, second, third],
    roles: [[officer, 'officer', '*'], ...(options.roles ?? [])],
  })
}

const merchant: Action = { type: 'grantRole', did: shop.did, role: 'registrar', scope: '*' }

function open(chain: Harness, action: Action = merchant, by: TestActor = city): Receipt {
  return chain.run(propose, by, { action, expiresMs: (chain.next().timeMs + day) as never })
}

function cast(chain: Harness, by: TestActor, proposal: number, said: 'yes' | 'no' = 'yes'): Receipt {
  return chain.run(vote, by, { proposal, vote: said })
}

t.test('a majority inside each organisation executes, once', async (t) => {
  const chain = harness()
  t.equal(codeOf(open(chain)), 'ok')
  t.equal(codeOf(cast(chain, city, 1)), 'ok')
  t.notOk(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs), 'one organisation alone decides nothing')
  const last = cast(chain, bank, 1)
  t.equal(codeOf(last), 'ok')
  t.same(eventsOf(last, 'governance.closed').map(({ outcome }) => outcome), ['executed'])
  t.ok(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.equal(codeOf(cast(chain, bank, 1)), 'governance/proposal-closed')
  const shown = await chain.query(proposalsQuery, { state: 'executed' })
  t.same(shown?.items.map(({ proposal, state }) => [proposal, state]), [[1, 'executed']])
  t.equal((await chain.query(rolesQuery, { did: shop.did }))?.items.length, 1)
})

t.test('who may propose and vote, when, and how often', (t) => {
  const chain = harness()
  t.equal(codeOf(open(chain, merchant, citizen)), 'governance/not-a-governor')
  for (const expiresMs of [chain.next().timeMs, chain.next().timeMs + proposalMsMax + 60_000]) t.equal(codeOf(chain.run(propose, city, { action: merchant, expiresMs: expiresMs as never })), 'governance/expiry-out-of-range')
  t.equal(codeOf(open(chain)), 'ok')
  t.equal(codeOf(cast(chain, citizen, 1)), 'governance/not-a-governor')
  t.equal(codeOf(cast(chain, city, 2)), 'governance/unknown-proposal')
  t.equal(codeOf(cast(chain, city, 1)), 'ok')
  t.equal(codeOf(cast(chain, city, 1, 'no')), 'governance/already-voted')
  chain.advance(day)
  t.equal(codeOf(cast(chain, bank, 1)), 'governance/proposal-expired')
  t.notOk(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.end()
})

t.test('a rejection inside one organisation ends it', async (t) => {
  const chain = harness()
  open(chain)
  t.equal(codeOf(cast(chain, city, 1)), 'ok')
  t.same(eventsOf(cast(chain, bank, 1, 'no'), 'governance.closed').map(({ outcome }) => outcome), ['rejected'])
  t.equal(codeOf(cast(chain, city, 1)), 'governance/proposal-closed')
  open(chain)
  chain.advance(2 * day)
  t.same((await chain.query(proposalsQuery, {}))?.items.map(({ state }) => state), ['rejected', 'expired'])
  t.same((await chain.query(proposalsQuery, { state: 'expired' }))?.items.map(({ proposal }) => proposal), [2])
})

t.test('majorities follow the governors of the moment', (t) => {
  const chain = harness({ roles: [[second, 'governor', 'city'], [third, 'governor', 'city']] })
  open(chain)
  cast(chain, bank, 1)
  cast(chain, city, 1)
  t.notOk(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs), 'one of three is no majority')
  t.equal(codeOf(chain.run(revokeRole, second, { did: second.did, role: 'governor', scope: 'city' })), 'ok', 'a role of one’s own can be laid down')
  t.equal(codeOf(cast(chain, second, 1)), 'governance/not-a-governor')
  t.equal(codeOf(cast(chain, third, 1)), 'ok')
  t.ok(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.equal(codeOf(chain.run(revokeRole, third, { did: third.did, role: 'governor', scope: 'city' })), 'ok')
  t.equal(codeOf(chain.run(revokeRole, city, { did: city.did, role: 'governor', scope: 'city' })), 'governance/last-governor')
  t.equal(chain.run(deactivate, city, {}).code, 'did/holds-governor')
  t.end()
})

t.test('an agreed proposal that has become impossible fails and changes nothing', (t) => {
  const chain = harness()
  const decide = (action: Action): Receipt => {
    const proposal = Number(eventsOf(open(chain, action), 'governance.proposed')[0]?.['proposal'])
    cast(chain, city, proposal)
    return cast(chain, bank, proposal)
  }
  const failure = (action: Action): unknown => {
    const code = eventsOf(decide(action), 'governance.closed')[0]?.['code']
    provoked.add(String(code))
    return code
  }
  t.equal(failure({ type: 'grantRole', did: stranger.did, role: 'registrar', scope: '*' }), 'governance/holder-not-active')
  t.equal(failure({ type: 'revokeRole', did: shop.did, role: 'registrar', scope: '*' }), 'governance/not-held')
  t.equal(failure({ type: 'grantRole', did: shop.did, role: 'governor', scope: 'port' }), 'governance/unknown-organisation')
  t.equal(failure({ type: 'grantRole', did: bank.did, role: 'governor', scope: 'city' }), 'governance/already-governor')
  t.same(eventsOf(decide({ type: 'setParameters', parameters: { transactionValidityMsMax: 120_000 } }), 'governance.closed').map(({ outcome }) => outcome), ['executed'])
  t.equal(readParameters(chain.view()).transactionValidityMsMax, 120_000)
  t.end()
})

t.test('what families let be set changes by a decision, within bounds, for what comes after', async (t) => {
  const area = { id: 'west', name: { ko: '서쪽', en: 'West' }, district: { ko: '중구', en: 'Jung-gu' }, centre: { longitude: 129_005_000, latitude: 35_105_000 }, polygon: [[0, 0], [10_000, 0], [5_000, 10_000]].map(([x = 0, y = 0]) => ({ longitude: 129_000_000 + x, latitude: 35_100_000 + y })) }
  const chain = harness({
    genesis: {
      reservation: { livingAreas: [area], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: area.centre }] },
      community: { boards: [{ livingArea: 'west', board: 'talk', title: { ko: '이야기', en: 'Talk' }, open: 'citizens' }] },
    },
    roles: [[officer, 'operator', '*']],
  })
  const decide = (action: Action): Receipt => {
    const proposal = Number(eventsOf(open(chain, action), 'governance.proposed')[0]?.['proposal'])
    cast(chain, city, proposal)
    return cast(chain, bank, proposal)
  }
  const startsMs = chain.next().timeMs + 30 * day
  const slotOf = (id: string): never => ({ id, startsMs, endsMs: startsMs + 1_000, opensMs: 0, closesMs: startsMs, cancelUntilMs: startsMs, capacity: 9, waitlistMax: 0 }) as never
  chain.run(openSlots, officer, { facility: 'hall', slots: [slotOf('one'), slotOf('two')] })
  const holdIn = (slot: string, by: TestActor): number => {
    const { timeMs } = chain.next()
    return Number(eventsOf(chain.run(hold, by, { slot }), 'reservation.held')[0]?.['heldUntilMs']) - timeMs
  }
  const postBy = (n: number): string => codeOf(chain.run(post, citizen, { livingArea: 'west', board: 'talk', bodyHash: new Uint8Array(32).fill(n) as never, bodyBytes: 10 }))

  t.equal(holdIn('one', citizen), 600_000)
  t.match(eventsOf(decide({ type: 'setReservations', settings: { holdMs: 60_000 } }), 'governance.reservationsSet'), [{ settings: { ...reservationDefault, holdMs: 60_000 } }])
  t.equal(holdIn('two', citizen), 60_000)
  decide({ type: 'setReservations', settings: { absencesMax: 0 } })
  t.strictSame(await chain.query(reservationSettings, {}), { ...reservationDefault, holdMs: 60_000, absencesMax: 0 }, 'what a change does not name stays')

  t.equal(postBy(1), 'ok')
  t.match(eventsOf(decide({ type: 'setCommunity', settings: { postsPerWindow: 1 } }), 'governance.communitySet'), [{ settings: { ...communityDefault, postsPerWindow: 1 } }])
  t.equal(postBy(2), 'community/rate-limit')
  decide({ type: 'setCommunity', settings: { bodyBytesMax: 5 } })
  chain.advance(day)
  t.equal(postBy(3), 'community/body-too-large')
  for (const action of [{ type: 'setReservations', settings: {} }, { type: 'setReservations', settings: { holdMs: 59_999 } }, { type: 'setCommunity', settings: {} }, { type: 'setCommunity', settings: { bodyBytesMax: 65_537 } }] as const) t.throws(() => open(chain, action), { code: 'codec/invalid' })
})

t.test('an organisation has a largest number of governors', (t) => {
  const many = Array.from({ length: governorsMax - 1 }, (_, i) => testActor(`governor ${i} of the bank`))
  const chain = harness({ roles: many.map((one) => [one, 'governor', 'bank'] as const) })
  open(chain, { type: 'grantRole', did: citizen.did, role: 'governor', scope: 'bank' })
  cast(chain, city, 1)
  let code: unknown
  for (const one of [bank, ...many]) {
    const closed = eventsOf(cast(chain, one, 1), 'governance.closed')[0]
    if (closed !== undefined) {
      code = closed['code']
      break
    }
  }
  provoked.add(String(code))
  t.equal(code, 'governance/too-many-governors')
  t.end()
})

t.test('roles are granted without a proposal as far as the granter’s own role reaches', (t) => {
  const chain = harness()
  const grant = { did: shop.did, role: 'merchant' as const, scope: 'book', untilMs: undefined }
  t.equal(codeOf(chain.run(grantRole, citizen, grant)), 'governance/beyond-reach')
  t.equal(codeOf(chain.run(grantRole, officer, { ...grant, scope: '*' })), 'governance/beyond-reach', 'every scope takes a proposal')
  t.equal(codeOf(chain.run(grantRole, officer, { ...grant, role: 'registrar' })), 'governance/beyond-reach')
  t.equal(codeOf(chain.run(grantRole, officer, { ...grant, untilMs: chain.next().timeMs })), 'governance/term-past')
  const untilMs = (chain.next().timeMs + day) as never
  t.equal(codeOf(chain.run(grantRole, officer, { ...grant, untilMs })), 'ok')
  t.ok(hasRole(chain.view(), shop.did, 'merchant', 'book', untilMs))
  t.notOk(hasRole(chain.view(), shop.did, 'merchant', 'book', (untilMs + 1) as never), 'until its term')
  t.notOk(hasRole(chain.view(), shop.did, 'merchant', 'bar', chain.next().timeMs))
  t.equal(codeOf(chain.run(revokeRole, citizen, { did: shop.did, role: 'merchant', scope: 'book' })), 'governance/beyond-reach')
  t.equal(codeOf(chain.run(revokeRole, officer, { did: shop.did, role: 'merchant', scope: 'book' })), 'ok')
  t.end()
})

t.test('nobody grants beyond the table', (t) => {
  // written out once more, apart from the code: held with scope *, what may be granted for a named scope
  const table: Readonly<Record<string, readonly string[]>> = { officer: ['officer', 'merchant'], operator: ['operator'], moderator: ['moderator'] }
  const everywhere = roleNames.filter((role) => role !== 'governor')
  const holders = everywhere.flatMap((role) => [[testActor(`${role} of all`), role, '*'] as const, [testActor(`${role} of one`), role, 'one'] as const])
  const chain = harness({ roles: holders })
  for (const [holder, held, scope] of holders) {
    const granted = roleNames.filter((role) => chain.simulate(chain.make(grantRole, holder, { did: citizen.did, role, scope: role === 'governor' ? 'city' : 'one', untilMs: undefined })).status === 'ok')
    t.strictSame(granted, scope === '*' ? roleNames.filter((role) => (table[held] ?? []).includes(role)) : [], `${held} of ${scope}`)
    const forAll = everywhere.filter((role) => chain.simulate(chain.make(grantRole, holder, { did: citizen.did, role, scope: '*', untilMs: undefined })).status === 'ok')
    t.strictSame(forAll, [])
  }
  t.end()
})

t.test('a proposal lives to its last millisecond, and 30 days at most', (t) => {
  const chain = harness()
  const latest = (more: number): Receipt => chain.run(propose, city, { action: merchant, expiresMs: (chain.next().timeMs + proposalMsMax + more) as never })
  t.equal(codeOf(latest(1)), 'governance/expiry-out-of-range')
  t.equal(codeOf(latest(0)), 'ok')
  const expiresMs = chain.next().timeMs + 10_000
  chain.run(propose, city, { action: merchant, expiresMs: expiresMs as never })
  t.equal(codeOf(cast(chain, city, 2)), 'ok')
  chain.advance(expiresMs - chain.next().timeMs)
  t.equal(codeOf(cast(chain, bank, 2)), 'ok')
  t.ok(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.end()
})

t.test('the ballot of a former governor is gone, and one who comes back votes anew', async (t) => {
  const chain = harness({ roles: [[second, 'governor', 'city'], [third, 'governor', 'city']] })
  open(chain)
  cast(chain, second, 1)
  chain.run(revokeRole, second, { did: second.did, role: 'governor', scope: 'city' })
  cast(chain, bank, 1)
  const ballots = async (): Promise<unknown> => (await chain.query(proposalsQuery, {}))?.items[0]?.content.ballots.map(({ governor }) => governor)
  t.same(await ballots(), [bank.did])
  open(chain, { type: 'grantRole', did: second.did, role: 'governor', scope: 'city' })
  for (const one of [city, third, bank]) cast(chain, one, 2)
  t.equal(codeOf(cast(chain, second, 1)), 'ok')
  t.notOk(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.equal(codeOf(cast(chain, city, 1)), 'ok')
  t.ok(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs), 'two of three')
})

t.test('parameters of an old height are what they were at its end', async (t) => {
  const chain = harness()
  const windows = [600_000, 700_000]
  for (const transactionValidityMsMax of windows) open(chain, { type: 'setParameters', parameters: { transactionValidityMsMax } })
  for (const proposal of [1, 2]) cast(chain, city, proposal)
  // both in one block
  const { receipts } = chain.execute(chain.make(vote, bank, { proposal: 1, vote: 'yes' }), chain.make(vote, bank, { proposal: 2, vote: 'yes' }))
  const at = receipts[0]?.height ?? 0
  chain.execute()
  const shown = async (height: number): Promise<unknown> => (await chain.query(parametersQuery, { height: height as never }))?.parameters.transactionValidityMsMax
  t.strictSame([await shown(0), await shown(at - 1), await shown(at), await shown(at + 1)], [3_600_000, 3_600_000, 700_000, 700_000])
  t.equal(chain.entries().filter(([key]) => key.startsWith('governance.parametersHistory')).length, 1)
  t.same(chain.view().get(historyTable, 'all')?.length, 2, 'one entry a height')
})

t.test('queries', async (t) => {
  const chain = harness()
  t.same((await chain.query(organisationsQuery, {}))?.items.map(({ name, governors }) => [name, governors]), [['city', [city.did]], ['bank', [bank.did]]])
  t.same((await chain.query(parametersQuery, {}))?.parameters, { transactionValidityMsMax: 3_600_000, recoveryWaitMs: 86_400_000 })
  t.equal(await chain.query(parametersQuery, { height: 99 as never }), undefined)
  const all = await chain.query(rolesQuery, { limit: 2 })
  t.equal(all?.items.length, 2)
  const rest = await chain.query(rolesQuery, { cursor: all?.next as string })
  t.ok((rest?.items.length ?? 0) >= 3)
})

t.test('indy-node #1823: whatever the order of votes, a proposal is executed at most once, and only with both organisations', (t) => {
  const governors = [city, second, third, bank]
  const step = fc.oneof(
    fc.record({ type: fc.constant('open' as const), by: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ type: fc.constant('vote' as const), by: fc.integer({ min: 0, max: 3 }), proposal: fc.integer({ min: 1, max: 3 }), said: fc.constantFrom('yes' as const, 'no' as const) }),
    fc.record({ type: fc.constant('wait' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const chain = harness({ roles: [[second, 'governor', 'city'], [third, 'governor', 'city']] })
      const closed = new Map<number, number>()
      const yes = new Map<number, Set<number>>()
      for (const one of steps) {
        if (one.type === 'wait') chain.advance(day / 2)
        else if (one.type === 'open') open(chain, { type: 'setParameters', parameters: { transactionValidityMsMax: 3_600_000 } }, governors[one.by] as TestActor)
        else {
          const receipt = cast(chain, governors[one.by] as TestActor, one.proposal, one.said)
          if (receipt.status === 'ok' && one.said === 'yes') yes.set(one.proposal, (yes.get(one.proposal) ?? new Set()).add(one.by))
          for (const event of eventsOf(receipt, 'governance.closed')) {
            closed.set(one.proposal, (closed.get(one.proposal) ?? 0) + 1)
            if (event['outcome'] !== 'executed') continue
            const voters = yes.get(one.proposal) ?? new Set()
            if (!voters.has(3) || [0, 1, 2].filter((by) => voters.has(by)).length < 2) return false
          }
        }
      }
      return [...closed.values()].every((times) => times === 1)
    }),
    { numRuns: 60 },
  )
  t.pass('60 sequences')
  t.end()
})

t.test('as many proposals are open as a recount can go through; an expired one makes room', (t) => {
  const chain = harness()
  for (let i = 0; i < openProposalsMax; i++) t.equal(open(chain).status, 'ok')
  t.equal(codeOf(open(chain)), 'governance/too-many-open')
  chain.advance(day)
  t.equal(codeOf(open(chain)), 'ok')
  t.same(openProposals(chain.view()), [openProposalsMax + 1])
  t.end()
})

t.test('a governor removed has the open proposals counted again', (t) => {
  const chain = harness({ roles: [[second, 'governor', 'city'], [third, 'governor', 'city']] })
  open(chain)
  open(chain, { type: 'revokeRole', did: third.did, role: 'governor', scope: 'city' })
  open(chain, { type: 'pauseFamily', family: 'points' })
  cast(chain, bank, 1)
  cast(chain, city, 1)
  cast(chain, bank, 3)
  cast(chain, second, 3, 'no')
  // with second gone, one yes of two is no majority yet, and nothing is rejected
  t.same(eventsOf(chain.run(revokeRole, second, { did: second.did, role: 'governor', scope: 'city' }), 'governance.closed'), [])
  cast(chain, bank, 2)
  cast(chain, third, 2)
  // the governor of the city who is left is a majority of one: what is removed by 2 decides 1, and 3 stays open
  const last = cast(chain, city, 2)
  t.same(eventsOf(last, 'governance.closed').map(({ proposal, outcome }) => [proposal, outcome]), [[2, 'executed'], [1, 'executed']])
  t.same(openProposals(chain.view()), [3])
  t.end()
})

t.test('a governor who lays the role down has the open proposals counted again, too', (t) => {
  const chain = harness({ roles: [[second, 'governor', 'city']] })
  open(chain)
  cast(chain, city, 1)
  cast(chain, bank, 1)
  t.same(openProposals(chain.view()), [1])
  t.match(eventsOf(chain.run(revokeRole, second, { did: second.did, role: 'governor', scope: 'city' }), 'governance.closed'), [{ proposal: 1, outcome: 'executed' }])
  t.ok(hasRole(chain.view(), shop.did, 'registrar', '*', chain.next().timeMs))
  t.end()
})

t.test('every code of proposals and roles was provoked', (t) => {
  t.same([...provoked].filter((code) => code.startsWith('governance/')).sort(), Object.keys(proposalCodes).sort())
  t.end()
})
