// What is kept against what the model counts: balances, sums, holds, claims, places in line, seats and queues, for every row that a block changed.
import { fromBase64url, toHex as hex } from '../../primitives/bytes.ts'
import { accountTable, bookTable, claimTable, holdTable, lineTable, purchaseTable, sumsTable } from '../../state/points/keys.ts'
import { seatsTable, seatTable } from '../../state/reservation/keys.ts'
import { decodeValue, keyParts, type Table } from '../../state/table.ts'
import type { StateChange } from '../../state/view.ts'
import type { Harness } from '../support/state-harness.ts'
import { countedGrants, fundedOf, leftOf, partsOf, sumsOf } from './points-money.ts'
import { count } from './seats.ts'
import { plain, sum, type World } from './world.ts'

type Check = (world: World, parts: readonly string[], value: Uint8Array | undefined) => readonly [actual: unknown, expected: unknown]

function check<T>(table: Table<T>, actual: (value: T) => unknown, expected: (world: World, parts: readonly string[]) => unknown): readonly [string, Check] {
  return [table.name, (world, parts, value) => [value === undefined ? undefined : actual(decodeValue(table, value)), expected(world, parts)]]
}

const idOf = (text: string | undefined): string => hex(fromBase64url(text ?? '') ?? new Uint8Array())

const checks: ReadonlyMap<string, Check> = new Map([
  check(
    sumsTable,
    ({ budget, unallocated, held, onHold, unsettled, settled, reclaimed, owed, paid, grants, revoked, applications }) => ({ budget, unallocated, held, onHold, unsettled, settled, reclaimed, owed, paid, counted: grants - revoked, applications }),
    (world, [id = '']) => {
      const program = world.programs.get(id)
      return program === undefined ? undefined : { ...sumsOf(world, program), counted: countedGrants(world, program), applications: program.places }
    },
  ),
  check(
    accountTable,
    ({ application, grants }) => ({
      application: application === undefined ? undefined : { tier: application.tier, place: application.place, status: application.status, line: application.line },
      grants: grants.map(({ tier, amount, spent, onHold, reclaimed, ownPaid, expiresMs, revoked }) => ({ tier, left: amount - spent - onHold - reclaimed, spent, onHold, ownPaid, expiresMs, revoked })),
    }),
    (world, [id = '', did = '']) => {
      const program = world.programs.get(id)
      const account = program?.accounts.get(did)
      if (program === undefined || account === undefined) return undefined
      const { application } = account
      return {
        application: application === undefined ? undefined : { tier: application.tier, place: application.place, status: application.status, line: application.status === 'waiting' ? application.line : undefined },
        grants: account.grants.map((grant, at) => ({
          tier: grant.tier,
          left: leftOf(world, program, did, at),
          spent: sum(partsOf(world, program, did, at, 'paid'), (part) => part.funded),
          onHold: sum(partsOf(world, program, did, at, 'held'), (part) => part.funded),
          ownPaid: sum(partsOf(world, program, did, at, 'paid'), (part) => part.own),
          expiresMs: grant.graceUntilMs ?? grant.ownEndMs,
          revoked: grant.clawbackReason,
        })),
      }
    },
  ),
  check(
    purchaseTable,
    ({ price, refunded, excess, claim, parts }) => ({ price, refunded, excess, claim, funded: sum(parts, (part) => part.funded) }),
    (world, [, id]) => {
      const purchase = world.purchases.get(idOf(id))
      if (purchase?.state !== 'paid') return undefined
      return { price: purchase.price, refunded: purchase.refunded, excess: purchase.excess, claim: purchase.claim?.number, funded: fundedOf(purchase) }
    },
  ),
  check(
    holdTable,
    ({ price, expiresMs, excess, parts }) => ({ price, expiresMs, excess, funded: sum(parts, (part) => part.funded) }),
    (world, [, id]) => {
      const purchase = world.purchases.get(idOf(id))
      return purchase?.state === 'held' ? { price: purchase.price, expiresMs: purchase.expiresMs, excess: purchase.excess, funded: fundedOf(purchase) } : undefined
    },
  ),
  check(
    claimTable,
    ({ day, gross, refunded, netted, payment }) => ({ day, gross, refunded, netted, payment }),
    (world, [program, merchant, number]) => {
      const claim = world.books.get(`${program}/${merchant}`)?.claims[Number(number) - 1]
      return claim === undefined ? undefined : { day: claim.day, gross: claim.gross, refunded: claim.refunded, netted: claim.netted, payment: claim.payment }
    },
  ),
  check(
    bookTable,
    ({ last, owed }) => ({ last, owed }),
    (world, [merchant, program]) => {
      const book = world.books.get(`${program}/${merchant}`)
      return { last: book?.claims.length, owed: book?.owed }
    },
  ),
  check(
    lineTable,
    ({ waiting, tail }) => ({ waiting, tail }),
    (world, [id = '']) => ({ waiting: world.programs.get(id)?.line.length, tail: world.programs.get(id)?.lineNumbers }),
  ),
  check(
    seatsTable,
    ({ confirmed, held, attended, absent, waiting, entered, payers, numbers, first, last }) => ({ confirmed, held, attended, absent, waiting, entered, payers, numbers, first, last }),
    (world, [id = '']) => {
      const slot = world.slots.get(id)
      if (slot === undefined) return undefined
      const of = (state: 'confirmed' | 'held' | 'attended' | 'absent'): number => count(slot, state)
      return {
        confirmed: of('confirmed'),
        held: of('held'),
        attended: of('attended'),
        absent: of('absent'),
        waiting: slot.line.length,
        entered: slot.lots.length,
        payers: slot.payers.length,
        numbers: slot.numbers,
        first: slot.line[0],
        last: slot.line.at(-1),
      }
    },
  ),
  check(
    seatTable,
    ({ state, number, heldUntilMs, paid, previous, next }) => ({ state, number, heldUntilMs, paid: paid?.amount, previous, next }),
    (world, [did = '', id = '']) => {
      const slot = world.slots.get(id)
      const seat = slot?.seats.get(did)
      if (slot === undefined || seat === undefined) return undefined
      const place = slot.line.indexOf(did)
      return { state: seat.state, number: seat.number, heldUntilMs: seat.heldUntilMs, paid: seat.paid?.amount, previous: place < 0 ? undefined : slot.line[place - 1], next: place < 0 ? undefined : slot.line[place + 1] }
    },
  ),
])

function checkRow(world: World, key: string, value: Uint8Array | undefined): void {
  const compare = checks.get(key.slice(0, key.indexOf('/')))
  if (compare === undefined) return
  const [actual, expected] = compare(world, keyParts(key), value)
  if (plain(actual) !== plain(expected)) throw new Error(`block ${world.height}, row ${key}\n  state ${plain(actual)}\n  model ${plain(expected)}`)
}

export function checkRows(world: World, harness: Harness, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) checkRow(world, key, value)
  // what the model changed and the state did not
  if (world.height % 50 === 0) for (const [key, value] of harness.entries()) checkRow(world, key, value)
}
