// The assembly: all parts of a running node and who talks to whom. Every part does its own work; nothing is decided here but the order of things.
import type { ReplicaConfig } from '../consensus/config.ts'
import { encodeMessage, message as messageSchema } from '../consensus/messages.ts'
import type { Blame } from '../consensus/output.ts'
import type { LogRecord } from '../consensus/record.ts'
import type { ReplicaPoint } from '../consensus/restore.ts'
import { type Epoch, epochAt, indexOfKey, type ValidatorSet } from '../consensus/validators.ts'
import { type Genesis, genesisRef, validatorSetOf } from '../genesis/genesis.ts'
import type { Height } from '../primitives/brand.ts'
import { toBase64url } from '../primitives/bytes.ts'
import { keyPairFromSeed, sign } from '../primitives/ed25519.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { JsonObject } from '../primitives/schema.ts'
import type { NodeStatus, PeerStatus } from '../rpc/backend.ts'
import { createRpcServer } from '../rpc/server.ts'
import { parametersTable } from '../state/parameters.ts'
import { decodeValue, stateKey } from '../state/table.ts'
import { bodyErased, bodyIsReferenced } from '../state/community/body.ts'
import type { erased, posted } from '../state/community/events.ts'
import type { Event } from '../state/family.ts'
import { createOverlay, createValueCache } from '../state/view.ts'
import { createAdmission } from './admission.ts'
import { createAvailability } from './availability.ts'
import { createBackend } from './backend.ts'
import { createBodies } from './bodies.ts'
import type { Config } from './config.ts'
import { createExecutor, type ExecutedBlock } from './executor.ts'
import { createGossip } from './gossip.ts'
import { createHouse } from './house.ts'
import { bodySweepMs, evidenceMax } from './limits.ts'
import { createMempool } from './mempool.ts'
import { createMetrics } from './metrics.ts'
import type { OpenChain } from './open-chain.ts'
import { createOrdering, type Ordering } from './ordering.ts'
import { createPayloads, referencesOf } from './payloads.ts'
import { askHorizon } from './recovery.ts'
import { restorePayloads } from './restore-payloads.ts'
import { createServing } from './serving.ts'
import { judge, type Judgement } from './status.ts'
import { version } from './version.ts'
import { readEntries } from './vote-entries.ts'
import { createWaiters } from './waiters.ts'
import type { Clock, Log, Peer, Store, Transport, Verifier, VoteLog } from './world.ts'

export interface RunningNode {
  readonly chainId: string
  /** Of the RPC. */
  readonly url: string
  /** In order: no new work, votes and blocks on the disk, connections closed. Idempotent. */
  readonly stop: () => Promise<void>
  /** Resolves when the node had to stop by itself, with the reason. */
  readonly failed: Promise<unknown>
}

export interface Opened {
  readonly config: Config
  readonly log: Log
  readonly clock: Clock
  readonly genesis: Genesis
  readonly chainId: string
  readonly seed: Uint8Array
  readonly publicKey: Uint8Array
  readonly database: Store
  readonly chain: OpenChain
  readonly votes: VoteLog
  readonly entries: readonly Uint8Array[]
  /** The vote log is new: what this validator signed before, if anything, is not known. */
  readonly votesLost: boolean
  readonly verifier: Verifier
  readonly transport: Transport
  readonly closeAll: () => Promise<void>
}

/** The key of nobody: a replica with it follows and never signs. */
const noKey = new Uint8Array(32)

