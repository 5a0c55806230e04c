// A whole network of replicas in one process: nodes, links, clock, disks and liars, all drawn from one seed.
import type { BlockRef } from '../../consensus/block.ts'
import { blockHash } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import type { ConsensusParameters, ConsensusTiming } from '../../consensus/config.ts'
import type { Message } from '../../consensus/messages.ts'
import { faultsTolerated } from '../../consensus/quorum.ts'
import type { Epoch, Validator, ValidatorSet } from '../../consensus/validators.ts'
import { alternateOrganisations } from '../../primitives/turns.ts'
import type { Height, TimeMs } from '../../primitives/brand.ts'
import { equalBytes, utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { behaviourNames, behaviourOf, type BehaviourName } from './adversary.ts'
import { Checker } from './checker.ts'
import type { Result } from './disk.ts'
import { Faults, type FaultKind } from './faults.ts'
import { Kernel } from './kernel.ts'
import { keyring, type Keyring } from './keys.ts'
import { goodLinks, Network, type LinkQuality } from './network.ts'
import { nextRoot, SimulatedNode, type Packet } from './node.ts'
import { randomOf, type Random } from './random.ts'
import { describeMessage } from './trace.ts'

export interface WorldOptions {
  readonly seed: number
  readonly validators: number
  readonly faults: readonly FaultKind[]
  /** Only these kinds of liars, and one at least; otherwise any kind, or none. */
  readonly liars?: readonly BehaviourName[]
  readonly trace?: (line: string) => void
}

export class World {
  readonly chain = 'simulated'
  readonly genesis: BlockRef = { height: 0 as Height, hash: taggedHash('simulated-genesis', utf8('genesis')), timeMs: 0 as TimeMs }
  readonly parameters: ConsensusParameters
  readonly timing: ConsensusTiming
  readonly inclusionTimeoutMs = 4_000
  readonly pipelineDepth: number
  readonly kernel = new Kernel()
  readonly random: Random
  readonly network: Network
  readonly checker: Checker
  readonly faults: Faults
  readonly genesisEpoch: Epoch
  /** Sets that executing a block of this height schedules, when the run changes sets. */
  readonly setChanges = new Map<number, Epoch>()
  readonly nodes: SimulatedNode[] = []
  readonly names: string[] = []
  /** Messages whose signatures have been checked once; they are immutable. */
  readonly knownGood = new WeakSet<Message>()
  readonly throughBytes: boolean
  readonly diskMs: number
  readonly executeMs: number
  missingBodies: number
  /** Numbers of the transactions that a liar makes up. */
  madeUp = 1_000_000
  /** Nothing goes wrong but by ambush and isolation, so that the run is about what a new view chooses. */
  readonly pointed: boolean
  /** How likely the first to make a block final is cut off at that moment. */
  readonly ambush: number
  /** What links are like for good: in some runs they lose packets, or are so slow that a view needs longer than the timer is at first. */
  readonly lasting: LinkQuality
  /** In some runs the last transaction reaches only f + 1 correct validators, and nobody passes it on: they must bring about a primary that has it. */
  readonly few: boolean
  readonly liars: readonly number[]
  /** How likely the first to hold a prepared certificate stays the only one for a while. */
  readonly isolation: number
  /** Transactions executed by some correct node: they must never be missing from the history. */
  readonly acknowledged = new Map<number, Height>()
  readonly #keyring: Keyring
  readonly #trace: ((line: string) => void) | undefined

  constructor({ seed, validators, faults, liars = [], trace }: WorldOptions) {
    const random = randomOf(seed)
    this.random = random
    this.#trace = trace
    const checkpointInterval = random.pick([1, 1, 2, 4])
    this.parameters = { window: random.pick([8, 12, 16]), checkpointInterval }
    this.pipelineDepth = random.pick([1, 2, 4, 4])
    // Hasty timers make for many views; patient ones for long pipelines.
    const viewTimeoutMs = random.pick([60, 150, 400, 400])
    this.timing = { viewTimeoutMs, viewTimeoutMaxMs: 8 * viewTimeoutMs, retransmitMs: random.pick([40, 120]), heartbeatMs: 2_000, checkpointIdleMs: 100 }
    this.throughBytes = random.chance(0.08)
    this.diskMs = random.pick([0.5, 2, 8])
    this.executeMs = random.pick([0.5, 3, 20])
    this.missingBodies = faults.includes('payload') && random.chance(0.5) ? random.between(0.05, 0.5) : 0
    this.pointed = faults.includes('ambush') && faults.includes('isolate') && random.chance(0.3)
    this.ambush = this.pointed ? 0.3 : random.pick([0, 0.1, 0.3])
    this.isolation = this.pointed ? 0.25 : random.pick([0, 0, 0.1])
    const { lossy, slow } = { lossy: faults.includes('loss') && random.chance(0.15), slow: faults.includes('delay') && random.chance(0.1) }
    this.lasting = lossy ? { ...goodLinks, loss: 0.15 } : slow ? { ...goodLinks, delayMs: [0.6 * viewTimeoutMs, 0.7 * viewTimeoutMs] } : goodLinks
    this.few = random.chance(0.2)
    this.network = new Network(this.kernel, random)

    const changesSets = faults.includes('sets') && random.chance(0.15)
    const total = validators + (changesSets ? 1 : 0)
    this.#keyring = keyring(total, random.chance(0.01))
    const f = faultsTolerated(validators)
    const lying = faults.includes('byzantine') && f > 0 && (liars.length > 0 || random.chance(0.5)) ? 1 + random.below(f) : 0
    const behaviours = new Map<number, BehaviourName>()
    for (const index of random.shuffled(Array.from({ length: validators }, (_, i) => i)).slice(0, lying)) behaviours.set(index, random.pick(liars.length > 0 ? liars : behaviourNames))

    this.liars = [...behaviours.keys()]
    this.checker = new Checker(this)
    const members: Validator[] = this.#keyring.keys.map(({ publicKey }, i) => ({ name: `v${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey }))
    // Without liars no organisation can be missing for good, so its minimum may be all of its members.
    const strict = lying === 0 && random.chance(0.3)
    const setOf = (chosen: readonly Validator[]): Epoch['set'] => ({
      validators: alternateOrganisations(chosen),
      minimums: validators < 4 ? [] : ['city', 'bank'].map((organisation) => {
        const members = chosen.filter((one) => one.organisation === organisation).length
        return { organisation, minimum: strict ? Math.floor((2 * members) / 3) + 1 : 1 }
      }),
    })
    this.genesisEpoch = { activation: 1 as Height, set: setOf(members.slice(0, validators)) }
    if (changesSets) {
      // A validator joins, and another leaves or stays: one that lies stays, so that the liars never pass f; so does a lone one, since a set needs
      // somebody who knows the last block of the set before.
      const leaving = validators > 1 && random.chance(0.6) ? members.slice(0, validators).find((_, i) => !behaviours.has(i)) : undefined
      const at = 2 + random.below(3)
      const activation = (at + this.parameters.window + 1 + random.below(3)) as Height
      this.setChanges.set(at, { activation, set: setOf(members.filter((one) => one !== leaving)) })
    }
    members.forEach((_, i) => {
      const name = behaviours.get(i)
      const twins = name === 'twins' ? 2 : 1
      for (let twin = 0; twin < twins; twin++) {
        this.names.push(twins === 2 ? `v${i}${twin === 0 ? 'a' : 'b'}` : `v${i}`)
        const behaviour = name === undefined ? undefined : behaviourOf(name, random, this.genesisEpoch.set.validators)
        this.nodes.push(new SimulatedNode(this, this.nodes.length, i, this.#keyring.keys[i] as Keyring['keys'][number], behaviour))
      }
    })
    this.faults = new Faults(this, faults)
    for (const name of behaviours.values()) this.faults.count(`byzantine:${name}`)
    if (changesSets) this.faults.count('sets')
    if (this.missingBodies > 0) this.faults.count('payload')
    this.trace(() => `seed ${seed}: ${validators} validators, window ${this.parameters.window}, checkpoint interval ${checkpointInterval}, pipeline ${this.pipelineDepth}${[...behaviours].map(([i, name]) => `, v${i} is ${name}`).join('')}`)
  }

  /** The correct ones that are in every set. */
  get staying(): SimulatedNode[] {
    const sets = [this.genesisEpoch, ...this.setChanges.values()].map((epoch) => epoch.set.validators)
    return this.correct.filter((node) => sets.every((validators) => validators.some((one) => equalBytes(one.publicKey, node.key.publicKey))))
  }

  /** The correct ones that are in the set of their epoch. */
  get members(): SimulatedNode[] {
    return this.correct.filter((node) => node.replica?.status().index !== undefined)
  }

  get correct(): SimulatedNode[] {
    return this.nodes.filter((node) => node.isCorrect)
  }

  verify: Keyring['verify'] = (check) => this.#keyring.verify(check)

  execute(previous: Result | undefined, decision: Decision): Result {
    const { header } = decision
    const nextSet = this.setChanges.get(header.height)
    return { height: header.height, blockHash: blockHash(header), stateRoot: nextRoot(previous, decision), ...(nextSet === undefined ? {} : { nextSet }) }
  }

  /** The set of the epoch that begins at this height. */
  setAt(activation: number): ValidatorSet {
    return ([...this.setChanges.values()].find((one) => one.activation === activation) ?? this.genesisEpoch).set
  }

  acknowledge(id: number, height: Height): void {
    if (!this.acknowledged.has(id)) this.acknowledged.set(id, height)
  }

  send(from: SimulatedNode, to: number, packet: Packet): void {
    this.network.send(from.id, to, packet.type === 'consensus' ? packet.message.type : packet.type, () => this.nodes[to]?.receive(from.id, packet), packet.type === 'consensus' && packet.message.type === 'prepare' ? packet.message.height : 0)
  }

  sendToKey(from: SimulatedNode, publicKey: Uint8Array, packet: Packet): void {
    for (const node of this.nodes) if (node !== from && equalBytes(node.key.publicKey, publicKey)) this.send(from, node.id, packet)
  }

  broadcast(from: SimulatedNode, packet: Packet): void {
    for (const node of this.nodes) if (node !== from) this.send(from, node.id, packet)
  }

  trace(line: () => string): void {
    this.#trace?.(`${this.kernel.nowMs.toFixed(1).padStart(9)}  ${line()}`)
  }

  traceMessage(node: SimulatedNode, message: Message): void {
    this.trace(() => `${node.name} says ${describeMessage(message)}`)
  }
}
