// What must hold, checked while it happens. A violation ends the run with a sentence that says what broke, where and when.
import { blockHash } from '../../consensus/block.ts'
import { certifies, signersFormQuorum, type CheckpointCertificate, type Decision } from '../../consensus/certificate.ts'
import type { Message, NewView } from '../../consensus/messages.ts'
import type { Blame } from '../../consensus/output.ts'
import { isQuorum } from '../../consensus/quorum.ts'
import type { LogRecord } from '../../consensus/record.ts'
import type { Replica } from '../../consensus/replica.ts'
import { setAt, type Validator, type ValidatorSet } from '../../consensus/validators.ts'
import type { Height } from '../../primitives/brand.ts'
import { equalBytes, toHex } from '../../primitives/bytes.ts'
import type { SimulatedNode } from './node.ts'
import { transactionsOf } from './payload.ts'
import { Promises } from './promises.ts'
import { type Signatory, SignatureRecord } from './signatures.ts'
import type { World } from './world.ts'

/** Written out once more, so that a broken quorum rule cannot vouch for itself. */
function isQuorumAnew(validators: readonly Validator[], minimums: ValidatorSet['minimums'], signers: readonly number[]): boolean {
  const n = validators.length
  const distinct = new Set(signers)
  if (2 * distinct.size < n + Math.floor((n - 1) / 3) + 1) return false
  return minimums.every(({ organisation, minimum }) => [...distinct].filter((one) => validators[one]?.organisation === organisation).length >= minimum)
}

export class Violation extends Error {}

export class Checker {
  readonly #world: World
  /** The one history: block hash by height, as any correct replica delivered it. */
  readonly history: string[] = []
  readonly #roots = new Map<number, string>()
  readonly #signatures = new SignatureRecord((what) => this.fail(what))
  /** By endpoint: the height delivered in this life. */
  readonly #delivered = new Map<number, number>()
  readonly #executed = new Map<number, Set<number>>()
  readonly blames: { readonly by: string; readonly blame: Blame }[] = []
  viewChanges = 0
  /** By epoch: the highest view that a correct validator has been in or asked for. */
  readonly #views = new Map<number, number>()
  #viewsBefore: ReadonlyMap<number, number> = new Map()
  #newViews = new Set<string>()
  #prepared = new Set<string>()

  readonly #promises: Promises
  /** The highest checkpoint that is stable at any correct node. */
  #certifiedTo = 0

