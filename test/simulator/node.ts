// One simulated node: the real replica under a driver that does its duties (consensus/README.md) on a simulated disk and network.
// It may crash at every boundary: before and after its records reach the disk, and between any two sends.
import { blockHash, type BlockHeader } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import type { ReplicaConfig } from '../../consensus/config.ts'
import type { Input, TimerName } from '../../consensus/input.ts'
import { decodeMessage, encodeMessage, type Message, type Verified } from '../../consensus/messages.ts'
import { needsDisk, type Output, type Propose, type Send, type Validate } from '../../consensus/output.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { restoreReplica, type Replica } from '../../consensus/replica.ts'
import { setAt } from '../../consensus/validators.ts'
import { asVerified, checksOf, verifyDecision } from '../../consensus/verification.ts'
import type { Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { concatBytes, equalBytes, toHex } from '../../primitives/bytes.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { taggedHash, zeroHash } from '../../primitives/hash.ts'
import type { Behaviour, Liar } from './adversary.ts'
import { Disk, type Result } from './disk.ts'
import type { SimulatedKey } from './keys.ts'
import { payloadHash, transactionsOf, manifestOf } from './payload.ts'
import type { World } from './world.ts'

/** What travels between simulated nodes. */
export type Packet =
  | { readonly type: 'consensus'; readonly message: Message }
  | { readonly type: 'transaction'; readonly id: number }
  | { readonly type: 'wantPayload'; readonly payload: Hash }
  | { readonly type: 'payload'; readonly payload: Hash; readonly manifest: Uint8Array }
  | { readonly type: 'wantBlocks'; readonly from: Height; readonly to: Height }
  | { readonly type: 'blocks'; readonly blocks: readonly { readonly decision: Decision; readonly manifest: Uint8Array }[] }

const blocksPerAnswer = 16

export class SimulatedNode {
  readonly world: World
  /** Endpoint on the network; twins share a key and differ in this. */
  readonly id: number
  readonly validator: number
  readonly key: SimulatedKey
  readonly disk = new Disk()
  readonly behaviour: Behaviour | undefined
  replica: Replica | undefined
  /** Counts restarts, so that what belongs to an earlier life is dropped. */
  life = 0
  /** Boundaries left until it crashes; undefined when no crash is planned. */
  crashIn: number | undefined
  mempool = new Set<number>()
  heldSinceMs = new Map<number, number>()
  results: Result[] = []
  /** Blocks delivered in this life and not executed yet. */
  #toExecute: Decision[] = []
  #inputs: Input[] = []
  /** Records that the disk may still lose. */
  #unsynced: LogRecord[] = []
  #busy = false
  #timers = new Map<TimerName, number>()
  #wanted = new Map<string, Validate>()
  #executing = false
  #askedSetsMs = 0
  /** The last question for blocks. */
  #asked = { from: 0, atMs: 0 }
  #patience = { view: '', fromMs: 0 }
  /** When the last block was executed here. */
  #storedMs = 0
  readonly #liar: Liar

  constructor(world: World, id: number, validator: number, key: SimulatedKey, behaviour: Behaviour | undefined) {
    this.world = world
    this.id = id
    this.validator = validator
    this.key = key
    this.behaviour = behaviour
    this.#liar = {
      random: world.random,
      chain: world.chain,
      genesis: world.genesis,
      key,
      setAt: (height) => (this.replica === undefined ? undefined : setAt(this.replica.schedule(), height)),
      stand: () => this.replica?.status(),
      invent: (parent, proposer) => {
        const manifest = manifestOf([world.madeUp++])
        const payload = payloadHash(manifest)
        this.disk.keepPayload(toHex(payload), manifest)
        return { header: { chain: world.chain, height: (parent.height + 1) as Height, parent: parent.hash, timeMs: (parent.timeMs + 1) as TimeMs, proposer, payload, payloadCount: 1 }, manifest }
      },
      say: (message, chance) => {
        for (const other of world.nodes) if (other !== this && world.random.chance(chance)) world.send(this, other.id, { type: 'consensus', message })
      },
    }
  }

  get isUp(): boolean {
    return this.replica !== undefined
  }

  get isCorrect(): boolean {
    return this.behaviour === undefined
  }

  get name(): string {
    return this.world.names[this.id] as string
  }

  start(): void {
    const { world, disk } = this
    this.life++
    this.#inputs = []
    this.#unsynced = []
    this.#busy = false
    this.#timers.clear()
    this.#wanted.clear()
    this.#toExecute = []
    this.#executing = false
    this.crashIn = undefined
    this.results = []
    for (const block of disk.blocks) this.results.push(world.execute(this.results[this.results.length - 1], block.decision))
    const last = this.results[this.results.length - 1]
    const stable = disk.stable?.content.height ?? 0
    const decisions = disk.blocks.filter((_, i) => i + 1 > stable || i + 1 === disk.blocks.length).map(({ decision }) => decision)
    const epochs = [world.genesisEpoch, ...this.results.flatMap((result) => (result.nextSet === undefined ? [] : [result.nextSet]))]
    const config: ReplicaConfig = {
      chain: world.chain,
      genesis: world.genesis,
      parameters: world.parameters,
      timing: world.timing,
      pipelineDepth: world.pipelineDepth,
      publicKey: this.key.publicKey,
      sign: this.key.sign,
      bindsManifest: (header, manifest) => transactionsOf(manifest)?.length === header.payloadCount && equalBytes(payloadHash(manifest), header.payload),
    }
    const point = {
      epochs,
      manifestOf: (header: BlockHeader) => disk.payloads.get(toHex(header.payload)),
      decisions,
      ...(last === undefined ? {} : { executed: last }),
      ...(disk.stable === undefined ? {} : { stable: disk.stable }),
    }
    this.replica = restoreReplica(config, point, disk.log)
    world.checker.started(this)
    this.give({ type: 'start' })
    this.#retryLoop(this.life)
  }

  crash(): void {
    this.world.trace(() => `${this.name} crashes`)
    this.replica = undefined
    this.life++
    this.disk.crash(this.world.random)
    this.mempool = new Set([...this.mempool].filter(() => this.world.random.chance(0.7)))
  }

  /** Stops in order, when no step waits for the disk: everything is there, and that it is all. */
  stop(): boolean {
    if (this.replica === undefined || this.#busy) return false
    const closing = this.replica.closing()
    if (closing !== undefined) this.disk.append([closing], this.world.throughBytes)
    this.disk.syncLog()
    this.crash()
    return true
  }

  /** True when the planned crash happens here. */
  #boundary(): boolean {
    if (this.crashIn === undefined) return false
    if (this.crashIn-- > 0) return false
    this.crashIn = undefined
    this.crash()
    this.world.faults.restartLater(this)
    return true
  }

  give(input: Input): void {
    if (this.replica === undefined) return
    this.#inputs.push(input)
    if (!this.#busy) this.#work()
  }

  #work(): void {
    const { world } = this
    while (this.#inputs.length > 0 && this.replica !== undefined) {
      const input = this.#inputs.shift() as Input
      const output = this.#step(this.replica, input)
      if (output === undefined) return
      world.checker.stepped(this, this.replica)
      if (this.#boundary()) return
      this.disk.append(output.persist, world.throughBytes)
      this.#unsynced.push(...output.persist)
      if (!needsDisk(output) || this.disk.isLogSynced()) {
        if (!this.#act(output)) return
        continue
      }
      this.#busy = true
      const { life } = this
      world.kernel.after(world.random.between(0.1, world.diskMs), () => {
        if (this.life !== life) return
        if (this.#boundary()) return
        this.disk.syncLog()
        world.checker.persisted(this, this.#unsynced.splice(0))
        if (this.#boundary()) return
        this.#busy = false
        if (this.#act(output)) this.#work()
      })
      return
    }
  }

  /** A liar that lies to itself (twins) may trip over its own assertions; it then crashes like any program. */
  #step(replica: Replica, input: Input): Output | undefined {
    if (this.isCorrect) return replica.step(input)
    try {
      return replica.step(input)
    } catch {
      this.crash()
      this.world.faults.restartLater(this)
      return undefined
    }
  }

  #act(output: Output): boolean {
    const { world, disk, life } = this
    for (const { name, afterMs } of output.timers) this.#setTimer(name, afterMs)
    for (const send of output.send) {
      const sends = this.behaviour === undefined ? [send] : this.behaviour.outgoing(this.#liar, send)
      for (const one of sends) this.#send(one)
      if (this.#boundary()) return false
    }
    for (const decision of output.deliver) {
      world.checker.delivered(this, decision)
      disk.headers.set(toHex(blockHash(decision.header)), decision.header)
      this.#toExecute.push(decision)
    }
    for (const certificate of output.certified) {
      disk.stable = certificate
      world.checker.certified(this, certificate)
    }
    for (const one of output.validate) this.#validate(one)
    if (output.blame.length > 0) world.checker.blamed(this, output.blame)
    // what has brought nothing is not asked for again at once: the checkpoint that comes with each answer makes the replica ask
    if (output.sync !== undefined && (output.sync.from !== this.#asked.from || world.kernel.nowMs >= this.#asked.atMs + 20)) {
      const { from, to, peers } = output.sync
      this.#asked = { from, atMs: world.kernel.nowMs }
      const peer = world.random.pick(peers)
      world.sendToKey(this, peer.validator.publicKey, { type: 'wantBlocks', from, to: Math.min(to, from + blocksPerAnswer) as Height })
    }
    if (output.propose !== undefined) this.#propose(output.propose)
    if (output.halt !== undefined) world.checker.halted(this)
    this.#executeNext()
    if (world.random.chance(0.2)) disk.syncStore()
    if (world.random.chance(world.pointed ? 0.1 : 0.02)) disk.compact()
    return this.life === life
  }

  #send({ to, message }: Send): void {
    this.world.checker.sent(this, message)
    if (to === 'all') this.world.broadcast(this, { type: 'consensus', message })
    else this.world.sendToKey(this, to.publicKey, { type: 'consensus', message })
  }

  #setTimer(name: TimerName, afterMs: number | undefined): void {
    const version = (this.#timers.get(name) ?? 0) + 1
    this.#timers.set(name, version)
    if (afterMs === undefined) return
    const { life } = this
    this.world.kernel.after(afterMs * this.world.random.between(0.98, 1.05), () => {
      if (this.life === life && this.#timers.get(name) === version) this.give({ type: 'timer', name })
    })
  }

  receive(from: number, packet: Packet): void {
    const { world, disk } = this
    if (this.replica === undefined) return
    switch (packet.type) {
      case 'consensus': {
        const verified = this.#verify(from, packet.message)
        if (verified === undefined) {
          world.checker.refused(from, packet.message)
          return
        }
        this.behaviour?.incoming(this.#liar, verified)
        this.give({ type: 'message', message: verified })
        return
      }
      case 'transaction':
        this.submit(packet.id)
        return
      case 'wantPayload': {
        const manifest = disk.payloads.get(toHex(packet.payload))
        if (manifest !== undefined) world.send(this, from, { type: 'payload', payload: packet.payload, manifest })
        return
      }
      case 'payload':
        this.#havePayload(packet.manifest)
        return
      case 'wantBlocks':
        world.send(this, from, { type: 'blocks', blocks: disk.blocks.slice(packet.from - 1, Math.max(packet.from - 1, packet.to)) })
        if (disk.stable !== undefined) world.send(this, from, { type: 'consensus', message: { type: 'certified', certificate: disk.stable } })
        return
      case 'blocks':
        this.#synced(packet.blocks)
        return
    }
  }

  #context() {
    return { chain: this.world.chain, genesis: this.world.genesis, schedule: (this.replica as Replica).schedule() }
  }

  #verify(from: number, message: Message): Verified<Message> | undefined {
    const { knownGood, throughBytes, verify } = this.world
    if (knownGood.has(message)) return asVerified(message)
    try {
      const received = throughBytes ? decodeMessage(encodeMessage(message)) : message
      const checks = checksOf(received, this.#context())
      if (!checks.ok) {
        if (checks.code === 'unknown-set') this.#learnSets(from)
        return undefined
      }
      if (!checks.checks.every(verify)) return undefined
      knownGood.add(received)
      return asVerified(received)
    } catch (error) {
      // A liar's message that cannot be encoded would not have come off the wire.
      if (error instanceof DongbaekError) return undefined
      throw error
    }
  }

  /** The others have gone on under a validator set that is not known here; the blocks up to there tell the sets. */
  #learnSets(from: number): void {
    const { nowMs } = this.world.kernel
    if (this.replica === undefined || nowMs < this.#askedSetsMs + 50) return
    this.#askedSetsMs = nowMs
    const next = this.replica.status().committed + 1
    this.world.send(this, from, { type: 'wantBlocks', from: next as Height, to: (next + blocksPerAnswer) as Height })
  }

  #synced(blocks: readonly { readonly decision: Decision; readonly manifest: Uint8Array }[]): void {
    for (const { decision, manifest } of blocks) {
      if (this.replica === undefined || !equalBytes(payloadHash(manifest), decision.header.payload)) return
      const verified = verifyDecision(decision, this.#context(), this.world.verify)
      if (verified === undefined) return
      this.#havePayload(manifest)
      this.give({ type: 'synced', decision: verified })
    }
  }

  // Transactions and payloads

  submit(id: number): void {
    if (this.replica === undefined || this.mempool.has(id) || this.world.checker.isExecuted(this, id)) return
    this.mempool.add(id)
    this.heldSinceMs.set(id, this.world.kernel.nowMs)
    this.give({ type: 'work', pending: true })
  }

  #validate(one: Validate): void {
    const { world, disk } = this
    disk.headers.set(toHex(one.blockHash), one.header)
    this.#wanted.set(toHex(one.blockHash), one)
    const manifest = disk.payloads.get(toHex(one.header.payload)) ?? one.manifest
    // The bodies of what the manifest lists mostly came before it; sometimes they must be fetched.
    if (manifest !== undefined && !world.random.chance(world.missingBodies)) {
      const { life } = this
      world.kernel.after(world.random.between(0, 2), () => this.life === life && this.#havePayload(manifest))
    } else this.#fetch(one)
  }

  #fetch({ header, holders }: Validate): void {
    for (const holder of holders) this.world.sendToKey(this, holder.publicKey, { type: 'wantPayload', payload: header.payload })
  }

  #havePayload(manifest: Uint8Array): void {
    const payload = payloadHash(manifest)
    const key = toHex(payload)
    this.disk.keepPayload(key, manifest)
    for (const [block, wanted] of this.#wanted) {
      if (!equalBytes(wanted.header.payload, payload)) continue
      this.#wanted.delete(block)
      this.give({ type: 'payload', blockHash: wanted.blockHash, verdict: 'valid' })
    }
    this.#executeNext()
  }

  #propose({ view, height, parent, parentTimeMs }: Propose): void {
    const { world, disk } = this
    const lazy = this.behaviour?.leavesOut === true
    const open = new Set<number>()
    let at: Hash = parent
    for (;;) {
      const header = disk.headers.get(toHex(at))
      if (header === undefined || header.height <= this.results.length) break
      for (const id of transactionsOf(disk.payloads.get(toHex(header.payload)) ?? new Uint8Array()) ?? []) open.add(id)
      at = header.parent
    }
    const chosen = this.behaviour?.makesUp === true ? [world.madeUp++] : lazy ? [] : [...this.mempool].filter((id) => !open.has(id)).slice(0, world.random.between(1, 5))
    const { life } = this
    // one that makes blocks up without an end leaves time to execute them, or who comes back late would never be there
    const prepareMs = this.behaviour?.makesUp === true ? Math.max(3, 2 * world.executeMs) : 3
    world.kernel.after(world.random.between(0, prepareMs), () => {
      if (this.life !== life) return
      if (chosen.length === 0) {
        this.give({ type: 'noProposal', view, height })
        return
      }
      const manifest = manifestOf(chosen)
      disk.keepPayload(toHex(payloadHash(manifest)), manifest)
      const timeMs = Math.max(parentTimeMs + 1, Math.floor(world.kernel.nowMs)) as TimeMs
      const header: BlockHeader = { chain: world.chain, height, parent, timeMs, proposer: this.replica?.status().index ?? 0, payload: payloadHash(manifest), payloadCount: chosen.length }
      disk.headers.set(toHex(blockHash(header)), header)
      this.give({ type: 'proposal', view, height, parent, timeMs, payload: header.payload, payloadCount: chosen.length, manifest })
    })
  }

  #executeNext(): void {
    const { world, disk, life } = this
    const decision = this.#toExecute[0]
    if (decision === undefined || this.#executing || this.replica === undefined) return
    const manifest = disk.payloads.get(toHex(decision.header.payload))
    if (manifest === undefined) return
    this.#executing = true
    world.kernel.after(world.random.between(0, world.executeMs), () => {
      if (this.life !== life) return
      this.#executing = false
      this.#toExecute.shift()
      disk.storeBlock({ decision, manifest })
      const result = world.execute(this.results[this.results.length - 1], decision)
      this.results.push(result)
      world.checker.executed(this, decision, manifest)
      this.#storedMs = world.kernel.nowMs
      for (const id of transactionsOf(manifest) ?? []) this.mempool.delete(id)
      this.give({ type: 'executed', ...result })
      this.give({ type: 'work', pending: this.mempool.size > 0 })
      this.#executeNext()
    })
  }

  /** A primary that lets a transaction wait while it makes blocks is suspected, at most once an inclusion timeout; each primary has the whole time. */
  #lookForLeftOut(replica: Replica): void {
    const { kernel, inclusionTimeoutMs } = this.world
    const { nowMs } = kernel
    const { epoch, view } = replica.status()
    if (this.#patience.view !== `${epoch} ${view}`) this.#patience = { view: `${epoch} ${view}`, fromMs: nowMs }
    const { fromMs } = this.#patience
    for (const id of this.mempool) {
      const sinceMs = Math.max(this.heldSinceMs.get(id) ?? nowMs, fromMs)
      if (nowMs - sinceMs < inclusionTimeoutMs || this.#storedMs < sinceMs + inclusionTimeoutMs / 2) continue
      this.#patience = { ...this.#patience, fromMs: nowMs }
      this.give({ type: 'suspect', reason: `transaction ${id} is left out` })
      return
    }
  }

  /** What a driver does again and again: fetch what is missing, and notice transactions that are left out. */
  #retryLoop(life: number): void {
    this.world.kernel.after(150, () => {
      if (this.life !== life || this.replica === undefined) return
      for (const one of this.#wanted.values()) this.#fetch(one)
      const waiting = this.#toExecute[0]
      if (waiting !== undefined && !this.disk.payloads.has(toHex(waiting.header.payload))) this.world.broadcast(this, { type: 'wantPayload', payload: waiting.header.payload })
      this.#lookForLeftOut(this.replica)
      this.behaviour?.tick(this.#liar)
      this.#retryLoop(life)
    })
  }
}

/** The simulated state: a hash over all that was executed. */
export function nextRoot(previous: Result | undefined, decision: Decision): Hash {
  return taggedHash('simulated-state', concatBytes(previous?.stateRoot ?? zeroHash, blockHash(decision.header)))
}
