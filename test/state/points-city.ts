// A city with its merchants and two programmes, and what its people do there: shared by the tests of the points family's rules.
import type { Test } from 'tap'
import type { Event } from '../../state/family.ts'
import { accountTable, type Grant, sumsTable } from '../../state/points/keys.ts'
import type { ProgramTerms } from '../../state/points/types.ts'
import type { Receipt } from '../../state/receipt.ts'
import { attest, createWorld, dayMs, pass, person, pseudonymOf, startMs, terms, type Person, type World } from './points-world.ts'
import type { TimeMs } from '../../primitives/brand.ts'

export const issuer = person('issuer')
export const officer = person('officer')
export const bank = person('bank')
export const shop = person('bookshop')
export const theatre = person('theatre')
export const bar = person('bar')
export const [mina, jun, sora] = [person('mina'), person('jun'), person('sora')]
export const kids = 'multi-child'
export const youth = 'youth-pass'

export const provoked = new Set<string>()

export function refused(test: Test, receipt: Receipt, code: string, data?: object): void {
  test.equal(receipt.status, 'refused', `${code}: refused`)
  test.equal(receipt.code, code)
  if (data !== undefined) test.match(receipt.data, data)
  if (receipt.code !== undefined) provoked.add(receipt.code)
}
export function ok(test: Test, receipt: Receipt): readonly Event[] {
  test.equal(receipt.status, 'ok', `ok, not ${receipt.code ?? ''} ${JSON.stringify(receipt.data ?? {})}`)
  return receipt.events
}

/** A city with its merchants, and a programme of each kind open. */
export function city(changes: { readonly kids?: Partial<ProgramTerms>; readonly youth?: Partial<ProgramTerms>; readonly budget?: number } = {}): World {
  const world = createWorld()
  world.register(issuer, officer, bank, shop, theatre, bar, mina, jun, sora)
  world.give(issuer, 'issuer', '*')
  world.give(officer, 'officer', '*')
  world.give(bank, 'settler', '*')
  for (const [merchant, category] of [
    [shop, 'bookshop'],
    [theatre, 'theatre'],
    [bar, 'bar'],
  ] as const) {
    world.send(officer, 'points.registerMerchant', { merchant: merchant.did, category })
  }
  world.send(officer, 'points.openProgram', { program: kids, budget: changes.budget ?? 1_000_000, terms: terms(changes.kids) })
  world.send(officer, 'points.openProgram', { program: youth, budget: changes.budget ?? 1_000_000, terms: pass(changes.youth) })
  return world
}

export function apply(world: World, who: Person, program = kids, tier = program === kids ? 'two' : 'youth', pseudonym = pseudonymOf(who.did)): Receipt {
  return world.send(who, 'points.apply', { program, attestation: attest(issuer, program, who.did, tier, pseudonym) })
}

export function spend(world: World, who: Person, merchant: Person, amount: number, program = kids, more: object = {}): Receipt {
  return world.send(who, 'points.spend', { program, merchant: merchant.did, amount, ...more })
}

export function settle(world: World, payment: string, ...items: readonly { readonly merchant: Person; readonly claim: number; readonly amount: number; readonly program?: string }[]): Receipt {
  return world.send(bank, 'points.settle', { payment, items: items.map(({ merchant, ...item }) => ({ program: kids, ...item, merchant: merchant.did })) })
}

export function sumsOf(world: World, program = kids): Record<string, number> {
  return world.table(sumsTable).find(({ key }) => key[0] === program)?.value as unknown as Record<string, number>
}

export function grantsOf(world: World, who: Person, program = kids): readonly Grant[] {
  return world.table(accountTable).find(({ key }) => key[0] === program && key[1] === who.did)?.value.grants ?? []
}

export const later = (world: World, days: number): void => {
  world.nowMs = (startMs + days * dayMs) as TimeMs
}

/** Codes that points-life.test.ts provokes; all others are provoked by points.test.ts. */
export const codesOfLife: readonly string[] = [
  'points/after-cut-off',
  'points/cut-off-open',
  'points/hold-expired',
  'points/hold-expiry-invalid',
  'points/line-waits',
  'points/nothing-to-claw-back',
  'points/over-capture',
  'points/over-day-cap',
  'points/over-month-cap',
  'points/over-repayment',
  'points/second-officer-missing',
  'points/unknown-grant',
  'points/unknown-hold',
  'points/waitlist-full',
]
