// The simulated people of the city: they send real transactions to whichever node answers, ask another one when no receipt comes, and remember every receipt
// that was called final.
import type { Won } from '../../../primitives/brand.ts'
import { toBase64url } from '../../../primitives/bytes.ts'
import { codeOf } from '../../../primitives/errors.ts'
import { register } from '../../../state/did/register.ts'
import type { Receipt } from '../../../state/receipt.ts'
import type { ReadyTransaction } from '../../../state/families.ts'
import type { Kind } from '../../../state/family.ts'
import { apply } from '../../../state/points/apply.ts'
import { openProgram } from '../../../state/points/open.ts'
import { refund } from '../../../state/points/refund.ts'
import { spend } from '../../../state/points/spend.ts'
import { cancel } from '../../../state/reservation/cancel.ts'
import { openSlots } from '../../../state/reservation/open-slots.ts'
import { reserve } from '../../../state/reservation/reserve.ts'
import { type Actor, attestationOf, citizens, dayMs, envelopeOf, facility, firstKey, program, slot, slotCapacity } from './city.ts'
import { epochMs } from './clock.ts'
import type { WholeNode } from './node.ts'
import type { NodesWorld } from './world.ts'

const startMs = epochMs - 1_000
/** A receipt that has not come by then is asked for elsewhere. */
const patienceMs = 1_200

interface OrderOptions {
  readonly cosigner?: Actor
  readonly validForMs?: number
  readonly answered?: (receipt: Receipt) => unknown
}

interface Sent {
  readonly ready: ReadyTransaction
  readonly id: string
  readonly tell: (receipt: Receipt) => unknown
  /** In the present round: none is asked twice before all have been. */
  readonly asked: Set<WholeNode>
  answered: boolean
  attempts: number
}

/** Refusals that an honest client may meet: the node is full or stops, or a clock is wrong. */
const expected = ['tx/expired', 'tx/valid-until-too-far', 'mempool/full', 'mempool/sender-limit', 'verifier/stopped', 'node/busy', 'store/closed', 'store/damaged', 'store/failed']

export class Client {
  readonly #world: NodesWorld
  readonly #sent: Sent[] = []
  #number = 0

  constructor(world: NodesWorld) {
    this.#world = world
  }

  /** What is neither known to be final nor too late. */
  get open(): number {
    return this.#sent.filter(({ answered }) => !answered).length
  }

  /** Draws what is asked for between now and `endMs`. */
  plan(endMs: number): void {
    const { random, kernel, keys, city } = this.#world
    const actor = (name: string): Actor => keys.of(name)
    const at = (fromMs: number, untilMs: number, act: () => void): void => kernel.at(random.between(fromMs, untilMs), act)
    const bookshop = actor('bookshop')
    kernel.at(1, () => {
      const grants = 2 + random.below(citizens.length)
      this.order(openProgram, actor('officer'), {
        program,
        budget: (grants * 300_000) as Won,
        terms: {
          kind: 'points',
          title: '교육지원',
          tiers: [{ tier: 'two', amount: 300_000 as Won }],
          applicationOpensMs: (startMs - dayMs) as never,
          applicationClosesMs: (startMs + 10 * dayMs) as never,
          useOpensMs: (startMs - dayMs) as never,
          useClosesMs: (startMs + 20 * dayMs) as never,
          categories: ['bookshop'],
          decide: 'automatic',
          leftover: 'reclaimed',
        },
      })
      const hours = (count: number): never => (startMs + dayMs + count * 3_600_000) as never
      this.order(openSlots, actor('operator'), {
        facility,
        slots: [{ id: slot, startsMs: hours(24), endsMs: hours(25), opensMs: startMs as never, closesMs: hours(23), cancelUntilMs: hours(23), capacity: slotCapacity, waitlistMax: 2 }],
      })
    })
    for (const name of citizens) {
      const citizen = actor(name)
      if (random.chance(0.6)) {
        // some households try twice
        const person = random.chance(0.8) ? name : (citizens[0] as string)
        at(40, endMs / 2, () => this.order(apply, citizen, { program, attestation: attestationOf(city.chainId, actor('issuer'), citizen.did, person) }))
      }
      for (let i = random.below(3); i > 0; i--) {
        const amount = (random.pick([40_000, 150_000, 300_000]) + i) as Won
        at(endMs / 4, endMs, () => {
          const purchase = this.order(spend, citizen, { program, merchant: bookshop.did, amount })
          if (random.chance(0.3)) kernel.after(random.between(50, 900), () => this.order(refund, bookshop, { purchase: purchase.transaction.id, amount: random.pick([amount, 1_000 as Won]) }))
        })
      }
      if (random.chance(0.5)) {
        at(60, endMs, () => {
          this.order(reserve, citizen, { slot })
          if (random.chance(0.3)) kernel.after(random.between(50, 900), () => this.order(cancel, citizen, { slot }))
        })
      }
    }
    for (let i = random.below(4); i > 0; i--) at(20, endMs, () => this.register())
  }

