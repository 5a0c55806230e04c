// Breadth first through everything that can happen within bounds, over the real code. A state of the whole is one local state a correct replica: what has been said
// follows from them, and the liar has no state, since it may always say whatever it can. Local states are interned, and what can happen to one of them, given
// what the others have said, is worked out once: so the protocol's code runs for local steps only, and the whole is walked through by numbers.
import { apply, restarted, startOf, type Local } from './local.ts'
import { movesOf } from './moves.ts'
import { ExploredWorld, type Bounds } from './world.ts'

export interface Exploration {
  readonly bounds: Bounds
  /** Different states of the whole, those that nothing tells apart but the names of two replicas counted once. */
  readonly states: number
  readonly transitions: number
  /** Local states of all replicas together: how much the code was run for. */
  readonly locals: number
  /** Steps from the beginning to the furthest state. */
  readonly depth: number
  /** Whether every state within the bounds was seen. */
  readonly complete: boolean
  /** States in which some replica has delivered a block of this height, by height. */
  readonly delivered: readonly number[]
  readonly violation: string | undefined
  /** What happened until then. */
  readonly trace: readonly string[]
}

export interface Limits {
  /** Give up after so many states. */
  readonly states: number
  /** Look no further than so many steps. */
  readonly depth: number
}

interface Interned {
  readonly local: Local
  /** Equal for replicas that nothing tells apart. */
  readonly role: number
  readonly sentId: number
}

interface Step {
  readonly name: string
  readonly to: number
}

class Found extends Error {
  readonly move: string

  constructor(message: string, move: string) {
    super(message)
    this.move = move
  }
}

/** A set of numbers below 2^53 that grows beyond what a Set holds. */
class NumberSet {
  #slots = new Float64Array(1 << 16).fill(-1)
  size = 0

  add(value: number): boolean {
    if (this.size * 2 > this.#slots.length) this.#grow()
    if (!this.#put(value)) return false
    this.size++
    return true
  }

  #put(value: number): boolean {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = (Math.imul(value % 0x1_0000_0000 | 0, 0x9e3779b1) ^ Math.imul((value / 0x1_0000_0000) | 0, 0x85ebca6b)) >>> 0
    at = (at ^ (at >>> 15)) & mask
    for (;;) {
      const there = slots[at]
      if (there === value) return false
      if (there === -1) {
        slots[at] = value
        return true
      }
      at = (at + 1) & mask
    }
  }

  #grow(): void {
    const old = this.#slots
    this.#slots = new Float64Array(old.length * 2).fill(-1)
    for (const value of old) if (value !== -1) this.#put(value)
  }
}

class Explorer {
  readonly world: ExploredWorld
  readonly locals: Interned[][]
  readonly #ids: Map<string, number>[]
  readonly #roles = new Map<string, number>()
  readonly #sent = new Map<string, number>()
  readonly #steps = new Map<string, readonly Step[]>()
  /** By local state and move: the local state after it. */
  readonly #moves = new Map<string, number>()
  /** Positions of replicas that lead none of the views: interchangeable. */
  readonly #alike: readonly number[]
  readonly #base: number

  constructor(bounds: Bounds) {
    this.world = new ExploredWorld(bounds)
    const { correct } = this.world
    this.locals = correct.map(() => [])
    this.#ids = correct.map(() => new Map())
    this.#alike = correct.map((_, i) => i).filter((i) => (correct[i] as number) >= bounds.views)
    this.#base = 2 ** Math.floor(52 / correct.length)
  }

