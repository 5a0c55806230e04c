// One simulated machine with a whole node on it: everything from node/assembly.ts down is the real code. The machine keeps the disk over the node's lives; an
// operator starts the node again after a crash, after it has stopped by itself, and, when it refuses what is on its disk, in an empty folder.
import { Registry } from 'prom-client'
import { assembleNode } from '../../../node/assembly.ts'
import type { ChainStore } from '../../../node/chain-store.ts'
import type { Config } from '../../../node/config.ts'
import { readEntries } from '../../../node/vote-entries.ts'
import { openChain } from '../../../node/open-chain.ts'
import type { Channel, Log, LogData, Verifier } from '../../../node/world.ts'
import type { Height } from '../../../primitives/brand.ts'
import { equalBytes } from '../../../primitives/bytes.ts'
import { codeOf, DongbaekError } from '../../../primitives/errors.ts'
import type { Backend } from '../../../rpc/backend.ts'
import type { Signatory } from '../signatures.ts'
import type { Actor } from './city.ts'
import { createSimulatedClock } from './clock.ts'
import { Disk, type Votes } from './disk.ts'
import { Life, never } from './life.ts'
import { deceive, type Mask, type NodeBehaviour } from './liar.ts'
import { createSimulatedStore } from './store.ts'
import { createSimulatedTransport } from './transport.ts'
import { openSimulatedVoteLog } from './votes.ts'
import { tryDecode } from './wire.ts'
import type { NodesWorld } from './world.ts'

/** Why a node may end by itself: the disk is full, or damaged. */
const diskFailures = ['store/failed', 'votelog/failed']
const diskDamages = ['store/damaged', 'votelog/damaged']

export class WholeNode {
  readonly world: NodesWorld
  /** Of the machine; twins share a name and a key and differ in this. */
  readonly id: number
  readonly actor: Actor
  readonly behaviour: NodeBehaviour | undefined
  readonly disk: Disk
  /** How wrong its clock is. */
  clockOffsetMs = 0
  /** Factor on what its disk and its verifier take. */
  slowness = 1
  /** It is new, or its votes were lost, and it has not said that it votes. */
  amnesiac: boolean
  /** How often its votes were lost before the network had any block prepared: then it votes as one that is new (node/recovery.ts, forgottenAt). */
  incarnation = 0
  #hasLost = false
  #knowsOfLoss = false
  /** An older vote log that was put back; it is in use until it is renewed. */
  #outdated: Votes | undefined
  life: Life | undefined
  /** While the node runs and answers. */
  backend: Backend | undefined
  store: ChainStore | undefined
  /** The last block stored in this life. */
  stored = 0
  readonly signatory: Signatory

  constructor(world: NodesWorld, id: number, actor: Actor, behaviour: NodeBehaviour | undefined) {
    this.world = world
    this.id = id
    this.actor = actor
    this.behaviour = behaviour
    this.amnesiac = world.city.names.includes(actor.name)
    this.disk = new Disk(world.city.rows)
    this.signatory = { name: actor.name, publicKey: actor.publicKey, incarnation: () => this.incarnation, setAt: (height) => world.checker.setAt(height), epoch: (height) => world.checker.epochOf(height), delivered: () => this.stored }
  }

  get name(): string {
    return this.actor.name
  }

  get isValidator(): boolean {
    return this.world.sets.isMember(this)
  }

  /** It lies, or does not vote (yet). */
  get isMissing(): boolean {
    return !this.isCorrect || this.amnesiac || this.disk.damagedVotes || this.disk.damagedRows.size > 0
  }

  get isCorrect(): boolean {
    return this.behaviour === undefined
  }

  get isUp(): boolean {
    return this.life?.alive === true
  }

  start(): void {
    if (this.isUp) return
    const life = new Life(() => this.crash(this.world.random.chance(0.5)))
    this.life = life
    this.stored = 0
    this.world.trace(this.name, () => 'starts')
    this.#run(life).catch((error: unknown) => this.#ended(life, error))
  }

  /** The process is gone at this moment; with a power cut, what was not synced too. */
  crash(powerCut: boolean): void {
    const { life, world } = this
    if (life?.alive !== true) return
    world.trace(this.name, () => (powerCut ? 'loses power' : 'crashes'))
    this.#gone(life, powerCut)
    world.faults.restartLater(this)
  }

