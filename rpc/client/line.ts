// One WebSocket as a list of messages: what the node sends waits here, within bounds, until it is taken.
import { DongbaekError } from '../../primitives/errors.ts'
import type { Json, JsonObject } from '../../primitives/schema.ts'
import { platform, type SocketClass } from './platform.ts'
import { readAnswer } from './transport.ts'

/** What has come and is not taken yet. Beyond, the connection is given up: a browser has no way to read more slowly. */
const waitingMax = 2_000

export interface Line {
  /** Before any notification is taken. Throws what a call over HTTP throws, `client/unreachable` when the connection ends first. */
  readonly call: (method: string, params: JsonObject) => Promise<JsonObject>
  /** The parameters of the next notification; undefined when the connection has ended and all is taken. */
  readonly next: () => Promise<JsonObject | undefined>
  readonly close: () => void
}

/** `url` is that of the node's JSON-RPC over HTTP. */
export function openLine(url: string, WebSocket: SocketClass, quietMs: number): Line {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/$/, '')}/ws`)
  const waiting: JsonObject[] = []
  const expected = new Set<number>()
  const answers = new Map<number, string>()
  let open = false
  let ended = false
  let asked = false
  let lastId = 0
  let timer: unknown
  let wake: () => void = () => undefined

  const end = (): void => {
    if (ended) return
    ended = true
    platform.clearTimeout(timer)
    socket.close()
    wake()
  }

  const ask = (method: string, params: JsonObject): number => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params }))
    return lastId
  }

  /** Silence of one span: asked whether it lives; of two, or one before it is open: given up. */
  const listen = (): void => {
    platform.clearTimeout(timer)
    timer = platform.setTimeout(() => {
      if (!open || asked) return end()
      asked = true
      ask('chain_head', {})
      listen()
    }, quietMs)
  }

  socket.onopen = () => {
    open = true
    wake()
  }
  socket.onclose = end
  socket.onerror = end
  socket.onmessage = ({ data }) => {
    if (ended) return
    asked = false
    listen()
    const message = typeof data === 'string' ? parse(data) : undefined
    if (message === undefined) end()
    else if (message['method'] === 'subscription') {
      if (typeof message['params'] === 'object' && message['params'] !== null) waiting.push(message['params'] as JsonObject)
      if (waiting.length > waitingMax) end()
    } else if (expected.delete(Number(message['id']))) answers.set(Number(message['id']), data as string)
    wake()
  }
  listen()

  const woken = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }

  return {
    call: async (method, params) => {
      while (!open && !ended) await woken()
      if (ended) throw unreachable(url)
      const id = ask(method, params)
      expected.add(id)
      for (;;) {
        const text = answers.get(id)
        answers.delete(id)
        if (text !== undefined) return readAnswer(text, id, url) as JsonObject
        if (ended) throw unreachable(url)
        await woken()
      }
    },
    next: async () => {
      while (waiting.length === 0 && !ended) await woken()
      return waiting.shift()
    },
    close: end,
  }
}

function unreachable(url: string): DongbaekError {
  return new DongbaekError('client/unreachable', `the connection to ${url} has ended`, { url })
}

function parse(text: string): JsonObject | undefined {
  try {
    const json = JSON.parse(text) as Json
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? (json as JsonObject) : undefined
  } catch {
    return undefined
  }
}
