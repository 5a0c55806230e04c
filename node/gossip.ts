// Gossip: how a transaction gets from the node that took it to every validator. Each is sent once to each peer, and again by whoever took it if it still waits
// after a while. What a peer sends is admitted like what a client sends; nothing is passed on, since every node reaches every validator itself.
import type { Height } from '../primitives/brand.ts'
import { decode, encode } from '../primitives/codec.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { transactionBytesMax } from '../primitives/limits.ts'
import { bytes, height, list, record, union } from '../primitives/schema.ts'
import type { Admission } from './admission.ts'
import { bodyBytesMax, channelLimits, gossipTransactionsMax } from './limits.ts'
import type { Log, MessageHandler, Transport } from './world.ts'

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
  readonly spreadBody: (body: Uint8Array) => void
  readonly tellHead: (head: Height, peer: string) => void
  readonly handler: MessageHandler
}

export interface GossipContext {
  readonly transport: Transport
  readonly admission: Admission
  readonly log: Log
  readonly validators: () => readonly string[]
  readonly everybody: () => readonly string[]
  readonly takeBody: (body: Uint8Array) => Promise<void>
  readonly takeHead: (head: Height, peer: string) => void
}

/** Refusals that an honest peer's gossip may meet: full, too late, or its clock differs a little. */
function isHonest(code: string): boolean {
  return code.startsWith('mempool/') || code.startsWith('verifier/') || code.startsWith('community/') || code === 'tx/expired' || code === 'tx/valid-until-too-far' || code === 'node/not-ready'
}

export function createGossip({ transport, admission, log, validators, everybody, takeBody, takeHead }: GossipContext): Gossip {
  let waiting: Uint8Array[] = []
  const flush = (): void => {
    const all = waiting
    waiting = []
    for (let from = 0; from < all.length; ) {
      let size = 0
      let to = from
      while (to < all.length && to - from < gossipTransactionsMax && (to === from || size + (all[to] as Uint8Array).length <= contentBytesMax)) size += (all[to++] as Uint8Array).length
      const message = encode(gossipMessage, { type: 'transactions', envelopes: all.slice(from, to) })
      for (const name of validators()) transport.send(name, 'gossip', message)
      from = to
    }
  }
  const handleOne = async (peer: string, encoded: Uint8Array): Promise<void> => {
    try {
      const message = decode(gossipMessage, encoded, channelLimits.gossip.messageBytesMax)
      if (message.type === 'body') await takeBody(message.body)
      else if (message.type === 'head') takeHead(message.height, peer)
      else {
        const outcomes = await Promise.allSettled(message.envelopes.map((envelope) => admission.admit(envelope)))
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      }
    } catch (error) {
      if (!(error instanceof DongbaekError)) throw error
      if (isHonest(error.code)) log.debug('gossip-not-taken', { peer, code: error.code })
      else transport.blame(peer, `gossip that no correct node sends: ${error.message}`, { code: error.code })
    }
  }
  return {
    spread: (envelope) => {
      waiting.push(envelope)
      if (waiting.length === 1) setImmediate(flush)
    },
    spreadBody: (body) => {
      const message = encode(gossipMessage, { type: 'body', body })
      for (const name of everybody()) transport.send(name, 'gossip', message)
    },
    tellHead: (head, peer) => {
      transport.send(peer, 'gossip', encode(gossipMessage, { type: 'head', height: head }))
    },
    handler: async (messages) => {
      await Promise.all(messages.map(({ peer, bytes: encoded }) => handleOne(peer, encoded)))
    },
  }
}
