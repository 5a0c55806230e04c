// Lives of a city: each begins anew from a seed, with its programmes, shops and facilities, and goes on for some hundred blocks of random transactions.
import { DongbaekError } from '../../primitives/errors.ts'
import type { ReadyTransaction } from '../../state/families.ts'
import { randomOf, type Random } from '../simulator/random.ts'
import { testIssuer } from '../support/state-harness.ts'
import { categories, createCity, officer, second, shops, withdrawn, type City, type Wish } from './city.ts'
import { firstPrograms, pointsWishes } from './points-wishes.ts'
import { openSlots, reservationWishes } from './reservation-wishes.ts'
import { dayMs, hourMs } from './world.ts'

export type Tally = Map<string, number>

const wishes = [...pointsWishes, ...reservationWishes]
const weights = wishes.reduce((total, [weight]) => total + weight, 0)

/** A wish by weight, made into a transaction. */
function draw(city: City, random: Random): ReadyTransaction {
  for (;;) {
    let at = random.next() * weights
    const [, , wisher] = wishes.find(([weight]) => (at -= weight) < 0) as (typeof wishes)[number]
    const wish = wisher(city, random)
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

function pause(random: Random): number {
  const what = random.next()
  if (what < 0.6) return random.below(30_000)
  if (what < 0.85) return random.below(2 * hourMs)
  if (what < 0.97) return random.below(dayMs)
  return random.below(6 * dayMs)
}

function begin(city: City, random: Random): void {
  const send = (...each: readonly Wish[]): void => city.block(each.map((wish) => city.make(wish)))
  city.harness.execute(city.make({ sender: testIssuer, kind: 'credential.setStatus', payload: { list: withdrawn.list, purpose: 'revocation', indexes: withdrawn.indexes, status: true } }))
  send(...shops.map((shop, i) => ({ sender: officer, kind: 'points.registerMerchant', payload: { merchant: shop.did, category: categories[i % categories.length] } })))
  send(...firstPrograms(random).map((payload) => ({ sender: officer, cosigners: [second], kind: 'points.openProgram', payload })))
  for (let i = 0; i < 4; i++) {
    const made = tryMake(city, openSlots(city, random))
    if (made !== undefined) city.block([made])
  }
}

/** One life of about so many transactions; how many there were. Throws where state and model differ. */
export function live(seed: number, transactions: number, tally: Tally): number {
  const random = randomOf(seed)
  const city = createCity(0, (what) => tally.set(what, (tally.get(what) ?? 0) + 1))
  begin(city, random)
  let done = 15
  let before: readonly ReadyTransaction[] = []
  while (done < transactions) {
    city.advance(pause(random))
    const block = Array.from({ length: random.below(16) }, () => draw(city, random))
    if (before.length > 0 && random.chance(0.1)) block.push(random.pick(before))
    city.block(block)
    if (block.length > 0) before = block
    done += block.length
  }
  return done
}
