// The real transport against bad peers and bad networks: rubbish on the port, strangers, oversized frames, floods, a dead way, silence.
import { createConnection, createServer, type Socket } from 'node:net'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2p } from '@libp2p/interface'
import t from 'tap'
import { compareBytes, fromUtf8, utf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed } from '../../primitives/ed25519.ts'
import { systemClock } from '../../node/clock.ts'
import { encodeFrames } from '../../node/frames.ts'
import { createLibp2pTransport } from '../../node/libp2p.ts'
import { heartbeatFrame } from '../../node/frames.ts'
import * as limits from '../../node/limits.ts'
import { createLog } from '../../node/log.ts'
import type { Peer, Transport } from '../../node/world.ts'
import { until } from '../support/until.ts'

const seedOf = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)
const peer = (i: number, ...addresses: readonly string[]): Peer => ({ name: `node${i}`, publicKey: keyPairFromSeed(seedOf(i)).publicKey, addresses })

interface Node {
  readonly transport: Transport
  readonly lines: string[]
  readonly address: string
}

async function node(t: { teardown(act: () => Promise<unknown>): void }, i: number, listen = true, timing = { heartbeatMs: limits.heartbeatMs, silenceMs: limits.silenceMs }): Promise<Node> {
  const lines: string[] = []
  const log = createLog({ level: 'info', readable: false, write: (line) => lines.push(line) })
  const transport = await createLibp2pTransport({ chainId: 'test', seed: seedOf(i), listen: listen ? { host: '127.0.0.1', port: 0 } : undefined, clock: systemClock, log, timing })
  t.teardown(() => transport.stop())
  await transport.start()
  return { transport, lines, address: transport.listening() ?? '' }
}

async function pair(t: { teardown(act: () => Promise<unknown>): void }): Promise<[Node, Node]> {
  const nodes: [Node, Node] = [await node(t, 0), await node(t, 1)]
  const peers = nodes.map(({ address }, i) => peer(i, address))
  for (const { transport } of nodes) transport.setPeers(peers)
  await until(() => nodes.every(({ transport }) => transport.peers()[0]?.connected === true))
  return nodes
}