export async function assembleNode(opened: Opened): Promise<RunningNode> {
  const { config, log, clock, genesis, chainId, seed, publicKey, database, chain, votes, verifier, transport, closeAll } = opened
  const { store, state } = chain
  const { consensus } = genesis
  const pair = keyPairFromSeed(seed)
  const set: ValidatorSet = validatorSetOf(genesis)
  const epoch: Epoch = { activation: 1 as Height, set }
  const validatorNames = set.validators.map(({ name }) => name).filter((name) => name !== config.name)
  const peers = knownPeers(config, genesis)
  const followerNames = peers.map(({ name }) => name).filter((name) => !set.validators.some((validator) => validator.name === name))
  const everybody = (): readonly string[] => [...validatorNames, ...followerNames]

  const { records, payloads: keptPayloads } = readEntries(opened.entries)
  const payloads = createPayloads()
  restorePayloads(payloads, records, keptPayloads, store.head().height)
  const mempool = createMempool()
  const waiters = createWaiters(clock)
  const bodies = createBodies(database, clock, (hash) => {
    const view = createOverlay(state.source, createValueCache(1))
    return bodyErased(view, hash) ? 'erased' : bodyIsReferenced(view, hash) ? 'referenced' : 'unknown'
  })
  const evidence: JsonObject[] = []
  let halted: string | undefined
  let toldWork = false
  let stopping: Promise<void> | undefined
  let fail: (reason: unknown) => void = () => {}
  const failed = new Promise<unknown>((resolve) => (fail = resolve))

  const onFatal = (error: unknown): void => {
    if (stopping !== undefined) return
    log.error('node-failed', { error })
    void stop().finally(() => fail(error))
  }

  const readValidityMs = (): number => {
    const encoded = store.stateValue(stateKey(parametersTable, ['current']))
    if (encoded === undefined) throw new DongbaekError('store/damaged', 'the stored state has no parameters: move the data folder away and start again')
    return decodeValue(parametersTable, encoded).transactionValidityMsMax
  }
  let validityMs = readValidityMs()
  const admission = createAdmission({ chainId, mempool, verifier, clock, hasRun: state.seen.has, validityMsMax: () => validityMs, onAdded: () => tellWork() })
  const availability = createAvailability({ chainId, mempool, transport, verifier, clock, log, blockBytesMax: consensus.bytesMax, own: payloads.get })
  const gossip = createGossip({
    transport,
    admission,
    log,
    validators: () => validatorNames,
    everybody,
    takeBody: async (body) => void (await bodies.put(body)),
    takeHead: (head, peer) => ordering.follower.follow(head, [peer, ...validatorNames.filter((name) => name !== peer)]),
  })

  const executor = createExecutor({ chainId, state, store, obtain: (decision) => ordering.obtain(decision), onExecuted: (block) => onExecuted(block), onFatal })

  const tellWork = (): void => {
    const pending = mempool.size().transactions > 0
    if (pending || toldWork) ordering.driver.input({ type: 'work', pending })
    toldWork = pending
  }

  const followBodies = async (events: readonly Event[]): Promise<void> => {
    for (const event of events) {
      if (event.type === 'community.erased') await bodies.erase((event as ReturnType<typeof erased>).bodyHash)
      else if (event.type === 'community.posted' || event.type === 'community.commented') await bodies.referenced((event as ReturnType<typeof posted>).bodyHash)
    }
  }

  const onExecuted = ({ height, hash, payload, executed }: ExecutedBlock): void => {
    mempool.remove(executed.receipts.map(({ id }) => id))
    payloads.release(height)
    validityMs = readValidityMs()
    ordering.driver.input({ type: 'executed', height, blockHash: hash, stateRoot: executed.stateRoot })
    for (const receipt of executed.receipts) waiters.tell(receipt)
    followBodies(executed.receipts.flatMap(({ events }) => events)).catch(onFatal)
    backend.blockStored(height)
    if (config.role === 'validator') for (const name of followerNames) gossip.tellHead(height, name)
    const refused = executed.receipts.filter(({ status }) => status === 'refused').length
    metrics.executed(executed.receipts.length - refused, refused)
    house.blockStored(payload.transactions.length >= consensus.transactionsMax)
    log.debug('block', { height, transactions: executed.receipts.length, refused })
    tellWork()
  }

  const onBlame = (blame: Blame): void => {
    const { validator, kind, messages } = blame
    log.error('evidence', { validator: validator.name, kind, height: blame.height, view: blame.view })
    metrics.blamed()
    if (evidence.length >= evidenceMax) return
    evidence.push({ validator: validator.name, kind, ...(blame.height === undefined ? {} : { height: blame.height }), ...(blame.view === undefined ? {} : { view: blame.view }), messages: messages.map(messageSchema.toJson) })
  }

  const replicaConfig = (key: Uint8Array): ReplicaConfig => ({
    chain: chainId,
    genesis: genesisRef(genesis),
    parameters: { window: consensus.window, checkpointInterval: consensus.checkpointInterval },
    timing: {
      viewTimeoutMs: consensus.viewTimeoutMs,
      viewTimeoutMaxMs: consensus.viewTimeoutMaxMs,
      retransmitMs: consensus.retransmitMs,
      heartbeatMs: consensus.heartbeatMs,
      checkpointIdleMs: consensus.checkpointIdleMs,
    },
    pipelineDepth: consensus.pipelineDepth,
    publicKey: key,
    sign: (message) => sign(message, pair),
    bindsManifest: (header, manifest) => referencesOf(header, manifest) !== undefined,
  })

  const pointOfStore = async (): Promise<Omit<ReplicaPoint, 'manifestOf'>> => {
    const { height, hash, stateRoot } = store.head()
    const row = store.block(height)
    if (row === undefined) return { epochs: [epoch] }
    const stable = await store.checkpointAtOrBelow(height)
    return { epochs: [epoch], decision: { header: row.header, certificate: row.certificate }, executed: { height, blockHash: hash, stateRoot }, ...(stable === undefined ? {} : { stable }) }
  }

  const beginOrdering = async (key: Uint8Array, kept: readonly LogRecord[]): Promise<Ordering> =>
    createOrdering({
      config: replicaConfig(key),
      records: kept,
      point: await pointOfStore(),
      votes,
      store,
      payloads,
      mempool,
      availability,
      transport,
      verifier,
      clock,
      log,
      blockLimits: { transactionsMax: consensus.transactionsMax, bytesMax: consensus.bytesMax },
      maxClockDriftMs: consensus.maxClockDriftMs,
      validatorNames: () => validatorNames,
      deliver: executor.deliver,
      certified: (certificate) => {
        store.putCheckpoint(certificate).then(() => backend.checkpointStored(certificate), onFatal)
        const encoded = encodeMessage({ type: 'certified', certificate })
        if (config.role === 'validator') for (const name of followerNames) transport.send(name, 'consensus', encoded)
      },
      blame: onBlame,
      halt: ({ own, certified }) => {
        halted = `stopped: the state of block ${own.height} computed here (${toBase64url(own.stateRoot)}) is not the one that a quorum certified (${toBase64url(certified.content.stateRoot)}). Keep the data folder, tell the developers, and start in an empty one`
        log.error('state-diverged', { height: own.height, own: toBase64url(own.stateRoot), certified: toBase64url(certified.content.stateRoot) })
      },
      onFatal,
    })

  const judgement = (): Judgement =>
    judge({
      replica: ordering.replica.status(),
      set,
      connected: new Set(transport.peers().flatMap(({ name, connected }) => (connected ? [name] : []))),
      self: config.name,
      role: config.role,
      syncTarget: Math.max(ordering.follower.target(), ordering.replica.status().committed),
      stored: store.head().height,
      pending: mempool.size().transactions,
      recovering,
      halted,
    })

  const status = (): NodeStatus => {
    const { height, hash, timeMs } = store.head()
    const replica = ordering.replica.status()
    return {
      version,
      chainId,
      genesisHash: toBase64url(genesisRef(genesis).hash),
      name: config.name,
      role: config.role,
      head: { height, hash: toBase64url(hash), timeMs },
      view: replica.view,
      primary: replica.primary.name,
      peers: transport.peers().filter(({ connected }) => connected).length,
      ...judgement(),
      ...(lastCheckpoint === undefined ? {} : { checkpoint: lastCheckpoint }),
      mempool: mempool.size(),
    }
  }
  let lastCheckpoint: { height: number; stateRoot: string } | undefined
  const noteCheckpoint = (height: Height, stateRoot: Uint8Array): void => {
    if (height >= (lastCheckpoint?.height ?? 0)) lastCheckpoint = { height, stateRoot: toBase64url(stateRoot) }
  }

  const metrics = createMetrics(() => {
    const { view, committed } = ordering.replica.status()
    const { transactions, bytes } = mempool.size()
    return { head: store.head().height, committed, checkpoint: lastCheckpoint?.height ?? 0, view, peers: transport.peers().filter(({ connected }) => connected).length, pendingTransactions: transactions, pendingBytes: bytes, voteLogBytes: votes.sizeBytes(), ready: judgement().ready }
  })

  const backend = createBackend({
    chainId,
    genesis,
    store,
    state,
    admission,
    bodies,
    waiters,
    clock,
    status,
    peers: () => transport.peers().map(peerStatusOf),
    validators: (height) => epochAt(ordering.replica.schedule(), height),
    evidence: () => evidence,
    spread: gossip.spread,
    spreadBody: gossip.spreadBody,
    metrics: metrics.text,
    onCheckpoint: ({ content }) => noteCheckpoint(content.height, content.stateRoot),
  })
  const house = createHouse({ clock, log, mempool, inclusionTimeoutMs: consensus.inclusionTimeoutMs, spread: gossip.spread, tellWork, suspect: (reason) => ordering.driver.input({ type: 'suspect', reason }) })

  // a validator without its votes follows first
  const self = indexOfKey(set, publicKey)
  let recovering: { until: number | undefined } | undefined = self !== undefined && opened.votesLost ? { until: undefined } : undefined
  let ordering = await beginOrdering(recovering === undefined ? publicKey : noKey, records)
  const known = await store.checkpointAtOrBelow(store.head().height)
  if (known !== undefined) noteCheckpoint(known.content.height, known.content.stateRoot)

  const serving = createServing({ store, mempool, payloads, top: () => topOf(ordering) })
  transport.handle('fetch', serving.fetch)
  transport.handle('sync', serving.sync)
  transport.onMessages('consensus', (messages) => ordering.inbound(messages))
  transport.onMessages('gossip', gossip.handler)
  transport.onPeer((peer, connected) => {
    log.info(connected ? 'peer-up' : 'peer-down', { peer })
    if (connected && config.role === 'validator' && followerNames.includes(peer) && store.head().height > 0) gossip.tellHead(store.head().height, peer)
  })
  ordering.begin()
  transport.setPeers(peers)
  await transport.start()

  const rpc = createRpcServer(backend, { host: config.rpc.host, port: config.rpc.port, log: log.child({ part: 'rpc' }), rate: { perSecond: config.limits.rpcRequestsPerSecond, burst: 2 * config.limits.rpcRequestsPerSecond } })
  await rpc.start()
  const url = rpc.address()?.url ?? ''
  log.info('started', { rpc: url, height: store.head().height })

  const recover = async (): Promise<void> => {
    if (self === undefined || recovering === undefined) return
    const until = await askHorizon({ set, self, transport, clock, stopped: () => stopping !== undefined, follow: (head, peer) => ordering.follower.follow(head, [peer]) })
    recovering = { until }
    // at height 0 everywhere there was nothing to vote on yet: a new network
    if (until > 0) log.warn('votes-lost', { until, head: store.head().height })
    while (stopping === undefined && (store.head().height < until || ordering.replica.status().committed !== store.head().height)) await new Promise<void>((resolve) => clock.after(100, resolve))
    if (stopping !== undefined) return
    const before = ordering
    await before.stop()
    ordering = await beginOrdering(publicKey, [])
    recovering = undefined
    ordering.begin()
    toldWork = false
    tellWork()
    log.info('voting', { height: store.head().height })
  }
  recover().catch(onFatal)

  let cancelSweep = clock.after(0, () => sweep())
  const sweep = (): void => {
    cancelSweep = clock.after(bodySweepMs, sweep)
    bodies.sweep().catch(onFatal)
  }

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      cancelSweep()
      house.stop()
      waiters.letGo()
      await rpc.stop()
      await ordering.stop()
      await executor.stop()
      await closeAll()
      log.info('stopped', { height: store.head().height })
    })()
    return stopping
  }
  return { chainId, url, stop, failed }
}

function topOf({ replica }: Ordering): Height {
  const { committed, open } = replica.status()
  return (committed + open) as Height
}

function knownPeers({ name, p2p }: Config, genesis: Genesis): readonly Peer[] {
  const listed = [...genesis.validators, ...genesis.observers].map(({ name: peer, publicKey, addresses }) => {
    const address = p2p.addresses[peer]
    return { name: peer, publicKey, addresses: address === undefined ? addresses : [address] }
  })
  return [...listed, ...p2p.observers].filter((peer) => peer.name !== name)
}

function peerStatusOf({ name, connected, sinceMs, bytesIn, bytesOut, channels, lastError }: ReturnType<Transport['peers']>[number]): PeerStatus {
  const dropped = Object.values(channels).reduce((sum, { droppedMessages }) => sum + droppedMessages, 0)
  return { name, connected, sinceMs, bytesIn, bytesOut, dropped, ...(lastError === undefined ? {} : { lastError }) }
}
