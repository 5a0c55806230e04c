// Whatever happens, in whatever order: no seat is sold twice, nobody is in a slot twice, and the line moves first come, first served. A second,
// naive account of the rules, with plain lists, must come to the same receipts and the same rows at every block.
import fc from 'fast-check'
import t from 'tap'
import type { TimeMs } from '../../primitives/brand.ts'
import { utf8 } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import { taggedHash } from '../../primitives/hash.ts'
import type { Event } from '../../state/family.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { cancel } from '../../state/reservation/cancel.ts'
import { checkIn } from '../../state/reservation/check-in.ts'
import { closeSlot } from '../../state/reservation/close-slot.ts'
import { heldTable, holderTable, personTable, seatsTable, seatTable } from '../../state/reservation/keys.ts'
import { noShow } from '../../state/reservation/no-show.ts'
import { openSlots } from '../../state/reservation/open-slots.ts'
import { reserve } from '../../state/reservation/reserve.ts'
import { decodeValue, type Table } from '../../state/table.ts'
import { createHarness, genesisTimeMs, type Harness, testActor, type TestActor, testIssuer } from '../support/state-harness.ts'
import { westArea } from '../support/living-area.ts'

const hourMs = 3_600_000
const operator = testActor('operator')
const people = ['mina', 'jun', 'sora', 'hana', 'minho', 'yuna', 'taeo'].map((name) => testActor(name))
/** The persons behind the DIDs: the first two DIDs belong to one. */
const persons = ['a', 'a', 'b', 'c', 'd', 'e', 'f']
const startsMs = genesisTimeMs + 40 * hourMs
const deadlineMs = genesisTimeMs + 30 * hourMs
const closesMs = genesisTimeMs + 36 * hourMs
const perPersonMax = 2

interface Terms {
  readonly id: string
  readonly capacity: number
  readonly waitlistMax: number
  readonly course?: 'plain' | 'qualified'
}
const slots: readonly Terms[] = [
  { id: 'one', capacity: 1, waitlistMax: 4 },
  { id: 'two', capacity: 2, waitlistMax: 2, course: 'plain' },
  { id: 'three', capacity: 1, waitlistMax: 5, course: 'plain' },
  { id: 'four', capacity: 3, waitlistMax: 0, course: 'plain' },
  { id: 'five', capacity: 2, waitlistMax: 6, course: 'qualified' },
  { id: 'six', capacity: 1, waitlistMax: 3, course: 'qualified' },
  { id: 'seven', capacity: 1, waitlistMax: 3, course: 'qualified' },
]

function city(): Harness {
  const chain = createHarness({
    genesis: { reservation: { livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }] } },
    actors: people,
    roles: [[operator, 'operator', 'hall']],
  })
  for (const course of [undefined, 'plain', 'qualified'] as const) {
    const receipt = chain.run(openSlots, operator, {
      facility: 'hall',
      ...(course !== undefined && { course: { id: course, title: { ko: '강좌' }, perPersonMax } }),
      ...(course === 'qualified' && { qualification: 'resident' }),
      slots: slots
        .filter((slot) => slot.course === course)
        .map(({ id, capacity, waitlistMax }) => ({
          id,
          capacity,
          waitlistMax,
          startsMs: startsMs as TimeMs,
          endsMs: (startsMs + hourMs) as TimeMs,
          opensMs: genesisTimeMs,
          closesMs: closesMs as TimeMs,
          cancelUntilMs: deadlineMs as TimeMs,
        })),
    })
    assert(receipt.status === 'ok', 'slots opened')
  }
  return chain
}

type Verb = 'reserve' | 'cancel' | 'checkIn' | 'noShow' | 'closeSlot'
interface Step {
  readonly verb: Verb
  readonly who: number
  readonly slot: number
  readonly hours: number
  readonly sameBlock: boolean
}

const weights: readonly (readonly [Verb, number])[] = [['reserve', 24], ['cancel', 14], ['checkIn', 5], ['noShow', 4], ['closeSlot', 1]]
const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.oneof(...weights.map(([verb, weight]) => ({ arbitrary: fc.constant(verb), weight }))),
  who: fc.nat({ max: people.length - 1 }),
  slot: fc.nat({ max: slots.length - 1 }),
  hours: fc.oneof({ arbitrary: fc.constant(0), weight: 6 }, { arbitrary: fc.integer({ min: 1, max: 8 }), weight: 1 }),
  sameBlock: fc.boolean(),
})

