// node_…: how this node does.
import { boolean, type Infer, integer, list, oneOf, optional, record } from '../../primitives/schema.ts'
import { answer, count, declare, sentence } from './declare.ts'

const number = integer()

/** What a node says of itself. */
export const nodeStatus = record({
  version: sentence,
  chainId: sentence,
  genesisHash: sentence,
  name: sentence,
  role: oneOf('validator', 'observer'),
  head: record({ height: count, hash: sentence, timeMs: count }),
  view: count,
  /** The name of the validator that proposes in this view. */
  primary: sentence,
  /** Peers connected. */
  peers: count,
  /** How far behind the chain it is: later blocks that it knows of, and how old what it shows may be at most. 0 ms: level with the validators in sight. */
  behind: record({ blocks: count, ms: count }),
  syncing: boolean,
  /** Caught up, and enough validators in sight to go on; an observer: no staler than it may be. What GET /readyz answers. */
  ready: boolean,
  checkpoint: optional(record({ height: count, stateRoot: sentence })),
  mempool: record({ transactions: count, bytes: count }),
  /** What is wrong or waited for, and from whom, in sentences; empty when all is well. */
  problems: list(sentence, 0, 100),
})
export type NodeStatus = Infer<typeof nodeStatus>

export const peerStatus = record({
  name: sentence,
  connected: boolean,
  /** Of the last change between connected and not. */
  sinceMs: optional(number),
  bytesIn: count,
  bytesOut: count,
  /** Messages that found no room. */
  dropped: count,
  lastError: optional(sentence),
})
export type PeerStatus = Infer<typeof peerStatus>

const none = record({})

export const nodeStatusMethod = declare({
  method: 'node_status',
  summary: 'How this node does: its chain, role, head, view, primary, peers, last checkpoint, and in words what is wrong or waited for.',
  params: none,
  result: nodeStatus,
  example: {},
})

export const nodePeersMethod = declare({
  method: 'node_peers',
  summary: 'The peers that this node knows, and how the connection to each does.',
  params: none,
  result: record({ items: list(peerStatus, 0, 1_000) }),
  example: {},
})

export const discoverMethod = declare({
  method: 'rpc.discover',
  summary: 'This document: every method, error and kind of transaction, as OpenRPC.',
  params: none,
  // the meta-schema of OpenRPC says the rest
  result: answer({ type: 'object', required: ['openrpc', 'info', 'methods'] }),
  example: {},
  cost: 20,
})