  intern(position: number, local: Local): number {
    const ids = this.#ids[position] as Map<string, number>
    let id = ids.get(local.key)
    if (id === undefined) {
      id = ids.size
      if (id >= this.#base) throw new RangeError('more local states than this explorer can number: choose smaller bounds')
      ids.set(local.key, id)
      const sentKey = [...local.sent.keys()].sort().join(',')
      this.locals[position]?.push({ local, role: number(this.#roles, local.key), sentId: number(this.#sent, `${position} ${sentKey}`) })
    }
    return id
  }

  at(position: number, id: number): Interned {
    return this.locals[position]?.[id] as Interned
  }

  pack(ids: readonly number[]): number {
    return ids.reduce((sum, id) => sum * this.#base + id, 0)
  }

  unpack(packed: number): number[] {
    const ids: number[] = []
    for (let rest = packed, left = this.locals.length; left > 0; left--) {
      const id = rest % this.#base
      ids.unshift(id)
      rest = (rest - id) / this.#base
    }
    return ids
  }

  /** The same for states in which interchangeable replicas have changed places. */
  canonical(ids: readonly number[]): number {
    const out = ids.map((id, position) => (this.#alike.includes(position) ? 0 : id))
    const roles = this.#alike.map((position) => this.at(position, ids[position] as number).role).sort((a, b) => a - b)
    this.#alike.forEach((position, i) => (out[position] = roles[i] as number))
    return this.pack(out)
  }

  /** What can happen to the replica at `position`; its own number stays among them when nothing changes. */
  steps(position: number, ids: readonly number[]): readonly Step[] {
    const own = this.at(position, ids[position] as number)
    const others = ids.map((id, i) => this.at(i, id)).filter((_, i) => i !== position)
    const key = `${position} ${ids[position]} ${others.map((one) => one.sentId).join(' ')}`
    let steps = this.#steps.get(key)
    if (steps === undefined) {
      steps = this.#work(position, own.local, others.map((one) => one.local))
      this.#steps.set(key, steps)
    }
    return steps
  }

  #work(position: number, local: Local, others: readonly Local[]): Step[] {
    const { world } = this
    const steps = new Map<number, Step>()
    const self = this.intern(position, local)
    const take = (name: string, make: () => Local): Local => {
      const key = `${position} ${self} ${name}`
      let to = this.#moves.get(key)
      if (to === undefined) {
        to = this.intern(position, attempt(name, make))
        this.#moves.set(key, to)
      }
      if (to !== self && !steps.has(to)) steps.set(to, { name, to })
      return this.at(position, to).local
    }
    const mayCrash = local.restarts < world.bounds.restarts
    // Power may go at any time, with any beginning of the records on the disk that have not been synced.
    if (mayCrash) for (let kept = local.synced; kept <= local.log.length; kept++) take(`v${local.index} starts again, ${kept} records kept`, () => restarted(world, local, local.log.slice(0, kept)))
    for (const { name, inputs } of movesOf(world, local, others)) {
      const next = take(name, () => apply(world, local, inputs()))
      // And when nothing has been said of what a step gave.
      if (mayCrash) for (let kept = local.log.length + 1; kept <= next.log.length; kept++) take(`${name}; v${local.index} starts again before it says so, ${kept} records kept`, () => restarted(world, local, next.log.slice(0, kept)))
    }
    return [...steps.values()]
  }
}

/** Whatever is thrown in a step is a finding: an invariant, an assertion, or a plain mistake. */
function attempt(name: string, make: () => Local): Local {
  try {
    return make()
  } catch (error) {
    throw new Found(error instanceof Error ? error.message : String(error), name)
  }
}

function number(ids: Map<string, number>, key: string): number {
  const known = ids.get(key)
  if (known !== undefined) return known
  ids.set(key, ids.size)
  return ids.size - 1
}

/** Whether the histories of two replicas lie on one chain. */
function agree(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return false
  return true
}

export function explore(bounds: Bounds, limits: Limits, onProgress: (states: number, depth: number) => void = () => {}): Exploration {
  const explorer = new Explorer(bounds)
  const { world } = explorer
  const first = world.correct.map((index, position) => explorer.intern(position, startOf(world, index)))
  const seen = new NumberSet()
  const states: number[] = [explorer.pack(first)]
  const parents: number[] = [0]
  seen.add(explorer.canonical(first))
  const delivered = Array.from({ length: bounds.heights }, () => 0)
  let transitions = 0
  let depth = 0
  let levelEnd = 1
  let complete = true

  const pathTo = (at: number): string[] => {
    const path: number[] = []
    for (let i = at; i !== 0; i = parents[i] as number) path.unshift(i)
    return path.map((i) => {
      const before = explorer.unpack(states[parents[i] as number] as number)
      const after = explorer.unpack(states[i] as number)
      const position = before.findIndex((id, p) => id !== after[p])
      return explorer.steps(position, before).find((step) => step.to === after[position])?.name ?? '?'
    })
  }
  const report = (violation: string | undefined, trace: readonly string[]): Exploration => ({
    bounds,
    states: states.length,
    transitions,
    locals: explorer.locals.reduce((sum, one) => sum + one.length, 0),
    depth,
    complete: complete && violation === undefined,
    delivered,
    violation,
    trace,
  })

  for (let at = 0; at < states.length; at++) {
    if (at === levelEnd) {
      depth++
      levelEnd = states.length
      onProgress(states.length, depth)
      if (depth >= limits.depth) {
        complete = false
        break
      }
    }
    if (states.length > limits.states) {
      complete = false
      break
    }
    const ids = explorer.unpack(states[at] as number)
    const highest = Math.max(...ids.map((id, position) => explorer.at(position, id).local.delivered.length))
    for (let height = 1; height <= highest; height++) delivered[height - 1] = (delivered[height - 1] as number) + 1
    for (let position = 0; position < ids.length; position++) {
      let steps: readonly Step[]
      try {
        steps = explorer.steps(position, ids)
      } catch (error) {
        if (!(error instanceof Found)) throw error
        return report(error.message, [...pathTo(at), error.move])
      }
      for (const { name, to } of steps) {
        transitions++
        const next = ids.with(position, to)
        if (!seen.add(explorer.canonical(next))) continue
        const own = explorer.at(position, to).local
        for (let i = 0; i < ids.length; i++) {
          const other = explorer.at(i, next[i] as number).local
          if (i !== position && !agree(own.delivered, other.delivered)) return report(`v${own.index} and v${other.index} have delivered different histories: ${own.delivered.join(' ')} and ${other.delivered.join(' ')}`, [...pathTo(at), name])
        }
        states.push(explorer.pack(next))
        parents.push(at)
      }
    }
  }
  return report(undefined, [])
}