/** A node with a known key and no manners. */
async function rogue(t: { teardown(act: () => Promise<unknown>): void }, seed: number, listen: string[] = []): Promise<Libp2p> {
  const host = await createLibp2p({
    privateKey: await generateKeyPairFromSeed('Ed25519', seedOf(seed)),
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  t.teardown(async () => host.stop())
  // accepts the channels, and reads nothing
  for (const channel of ['consensus', 'gossip']) await host.handle(`/dongbaek/test/${channel}/1`, (stream) => stream.pause())
  return host
}

const toMultiaddr = (address: string): ReturnType<typeof multiaddr> => multiaddr(`/ip4/127.0.0.1/tcp/${address.split(':')[1]}`)

t.test('rubbish on the port does not disturb', async (t) => {
  const [a, b] = await pair(t)
  const sockets = Array.from({ length: 12 }, (_, i) => {
    const socket = createConnection({ host: '127.0.0.1', port: Number(a.address.split(':')[1]) })
    socket.on('error', () => {})
    socket.write(i % 3 === 0 ? Buffer.alloc(200_000, i) : i % 3 === 1 ? 'GET / HTTP/1.1\r\n\r\n' : Buffer.from('\x13/multistream/1.0.0\n\xff\xff\xff\xff'))
    return socket
  })
  t.teardown(async () => sockets.forEach((socket) => socket.destroy()))
  let got = 0
  b.transport.onMessages('consensus', (messages) => void (got += messages.length))
  a.transport.send('node1', 'consensus', utf8('still here'))
  await until(() => got === 1)
  await until(() => sockets.filter((socket, i) => i % 3 !== 2 && (socket.destroyed || socket.readyState !== 'open')).length >= 8, 4_000)
})

t.test('a stranger is refused, with a line in our log and not one for each try', async (t) => {
  const a = await node(t, 0)
  a.transport.setPeers([peer(1)])
  const stranger = await rogue(t, 7)
  for (let i = 0; i < 5; i++) await stranger.dial(toMultiaddr(a.address)).then((connection) => connection.close()).catch(() => {})
  await until(() => a.lines.some((line) => line.includes('connection-refused')))
  await new Promise((resolve) => setTimeout(resolve, 100))
  const refusals = a.lines.filter((line) => line.includes('connection-refused'))
  t.equal(refusals.length, 1)
  t.match(JSON.parse(refusals[0] as string), { level: 'warn', reason: /not in the list/, peerId: stranger.peerId.toString() })
})

t.test('a question of no known form ends its stream, with a line in our log', async (t) => {
  const a = await node(t, 0)
  a.transport.handle('fetch', async () => new Uint8Array())
  a.transport.setPeers([peer(1)])
  const stranger = await rogue(t, 1)
  const connection = await stranger.dial(toMultiaddr(a.address))
  const stream = await connection.newStream('/dongbaek/test/fetch/1')
  stream.send(encodeFrames([Uint8Array.of(7, 1, 2)]))
  await until(() => a.lines.some((line) => line.includes('transport/malformed')))
  t.equal(a.lines.filter((line) => line.includes('transport/malformed')).length, 1)
})

t.test('a frame too large closes the connection, blames the peer and holds it off', async (t) => {
  const a = await node(t, 0)
  a.transport.setPeers([peer(7)])
  const bad = await rogue(t, 7)
  const connection = await bad.dial(toMultiaddr(a.address))
  await until(() => a.transport.peers()[0]?.connected === true)
  const stream = await connection.newStream('/dongbaek/test/consensus/1')
  stream.send(Uint8Array.of(0x7f, 0xff, 0xff, 0xff, 1, 2, 3))
  await until(() => connection.status !== 'open')
  t.match(a.transport.peers()[0], { connected: false, offences: 1, lastError: 'transport/frame-too-large' })
  t.match(a.lines.find((line) => line.includes('peer-misbehaved')), /node7.*frame-too-large/)
  const again = await bad.dial(toMultiaddr(a.address), { force: true }).catch(() => undefined)
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(a.transport.peers()[0]?.connected, false, 'held off')
  await again?.close().catch(() => {})
})

t.test('a peer that does not read costs a bounded queue, and the others nothing', async (t) => {
  const [a, b] = await pair(t)
  const bad = await rogue(t, 7)
  a.transport.setPeers([peer(1, b.address), peer(7)])
  await bad.dial(toMultiaddr(a.address))
  const status = (): ReturnType<Transport['peers']>[number] | undefined => a.transport.peers().find(({ name }) => name === 'node7')
  await until(() => status()?.connected === true)
  let got = 0
  b.transport.onMessages('consensus', (messages) => void (got += messages.length))
  const message = new Uint8Array(100_000)
  let sent = 0
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 10; i++) a.transport.send('node7', 'consensus', message)
    if (a.transport.send('node1', 'consensus', utf8('vote'))) sent++
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await until(() => got === sent)
  t.equal(sent, 40)
  const consensus = status()?.channels.consensus
  t.ok(consensus !== undefined && consensus.droppedMessages > 100, `dropped ${consensus?.droppedMessages}`)
  t.ok(consensus !== undefined && consensus.queuedBytes <= limits.channelLimits.consensus.outgoingBytesMax && consensus.queuedBytes > 0)
})

t.test('a flood from a known peer is slowed by its own socket and drops nothing', async (t) => {
  const [a, b] = await pair(t)
  let got = 0
  let largest = 0
  b.transport.onMessages('gossip', async (messages) => {
    got += messages.length
    largest = Math.max(largest, messages.reduce((sum, { bytes }) => sum + bytes.length, 0))
    await new Promise((resolve) => setTimeout(resolve, 1))
  })
  const message = new Uint8Array(50_000)
  let sent = 0
  for (let i = 0; sent < 800; i++) {
    if (a.transport.send('node1', 'gossip', message)) sent++
    else await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await until(() => got === sent, 20_000)
  t.ok(largest <= limits.channelLimits.gossip.deliveryBytesMax, `at most ${largest} bytes at once`)
})

t.test('nothing is lost while a race of two dials is settled, and nobody goes down', async (t) => {
  for (let round = 0; round < 3; round++) {
    const nodes = await pair(t)
    const wanted = Array.from({ length: 200 }, (_, i) => `message ${i}`)
    const downs: string[] = []
    const got = nodes.map(({ transport }) => {
      const list: string[] = []
      transport.onMessages('consensus', (messages) => messages.forEach(({ bytes }) => list.push(fromUtf8(bytes))))
      transport.onPeer((name, up) => up || downs.push(name))
      return list
    })
    for (const [i, text] of wanted.entries()) {
      nodes.forEach(({ transport }, from) => transport.send(`node${1 - from}`, 'consensus', utf8(text)))
      if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => got.every((list) => list.length >= wanted.length))
    await new Promise((resolve) => setTimeout(resolve, 3 * limits.heartbeatTickMs))
    t.same(got, [wanted, wanted])
    t.same(downs, [])
  }
})

t.test('of two connections in opposite directions the one dialled by the smaller key remains, whichever came first', async (t) => {
  const smaller = compareBytes(peer(0).publicKey, peer(7).publicKey) < 0 ? 0 : 7
  for (const own of [0, 7])
    for (const oursFirst of [true, false]) {
      const other = 7 - own
      const host = await rogue(t, other, ['/ip4/127.0.0.1/tcp/0'])
      let read = ''
      for (const channel of ['consensus', 'gossip']) {
        await host.unhandle(`/dongbaek/test/${channel}/1`)
        await host.handle(`/dongbaek/test/${channel}/1`, (stream) => {
          stream.addEventListener('message', ({ data }) => void (read += fromUtf8(data.subarray()).replace(/[^a-z]/g, '')))
          stream.addEventListener('end', () => void stream.close())
        })
      }
      // our dial ends when this lets it through
      let passes = oursFirst
      const held: (() => void)[] = []
      const gate = createServer((near) => {
        const far = createConnection({ host: '127.0.0.1', port: Number(host.getMultiaddrs()[0]?.toString().match(/tcp\/(\d+)/)?.[1]) })
        for (const [from, to] of [[near, far], [far, near]] as const) from.on('error', () => {}).on('close', () => to.destroy())
        const join = (): void => void near.pipe(far).pipe(near)
        if (passes) join()
        else held.push(join)
      })
      await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve))
      t.teardown(async () => void gate.close())
      const a = await node(t, own)
      const events: string[] = []
      a.transport.onPeer((name, up) => void events.push(`${name} ${up ? 'up' : 'down'}`))
      a.transport.setPeers([peer(other, `127.0.0.1:${(gate.address() as { port: number }).port}`)])
      if (!oursFirst) {
        await until(() => held.length === 1)
        await host.dial(toMultiaddr(a.address), { force: true })
      }
      await until(() => events.length === 1)
      t.equal(a.transport.send(`node${other}`, 'consensus', utf8('before')), true)
      if (oursFirst) await host.dial(toMultiaddr(a.address), { force: true })
      passes = true
      for (const join of held) join()
      await until(() => host.getConnections().length === 2)
      t.equal(a.transport.send(`node${other}`, 'consensus', utf8('meanwhile')), true)
      const remaining = host.getConnections().find(({ direction }) => (direction === 'inbound') === (own === smaller))
      for (const channel of ['consensus', 'gossip']) (await remaining?.newStream(`/dongbaek/test/${channel}/1`))?.send(heartbeatFrame)
      await until(() => host.getConnections().length === 1)
      t.equal(host.getConnections()[0], remaining)
      t.equal(a.transport.send(`node${other}`, 'consensus', utf8('after')), true)
      await until(() => read === 'beforemeanwhileafter')
      t.same(events, [`node${other} up`])
    }
})

