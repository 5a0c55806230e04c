// The simulated transport: the contract of node/world.ts over a simulated network that loses, delays, repeats and reorders. Twins share a name and a key, and
// what is sent to the name reaches both.
import { equalBytes } from '../../../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../../../primitives/errors.ts'
import { createInbox } from '../../../node/inbox.ts'
import { answerBytesMax, channelLimits, holdOffCapMs, holdOffFirstMs, inboundRequestsMax, outgoingRequestsMax, questionBytesMax } from '../../../node/limits.ts'
import { channels, type Channel, type Clock, type Log, type Peer, type PeerHandler, type RequestHandler, type RequestProtocol, type Transport } from '../../../node/world.ts'
import { type Link, statusOf } from '../../support/link.ts'
import type { Random } from '../random.ts'
import type { Network } from '../network.ts'
import { type Life, never } from './life.ts'

/** A transport as the others see it. */
interface Endpoint {
  readonly id: number
  readonly publicKey: Uint8Array
  readonly chainId: string
  readonly isUp: () => boolean
  /** Our name of whoever has this key, if we let it in. */
  readonly admits: (publicKey: Uint8Array) => string | undefined
  readonly refresh: () => void
  readonly receive: (from: Uint8Array, channel: Channel, message: Uint8Array) => void
  readonly answer: (from: Uint8Array, protocol: RequestProtocol, question: Uint8Array) => Promise<Uint8Array>
}

export interface Switchboard {
  readonly network: Network
  readonly random: Random
  /** By number: the transport of the present life of each simulated machine. */
  readonly endpoints: Map<number, Endpoint>
}

export interface SimulatedTransportOptions {
  readonly id: number
  readonly publicKey: Uint8Array
  readonly chainId: string
  readonly clock: Clock
  readonly log: Log
  readonly life: Life
  /** What kind of message it is, for faults that pick kinds. */
  readonly kindOf?: (channel: Channel, message: Uint8Array) => string
  readonly onBlame?: (peer: string, reason: string) => void
}

