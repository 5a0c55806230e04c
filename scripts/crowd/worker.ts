// One process of the crowd: many WebSockets, each with a subscription to all events from the same cursor. Everybody must get the same items in the same order, so what one
// has got is compared with the longest sequence so far, and only that is kept. Talks with crowd.ts by messages.
import { performance } from 'node:perf_hooks'
import { WebSocket } from 'ws'
import type { FromWorker, ToWorker } from './messages.ts'

/** Openings under way at once: more would only wait at the listener's backlog. */
const openingMax = 32

interface Item {
  readonly cursor: string
}

interface Notification {
  readonly id?: number
  readonly error?: { readonly message: string }
  readonly params?: { readonly item?: Item; readonly error?: { readonly message: string } }
}

const cursors: string[] = []
/** For each place of the sequence, when the first and when the last of our sockets had it. */
const firstMs: number[] = []
const lastMs: number[] = []
/** How far each socket is. */
const places: number[] = []
const faults: string[] = []
const sockets: WebSocket[] = []

const say = (message: FromWorker): void => void process.send?.(message)

function fault(words: string): void {
  if (faults.length < 20) faults.push(words)
}

function take(socket: number, { cursor }: Item): void {
  const place = places[socket] as number
  places[socket] = place + 1
  const nowMs = performance.timeOrigin + performance.now()
  if (place === cursors.length) {
    cursors.push(cursor)
    firstMs.push(nowMs)
  } else if (cursors[place] !== cursor) fault(`subscriber ${socket} has ${cursor} as number ${place}, another ${cursors[place]}`)
  lastMs[place] = nowMs
}

/** Resolves once it is subscribed. */
function open({ url, from, localAddress }: Extract<ToWorker, { type: 'open' }>, number: number): Promise<void> {
  const socket = new WebSocket(url, { localAddress, perMessageDeflate: false })
  sockets[number] = socket
  places[number] = 0
  return new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { channel: 'events', from } })))
    socket.on('message', (data: Buffer) => {
      const { id, error, params } = JSON.parse(data.toString()) as Notification
      const wrong = error ?? params?.error
      if (wrong !== undefined) fault(`subscriber ${number}: ${wrong.message}`)
      if (params?.item !== undefined) take(number, params.item)
      if (id !== undefined) resolve()
    })
    socket.on('error', (error) => {
      fault(`subscriber ${number}: ${error.message}`)
      resolve()
    })
    socket.on('close', (code, reason) => {
      if (!closing) fault(`subscriber ${number} was closed: ${code} ${reason.toString()}`)
    })
  })
}

let closing = false

process.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'open':
      void openAll(message)
      return
    case 'report':
      say({ type: 'report', cursors, firstMs, lastMs, least: Math.min(...places), most: Math.max(...places), faults })
      return
    case 'close':
      closing = true
      for (const socket of sockets) socket.terminate()
      process.disconnect()
  }
})

async function openAll(message: Extract<ToWorker, { type: 'open' }>): Promise<void> {
  let next = 0
  const opener = async (): Promise<void> => {
    while (next < message.subscribers) await open(message, next++)
  }
  await Promise.all(Array.from({ length: openingMax }, opener))
  say({ type: 'opened', faults })
}