t.test('a silent way is noticed, and healed by dialling', async (t) => {
  t.ok(limits.silenceMs + limits.heartbeatTickMs < 10_000, 'in real life within ten seconds')
  const timing = { heartbeatMs: 250, silenceMs: 1_000 }
  // between the two stands a wire that can be held: bytes neither pass nor is anything closed
  const a = await node(t, 0, true, timing)
  const b = await node(t, 1, false, timing)
  let held = false
  const sockets = new Set<Socket>()
  const wire = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port: Number(a.address.split(':')[1]) })
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from)
      from.on('data', (bytes) => held || to.write(bytes)).on('error', () => {})
      from.on('close', () => held || to.destroy())
    }
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    wire.close()
  })
  const { port } = wire.address() as { port: number }
  const downs: string[] = []
  a.transport.onPeer((name, up) => up || downs.push(name))
  b.transport.onPeer((name, up) => up || downs.push(name))
  a.transport.setPeers([peer(1)])
  b.transport.setPeers([peer(0, `127.0.0.1:${port}`)])
  await until(() => a.transport.peers()[0]?.connected === true && b.transport.peers()[0]?.connected === true)
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  t.same(downs, [], 'an idle connection is kept by its heartbeat')
  held = true
  await until(() => downs.length === 2, timing.silenceMs + 2 * limits.heartbeatTickMs + 500)
  held = false
  await until(() => a.transport.peers()[0]?.connected === true && b.transport.peers()[0]?.connected === true, 8_000)
})

