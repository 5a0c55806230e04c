// The real transport: libp2p over TCP, Noise and Yamux, between known peers only. No discovery, no identify, no relays: a peer id follows
// from a known public key, Noise proves it, and the gater refuses every other. Protocol ids carry the chain id, so nodes of two chains
// share no stream. docs/protocol.md has the bytes; world.ts what is promised.
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { compareBytes, equalBytes, toHex } from '../primitives/bytes.ts'
import { publicKeyBytes } from '../primitives/ed25519.ts'
import { codeOf, DongbaekError } from '../primitives/errors.ts'
import { createDialer, type Dialer } from './dialer.ts'
import { frugal, updateWindowRarely } from './frugal-wire.ts'
import { createInbox } from './inbox.ts'
import * as limits from './limits.ts'
import { createLink, perChannel, type Link } from './link.ts'
import { createThrottle } from './log.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { ask, asError, refuse, serve } from './requests.ts'
import { channels, requestProtocols, type Clock, type Log, type Peer, type PeerHandler, type RequestHandler, type RequestProtocol, type Transport } from './world.ts'

export interface Libp2pOptions {
  readonly chainId: string
  /** Ed25519, 32 bytes. */
  readonly seed: Uint8Array
  /** Undefined: this node only dials. Port 0: any. */
  readonly listen: { readonly host: string; readonly port: number } | undefined
  readonly clock: Clock
  readonly log: Log
  /** For tests; heartbeatMs and silenceMs otherwise. */
  readonly timing?: { readonly heartbeatMs: number; readonly silenceMs: number }
}

interface Known {
  readonly link: Link
  addresses: readonly string[]
  readonly dialer: Dialer
  readonly peerId: string
  inboundRequests: number
  outgoingRequests: number
  holdOffMs: number
  heldUntil: number
  offendedAt: number
}

