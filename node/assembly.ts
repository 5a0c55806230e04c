// The assembly: all parts of a running node and who talks to whom. Every part does its own work; nothing is decided here but the order of things.
import type { Registry } from 'prom-client'
import type { CheckpointCertificate } from '../consensus/certificate.ts'
import { encodeMessage } from '../consensus/messages.ts'
import type { LogRecord } from '../consensus/record.ts'
import { type Durable, neededRecords, type ReplicaPoint } from '../consensus/restore.ts'
import { epochAt } from '../consensus/validators.ts'
import type { ForgottenVotes } from '../consensus/votes.ts'
import { type Genesis, genesisRef } from '../genesis/genesis.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes, toBase64url } from '../primitives/bytes.ts'
import { transactionBytesMax } from '../primitives/limits.ts'
import type { Operator } from '../rpc/admin.ts'
import type { Backend } from '../rpc/backend.ts'
import { createAdmission } from './admission.ts'
import { createAvailability } from './availability.ts'
import { createBackend } from './backend.ts'
import { createBodyFetch } from './body-fetch.ts'
import { bodyStandingIn, openBodies } from './bodies.ts'
import { createBodyScrub } from './body-scrub.ts'
import { decisionsAbove } from './chain-store.ts'
import type { Config } from './config.ts'
import { checkedSource } from './checked-state.ts'
import { asDamage } from './damage.ts'
import { createDoor } from './door.ts'
import { openEvidence } from './evidence.ts'
import { createExecutor, type ExecutedBlock } from './executor.ts'
import { createGossip } from './gossip.ts'
import { createHouse } from './house.ts'
import { createJoining } from './joining.ts'
import { resendTransactionsMax } from './limits.ts'
import { createMembership } from './membership.ts'
import { createMempool } from './mempool.ts'
import { createMetrics } from './metrics.ts'
import type { OpenChain } from './open-chain.ts'
import { createOrdering, type Ordering } from './ordering.ts'
import { createPayloads } from './payloads.ts'
import { replicaConfigOf } from './replica-config.ts'
import { readUnknownRules, readValidityMs, ruleSetsKey } from './rules.ts'
import { type PruningContext, pruneOps } from './pruning.ts'
import { restorePayloads } from './restore-payloads.ts'
import { createSelfReport, peerStatuses } from './self-report.ts'
import { createSetLearning } from './set-learning.ts'
import { createSetCertificates } from './set-certificates.ts'
import { createServing } from './serving.ts'
import { createSnapshots } from './snapshots.ts'
import { isUnused, noEntries, readEntries, votingEntry } from './vote-entries.ts'
import { remembersVotes, voteMark, whyVotesMissing } from './vote-mark.ts'
import { createVoting } from './voting.ts'
import { createWaiters } from './waiters.ts'
import type { Clock, Log, Signer, Store, Transport, Verifier, VoteLog } from './world.ts'

