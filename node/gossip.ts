// Gossip: how a transaction gets from the node that took it to every validator. Each is sent once to each peer, to a peer that comes into sight while it waits, and
// again by whoever holds it when blocks have passed it over (house.ts). What a peer sends is admitted like what a client sends; nothing is passed on, since every node reaches every validator itself.
import type { Height } from '../primitives/brand.ts'
import { decode, encode } from '../primitives/codec.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { transactionBytesMax } from '../primitives/limits.ts'
import { bytes, height, list, record, union } from '../primitives/schema.ts'
import type { Admission } from './admission.ts'
import { bodyBytesMax, channelLimits, gossipTransactionsMax } from './limits.ts'
import type { Clock, Log, MessageHandler, Transport } from './world.ts'

const gossipMessage = union({
  transactions: record({ envelopes: list(bytes(1, transactionBytesMax), 1, gossipTransactionsMax) }),
  /** Bodies of posts, which stand outside the blocks. */
  body: record({ body: bytes(1, bodyBytesMax) }),
  /** The sender has final blocks up to here: for those who follow without a vote. */
  head: record({ height }),
})

const contentBytesMax = channelLimits.gossip.messageBytesMax - 4_096

export interface Gossip {
  /** To every validator connected; those passed in one turn go together. */
  readonly spread: (envelope: Uint8Array) => void
  /** To one peer that has just come into sight: what waits here was sent before it could hear it. */
  readonly greet: (peer: string, envelopes: readonly Uint8Array[]) => void
  readonly spreadBody: (body: Uint8Array) => void
  readonly tellHead: (head: Height, peer: string) => void
  readonly handler: MessageHandler
  /** Resolves once all that has come in is admitted or refused; at once when nothing is under way. While more and more comes that may be never. */
  readonly settled: () => Promise<void>
}

export interface GossipContext {
  readonly transport: Pick<Transport, 'send' | 'blame'>
  readonly admission: Pick<Admission, 'admit'>
  readonly clock: Pick<Clock, 'soon'>
  readonly log: Log
  readonly validators: () => readonly string[]
  readonly everybody: () => readonly string[]
  readonly takeBody: (body: Uint8Array, peer: string) => Promise<void>
  readonly takeHead: (head: Height, peer: string) => void
}

/** Refusals that an honest peer's gossip may meet (its clock differs a little), and whatever is wrong on our side alone: full, busy, a disk that fails. */
function isItsFault(code: string): boolean {
  if (code === 'tx/expired' || code === 'tx/valid-until-too-far') return false
  return code.startsWith('codec/') || code.startsWith('tx/')
}

export function createGossip({ transport, admission, clock, log, validators, everybody, takeBody, takeHead }: GossipContext): Gossip {
  let waiting: Uint8Array[] = []
  let delivery: Promise<unknown> | undefined
  /** One for all who wait: under a load that never ends each would wait for ever. */
  let settling: Promise<void> | undefined
  const turn = (): Promise<void> => new Promise((resolve) => clock.soon(resolve))
  const settle = async (): Promise<void> => {
    while (delivery !== undefined) {
      await Promise.allSettled([delivery])
      // what has come in meanwhile is delivered in the next turn
      await turn()
      await turn()
    }
  }
  const sendAll = (all: readonly Uint8Array[], peers: readonly string[]): void => {
    for (let from = 0; from < all.length; ) {
      let size = 0
      let to = from
      while (to < all.length && to - from < gossipTransactionsMax && (to === from || size + (all[to] as Uint8Array).length <= contentBytesMax)) size += (all[to++] as Uint8Array).length
      const message = encode(gossipMessage, { type: 'transactions', envelopes: all.slice(from, to) })
      for (const name of peers) transport.send(name, 'gossip', message)
      from = to
    }
  }
  const flush = (): void => {
    const all = waiting
    waiting = []
    sendAll(all, validators())
  }
  const refuse = (peer: string, error: unknown): void => {
    if (!(error instanceof DongbaekError)) throw error
    if (isItsFault(error.code)) transport.blame(peer, `gossip that no correct node sends: ${error.message}`, { code: error.code })
    else log.debug('gossip-not-taken', { peer, code: error.code })
  }
  const takeAll = async (peer: string, envelopes: readonly Uint8Array[]): Promise<void> => {
    const outcomes = await Promise.allSettled(envelopes.map((envelope) => admission.admit(envelope)))
    const reasons = outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []))
    // one blame a message is enough; what is no refusal at all must not hide behind one
    for (const code of new Set(reasons.map(codeOf))) refuse(peer, reasons.find((reason) => codeOf(reason) === code))
  }
  const handleOne = async (peer: string, encoded: Uint8Array): Promise<void> => {
    try {
      const message = decode(gossipMessage, encoded, channelLimits.gossip.messageBytesMax)
      if (message.type === 'body') await takeBody(message.body, peer)
      else if (message.type === 'head') takeHead(message.height, peer)
      else await takeAll(peer, message.envelopes)
    } catch (error) {
      refuse(peer, error)
    }
  }
  return {
    spread: (envelope) => {
      waiting.push(envelope)
      if (waiting.length === 1) clock.soon(flush)
    },
    greet: (peer, envelopes) => sendAll(envelopes, [peer]),
    spreadBody: (body) => {
      const message = encode(gossipMessage, { type: 'body', body })
      for (const name of everybody()) transport.send(name, 'gossip', message)
    },
    tellHead: (head, peer) => {
      transport.send(peer, 'gossip', encode(gossipMessage, { type: 'head', height: head }))
    },
    handler: async (messages) => {
      const all = Promise.all(messages.map(({ peer, bytes: encoded }) => handleOne(peer, encoded)))
      delivery = all
      await all.finally(() => (delivery = undefined))
    },
    settled: async () => {
      if (delivery !== undefined) settling ??= settle().finally(() => (settling = undefined))
      await settling
    },
  }
}