/** Throws `transport/address` on a listen address of no known form. */
export async function createLibp2pTransport(options: Libp2pOptions): Promise<Transport> {
  const { clock, chainId } = options
  const log = options.log.child({ part: 'transport' })
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.seed)
  const ownKey = privateKey.publicKey.raw
  const ownId = peerIdFromPublicKey(privateKey.publicKey).toString()
  const listenAddress = options.listen === undefined ? undefined : toMultiaddr(`${bracketed(options.listen.host)}:${options.listen.port}`)
  const throttle = createThrottle(clock)
  const stopping = new AbortController()
  const inboxes = perChannel((channel) => createInbox(channel, limits.channelLimits[channel], clock, log))
  const byName = new Map<string, Known>()
  const byId = new Map<string, Known>()
  const requestHandlers = new Map<RequestProtocol, RequestHandler>()
  let peerHandler: PeerHandler | undefined
  let tickTimer: NodeJS.Timeout | undefined
  const protocolOf = (name: string): string => `/dongbaek/${chainId}/${name}/1`

  /** The reason for turning a proven peer away, or undefined. */
  function reasonAgainst(peerId: string): string | undefined {
    const known = byId.get(peerId)
    if (known === undefined) return 'its key is not in the list of known peers'
    return clock.monotonic() < known.heldUntil ? 'it broke the protocol a moment ago' : undefined
  }

  function deniesConnection(peerId: string, address: string): boolean {
    const reason = reasonAgainst(peerId)
    if (reason === undefined) return false
    const suppressed = throttle(`refused ${byId.get(peerId)?.link.peer.name ?? address.split('/tcp/')[0] ?? ''}`)
    if (suppressed !== undefined) log.warn('connection-refused', { peerId, peer: byId.get(peerId)?.link.peer.name, address, reason, suppressed })
    return true
  }

  const host: Libp2p = await createLibp2p({
    start: false,
    privateKey,
    addresses: { listen: listenAddress === undefined ? [] : [listenAddress.toString()] },
    transports: [
      tcp({
        dialOpts: { keepAlive: true, keepAliveInitialDelay: 5_000, noDelay: true },
        listenOpts: { keepAlive: true, keepAliveInitialDelay: 5_000, noDelay: true },
      }),
    ],
    connectionEncrypters: [frugal(noise({ crypto: noiseCrypto }))],
    streamMuxers: [
      yamux({
        maxInboundStreams: limits.inboundStreamsMax,
        streamOptions: { maxStreamWindowSize: limits.streamWindowBytesMax, maxReadBufferLength: limits.streamBufferBytesMax },
      }),
    ],
    connectionManager: {
      maxConnections: limits.connectionsMax,
      maxIncomingPendingConnections: limits.pendingConnectionsMax,
      inboundConnectionThreshold: limits.inboundConnectionsPerSecond,
      inboundUpgradeTimeout: limits.handshakeTimeoutMs,
      addressDialTimeout: limits.dialTimeoutMs,
      dialTimeout: limits.dialTimeoutMs,
      maxParallelDials: limits.peersMax,
      reconnectRetries: 0,
    },
    // our own heartbeat watches the connection
    connectionMonitor: { enabled: false },
    connectionGater: {
      denyInboundEncryptedConnection: (peerId, connection) => deniesConnection(peerId.toString(), connection.remoteAddr.toString()),
      denyOutboundEncryptedConnection: (peerId, connection) => deniesConnection(peerId.toString(), connection.remoteAddr.toString()),
    },
  })

  function knownOf(connection: Connection): Known | undefined {
    return byId.get(connection.remotePeer.toString())
  }

  host.addEventListener('connection:open', ({ detail: connection }) => {
    const known = knownOf(connection)
    if (known === undefined || stopping.signal.aborted) connection.abort(new Error('not a known peer any more'))
    else known.link.adopt(connection)
  })

  async function register(): Promise<void> {
    for (const channel of channels)
      await host.handle(protocolOf(channel), (stream, connection) => withKnown(stream, connection, (known) => {
        updateWindowRarely(stream)
        known.link.accept(channel, stream, connection)
      }), { maxInboundStreams: 1 })
    for (const protocol of requestProtocols)
      await host.handle(protocolOf(protocol), (stream, connection) => withKnown(stream, connection, (known) => answer(known, protocol, stream, connection)), {
        maxInboundStreams: limits.inboundStreamsMax,
        maxOutboundStreams: limits.inboundStreamsMax,
      })
  }

  function withKnown(stream: Stream, connection: Connection, act: (known: Known) => void): void {
    const known = knownOf(connection)
    if (known === undefined) stream.abort(new Error('not a known peer any more'))
    else act(known)
  }

  function answer(known: Known, protocol: RequestProtocol, stream: Stream, connection: Connection): void {
    const peer = known.link.peer.name
    const handler = requestHandlers.get(protocol)
    if (handler === undefined) return refuse(stream, 'transport/no-handler', stopping.signal)
    if (known.inboundRequests >= limits.inboundRequestsMax) return refuse(stream, 'transport/busy', stopping.signal)
    known.inboundRequests++
    const onFailure = (error: unknown): void => {
      if (!stopping.signal.aborted && throttle(`request ${peer} ${protocol}`) !== undefined) log.info('request-failed', { peer, protocol, code: codeOf(error), error })
    }
    const counted = (out: number, into: number): void => known.link.count(connection, out, into)
    // serve never rejects
    void serve(stream, stopping.signal, (question) => handler(peer, question), counted, onFailure).then(() => void known.inboundRequests--)
  }

  function offence(known: Known, reason: string, data: Readonly<Record<string, unknown>>): void {
    const { name } = known.link.peer
    const now = clock.monotonic()
    known.holdOffMs = now - known.offendedAt > limits.offenceMemoryMs ? limits.holdOffFirstMs : Math.min(known.holdOffMs * 2, limits.holdOffCapMs)
    known.offendedAt = now
    known.heldUntil = now + known.holdOffMs
    known.dialer.holdOff(known.holdOffMs)
    known.link.offended()
    const suppressed = throttle(`offence ${name} ${reason}`)
    if (suppressed !== undefined) log.warn('peer-misbehaved', { peer: name, reason, holdOffMs: known.holdOffMs, suppressed, ...data })
    known.link.failed(reason)
    known.link.drop(new Error(reason))
  }

  function tell(peer: string, connected: boolean): void {
    try {
      peerHandler?.(peer, connected)
    } catch (error) {
      log.error('peer-handler-failed', { peer, connected, error })
    }
  }

  function add(peer: Peer): void {
    const peerId = peerIdOf(peer)
    const link = createLink(peer, {
      clock,
      inboxes,
      protocolOf,
      heartbeatMs: options.timing?.heartbeatMs ?? limits.heartbeatMs,
      silenceMs: options.timing?.silenceMs ?? limits.silenceMs,
      ownKeySmaller: compareBytes(ownKey, peer.publicKey) < 0,
      onUp: () => {
        known.dialer.connected()
        log.info('peer-up', { peer: peer.name })
        tell(peer.name, true)
      },
      onDown: (wasUp, error) => {
        if (stopping.signal.aborted) return
        if (wasUp) {
          log.info('peer-down', { peer: peer.name, error: error?.message })
          tell(peer.name, false)
        } else if (error !== undefined && throttle(`lost ${peer.name}`) !== undefined) log.warn('connection-lost', { peer: peer.name, error: error.message })
        if (byName.get(peer.name) === known) known.dialer.wanted()
      },
      onOffence: (reason, error) => offence(known, reason, { error }),
    })
    const known: Known = { link, addresses: peer.addresses, dialer: createDialer(clock, () => dial(known)), peerId, inboundRequests: 0, outgoingRequests: 0, holdOffMs: 0, heldUntil: 0, offendedAt: -Infinity }
    byName.set(peer.name, known)
    byId.set(peerId, known)
    if (tickTimer !== undefined) known.dialer.wanted()
  }

  function remove(known: Known): void {
    byName.delete(known.link.peer.name)
    byId.delete(known.peerId)
    known.dialer.stop()
    known.link.forget(new Error('the peer is not known any more'))
  }

  async function dial(known: Known): Promise<boolean> {
    for (const address of known.addresses) {
      if (stopping.signal.aborted || known.link.isHeld()) return true
      try {
        await host.dial(toMultiaddr(address, known.peerId), { signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(limits.dialTimeoutMs)]), force: true })
        return true
      } catch (error) {
        const { message } = asError(error)
        known.link.failed(`${address}: ${message}`)
        if (!stopping.signal.aborted && throttle(`dial ${known.link.peer.name}`) !== undefined) log.info('dial-failed', { peer: known.link.peer.name, address, error: message })
      }
    }
    return false
  }

  let tickedAt = 0
  function tick(): void {
    const now = clock.monotonic()
    const late = now - tickedAt > limits.heartbeatTickMs + limits.tickLateMs
    tickedAt = now
    for (const known of byName.values()) known.link.tick(late)
  }

  return {
    async start() {
      try {
        await register()
        await host.start()
      } catch (cause) {
        const { host: name, port } = options.listen ?? { host: '-', port: 0 }
        throw new DongbaekError('transport/listen', `cannot listen at ${name}:${port}: ${asError(cause).message}. Free the port or choose another (p2p.port)`, { host: name, port }, { cause })
      }
      tickedAt = clock.monotonic()
      tickTimer = setInterval(tick, limits.heartbeatTickMs)
      for (const known of byName.values()) known.dialer.wanted()
    },
    async stop() {
      if (stopping.signal.aborted) return
      stopping.abort(new Error('the transport was stopped'))
      clearInterval(tickTimer)
      for (const channel of channels) inboxes[channel].stop()
      for (const known of byName.values()) {
        known.dialer.stop()
        known.link.drop(new Error('the transport was stopped'))
      }
      await host.stop()
    },
    listening() {
      const port = host.getMultiaddrs()[0]?.toString().match(/\/tcp\/(\d+)/)?.[1]
      return options.listen === undefined || port === undefined ? undefined : `${bracketed(options.listen.host)}:${port}`
    },
    setPeers(peers) {
      const wanted = checkedPeers(peers, ownId)
      for (const known of [...byName.values()]) {
        const peer = wanted.get(known.link.peer.name)
        if (peer === undefined || !equalBytes(peer.publicKey, known.link.peer.publicKey)) remove(known)
        else known.addresses = peer.addresses
      }
      for (const peer of wanted.values()) if (!byName.has(peer.name)) add(peer)
    },
    peers: () => [...byName.values()].map(({ link }) => link.status()),
    send: (peer, channel, message) => byName.get(peer)?.link.send(channel, message) ?? false,
    broadcast(channel, message, except) {
      let taken = 0
      for (const [name, { link }] of byName) if (name !== except && link.isUp() && link.send(channel, message)) taken++
      return taken
    },
    async request(peer, protocol, question, requestOptions) {
      if (stopping.signal.aborted) throw new DongbaekError('transport/stopped', 'the transport is stopped')
      const known = byName.get(peer)
      const connection = known?.link.connection()
      if (known === undefined || connection === undefined) throw new DongbaekError('transport/not-connected', `not connected to ${peer}`, { peer })
      if (known.outgoingRequests >= limits.outgoingRequestsMax) throw new DongbaekError('transport/busy', `${known.outgoingRequests} requests to ${peer} are under way`, { peer })
      known.outgoingRequests++
      try {
        return await ask(connection, protocolOf(protocol), question, requestOptions, stopping.signal, (out, into) => known.link.count(connection, out, into))
      } finally {
        known.outgoingRequests--
      }
    },
    handle: (protocol, handler) => void requestHandlers.set(protocol, handler),
    onMessages: (channel, handler) => inboxes[channel].onMessages(handler),
    onPeer(handler) {
      peerHandler = handler
    },
    blame(peer, reason, data = {}) {
      const known = byName.get(peer)
      if (known !== undefined) offence(known, reason, data)
    },
  }
}