  /** A newcomer: the transaction that always can be run. */
  register(): ReadyTransaction {
    const { keys } = this.#world
    const newcomer = keys.of(`newcomer-${this.#number}`)
    return this.order(register, newcomer, { keys: [firstKey(newcomer.publicKey)], services: [] }, { cosigner: keys.of('registrar') })
  }

  order<P>(kind: Kind<P>, sender: Actor, payload: NoInfer<P>, { cosigner, validForMs, answered = () => {} }: OrderOptions = {}): ReadyTransaction {
    const { kernel, random, city } = this.#world
    const validUntilMs = epochMs + kernel.nowMs + (validForMs ?? random.pick([2_500, 60_000, 60_000, 600_000]))
    const ready = envelopeOf(city.chainId, { kind, sender, payload, validUntilMs, number: this.#number++, ...(cosigner === undefined ? {} : { cosigner }) })
    const sent: Sent = { ready, id: toBase64url(ready.transaction.id), tell: answered, asked: new Set(), answered: false, attempts: 0 }
    this.#sent.push(sent)
    this.#attempt(sent)
    // impatient people press the button twice
    if (random.chance(0.2)) this.#attempt(sent)
    return ready
  }

  #attempt(sent: Sent): void {
    const world = this.#world
    const { kernel, random, checker } = world
    if (sent.answered) return
    // too late by every clock: whether it ran or not, nobody asks any more
    if (sent.ready.transaction.validUntilMs < epochMs + kernel.nowMs - 1_000) {
      sent.answered = true
      return
    }
    kernel.after(patienceMs * Math.min(3, ++sent.attempts), () => this.#attempt(sent))
    const up = world.nodes.filter((node) => node.backend !== undefined)
    if (up.length === 0) return
    if (up.every((node) => sent.asked.has(node))) sent.asked.clear()
    const node = random.pick(up.filter((one) => !sent.asked.has(one)))
    sent.asked.add(node)
    const { backend } = node
    if (backend === undefined) return
    world.trace('people', () => `${sent.ready.transaction.kind} ${sent.id.slice(0, 6)} to ${node.name}`)
    backend.submit(sent.ready.transaction.bytes).then(
      async (id) => {
        const receipt = await backend.waitReceipt(id, 4 * patienceMs, new AbortController().signal)
        if (receipt === undefined || !node.isCorrect) return
        const isNews = !sent.answered
        sent.answered = true
        checker.acknowledged(node, receipt)
        if (isNews) sent.tell(receipt)
      },
      (error: unknown) => {
        if (node.isCorrect && !expected.includes(codeOf(error))) checker.note(`${node.name} refuses ${sent.ready.transaction.kind}: ${String(error)}`)
      },
    ).catch((error: unknown) => {
      if (node.isCorrect && !expected.includes(codeOf(error))) checker.note(`${node.name} fails to answer: ${String(error)}`)
    })
  }
}