/** The naive account: lists of people, in the order in which they came. */
interface Naive {
  readonly seated: number[]
  readonly waiting: number[]
  readonly attended: number[]
  readonly absent: number[]
  closed: boolean
}

function expected(world: ReadonlyMap<string, Naive>, { verb, who, slot: at }: Step, nowMs: number): { readonly code?: string; readonly events: readonly string[] } {
  const terms = slots[at] as Terms
  const slot = world.get(terms.id) as Naive
  const { seated, waiting, attended, absent } = slot
  const no = (code: string): { readonly code: string; readonly events: readonly string[] } => ({ code: `reservation/${code}`, events: [] })
  const drop = (from: number[]): void => {
    from.splice(from.indexOf(who), 1)
  }
  const samePerson = (other: number): boolean => (terms.course === 'qualified' ? persons[other] === persons[who] : other === who)
  const everyone = ({ seated, waiting, attended, absent }: Naive): readonly number[] => [...seated, ...waiting, ...attended, ...absent]
  switch (verb) {
    case 'reserve': {
      if (slot.closed) return no('slot-closed')
      if (nowMs >= closesMs) return no('window-closed')
      if (everyone(slot).includes(who)) return no('already-reserved')
      if (terms.course === 'qualified' && everyone(slot).some(samePerson)) return no('person-has-seat')
      const held = slots.filter(({ course }) => course === terms.course).flatMap(({ id }) => everyone(world.get(id) as Naive)).filter(samePerson).length
      if (terms.course !== undefined && held >= perPersonMax) return no('course-limit')
      if (seated.length + attended.length + absent.length < terms.capacity) {
        seated.push(who)
        return { events: [`reserved ${who}`] }
      }
      if (waiting.length >= terms.waitlistMax) return no('full')
      waiting.push(who)
      return { events: [`waitlisted ${who} at ${waiting.length}`] }
    }
    case 'cancel': {
      if (waiting.includes(who)) {
        drop(waiting)
        return { events: [`cancelled ${who}`] }
      }
      if (!seated.includes(who)) return no('no-reservation')
      if (nowMs > deadlineMs && !slot.closed) return no('too-late-to-cancel')
      drop(seated)
      const next = slot.closed ? undefined : waiting.shift()
      if (next === undefined) return { events: [`cancelled ${who}`] }
      seated.push(next)
      return { events: [`cancelled ${who}`, `promoted ${next}`] }
    }
    case 'checkIn': {
      if (slot.closed) return no('slot-closed')
      if (nowMs < startsMs - 2 * hourMs) return no('too-early')
      if (!seated.includes(who) && !absent.includes(who)) return no('no-reservation')
      drop(seated.includes(who) ? seated : absent)
      attended.push(who)
      return { events: [`checkedIn ${who}`] }
    }
    case 'noShow': {
      if (slot.closed) return no('slot-closed')
      if (nowMs < startsMs) return no('too-early')
      if (!seated.includes(who)) return no('no-reservation')
      drop(seated)
      absent.push(who)
      return { events: [`missed ${who}`] }
    }
    case 'closeSlot': {
      if (slot.closed) return no('slot-closed')
      slot.closed = true
      return { events: ['slotClosed operator'] }
    }
  }
}

function transactionOf(chain: Harness, { verb, who, slot: at }: Step): ReadyTransaction {
  const { id: slot, course } = slots[at] as Terms
  const person = people[who] as TestActor
  const attestation = (): ReturnType<Harness['attest']> =>
    chain.attest(testIssuer, {
      purpose: 'reservation:qualified',
      subject: person.did,
      claim: 'resident',
      pseudonym: taggedHash('test-pseudonym', utf8(persons[who] as string)),
      expiresMs: (startsMs + 1_000 * hourMs) as TimeMs,
    })
  switch (verb) {
    case 'reserve':
      return chain.make(reserve, person, { slot, ...(course === 'qualified' && { attestation: attestation() }) })
    case 'cancel':
      return chain.make(cancel, person, { slot })
    case 'checkIn':
      return chain.make(checkIn, operator, { slot, did: person.did })
    case 'noShow':
      return chain.make(noShow, operator, { slot, did: person.did })
    case 'closeSlot':
      return chain.make(closeSlot, operator, { slot, reason: '점검' })
  }
}

