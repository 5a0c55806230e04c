// What must hold of whole nodes, looked at as an outsider sees them: by what they store, answer and send. What breaks is noted, since nothing may be thrown
// into the node's own code, and ends the run after the event that broke it.
import type { Message } from '../../../consensus/messages.ts'
import { type Epoch, epochHash, type ValidatorSet } from '../../../consensus/validators.ts'
import { voteBytes } from '../../../consensus/votes.ts'
import { validatorSetOf } from '../../../genesis/genesis.ts'
import { readEpochs } from '../../../node/membership.ts'
import type { ChainStore } from '../../../node/chain-store.ts'
import type { Height, TransactionId } from '../../../primitives/brand.ts'
import { fromBase64url, toBase64url, toHex } from '../../../primitives/bytes.ts'
import { decode } from '../../../primitives/codec.ts'
import { codeOf } from '../../../primitives/errors.ts'
import { blockBytesMax } from '../../../primitives/limits.ts'
import { auditQuery } from '../../../state/points/query-audit.ts'
import { oneSlot } from '../../../state/reservation/queries.ts'
import { type Receipt, receiptSchema } from '../../../state/receipt.ts'
import { decodeTransaction, signatureChecks } from '../../../state/transaction.ts'
import { SignatureRecord } from '../signatures.ts'
import { program, slot } from './city.ts'
import type { WholeNode } from './node.ts'
import { describeSet } from './sets.ts'
import type { NodesWorld } from './world.ts'

interface Stored {
  readonly hash: string
  readonly root: string
}

interface Acknowledged {
  readonly node: string
  readonly height: Height
  readonly index: number
  readonly outcome: string
}

export class NodesChecker {
  readonly #world: NodesWorld
  /** Every set there was, and the scheduled one. */
  epochs: readonly Epoch[]
  /** The one history, from height 1, as the first correct node stored it. */
  readonly history: Stored[] = []
  readonly #ran = new Map<string, Height>()
  readonly #acknowledged = new Map<string, Acknowledged>()
  readonly #signatures: SignatureRecord
  readonly #newViews = new Set<number>()
  /** By epoch: the highest view that a correct node has said to be in or has asked for. */
  readonly #views = new Map<number, number>()
  #viewsBefore: ReadonlyMap<number, number> = new Map()
  violation: string | undefined

  constructor(world: NodesWorld) {
    this.#world = world
    this.epochs = [{ activation: 1 as Height, set: validatorSetOf(world.city.genesis) }]
    this.#signatures = new SignatureRecord((what) => this.note(what))
  }

  get viewChanges(): number {
    return this.#newViews.size
  }

  /** From here on views are counted. */
  healed(): void {
    this.#viewsBefore = new Map(this.#views)
  }

  /** How many views were asked for since the faults ended. */
  get viewsSince(): number {
    return [...this.#views].reduce((sum, [epoch, view]) => sum + view - (this.#viewsBefore.get(epoch) ?? 0), 0)
  }

  note(what: string): void {
    if (this.violation !== undefined) return
    this.violation = `${what} (at ${this.#world.kernel.nowMs.toFixed(1)} ms)`
    this.#world.trace('checker', () => `VIOLATION: ${what}`)
  }

  /** A correct node starts from what it finds on its disk. */
  found(node: WholeNode, store: ChainStore): void {
    // it may have died between a block's batch and the news of it
    if (store.head().height === this.history.length + 1) this.#extend(node, store, store.head().height)
    this.#compare(node, store)
  }

  /** A correct node has stored the next block. */
  stored(node: WholeNode, store: ChainStore, height: Height): void {
    const head = store.head()
    if (head.height !== height || height !== node.stored + 1) this.note(`${node.name} stores block ${head.height} after ${node.stored} and says ${height}`)
    if (height === this.history.length + 1) this.#extend(node, store, height)
    else if (height > this.history.length) this.note(`${node.name} stores block ${height} above a gap`)
    this.#compare(node, store)
  }

  #compare(node: WholeNode, store: ChainStore): void {
    const { height, hash, stateRoot } = store.head()
    if (height === 0) return
    const known = this.history[height - 1]
    if (known === undefined) this.note(`${node.name} has a block ${height} that nobody stored`)
    else if (known.hash !== toHex(hash)) this.note(`fork at height ${height}: ${node.name} has ${toHex(hash).slice(0, 6)}, another ${known.hash.slice(0, 6)}`)
    else if (known.root !== toHex(stateRoot)) this.note(`the state of height ${height} differs: ${node.name} has ${toHex(stateRoot).slice(0, 6)}, another ${known.root.slice(0, 6)}`)
  }

