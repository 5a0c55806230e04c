// One known peer: its connection of the moment, the streams of both directions on it, its queues and its counts.
// A link lives as long as the peer is known; connections come and go under it. Any failure of one of our outgoing streams ends the
// connection: the redial opens everything anew, and there is one way to recover instead of two.
import type { Connection, Stream } from '@libp2p/interface'
import { codeOf } from '../primitives/errors.ts'
import { createFrameReader } from './frames.ts'
import type { Inbox, InboxPeer } from './inbox.ts'
import { channelLimits, raceMs, retireMs, streamOpenTimeoutMs } from './limits.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { asError } from './requests.ts'
import { channels, type Channel, type Clock, type Peer, type PeerStatus } from './world.ts'

export interface LinkContext {
  readonly clock: Clock
  readonly inboxes: Readonly<Record<Channel, Inbox>>
  readonly protocolOf: (channel: Channel) => string
  readonly heartbeatMs: number
  readonly silenceMs: number
  /** Of two connections that both sides opened at once, keep the one that we opened. */
  readonly oursWinsRace: boolean
  readonly onUp: () => void
  /** The current connection is gone; `wasUp` says whether onUp was called for it. */
  readonly onDown: (wasUp: boolean, error: Error | undefined) => void
  readonly onOffence: (reason: string, error: unknown) => void
}

export interface Link {
  readonly peer: Peer
  /** Takes a new connection, or turns it away when the present one is to be kept. */
  adopt(connection: Connection): void
  /** A stream that the peer opened for a channel. */
  accept(channel: Channel, stream: Stream): void
  connection(): Connection | undefined
  isUp(): boolean
  /** There is a connection, up or being opened. */
  isHeld(): boolean
  send(channel: Channel, message: Uint8Array): boolean
  /** Called every heartbeatTickMs; `fresh` forgives silence (we ourselves were stopped). */
  tick(fresh: boolean): void
  /** Ends the present connection and every retired one. */
  drop(error: Error): void
  /** Drops, and forgets what was received and not yet handed up. */
  forget(error: Error): void
  count(out: number, into: number): void
  failed(message: string): void
  offended(): void
  status(): PeerStatus
}

/** The connection of the moment; up once our streams are open on it. */
interface Held {
  readonly connection: Connection
  readonly at: number
  up: boolean
}

