// A bench for replicas: a few of them side by side, with nothing happening but what a test asks for. Messages queue up until they are delivered;
// payloads are always there, and execution follows at once unless a test holds it back.
import { blockHash, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { Decision, SignatureCheck } from '../../consensus/certificate.ts'
import { defaultTiming, type ConsensusParameters, type ReplicaConfig } from '../../consensus/config.ts'
import type { Input, TimerName } from '../../consensus/input.ts'
import { encodeMessage, statusBytes, type Message } from '../../consensus/messages.ts'
import type { Blame, Output, Send, Sync } from '../../consensus/output.ts'
import type { LogRecord } from '../../consensus/record.ts'
import { restoreReplica, type Replica } from '../../consensus/replica.ts'
import type { ReplicaPoint } from '../../consensus/restore.ts'
import type { Epoch, Validator } from '../../consensus/validators.ts'
import { asVerified, verifyMessage } from '../../consensus/verification.ts'
import type { ForgottenVotes } from '../../consensus/votes.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { equalBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { keyring, type SimulatedKey } from '../simulator/keys.ts'
import { manifestOf, payloadHash, transactionsOf } from '../simulator/payload.ts'

export const chain = 'bench'
export const genesis: BlockRef = { height: 0 as Height, hash: taggedHash('bench', utf8('genesis')), timeMs: 0 as TimeMs }

export function stateRootOf(hash: Hash): Hash {
  return taggedHash('bench-root', hash)
}

export interface BenchOptions {
  readonly parameters?: ConsensusParameters
  readonly pipelineDepth?: number
  readonly minimums?: Epoch['set']['minimums']
  /** Sets scheduled by executing a height. */
  readonly setChanges?: ReadonlyMap<number, Epoch>
  /** How many of the members form the first set; all by default. */
  readonly members?: number
  readonly stateRoot?: (replica: number, hash: Hash) => Hash
}

export class BenchReplica {
  readonly bench: Bench
  readonly index: number
  config: ReplicaConfig
  replica: Replica
  /** The vote log, all of it on disk. */
  log: LogRecord[] = []
  readonly sent: Message[] = []
  delivered: Decision[] = []
  readonly blames: Blame[] = []
  readonly timers = new Map<TimerName, number>()
  readonly outputs: Output[] = []
  halted = false
  executes = true
  /** Number of the next transaction it proposes. */
  nextTransaction = 0

  constructor(bench: Bench, index: number) {
    this.bench = bench
    this.index = index
    this.config = bench.configOf(index)
    this.replica = restoreReplica(this.config, { epochs: [bench.epoch] }, [])
    this.give({ type: 'start' })
  }

  get status() {
    return this.replica.status()
  }

  get waiting() {
    return this.replica.waiting()
  }

  give(input: Input): Output {
    const output = this.replica.step(input)
    this.take(output)
    return output
  }

  take(output: Output): void {
    this.outputs.push(output)
    this.log.push(...output.persist)
    this.blames.push(...output.blame)
    this.delivered.push(...output.deliver)
    if (output.halt !== undefined) this.halted = true
    for (const { name, afterMs } of output.timers) {
      if (afterMs === undefined) this.timers.delete(name)
      else this.timers.set(name, afterMs)
    }
    for (const send of output.send) {
      this.sent.push(send.message)
      this.bench.post(this.index, send)
    }
    const broken = this.replica.brokenInvariants()
    if (broken.length > 0) throw new Error(`replica ${this.index}: ${broken.join('; ')}`)
    for (const { blockHash: hash } of output.validate) this.give({ type: 'payload', blockHash: hash, verdict: 'valid' })
    for (const decision of output.deliver) if (this.executes) this.execute(decision)
    if (output.sync !== undefined && this.bench.syncs) this.#fetch(output.sync)
    if (output.propose !== undefined) {
      const { view, height, parent, parentTimeMs } = output.propose
      if (this.bench.allowance === 0) {
        this.give({ type: 'noProposal', view, height })
        return
      }
      this.bench.allowance--
      const manifest = manifestOf([this.index * 1_000 + this.nextTransaction++])
      this.bench.manifests.set(toHex(payloadHash(manifest)), manifest)
      this.give({ type: 'proposal', view, height, parent, timeMs: (parentTimeMs + 1) as TimeMs, payload: payloadHash(manifest), payloadCount: 1, manifest })
    }
  }

  /** Fetches final blocks from whoever is said to have them. */
  #fetch({ from, to, peers }: Sync): void {
    const source = peers.map(({ validator }) => this.bench.replicas.find((one) => equalBytes(one.config.publicKey, validator.publicKey))).find((one) => (one?.status.committed ?? 0) >= from)
    for (const decision of source?.delivered ?? []) {
      if (decision.header.height >= from && decision.header.height <= to) this.give({ type: 'synced', decision: asVerified(decision) })
    }
  }

  execute({ header }: Decision): void {
    const nextSet = this.bench.options.setChanges?.get(header.height)
    const hash = blockHash(header)
    const stateRoot = this.bench.options.stateRoot?.(this.index, hash) ?? stateRootOf(hash)
    this.give({ type: 'executed', height: header.height, blockHash: hash, stateRoot, ...(nextSet === undefined ? {} : { nextSet }) })
  }

  expire(name: TimerName): void {
    if (this.timers.delete(name)) this.give({ type: 'timer', name })
  }

  /** Stopped and started: the log says that it is all. */
  restartInOrder(): void {
    const closing = this.replica.closing()
    if (closing !== undefined) this.log.push(closing)
    this.restart()
  }

  /** Power off and on: the log is kept, the store holds nothing, what was posted is lost. */
  restart(): void {
    this.bench.posted = []
    this.timers.clear()
    this.delivered = []
    this.replica = restoreReplica(this.config, { epochs: [this.bench.epoch], manifestOf: (header) => this.bench.manifests.get(toHex(header.payload)) }, this.log)
    this.give({ type: 'start' })
  }

  /** The same with its vote log lost, and never to vote again where it may have voted (node/recovery.ts). */
  loseVotes(forgotten: ForgottenVotes): void {
    this.log = []
    this.config = { ...this.config, forgotten }
    this.restart()
  }

  /** The replica as it would be after a restart with these records and nothing stored. */
  restarted(records: readonly LogRecord[], point: ReplicaPoint = { epochs: [this.bench.epoch] }): Replica {
    return restoreReplica(this.config, point, records)
  }
}

