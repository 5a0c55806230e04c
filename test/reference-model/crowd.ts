// What only a crowd meets: the bounds of what one block or transaction works off, and of how much there may be. Scripted, and compared as all else.
import { utf8 } from '../../primitives/bytes.ts'
import type { TimeMs, Won } from '../../primitives/brand.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { randomOf } from '../simulator/random.ts'
import { genesisTimeMs, testIssuer } from '../support/state-harness.ts'
import { bank, createCity, notaries, officer, operator, second, shops, type CityOptions, type Wish } from './city.ts'
import { begin } from './life.ts'
import { firstPrograms, hash32 } from './points-wishes.ts'
import { secretOf } from './reservation-wishes.ts'
import { dayMs, hourMs, koreanDay, minuteMs } from './world.ts'

const crowdSize = 300

/** Throws where state and model differ. How many transactions there were. */
export function crowdLife(options: Pick<CityOptions, 'onResult' | 'onBlock'>): number {
  const random = randomOf(1)
  const city = createCity({ ...options, crowdSize })
  const { crowd } = city
  let transactions = 0
  const send = (...wishes: readonly Wish[]): void => {
    city.advance(1_000)
    city.block(wishes.map((wish) => city.make(wish)))
    transactions += wishes.length
  }
  const byOfficers = (kind: string, payload: unknown): Wish => ({ sender: officer, cosigners: [second], kind: `points.${kind}`, payload })
  const byOperator = (kind: string, payload: unknown): Wish => ({ sender: operator, cosigners: notaries, kind: `reservation.${kind}`, payload })
  const byAll = (kind: string, payload: (did: string, i: number) => unknown): readonly Wish[] => crowd.map((sender, i) => ({ sender, kind, payload: payload(sender.did, i) }))
  const idle = (blocks: number): void => {
    for (let i = 0; i < blocks; i++) send()
  }
  begin(city, random)

  const [plain] = firstPrograms(random)
  const terms = { ...plain?.terms, tiers: [{ tier: 'two', amount: 1_000 as Won }], leftover: 'unallocated', useClosesMs: (genesisTimeMs + 40 * dayMs) as TimeMs }
  send(byOfficers('openProgram', { program: 'rush', budget: 0, terms: { ...terms, waitlistMax: 400 } }), byOfficers('openProgram', { program: 'rich', budget: 2_000_000, terms: { ...terms, merchantDebtMax: 0 } }))

  // a line of three hundred, of whom some leave and some are gone when their turn comes
  const attest = (subject: string, i: number): unknown => city.attest(testIssuer, { purpose: 'points:rush', subject: subject as never, claim: 'two', pseudonym: hash32(`in line ${i}`), expiresMs: (genesisTimeMs + 1_000 * dayMs) as TimeMs })
  send(...byAll('points.apply', (did, i) => ({ program: 'rush', attestation: attest(did, i) })))
  send(byOfficers('decide', { program: 'rush', decisions: crowd.slice(20, 90).map(({ did }) => ({ did, approve: false, reason: 'double' })) }))
  send(...crowd.slice(95, 99).map((sender) => ({ sender, kind: 'did.deactivate', payload: {} })))
  send(byOfficers('topUp', { program: 'rush', amount: 60_000 }), byOfficers('topUp', { program: 'rush', amount: 900 }))
  idle(2)
  send(byOfficers('topUp', { program: 'rush', amount: 60_000 }), byOfficers('topUp', { program: 'rush', amount: 900_000 }))
  idle(3)

  // more grants that end together than a block works off, while others wait for what comes back
  const living = [...crowd.slice(0, 95), ...crowd.slice(99)]
  const ends = (city.harness.next().timeMs + 3 * hourMs) as TimeMs
  for (let batch = 0; batch < 5; batch++) send(byOfficers('issue', { program: 'rich', grants: living.map(({ did }, i) => ({ did, tier: 'two', pseudonym: hash32(`batch ${batch} of ${i}`), ...(batch > 0 && { expiresMs: ends }) })) }))

  // seats: kept by all at once, let go by all at once
  const at = city.harness.next().timeMs
  const slot = (id: string, changes: object): object => ({ id, startsMs: at + 4 * dayMs, endsMs: at + 5 * dayMs, opensMs: at, closesMs: at + 2 * dayMs, cancelUntilMs: at + 3 * dayMs, capacity: 400, waitlistMax: 50, ...changes })
  const lottery = notaries.map(({ did }) => ({ by: did, hash: taggedHash('lottery-secret', utf8(`lots/${did}/`), secretOf('lots', did)) }))
  send(byOperator('openSlots', { facility: 'hall', slots: [slot('kept', {}), slot('paid', { price: { amount: 10, merchant: shops[0]?.did } }), slot('paid-too', { price: { amount: 10, merchant: shops[0]?.did }, capacity: 100 }), slot('lots', { lottery, capacity: 100, closesMs: at + hourMs }), slot('small', { capacity: 40, waitlistMax: 300 })] }))
  send(...byAll('reservation.hold', () => ({ slot: 'kept' })))
  send(...byAll('reservation.reserve', () => ({ slot: 'small' })))
  city.advance(10 * minuteMs)
  send(...byAll('reservation.reserve', () => ({ slot: 'kept' })))
  idle(1)
  send(...byAll('reservation.reserve', () => ({ slot: 'paid', payment: { program: 'rich' } })))
  // the bank pays for these seats: the shop may owe it no more than it earns since
  send({ sender: bank, kind: 'points.settle', payload: { payment: 'seats', items: [{ merchant: shops[0]?.did, program: 'rich', claim: 1, amount: 10 * living.length }] } })
  send(...byAll('reservation.reserve', () => ({ slot: 'paid-too', payment: { program: 'rich' } })))
  send(...byAll('reservation.reserve', () => ({ slot: 'lots' })))
  send(byOperator('amendSlot', { slot: 'small', capacity: 330 }), byOperator('closeSlot', { slot: 'paid', reason: '점검' }))
  idle(3)
  send(...byAll('reservation.cancel', () => ({ slot: 'paid' })))
  city.advance(hourMs)
  send(...notaries.map((sender) => ({ sender, kind: 'reservation.reveal', payload: { slot: 'lots', secret: secretOf('lots', sender.did) } })))
  send(...notaries.map((sender) => ({ sender, kind: 'reservation.reveal', payload: { slot: 'lots', secret: secretOf('lots', sender.did) } })))
  send(...byAll('reservation.cancel', () => ({ slot: 'lots' })))
  idle(2)
  city.advance(3 * hourMs)
  send({ sender: operator, kind: 'points.reclaim', payload: { program: 'rich', dids: living.slice(-40).map(({ did }) => did) } })
  idle(2)

  // a day with as many slots with a price as there may be, which is closed, and as many programmes as there may be
  const far = { startsMs: at + 9 * dayMs, endsMs: at + 9 * dayMs + hourMs, closesMs: at + 9 * dayMs, cancelUntilMs: at + 9 * dayMs, price: { amount: 10, merchant: shops[0]?.did } }
  send(byOperator('openSlots', { facility: 'hall', slots: Array.from({ length: 500 }, (_, i) => slot(`far-${i}`, far)) }))
  send(byOperator('openSlots', { facility: 'hall', slots: [slot('far-500', far)] }))
  send(...byAll('reservation.reserve', (_, i) => ({ slot: `far-${i}`, payment: { program: 'rich' } })))
  send(byOperator('closeDays', { facility: 'hall', firstDay: koreanDay(far.startsMs), lastDay: koreanDay(far.startsMs), reason: '공사' }))
  idle(4)
  for (let i = 0; i < 1_000; i += 250) send(...Array.from({ length: 250 }, (_, n) => byOfficers('openProgram', { program: `crowd-${i + n}`, budget: 0, terms })))
  return transactions
}
