// One seed, one run: a faulty phase in which only safety must hold, then a healed one in which everything that a correct validator
// still holds must become final everywhere and be certified, within a stated time.
import { faultsTolerated } from '../../consensus/quorum.ts'
import { AssertionError } from '../../primitives/errors.ts'
import type { BehaviourName } from './adversary.ts'
import { Violation } from './checker.ts'
import { faultKinds, type FaultKind } from './faults.ts'
import { goodLinks } from './network.ts'
import { World } from './world.ts'

export interface SimulationOptions {
  readonly seed: number
  readonly validators: number
  readonly faults?: readonly FaultKind[]
  readonly liars?: readonly BehaviourName[]
  readonly trace?: (line: string) => void
}

export interface SimulationResult {
  readonly seed: number
  readonly violation: string | undefined
  /** What was still waited for at the end of the healed phase. */
  readonly stalled: string | undefined
  readonly blocks: number
  readonly viewChanges: number
  readonly faults: Readonly<Record<string, number>>
  readonly events: number
  /** From the end of the faults to the end of the run. */
  readonly recoveryMs: number
  /** Views that correct validators asked for in that time. */
  readonly recoveryViews: number
}

/**
 * The healed network must finish within so many views, each of which may last a capped view timeout. Views meet within one; then at most f liars may lead in a row.
 * A transaction that only f + 1 hold waits for one of them to lead; on links that lose packets or are slow for good, a view may fail by itself.
 */
function recoveryViews(world: World, validators: number): number {
  return (faultsTolerated(validators) + 2 + (world.few ? validators : 0)) * (world.lasting === goodLinks ? 1 : 4)
}

/** How many views fail at most before the timer is at its cap: until then one may be too short for the network as it is. */
export function doublings({ viewTimeoutMs, viewTimeoutMaxMs }: { readonly viewTimeoutMs: number; readonly viewTimeoutMaxMs: number }): number {
  return Math.ceil(Math.log2(viewTimeoutMaxMs / viewTimeoutMs))
}

/** And within this time: a liar that leaves a transaction out while it goes on proposing costs an inclusion timeout, and who was left behind in an earlier view says so with its next heartbeat. */
function recoveryLimitMs(world: World, validators: number): number {
  const { viewTimeoutMaxMs, heartbeatMs } = world.timing
  return recoveryViews(world, validators) * viewTimeoutMaxMs + faultsTolerated(validators) * world.inclusionTimeoutMs + 2 * heartbeatMs
}

export function simulate({ seed, validators, faults = faultKinds, liars = [], trace }: SimulationOptions): SimulationResult {
  const world = new World({ seed, validators, faults, liars, ...(trace === undefined ? {} : { trace }) })
  const { random, kernel, checker } = world
  const faultyMs = random.between(2_000, 6_000)
  const transactions = 8 + random.below(16)
  let violation: string | undefined
  let stalled: string | undefined
  let healedMs = 0
  const restore = forbidChance()
  try {
    for (const node of world.nodes) node.start()
    for (let id = 0; id < transactions; id++) {
      const spread = id < transactions / 2 ? 600 : faultyMs
      kernel.at(random.between(10, spread), () => {
        for (const node of world.nodes) if (random.chance(0.6)) node.submit(id)
      })
    }
    world.faults.plan(faultyMs)
    kernel.runUntil(faultyMs, () => false)
    world.faults.heal()
    checker.healed()
    healedMs = kernel.nowMs
    // Dissemination is the mempool's business: once links are whole, everyone gets what any correct one holds.
    for (const id of new Set(world.correct.flatMap((node) => [...node.mempool]))) for (const node of world.nodes) node.submit(id)
    const probe = transactions
    const holders = world.few ? random.shuffled(world.staying).slice(0, faultsTolerated(validators) + 1) : world.nodes
    kernel.after(5, () => holders.forEach((node) => node.submit(probe)))
    const wanted = (): string | undefined => unfinished(world, probe)
    let checkAt = 0
    const done = (): boolean => {
      if (kernel.events < checkAt) return false
      checkAt = kernel.events + 20
      return wanted() === undefined
    }
    if (!kernel.runUntil(healedMs + recoveryLimitMs(world, validators), done)) stalled = wanted()
    const viewsMax = recoveryViews(world, validators) + doublings(world.timing)
    if (checker.viewsSince > viewsMax) stalled ??= `${checker.viewsSince} views after the faults ended, and ${viewsMax} are enough`
    for (const id of world.acknowledged.keys()) if (!world.correct.every((node) => checker.isExecuted(node, id)) && stalled === undefined) violation = `transaction ${id} was acknowledged and is lost`
  } catch (error) {
    // Anything that is thrown is a finding; what neither the checker nor an assertion threw needs its stack to be understood.
    if (!(error instanceof Error)) throw error
    violation = error instanceof Violation || error instanceof AssertionError ? error.message : (error.stack ?? error.message)
  } finally {
    restore()
  }
  return {
    seed,
    violation,
    stalled,
    blocks: checker.history.length,
    viewChanges: checker.viewChanges,
    faults: { ...world.faults.counts },
    events: kernel.events,
    recoveryMs: kernel.nowMs - healedMs,
    recoveryViews: checker.viewsSince,
  }
}

/** What has not been reached yet, in words; undefined when all is well. */
function unfinished(world: World, probe: number): string | undefined {
  const top = world.checker.history.length
  for (const node of world.correct) {
    const status = node.replica?.status()
    if (status === undefined) return `${node.name} is down`
    const stand = (): string => JSON.stringify({ ...status, waiting: node.replica?.waiting() })
    if (!world.checker.isExecuted(node, probe)) return `${node.name} has not executed the last transaction: ${stand()}`
    if (node.mempool.size > 0) return `${node.name} still holds transactions ${[...node.mempool].join(' ')}: ${stand()}`
    if (status.committed !== top) return `${node.name} is at ${status.committed} of ${top}: ${stand()}`
    if (status.checkpoint !== top) return `${node.name} has only ${status.checkpoint} of ${top} certified: ${stand()}`
  }
  // Nobody is left behind: it would be missing when this view fails. Who left for a later one is already where the others then go.
  const stands = world.members.map((node) => node.replica?.status()).filter((status) => status !== undefined)
  const view = Math.max(...stands.map((status) => (status.mode === 'normal' ? status.view : 0)))
  const behind = stands.find((status) => (status.mode === 'normal' ? status.view < view : status.view <= view))
  if (behind !== undefined) return `others are in view ${view}, and one is left behind: ${JSON.stringify(behind)}`
  return undefined
}

/** While replicas run, the clock and chance of the machine are out of reach. */
function forbidChance(): () => void {
  const { random } = Math
  const { now } = Date
  const forbidden = (): never => {
    throw new Error('the core asks for the clock or for chance')
  }
  Math.random = forbidden
  Date.now = forbidden
  return () => {
    Math.random = random
    Date.now = now
  }
}
