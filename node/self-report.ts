// What this node says of itself to operators: node_status and the gauges of the metrics, gathered from the parts that know.
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import { type Genesis, genesisHash } from '../genesis/genesis.ts'
import { toBase64url } from '../primitives/bytes.ts'
import type { NodeStatus, PeerStatus } from '../rpc/backend.ts'
import { faultsTolerated } from '../consensus/quorum.ts'
import { createFreshness, type Freshness } from './freshness.ts'
import type { ChainStore } from './chain-store.ts'
import type { Membership } from './membership.ts'
import type { Mempool } from './mempool.ts'
import type { Gauges } from './metrics.ts'
import type { Ordering } from './ordering.ts'
import { isInTouch, judge, placesInSight, type Judgement, type Situation } from './status.ts'
import { version } from './version.ts'
import type { Clock, Transport, VoteLog } from './world.ts'

export interface SelfReport {
  readonly status: () => NodeStatus
  readonly gauges: () => Gauges
  /** Ready, in touch, and not fetching what it lacks. */
  readonly isCaughtUp: () => boolean
  readonly freshness: Pick<Freshness, 'told' | 'look'>
  readonly noteCheckpoint: (certificate: CheckpointCertificate) => void
}

export interface SelfReportContext {
  readonly genesis: Genesis
  readonly clock: Clock
  readonly staleMs: number
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
  const { genesis, clock, chainId, membership, store, transport, mempool, votes, ordering } = context
  const hash = toBase64url(genesisHash(genesis))
  let lastCheckpoint: { readonly height: number; readonly stateRoot: string } | undefined

  const connectedPeers = (): readonly string[] => transport.peers().flatMap(({ name, connected }) => (connected ? [name] : []))

  const role = (): Situation['role'] => (membership.isValidator() ? 'validator' : 'observer')

  const syncTarget = (): number => Math.max(ordering().follower.target(), ordering().status().committed)

  const freshness = createFreshness(clock, () => {
    const set = membership.set()
    const connected = new Set(connectedPeers())
    const { height, timeMs } = store.head()
    return {
      inTouch: isInTouch(set, placesInSight(set, membership.ownName(), connected), role()),
      connected: new Set(set.validators.flatMap(({ name }) => (connected.has(name) ? [name] : []))),
      faulty: faultsTolerated(set.validators.length),
      fetching: syncTarget(),
      stored: height,
      headMs: timeMs,
    }
  })

  const judgement = (): Judgement => {
    return judge({
      view: ordering().status().view,
      waiting: ordering().waiting(),
      set: membership.set(),
      connected: new Set(connectedPeers()),
      self: membership.ownName(),
      role: role(),
      former: membership.formerPlace(),
      unknownRules: context.unknownRules(),
      evidence: context.evidence(),
      syncTarget: syncTarget(),
      behindMs: freshness.behind().ms,
      staleMs: context.staleMs,
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
      const { syncing, ready, problems } = judgement()
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
        behind: freshness.behind(),
        syncing,
        ready,
        problems,
        ...(lastCheckpoint === undefined ? {} : { checkpoint: lastCheckpoint }),
        mempool: mempool.size(),
      }
    },
    gauges: () => {
      const behind = freshness.behind()
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
        behindBlocks: behind.blocks,
        behindSeconds: behind.ms / 1_000,
        ready: judgement().ready,
        rulesUnknownFrom: context.unknownRules()?.fromHeight ?? 0,
        evidence: [...context.evidence().values()].reduce((sum, count) => sum + count, 0),
      }
    },
    isCaughtUp: () => {
      const { ready, inTouch, syncing } = judgement()
      return ready && inTouch && !syncing
    },
    freshness,
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
