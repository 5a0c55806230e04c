// One known peer: its wires (connections), the streams of both directions on them, its queues and its counts.
// A link lives as long as the peer is known; connections come and go under it. Any failure of one of our outgoing streams ends the
// connection: the redial opens everything anew, and there is one way to recover instead of two.
//
// Two connections. Both sides may dial at once and see the two connections in either order, seconds apart. The rule needs no clock: of two
// in opposite directions the one dialled by the smaller key is used; of two in the same direction the newer, since one dials only without a
// connection and so gave the older up. A side that writes on the other one already opens its streams on the preferred one first, then ends
// those on the old, queues what is sent meanwhile, and goes on when the peer has read the old to its end: nothing is lost or overtaken, and
// the link stays up. If the preferred one does not open, the old is kept. Whatever arrives on either is read, so it does no harm when the
// two sides disagree for a while, or when one never saw both. The one not used is closed once our streams are open on the one in use (so the
// peer has it too and does not choose the other any more), that is where the peer was heard last, and no stream is left on the other.
// A peer that restarted has only the connection it dialled, while we may hold a preferred one that is dead and not noticed: its coming makes
// us write there, which the peer's system answers with a reset, and silence ends it at the latest; then the other one is taken, and
// the link is down in between. Blame and removal end all connections.
import type { Connection, Stream } from '@libp2p/interface'
import { codeOf } from '../primitives/errors.ts'
import { createFrameReader } from './frames.ts'
import type { Inbox, InboxPeer } from './inbox.ts'
import { channelLimits, drainMs } from './limits.ts'
import { createOutbox, type Outbox, type Sink } from './outbox.ts'
import { asError } from './requests.ts'
import { closeQuietly, createWire, endStream, openStreams, setPaused, type Wire } from './wire.ts'
import { channels, type Channel, type Clock, type Peer, type PeerStatus } from './world.ts'

export interface LinkContext {
  readonly clock: Clock
  readonly inboxes: Readonly<Record<Channel, Inbox>>
  readonly protocolOf: (channel: Channel) => string
  readonly heartbeatMs: number
  readonly silenceMs: number
  /** Of two connections in opposite directions, the one that we opened is used. */
  readonly ownKeySmaller: boolean
  readonly onUp: () => void
  /** The current connection is gone; `wasUp` says whether onUp was called for it. */
  readonly onDown: (wasUp: boolean, error: Error | undefined) => void
  readonly onOffence: (reason: string, error: unknown) => void
}

export interface Link {
  readonly peer: Peer
  /** A new connection, to be used or only to be read. */
  adopt(connection: Connection): void
  /** A stream that the peer opened for a channel. */
  accept(channel: Channel, stream: Stream, connection: Connection): void
  connection(): Connection | undefined
  isUp(): boolean
  /** There is a connection, up or being opened. */
  isHeld(): boolean
  send(channel: Channel, message: Uint8Array): boolean
  /** Called every heartbeatTickMs; `fresh` forgives silence (we ourselves were stopped). */
  tick(fresh: boolean): void
  /** Ends every connection. */
  drop(error: Error): void
  /** Drops, and forgets what was received and not yet handed up. */
  forget(error: Error): void
  /** Bytes of requests. */
  count(connection: Connection, out: number, into: number): void
  failed(message: string): void
  offended(): void
  status(): PeerStatus
}

/** Queues until a real one is attached. */
const shutSink: Sink = { write: () => {}, full: () => true }