interface Posted {
  readonly from: number
  readonly to: number
  readonly message: Message
}

export class Bench {
  readonly options: BenchOptions
  readonly keys: readonly SimulatedKey[]
  readonly members: readonly Validator[]
  readonly epoch: Epoch
  readonly replicas: BenchReplica[]
  posted: Posted[] = []
  /** Blocks that may still be proposed, by whoever is primary. */
  allowance = 0
  /** Whether a replica that lacks final blocks gets them at once. */
  syncs = true
  readonly manifests = new Map<string, Uint8Array>()
  readonly #verify: ReturnType<typeof keyring>['verify']

  constructor(count: number, options: BenchOptions = {}) {
    this.options = options
    const { keys, verify } = keyring(count, false)
    this.keys = keys
    this.#verify = verify
    this.members = keys.map(({ publicKey }, i) => ({ name: `v${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey }))
    this.epoch = { activation: 1 as Height, set: { validators: this.members.slice(0, options.members ?? count), minimums: options.minimums ?? [] } }
    this.replicas = keys.map((_, index) => new BenchReplica(this, index))
  }

  configOf(index: number): ReplicaConfig {
    const key = this.keys[index] as SimulatedKey
    return {
      chain,
      genesis,
      parameters: this.options.parameters ?? { window: 8, checkpointInterval: 1 },
      timing: defaultTiming,
      pipelineDepth: this.options.pipelineDepth ?? 4,
      publicKey: key.publicKey,
      sign: key.sign,
      bindsManifest: (header, manifest) => transactionsOf(manifest)?.length === header.payloadCount && equalBytes(payloadHash(manifest), header.payload),
    }
  }

  at(index: number): BenchReplica {
    const replica = this.replicas[index]
    if (replica === undefined) throw new Error(`there is no replica ${index}`)
    return replica
  }

  post(from: number, { to, message }: Send): void {
    for (const replica of this.replicas ?? []) {
      if (replica.index !== from && (to === 'all' || equalBytes(to.publicKey, (this.keys[replica.index] as SimulatedKey).publicKey))) this.posted.push({ from, to: replica.index, message })
    }
  }

  /** Checks every signature and hands the message in; false when it is refused. */
  hand(to: number, message: Message): boolean {
    const verified = this.verified(to, message)
    if (verified === undefined) return false
    this.at(to).give({ type: 'message', message: verified })
    return true
  }

  verified(to: number, message: Message) {
    return verifyMessage(message, { chain, genesis, schedule: this.at(to).replica.schedule() }, this.#verify)
  }

  /** What this validator would say of itself in another view. */
  statusBy(index: number, view: number): Message {
    const content = { epoch: this.epoch.activation, view: view as View, active: 1, wish: view as View, committed: 0 as Height, checkpoint: 0 as Height, validator: index }
    return { type: 'status', ...content, signature: this.signAs(index, statusBytes(chain, content)) }
  }

  isSigned(check: SignatureCheck): boolean {
    return this.#verify(check)
  }

  /** Delivers what is posted, and what that causes, as long as `wanted` says so; the rest is lost. */
  settle(wanted: (posted: Posted) => boolean = () => true): void {
    for (let guard = 0; this.posted.length > 0; guard++) {
      if (guard > 100_000) throw new Error('the bench does not come to rest')
      const next = this.posted.shift() as Posted
      if (wanted(next)) this.hand(next.to, next.message)
    }
  }

  /** Everyone hears of work for so many blocks, and all that follows is delivered; what is left of the work stays pending. */
  work(blocks: number, wanted?: (posted: Posted) => boolean): void {
    this.allowance += blocks
    for (const replica of this.replicas) replica.give({ type: 'work', pending: true })
    this.settle(wanted)
    if (this.allowance === 0) for (const replica of this.replicas) replica.give({ type: 'work', pending: false })
  }

  /** Everyone (or these) has work pending, and nothing is delivered yet. */
  pend(indexes: readonly number[] = this.replicas.map((_, i) => i)): void {
    for (const index of indexes) this.at(index).give({ type: 'work', pending: true })
  }

  expire(name: TimerName, indexes: readonly number[] = this.replicas.map((_, i) => i), wanted?: (posted: Posted) => boolean): void {
    for (const index of indexes) this.at(index).expire(name)
    this.settle(wanted)
  }

  /** Votes by these validators, signed as they would sign them. */
  signAs(index: number, bytes: Uint8Array): Uint8Array {
    return (this.keys[index] as SimulatedKey).sign(bytes)
  }
}

export function headerOn(parent: BlockRef, proposer: number, transaction: number): BlockHeader {
  const manifest = manifestOf([transaction])
  return { chain, height: (parent.height + 1) as Height, parent: parent.hash, timeMs: (parent.timeMs + 1) as TimeMs, proposer, payload: payloadHash(manifest), payloadCount: 1 }
}

export function fingerprint(message: Message): string {
  return Buffer.from(encodeMessage(message)).toString('base64')
}

