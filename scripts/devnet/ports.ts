// Ports for networks that are made to be thrown away: tests, chaos, durability. They lie below those that outgoing connections are given (32768 and above
// on Linux), where another program's connection can sit on a port that was free a moment ago, and clear of the devnet's own from 26600 on. They come in
// blocks; the process that takes ports of a block listens on the block's last port for as long as it lives, so that no other takes them meanwhile, not even
// those of a node that is down for the moment.
import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'

const host = '127.0.0.1'
const firstPort = 10_000
const blockPorts = 500
const blocks = 32

let own: { next: number; readonly end: number } = { next: 0, end: 0 }

/** The first of 499 ports that nobody listens at and that are this process's until it ends: enough for a network laid out as the devnet is. */
export async function freeBasePort(): Promise<number> {
  // begun anywhere, so that processes side by side do not wait for each other's blocks
  const begun = randomInt(blocks)
  for (let i = 0; i < blocks; i++) {
    const base = firstPort + ((begun + i) % blocks) * blockPorts
    const end = base + blockPorts - 1
    const guard = await listenAt(end)
    if (guard === undefined) continue
    if (await areFree(base, end)) {
      guard.unref()
      return base
    }
    await close(guard)
  }
  throw new Error(`There are no free ports for a network: every block of ${blockPorts} from ${firstPort} to ${firstPort + blocks * blockPorts - 1} is in use. Stop what listens there.`)
}

/** That many ports in a row, 499 at most, given out once in this process. */
export async function freePorts(count: number): Promise<readonly number[]> {
  if (own.next + count > own.end) {
    const base = await freeBasePort()
    own = { next: base, end: base + blockPorts - 1 }
  }
  const { next } = own
  own.next += count
  return Array.from({ length: count }, (_, i) => next + i)
}

async function areFree(from: number, end: number): Promise<boolean> {
  for (let port = from; port < end; port++) {
    const server = await listenAt(port)
    if (server === undefined) return false
    await close(server)
  }
  return true
}

/** Undefined where somebody listens already. */
function listenAt(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen({ port, host }, () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