function told(event: Event): string {
  const { type, did, place } = event as Event & { readonly did?: string; readonly place?: number }
  const who = people.findIndex((one) => one.did === did)
  return `${type.slice('reservation.'.length)} ${who < 0 ? 'operator' : who}${place === undefined ? '' : ` at ${place}`}`
}

function rowsOf<T>(chain: Harness, table: Table<T>): readonly { readonly key: readonly string[]; readonly value: T }[] {
  return chain
    .entries()
    .filter(([key]) => key.startsWith(`${table.name}/`))
    .map(([key, value]) => ({ key: key.split('/').slice(1), value: decodeValue(table, value) }))
}

/** The state says what the naive account says: rows, counters, indexes, and the line from its head to its tail and back. */
function checkState(chain: Harness, world: ReadonlyMap<string, Naive>): void {
  const view = chain.view()
  const rows = rowsOf(chain, seatTable)
  const active = rows.filter(({ value }) => value.state !== 'cancelled')
  for (const { id, capacity, waitlistMax } of slots) {
    const naive = world.get(id) as Naive
    const of = (state: string): readonly string[] => rows.filter(({ key, value }) => key[1] === id && value.state === state).map(({ key }) => key[0] as string)
    const dids = (list: readonly number[]): readonly string[] => list.map((who) => (people[who] as TestActor).did)
    const same = (a: readonly string[], b: readonly string[], what: string): void => assert([...a].sort().join() === [...b].sort().join(), `${what} of ${id}: ${a.join()} instead of ${b.join()}`)
    same(of('confirmed'), dids(naive.seated), 'seats')
    same(of('waiting'), dids(naive.waiting), 'line')
    same(of('attended'), dids(naive.attended), 'attended')
    same(of('absent'), dids(naive.absent), 'absent')
    const seats = view.get(seatsTable, id)
    const counters = [seats?.confirmed ?? 0, seats?.waiting ?? 0, seats?.attended ?? 0, seats?.absent ?? 0]
    assert(counters.join() === [of('confirmed'), of('waiting'), of('attended'), of('absent')].map(({ length }) => length).join(), `counters of ${id} equal its rows`)
    assert(naive.seated.length + naive.attended.length + naive.absent.length <= capacity && naive.waiting.length <= waitlistMax, `capacity of ${id}`)
    assert(naive.closed || naive.waiting.length === 0 || naive.seated.length + naive.attended.length + naive.absent.length === capacity, `nobody waits in ${id} beside a free seat`)

    const line: string[] = []
    let before: string | undefined
    for (let at = seats?.first; at !== undefined; ) {
      const row = view.get(seatTable, at, id)
      assert(row !== undefined && row.state === 'waiting' && row.previous === before && line.length < waitlistMax, `links of ${id}`)
      line.push(at)
      before = at
      at = row.next
    }
    assert(before === seats?.last && line.join() === dids(naive.waiting).join(), `order of the line of ${id}`)
    const numbers = line.map((did) => active.find(({ key }) => key[0] === did && key[1] === id)?.value.number ?? 0)
    assert(numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number)), `first come, first served in ${id}`)
  }
  assert(rows.every(({ value }) => value.state === 'waiting' || (value.previous === undefined && value.next === undefined)), 'only those who wait are linked')
  assert(rowsOf(chain, holderTable).map(({ key }) => `${key[1] ?? ''}/${key[0] ?? ''}`).sort().join() === active.map(({ key }) => key.join('/')).sort().join(), 'holders are the active rows')
  const held = rowsOf(chain, heldTable).reduce((sum, { value }) => sum + value.count, 0)
  const courseOf = new Map(slots.map(({ id, course }) => [id, course]))
  assert(held === active.filter(({ key }) => courseOf.get(key[1] as string) !== undefined).length, 'what is held of courses')
  assert(rowsOf(chain, heldTable).every(({ value }) => value.count <= perPersonMax), 'within the limit')
  assert(rowsOf(chain, personTable).length === active.filter(({ value }) => value.pseudonym !== undefined).length, 'persons of qualified slots')
}

