// What ordering costs by formula: messages, bytes and signatures of a block and of a transaction against the number of validators. docs/scale.md shows the formulas, and
// test/bench/scale.test.ts holds them to what real replicas say.
import { encodeMessage, type Message } from '../../consensus/messages.ts'
import { quorumSize } from '../../consensus/quorum.ts'
import { createGossip } from '../../node/gossip.ts'
import { silentLog } from '../../node/log.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { hashBytes } from '../../primitives/hash.ts'
import { chain, consensus } from './lockstep.ts'

export const checkpointInterval = consensus.checkpointInterval

/** Encoded, in bytes. */
export interface Sizes {
  readonly prePrepare: number
  readonly prepare: number
  readonly commit: number
  readonly checkpoint: number
}

const hash = new Uint8Array(32) as Hash
const signature = new Uint8Array(64)

/** Of a block with so many transactions at this height, by the codec of the nodes. */
export function sizesAt(height: number, transactions: number): Sizes {
  const at = height as Height
  const view = 0 as View
  const sizeOf = (message: Message): number => encodeMessage(message).length
  const header = { chain, height: at, parent: hash, timeMs: 1_780_000_000_001 as TimeMs, proposer: 0, payload: hash, payloadCount: transactions }
  return {
    prePrepare: sizeOf({ type: 'pre-prepare', view, header, manifest: new Uint8Array(hashBytes * transactions), signature }),
    prepare: sizeOf({ type: 'prepare', view, height: at, blockHash: hash, validator: 1, signature }),
    commit: sizeOf({ type: 'commit', view, height: at, blockHash: hash, validator: 1, signature }),
    checkpoint: sizeOf({ type: 'checkpoint', content: { height: at, blockHash: hash, stateRoot: hash, nextSet: hash }, validator: 1, signature }),
  }
}

/** Of one message of gossip with so many transactions of this size, by the code of the nodes. */
export function gossipBytes(transactions: number, transactionBytes: number): number {
  let bytes = 0
  let flush = (): void => {}
  const gossip = createGossip({
    transport: { send: (_peer, _channel, message) => (bytes += message.length) > 0, blame: () => {} },
    admission: { admit: async () => Promise.reject(new Error('nothing is taken here')) },
    clock: { soon: (run) => void (flush = run) },
    log: silentLog,
    validators: () => ['other'],
    everybody: () => [],
    takeBody: async () => {},
    takeHead: () => {},
  })
  for (let i = 0; i < transactions; i++) gossip.spread(new Uint8Array(transactionBytes))
  flush()
  return bytes
}

/** Of one block, in the whole network. */
export interface BlockCost {
  readonly messages: number
  readonly bytes: number
  readonly made: number
  /** In lock step, where a vote comes too late once a quorum is there. */
  readonly checked: number
  /** Every signature of every message. */
  readonly checkedAtMost: number
  /** What the primary sends. */
  readonly primaryBytes: number
}

export function blockCost(n: number, { prePrepare, prepare, commit, checkpoint }: Sizes): BlockCost {
  const q = quorumSize(n)
  const k = checkpointInterval
  const messages = n * (n - 1) * (2 + 1 / k)
  return {
    messages,
    bytes: (n - 1) * (prePrepare + (n - 1) * prepare + n * commit + (n / k) * checkpoint),
    made: n * (2 + 1 / k),
    checked: (n - 1) * n + n * (q - 1) * (1 + 1 / k),
    checkedAtMost: messages,
    primaryBytes: (n - 1) * (prePrepare + commit + checkpoint / k),
  }
}
