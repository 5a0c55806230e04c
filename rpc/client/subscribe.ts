// A feed over WebSocket that outlives its connections: each ends with the place behind what it brought, the next begins there, at this node or another of the
// list. What is told is told once and in order, with nothing left out.
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import type { Channel } from '../api/events.ts'
import { type Line, openLine } from './line.ts'
import type { ParamsJson } from './methods.ts'
import { pause, platform, type SocketClass } from './platform.ts'
import { isPassing, serverError } from './transport.ts'

export interface SubscribeOptions {
  /** Base addresses of nodes of one chain, in order of preference. */
  readonly urls: readonly string[]
  readonly channel: Channel
  readonly filter?: NonNullable<ParamsJson<'events_since'>['filter']>
  /** The cursor stored last, of the same channel and filter; "" for the genesis. Left out: from now on. */
  readonly from?: string
  /** Ends it at once, or after the pause between two tries. */
  readonly signal?: AbortSignalLike
  /** The platform's own by default. */
  readonly WebSocket?: SocketClass
  /** A connection that brings nothing for so long is asked whether it lives, and given up after as long again. Default 15 s. */
  readonly quietMs?: number
}

export interface AbortSignalLike {
  readonly aborted: boolean
  readonly addEventListener: (type: 'abort', listener: () => void) => void
  readonly removeEventListener: (type: 'abort', listener: () => void) => void
}

export interface Notice {
  /** Store it with what the item changed, and begin there again: then nothing is missed or done twice. */
  readonly cursor: string
  /** By the schema of the channel. */
  readonly item?: Json
  /** Instead of an item: every block up to this one has been looked at in whole. It comes when all up to the head has been told, and while blocks go by. */
  readonly lookedTo?: number
}

const backoffMs = 200
const backoffMsMax = 5_000

/**
 * Notices without end; leave the loop or use the signal to stop. A connection that breaks is replaced without a word, and one that brings more than the loop takes
 * too. Throws what trying again does not help: `rpc/cursor-filter`, `chain/pruned`, `client/no-nodes`, `client/no-websocket`.
 */
export async function* subscribe({ urls, channel, filter, from, signal, WebSocket = platform.WebSocket, quietMs = 15_000 }: SubscribeOptions): AsyncGenerator<Notice, void, void> {
  if (urls.length === 0) throw new DongbaekError('client/no-nodes', 'give the address of one node at least')
  if (WebSocket === undefined) throw new DongbaekError('client/no-websocket', 'this platform has no WebSocket: give one')
  let cursor = from
  for (let turn = 0, waitMs = backoffMs; signal?.aborted !== true; turn++) {
    const url = urls[turn % urls.length] as string
    const line = openLine(url, WebSocket, quietMs)
    const stop = (): void => line.close()
    signal?.addEventListener('abort', stop)
    const before = cursor
    try {
      const begun = await line.call('subscribe', { channel, progress: true, ...(filter !== undefined && { filter: filter as unknown as JsonObject }), ...(cursor !== undefined && { from: cursor }) })
      cursor ??= textOf(begun, 'cursor')
      for await (const notice of noticesOf(line, textOf(begun, 'id'), url)) {
        cursor = notice.cursor
        yield notice
      }
    } catch (thrown) {
      if (!(thrown instanceof DongbaekError) || !isPassing(thrown.code)) throw thrown
    } finally {
      signal?.removeEventListener('abort', stop)
      line.close()
    }
    if (cursor !== before) waitMs = backoffMs
    else if ((turn + 1) % urls.length === 0) {
      await pause(waitMs)
      waitMs = Math.min(2 * waitMs, backoffMsMax)
    }
  }
}

/** Until the connection ends. Throws what the node ends the subscription with. */
async function* noticesOf(line: Line, id: string, url: string): AsyncGenerator<Notice, void, void> {
  for (;;) {
    const message = await line.next()
    if (message === undefined) return
    if (message['id'] !== id) continue
    const { item, error, lookedTo } = message
    if (error !== undefined) throw serverError(objectOf(error), url)
    if (item === undefined) yield { cursor: textOf(message, 'cursor'), lookedTo: Number(lookedTo) }
    else yield { cursor: textOf(objectOf(item), 'cursor'), item }
  }
}

function textOf(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value !== 'string') throw badAnswer()
  return value
}

function objectOf(json: Json): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw badAnswer()
  return json as JsonObject
}

function badAnswer(): DongbaekError {
  return new DongbaekError('client/bad-answer', 'what the node sends is not that of a Dongbaek node')
}
