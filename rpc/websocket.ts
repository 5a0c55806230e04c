// JSON-RPC over one WebSocket, with subscriptions. What is sent and not yet taken is bounded: answers and items wait for room, and a reader
// that makes none for `slowReaderMs` is told so and closed. It resumes from the cursor of the last item it has.
import type { WebSocket } from 'ws'
import { type Caller, type Dispatcher, errorText } from './dispatch.ts'
import { invalidRequestNumber } from './errors.ts'
import type { Feed } from './feed.ts'
import { slowReaderMs, socketBufferedBytesMax, socketCallsMax, socketCloseGraceMs, socketPingMs } from './limits.ts'
import { ClosedError, createSubscriptions } from './subscriptions.ts'

/** Close codes: RFC 6455 section 7.4.1, and 4000 up for our own. */
export const closeGoingAway = 1001
export const closeSlowReader = 4008

export interface Connection {
  /** There is a new block. */
  readonly wake: () => void
  /** Tells the reader and closes; cut after `socketCloseGraceMs` when it does not answer. */
  readonly close: (code: number, reason: string) => void
  readonly subscriptions: () => number
}

export interface ConnectionOptions {
  readonly socket: WebSocket
  readonly dispatcher: Dispatcher
  readonly feed: Feed
  readonly take: Caller['take']
  readonly onError: (error: unknown) => void
  readonly onClosed: () => void
  /** For tests; `limits.ts` has the real ones. */
  readonly slowReaderMs?: number
  readonly pingMs?: number
}

/** Attaches at once, so that no message is lost. */
export function serveConnection(options: ConnectionOptions): Connection {
  const { socket, dispatcher, feed, take, onError, onClosed } = options
  const slowMs = options.slowReaderMs ?? slowReaderMs
  const gone = new AbortController()
  let calls = 0
  let answersPong = true
  let slowTimer: NodeJS.Timeout | undefined
  const waiting = new Set<{ resolve: () => void; reject: (error: Error) => void }>()

  const close = (code: number, reason: string): void => {
    if (gone.signal.aborted) return
    socket.close(code, reason)
    setTimeout(() => socket.terminate(), socketCloseGraceMs).unref()
  }

  const hasRoom = (): boolean => socket.bufferedAmount < socketBufferedBytesMax

  /** Called when the network has taken something. */
  const drained = (): void => {
    if (!hasRoom()) return
    clearTimeout(slowTimer)
    slowTimer = undefined
    for (const waiter of waiting) waiter.resolve()
    waiting.clear()
  }

  const send = async (text: string): Promise<void> => {
    if (gone.signal.aborted) throw new ClosedError()
    socket.send(text, drained)
    if (hasRoom()) return
    slowTimer ??= setTimeout(() => close(closeSlowReader, 'read too slowly: resume from the cursor of the last item'), slowMs)
    await new Promise<void>((resolve, reject) => waiting.add({ resolve, reject }))
  }

  const subscriptions = createSubscriptions(feed, { send }, onError)
  const caller: Caller = { signal: gone.signal, take, own: subscriptions.methods }

  const answer = async (body: Uint8Array): Promise<void> => {
    const text = await dispatcher.answer(body, caller)
    if (text !== undefined) await send(text)
  }

  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      send(errorText('null', { code: invalidRequestNumber, message: 'Invalid Request: text messages only' })).catch(() => undefined)
      return
    }
    calls++
    if (calls >= socketCallsMax) socket.pause()
    answer(asBytes(data))
      .catch((thrown: unknown) => {
        if (!(thrown instanceof ClosedError)) onError(thrown)
      })
      .finally(() => {
        calls--
        if (calls < socketCallsMax && !gone.signal.aborted) socket.resume()
      })
  })

  const ping = setInterval(() => {
    // a reader that we have paused ourselves cannot answer
    if (!answersPong && !socket.isPaused) {
      socket.terminate()
      return
    }
    answersPong = false
    socket.ping()
  }, options.pingMs ?? socketPingMs)
  ping.unref()
  socket.on('pong', () => {
    answersPong = true
  })

  // ws closes by itself after an error; without a listener it would end the process
  socket.on('error', () => undefined)
  socket.on('close', () => {
    gone.abort()
    clearInterval(ping)
    clearTimeout(slowTimer)
    subscriptions.end()
    for (const waiter of waiting) waiter.reject(new ClosedError())
    waiting.clear()
    onClosed()
  })

  return { wake: subscriptions.wake, close, subscriptions: subscriptions.size }
}

function asBytes(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
