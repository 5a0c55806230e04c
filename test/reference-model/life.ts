// Lives of a city: each begins anew from a seed, with its programmes, shops and facilities, and goes on for some hundred blocks of random transactions.
import { DongbaekError } from '../../primitives/errors.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { randomOf, type Random } from '../simulator/random.ts'
import { testIssuer } from '../support/state-harness.ts'
import { categories, createCity, officer, second, shops, withdrawn, type City, type CityOptions, type Wish } from './city.ts'
import { createKnown, learn, otherWishes, type Known } from './other-wishes.ts'
import { firstPrograms, pointsWishes } from './points-wishes.ts'
import { openSlots, reservationWishes } from './reservation-wishes.ts'
import { dayMs, hourMs } from './world.ts'

export type Tally = Map<string, number>

const wishes = [...pointsWishes, ...reservationWishes]

function byWeight<T extends readonly [number, ...unknown[]]>(all: readonly T[], random: Random): T {
  let at = random.next() * all.reduce((total, [weight]) => total + weight, 0)
  return all.find(([weight]) => (at -= weight) < 0) ?? (all[0] as T)
}

function drawOther(city: City, known: Known, random: Random): Wish | undefined {
  const [, kind, wisher] = byWeight(otherWishes, random)
  const wish = wisher(known, city, random)
  return wish && { ...wish, kind }
}

/** A wish by weight, made into a transaction. */
function draw(city: City, known: Known, random: Random, others: number): ReadyTransaction {
  for (;;) {
    const wish = random.chance(others) ? drawOther(city, known, random) : byWeight(wishes, random)[2](city, random)
    const made = wish && tryMake(city, twisted(wish, random))
    if (made !== undefined) return made
  }
}

/** Nothing, if its schema does not take the payload: then it is no transaction. */
function tryMake(city: City, wish: Wish): ReadyTransaction | undefined {
  try {
    return city.make(wish)
  } catch (cause) {
    if (cause instanceof DongbaekError && cause.code.startsWith('codec/')) return undefined
    throw cause
  }
}

/** Sometimes the envelope is wrong. */
function twisted(wish: Wish, random: Random): Wish {
  if (random.chance(0.985)) return wish
  return random.pick<Wish>([{ ...wish, validForMs: -1 }, { ...wish, validForMs: 3_600_001 }, { ...wish, validForMs: 3_600_000 }, { ...wish, chain: 'other-0123456789abcdef' }])
}

/** To a moment at which something begins or ends, or just beside it. */
function toEdge({ world, harness }: City, random: Random): number | undefined {
  const at = harness.next().timeMs
  const isSoon = (ms: number): boolean => ms > at && ms < at + 2 * dayMs
  const ends = [...world.programs.values()].flatMap(({ isClosed, terms }) => (isClosed ? [] : [terms.useClosesMs, terms.applicationClosesMs])).filter(isSoon)
  if (ends.length > 0 && random.chance(0.4)) return random.pick(ends) - at + random.pick([-1, 0, 1, 10_000])
  const edges = [
    ...[...world.purchases.values()].flatMap(({ state, expiresMs }) => (state === 'held' && expiresMs !== undefined ? [expiresMs] : [])),
    ...[...world.slots.values()].flatMap(({ opensMs, closesMs, startsMs, cancelUntilMs, seats }) => [opensMs, closesMs, startsMs, cancelUntilMs, ...[...seats.values()].flatMap(({ heldUntilMs }) => heldUntilMs ?? [])]),
  ].filter(isSoon)
  return edges.length === 0 ? undefined : random.pick(edges) - at + random.pick([-1, 0, 1, 1_000, 10_000])
}

function pause(city: City, random: Random): number {
  const edge = random.chance(0.15) ? toEdge(city, random) : undefined
  if (edge !== undefined && edge > 0) return edge
  const what = random.next()
  if (what < 0.6) return random.below(30_000)
  if (what < 0.85) return random.below(2 * hourMs)
  if (what < 0.97) return random.below(dayMs)
  return random.below(6 * dayMs)
}

/** The programmes, shops and slots that a life begins with. */
export function begin(city: City, random: Random): void {
  const send = (...each: readonly Wish[]): void => city.block(each.map((wish) => city.make(wish)))
  send({ sender: testIssuer, kind: 'credential.setStatus', payload: { list: withdrawn.list, purpose: 'revocation', indexes: withdrawn.indexes, status: true } })
  send(...shops.map((shop, i) => ({ sender: officer, kind: 'points.registerMerchant', payload: { merchant: shop.did, category: categories[i % categories.length] } })))
  send(...firstPrograms(random).map((payload) => ({ sender: officer, cosigners: [second], kind: 'points.openProgram', payload })))
  for (let i = 0; i < 4; i++) {
    const made = tryMake(city, openSlots(city, random))
    if (made !== undefined) city.block([made])
  }
}

export interface LifeOptions {
  /** How many of its transactions are of the other four families: from 0 to 1. */
  readonly others?: number
  readonly onBlock?: CityOptions['onBlock']
}

/** One life of about so many transactions; how many there were. Throws where state and model differ. */
export function live(seed: number, transactions: number, tally: Tally, { others = 0, onBlock }: LifeOptions = {}): number {
  const random = randomOf(seed)
  const known = createKnown()
  const city = createCity({
    onResult: (what) => tally.set(what, (tally.get(what) ?? 0) + 1),
    onBlock: (block, executed) => {
      learn(known, executed)
      onBlock?.(block, executed)
    },
  })
  begin(city, random)
  let done = 15
  let before: readonly ReadyTransaction[] = []
  while (done < transactions) {
    city.advance(pause(city, random))
    const block = Array.from({ length: random.below(16) }, () => draw(city, known, random, others))
    if (before.length > 0 && random.chance(0.1)) block.push(random.pick(before))
    city.block(block)
    if (block.length > 0) before = block
    done += block.length
  }
  return done
}
