// The network between the nodes: every node reaches each peer through a port of ours, so that what goes from one to another can be delayed,
// throttled, held back or cut, in one direction or both. Bytes keep their order and are never changed or lost while a connection lives, as TCP has it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Random } from '../durability/random.ts'

const host = '127.0.0.1'
/** Held for one direction of one connection; beyond, the sender is not read, and its own buffers fill. */
const heldBytesMax = 262_144

/** What happens to bytes from one node to another. */
export interface Weather {
  /** No connection: those that live are reset, new ones refused. */
  readonly cut: boolean
  /** Nothing passes and nobody is told, as when a switch dies. What was held passes afterwards. */
  readonly silent: boolean
  readonly delayMs: number
  readonly jitterMs: number
  readonly bytesPerSecond: number
}

export const fair: Weather = { cut: false, silent: false, delayMs: 0, jitterMs: 0, bytesPerSecond: Infinity }

export interface Links {
  /** `host:port` of each peer, as this node is to reach it. */
  readonly addressesFor: (name: string) => Readonly<Record<string, string>>
  readonly set: (from: string, to: string, weather: Partial<Weather>) => void
  /** Both directions. */
  readonly setBetween: (one: string, other: string, weather: Partial<Weather>) => void
  /** Resets what connects the two now; they may connect again at once. */
  readonly drop: (one: string, other: string) => void
  readonly clear: () => void
  readonly close: () => void
}

interface Pipe {
  /** Looks at the weather anew. */
  readonly wake: (hurry: boolean) => void
  readonly stop: () => void
}

interface Connection {
  readonly near: Socket
  far: Socket | undefined
  pipes: readonly Pipe[]
}

interface Link {
  readonly from: string
  readonly to: string
  readonly targetPort: number
  readonly server: Server
  readonly connections: Set<Connection>
}

export async function createLinks(nodes: readonly { readonly name: string; readonly port: number }[], random: Random): Promise<Links> {
  const weathers = new Map<string, Weather>()
  const weather = (from: string, to: string): Weather => weathers.get(`${from} ${to}`) ?? fair
  const links: Link[] = []
  for (const { name: from } of nodes) {
    for (const { name: to, port } of nodes) {
      if (from === to) continue
      const server = createServer({ noDelay: true })
      const link: Link = { from, to, targetPort: port, server, connections: new Set() }
      server.on('connection', (near) => accept(link, near))
      server.listen(0, host)
      await once(server, 'listening')
      links.push(link)
    }
  }

  function accept(link: Link, near: Socket): void {
    const connection: Connection = { near, far: undefined, pipes: [] }
    near.on('error', () => {})
    if (weather(link.from, link.to).cut || weather(link.to, link.from).cut) {
      near.resetAndDestroy()
      return
    }
    link.connections.add(connection)
    near.on('close', () => {
      if (connection.far === undefined) link.connections.delete(connection)
    })
    establish(link, connection)
  }

  /** A connection begun in silence is not made before the silence ends. */
  function establish(link: Link, connection: Connection): void {
    const { near } = connection
    if (connection.far !== undefined || near.destroyed || weather(link.from, link.to).silent || weather(link.to, link.from).silent) return
    const far = connect({ host, port: link.targetPort, noDelay: true })
    connection.far = far
    far.on('error', () => near.resetAndDestroy())
    connection.pipes = [
      createPipe(near, far, () => weather(link.from, link.to), random),
      createPipe(far, near, () => weather(link.to, link.from), random),
    ]
    const closed = (): void => {
      if (near.destroyed && far.destroyed) link.connections.delete(connection)
    }
    near.on('close', closed)
    far.on('close', closed)
  }

  function reset(link: Link): void {
    for (const { near, far, pipes } of link.connections) {
      for (const pipe of pipes) pipe.stop()
      near.resetAndDestroy()
      far?.resetAndDestroy()
    }
    link.connections.clear()
  }

  const linksBetween = (one: string, other: string): readonly Link[] => links.filter(({ from, to }) => (from === one && to === other) || (from === other && to === one))

  function set(from: string, to: string, change: Partial<Weather>): void {
    const next = { ...fair, ...change }
    weathers.set(`${from} ${to}`, next)
    if (next.cut) linksBetween(from, to).forEach(reset)
    // a pipe that waits by an earlier weather must not wait for it
    for (const link of linksBetween(from, to)) {
      for (const connection of [...link.connections]) {
        establish(link, connection)
        for (const pipe of connection.pipes) pipe.wake(next === fair)
      }
    }
  }

  return {
    addressesFor: (name) => Object.fromEntries(links.filter(({ from }) => from === name).map(({ to, server }) => [to, `${host}:${(server.address() as AddressInfo).port}`])),
    set,
    setBetween: (one, other, change) => {
      set(one, other, change)
      set(other, one, change)
    },
    drop: (one, other) => linksBetween(one, other).forEach(reset),
    clear: () => {
      weathers.clear()
      for (const link of links) {
        for (const connection of [...link.connections]) {
          establish(link, connection)
          for (const pipe of connection.pipes) pipe.wake(true)
        }
      }
    },
    close: () => {
      for (const link of links) {
        reset(link)
        link.server.close()
      }
    },
  }
}

/** Undefined bytes: the end. */
interface Piece {
  readonly bytes: Buffer | undefined
  readonly dueMs: number
}

function createPipe(source: Socket, sink: Socket, weather: () => Weather, random: Random): Pipe {
  let held: Piece[] = []
  let heldBytes = 0
  let lastDueMs = 0
  let lineFreeMs = 0
  let timer: NodeJS.Timeout | undefined
  let hurried = 0
  let stopped = false

  const dueOf = (bytes: number): number => {
    const { delayMs, jitterMs, bytesPerSecond } = weather()
    const nowMs = performance.now()
    lineFreeMs = Math.max(lineFreeMs, nowMs) + (bytes / bytesPerSecond) * 1_000
    lastDueMs = Math.max(lastDueMs, lineFreeMs + delayMs + (jitterMs === 0 ? 0 : random.next() * jitterMs))
    return lastDueMs
  }

  const pump = (): void => {
    clearTimeout(timer)
    timer = undefined
    while (!stopped && held.length > 0) {
      if (weather().silent || sink.writableNeedDrain) return
      const { bytes, dueMs } = held[0] as Piece
      const waitMs = dueMs - performance.now()
      if (hurried === 0 && waitMs > 0) {
        timer = setTimeout(pump, waitMs)
        return
      }
      held.shift()
      if (hurried > 0) hurried--
      if (bytes === undefined) {
        sink.end()
        return
      }
      heldBytes -= bytes.length
      sink.write(bytes)
      if (source.isPaused() && heldBytes < heldBytesMax / 2) source.resume()
    }
  }

  source.on('data', (bytes) => {
    held.push({ bytes: bytes as Buffer, dueMs: dueOf(bytes.length) })
    heldBytes += bytes.length
    if (heldBytes > heldBytesMax) source.pause()
    pump()
  })
  const end = (): void => {
    if (held.at(-1)?.bytes === undefined && held.length > 0) return
    held.push({ bytes: undefined, dueMs: dueOf(0) })
    pump()
  }
  source.on('end', end)
  // reset, or both ways ended: what is held still passes
  source.on('close', end)
  sink.on('drain', pump)
  sink.on('close', () => {
    stopped = true
    clearTimeout(timer)
    held = []
    // the way back tells the source what happened to the sink, unless nothing passes
    source.resume()
  })

  return {
    wake: (hurry) => {
      if (hurry) {
        hurried = held.length
        lastDueMs = 0
        lineFreeMs = 0
      }
      pump()
    },
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