export function peerIdOf(peer: Peer): string {
  if (peer.publicKey.length !== publicKeyBytes) throw new DongbaekError('transport/peers', `the key of peer ${peer.name} has ${peer.publicKey.length} bytes, not ${publicKeyBytes}`, { peer: peer.name })
  return peerIdFromPublicKey(publicKeyFromRaw(peer.publicKey)).toString()
}

/** By name; ourselves left out. Throws `transport/peers`. */
function checkedPeers(peers: readonly Peer[], ownId: string): Map<string, Peer> {
  if (peers.length > limits.peersMax) throw new DongbaekError('transport/peers', `${peers.length} peers where at most ${limits.peersMax} are allowed`)
  const byName = new Map<string, Peer>()
  const names = new Map<string, string>()
  for (const peer of peers) {
    const id = peerIdOf(peer)
    if (id === ownId) continue
    const other = names.get(id)
    if (other !== undefined || byName.has(peer.name)) throw new DongbaekError('transport/peers', `peer ${peer.name} (${toHex(peer.publicKey)}) is listed twice${other === undefined ? '' : `, also as ${other}`}`, { peer: peer.name })
    for (const address of peer.addresses) toMultiaddr(address)
    names.set(id, peer.name)
    byName.set(peer.name, peer)
  }
  return byName
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** `host:port`, where host is an IPv4 address, an IPv6 address in brackets or a name. Throws `transport/address`. */
function toMultiaddr(address: string, peerId?: string): Multiaddr {
  const [, v6, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(address) ?? []
  const name = v6 ?? plain
  if (name === undefined || Number(port) > 65_535) throw new DongbaekError('transport/address', `"${address}" is not host:port`, { address })
  const kind = v6 !== undefined ? 'ip6' : /^[0-9.]+$/.test(name) ? 'ip4' : 'dns'
  try {
    return multiaddr(`/${kind}/${name}/tcp/${port}${peerId === undefined ? '' : `/p2p/${peerId}`}`)
  } catch (cause) {
    throw new DongbaekError('transport/address', `"${address}" is not host:port: ${asError(cause).message}`, { address }, { cause })
  }
}
