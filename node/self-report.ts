// What this node says of itself to operators: node_status and the gauges of the metrics, gathered from the parts that know.
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import { type Genesis, genesisHash } from '../genesis/genesis.ts'
import { toBase64url } from '../primitives/bytes.ts'
import type { NodeStatus, PeerStatus } from '../rpc/backend.ts'
import type { ChainStore } from './chain-store.ts'
import type { Membership } from './membership.ts'
import type { Mempool } from './mempool.ts'
import type { Gauges } from './metrics.ts'
import type { Ordering } from './ordering.ts'
import { judge, type Judgement, type Situation } from './status.ts'
import { version } from './version.ts'
import type { Transport, VoteLog } from './world.ts'

export interface SelfReport {
  readonly status: () => NodeStatus
  readonly gauges: () => Gauges
  /** Caught up, voting if it is a validator, and in touch with a quorum. */
  readonly isReady: () => boolean
  readonly noteCheckpoint: (certificate: CheckpointCertificate) => void
}

export interface SelfReportContext {
  readonly genesis: Genesis
  readonly chainId: string
  readonly membership: Membership
  readonly store: ChainStore
  readonly transport: Transport
  readonly mempool: Mempool
  readonly votes: VoteLog
  readonly ordering: () => Ordering
  readonly recovering: () => Situation['recovering']
  readonly halted: () => string | undefined
  /** A rule set that is scheduled and that this program does not know. */
  readonly unknownRules: () => Situation['unknownRules']
  /** How many contradictions of each validator are kept. */
  readonly evidence: () => Situation['evidence']
}

export function createSelfReport(context: SelfReportContext): SelfReport {
  const { genesis, chainId, membership, store, transport, mempool, votes, ordering } = context
  const hash = toBase64url(genesisHash(genesis))
  let lastCheckpoint: { readonly height: number; readonly stateRoot: string } | undefined

  const connectedPeers = (): readonly string[] => transport.peers().flatMap(({ name, connected }) => (connected ? [name] : []))

  const role = (): Situation['role'] => (membership.isValidator() ? 'validator' : 'observer')

  const judgement = (): Judgement => {
    const replica = ordering().status()
    return judge({
      replica,
      set: membership.set(),
      connected: new Set(connectedPeers()),
      self: membership.ownName(),
      role: role(),
      former: membership.formerPlace(),
      unknownRules: context.unknownRules(),
      evidence: context.evidence(),
      syncTarget: Math.max(ordering().follower.target(), replica.committed),
      stored: store.head().height,
      pending: mempool.size().transactions,
      recovering: context.recovering(),
      halted: context.halted(),
    })
  }

  return {
    status: () => {
      const head = store.head()
      const replica = ordering().status()
      return {
        version,
        chainId,
        genesisHash: hash,
        name: membership.ownName(),
        role: role(),
        head: { height: head.height, hash: toBase64url(head.hash), timeMs: head.timeMs },
        view: replica.view,
        primary: replica.primary.name,
        peers: connectedPeers().length,
        ...judgement(),
        ...(lastCheckpoint === undefined ? {} : { checkpoint: lastCheckpoint }),
        mempool: mempool.size(),
      }
    },
    gauges: () => {
      const { view, committed } = ordering().status()
      const { transactions, bytes } = mempool.size()
      return {
        head: store.head().height,
        committed,
        checkpoint: lastCheckpoint?.height ?? 0,
        view,
        peers: connectedPeers().length,
        pendingTransactions: transactions,
        pendingBytes: bytes,
        voteLogBytes: votes.sizeBytes(),
        ready: judgement().ready,
        rulesUnknownFrom: context.unknownRules()?.fromHeight ?? 0,
        evidence: [...context.evidence().values()].reduce((sum, count) => sum + count, 0),
      }
    },
    isReady: () => judgement().ready,
    noteCheckpoint: ({ content }) => {
      if (content.height >= (lastCheckpoint?.height ?? 0)) lastCheckpoint = { height: content.height, stateRoot: toBase64url(content.stateRoot) }
    },
  }
}

export function peerStatuses(transport: Pick<Transport, 'peers'>): readonly PeerStatus[] {
  return transport.peers().map(({ name, connected, sinceMs, bytesIn, bytesOut, channels, lastError }) => {
    const dropped = Object.values(channels).reduce((sum, { droppedMessages }) => sum + droppedMessages, 0)
    return { name, connected, sinceMs, bytesIn, bytesOut, dropped, ...(lastError === undefined ? {} : { lastError }) }
  })
}