  /** Activation height of the epoch that governs the height: a set is agreed on long before. */
  epochOf(height: Height): Height {
    return this.#epochAt(height).activation
  }

  setAt(height: number): ValidatorSet {
    return this.#epochAt(height).set
  }

  #epochAt(height: number): Epoch {
    return this.epochs.findLast(({ activation }) => activation <= height) ?? (this.epochs[0] as Epoch)
  }

  /** The one that governs the height, and those after it. */
  epochsFrom(height: number): readonly Epoch[] {
    return this.epochs.slice(this.epochs.indexOf(this.#epochAt(height)))
  }

  #extend(node: WholeNode, store: ChainStore, height: Height): void {
    const { hash, stateRoot } = store.head()
    this.history.push({ hash: toHex(hash), root: toHex(stateRoot) })
    this.#world.faults.firstStored(node)
    this.#learnSets(readEpochs(store))
    const row = store.block(height)
    const parent = this.history[height - 2]
    if (row === undefined) {
      this.note(`${node.name} has stored block ${height} and cannot show it`)
      return
    }
    if (parent !== undefined && parent.hash !== toHex(row.header.parent)) this.note(`block ${height} of ${node.name} does not stand on block ${height - 1}`)
    const { view, blockHash: certified, signatures } = row.certificate
    const message = voteBytes('commit', this.#world.city.chainId, view, height, certified)
    for (const { validator, signature } of signatures) {
      const publicKey = this.setAt(height).validators[validator]?.publicKey
      if (publicKey === undefined || !this.#world.keys.verify({ algorithm: 'ed25519', publicKey, message, signature })) this.note(`block ${height} of ${node.name} is final by a vote of no member of its set`)
    }
    if (!this.#isQuorum(row.certificate.signatures.map(({ validator }) => validator), height)) this.note(`block ${height} of ${node.name} is final by too few`)
    for (const envelope of store.payload(height) ?? []) {
      const transaction = decodeTransaction(envelope)
      if (!signatureChecks(transaction).every(this.#world.keys.verify)) this.note(`block ${height} orders ${toBase64url(transaction.id).slice(0, 6)}, which nobody signed`)
    }
    for (const receipt of receiptsOf(store, height)) {
      const id = toBase64url(receipt.id)
      // what the envelope's rules refuse has not run
      if (receipt.code?.startsWith('tx/') === true) continue
      const before = this.#ran.get(id)
      if (before !== undefined) this.note(`transaction ${id.slice(0, 6)} ran at height ${before} and again at ${height}`)
      this.#ran.set(id, height)
    }
  }

  #learnSets(epochs: readonly Epoch[]): void {
    const { sets, faults } = this.#world
    if (epochs.length < this.epochs.length || this.epochs.some((one, i) => describeSet(one.set) !== describeSet((epochs[i] as Epoch).set))) this.note('a validator set has changed in retrospect')
    this.epochs = [...this.epochs, ...epochs.slice(this.epochs.length)]
    const next = this.history.length
    if (sets.isOn && this.epochs.some(({ activation }) => activation > 1 && Math.abs(activation - next) <= 2)) faults.nearActivation()
  }

  /** Counted here once more, so that a broken quorum rule cannot vouch for itself. */
  #isQuorum(signers: readonly number[], height: Height): boolean {
    const { validators, minimums } = this.setAt(height)
    const n = validators.length
    const distinct = new Set(signers)
    if (2 * distinct.size < n + Math.floor((n - 1) / 3) + 1) return false
    return minimums.every(({ organisation, minimum }) => [...distinct].filter((one) => validators[one]?.organisation === organisation).length >= minimum)
  }

  /** A correct node sends this, to whomever. */
  sent(node: WholeNode, message: Message): void {
    this.#world.traceMessage(node, message)
    if (message.type === 'new-view') this.#newViews.add(message.view)
    if (!node.isCorrect) return
    this.#signatures.sent(node.signatory, message)
    if (message.type === 'status') this.#views.set(message.epoch, Math.max(this.#views.get(message.epoch) ?? 0, message.view, message.wish))
  }

  /** A correct node has answered with a final receipt. */
  acknowledged(node: WholeNode, receipt: Receipt): void {
    const id = toBase64url(receipt.id)
    const own: Acknowledged = { node: node.name, height: receipt.height, index: receipt.index, outcome: receipt.code ?? receipt.status }
    const known = this.#acknowledged.get(id)
    this.#world.trace('people', () => `${id.slice(0, 6)} is final at ${receipt.height}/${receipt.index}: ${own.outcome}, says ${node.name}`)
    if (known === undefined) this.#acknowledged.set(id, own)
    else if (known.height !== own.height || known.index !== own.index || known.outcome !== own.outcome) this.note(`transaction ${id.slice(0, 6)} has two receipts: ${JSON.stringify(known)} and ${JSON.stringify(own)}`)
  }

  blamed(node: WholeNode, accused: string, reason: string): void {
    const keys = this.epochs.flatMap(({ set }) => set.validators.filter((one) => one.name === accused.split(':')[0])).map(({ publicKey }) => toHex(publicKey))
    // whoever has gone by this name
    const meant = this.#world.nodes.filter((other) => other.name === accused || keys.includes(toHex(other.actor.publicKey)))
    if (!node.isCorrect || meant.length === 0 || meant.some((other) => !other.isCorrect || other.incarnation > 0)) return
    this.note(`${node.name} blames the correct ${accused}: ${reason}`)
  }

  /** Before each set a certificate of the one before names it, and somebody has it: whoever follows from the genesis misses none. */
  async #chained(): Promise<void> {
    for (const [number, epoch] of this.epochs.entries()) {
      if (number === 0 || epoch.activation > this.history.length) continue
      const known = await Promise.all(this.#world.correct.map(async ({ backend }) => backend?.setChange(number)))
      const certificates = known.flatMap((one) => one?.checkpoint ?? [])
      if (certificates.length === 0) this.note(`nobody has a certificate that names the set of block ${epoch.activation}`)
      for (const { content, signatures } of certificates) {
        if (content.height >= epoch.activation || content.nextSet === undefined || toHex(content.nextSet) !== toHex(epochHash(epoch)) || !this.#isQuorum(signatures.map(({ validator }) => validator), content.height)) this.note(`the certificate at ${content.height} does not name the set of block ${epoch.activation}`)
      }
    }
  }

  /** When all is over: what was acknowledged is everywhere, and the money and the seats add up. */
  async settled(): Promise<void> {
    await this.#chained()
    for (const node of this.#world.correct) {
      const { store, backend } = node
      if (store === undefined || backend === undefined) continue
      for (const [id, { height, index, outcome, node: by }] of this.#acknowledged) {
        const receipt = readReceipt(store, fromBase64url(id) as TransactionId)
        if (receipt === undefined) this.note(`transaction ${id.slice(0, 6)} was acknowledged by ${by} at ${height} and ${node.name} does not have it`)
        else if (receipt.height !== height || receipt.index !== index || (receipt.code ?? receipt.status) !== outcome) this.note(`transaction ${id.slice(0, 6)} was acknowledged by ${by} as ${outcome} at ${height}/${index}, and ${node.name} has ${receipt.code ?? receipt.status} at ${receipt.height}/${receipt.index}`)
      }
      await this.audit(node)
    }
  }

  /** The state of a node is looked at as an auditor does. */
  async audit(node: WholeNode): Promise<void> {
    const { backend } = node
    if (backend === undefined || !node.isCorrect) return
    try {
      await backend.query(async (view, head) => {
        const points = await auditQuery.run(view, { program }, head)
        if (points !== undefined && !points.holds) this.note(`the points of ${node.name} do not add up at height ${head.height}: ${JSON.stringify(points.sums)}`)
        const seats = await oneSlot.run(view, { slot }, head)
        if (seats !== undefined && seats.confirmed + seats.attended + seats.absent > seats.capacity) this.note(`${seats.confirmed} of ${seats.capacity} seats are sold by ${node.name}`)
      })
    } catch (error) {
      if (codeOf(error) !== 'store/damaged' && codeOf(error) !== 'store/closed') throw error
    }
  }
}

function receiptsOf(store: ChainStore, height: Height): readonly Receipt[] {
  return (store.results(height) ?? []).slice(1).map((encoded) => decode(receiptSchema, encoded, blockBytesMax))
}

function readReceipt(store: ChainStore, id: TransactionId): Receipt | undefined {
  const place = store.placeOf(id)
  return place === undefined ? undefined : receiptsOf(store, place.height)[place.index]
}
