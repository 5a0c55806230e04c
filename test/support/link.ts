// What both transports in memory keep of a peer, and how they report it.
import type { InboxPeer } from '../../node/inbox.ts'
import type { Channel, Peer, PeerStatus } from '../../node/world.ts'

export interface Link {
  readonly peer: Peer
  readonly inbox: Readonly<Record<Channel, InboxPeer>>
  readonly counts: Record<Channel, { sent: number; dropped: number }>
  up: boolean
  sinceMs: number
  offences: number
  heldUntilMs: number
  bytesIn: number
  bytesOut: number
  outgoing: number
  inbound: number
  lastError: string | undefined
}

export function statusOf(link: Link): PeerStatus {
  const channel = (name: Channel): PeerStatus['channels'][Channel] => ({
    queuedMessages: 0,
    queuedBytes: 0,
    sentMessages: link.counts[name].sent,
    receivedMessages: link.inbox[name].receivedMessages(),
    droppedMessages: link.counts[name].dropped,
  })
  return {
    name: link.peer.name,
    connected: link.up,
    sinceMs: link.sinceMs,
    bytesIn: link.bytesIn,
    bytesOut: link.bytesOut,
    channels: { consensus: channel('consensus'), gossip: channel('gossip') },
    offences: link.offences,
    lastError: link.lastError,
  }
}
