// A whole network of whole nodes in one process: machines, links, clocks, disks, people and liars, all drawn from one seed.
import type { Message } from '../../../consensus/messages.ts'
import { faultsTolerated } from '../../../consensus/quorum.ts'
import { Kernel } from '../kernel.ts'
import { Network } from '../network.ts'
import { type Random, randomOf } from '../random.ts'
import { describeMessage } from '../trace.ts'
import { NodesChecker } from './checker.ts'
import { type City, cityOf, type Keys, keysOf, type Terms } from './city.ts'
import { Client } from './client.ts'
import { NodeFaults, nodeFaultKinds, type NodeFaultKind } from './faults.ts'
import { type NodeBehaviour, nodeBehaviourNames } from './liar.ts'
import { SetChanges } from './sets.ts'
import { WholeNode } from './node.ts'
import type { Switchboard } from './transport.ts'

export interface NodesOptions {
  readonly seed: number
  readonly validators: number
  readonly faults: readonly NodeFaultKind[]
  /** Only these kinds of liars, and one at least; otherwise any kind, or none. */
  readonly liars?: readonly NodeBehaviour[]
  readonly trace?: (line: string) => void
}

export class NodesWorld {
  readonly kernel = new Kernel()
  readonly random: Random
  readonly network: Network
  readonly switchboard: Switchboard
  readonly terms: Terms
  readonly city: City
  readonly keys: Keys
  readonly nodes: readonly WholeNode[]
  readonly checker: NodesChecker
  readonly faults: NodeFaults
  readonly client: Client
  readonly sets: SetChanges
  /** What a sync of the disk and a write without one take, about. */
  readonly syncMs: number
  readonly storeMs: number
  readonly verifyMs: number
  readonly voteOverheadBytes: number
  /** How far a clock may jump, for a while. */
  readonly jumpMaxMs = 4_000
  readonly ambush: number
  readonly #trace: ((line: string) => void) | undefined

  private constructor({ seed, validators, faults, liars, trace }: NodesOptions, random: Random, terms: Terms, lying: readonly string[], city: City) {
    this.random = random
    this.#trace = trace
    this.terms = terms
    this.city = city
    this.network = new Network(this.kernel, random)
    this.switchboard = { network: this.network, random, endpoints: new Map() }
    this.syncMs = random.pick([0.3, 1, 5])
    this.storeMs = random.pick([0.1, 1, 10])
    this.verifyMs = random.pick([0, 0, 1])
    // a log of 64 MiB after some tens of records
    this.voteOverheadBytes = random.pick([0, 0, 300_000, 1_500_000])
    this.ambush = random.pick([0, 0.05, 0.2])
    const isReal = random.chance(0.03)
    this.keys = keysOf(isReal)
    this.checker = new NodesChecker(this)
    this.faults = new NodeFaults(this, faults)
    this.sets = new SetChanges(this, terms.changesSets)
    const nodes: WholeNode[] = []
    const told: string[] = []
    for (const name of city.names) {
      const behaviour = lying.includes(name) ? random.pick(liars ?? nodeBehaviourNames) : undefined
      if (behaviour !== undefined) {
        this.faults.count(`byzantine:${behaviour}`)
        told.push(`${name} is ${behaviour}`)
      }
      for (let twin = behaviour === 'twins' ? 2 : 1; twin > 0; twin--) nodes.push(new WholeNode(this, nodes.length, this.keys.of(name), behaviour))
    }
    for (const name of city.observers) nodes.push(new WholeNode(this, nodes.length, this.keys.of(name), undefined))
    this.nodes = nodes
    this.client = new Client(this)
    this.trace('seed', () => `${seed}: ${validators} validators${city.observers.length > 0 ? ` and ${city.observers.length} observers` : ''}, view timeout ${terms.viewTimeoutMs} ms, checkpoint interval ${terms.checkpointInterval}, pipeline ${terms.pipelineDepth}, ${terms.transactionsMax} transactions a block${isReal ? ', Ed25519' : ''}${told.map((one) => `; ${one}`).join('')}`)
  }

  static async create(options: NodesOptions): Promise<NodesWorld> {
    const { seed, validators, faults, liars } = options
    const random = randomOf(seed)
    const f = faultsTolerated(validators)
    const count = faults.includes('byzantine') && f > 0 && (liars !== undefined || random.chance(0.5)) ? 1 + random.below(f) : 0
    // a choice of few faults is meant
    const changesSets = faults.includes('sets') && (faults.length < nodeFaultKinds.length || random.chance(0.15))
    const terms: Terms = {
      validators,
      observers: changesSets ? 2 : random.pick([0, 0, 0, 1]),
      viewTimeoutMs: random.pick([200, 400]),
      checkpointInterval: random.pick([1, 4]),
      pipelineDepth: random.pick([1, 4]),
      transactionsMax: random.pick([2, 1_000]),
      // without liars no organisation can be missing for good
      changesSets,
      strict: !changesSets && count === 0 && random.chance(0.2),
    }
    const city = await cityOf(terms)
    return new NodesWorld(options, random, terms, random.shuffled(city.names).slice(0, count), city)
  }

  /** One a key. */
  get machines(): readonly WholeNode[] {
    return this.nodes.filter((node, i) => this.nodes.findIndex((other) => other.actor === node.actor) === i)
  }

  get correct(): readonly WholeNode[] {
    return this.nodes.filter((node) => node.isCorrect)
  }

  /** The connections of a process that has ended are closed, and the others notice. */
  hangUp(node: WholeNode): void {
    this.switchboard.endpoints.delete(node.id)
    for (const other of this.switchboard.endpoints.values()) this.kernel.after(this.random.between(0, 5), other.refresh)
  }

  trace(who: string, what: () => string): void {
    this.#trace?.(`${this.kernel.nowMs.toFixed(1).padStart(9)} ms  ${who.padEnd(8)}  ${what()}`)
  }

  traceMessage(node: WholeNode, message: Message): void {
    this.trace(node.name, () => `says ${describeMessage(message)}`)
  }
}
