// One connection to a known peer. A link has two while a race is settled: what belongs to either stands here.
import type { Connection, Stream } from '@libp2p/interface'
import { streamOpenTimeoutMs } from './limits.ts'
import { channels, type Channel } from './world.ts'

export interface Wire {
  readonly connection: Connection
  /** Dialled by the side with the smaller key: of two wires both sides keep this one. */
  readonly preferred: boolean
  /** Our streams are being opened. */
  opening: boolean
  /** Our streams, until they are closed on both sides: the peer closes one when it has read it to its end. */
  readonly outgoing: Map<Channel, Stream>
  /** Of two wires, not the one that the peer was heard on last. Unknown at first, hence false. */
  spare: boolean
  heardAt: number
  wroteAt: number
}

export function createWire(connection: Connection, preferred: boolean, now: number): Wire {
  return { connection, preferred, opening: false, outgoing: new Map(), spare: false, heardAt: now, wroteAt: now }
}

/** One stream a channel. Rejects when the peer does not take all of them within streamOpenTimeoutMs. */
export async function openStreams(wire: Wire, protocolOf: (channel: Channel) => string): Promise<ReadonlyMap<Channel, Stream>> {
  const signal = AbortSignal.timeout(streamOpenTimeoutMs)
  return new Map(await Promise.all(channels.map(async (channel) => [channel, await wire.connection.newStream(protocolOf(channel), { signal })] as const)))
}

/** Ends a wire that carries nothing any more. */
export function closeQuietly({ connection }: Wire): void {
  connection.close().catch((error: unknown) => connection.abort(error instanceof Error ? error : new Error(String(error))))
}

/** Half-closes a stream once all that was written has left. */
export function endStream(stream: Stream): void {
  // a stream that breaks meanwhile says so by its close event
  stream.close().catch(() => {})
}

export function setPaused(stream: Stream, pause: boolean): void {
  // a stream that is closing can be neither paused nor resumed, and needs neither
  if (stream.readStatus === 'closing' || stream.readStatus === 'closed') return
  if (pause) stream.pause()
  else stream.resume()
}
