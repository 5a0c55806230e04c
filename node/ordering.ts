// Ordering: one life of a replica with all that serves it — driver, payloads, proposals, catching up. A validator that has lost its votes lives a first life
// as a follower and a second one with its key (recovery.ts); everything else of the node stays the same across both.
import { blockHash } from '../consensus/block.ts'
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { ReplicaConfig } from '../consensus/config.ts'
import type { Message, Verified } from '../consensus/messages.ts'
import type { Blame, Halt, Propose, Sync, ViewNote } from '../consensus/output.ts'
import type { LogRecord } from '../consensus/record.ts'
import type { ReplicaStatus } from '../consensus/report.ts'
import { type Replica, restoreReplica } from '../consensus/replica.ts'
import type { Durable, ReplicaPoint } from '../consensus/restore.ts'
import type { Hash, Height, View } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Seen } from '../state/seen.ts'
import type { Availability } from './availability.ts'
import type { ChainStore } from './chain-store.ts'
import { createDriver, type Driver } from './driver.ts'
import { createFollower, type Follower, type FollowerContext } from './follower.ts'
import { createInbound } from './inbound.ts'
import { createJudging } from './judging.ts'
import { openPayloadBytesMax } from './limits.ts'
import type { Mempool } from './mempool.ts'
import { createOwnVotes, type OwnVote, type OwnVotes } from './own-votes.ts'
import { createPacing } from './pacing.ts'
import { manifestOf, type Payload, payloadOf, type Payloads } from './payloads.ts'
import { type BlockLimits, makeProposal } from './proposer.ts'
import { askedView, higher, preparedHeight, type Standing, type ViewPlace } from './recovery.ts'
import { payloadEntry, storedPayloadEntry, votingEntry } from './vote-entries.ts'
import type { Clock, Log, MessageHandler, Transport, Verifier, VoteLog } from './world.ts'

export interface Ordering {
  /** The first input; before it nothing happens. */
  readonly begin: () => void
  readonly status: () => ReplicaStatus
  readonly waiting: Replica['waiting']
  readonly schedule: Replica['schedule']
  /** Of this and of earlier lives, as far as the vote log goes back. */
  readonly standing: () => Standing
  readonly driver: Driver
  /** Whether anything waits to be ordered; told whenever that changes and whenever more has come. */
  readonly work: (pending: boolean) => void
  readonly follower: Follower
  /** Handler of the consensus channel. */
  readonly inbound: MessageHandler
  /** The payload of a final block, fetched for as long as it takes. */
  readonly obtain: (decision: Decision) => Promise<Payload>
  readonly stop: () => Promise<void>
}

export interface OrderingContext {
  readonly config: ReplicaConfig
  readonly records: readonly LogRecord[]
  /** The vote log says so (recovery.ts), and goes on saying it when it is cut. */
  readonly mayVote: () => boolean
  /** While false nothing is sent: what is stepped through and recorded has not been said. */
  readonly maySpeak: () => boolean
  /** Someone has shown a vote of this validator that its log knows nothing of. */
  readonly onForgotten: (vote: OwnVote) => void
  readonly votes: VoteLog
  readonly store: ChainStore
  readonly payloads: Payloads
  readonly mempool: Mempool
  readonly hasRun: (transaction: Seen) => boolean
  readonly availability: Availability
  readonly transport: Transport
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly blockLimits: BlockLimits
  readonly maxClockDriftMs: number
  /** Of the other validators. */
  readonly validatorNames: () => readonly string[]
  readonly followerNames: () => readonly string[]
  readonly point: Omit<ReplicaPoint, 'manifestOf'>
  readonly deliver: (decision: Decision) => void
  readonly certified: (certificate: CheckpointCertificate) => void
  /** How far the store has come. */
  readonly durable: () => Durable
  readonly blame: (blame: Blame) => void
  readonly halt: (halt: Halt) => void
  readonly far: FollowerContext['far']
  readonly held: FollowerContext['held']
  readonly onFatal: (error: unknown) => void
}

const noView: ViewPlace = { epoch: 1 as Height, view: 0 as View }

