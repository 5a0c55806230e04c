// The doors between a node and the world. The driver, the executor and the rest of node/ are written against these interfaces only;
// the real ones (libp2p.ts, store.ts, votelog.ts, verifier.ts, log.ts) and the simulated ones (test/support/) pass the same suites in test/contracts/.
import type { ErrorData } from '../primitives/errors.ts'
import type { SignedItem } from '../primitives/signature.ts'

// ---------------------------------------------------------------- log

/** `event` is a short stable name (`peer-up`); data holds no secret and no person's data. */
export type LogEvent = (event: string, data?: LogData) => void
export type LogData = Readonly<Record<string, unknown>>

export interface Log {
  readonly debug: LogEvent
  readonly info: LogEvent
  readonly warn: LogEvent
  readonly error: LogEvent
  /** The same log with `bindings` on every line. */
  child(bindings: LogData): Log
}

// ---------------------------------------------------------------- clock

export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. */
  now(): number
  /** Milliseconds that never go back; for timeouts and durations. */
  monotonic(): number
  /** Calls `fire` once after `ms`, unless cancelled by the returned function. */
  after(ms: number, fire: () => void): () => void
  /** Calls `fire` in the next turn of the event loop, when what has arrived by now is done. */
  soon(fire: () => void): void
}

// ---------------------------------------------------------------- key