t.test('random lives of seven people in seven slots', (t) => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 35 }), fc.array(step, { minLength: 40, maxLength: 160, size: 'max' }), (lateHours, steps) => {
      const chain = city()
      chain.advance(lateHours * hourMs)
      const world = new Map(slots.map(({ id }) => [id, { seated: [], waiting: [], attended: [], absent: [], closed: false } as Naive]))
      for (let i = 0; i < steps.length; ) {
        const block: Step[] = [steps[i] as Step]
        while (block.length < 8 && i + block.length < steps.length && (steps[i + block.length] as Step).sameBlock) block.push(steps[i + block.length] as Step)
        i += block.length
        chain.advance((block[0] as Step).hours * hourMs)
        const { timeMs } = chain.next()
        const { receipts } = chain.execute(...block.map((one) => transactionOf(chain, one)))
        receipts.forEach((receipt, at) => {
          const should = expected(world, block[at] as Step, timeMs)
          const did = receipt.code ?? receipt.events.map(told).join()
          assert(did === (should.code ?? should.events.join()), `${JSON.stringify(block[at])}: ${did} instead of ${should.code ?? should.events.join()}`)
          for (const what of receipt.code === undefined ? receipt.events.map(({ type }) => type) : [receipt.code]) seen.set(what, (seen.get(what) ?? 0) + 1)
        })
        checkState(chain, world)
      }
    }),
    { numRuns: 100, seed: 20260514 },
  )
  for (const type of ['reserved', 'waitlisted', 'promoted', 'cancelled', 'checkedIn', 'missed', 'slotClosed']) t.ok((seen.get(`reservation.${type}`) ?? 0) > 10, `${type} happened`)
  for (const code of ['full', 'course-limit', 'person-has-seat', 'too-late-to-cancel', 'window-closed']) t.ok((seen.get(`reservation/${code}`) ?? 0) > 10, `${code} happened`)
  t.comment([...seen].map(([what, times]) => `${what} ${times}`).join(', '))
  t.end()
})

t.test('a long line loses members anywhere and keeps its order, at the same cost', (t) => {
  const crowd = Array.from({ length: 120 }, (_, i) => testActor(`crowd ${i}`))
  const chain = createHarness({ genesis: { reservation: { livingAreas: [westArea], facilities: [{ id: 'hall', livingArea: 'west', category: 'lecture', title: { ko: '강당' }, position: westArea.centre }] } }, actors: crowd, roles: [[operator, 'operator', 'hall']] })
  chain.run(openSlots, operator, {
    facility: 'hall',
    slots: [{ id: 'big', capacity: 10, waitlistMax: 200, startsMs: startsMs as TimeMs, endsMs: (startsMs + hourMs) as TimeMs, opensMs: genesisTimeMs, closesMs: closesMs as TimeMs, cancelUntilMs: deadlineMs as TimeMs }],
  })
  chain.execute(...crowd.map((one) => chain.make(reserve, one, { slot: 'big' })))
  const leavers = crowd.filter((_, i) => i >= 10 && (i * 7) % 3 === 0)
  for (const one of leavers) t.ok(chain.execute(chain.make(cancel, one, { slot: 'big' })).changes.length <= 6, 'a bounded number of records')
  const line = crowd.slice(10).filter((one) => !leavers.includes(one))
  const holders = crowd.slice(0, 10)
  const promoted: string[] = []
  for (let i = 0; i < line.length; i++) {
    const { receipts } = chain.execute(chain.make(cancel, holders[i] as TestActor, { slot: 'big' }))
    const [, event] = receipts[0]?.events ?? []
    promoted.push((event as unknown as { readonly did: string }).did)
    holders.push(line[i] as TestActor)
  }
  t.strictSame(promoted, line.map(({ did }) => did))
  t.end()
})