/** What faces the clients and calls the backend for them: the RPC server, or whoever else is at the door. */
export interface Front {
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface AssembledNode<F extends Front> {
  readonly chainId: string
  readonly front: F
  readonly operator: Pick<Operator, 'status' | 'peers' | 'makeSnapshot'>
  /** In order: no new work, votes and blocks on the disk, connections closed. Idempotent. */
  readonly stop: () => Promise<void>
  /** Resolves when the node had to stop by itself, with the reason. */
  readonly failed: Promise<unknown>
  /** Resolves when the node has stopped because a snapshot was fetched: it is to be opened anew, on the database that holds it (joined-store.ts). */
  readonly joined: Promise<void>
}

export interface Opened {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  readonly genesis: Genesis
  readonly chainId: string
  readonly signer: Signer
  readonly database: Store
  readonly chain: OpenChain
  readonly votes: VoteLog
  readonly entries: readonly Uint8Array[]
  readonly verifier: Verifier
  readonly transport: Transport
  /** Where the metrics go. */
  readonly metrics: Registry
  readonly closeAll: () => Promise<void>
}

/** The front is started last and stopped first. */
export async function assembleNode<F extends Front>(opened: Opened, makeFront: (backend: Backend) => F): Promise<AssembledNode<F>> {
  const { config, log, clock, genesis, chainId, signer, database, chain, votes, verifier, transport, closeAll } = opened
  const { store, state } = chain
  const { consensus } = genesis
  const membership = createMembership({ config, genesis, publicKey: signer.publicKey, store })
  const { validatorNames, followerNames } = membership

  let entries = readEntries(opened.entries)
  // the first start of a key that was made with its log (unused-key.ts)
  if (isUnused(entries) && !remembersVotes(database)) await database.batch([voteMark(votes.position())], { sync: true })
  // one that halted signs nothing whatever its log lacks
  const forgotten = entries.mayVote && !entries.records.some(({ type }) => type === 'halted') ? whyVotesMissing(database, votes.position()) : undefined
  if (forgotten !== undefined) {
    log.error('votes-outdated', { why: forgotten })
    await votes.renew()
    entries = noEntries
  }
  let forgottenBefore = entries.forgotten
  let certificateStored = (await store.checkpointAtOrBelow(store.head().height))?.content.height ?? (0 as Height)
  const durable = (): Durable => ({ stored: store.head().height, stable: certificateStored })
  const payloads = createPayloads()
  restorePayloads(payloads, entries.records, entries.payloads, store.head().height)
  const mempool = createMempool()
  const waiters = createWaiters(clock)
  const evidence = await openEvidence({ store: database, onFatal: (error) => onFatal(error) })
  const bodies = await openBodies({ store: database, clock, stateOf: (hash) => bodyStandingIn(state, hash) })
  const bodyFetch = createBodyFetch({ bodies, transport, peers: () => membership.peers().map(({ name }) => name), clock, log, onFatal: (error) => onFatal(error) })
  const bodyScrub = createBodyScrub({ bodies, clock, log, onFatal: (error) => onFatal(error) })

  let halted: string | undefined
  let failure: { readonly reason: unknown } | undefined
  let stopping: Promise<void> | undefined
  let tellFailed: (reason: unknown) => void = () => {}
  const failed = new Promise<unknown>((resolve) => (tellFailed = resolve))
  let tellJoined: () => void = () => {}
  const joined = new Promise<void>((resolve) => (tellJoined = resolve))

  const onFatal = (error: unknown): void => {
    if (stopping !== undefined) return
    const reason = asDamage(database.place, error)
    failure = { reason }
    log.error('node-failed', { error: reason })
    void stop().then(() => tellFailed(reason))
  }

  let validityMs = readValidityMs(store)
  let unknownRules = readUnknownRules(store)
  const warnOfRules = (): void => (unknownRules === undefined ? undefined : log.warn('rules-unknown', { version: unknownRules.version, fromHeight: unknownRules.fromHeight }))
  const admission = createAdmission({
    chainId,
    mempool,
    verifier,
    clock,
    hasRun: state.seen.has,
    validityMsMax: () => validityMs,
    onAdded: (ready) => {
      availability.arrived(ready)
      tellWork()
    },
  })
  const availability = createAvailability({ chainId, mempool, admission, gossipSettled: () => gossip.settled(), transport, verifier, clock, log, blockBytesMax: consensus.bytesMax, own: payloads.get })
  const gossip = createGossip({
    transport,
    admission,
    clock,
    log,
    validators: validatorNames,
    everybody: () => membership.peers().map(({ name }) => name),
    takeBody: async (body, peer) => void (await bodies.put(body, peer)),
    takeHead: (head, peer) => {
      report.freshness.told(peer, head)
      followFrom(head, peer, peer)
    },
  })
  const setCertificates = createSetCertificates({ chainId, store, epochs: membership.epochs, transport, verifier, clock, log, onFatal })
  const pruning: PruningContext = { store, state, keepBlocks: config.limits.keepBlocks, lowestSnapshot: () => snapshots.list()[0]?.height }
  const executor = createExecutor({
    chainId,
    // others read while a block is being stored, when the tree is ahead
    state: { ...state, source: checkedSource(store.stateValue, state.tree, database.place) },
    store,
    clock,
    obtain: (decision) => ordering.obtain(decision),
    opsOf: ({ receipts }, height, timeMs) => [...bodies.opsOf(receipts), voteMark(votes.position()), ...pruneOps(pruning, height, timeMs)],
    onExecuted: (block) => onExecuted(block),
    onFatal,
  })

  const followFrom = (head: Height, peer: string, teller?: string): void => ordering.follower.follow(head, [peer, ...validatorNames().filter((name) => name !== peer)], teller)
  const certifiedHead = (): CheckpointCertificate | undefined => {
    const { height, stateRoot } = store.head()
    // the tree is ahead while a block is being stored
    return equalBytes(state.tree.root(), stateRoot) ? store.checkpoint(height) : undefined
  }
  const snapshots = createSnapshots({ dataDir: config.dataDir, pastState: store.pastState, clock, log, everyBlocks: config.limits.snapshotBlocks, checkpointInterval: consensus.checkpointInterval, certifiedHead })
  const setLearning = createSetLearning({ chainId, schedule: () => ordering.schedule(), transport, verifier, log })
  const joining = createJoining({
    dataDir: config.dataDir,
    chainId,
    database,
    transport,
    verifier,
    clock,
    log,
    context: () => ({ chain: chainId, genesis: genesisRef(genesis), schedule: setLearning.schedule() }),
    learnSets: setLearning.learnFrom,
    head: () => store.head().height,
    behindBlocks: config.limits.snapshotBlocks,
    onJoined: () => void stop().then(tellJoined),
    onFatal,
  })

  const tellWork = (): void => ordering.work(mempool.size().transactions > 0)

  const onExecuted = ({ height, hash, payload, executed }: ExecutedBlock): void => {
    snapshots.blockStored(height)
    const latestArrivalMs = mempool.latestArrivalMs(payload.ids, clock.monotonic())
    mempool.remove(payload.ids)
    payloads.release(height)
    validityMs = readValidityMs(store)
    const { scheduled, changed } = membership.blockStored(height, executed.changes)
    ordering.driver.input({ type: 'executed', height, blockHash: hash, stateRoot: executed.stateRoot, ...(scheduled === undefined ? {} : { nextSet: scheduled }) })
    ordering.follower.advance()
    if (changed) membersChanged()
    if (executed.changes.some(({ key }) => key === ruleSetsKey)) {
      unknownRules = readUnknownRules(store)
      warnOfRules()
    }
    for (const receipt of executed.receipts) waiters.tell(receipt)
    report.freshness.look()
    backend.blockStored(height)
    if (membership.isValidator()) for (const name of followerNames()) gossip.tellHead(height, name)
    const refused = executed.receipts.filter(({ status }) => status === 'refused').length
    metrics.executed(executed.receipts.length - refused, refused)
    house.blockStored(payload.transactions.length < consensus.transactionsMax && payload.bytes + transactionBytesMax <= consensus.bytesMax, latestArrivalMs)
    log.debug('block', { height, transactions: executed.receipts.length, refused })
    tellWork()
  }

  /** Nothing is executed or signed any more; what is there stays, and is shown as what it is. */
  const halt = (why: string): void => {
    halted = `stopped: ${why}. Keep the data folder, tell the developers, and start in an empty one`
    void executor.stop()
  }

  const pointOfStore = async (): Promise<Omit<ReplicaPoint, 'manifestOf'>> => {
    const { height, hash, stateRoot } = store.head()
    if (store.block(height) === undefined) return { epochs: membership.epochs() }
    const stable = await store.checkpointAtOrBelow(height)
    const decisions = decisionsAbove(store, stable?.content.height ?? (0 as Height))
    return { epochs: membership.epochs(), decisions, executed: { height, blockHash: hash, stateRoot }, ...(stable === undefined ? {} : { stable }) }
  }

  /** `keyed`: a life that votes. */
  const beginOrdering = async (records: readonly LogRecord[], keyed: boolean): Promise<Ordering> =>
    createOrdering({
      config: replicaConfigOf(genesis, signer, keyed, forgottenBefore),
      records,
      mayVote: voting.isWhole,
      maySpeak: () => !keyed || voting.recovering() === undefined,
      onForgotten: voting.forget,
      point: await pointOfStore(),
      votes,
      store,
      payloads,
      mempool,
      hasRun: state.seen.has,
      availability,
      transport,
      verifier,
      clock,
      log,
      blockLimits: { transactionsMax: consensus.transactionsMax, bytesMax: consensus.bytesMax },
      maxClockDriftMs: consensus.maxClockDriftMs,
      validatorNames,
      followerNames,
      deliver: executor.deliver,
      certified: (certificate) => {
        const { height } = certificate.content
        // one that names a set to come is a link of the chain of sets, and is made once: all validators may lose power together
        const isLink = membership.epochs().some(({ activation }) => activation > height)
        const put = store.putCheckpoint(certificate)
        const stored = (isLink ? put.then(store.sync) : put).then(() => {
          certificateStored = Math.max(certificateStored, height) as Height
          backend.checkpointStored(certificate)
          snapshots.certified(certificate)
        })
        stored.catch(onFatal)
        const encoded = encodeMessage({ type: 'certified', certificate })
        if (membership.isValidator()) for (const name of followerNames()) transport.send(name, 'consensus', encoded)
      },
      durable,
      blame: (blame) => {
        log.error('evidence', { validator: blame.validator.name, kind: blame.kind, height: blame.height, view: blame.view })
        metrics.blamed()
        evidence.note(blame)
      },
      halt: ({ own, certified }) => {
        log.error('state-diverged', { height: own.height, own: toBase64url(own.stateRoot), certified: toBase64url(certified.content.stateRoot) })
        halt(`the state of block ${own.height} computed here (${toBase64url(own.stateRoot)}) is not the one that a quorum certified (${toBase64url(certified.content.stateRoot)})`)
      },
      far: joining.far,
      held: joining.underWay,
      onFatal,
    })

  // a validator without its votes follows first, and so does an observer that becomes one
  const voting = createVoting({
    place: membership.ownPlace,
    since: membership.ownSince,
    window: consensus.window,
    transport,
    clock,
    log,
    votes,
    isWhole: entries.mayVote,
    why: forgotten,
    ordering: () => ordering,
    head: () => store.head().height,
    follow: followFrom,
    hasEnded: () => stopping !== undefined || halted !== undefined,
    voteAgain: (lost) => voteAgain(lost),
    onFatal,
  })
  let ordering = await beginOrdering(neededRecords(entries.records, durable()), entries.mayVote)
  if (ordering.waiting().what === 'operator') halt('its state differed from what a quorum certified before it was started')

  const report = createSelfReport({ genesis, clock, staleMs: config.rpc.staleMs, chainId, membership, store, transport, mempool, votes, ordering: () => ordering, recovering: voting.recovering, halted: () => halted, unknownRules: () => unknownRules, evidence: evidence.counts })
  const known = await store.checkpointAtOrBelow(store.head().height)
  if (known !== undefined) report.noteCheckpoint(known)
  const metrics = createMetrics(opened.metrics, report.gauges)
  const backend = createBackend({
    chainId,
    genesis,
    store,
    state,
    admission,
    door: createDoor({ chainId, store, state, clock, isReady: report.isCaughtUp, senderPerSecond: config.limits.senderTransactionsPerSecond }),
    bodies,
    waiters,
    clock,
    status: report.status,
    peers: () => peerStatuses(transport),
    validators: (height) => epochAt(ordering.schedule(), height),
    scheduledSet: membership.scheduled,
    epochs: membership.epochs,
    setCertificate: setCertificates.of,
    evidence: evidence.all,
    snapshots: snapshots.list,
    spread: gossip.spread,
    spreadBody: gossip.spreadBody,
    metrics: metrics.text,
    onCheckpoint: report.noteCheckpoint,
  })
  const house = createHouse({
    clock,
    log,
    mempool,
    inclusionTimeoutMs: consensus.inclusionTimeoutMs,
    isOrdered: payloads.orders,
    view: () => ordering.status().view,
    spread: gossip.spread,
    tellWork,
    suspect: (reason) => ordering.driver.input({ type: 'suspect', reason }),
  })
  const serving = createServing({ store, snapshots, setChanges: setCertificates.changes, bodyOf: bodies.get, mempool, payloads, clock, standing: () => ordering.standing() })
  const front = makeFront(backend)

  /** All that this validator may have had a part in is executed: a new log, and a life with its key. */
  const voteAgain = async (lost: ForgottenVotes | undefined): Promise<void> => {
    await ordering.stop()
    // what the old log kept is not in the new one
    payloads.retain(() => false)
    await database.batch([voteMark(votes.position())], { sync: true })
    await votes.rewrite([votingEntry(lost)])
    forgottenBefore = lost
    const next = await beginOrdering([], true)
    if (stopping !== undefined) return
    ordering = next
    ordering.begin()
    tellWork()
  }

  const membersChanged = (): void => {
    transport.setPeers(membership.peers())
    setCertificates.seek()
    const place = membership.ownPlace()
    log.info('validators', { height: store.head().height, validators: membership.set().validators.map(({ name }) => name), scheduled: membership.scheduled()?.activation, voting: voting.isWhole() && place !== undefined })
    voting.see()
  }

  /** With their last position in the store. */
  const closeVotes = async (): Promise<void> => {
    await votes.close()
    await database.batch([voteMark(votes.position())], { sync: true })
  }

  /** Closes the rest whatever fails on the way. */
  const stopAll = async (): Promise<void> => {
    house.stop()
    bodyFetch.stop()
    bodyScrub.stop()
    waiters.letGo()
    for (const [part, close] of [['front', front.stop], ['ordering', () => ordering.stop()], ['executor', executor.stop], ['set-certificates', setCertificates.stop], ['joining', joining.stop], ['snapshots', snapshots.stop], ['votes', closeVotes], ['world', closeAll]] as const) {
      await close().catch((error: unknown) => log.error('stop-incomplete', { part, error }))
    }
    log.info('stopped', { height: store.head().height })
  }
  function stop(): Promise<void> {
    stopping ??= stopAll()
    return stopping
  }

  transport.handle('fetch', serving.fetch)
  transport.handle('sync', serving.sync)
  transport.handle('snapshot', serving.snapshot)
  transport.onMessages('consensus', (messages) => ordering.inbound(messages))
  transport.onMessages('gossip', gossip.handler)
  transport.onPeer((peer, connected) => {
    log.info(connected ? 'peer-up' : 'peer-down', { peer })
    report.freshness.look()
    if (connected && validatorNames().includes(peer)) gossip.greet(peer, mempool.waitingSince(clock.monotonic(), resendTransactionsMax).map(({ transaction }) => transaction.bytes))
    if (connected && membership.isValidator() && followerNames().includes(peer) && store.head().height > 0) gossip.tellHead(store.head().height, peer)
  })
  try {
    ordering.begin()
    transport.setPeers(membership.peers())
    await transport.start()
    bodyFetch.start()
    bodyScrub.start()
    if (failure === undefined) await front.start()
    if (failure !== undefined) throw failure.reason
  } catch (error) {
    await stop()
    // it may have come up while the rest was going down
    await front.stop()
    throw error
  }
  warnOfRules()
  setCertificates.seek()
  voting.see()
  return { chainId, front, operator: { status: backend.status, peers: backend.peers, makeSnapshot: snapshots.request }, stop, failed, joined }
}
