// What goes wrong around whole nodes, and that it ends: after `heal` nothing is cut, lost, slow, full, damaged or down any more, the clocks are right, and only
// the liars go on lying. At most f validators at a time are Byzantine or without their votes.
import { unreachable } from '../../../primitives/errors.ts'
import { whyVotesMissing } from '../../../node/vote-mark.ts'
import type { WholeNode } from './node.ts'
import { keyOf } from './store.ts'
import type { NodesWorld } from './world.ts'

export const nodeFaultKinds = ['loss', 'delay', 'duplicate', 'partition', 'asymmetric', 'flapping', 'slow', 'crash', 'power-cut', 'damage', 'full-disk', 'clock', 'starve', 'ambush', 'hoard', 'old-votes', 'sets', 'byzantine'] as const
export type NodeFaultKind = (typeof nodeFaultKinds)[number]

const strikes = ['partition', 'asymmetric', 'flapping', 'slow', 'crash', 'crash', 'crash', 'power-cut', 'damage', 'damage', 'full-disk', 'clock', 'starve', 'starve', 'old-votes'] as const
type Strike = (typeof strikes)[number]

export class NodeFaults {
  readonly #world: NodesWorld
  readonly #kinds: ReadonlySet<NodeFaultKind>
  readonly counts: Record<string, number> = {}
  readonly #wereFull = new Set<WholeNode>()
  #over = false
  #hoarder: WholeNode | undefined

  constructor(world: NodesWorld, kinds: readonly NodeFaultKind[]) {
    this.#world = world
    this.#kinds = new Set(kinds)
  }

