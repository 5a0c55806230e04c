// Ordering: one life of a replica with all that serves it — driver, payloads, proposals, catching up. A validator that has lost its votes lives a first life
// as a follower and a second one with its key (recovery.ts); everything else of the node stays the same across both.
import { blockHash } from '../consensus/block.ts'
import type { CheckpointCertificate, Decision } from '../consensus/certificate.ts'
import type { ReplicaConfig } from '../consensus/config.ts'
import { encodeMessage, type Message } from '../consensus/messages.ts'
import type { Blame, Halt, Propose, Sync, Validate } from '../consensus/output.ts'
import type { LogRecord } from '../consensus/record.ts'
import { type Replica, restoreReplica } from '../consensus/replica.ts'
import type { ReplicaPoint } from '../consensus/restore.ts'
import type { Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { Availability } from './availability.ts'
import { createDriver, type Driver } from './driver.ts'
import { createFollower, type Follower } from './follower.ts'
import { createInbound } from './inbound.ts'
import type { Mempool } from './mempool.ts'
import { manifestOf, type Payload, payloadOf, type Payloads } from './payloads.ts'
import { type BlockLimits, makeProposal } from './proposer.ts'
import type { ChainStore } from './chain-store.ts'
import { payloadEntry } from './vote-entries.ts'
import type { Clock, Log, MessageHandler, Transport, Verifier, VoteLog } from './world.ts'

export interface Ordering {
  /** The first input; before it nothing happens. */
  readonly begin: () => void
  readonly replica: Replica
  readonly driver: Driver
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
  readonly votes: VoteLog
  readonly store: ChainStore
  readonly payloads: Payloads
  readonly mempool: Mempool
  readonly availability: Availability
  readonly transport: Transport
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly blockLimits: BlockLimits
  readonly maxClockDriftMs: number
  /** Of the other validators. */
  readonly validatorNames: () => readonly string[]
  readonly point: Omit<ReplicaPoint, 'manifestOf'>
  readonly deliver: (decision: Decision) => void
  readonly certified: (certificate: CheckpointCertificate) => void
  readonly blame: (blame: Blame) => void
  readonly halt: (halt: Halt) => void
  readonly onFatal: (error: unknown) => void
}

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
  const judging = new Set<string>()
  let stopped = false
  let checkpoint = context.point.stable?.content.height ?? (0 as Height)

  const keep = (payload: Payload): void => {
    payloads.put(payload)
    driver.keepPayload(payloadEntry(payload))
  }

  /** Waits until the block's time is not too far ahead of the clock. */
  const notEarly = async (timeMs: number): Promise<void> => {
    const aheadMs = timeMs - clock.now() - context.maxClockDriftMs
    if (aheadMs > 0) await new Promise<void>((resolve) => clock.after(aheadMs, resolve))
  }

  const judge = async ({ header, blockHash: hash, manifest, holders }: Validate): Promise<void> => {
    const key = toBase64url(hash)
    if (judging.has(key)) return
    judging.add(key)
    try {
      const known = payloads.get(hash)
      const payload = await availability.obtain({
        header,
        ...(manifest === undefined ? {} : { manifest }),
        holders: () => holders.map(({ name }) => name),
        isWanted: () => !stopped && header.height > replica.status().committed,
        final: false,
      })
      if (payload !== undefined) {
        await notEarly(header.timeMs)
        if (known === undefined) keep(payload)
      } else log.warn('payload-invalid', { height: header.height, proposer: header.proposer })
      driver.input({ type: 'payload', blockHash: hash, verdict: payload === undefined ? 'invalid' : 'valid' })
    } catch (error) {
      if (!(error instanceof DongbaekError) || error.code === 'verifier/stopped') throw error
      log.debug('payload-given-up', { height: header.height, code: error.code })
    } finally {
      judging.delete(key)
    }
  }

  const propose = (request: Propose): void => {
    const head = store.head()
    const made = makeProposal(request, mempool, payloads, head.hash, context.blockLimits, clock.now())
    if (made === undefined) {
      driver.input({ type: 'noProposal', view: request.view, height: request.height })
      return
    }
    const { proposal, references, transactions } = made
    const proposer = replica.status().index
    if (proposer === undefined) return
    keep(payloadOf({ chain: config.chain, height: request.height, parent: request.parent, timeMs: proposal.timeMs, proposer, payload: proposal.payload, payloadCount: proposal.payloadCount }, references, transactions))
    driver.input(proposal)
  }

  const obtain = async (decision: Decision): Promise<Payload> => {
    const { header } = decision
    const payload = await availability.obtain({ header, holders: context.validatorNames, isWanted: () => !stopped, final: true })
    if (payload === undefined) throw new DongbaekError('node/final-block-invalid', `block ${header.height} is final, yet its transactions do not decode here: this version does not fit the network. Start the release that the network runs`, { height: header.height })
    payloads.put(payload)
    return payload
  }

  const driver = createDriver({
    replica,
    votes,
    records: context.records,
    transport,
    clock,
    effects: {
      deliver: context.deliver,
      validate: (request) => void judge(request).catch((error: unknown) => (stopped ? undefined : onFatal(error))),
      propose,
      sync: ({ from, to, peers }: Sync) => {
        if (to >= from) follower.follow(to, peers.map(({ validator }) => validator.name))
        else for (const { validator } of peers) follower.askCertificate(validator.name)
      },
      certified: (certificate) => {
        checkpoint = certificate.content.height
        context.certified(certificate)
      },
      blame: context.blame,
      halt: context.halt,
    },
    validators: context.validatorNames,
    settle: async () => {
      await store.sync()
      return { stored: store.head().height, stable: checkpoint }
    },
    payloadEntries: (stored) => payloads.above(stored).map(payloadEntry),
    onFatal,
  })

  const follower = createFollower({
    transport,
    verifier,
    clock,
    log,
    context: verification,
    committed: () => replica.status().committed,
    executed: () => store.head().height,
    aheadMax: config.parameters.window,
    take: (decision, payload) => {
      payloads.put(payload)
      driver.input({ type: 'synced', decision })
    },
    // as if it had come by itself: checked, and taken only if it is news
    takeCertificate: (certificate, peer) => void inbound([{ peer, bytes: encodeMessage({ type: 'certified', certificate }) }]),
    onFatal,
  })

  const inbound = createInbound({
    verifier,
    transport,
    log,
    context: verification,
    wants: (message) => isWanted(message, replica),
    take: (message) => driver.input({ type: 'message', message }),
  })

  return {
    begin: () => driver.input({ type: 'start' }),
    replica,
    driver,
    follower,
    inbound,
    obtain,
    stop: async () => {
      stopped = true
      await Promise.all([follower.stop(), driver.stop()])
    },
  }
}

/** Votes on what is final already, and certificates of heights that are certified, need no signature check. */
function isWanted(message: Message, replica: Replica): boolean {
  const { committed, checkpoint } = replica.status()
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