  #gone(life: Life, powerCut: boolean): void {
    const { world } = this
    life.alive = false
    this.backend = undefined
    this.store = undefined
    this.disk.crash(world.random, powerCut)
    world.hangUp(this)
  }

  async #run(life: Life): Promise<void> {
    const { world, disk, actor } = this
    const { kernel, city, random } = world
    const clock = createSimulatedClock(kernel, life, () => this.clockOffsetMs)
    const log = this.#log(life, {})
    const database = createSimulatedStore({ kernel, life, disk, delayMs: (sync) => this.slowness * (sync ? world.syncMs : random.between(0.05, 2 * world.storeMs)) })
    const chain = await openChain(database, city.genesis, 16, log)
    this.stored = chain.store.head().height
    if (this.isCorrect) world.checker.found(this, chain.store)
    const { log: votes, records } = openSimulatedVoteLog({ kernel, life, disk, delayMs: () => this.slowness * random.between(0.2, 2) * world.syncMs, overheadBytes: world.voteOverheadBytes })
    const verifier = this.#verifier(life)
    const honest = createSimulatedTransport(world.switchboard, {
      id: this.id,
      publicKey: actor.publicKey,
      chainId: city.chainId,
      clock,
      log,
      life,
      kindOf: (channel, bytes) => this.#kindOf(channel, bytes),
      onBlame: (peer, reason) => world.checker.blamed(this, peer, reason),
    })
    const { transport, face }: Mask = this.behaviour === undefined ? { transport: honest, face: (backend) => backend } : deceive(this, this.behaviour, honest, clock)
    const node = await assembleNode(
      {
        config: this.#config(),
        log,
        clock,
        genesis: city.genesis,
        chainId: city.chainId,
        signer: actor,
        database,
        chain,
        votes,
        entries: records,
        verifier,
        transport,
        metrics: new Registry(),
        closeAll: async () => {
          await transport.stop()
          await verifier.stop()
          await votes.close()
          await database.close()
        },
      },
      (backend) => {
        backend.onBlock((height) => life.alive && this.#blockStored(chain.store, height))
        return { backend, start: async () => {}, stop: async () => {} }
      },
    )
    if (!life.alive) return
    this.backend = face(node.front.backend)
    this.store = chain.store
    this.#ended(life, await node.failed)
  }

  #blockStored(store: ChainStore, height: Height): void {
    const { world } = this
    const { transactions } = { transactions: store.payload(height)?.length ?? 0 }
    world.trace(this.name, () => `final block ${height} (${transactions} transaction${transactions === 1 ? '' : 's'})`)
    if (this.isCorrect) world.checker.stored(this, store, height)
    this.stored = height
  }

  /** The node has ended by itself: it could not start, or had to stop. */
  #ended(life: Life, reason: unknown): void {
    const { world, disk } = this
    if (!life.alive) return
    const code = codeOf(reason)
    world.trace(this.name, () => `stops: ${String(reason)}`)
    this.#gone(life, false)
    if (diskDamages.includes(code) && (disk.damagedVotes || disk.damagedRows.size > 0)) this.startAnew()
    else if (diskFailures.includes(code) && world.faults.wasFull(this)) world.faults.restartLater(this)
    else if (this.isCorrect) world.checker.note(`${this.name} ended without cause: ${reason instanceof DongbaekError ? `${reason.code}: ${reason.message}` : reason instanceof Error ? reason.stack : String(reason)}`)
    else world.faults.restartLater(this)
  }

  /** What the refusal says: move the data folder away and start again. */
  startAnew(): void {
    const { world } = this
    world.trace(this.name, () => 'is given an empty folder')
    this.disk.empty(world.city.rows)
    this.loseVotes()
    world.faults.restartLater(this)
  }

  /** Of a machine that is down. */
  loseVotes(): void {
    this.disk.loseVotes()
    this.#hasNoVotes()
  }

  /** Of a machine that is down: the vote log of some time ago, beside a store that is newer. */
  putVotesBack(votes: Votes): void {
    this.world.trace(this.name, () => 'has an older vote log put back')
    this.disk.putVotesBack(votes)
    this.#hasNoVotes()
    // one that does not even say that it may vote speaks for itself
    this.#outdated = readEntries(votes.records).mayVote ? votes : undefined
  }

  /** Until the log is renewed; where the disk is full, that takes more than one start. */
  get #hasOutdatedVotes(): boolean {
    return this.#outdated !== undefined && equalBytes(this.#outdated.log, this.disk.votes.log)
  }

  #hasNoVotes(): void {
    this.amnesiac = this.isValidator
    this.#hasLost = true
    this.#knowsOfLoss = false
    this.#outdated = undefined
  }

  /** It says that it votes. */
  #begunToVote(): void {
    if (this.#hasOutdatedVotes && this.isCorrect) this.world.checker.note(`${this.name} votes with an outdated vote log`)
    this.amnesiac = false
    if (this.#hasLost && !this.#knowsOfLoss) this.incarnation++
    this.#hasLost = false
  }

  #verifier(life: Life): Verifier {
    const { world } = this
    let stopped = false
    return {
      verifyNow: world.keys.verify,
      verifyBatch: async (items) => {
        if (stopped) throw new DongbaekError('verifier/stopped', 'the verifier is stopped')
        if (!life.passes()) return never()
        const delayMs = this.slowness > 1 ? this.slowness * 0.2 : world.verifyMs
        if (delayMs > 0) await new Promise<void>((resolve) => world.kernel.after(world.random.between(0, delayMs), () => life.alive && resolve()))
        return items.map(world.keys.verify)
      },
      stop: async () => {
        stopped = true
      },
    }
  }

  #lastBytes: Uint8Array | undefined
  #lastKind = ''

  /** The same bytes go to each peer in turn, and are looked at once. */
  #kindOf(channel: Channel, bytes: Uint8Array): string {
    if (channel !== 'consensus') return channel
    if (bytes === this.#lastBytes) return this.#lastKind
    this.#lastBytes = bytes
    const message = tryDecode(bytes)
    this.#lastKind = message?.type ?? 'garbage'
    if (message !== undefined) {
      this.world.checker.sent(this, message)
      this.world.faults.said(this, message.type)
    }
    return this.#lastKind
  }

  #log(life: Life, bindings: LogData): Log {
    const { world } = this
    const said = (event: string, data: LogData | undefined): void => {
      if (life.alive) world.trace(this.name, () => `${event}${describe({ ...bindings, ...data })}`)
    }
    return {
      debug: () => {},
      info: (event, data) => {
        if (event === 'voting' && life.alive) this.#begunToVote()
        said(event, data)
      },
      warn: (event, data) => {
        if (event === 'votes-lost' && life.alive) this.#knowsOfLoss = true
        said(event, data)
      },
      error: (event, data) => {
        said(event, data)
        if (!life.alive || !this.isCorrect) return
        if (event === 'votes-outdated' && this.#hasOutdatedVotes) return
        if (event === 'evidence') world.checker.blamed(this, String(data?.['validator']), `evidence of ${String(data?.['kind'])}`)
        else if (event !== 'node-failed' && !(event === 'stop-incomplete' && world.faults.wasFull(this))) world.checker.note(`${this.name}: ${event}${describe({ ...data })}`)
      },
      child: (more) => this.#log(life, { ...bindings, ...more }),
    }
  }

  #config(): Config {
    const { validators } = this.world.city.genesis
    return {
      name: this.name,
      role: this.isValidator ? 'validator' : 'observer',
      dataDir: '',
      genesis: '',
      keystore: '',
      passphraseFile: '',
      p2p: { host: '127.0.0.1', port: 0, addresses: {}, observers: this.world.terms.changesSets ? validators.map(({ name, publicKey }) => ({ name, publicKey, addresses: [] })) : [] },
      rpc: { host: '127.0.0.1', port: 0, origins: [], proxies: 0, staleMs: 10_000, keys: [] },
      admin: { host: '127.0.0.1', port: undefined },
      log: { level: 'info' },
      limits: { verifyWorkers: 0, stateCacheMiB: 16, rpcRequestsPerSecond: 0, senderTransactionsPerSecond: 0, snapshotBlocks: 0, keepBlocks: 0 },
    }
  }
}

function describe(data: LogData): string {
  const parts = Object.entries(data).map(([name, value]) => `${name} ${value instanceof Error ? (value.stack ?? value.message) : String(value)}`)
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`
}

