// A lying primary that leaves out: the transactions of some citizens, or everybody's, never reach its mempool, and it is correct otherwise. While they wait elsewhere and it leads,
// it orders transactions of an accomplice, so that blocks go by and no view timer expires; a thorough one fills its blocks with them to the last place.
import { toHex } from '../../../primitives/bytes.ts'
import { resendAfterMs } from '../../../node/limits.ts'
import type { InboundMessage } from '../../../node/world.ts'
import type { Backend } from '../../../rpc/backend.ts'
import { cancel } from '../../../state/reservation/cancel.ts'
import { decodeTransaction } from '../../../state/transaction.ts'
import { citizens, envelopeOf, slot } from './city.ts'
import { epochMs } from './clock.ts'
import type { WholeNode } from './node.ts'

export interface Censor {
  /** What of the others' gossip it hears. */
  readonly heard: (messages: readonly InboundMessage[]) => readonly InboundMessage[]
  /** What clients get to talk with: it says that it has taken what it throws away. */
  readonly face: (backend: Backend) => Backend
  readonly tick: () => void
  /** It keeps its proposals back for so long: as slow as it can be without being replaced for it. */
  readonly proposesAfterMs: number
}

/** `makesUp`: it has an accomplice. */
export function createCensor(node: WholeNode, makesUp: boolean): Censor {
  const { world } = node
  const { random, keys, kernel, city, terms } = world
  const everybody = makesUp && random.chance(0.5)
  const victims = citizens.filter(() => everybody || random.chance(0.5)).map((citizen) => Buffer.from(keys.of(citizen).did))
  const accomplice = keys.of('moderator')
  const fills = makesUp && terms.transactionsMax < 10
  let waitingUntilMs = 0
  let made = 0

  const isVictims = (bytes: Uint8Array): boolean => {
    const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return everybody ? !content.includes(accomplice.did) : victims.some((did) => content.includes(did))
  }
  const throwAway = (bytes: Uint8Array): boolean => {
    if (!isVictims(bytes)) return false
    // whoever holds it says it again as long as it waits
    waitingUntilMs = kernel.nowMs + resendAfterMs + 700
    return true
  }

  return {
    proposesAfterMs: fills ? terms.viewTimeoutMs / 4 : 0,
    heard: (messages) => messages.filter(({ bytes }) => !throwAway(bytes)),
    face: (backend) => ({ ...backend, submit: async (bytes) => (throwAway(bytes) ? decodeTransaction(bytes).id : backend.submit(bytes)) }),
    tick: () => {
      const { backend } = node
      if (!makesUp || backend === undefined || kernel.nowMs > waitingUntilMs) return
      const status = backend.status()
      if (status.primary !== status.name) return
      world.trace(node.name, () => 'orders what an accomplice sends, and leaves the others out')
      for (let room = (fills ? 24 : 1) - status.mempool.transactions; room > 0; room--) {
        const { transaction } = envelopeOf(city.chainId, { kind: cancel, sender: accomplice, payload: { slot }, validUntilMs: epochMs + kernel.nowMs + 60_000, number: 1_000_000 + made++ })
        // it cannot refuse what it has made itself, unless it goes down meanwhile
        backend.submit(transaction.bytes).catch((error: unknown) => world.trace(node.name, () => `${toHex(transaction.id).slice(0, 6)} is not taken: ${String(error)}`))
      }
    },
  }
}
