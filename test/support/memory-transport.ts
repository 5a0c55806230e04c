// A transport without sockets: nodes of one process exchange messages over a hub, in order, one event-loop turn later.
// Links can be cut and healed. It keeps the contract of node/world.ts; test/contracts/transport.test.ts runs the same suite over it and over libp2p.
import { equalBytes, toHex } from '../../primitives/bytes.ts'
import { keyPairFromSeed } from '../../primitives/ed25519.ts'
import { codeOf, DongbaekError } from '../../primitives/errors.ts'
import { createInbox } from '../../node/inbox.ts'
import * as limits from '../../node/limits.ts'
import { channels, type Channel, type Clock, type Log, type Peer, type PeerHandler, type RequestHandler, type RequestProtocol, type Transport } from '../../node/world.ts'
import { type Link, statusOf } from './link.ts'

interface Member {
  readonly key: Uint8Array
  readonly chainId: string
  knows(key: Uint8Array): string | undefined
  linkChanged(): void
  receive(from: Uint8Array, channel: Channel, message: Uint8Array): void
  answer(from: Uint8Array, protocol: RequestProtocol, question: Uint8Array): Promise<Uint8Array>
}

export interface MemoryNetwork {
  readonly members: Map<string, Member>
  /** Cuts or heals what is between two nodes, both ways. */
  setLink(a: Uint8Array, b: Uint8Array, open: boolean): void
  isOpen(a: Uint8Array, b: Uint8Array): boolean
}

export function createMemoryNetwork(): MemoryNetwork {
  const members = new Map<string, Member>()
  const cut = new Set<string>()
  const pair = (a: Uint8Array, b: Uint8Array): string => [toHex(a), toHex(b)].sort().join()
  return {
    members,
    setLink(a, b, open) {
      if (open) cut.delete(pair(a, b))
      else cut.add(pair(a, b))
      for (const member of members.values()) member.linkChanged()
    },
    isOpen: (a, b) => !cut.has(pair(a, b)),
  }
}

