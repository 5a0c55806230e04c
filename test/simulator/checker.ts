// What must hold, checked while it happens. A violation ends the run with a sentence that says what broke, where and when.
import { blockHash } from '../../consensus/block.ts'
import { certifies, signersFormQuorum, type CheckpointCertificate, type Decision } from '../../consensus/certificate.ts'
import type { Message } from '../../consensus/messages.ts'
import type { Blame } from '../../consensus/output.ts'
import { isQuorum } from '../../consensus/quorum.ts'
import type { LogRecord } from '../../consensus/record.ts'
import type { Replica } from '../../consensus/replica.ts'
import { setAt } from '../../consensus/validators.ts'
import type { Height } from '../../primitives/brand.ts'
import { equalBytes, toHex } from '../../primitives/bytes.ts'
import type { SimulatedNode } from './node.ts'
import { transactionsOf } from './payload.ts'
import { type Signatory, SignatureRecord } from './signatures.ts'
import type { World } from './world.ts'

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
  #newViews = new Set<string>()
  #prepared = new Set<string>()

  constructor(world: World) {
    this.#world = world
  }

  fail(what: string): never {
    throw new Violation(`${what} (at ${this.#world.kernel.nowMs.toFixed(1)} ms)`)
  }

  started(node: SimulatedNode): void {
    this.#delivered.set(node.id, node.disk.blocks.length)
    const executed = new Set<number>()
    for (const { manifest } of node.disk.blocks) for (const id of transactionsOf(manifest) ?? []) executed.add(id)
    this.#executed.set(node.id, executed)
  }

  /** Records of a correct node have reached the disk. */
  persisted(node: SimulatedNode, records: readonly LogRecord[]): void {
    if (!node.isCorrect) return
    for (const record of records) {
      if (record.type !== 'certificate') continue
      const key = `${record.certificate.view} ${record.header.height}`
      if (this.#prepared.has(key)) continue
      this.#prepared.add(key)
      this.#world.faults.firstPrepared(node)
    }
  }

  stepped(node: SimulatedNode, replica: Replica): void {
    if (!node.isCorrect) return
    const broken = replica.brokenInvariants()
    if (broken.length > 0) this.fail(`${node.name}: ${broken.join('; ')}`)
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
    // Written out here once more, so that a broken quorum rule cannot vouch for itself.
    else if (!this.#isRealQuorum(node, height, decision.certificate.signatures.map((one) => one.validator))) this.fail(`${node.name} delivers ${height} with too few signers`)
  }

  #isRealQuorum(node: SimulatedNode, height: Height, signers: readonly number[]): boolean {
    const set = setAt((node.replica as Replica).schedule(), height)
    if (set === undefined) return false
    const n = set.validators.length
    const f = Math.floor((n - 1) / 3)
    const distinct = new Set(signers)
    if (2 * distinct.size < n + f + 1) return false
    return set.minimums.every(({ organisation, minimum }) => [...distinct].filter((one) => set.validators[one]?.organisation === organisation).length >= minimum) && isQuorum(set, distinct)
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
    if (node.isCorrect) this.#signatures.sent(this.#signatory(node), message)
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
