// What goes wrong in a run, and that it ends: after `healed` nothing is cut, lost or down any more, and only the liars go on lying.
import type { LogRecord } from '../../consensus/record.ts'
import type { SimulatedNode } from './node.ts'
import { Stranding } from './stranding.ts'
import type { World } from './world.ts'

export const faultKinds = ['loss', 'delay', 'duplicate', 'partition', 'asymmetric', 'crash', 'crash-all', 'stop', 'starve', 'ambush', 'isolate', 'strand', 'payload', 'byzantine', 'sets'] as const
export type FaultKind = (typeof faultKinds)[number]

export class Faults {
  readonly #world: World
  readonly #kinds: ReadonlySet<FaultKind>
  readonly counts: Record<string, number> = {}
  readonly #stranding: Stranding
  #over = false

  constructor(world: World, kinds: readonly FaultKind[]) {
    this.#world = world
    this.#kinds = new Set(kinds)
    this.#stranding = new Stranding(world)
  }

  count(kind: string): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1
  }

  /** Draws what happens between now and `endMs`. */
  plan(endMs: number): void {
    const { random, kernel, pointed } = this.#world
    if (pointed) return
    this.#roughen()
    for (let atMs = random.between(100, 800); atMs < endMs; atMs += random.between(300, 2_000)) kernel.at(atMs, () => this.#over || this.#strike())
  }

  /** Links get worse (or better) for a while. */
  #roughen(): void {
    const { random, network } = this.#world
    const loss = this.#kinds.has('loss') && random.chance(0.6) ? random.pick([0.02, 0.1, 0.3]) : 0
    const duplication = this.#kinds.has('duplicate') && random.chance(0.5) ? random.pick([0.05, 0.5]) : 0
    const delays = this.#kinds.has('delay') && random.chance(0.6)
    if (loss > 0) this.count('loss')
    if (duplication > 0) this.count('duplicate')
    if (delays) this.count('delay')
    network.quality = { loss, duplication, delayMs: [0.2, random.pick([2, 5, 40])], slow: delays ? random.pick([0.05, 0.3]) : 0, slowMs: random.pick([50, 400, 2_000]) }
  }

  #strike(): void {
    const world = this.#world
    const { random } = world
    const possible = (['partition', 'asymmetric', 'crash', 'crash', 'crash-all', 'stop', 'starve', 'starve'] as const).filter((kind) => this.#kinds.has(kind))
    if (random.chance(0.2)) this.#roughen()
    if (possible.length === 0) return
    const kind = random.pick(possible)
    if (kind === 'crash-all' && !random.chance(0.25)) return
    this.count(kind)
    world.trace(() => `fault: ${kind}`)
    switch (kind) {
      case 'partition': {
        const side = new Set(world.nodes.filter(() => random.chance(0.5)).map((node) => node.id))
        this.#cutFor(random.between(200, 3_000), (from, to) => side.has(from) !== side.has(to))
        return
      }
      case 'asymmetric': {
        const victim = random.pick(world.nodes).id
        const deaf = random.chance(0.5)
        const partial = random.chance(0.5)
        this.#cutFor(random.between(200, 3_000), (from, to) => (deaf ? to : from) === victim && (!partial || random.chance(0.5)))
        return
      }
      case 'starve':
        this.#starve()
        return
      case 'crash': {
        const node = random.pick(world.nodes)
        if (node.isUp && node.crashIn === undefined) node.crashIn = random.below(40)
        return
      }
      case 'stop': {
        const node = random.pick(world.nodes)
        if (node.stop()) this.restartLater(node)
        return
      }
      case 'crash-all':
        for (const node of world.nodes) {
          if (!node.isUp) continue
          node.crash()
          this.restartLater(node)
        }
        return
    }
  }

  /**
   * A correct node has just made a block final, the first to do so. The worst moment: nobody else may know, so it is cut off at once, what is under
   * way gets lost, some of the others crash, and those left must not choose otherwise.
   */
  firstDelivery(node: SimulatedNode): void {
    const world = this.#world
    const { random, network, kernel } = world
    if (this.#over || !this.#kinds.has('ambush') || !random.chance(world.ambush)) return
    this.count('ambush')
    world.trace(() => `fault: ${node.name} is ambushed`)
    network.loseInFlight()
    // Whoever was isolated before, with a certificate of an earlier view, is now among those who choose.
    if (random.chance(0.7)) network.mendAll()
    this.#cutFor(random.between(3, 25) * world.timing.viewTimeoutMs, (from, to) => from === node.id || to === node.id)
    for (const other of world.nodes) {
      if (other === node || !other.isUp || !random.chance(0.3)) continue
      // Not here and now: this node's own step is still going on.
      other.crashIn ??= random.below(3)
    }
    if (random.chance(0.7)) this.#starve()
    for (let i = 1; i < 4; i++) kernel.after(i * random.between(1, 4) * world.timing.viewTimeoutMs, () => this.#over || !random.chance(0.6) || this.#starve())
  }

  /**
   * A correct node has just got a prepared certificate for a view and height, the first to do so. Nobody else shall get it for a while: Prepares get lost,
   * and often that node is cut off, so that the next view is chosen without it, or from certificates of different views.
   */
  firstPrepared(node: SimulatedNode, view: number, height: number): void {
    const world = this.#world
    const { random, network, timing } = world
    if (this.#over || !this.#kinds.has('isolate') || !random.chance(world.isolation)) return
    this.count('isolate')
    // In a later view only the beginning of what was adopted gets prepared again.
    if (view > 0 && random.chance(0.4)) {
      this.#starveOf('prepare', new Set(world.nodes.map(({ id }) => id)), random.between(1, 3) * timing.viewTimeoutMs, height)
      return
    }
    const isAlone = random.chance(0.6)
    world.trace(() => `fault: ${node.name} is to be the only one prepared${isAlone ? ', and is cut off' : ''}`)
    network.loseInFlight()
    if (isAlone) this.#cutFor(random.between(3, 12) * timing.viewTimeoutMs, (from, to) => from === node.id || to === node.id)
    this.#starveOf('prepare', new Set(world.nodes.map(({ id }) => id)), random.between(1, 3) * timing.viewTimeoutMs)
  }

  /** A record of a correct node has reached its disk. */
  persisted(node: SimulatedNode, record: LogRecord): void {
    const world = this.#world
    if (this.#over || !this.#kinds.has('strand')) return
    const begins = this.#stranding.persisted(node, record, (kind, durationMs) => this.#starveOf(kind, new Set(world.nodes.map(({ id }) => id)), durationMs))
    if (!begins) return
    this.count('strand')
    world.trace(() => `fault: ${node.name} is to stay below the view that it has adopted`)
  }

  #starve(): void {
    const world = this.#world
    const { random } = world
    const kind = random.pick(['commit', 'commit', 'prepare', 'prepare', 'new-view', 'pre-prepare', 'view-change', 'checkpoint'])
    this.#starveOf(kind, new Set(world.nodes.filter(() => random.chance(0.7)).map(({ id }) => id)), random.between(1, 8) * world.timing.viewTimeoutMs)
  }

  #starveOf(kind: string, to: ReadonlySet<number>, durationMs: number, above = -1): void {
    const world = this.#world
    const { network, kernel } = world
    const starved = { kind, to, above }
    network.starved = starved
    world.trace(() => `little of ${kind} reaches ${[...to].map((id) => world.names[id]).join(' ')}`)
    kernel.after(durationMs, () => {
      if (network.starved === starved) network.starved = undefined
    })
  }

  #cutFor(durationMs: number, isCut: (from: number, to: number) => boolean): void {
    const { nodes, network, kernel } = this.#world
    const links: [number, number][] = []
    for (const from of nodes) for (const to of nodes) if (from !== to && isCut(from.id, to.id)) links.push([from.id, to.id])
    for (const [from, to] of links) network.cut(from, to)
    kernel.after(durationMs, () => {
      for (const [from, to] of links) network.mend(from, to)
    })
  }

  restartLater(node: SimulatedNode): void {
    const { random, kernel } = this.#world
    const { life } = node
    kernel.after(this.#over ? 10 : random.pick([5, 100, 1_000, 3_000]), () => {
      if (!node.isUp && node.life === life) this.#restart(node)
    })
  }

  #restart(node: SimulatedNode): void {
    this.#world.trace(() => `${node.name} starts again`)
    node.start()
  }

  heal(): void {
    const world = this.#world
    this.#over = true
    world.network.heal(world.lasting)
    world.missingBodies = 0
    world.trace(() => 'all faults end')
    for (const node of world.nodes) {
      node.crashIn = undefined
      if (!node.isUp) this.#restart(node)
    }
  }
}