  constructor(world: World) {
    this.#world = world
    this.#promises = new Promises({
      fail: (what) => this.fail(what),
      liars: new Set(world.liars),
      isQuorum: (epoch, signers) => {
        const { validators, minimums } = world.setAt(epoch)
        const members = [...signers].map((one) => world.nodes.find((node) => node.validator === one)?.key.publicKey).filter((key) => key !== undefined)
        const indexes = validators.map((_, i) => i).filter((i) => members.some((key) => equalBytes(key, (validators[i] as Validator).publicKey)))
        return isQuorumAnew(validators, minimums, indexes)
      },
    })
  }

  fail(what: string): never {
    throw new Violation(`${what} (at ${this.#world.kernel.nowMs.toFixed(1)} ms)`)
  }

  /** From here on views are counted. */
  healed(): void {
    this.#viewsBefore = new Map(this.#views)
  }

  /** How many views were asked for since the faults ended. */
  get viewsSince(): number {
    return [...this.#views].reduce((sum, [epoch, view]) => sum + view - (this.#viewsBefore.get(epoch) ?? 0), 0)
  }

  started(node: SimulatedNode): void {
    this.#promises.restarted(node.id)
    this.#delivered.set(node.id, node.disk.blocks.length)
    const executed = new Set<number>()
    for (const { manifest } of node.disk.blocks) for (const id of transactionsOf(manifest) ?? []) executed.add(id)
    this.#executed.set(node.id, executed)
  }

  /** Records of a correct node have reached the disk. */
  persisted(node: SimulatedNode, records: readonly LogRecord[]): void {
    if (!node.isCorrect) return
    for (const record of records) {
      this.#world.faults.persisted(node, record)
      if (record.type !== 'certificate') continue
      const key = `${record.certificate.view} ${record.header.height}`
      if (this.#prepared.has(key)) continue
      this.#prepared.add(key)
      this.#world.faults.firstPrepared(node, record.certificate.view, record.header.height)
    }
  }

  stepped(node: SimulatedNode, replica: Replica): void {
    if (!node.isCorrect) return
    const broken = replica.brokenInvariants()
    if (broken.length > 0) this.fail(`${node.name}: ${broken.join('; ')}`)
    const status = replica.status()
    this.#promises.stands(node.id, node.validator, status)
    this.#certifiedTo = Math.max(this.#certifiedTo, status.checkpoint)
    this.#views.set(status.epoch, Math.max(this.#views.get(status.epoch) ?? 0, status.view, status.wish))
  }

  delivered(node: SimulatedNode, decision: Decision): void {
    const { header } = decision
    const { height } = header
    this.#world.trace(() => `${node.name} delivers ${height} ${toHex(blockHash(header)).slice(0, 6)} (committed in view ${decision.certificate.view})`)
    if (!node.isCorrect) return
    const last = this.#delivered.get(node.id) ?? 0
    if (height !== last + 1) this.fail(`${node.name} delivers ${height} after ${last}`)
    this.#delivered.set(node.id, height)
    const hash = toHex(blockHash(header))
    const known = this.history[height - 1]
    if (known === undefined) {
      if (this.history.length !== height - 1) this.fail(`${node.name} delivers ${height} above a gap`)
      const parent = height === 1 ? toHex(this.#world.genesis.hash) : this.history[height - 2]
      if (parent !== toHex(header.parent)) this.fail(`${node.name} delivers ${height}, which does not stand on ${height - 1}`)
      this.history.push(hash)
      this.#world.faults.firstDelivery(node)
    } else if (known !== hash) this.fail(`fork at height ${height}: ${node.name} delivers ${hash.slice(0, 6)}, another delivered ${known.slice(0, 6)}`)
    const set = setAt((node.replica as Replica).schedule(), height)
    if (set === undefined || !certifies(decision, set)) this.fail(`${node.name} delivers ${height} without a certificate`)
    else if (!this.#isRealQuorum(node, height, decision.certificate.signatures.map((one) => one.validator))) this.fail(`${node.name} delivers ${height} with too few signers`)
  }

  #isRealQuorum(node: SimulatedNode, height: Height, signers: readonly number[]): boolean {
    const set = setAt((node.replica as Replica).schedule(), height)
    if (set === undefined) return false
    return isQuorumAnew(set.validators, set.minimums, signers) && isQuorum(set, new Set(signers))
  }

  certified(node: SimulatedNode, certificate: CheckpointCertificate): void {
    const { content, signatures } = certificate
    this.#world.trace(() => `${node.name} holds checkpoint ${content.height}`)
    if (!node.isCorrect) return
    const set = setAt((node.replica as Replica).schedule(), content.height)
    if (set === undefined || !signersFormQuorum(set, signatures)) this.fail(`${node.name} takes checkpoint ${content.height} without a quorum`)
    const root = toHex(content.stateRoot)
    const known = this.#roots.get(content.height) ?? root
    this.#roots.set(content.height, known)
    if (known !== root) this.fail(`two state roots certified at height ${content.height}`)
  }

  executed(node: SimulatedNode, decision: Decision, manifest: Uint8Array): void {
    const executed = this.#executed.get(node.id) ?? new Set<number>()
    for (const id of transactionsOf(manifest) ?? []) executed.add(id)
    this.#executed.set(node.id, executed)
    if (node.isCorrect) for (const id of executed) this.#world.acknowledge(id, decision.header.height)
  }

  isExecuted(node: SimulatedNode, id: number): boolean {
    return this.#executed.get(node.id)?.has(id) === true
  }

  halted(node: SimulatedNode): void {
    if (node.isCorrect) this.fail(`${node.name} halts although all execute alike`)
  }

  blamed(node: SimulatedNode, blames: readonly Blame[]): void {
    for (const blame of blames) {
      this.#world.trace(() => `${node.name} blames ${blame.validator.name} for two ${blame.kind}s`)
      if (!node.isCorrect) continue
      const accused = this.#world.nodes.find((one) => equalBytes(one.key.publicKey, blame.validator.publicKey))
      if (accused?.isCorrect === true) this.fail(`${node.name} blames the correct ${accused.name} for its ${blame.kind}`)
      this.blames.push({ by: node.name, blame })
    }
  }

  refused(from: number, message: Message): void {
    const sender = this.#world.nodes[from] as SimulatedNode
    this.#world.trace(() => `a ${message.type} of ${sender.name} is refused`)
  }

  /** A message leaves a node. */
  sent(node: SimulatedNode, message: Message): void {
    this.#world.traceMessage(node, message)
    if (message.type === 'new-view') {
      const key = `${message.epoch} ${message.view}`
      if (!this.#newViews.has(key)) {
        this.#newViews.add(key)
        this.viewChanges++
      }
    }
    if (!node.isCorrect) return
    this.#signatures.sent(this.#signatory(node), message)
    this.#promises.said(node.validator, this.#signatory(node).epoch(node.replica?.status().committed ?? (0 as Height)), message)
    if (message.type === 'new-view' && this.#leads(node, message)) this.#promises.opens(node.validator, message)
    if ((message.type === 'prepare' || message.type === 'commit') && message.height > this.#certifiedTo + this.#world.parameters.window) {
      this.fail(`${node.name} votes for ${message.height}, beyond the window above the checkpoint ${this.#certifiedTo}`)
    }
  }

  /** Anyone may pass a NewView on; its primary alone made it. */
  #leads(node: SimulatedNode, { epoch, view }: NewView): boolean {
    const { validators } = this.#world.setAt(epoch)
    const primary = validators[view % validators.length]
    return primary !== undefined && equalBytes(primary.publicKey, node.key.publicKey)
  }

  #signatory(node: SimulatedNode): Signatory {
    const replica = node.replica as Replica
    return {
      name: node.name,
      publicKey: node.key.publicKey,
      incarnation: () => 0,
      setAt: (height) => setAt(replica.schedule(), height),
      epoch: () => replica.status().epoch,
      delivered: () => this.#delivered.get(node.id) ?? 0,
    }
  }
}
