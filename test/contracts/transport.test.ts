// What every transport promises (node/world.ts), run over the one in memory, the simulated one and libp2p on the loopback.
import t from 'tap'
import { utf8, fromUtf8 } from '../../primitives/bytes.ts'
import { keyPairFromSeed } from '../../primitives/ed25519.ts'
import { systemClock } from '../../node/clock.ts'
import { createLibp2pTransport } from '../../node/libp2p.ts'
import * as limits from '../../node/limits.ts'
import { createLog, silentLog } from '../../node/log.ts'
import type { Log, Peer, Transport } from '../../node/world.ts'
import { Network } from '../simulator/network.ts'
import { createSimulatedClock } from '../simulator/nodes/clock.ts'
import { Life } from '../simulator/nodes/life.ts'
import { liveKernel } from '../simulator/nodes/live.ts'
import { createSimulatedTransport, type Switchboard } from '../simulator/nodes/transport.ts'
import { randomOf } from '../simulator/random.ts'
import { createMemoryNetwork, createMemoryTransport } from '../support/memory-transport.ts'
import { until } from '../support/until.ts'

const seedOf = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)
const keyOf = (i: number): Uint8Array => keyPairFromSeed(seedOf(i)).publicKey

interface Kind {
  readonly name: string
  /** Fresh factory of transports of one network. */
  network(): (i: number, chainId: string, log: Log) => Promise<Transport>
}

const { kernel, stop } = liveKernel()
t.teardown(stop)

const kinds: readonly Kind[] = [
  {
    name: 'memory',
    network: () => {
      const network = createMemoryNetwork()
      return async (i, chainId, log) => createMemoryTransport(network, { chainId, seed: seedOf(i), clock: systemClock, log })
    },
  },
  {
    name: 'simulated',
    network: () => {
      const random = randomOf(1)
      const network = new Network(kernel, random)
      // what TCP gives: in order
      network.quality = { ...network.quality, delayMs: [0.5, 0.5] }
      const switchboard: Switchboard = { network, random, endpoints: new Map() }
      return async (i, chainId, log) => {
        const life = new Life(() => {})
        return createSimulatedTransport(switchboard, { id: i, publicKey: keyOf(i), chainId, clock: createSimulatedClock(kernel, life, () => 0), log, life })
      }
    },
  },
  {
    name: 'libp2p',
    network: () => (i, chainId, log) => createLibp2pTransport({ chainId, seed: seedOf(i), listen: { host: '127.0.0.1', port: 0 }, clock: systemClock, log }),
  },
]

const peer = (i: number, transport: Transport): Peer => ({ name: `node${i}`, publicKey: keyOf(i), addresses: [transport.listening() ?? 'none:1'] })
const code = (error: unknown): string => (error as { readonly code?: string }).code ?? String(error)