export function createLink(peer: Peer, context: LinkContext): Link {
  const { clock, heartbeatMs, silenceMs } = context
  /** At most one in each direction. */
  const wires: Wire[] = []
  /** The one to write on; there is one whenever there are wires. */
  let current: Wire | undefined
  /** Our streams are open on the current wire. */
  let up = false
  /** Preferred, and being opened while the current one is still written on. */
  let next: Wire | undefined
  /** Written on until now; what was written is not yet known to be read. */
  let draining: { readonly wire: Wire; readonly since: number } | undefined
  let pausedAt = 0
  let sinceMs = clock.now()
  let bytesIn = 0
  let bytesOut = 0
  let offences = 0
  let lastError: string | undefined

  const wrote = (wire: Wire | undefined, bytes: number): void => {
    bytesOut += bytes
    if (wire !== undefined) wire.wroteAt = clock.monotonic()
  }
  const heard = (wire: Wire | undefined, bytes: number): void => {
    bytesIn += bytes
    if (wire === undefined) return
    wire.heardAt = clock.monotonic()
    for (const other of wires) other.spare = other !== wire
  }
  const wireOf = (connection: Connection): Wire | undefined => wires.find((wire) => wire.connection === connection)
  const incoming: Record<Channel, Set<Stream>> = { consensus: new Set(), gossip: new Set() }
  const paused = new Set<Channel>()
  const outboxes = perChannel((channel): Outbox => createOutbox(channelLimits[channel], (bytes) => wrote(current, bytes), (error) => current !== undefined && end(current, asError(error))))
  const inboxPeers = perChannel((channel): InboxPeer => context.inboxes[channel].peer(peer.name, { pause: () => flow(channel, true), resume: () => flow(channel, false) }))

  function flow(channel: Channel, pause: boolean): void {
    const now = clock.monotonic()
    if (pause) {
      if (paused.size === 0) pausedAt = now
      paused.add(channel)
    } else {
      paused.delete(channel)
      // what we did not read while paused is no silence of the peer; time that is not so spent counts, or a flood on one wire would keep a dead one
      if (paused.size === 0) for (const wire of wires) wire.heardAt = Math.min(now, wire.heardAt + now - pausedAt)
    }
    for (const stream of incoming[channel]) setPaused(stream, pause)
  }

  function adopt(connection: Connection): void {
    if (connection.status !== 'open') return
    const older = wires.find((wire) => wire.connection.direction === connection.direction)
    if (older !== undefined) end(older, undefined, new Error('replaced by a newer connection'))
    const wire = createWire(connection, (connection.direction === 'outbound') === context.ownKeySmaller, clock.monotonic())
    wires.push(wire)
    connection.addEventListener('close', (event) => lose(wire, event.error))
    if (current === undefined || (wire.preferred && !up)) return use(wire)
    if (wire.preferred) {
      next = wire
      void open(wire)
    } else if (up) outboxes.consensus.heartbeat()
  }

  function use(wire: Wire): void {
    current = wire
    wire.heardAt = clock.monotonic()
    wire.outgoing.clear()
    void open(wire)
  }

  async function open(wire: Wire): Promise<void> {
    if (wire.opening) return
    wire.opening = true
    try {
      const streams = await openStreams(wire, context.protocolOf)
      wire.opening = false
      if (wire !== current && wire !== next) return streams.forEach((stream) => stream.abort(new Error('another connection is used')))
      for (const [channel, stream] of streams) {
        if (stream.status !== 'open') throw new Error(`the ${channel} stream closed at once`)
        watch(wire, channel, stream)
      }
    } catch (error) {
      wire.opening = false
      return end(wire, new Error(`it opened no channel of this chain and version: ${asError(error).message}`, { cause: error }))
    }
    if (wire === next) return move(wire)
    attach(wire)
    up = true
    sinceMs = clock.now()
    context.onUp()
  }

  function watch(wire: Wire, channel: Channel, stream: Stream): void {
    wire.outgoing.set(channel, stream)
    stream.addEventListener('drain', () => outboxes[channel].drained())
    stream.addEventListener('close', (event) => {
      if (wire.outgoing.get(channel) !== stream) return
      wire.outgoing.delete(channel)
      if (wire === current) end(wire, event.error ?? new Error(`the peer closed the ${channel} stream`))
      else settle()
    })
  }

  function attach(wire: Wire): void {
    for (const [channel, stream] of wire.outgoing) outboxes[channel].attach({ write: (bytes) => void stream.send(bytes), full: () => stream.writableNeedsDrain })
    for (const channel of channels) outboxes[channel].drained()
  }

  /** From the current wire to the preferred one, on which our streams are open now. */
  function move(wire: Wire): void {
    const old = current
    current = wire
    next = undefined
    for (const channel of channels) outboxes[channel].attach(shutSink)
    if (old !== undefined) {
      draining = { wire: old, since: clock.monotonic() }
      for (const stream of old.outgoing.values()) endStream(stream)
    }
    settle()
  }

  /** Writes on the current wire once all that was written on the one before is read. */
  function settle(): void {
    if (!up || current === undefined || (draining !== undefined && draining.wire.outgoing.size > 0)) return
    draining = undefined
    attach(current)
  }

  function accept(channel: Channel, stream: Stream, connection: Connection): void {
    const wire = wireOf(connection)
    if (wire === undefined) return stream.abort(new Error('this connection is not in use'))
    const streams = incoming[channel]
    streams.add(stream)
    stream.addEventListener('close', () => streams.delete(stream))
    // read to its end, which the peer waits for
    stream.addEventListener('end', () => endStream(stream))
    const reader = createFrameReader(channelLimits[channel].messageBytesMax, (frame) => inboxPeers[channel].push(frame))
    stream.addEventListener('message', (event) => {
      heard(wire, event.data.byteLength)
      try {
        reader.push(event.data)
      } catch (error) {
        context.onOffence(codeOf(error), error)
      }
    })
    if (paused.has(channel)) setPaused(stream, true)
  }

  /** The wire is gone. If it was the current one, another takes its place, and is opened as if it were new. */
  function lose(wire: Wire, error: Error | undefined): void {
    const at = wires.indexOf(wire)
    if (at < 0) return
    wires.splice(at, 1)
    wire.outgoing.clear()
    if (wire === next) next = undefined
    if (wire === current) down(error)
    else if (wire === draining?.wire) settle()
  }

  function down(error: Error | undefined): void {
    const wasUp = up
    current = undefined
    up = false
    next = undefined
    draining = undefined
    for (const channel of channels) outboxes[channel].detach()
    if (wasUp) sinceMs = clock.now()
    if (error !== undefined) lastError = error.message
    const [other] = wires
    if (other !== undefined) use(other)
    context.onDown(wasUp, error)
  }

  function end(wire: Wire, error: Error | undefined, reason = error): void {
    lose(wire, error)
    wire.connection.abort(reason ?? new Error('the connection is not used any more'))
  }

  function drop(error: Error): void {
    const all = wires.splice(0)
    if (current !== undefined) down(error)
    for (const { connection } of all) connection.abort(error)
  }

  function closeUnused(): void {
    const unused = wires.find((wire) => wire !== current && wire !== next && wire.spare && wire.connection.streams.length === 0)
    if (!up || unused === undefined) return
    lose(unused, undefined)
    closeQuietly(unused)
  }

  return {
    peer,
    adopt,
    accept,
    drop,
    connection: () => (up ? current?.connection : undefined),
    isUp: () => up,
    isHeld: () => current !== undefined,
    send: (channel, message) => outboxes[channel].push(message),
    tick(fresh) {
      const now = clock.monotonic()
      if (fresh) for (const wire of wires) wire.heardAt = now
      if (current === undefined) return
      if (paused.size === 0 && now - current.heardAt > silenceMs) return end(current, new Error(`nothing heard for ${silenceMs} ms`))
      if (draining !== undefined && now - draining.since > drainMs) {
        draining = undefined
        settle()
      }
      if (up && now - current.wroteAt > heartbeatMs) outboxes.consensus.heartbeat()
      closeUnused()
    },
    forget(error) {
      drop(error)
      for (const channel of channels) inboxPeers[channel].clear()
    },
    count(connection, out, into) {
      const wire = wireOf(connection)
      if (out > 0) wrote(wire, out)
      if (into > 0) heard(wire, into)
    },
    failed(message) {
      lastError = message
    },
    offended() {
      offences++
    },
    status: () => ({
      name: peer.name,
      connected: up,
      sinceMs,
      bytesIn,
      bytesOut,
      channels: perChannel((channel) => ({ ...outboxes[channel].status(), receivedMessages: inboxPeers[channel].receivedMessages() })),
      offences,
      lastError,
    }),
  }
}

export function perChannel<T>(make: (channel: Channel) => T): Readonly<Record<Channel, T>> {
  return { consensus: make('consensus'), gossip: make('gossip') }
}