/** The key of this node: what else it has of the keystore, nobody else needs to hold. */
export interface Signer {
  /** Raw Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

// ---------------------------------------------------------------- transport

/** One-way messages over long-lived streams. What does not fit is dropped and counted: consensus retransmits, gossip repeats. */
export type Channel = 'consensus' | 'gossip'
export const channels: readonly Channel[] = ['consensus', 'gossip']

/** Question and answer over a short-lived stream. */
export type RequestProtocol = 'fetch' | 'sync' | 'snapshot'
export const requestProtocols: readonly RequestProtocol[] = ['fetch', 'sync', 'snapshot']

/** Someone we know and talk with. `name` is ours for it, unique. */
export interface Peer {
  readonly name: string
  /** Raw Ed25519, 32 bytes; the peer id follows from it. */
  readonly publicKey: Uint8Array
  /** `host:port`, tried in order; none when only the peer dials us. */
  readonly addresses: readonly string[]
}

export interface InboundMessage {
  readonly peer: string
  readonly bytes: Uint8Array
}

export interface ChannelStatus {
  readonly queuedMessages: number
  readonly queuedBytes: number
  readonly sentMessages: number
  readonly receivedMessages: number
  /** Messages that found no room in the queue, or were still queued when the connection closed. */
  readonly droppedMessages: number
}

export interface PeerStatus {
  readonly name: string
  readonly connected: boolean
  /** Clock time of the last change between connected and not. */
  readonly sinceMs: number
  /** Of messages and requests, frames included; without the encryption's own bytes. */
  readonly bytesIn: number
  readonly bytesOut: number
  readonly channels: Readonly<Record<Channel, ChannelStatus>>
  /** Broken frames, floods and what blame() reported. */
  readonly offences: number
  readonly lastError: string | undefined
}

export interface RequestOptions {
  readonly timeoutMs: number
  readonly responseBytesMax: number
}

/**
 * The messages of one channel that arrived since the last call, in the order of each peer; at most `deliveryMessagesMax` and
 * `deliveryBytesMax` (limits.ts) of each peer, so one peer's flood does not delay the others. The next call waits for the returned promise,
 * and a peer whose messages pile up meanwhile is no longer read from: backpressure reaches its socket. A rejection is logged.
 */
export type MessageHandler = (messages: readonly InboundMessage[]) => void | Promise<void>
/** A rejection closes the stream; the asker gets `transport/refused`. */
export type RequestHandler = (peer: string, question: Uint8Array) => Promise<Uint8Array>
export type PeerHandler = (peer: string, connected: boolean) => void

export interface Transport {
  /** Starts to listen and to dial. Throws `transport/listen` when the address cannot be bound. */
  start(): Promise<void>
  /** Closes everything; calls nothing back afterwards. Idempotent. */
  stop(): Promise<void>
  /** `host:port` that we listen at, with the real port where 0 was asked for; undefined when not listening. */
  listening(): string | undefined
  /** Replaces the set of known peers: new ones are dialled, those left out are disconnected. Throws `transport/peers` on a name or key used twice. */
  setPeers(peers: readonly Peer[]): void
  peers(): readonly PeerStatus[]
  /** Never blocks, never throws. False: not connected, unknown, too large or no room, and counted. True promises no arrival. */
  send(peer: string, channel: Channel, message: Uint8Array): boolean
  /** send() to every connected peer but `except`; the number that took it. */
  broadcast(channel: Channel, message: Uint8Array, except?: string): number
  /**
   * Rejects with DongbaekError: `transport/not-connected`, `transport/timeout`, `transport/refused` (the peer closed or failed),
   * `transport/too-large` (the answer exceeds responseBytesMax), `transport/busy` (too many of ours are under way), `transport/stopped`.
   */
  request(peer: string, protocol: RequestProtocol, question: Uint8Array, options: RequestOptions): Promise<Uint8Array>
  /** One handler a protocol; without one, requests are refused. */
  handle(protocol: RequestProtocol, handler: RequestHandler): void
  /** One handler a channel; without one, its messages are dropped. */
  onMessages(channel: Channel, handler: MessageHandler): void
  /** Called on every change, and never twice in a row with the same value for one peer. */
  onPeer(handler: PeerHandler): void
  /** What a layer above found wrong with a peer's message: logged (rate-limited), counted in its status, and the connection is closed. */
  blame(peer: string, reason: string, data?: ErrorData): void
}

// ---------------------------------------------------------------- votes

/** How far a vote log has come. */
export interface VotePosition {
  /** Of the log, drawn when it was made: 16 bytes. */
  readonly log: Uint8Array
  /** The number of the last batch that is on the disk; it only grows, across rewrites and restarts. */
  readonly batch: number
}

export interface VoteLog {
  /**
   * Resolves only once the records are on the disk, in order; calls that wait together share one write and one sync.
   * After any failure (`votelog/failed`) every later call rejects too: a failed sync is never tried again.
   */
  append(records: readonly Uint8Array[]): Promise<void>
  /** Replaces everything by `records`, atomically: after a crash either the old or the new is there. Waits for earlier appends. */
  rewrite(records: readonly Uint8Array[]): Promise<void>
  /** Forgets everything and goes on as another log, atomically and for good: for votes that are not all there. */
  renew(): Promise<void>
  /** Of what is on the disk now. */
  position(): VotePosition
  /** Bytes on the disk; the driver compacts by rewrite() when it grows. */
  sizeBytes(): number
  /** Waits for what was appended. Idempotent. */
  close(): Promise<void>
}

export interface OpenedVoteLog {
  readonly log: VoteLog
  /** Everything that was acknowledged, in order. */
  readonly records: readonly Uint8Array[]
  /** Bytes of a torn tail that were cut; such a record was never acknowledged. */
  readonly cutBytes: number
  /** The log was made by this call: on a node that has blocks already, its votes are lost and it must not vote at once. */
  readonly created: boolean
}

// ---------------------------------------------------------------- store

export type StoreOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/** Keys in lexicographic order; `limit` counts entries. */
export interface StoreRange {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  readonly reverse?: boolean
  readonly limit?: number
}

export interface StoreEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Every read throws `store/damaged` when a value's checksum does not hold, and `store/failed` when the disk does not answer. */
export interface StoreReader {
  get(key: Uint8Array): Uint8Array | undefined
  /** The first `limit` entries of the range, at most `storePageMax` (limits.ts), of one moment. */
  page(range: StoreRange): Promise<readonly StoreEntry[]>
  /** Page by page, each as the store is when it is read: what is written meanwhile ahead of the reader is seen, what is written behind is not. */
  iterate(range: StoreRange): AsyncIterable<StoreEntry>
}

export interface Store extends StoreReader {
  /** Where its files are, for what is said of it. */
  readonly place: string
  /**
   * All or nothing; of one key written twice the last counts. With `sync` it resolves once it and all before it are on the disk. Without, it is there some seconds later at the latest, and until then a crash or kill -9
   * may take the store back to an earlier batch, never to half of one. Neither keys nor values may be changed afterwards. Rejects with `store/failed`, also when an earlier batch could not be written.
   */
  batch(ops: readonly StoreOp[], options: { readonly sync: boolean }): Promise<void>
  /** Nothing is written while `read` runs. Batches wait for it, so it must be short, and wait for none itself: of the store it uses its reader alone. */
  hold<T>(read: (reader: StoreReader) => Promise<T>): Promise<T>
  /** Resolves once nothing that was ever stored under these keys is in any file. They must be deleted before; waits for those who hold the store. Rejects with `store/failed`, `store/closed`. */
  scrub(keys: readonly Uint8Array[]): Promise<void>
  /** Bytes on disk of the keys in [from, to), roughly: what is still in memory is not counted. */
  approximateBytes(from: Uint8Array, to: Uint8Array): Promise<number>
  /** Writes what is not written yet. Rejects with `store/failed` when that cannot be done, and is closed all the same. */
  close(): Promise<void>
}

// ---------------------------------------------------------------- verifier

export interface Verifier {
  /** One boolean an item, in order, by the rules of primitives/signature.ts. Rejects with `verifier/stopped` or `verifier/busy` only. */
  verifyBatch(items: readonly SignedItem[]): Promise<readonly boolean[]>
  /** On the calling thread. */
  verifyNow(item: SignedItem): boolean
  stop(): Promise<void>
}