for (const kind of kinds) {
  t.test(kind.name, async (t) => {
    async function connected(t: { teardown(act: () => Promise<unknown>): void }, count: number, log: Log = silentLog): Promise<Transport[]> {
      const make = kind.network()
      const nodes = await Promise.all(Array.from({ length: count }, (_, i) => make(i, 'test', log)))
      t.teardown(() => Promise.all(nodes.map((node) => node.stop())))
      await Promise.all(nodes.map((node) => node.start()))
      const peers = nodes.map((node, i) => peer(i, node))
      for (const node of nodes) node.setPeers(peers)
      await until(() => nodes.every((node) => node.peers().length === count - 1 && node.peers().every((status) => status.connected)), 20_000)
      return nodes
    }

    await t.test('messages arrive whole, once, in order, on both channels, in both directions', async (t) => {
      const [a, b] = (await connected(t, 2)) as [Transport, Transport]
      const got: Record<string, string[]> = { consensus: [], gossip: [], back: [] }
      b.onMessages('consensus', (messages) => messages.forEach(({ peer: from, bytes }) => got['consensus']?.push(`${from} ${fromUtf8(bytes)}`)))
      b.onMessages('gossip', async (messages) => messages.forEach(({ bytes }) => got['gossip']?.push(fromUtf8(bytes))))
      a.onMessages('consensus', (messages) => messages.forEach(({ bytes }) => got['back']?.push(fromUtf8(bytes))))
      const wanted = Array.from({ length: 2_000 }, (_, i) => `message ${i}`)
      for (const text of wanted) {
        t.equal(a.send('node1', 'consensus', utf8(text)) && a.send('node1', 'gossip', utf8(text)), true)
        b.send('node0', 'consensus', utf8(text))
      }
      await until(() => Object.values(got).every((list) => list.length >= wanted.length))
      t.same(got, { consensus: wanted.map((text) => `node0 ${text}`), gossip: wanted, back: wanted })
      const status = a.peers()[0]
      t.match(status, { name: 'node1', connected: true, offences: 0, channels: { consensus: { sentMessages: 2_000, droppedMessages: 0, queuedMessages: 0, receivedMessages: 2_000 } } })
      t.ok(status !== undefined && status.bytesOut > 20_000 && status.bytesIn > 20_000)
    })

    await t.test('a message of the largest size passes, a larger, an empty and a stranger’s is refused and counted', async (t) => {
      const [a, b] = (await connected(t, 2)) as [Transport, Transport]
      const sizes: number[] = []
      b.onMessages('consensus', (messages) => messages.forEach(({ bytes }) => sizes.push(bytes.length, bytes[bytes.length - 1] ?? -1)))
      const max = limits.channelLimits.consensus.messageBytesMax
      t.equal(a.send('node1', 'consensus', new Uint8Array(max).fill(7)), true)
      t.equal(a.send('node1', 'consensus', new Uint8Array(max + 1)), false)
      t.equal(a.send('node1', 'consensus', new Uint8Array(0)), false)
      t.equal(a.send('nobody', 'consensus', utf8('x')), false)
      a.send('node1', 'consensus', utf8('\x09'))
      await until(() => sizes.length === 4)
      t.same(sizes, [max, 7, 1, 9])
      t.equal(a.peers()[0]?.channels.consensus.droppedMessages, 2)
    })

    await t.test('a delivery is bounded a peer, waits for the handler, and a failing handler stops nothing', async (t) => {
      const lines: string[] = []
      const [a, b, c] = (await connected(t, 3, createLog({ level: 'error', readable: false, write: (line) => lines.push(line) }))) as [Transport, Transport, Transport]
      let running = 0
      let most = 0
      const batches: Record<string, number>[] = []
      c.onMessages('consensus', async (messages) => {
        most = Math.max(most, ++running)
        const counts: Record<string, number> = {}
        for (const { peer: from } of messages) counts[from] = (counts[from] ?? 0) + 1
        batches.push(counts)
        await new Promise((resolve) => setTimeout(resolve, 2))
        running--
        if (batches.length === 1) throw new Error('planted')
      })
      for (let i = 0; i < 1_500; i++) a.send('node2', 'consensus', utf8('flood'))
      b.send('node2', 'consensus', utf8('alone'))
      const sum = (from: string): number => batches.reduce((total, counts) => total + (counts[from] ?? 0), 0)
      await until(() => sum('node0') === 1_500 && sum('node1') === 1)
      t.equal(most, 1, 'one delivery at a time')
      t.ok(batches.every((counts) => (counts['node0'] ?? 0) <= limits.channelLimits.consensus.deliveryMessagesMax))
      t.ok(batches.slice(0, 4).some((counts) => counts['node1'] === 1), 'the quiet peer is not behind the whole flood')
      t.match(lines.join(''), /message-handler-failed.*planted/)
    })

    await t.test('broadcast reaches all but one', async (t) => {
      const nodes = await connected(t, 4)
      const got: string[] = []
      nodes.forEach((node, i) => node.onMessages('gossip', (messages) => messages.forEach(() => got.push(`node${i}`))))
      t.equal(nodes[0]?.broadcast('gossip', utf8('hello')), 3)
      t.equal(nodes[0]?.broadcast('gossip', utf8('hello'), 'node3'), 2)
      await until(() => got.length === 5)
      t.same(got.sort(), ['node1', 'node1', 'node2', 'node2', 'node3'])
    })

    await t.test('requests: answers, refusals, bounds and timeouts', async (t) => {
      const [a, b] = (await connected(t, 2)) as [Transport, Transport]
      const options = { timeoutMs: 2_000, responseBytesMax: 1_000_000 }
      let open = 0
      let most = 0
      b.handle('fetch', async (from, question) => {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setTimeout(resolve, 5))
        open--
        return utf8(`${from} asked ${fromUtf8(question)}`)
      })
      b.handle('sync', async (_, question) => {
        if (question[0] === 0) throw new Error('planted: a secret of the machine')
        if (question[0] === 1) return new Promise(() => {})
        return new Uint8Array(600_000).fill(5)
      })
      t.equal(fromUtf8(await a.request('node1', 'fetch', utf8('one'), options)), 'node0 asked one')
      const answers = await Promise.all(Array.from({ length: limits.outgoingRequestsMax }, (_, i) => a.request('node1', 'fetch', utf8(`${i}`), options)))
      t.same(answers.map(fromUtf8), answers.map((_, i) => `node0 asked ${i}`))
      t.ok(most > 1 && most <= limits.inboundRequestsMax)
      t.equal((await a.request('node1', 'sync', Uint8Array.of(2), options)).length, 600_000)
      t.equal((await a.request('node1', 'fetch', new Uint8Array(0), options)).length, 'node0 asked '.length, 'an empty question is a question')
      await t.rejects(a.request('node1', 'sync', Uint8Array.of(2), { timeoutMs: 2_000, responseBytesMax: 599_999 }), { code: 'transport/too-large' })
      const refusal = await a.request('node1', 'sync', Uint8Array.of(0), options).catch((error: unknown) => error as Error)
      t.match(refusal, { code: 'transport/refused' })
      t.notMatch(String(refusal), /secret/, 'the inner sentence stays at home')
      await t.rejects(a.request('node1', 'snapshot', utf8('x'), options), { code: 'transport/refused' }, 'no handler')
      const began = performance.now()
      await t.rejects(a.request('node1', 'sync', Uint8Array.of(1), { timeoutMs: 100, responseBytesMax: 10 }), { code: 'transport/timeout' })
      t.ok(performance.now() - began < 1_000)
      await t.rejects(a.request('nobody', 'fetch', utf8('x'), options), { code: 'transport/not-connected' })
      await t.rejects(a.request('node1', 'fetch', new Uint8Array(limits.questionBytesMax + 1), options), { code: 'transport/too-large' })
      const many = await Promise.allSettled(Array.from({ length: limits.outgoingRequestsMax + 5 }, () => a.request('node1', 'fetch', utf8('x'), options)))
      const busy = many.filter((result) => result.status === 'rejected').map((result) => code(result.reason))
      t.same(busy, new Array(5).fill('transport/busy'))
      t.equal(fromUtf8(await a.request('node1', 'fetch', utf8('after'), options)), 'node0 asked after', 'nothing is left open by the failures')
    })

    await t.test('peers come and go: stop, start again, removal, blame', async (t) => {
      const make = kind.network()
      const a = await make(0, 'test', silentLog)
      const b = await make(1, 'test', silentLog)
      const events: string[] = []
      a.onPeer((name, up) => events.push(`${name} ${up ? 'up' : 'down'}`))
      t.teardown(() => Promise.all([a.stop(), b.stop()]))
      await Promise.all([a.start(), b.start()])
      const peers = [peer(0, a), peer(1, b)]
      a.setPeers(peers)
      b.setPeers(peers)
      await until(() => events.length === 1)
      t.equal(a.send('node1', 'consensus', utf8('x')), true)
      await b.stop()
      await until(() => events.length === 2, 2_000)
      t.equal(a.send('node1', 'consensus', utf8('x')), false)
      await t.rejects(b.request('node0', 'fetch', utf8('x'), { timeoutMs: 100, responseBytesMax: 10 }), { code: 'transport/stopped' })
      await b.stop()

      const again = await make(1, 'test', silentLog)
      t.teardown(() => again.stop())
      await again.start()
      again.setPeers(peers)
      a.setPeers([peer(1, again)])
      await until(() => events.length === 3, 6_000)
      a.blame('node1', 'sent nonsense')
      await until(() => events.length === 4)
      t.match(a.peers()[0], { connected: false, offences: 1, lastError: 'sent nonsense' })
      await until(() => events.length === 5, 8_000)
      a.setPeers([])
      await until(() => events.length === 6)
      t.same(a.peers(), [])
      t.same(events, ['node1 up', 'node1 down', 'node1 up', 'node1 down', 'node1 up', 'node1 down'])
      a.setPeers([peer(1, again)])
      await until(() => events.length === 7, 8_000)
    })

    await t.test('a stranger and a node of another chain do not get in', async (t) => {
      const make = kind.network()
      const [a, other, stranger] = (await Promise.all([make(0, 'test', silentLog), make(1, 'another', silentLog), make(2, 'test', silentLog)])) as [Transport, Transport, Transport]
      t.teardown(() => Promise.all([a.stop(), other.stop(), stranger.stop()]))
      await Promise.all([a.start(), other.start(), stranger.start()])
      const ups: string[] = []
      for (const node of [a, other, stranger]) node.onPeer((name, up) => up && ups.push(name))
      a.setPeers([peer(1, other)])
      other.setPeers([peer(0, a)])
      stranger.setPeers([peer(0, a)])
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      t.same(ups, [])
      t.equal(stranger.send('node0', 'consensus', utf8('x')), false)
      t.equal(other.send('node0', 'consensus', utf8('x')), false)
    })

    await t.test('a name or a key listed twice is refused', async (t) => {
      const node = await kind.network()(0, 'test', silentLog)
      t.teardown(() => node.stop())
      const one = { name: 'one', publicKey: keyOf(1), addresses: [] }
      t.throws(() => node.setPeers([one, { ...one, name: 'two' }]), { code: 'transport/peers' })
      t.throws(() => node.setPeers([one, { ...one, publicKey: keyOf(2) }]), { code: 'transport/peers' })
    })
  })
}