export function createLink(peer: Peer, context: LinkContext): Link {
  const { clock, heartbeatMs, silenceMs } = context
  let current: Held | undefined
  let retired: Connection | undefined
  let sinceMs = clock.now()
  let heardAt = 0
  let wroteAt = 0
  let bytesIn = 0
  let bytesOut = 0
  let offences = 0
  let lastError: string | undefined

  const wrote = (bytes: number): void => {
    bytesOut += bytes
    wroteAt = clock.monotonic()
  }
  const heard = (bytes: number): void => {
    bytesIn += bytes
    heardAt = clock.monotonic()
  }
  const incoming: Record<Channel, Set<Stream>> = { consensus: new Set(), gossip: new Set() }
  const paused = new Set<Channel>()
  const outboxes = perChannel((channel): Outbox => createOutbox(channelLimits[channel], wrote, (error) => drop(asError(error))))
  const inboxPeers = perChannel((channel): InboxPeer => context.inboxes[channel].peer(peer.name, { pause: () => flow(channel, true), resume: () => flow(channel, false) }))

  function flow(channel: Channel, pause: boolean): void {
    if (pause) paused.add(channel)
    else paused.delete(channel)
    // what we did not read while paused is no silence of the peer
    heardAt = clock.monotonic()
    for (const stream of incoming[channel]) setPaused(stream, pause)
  }

  function adopt(connection: Connection): void {
    const now = clock.monotonic()
    if (current !== undefined) {
      const race = now - current.at < raceMs && current.connection.direction !== connection.direction
      if (race && (current.connection.direction === 'outbound') === context.oursWinsRace) return retire(connection)
      const { connection: old, up } = current
      current = undefined
      detachAll()
      retire(old)
      // the peer dials only when it has no connection: the one we held was dead
      if (up) context.onDown(true, undefined)
    }
    const mine: Held = { connection, at: now, up: false }
    current = mine
    heardAt = now
    connection.addEventListener('close', (event) => {
      if (current === mine) lose(event.error)
    })
    if (connection.status !== 'open') return lose(new Error('the connection closed at once'))
    void openStreams(mine)
  }

  async function openStreams(mine: Held): Promise<void> {
    try {
      const signal = AbortSignal.timeout(streamOpenTimeoutMs)
      const streams = await Promise.all(channels.map((channel) => mine.connection.newStream(context.protocolOf(channel), { signal })))
      if (current !== mine) return
      channels.forEach((channel, i) => attach(mine, channel, streams[i] as Stream))
    } catch (error) {
      if (current === mine) drop(new Error(`it opened no channel of this chain and version: ${asError(error).message}`, { cause: error }))
      return
    }
    mine.up = true
    sinceMs = clock.now()
    context.onUp()
  }

  function attach(mine: Held, channel: Channel, stream: Stream): void {
    const outbox = outboxes[channel]
    stream.addEventListener('drain', () => outbox.drained())
    stream.addEventListener('close', (event) => {
      if (current === mine) drop(event.error ?? new Error(`the peer closed the ${channel} stream`))
    })
    if (stream.status !== 'open') throw new Error(`the ${channel} stream closed at once`)
    outbox.attach({ write: (bytes) => void stream.send(bytes), full: () => stream.writableNeedsDrain })
  }

  function accept(channel: Channel, stream: Stream): void {
    const streams = incoming[channel]
    streams.add(stream)
    stream.addEventListener('close', () => streams.delete(stream))
    const reader = createFrameReader(channelLimits[channel].messageBytesMax, (frame) => inboxPeers[channel].push(frame))
    stream.addEventListener('message', (event) => {
      heard(event.data.byteLength)
      try {
        reader.push(event.data)
      } catch (error) {
        context.onOffence(codeOf(error), error)
      }
    })
    if (paused.has(channel)) setPaused(stream, true)
  }

  function retire(connection: Connection): void {
    retired?.abort(new Error('replaced by a newer connection'))
    retired = connection
    clock.after(retireMs, () => {
      if (retired !== connection) return
      retired = undefined
      connection.abort(new Error('one connection a pair is enough'))
    })
  }

  function detachAll(): void {
    for (const channel of channels) outboxes[channel].detach()
  }

  function lose(error: Error | undefined): void {
    const wasUp = current?.up === true
    current = undefined
    detachAll()
    if (wasUp) sinceMs = clock.now()
    if (error !== undefined) lastError = error.message
    context.onDown(wasUp, error)
  }

  function drop(error: Error): void {
    const connection = current?.connection
    if (connection !== undefined) {
      lose(error)
      connection.abort(error)
    }
    retired?.abort(error)
    retired = undefined
  }

  return {
    peer,
    adopt,
    accept,
    drop,
    connection: () => (current?.up === true ? current.connection : undefined),
    isUp: () => current?.up === true,
    isHeld: () => current !== undefined,
    send: (channel, message) => outboxes[channel].push(message),
    tick(fresh) {
      if (current === undefined) return
      const now = clock.monotonic()
      if (fresh) heardAt = now
      if (paused.size === 0 && now - heardAt > silenceMs) return drop(new Error(`nothing heard for ${silenceMs} ms`))
      if (current.up && now - wroteAt > heartbeatMs) outboxes.consensus.heartbeat()
    },
    forget(error) {
      drop(error)
      for (const channel of channels) inboxPeers[channel].clear()
    },
    count(out, into) {
      if (out > 0) wrote(out)
      if (into > 0) heard(into)
    },
    failed(message) {
      lastError = message
    },
    offended() {
      offences++
    },
    status: () => ({
      name: peer.name,
      connected: current?.up === true,
      sinceMs,
      bytesIn,
      bytesOut,
      channels: perChannel((channel) => ({ ...outboxes[channel].status(), receivedMessages: inboxPeers[channel].receivedMessages() })),
      offences,
      lastError,
    }),
  }
}

function setPaused(stream: Stream, pause: boolean): void {
  // a stream that is closing can be neither paused nor resumed, and needs neither
  if (stream.readStatus === 'closing' || stream.readStatus === 'closed') return
  if (pause) stream.pause()
  else stream.resume()
}

export function perChannel<T>(make: (channel: Channel) => T): Readonly<Record<Channel, T>> {
  return { consensus: make('consensus'), gossip: make('gossip') }
}