export function createOrdering(context: OrderingContext): Ordering {
  const { config, votes, store, payloads, mempool, availability, transport, verifier, clock, log, onFatal } = context
  const replica = restoreReplica(
    config,
    {
      ...context.point,
      manifestOf: (header) => {
        const payload = payloads.get(blockHash(header))
        return payload === undefined ? undefined : manifestOf(payload.references)
      },
    },
    context.records,
  )
  const verification = (): { chain: string; genesis: ReplicaConfig['genesis']; schedule: ReturnType<Replica['schedule']> } => ({ chain: config.chain, genesis: config.genesis, schedule: replica.schedule() })
  // asked for each message, and the same between two steps
  let known: ReplicaStatus | undefined
  const status = (): ReplicaStatus => (known ??= replica.status())
  let top = context.records.reduce((highest, record) => Math.max(highest, preparedHeight(record) ?? 0), store.head().height as number)
  let asked = context.records.reduce((highest, record) => higher(highest, askedView(record)), config.forgotten ?? noView)
  const ownVotes = createOwnVotes(config, replica.schedule, context.records)
  let stopped = false
  let toldWork = false
  /** The last answer to `propose` was that there is nothing to order. */
  let refused = false
  let proposed: Hash | undefined
  let pruneAt = openPayloadBytesMax

  /** What no vote rests on any more: proposals of views that were left. */
  const prune = (): void => {
    const { committed } = status()
    payloads.retain((header, block) => header.height <= committed || replica.needsPayload(block) || judging.isUnderWay(block) || (proposed !== undefined && equalBytes(block, proposed)))
    pruneAt = Math.max(openPayloadBytesMax, 2 * payloads.bytes())
  }

  const keep = (payload: Payload): void => {
    if (payloads.isKept(blockHash(payload.header))) return
    if (payloads.bytes() > pruneAt) prune()
    payloads.put(payload, true)
    driver.keepPayload(payloadEntry(payload))
  }

  const judging = createJudging({
    availability,
    clock,
    log,
    committed: () => status().committed,
    transactionsMax: context.blockLimits.transactionsMax,
    maxClockDriftMs: context.maxClockDriftMs,
    keep,
    verdict: (block, verdict) => driver.input({ type: 'payload', blockHash: block, verdict }),
    onFatal,
  })

  const makeBlock = (request: Propose): void => {
    const made = makeProposal(request, mempool, { payloads, executedHead: store.head().hash, hasRun: context.hasRun }, context.blockLimits, clock.now())
    const proposer = status().index
    if (made === undefined || proposer === undefined) {
      refused = true
      driver.input({ type: 'noProposal', view: request.view, height: request.height })
      return
    }
    const { proposal, references, transactions } = made
    const payload = payloadOf({ chain: config.chain, height: request.height, parent: request.parent, timeMs: proposal.timeMs, proposer, payload: proposal.payload, payloadCount: proposal.payloadCount }, references, transactions)
    keep(payload)
    proposed = blockHash(payload.header)
    driver.input(proposal)
  }

  const pacing = createPacing({
    clock,
    committed: () => status().committed,
    view: () => status().view,
    waiting: () => mempool.size().transactions - payloads.transactions(),
    enough: Math.ceil(context.blockLimits.transactionsMax / 4),
    viewTimeoutMs: config.timing.viewTimeoutMs,
    make: makeBlock,
  })

  /** The replica has to hear of more only when it was told that there is nothing. */
  const work = (pending: boolean): void => {
    if (pending !== toldWork || (pending && refused)) driver.input({ type: 'work', pending })
    toldWork = pending
    refused = false
    pacing.look()
  }

  const obtain = async (decision: Decision): Promise<Payload> => {
    const { header } = decision
    const payload = await availability.obtain({ header, manifest: () => judging.manifestOf(blockHash(header)), holders: context.validatorNames, isWanted: () => !stopped, final: true })
    if (payload === undefined) throw new DongbaekError('node/final-block-invalid', `block ${header.height} is final, yet its transactions do not decode here: this version does not fit the network. Start the release that the network runs`, { height: header.height })
    payloads.put(payload, false)
    return payload
  }

  /** Payloads that the disk must hold besides the votes: of open blocks, and of those that the store has not been synced with yet. */
  const payloadEntries = (stored: Height): readonly Uint8Array[] => {
    const entries = payloads.keptAbove(stored).map(payloadEntry)
    for (let height = (stored + 1) as Height; height <= store.head().height; height = (height + 1) as Height) {
      const row = store.block(height)
      const envelopes = store.payload(height)
      if (row !== undefined && envelopes !== undefined && !payloads.isKept(row.certificate.blockHash)) entries.push(storedPayloadEntry(row, envelopes))
    }
    return entries
  }

  const logView = (note: ViewNote): void => {
    const { epoch, committed } = status()
    const { view } = note
    if (note.what === 'entered') log.info('view-entered', { epoch, view, committed })
    else if (note.what === 'proven') log.warn('view-left', { epoch, view, committed, reason: 'final-in-that-view' })
    else log.warn(note.what === 'asked' ? 'view-change-asked' : 'view-left', { epoch, view, committed, reason: note.reason })
  }

  const driver = createDriver({
    replica: {
      step: (input) => {
        known = undefined
        const output = replica.step(input)
        for (const record of output.persist) {
          top = Math.max(top, preparedHeight(record) ?? 0)
          asked = higher(asked, askedView(record))
          ownVotes.note(record)
        }
        return output
      },
      closing: replica.closing,
    },
    votes,
    records: context.records,
    transport: { send: (peer, channel, message) => context.maySpeak() && transport.send(peer, channel, message) },
    clock,
    effects: {
      deliver: (decision) => {
        context.deliver(decision)
        judging.advance()
        pacing.look()
      },
      validate: judging.judge,
      propose: pacing.ask,
      sync: ({ from, to, peers }: Sync) => {
        const names = peers.map(({ validator }) => validator.name)
        if (to < from) follower.followCheckpoint(names)
        else follower.follow(to, names)
      },
      certified: context.certified,
      blame: context.blame,
      viewChanged: logView,
      halt: context.halt,
    },
    validators: context.validatorNames,
    followers: context.followerNames,
    stored: context.durable,
    syncStore: store.sync,
    otherEntries: (stored) => [...(context.mayVote() ? [votingEntry(config.forgotten)] : []), ...payloadEntries(stored)],
    onFatal,
  })

  const look = (shown: Parameters<OwnVotes['forgottenIn']>[0]): void => {
    const forgotten = ownVotes.forgottenIn(shown, status().committed)
    if (forgotten !== undefined) context.onForgotten(forgotten)
  }
  const take = (message: Verified<Message>): void => {
    look(message)
    driver.input({ type: 'message', message })
  }

  const follower = createFollower({
    transport,
    verifier,
    clock,
    log,
    context: verification,
    committed: () => status().committed,
    checkpoint: () => status().checkpoint,
    executed: () => store.head().height,
    aheadMax: config.parameters.window,
    take: (decision, payload) => {
      look({ type: 'decision', decision })
      payloads.put(payload, false)
      driver.input({ type: 'synced', decision })
    },
    takeCheckpoint: take,
    far: context.far,
    held: context.held,
    onFatal,
  })

  const inbound = createInbound({
    verifier,
    transport,
    log,
    context: verification,
    wants: (message) => isWanted(message, status()),
    take,
    behind: (claimed, peer) => follower.follow(claimed, [peer], peer),
  })

  return {
    begin: () => driver.input({ type: 'start' }),
    status,
    waiting: replica.waiting,
    schedule: replica.schedule,
    standing: () => {
      const { committed, epoch, view } = status()
      const highest = higher(asked, { epoch, view })
      return { top: Math.max(top, committed) as Height, epoch: highest.epoch, view: highest.view }
    },
    driver,
    work,
    follower,
    inbound,
    obtain,
    stop: async () => {
      stopped = true
      judging.stop()
      pacing.stop()
      await Promise.all([follower.stop(), driver.stop()])
    },
  }
}

/** Votes on what is final already, and certificates of heights that are certified, need no signature check. */
export function isWanted(message: Message, { committed, checkpoint }: ReplicaStatus): boolean {
  switch (message.type) {
    case 'pre-prepare':
      return message.header.height > committed
    case 'prepare':
    case 'commit':
      return message.height > committed
    case 'checkpoint':
      return message.content.height > checkpoint
    case 'certified':
      return message.certificate.content.height > checkpoint
    default:
      return true
  }
}