t.test('the window is updated when half of it is used, and what is still to come is waited for without an exception', async (t) => {
  const a = await node(t, 0)
  const b = await node(t, 1, false)
  // bytes that pass between them
  let there = 0
  let back = 0
  const wire = createServer({ noDelay: true }, (near) => {
    const far = createConnection({ host: '127.0.0.1', port: Number(a.address.split(':')[1]), noDelay: true })
    near.on('data', (data) => void (there += data.length))
    far.on('data', (data) => void (back += data.length))
    for (const [from, to] of [[near, far], [far, near]] as const) from.on('error', () => {}).on('close', () => to.destroy())
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => void wire.close())
  let messages = 0
  let bytes = 0
  a.transport.onMessages('consensus', (some) => {
    messages += some.length
    bytes += some.reduce((sum, { bytes: { length } }) => sum + length, 0)
  })
  a.transport.setPeers([peer(1)])
  b.transport.setPeers([peer(0, `127.0.0.1:${(wire.address() as { port: number }).port}`)])
  await until(() => a.transport.peers()[0]?.connected === true && b.transport.peers()[0]?.connected === true)
  there = 0
  back = 0
  let thrown = 0
  const { RangeError: real } = globalThis
  const made = (...[message]: [string?]): RangeError => {
    thrown++
    return new real(message)
  }
  globalThis.RangeError = new Proxy(real, { apply: (_, __, given: [string?]) => made(...given), construct: (_, given: [string?]) => made(...given) })
  try {
    for (let i = 1; i <= 200; i++) {
      b.transport.send('node0', 'consensus', new Uint8Array(100))
      await until(() => messages === i)
    }
  } finally {
    globalThis.RangeError = real
  }
  t.ok(back < 1_000, `${back} bytes came back for ${there}`)
  t.equal(thrown, 0)
  // more than a window
  const large = new Uint8Array(200_000)
  for (let i = 0; i < 20; i++) await until(() => b.transport.send('node0', 'consensus', large))
  await until(() => bytes === 20_000 + 20 * large.length)
})

t.test('an address in use is said at the start', async (t) => {
  const a = await node(t, 0)
  const log = createLog({ level: 'silent', readable: false })
  const second = await createLibp2pTransport({ chainId: 'test', seed: seedOf(1), listen: { host: '127.0.0.1', port: Number(a.address.split(':')[1]) }, clock: systemClock, log })
  await t.rejects(second.start(), { code: 'transport/listen', message: /p2p\.port/ })
  await second.stop()
  await t.rejects(createLibp2pTransport({ chainId: 'test', seed: seedOf(1), listen: { host: 'a b', port: 1 }, clock: systemClock, log }), { code: 'transport/address' })
  t.throws(() => a.transport.setPeers([peer(1, 'nowhere')]), { code: 'transport/address' })
})
