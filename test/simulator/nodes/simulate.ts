// One seed, one run of whole nodes: a faulty phase in which only safety must hold, then a healed one in which everything that was asked for must become final,
// be the same everywhere and be certified, within a stated time.
import { faultsTolerated } from '../../../consensus/quorum.ts'
import { syncTimeoutMs } from '../../../node/limits.ts'
import { nodeFaultKinds, type NodeFaultKind } from './faults.ts'
import type { NodeBehaviour } from './liar.ts'
import { NodesWorld } from './world.ts'
import { doublings, type SimulationResult } from '../simulate.ts'

export interface NodesSimulationOptions {
  readonly seed: number
  readonly validators: number
  readonly faults?: readonly NodeFaultKind[]
  readonly liars?: readonly NodeBehaviour[]
  readonly trace?: (line: string) => void
}

/** A node at rest answers within this simulated time: a block is stored within a few milliseconds. */
const checkLimitMs = 5_000

/** With changes of sets the liars may lead in each of them. */
function liarsLeading({ terms: { validators, changesSets } }: NodesWorld): number {
  return (changesSets ? 3 : 1) * faultsTolerated(validators)
}

/**
 * The healed network must finish within this simulated time: views meet within one capped timeout, then at most f liars lead in a row, each costing a capped view
 * timeout, or an inclusion timeout if it leaves something out; a node that is behind may ask each liar first; a block stamped by clocks that had jumped is
 * waited for; people ask again only every few seconds.
 */
function recoveryLimitMs(world: NodesWorld): number {
  const { viewTimeoutMaxMs, inclusionTimeoutMs } = world.city.genesis.consensus
  const liars = liarsLeading(world)
  return (liars + 2) * viewTimeoutMaxMs + liars * (inclusionTimeoutMs + syncTimeoutMs) + world.jumpMaxMs + 10_000
}

/**
 * And within so many views: one in which all meet, those of the liars, one that succeeds; those that fail before the timer has doubled up to its cap; and those that go by
 * while somebody without whom there is no quorum is still catching up, or waits for a block's time to come.
 */
function recoveryViewsMax(world: NodesWorld): number {
  const { consensus } = world.city.genesis
  const liars = liarsLeading(world)
  return liars + 2 + doublings(consensus) + Math.ceil((liars * syncTimeoutMs + world.jumpMaxMs) / consensus.viewTimeoutMaxMs)
}

export async function simulateNodes({ seed, validators, faults = nodeFaultKinds, liars, trace }: NodesSimulationOptions): Promise<SimulationResult> {
  const world = await NodesWorld.create({ seed, validators, faults, ...(liars === undefined ? {} : { liars }), ...(trace === undefined ? {} : { trace }) })
  const { random, kernel, checker, client } = world
  const faultyMs = random.between(1_000, 3_500)
  let stalled: string | undefined
  let healedMs = 0
  const unhandled = (reason: unknown): void => checker.note(`a promise was rejected and nobody looked: ${reason instanceof Error ? reason.stack : String(reason)}`)
  process.on('unhandledRejection', unhandled)
  const turn = setImmediate
  const restore = forbidTime()
  try {
    for (const node of world.nodes) node.start()
    client.plan(faultyMs)
    world.faults.plan(faultyMs)
    world.sets.plan(faultyMs)
    await kernel.settleUntil(faultyMs, () => checker.violation !== undefined)
    world.faults.heal()
    world.sets.heal()
    checker.healed()
    healedMs = kernel.nowMs
    client.register()
    let checkAt = 0
    const done = (): boolean => {
      if (checker.violation !== undefined) return true
      if (kernel.events < checkAt) return false
      checkAt = kernel.events + 40
      return unfinished(world) === undefined
    }
    if (!(await kernel.settleUntil(healedMs + recoveryLimitMs(world), done))) stalled = unfinished(world)
    const viewsMax = recoveryViewsMax(world)
    if (checker.viewsSince > viewsMax) stalled ??= `${checker.viewsSince} views after the faults ended, and ${viewsMax} are enough`
    const recoveredMs = kernel.nowMs
    if (checker.violation === undefined) {
      let isSettled = false
      const settled = checker.settled().finally(() => (isSettled = true))
      // who asks a node waits for the block that it is storing
      if (!(await kernel.settleUntil(recoveredMs + checkLimitMs, () => isSettled))) throw new Error('a node does not answer the auditor')
      await settled
    }
    for (const node of world.nodes) if (node.life !== undefined) node.life.alive = false
    kernel.nowMs = recoveredMs
  } catch (error) {
    checker.note(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    restore()
  }
  // rejections are reported when the queue of promises is empty
  await new Promise<void>((resolve) => turn(resolve))
  process.off('unhandledRejection', unhandled)
  return {
    seed,
    violation: checker.violation,
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
function unfinished({ correct, client, checker, sets }: NodesWorld): string | undefined {
  const top = checker.history.length
  for (const node of correct) {
    if (node.backend === undefined) return `${node.name} is down`
    if (node.stored !== top) return `${node.name} is at ${node.stored} of ${top}: ${node.backend.status().problems.join('; ')}`
  }
  if (sets.isPending) return 'the next validator set is not in force'
  const { open } = client
  if (open > 0) return `${open} transactions have no receipt`
  for (const { name, backend } of correct) {
    const status = backend?.status()
    if (status === undefined) return `${name} is down`
    if (status.mempool.transactions > 0) return `${name} still holds ${status.mempool.transactions} transactions: ${status.problems.join('; ')}`
    if (status.checkpoint?.height !== top) return `${name} has only ${status.checkpoint?.height ?? 0} of ${top} certified: ${status.problems.join('; ')}`
  }
  return undefined
}

/** While nodes run, the clock, the timers and the chance of the machine are out of reach. */
function forbidTime(): () => void {
  const { random } = Math
  const { now } = Date
  const { setTimeout: timeout, setInterval: interval, setImmediate: immediate } = globalThis
  const forbidden = (): never => {
    throw new Error('a node asks the machine for the time, a timer or chance')
  }
  Math.random = forbidden
  Date.now = forbidden
  Object.assign(globalThis, { setTimeout: forbidden, setInterval: forbidden, setImmediate: forbidden })
  return () => {
    Math.random = random
    Date.now = now
    Object.assign(globalThis, { setTimeout: timeout, setInterval: interval, setImmediate: immediate })
  }
}