export function createSimulatedTransport({ network, random, endpoints }: Switchboard, options: SimulatedTransportOptions): Transport {
  const { id, publicKey, chainId, clock, log, life, kindOf = (channel) => channel, onBlame = () => {} } = options
  const inboxes = { consensus: createInbox('consensus', channelLimits.consensus, clock, log), gossip: createInbox('gossip', channelLimits.gossip, clock, log) }
  const links = new Map<string, Link>()
  const handlers = new Map<RequestProtocol, RequestHandler>()
  const waiting = new Set<(error: DongbaekError) => void>()
  let peerHandler: PeerHandler | undefined
  let state: 'new' | 'started' | 'stopped' = 'new'
  const noFlow = { pause: () => {}, resume: () => {} }

  const linkOf = (key: Uint8Array): Link | undefined => {
    for (const link of links.values()) if (equalBytes(link.peer.publicKey, key)) return link
    return undefined
  }
  const admits = (key: Uint8Array): string | undefined => {
    const link = linkOf(key)
    return link === undefined || link.heldUntilMs > clock.monotonic() ? undefined : link.peer.name
  }
  /** Those that a connection to this peer can stand with now. */
  const reach = ({ peer }: Link): readonly Endpoint[] => {
    if (state !== 'started' || !life.alive || admits(peer.publicKey) === undefined) return []
    return [...endpoints.values()].filter((other) => other.id !== id && other.isUp() && other.chainId === chainId && equalBytes(other.publicKey, peer.publicKey) && other.admits(publicKey) !== undefined)
  }
  const refresh = (): void => {
    if (state !== 'started' || !life.alive) return
    for (const link of links.values()) {
      const up = reach(link).length > 0
      if (up === link.up) continue
      link.up = up
      link.sinceMs = clock.now()
      if (!up) for (const channel of channels) link.inbox[channel].clear()
      peerHandler?.(link.peer.name, up)
    }
  }
  const changed = (): void => {
    for (const other of endpoints.values()) clock.soon(other.refresh)
    clock.soon(refresh)
  }

  const self: Endpoint = {
    id,
    publicKey,
    chainId,
    isUp: () => state === 'started' && life.alive,
    admits,
    refresh,
    receive: (from, channel, message) => {
      const link = linkOf(from)
      if (link === undefined || !link.up || !self.isUp()) return
      link.bytesIn += message.length
      if (message.length > channelLimits[channel].messageBytesMax) return transport.blame(link.peer.name, `a message over the bound of ${channel}`)
      link.inbox[channel].push(message)
    },
    answer: async (from, protocol, question) => {
      const link = linkOf(from)
      const handler = handlers.get(protocol)
      const refused = (reason: string): DongbaekError => new DongbaekError('transport/refused', `the peer refused the request: ${reason}`)
      if (link === undefined || handler === undefined) throw refused('transport/no-handler')
      if (link.inbound >= inboundRequestsMax) throw refused('transport/busy')
      link.inbound++
      try {
        const answer = await handler(link.peer.name, question)
        if (answer.length > answerBytesMax) throw new DongbaekError('transport/too-large', 'the answer is too large')
        return answer
      } catch (error) {
        if (!(error instanceof DongbaekError)) log.error('request-handler-failed', { protocol, error })
        throw refused(codeOf(error))
      } finally {
        link.inbound--
      }
    },
  }

  const ask = async (link: Link, target: Endpoint, protocol: RequestProtocol, question: Uint8Array, { timeoutMs, responseBytesMax }: { readonly timeoutMs: number; readonly responseBytesMax: number }): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        if (!waiting.delete(fail)) return
        cancel()
        act()
      }
      const fail = (error: DongbaekError): void => settle(() => reject(error))
      waiting.add(fail)
      const cancel = clock.after(timeoutMs, () => fail(new DongbaekError('transport/timeout', `no answer within ${timeoutMs} ms`, { timeoutMs })))
      const back = (act: () => void): void => network.send(target.id, id, `${protocol} answer`, () => life.alive && settle(act))
      network.send(id, target.id, protocol, () => {
        if (!target.isUp()) return
        target.answer(publicKey, protocol, question).then(
          (answer) =>
            back(() => {
              link.bytesIn += answer.length
              if (answer.length > responseBytesMax) reject(new DongbaekError('transport/too-large', `the answer exceeds ${responseBytesMax} bytes`))
              else resolve(answer)
            }),
          (error: unknown) => back(() => reject(error)),
        )
      })
    })

  const transport: Transport = {
    start: async () => {
      state = 'started'
      endpoints.set(id, self)
      changed()
    },
    stop: async () => {
      if (state === 'stopped') return
      const stopped = new DongbaekError('transport/stopped', 'the transport is stopped')
      for (const fail of [...waiting]) fail(stopped)
      changed()
      state = 'stopped'
      if (endpoints.get(id) === self) endpoints.delete(id)
      for (const channel of channels) inboxes[channel].stop()
      for (const link of links.values()) link.up = false
    },
    listening: () => (state === 'started' ? `simulated:${id + 1}` : undefined),
    setPeers: (peers) => {
      const wanted = new Map<string, Peer>()
      for (const peer of peers) {
        if (equalBytes(peer.publicKey, publicKey)) continue
        if (wanted.has(peer.name) || [...wanted.values()].some((other) => equalBytes(other.publicKey, peer.publicKey))) throw new DongbaekError('transport/peers', `peer ${peer.name} is listed twice`, { peer: peer.name })
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
    send: (peer, channel, message) => {
      const link = links.get(peer)
      if (link === undefined || !life.passes()) return false
      const targets = link.up ? reach(link) : []
      if (targets.length === 0 || message.length === 0 || message.length > channelLimits[channel].messageBytesMax) {
        link.counts[channel].dropped++
        return false
      }
      link.counts[channel].sent++
      link.bytesOut += message.length
      const kind = kindOf(channel, message)
      for (const target of targets) network.send(id, target.id, kind, () => target.receive(publicKey, channel, message))
      return true
    },
    broadcast: (channel, message, except) => {
      let taken = 0
      for (const [name, link] of links) if (name !== except && link.up && transport.send(name, channel, message)) taken++
      return taken
    },
    request: async (peer, protocol, question, bounds) => {
      if (state === 'stopped') throw new DongbaekError('transport/stopped', 'the transport is stopped')
      if (!life.passes()) return never()
      const link = links.get(peer)
      const targets = link?.up === true ? reach(link) : []
      if (link === undefined || targets.length === 0) throw new DongbaekError('transport/not-connected', `not connected to ${peer}`, { peer })
      if (link.outgoing >= outgoingRequestsMax) throw new DongbaekError('transport/busy', `${link.outgoing} requests to ${peer} are under way`, { peer })
      if (question.length > questionBytesMax) throw new DongbaekError('transport/too-large', 'the question is too large')
      link.outgoing++
      link.bytesOut += question.length
      try {
        return await ask(link, random.pick(targets), protocol, question, bounds)
      } finally {
        link.outgoing--
      }
    },
    handle: (protocol, handler) => void handlers.set(protocol, handler),
    onMessages: (channel, handler) => inboxes[channel].onMessages(handler),
    onPeer: (handler) => {
      peerHandler = handler
    },
    blame: (peer, reason, data = {}) => {
      const link = links.get(peer)
      if (link === undefined || !life.alive) return
      log.warn('peer-misbehaved', { peer, reason, ...data })
      onBlame(peer, reason)
      const holdMs = Math.min(holdOffCapMs, holdOffFirstMs * 2 ** Math.min(10, link.offences))
      link.offences++
      link.lastError = reason
      link.heldUntilMs = clock.monotonic() + holdMs
      clock.after(holdMs + 1, changed)
      changed()
    },
  }
  return transport
}