  count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }

  wasFull(node: WholeNode): boolean {
    return this.#wereFull.has(node)
  }

  /** Draws what happens between now and `endMs`. */
  plan(endMs: number): void {
    const { random, kernel, nodes } = this.#world
    if (this.#kinds.has('clock')) for (const node of nodes) node.clockOffsetMs = random.between(-100, 100)
    this.#roughen()
    for (let atMs = random.between(50, 600); atMs < endMs; atMs += random.between(150, 1_200)) kernel.at(atMs, () => this.#over || this.#strike())
  }

  /** Links get worse (or better) for a while. */
  #roughen(): void {
    const { random, network } = this.#world
    const loss = this.#kinds.has('loss') && random.chance(0.5) ? random.pick([0.02, 0.1, 0.3]) : 0
    const duplication = this.#kinds.has('duplicate') && random.chance(0.5) ? random.pick([0.05, 0.3]) : 0
    const delays = this.#kinds.has('delay') && random.chance(0.6)
    if (loss > 0) this.count('loss')
    if (duplication > 0) this.count('duplicate')
    if (delays) this.count('delay')
    network.quality = { loss, duplication, delayMs: [0.2, random.pick([2, 5, 40])], slow: delays ? random.pick([0.05, 0.3]) : 0, slowMs: random.pick([50, 400, 1_500]) }
  }

  #strike(): void {
    const world = this.#world
    const { random } = world
    if (random.chance(0.2)) this.#roughen()
    const possible = strikes.filter((kind) => this.#kinds.has(kind))
    if (possible.length > 0) this.#strikeBy(random.pick(possible))
  }

  #strikeBy(kind: Strike): void {
    const world = this.#world
    const { random, kernel } = world
    const node = random.pick(world.nodes)
    switch (kind) {
      case 'partition': {
        const side = new Set(world.nodes.filter(() => random.chance(0.5)))
        this.#cutFor(random.between(200, 2_000), (from, to) => side.has(from) !== side.has(to))
        break
      }
      case 'asymmetric': {
        const isDeaf = random.chance(0.5)
        const partial = random.chance(0.5)
        this.#cutFor(random.between(200, 2_000), (from, to) => (isDeaf ? to : from) === node && (!partial || random.chance(0.5)))
        break
      }
      case 'flapping':
        for (let i = 0; i < 6; i++) kernel.after(i * 200, () => this.#over || this.#cutFor(random.between(40, 160), (from, to) => from === node || to === node))
        break
      case 'slow':
        node.slowness = random.pick([5, 30, 100])
        kernel.after(random.between(200, 2_000), () => {
          node.slowness = 1
        })
        break
      case 'crash':
        if (node.life?.alive !== true) return
        node.life.crashIn ??= random.below(60)
        break
      case 'power-cut':
        if (!random.chance(0.3)) return
        for (const one of world.nodes) one.crash(true)
        break
      case 'damage':
        if (!this.#damage(node)) return
        break
      case 'full-disk':
        if (!node.isUp) return
        node.disk.full = true
        this.#wereFull.add(node)
        kernel.after(random.between(300, 1_500), () => {
          node.disk.full = false
        })
        break
      case 'clock': {
        const before = node.clockOffsetMs
        node.clockOffsetMs = random.between(-1, 1) * random.pick([400, world.jumpMaxMs])
        kernel.after(random.between(300, 2_000), () => {
          node.clockOffsetMs = before
        })
        break
      }
      case 'starve':
        this.#starve()
        break
      case 'old-votes':
        this.#oldVotes(node)
        return
      default:
        unreachable(kind)
    }
    this.count(kind)
    world.trace('faults', () => `${kind}${['partition', 'power-cut', 'starve'].includes(kind) ? '' : ` at ${node.name}`}`)
  }

  /**
   * A bad sector: the node has to notice, and has lost its votes when it is started anew. So it counts as faulty, of which there are at most f; and where an
   * organisation can miss nobody, the chain would wait for its vote and it for the chain.
   */
  #damage(node: WholeNode): boolean {
    const world = this.#world
    const { random } = world
    if (!this.#mayLoseVotes(node)) return false
    const what = random.pick(['votes', 'row', 'lost votes'] as const)
    if (what === 'row' && node.disk.damageRow(random) === undefined) return false
    node.crash(random.chance(0.5))
    if (what === 'votes') node.disk.damagedVotes = true
    else if (what === 'lost votes') node.loseVotes()
    return true
  }

  #mayLoseVotes(node: WholeNode): boolean {
    const { sets } = this.#world
    return node.isValidator && !node.isMissing && sets.room > 0
  }

  /** Somebody copies the vote log now, and puts it back later, when the store has gone on. */
  #oldVotes(node: WholeNode): void {
    const world = this.#world
    const { random, kernel } = world
    const { votes } = node.disk
    const isOlder = (): boolean => whyVotesMissing({ get: (key) => node.disk.rows.get(keyOf(key)) }, votes) !== undefined
    kernel.after(random.between(100, 1_500), () => {
      if (this.#over || !this.#mayLoseVotes(node) || !isOlder()) return
      node.crash(random.chance(0.5))
      // what the power cut took may be all that was newer
      if (node.isUp || !isOlder()) return
      node.putVotesBack(votes)
      this.count('old-votes')
    })
  }

  /** A block around a change of sets is stored for the first time. */
  nearActivation(): void {
    const world = this.#world
    const { random } = world
    if (this.#over || !random.chance(0.3)) return
    const possible = (['partition', 'asymmetric', 'crash', 'crash', 'power-cut', 'starve'] as const).filter((kind) => this.#kinds.has(kind))
    if (possible.length > 0) this.#strikeBy(random.pick(possible))
  }

  #starve(): void {
    const world = this.#world
    const { random, network, kernel, nodes } = world
    const kind = random.pick(['commit', 'commit', 'prepare', 'prepare', 'new-view', 'pre-prepare', 'view-change', 'gossip', 'fetch', 'sync answer'])
    const starved = { kind, to: new Set(nodes.filter(() => random.chance(0.7)).map(({ id }) => id)) }
    network.starved = starved
    kernel.after(random.between(1, 6) * world.terms.viewTimeoutMs, () => {
      if (network.starved === starved) network.starved = undefined
    })
  }

  /** A correct node is the first to store a block. The worst moment: it is cut off, what is under way gets lost, and some of the others crash. */
  firstStored(node: WholeNode): void {
    const world = this.#world
    const { random, network, terms } = world
    if (this.#over) return
    this.#hoard(node)
    if (!this.#kinds.has('ambush') || !random.chance(world.ambush)) return
    this.count('ambush')
    world.trace('faults', () => `${node.name} is ambushed`)
    network.loseInFlight()
    this.#cutFor(random.between(2, 10) * terms.viewTimeoutMs, (from, to) => from === node || to === node)
    for (const other of world.nodes) if (other !== node && other.life?.alive === true && random.chance(0.3)) other.life.crashIn ??= random.below(5)
  }

  /** From now on Commits reach this node and no other, so that it alone makes a few blocks final; the others leave the view, and it with them. */
  #hoard(node: WholeNode): void {
    const world = this.#world
    const { random, network, kernel, terms } = world
    if (!this.#kinds.has('hoard') || this.#hoarder !== undefined || !this.#mayLoseVotes(node) || !random.chance(0.05)) return
    this.#hoarder = node
    network.loseInFlight()
    for (const other of world.nodes) if (other !== node) network.withheld.set(other.id, new Set(['commit', 'sync answer']))
    kernel.after(10 * terms.viewTimeoutMs, () => this.#endHoard(node))
    this.count('hoard')
    world.trace('faults', () => `${node.name} hoards`)
  }

  /** What the hoarder has shown in its ViewChange goes on its way, and a little later its disk is gone. */
  said(node: WholeNode, kind: string): void {
    const { random, kernel } = this.#world
    if (kind !== 'view-change' || node !== this.#hoarder || this.#over) return
    kernel.after(random.between(1, 60), () => {
      if (node !== this.#hoarder) return
      this.#endHoard(node)
      if (this.#over || !node.isUp || !this.#mayLoseVotes(node)) return
      node.crash(true)
      node.startAnew()
    })
  }

  #endHoard(node: WholeNode): void {
    if (this.#hoarder !== node) return
    this.#hoarder = undefined
    this.#world.network.withheld.clear()
  }

  #cutFor(durationMs: number, isCut: (from: WholeNode, to: WholeNode) => boolean): void {
    const { nodes, network, kernel } = this.#world
    const links: [number, number][] = []
    for (const from of nodes) for (const to of nodes) if (from !== to && isCut(from, to)) links.push([from.id, to.id])
    for (const [from, to] of links) network.cut(from, to)
    kernel.after(durationMs, () => {
      for (const [from, to] of links) network.mend(from, to)
    })
  }

  restartLater(node: WholeNode): void {
    const { random, kernel } = this.#world
    kernel.after(this.#over ? 20 : random.pick([5, 100, 500, 1_500]), () => node.start())
  }

  heal(): void {
    const world = this.#world
    this.#over = true
    world.trace('faults', () => 'all end')
    world.network.heal()
    for (const node of world.nodes) {
      if (node.life?.alive === true) node.life.crashIn = undefined
      node.slowness = 1
      node.disk.full = false
      node.clockOffsetMs = Math.max(-100, Math.min(100, node.clockOffsetMs))
      // the operator has the disk looked at, and does not trust what is left of it
      if (node.disk.damagedRows.size > 0) {
        node.crash(false)
        node.startAnew()
      }
      node.start()
    }
  }
}