export function createMemoryTransport(network: MemoryNetwork, options: { readonly chainId: string; readonly seed: Uint8Array; readonly clock: Clock; readonly log: Log }): Transport {
  const { clock, log } = options
  const key = keyPairFromSeed(options.seed).publicKey
  const inboxes = { consensus: createInbox('consensus', limits.channelLimits.consensus, clock, log), gossip: createInbox('gossip', limits.channelLimits.gossip, clock, log) }
  const links = new Map<string, Link>()
  const handlers = new Map<RequestProtocol, RequestHandler>()
  let peerHandler: PeerHandler | undefined
  let state: 'new' | 'started' | 'stopped' = 'new'
  const noFlow = { pause: () => {}, resume: () => {} }

  function linkOf(from: Uint8Array): Link | undefined {
    for (const link of links.values()) if (equalBytes(link.peer.publicKey, from)) return link
    return undefined
  }

  function reach(link: Link): Member | undefined {
    const member = network.members.get(toHex(link.peer.publicKey))
    if (member === undefined || state !== 'started' || member.chainId !== options.chainId || !network.isOpen(key, link.peer.publicKey)) return undefined
    if (member.knows(key) === undefined || link.heldUntilMs > clock.monotonic()) return undefined
    return member
  }

  function update(link: Link): void {
    const up = reach(link) !== undefined
    if (up === link.up) return
    link.up = up
    link.sinceMs = clock.now()
    if (state !== 'stopped') peerHandler?.(link.peer.name, up)
  }

  const member: Member = {
    key,
    chainId: options.chainId,
    knows(from) {
      const link = linkOf(from)
      return link === undefined || link.heldUntilMs > clock.monotonic() ? undefined : link.peer.name
    },
    linkChanged() {
      for (const link of links.values()) update(link)
    },
    receive(from, channel, message) {
      const link = linkOf(from)
      if (link === undefined || !link.up) return
      link.bytesIn += message.length
      link.inbox[channel].push(message)
    },
    async answer(from, protocol, question) {
      const link = linkOf(from)
      const handler = handlers.get(protocol)
      const refused = (reason: string): DongbaekError => new DongbaekError('transport/refused', `the peer refused the request: ${reason}`)
      if (link === undefined || handler === undefined) throw refused('transport/no-handler')
      if (link.inbound >= limits.inboundRequestsMax) throw refused('transport/busy')
      link.inbound++
      try {
        return await handler(link.peer.name, question.slice())
      } catch (error) {
        throw refused(codeOf(error))
      } finally {
        link.inbound--
      }
    },
  }

  function changed(): void {
    setImmediate(() => {
      for (const other of network.members.values()) other.linkChanged()
      if (state === 'stopped') return
      member.linkChanged()
    })
  }

  const transport: Transport = {
    async start() {
      state = 'started'
      network.members.set(toHex(key), member)
      changed()
    },
    async stop() {
      if (state === 'stopped') return
      state = 'stopped'
      network.members.delete(toHex(key))
      for (const channel of channels) inboxes[channel].stop()
      for (const link of links.values()) link.up = false
      changed()
    },
    listening: () => (state === 'started' ? 'memory:1' : undefined),
    setPeers(peers) {
      const wanted = new Map<string, Peer>()
      for (const peer of peers) {
        if (equalBytes(peer.publicKey, key)) continue
        if (wanted.has(peer.name) || [...wanted.values()].some((other) => equalBytes(other.publicKey, peer.publicKey)))
          throw new DongbaekError('transport/peers', `peer ${peer.name} is listed twice`, { peer: peer.name })
        wanted.set(peer.name, peer)
      }
      for (const [name, link] of links) {
        const peer = wanted.get(name)
        if (peer !== undefined && equalBytes(peer.publicKey, link.peer.publicKey)) continue
        links.delete(name)
        for (const channel of channels) link.inbox[channel].clear()
        if (link.up) peerHandler?.(name, false)
      }
      for (const peer of wanted.values()) {
        if (links.has(peer.name)) continue
        const inbox = { consensus: inboxes.consensus.peer(peer.name, noFlow), gossip: inboxes.gossip.peer(peer.name, noFlow) }
        const counts = { consensus: { sent: 0, dropped: 0 }, gossip: { sent: 0, dropped: 0 } }
        links.set(peer.name, { peer, inbox, counts, up: false, sinceMs: clock.now(), offences: 0, heldUntilMs: 0, bytesIn: 0, bytesOut: 0, outgoing: 0, inbound: 0, lastError: undefined })
      }
      if (state === 'started') changed()
    },
    peers: () => [...links.values()].map(statusOf),
    send(peer, channel, message) {
      const link = links.get(peer)
      if (link === undefined) return false
      const target = link.up ? reach(link) : undefined
      if (target === undefined || message.length === 0 || message.length > limits.channelLimits[channel].messageBytesMax) {
        link.counts[channel].dropped++
        return false
      }
      const copy = message.slice()
      link.counts[channel].sent++
      link.bytesOut += copy.length
      setImmediate(() => target.receive(key, channel, copy))
      return true
    },
    broadcast(channel, message, except) {
      let taken = 0
      for (const [name, link] of links) if (name !== except && link.up && transport.send(name, channel, message)) taken++
      return taken
    },
    async request(peer, protocol, question, { timeoutMs, responseBytesMax }) {
      if (state === 'stopped') throw new DongbaekError('transport/stopped', 'the transport is stopped')
      const link = links.get(peer)
      const target = link?.up === true ? reach(link) : undefined
      if (link === undefined || target === undefined) throw new DongbaekError('transport/not-connected', `not connected to ${peer}`, { peer })
      if (link.outgoing >= limits.outgoingRequestsMax) throw new DongbaekError('transport/busy', `${link.outgoing} requests to ${peer} are under way`, { peer })
      if (question.length > limits.questionBytesMax) throw new DongbaekError('transport/too-large', 'the question is too large')
      link.outgoing++
      let cancel = (): void => {}
      const timeout = new Promise<never>((_, reject) => {
        cancel = clock.after(timeoutMs, () => reject(new DongbaekError('transport/timeout', `no answer within ${timeoutMs} ms`, { timeoutMs })))
      })
      try {
        const answer = await Promise.race([target.answer(key, protocol, question), timeout])
        if (answer.length > responseBytesMax) throw new DongbaekError('transport/too-large', `the answer exceeds ${responseBytesMax} bytes`)
        return answer.slice()
      } finally {
        cancel()
        link.outgoing--
      }
    },
    handle: (protocol, handler) => void handlers.set(protocol, handler),
    onMessages: (channel, handler) => inboxes[channel].onMessages(handler),
    onPeer(handler) {
      peerHandler = handler
    },
    blame(peer, reason, data = {}) {
      const link = links.get(peer)
      if (link === undefined) return
      log.warn('peer-misbehaved', { peer, reason, ...data })
      link.offences++
      link.lastError = reason
      link.heldUntilMs = clock.monotonic() + limits.holdOffFirstMs
      clock.after(limits.holdOffFirstMs + 1, changed)
      changed()
    },
  }
  return transport
}
