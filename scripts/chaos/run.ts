// One run: a network, load, faults one after the other, outside checks, and what came of it.
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../durability/random.ts'
import { startAudit } from './audit.ts'
import { goesOnMs, readyMs, rebuildsMsPerBlock, resumesMs, underWayMs } from './bounds.ts'
import { whyNoFullDisk } from './disk.ts'
import { type Fault, type FaultKind, type Ground, makers, onTheMendOf, schedule } from './faults.ts'
import { type Field, lastWords, openField } from './field.ts'
import { type Heads, watchHeads } from './heads.ts'
import { type Load, startLoad } from './load.ts'
import { keepPlace, makePlace, removePlace, sweep } from './place.ts'

/** Between two faults. */
const calmMs = { from: 200, to: 900 }
const tickMs = 25

export interface ChaosOptions {
  readonly validators: number
  readonly seed: number
  /** Transactions a second. */
  readonly rate: number
  /** For so long by a seeded schedule, or these and no others. */
  readonly faults: { readonly minutes: number } | readonly FaultKind[]
  readonly onLine: (line: string) => void
}

/** Until `violations` as the contract has it. */
export interface ChaosReport {
  readonly minutes: number
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly acknowledged: number
  readonly lost: number
  readonly doubled: number
  readonly divergent: number
  /** With a quorum left: the longest wait for a block from the fault until it was over. Else from when one answered again to the next block. */
  readonly unavailableMs: Spread
  readonly violations: readonly string[]
  readonly seed: number
  readonly validators: number
  readonly sent: number
  readonly unknown: number
  /** Of the unknown, those that were found to have run. */
  readonly unknownRan: number
  readonly blocks: number
  readonly unavailableMsByKind: Readonly<Partial<Record<FaultKind, Spread>>>
  /** From the end of a fault until every validator was ready again. */
  readonly readyMs: Spread
  readonly skipped: Readonly<Partial<Record<FaultKind, string>>>
  /** What nodes answered instead of a receipt, by code. */
  readonly errors: Readonly<Record<string, number>>
}

export interface Spread {
  readonly p50: number
  readonly max: number
}

export interface ChaosRun {
  readonly done: Promise<ChaosReport>
  /** Ends after the fault under way, with all checks. */
  readonly stop: () => void
  /** Ends processes and mounts now, synchronously. */
  readonly abort: () => void
}

interface Struck {
  readonly kind: FaultKind
  readonly unavailableMs: number | undefined
  readonly readyMs: number
}

interface Arena {
  readonly ground: Ground
  readonly heads: Heads
  readonly load: Load
  readonly struck: Struck[]
  readonly violations: readonly string[]
  readonly say: (line: string) => void
}

export function startChaos(options: ChaosOptions): ChaosRun {
  let stopped = false
  const folder = makePlace()
  let field: Field | undefined
  const abort = (): void => {
    field?.endAll()
    removePlace(folder)
  }
  process.once('exit', abort)
  const done = run(options, folder, (opened) => (field = opened), () => stopped).finally(() => process.off('exit', abort))
  return { done, stop: () => (stopped = true), abort }
}

async function run(options: ChaosOptions, folder: string, onField: (field: Field) => void, isStopped: () => boolean): Promise<ChaosReport> {
  const { validators, seed, rate, onLine } = options
  const startedMs = performance.now()
  const violations: string[] = []
  const say = (line: string): void => onLine(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)} s  ${line}`)
  const onViolation = (what: string): void => {
    violations.push(what)
    say(`VIOLATION  ${what}`)
  }
  const stream = (number: number): ReturnType<typeof createRandom> => createRandom(seed * 16 + number)
  const swept = await sweep()
  if (swept > 0) say(`cleaned up after ${swept} earlier ${swept === 1 ? 'run' : 'runs'} whose process is gone`)
  const skipped: Partial<Record<FaultKind, string>> = {}
  const whyNot = whyNoFullDisk(folder)
  if (whyNot !== undefined) {
    skipped['full-disk'] = whyNot
    say(`full-disk is left out: ${whyNot}`)
  }

  const field = await openField({ folder, validators, random: stream(1), onDeath: onViolation })
  onField(field)
  let heads: Heads | undefined
  const arena: { value?: Arena } = {}
  try {
    field.start(...field.sites)
    const late = await field.whoIsNotReady(field.sites, 2 * readyMs)
    if (late.length > 0) throw new Error(`the network does not start: ${late.join('; ')}`)
    say(`${validators} validators and an observer are ready`)
    heads = watchHeads(field.validators.map(({ node }) => node.rpc))
    const load = await startLoad(field, rate, stream(2), onViolation)
    const audit = startAudit(field, load, onViolation)
    const ground: Ground = { field, audit, random: stream(3), onViolation }
    const here: Arena = { ground, heads, load, struck: [], violations, say }
    arena.value = here
    say(`${rate} transactions a second, on and on; faults by seed ${seed}`)
    await pause(calmMs.to)
    await strikeAll(here, options, skipped, isStopped)
    say('no more faults; the load stops, and everything is read again at every node')
    await load.stop()
    await audit.finish(stream(4))
    await audit.stop()
  } catch (error) {
    onViolation((error as Error).message)
    await arena.value?.load.stop()
    await arena.value?.ground.audit.stop()
  } finally {
    if (violations.length > 0) onLine(lastWords(field))
    await heads?.stop()
    await field.close()
    if (violations.length === 0) removePlace(folder)
    else {
      keepPlace(folder)
      onLine(`What is left of it is in ${folder}.`)
    }
  }
  return report(options, (performance.now() - startedMs) / 60_000, arena.value, violations, skipped)
}

async function strikeAll(arena: Arena, { faults, seed }: ChaosOptions, skipped: Readonly<Partial<Record<FaultKind, string>>>, isStopped: () => boolean): Promise<void> {
  const { random } = arena.ground
  const leftOut = new Set(Object.keys(skipped) as FaultKind[])
  const untilMs = 'minutes' in faults ? performance.now() + faults.minutes * 60_000 : Infinity
  const kinds = 'minutes' in faults ? schedule(createRandom(seed * 16 + 5), leftOut) : faults.filter((kind) => !leftOut.has(kind))
  for (const kind of kinds) {
    // what follows on a violation would only blur it
    if (isStopped() || performance.now() > untilMs || arena.violations.length > 0) return
    await strikeOne(arena, kind)
    await pause(random.between(calmMs.from, calmMs.to))
  }
}

async function strikeOne(arena: Arena, kind: FaultKind): Promise<void> {
  const { ground, heads, struck, say } = arena
  const { field, audit, random, onViolation } = ground
  const strikes = [await strike(arena, kind, ground)]
  const [{ fault, mendedMs }] = strikes as [Strike]
  if (fault.rebuilds !== undefined) for (const next of onTheMendOf(random)) strikes.push(await strike(arena, next, { ...ground, only: fault.rebuilds }))
  const allowedMs = readyMs + (fault.rebuilds === undefined ? 0 : heads.best() * rebuildsMsPerBlock)
  const late = await field.whoIsNotReady(field.validators, allowedMs)
  const backMs = Math.round(performance.now() - mendedMs)
  if (late.length > 0) onViolation(`${kind} of ${fault.words()}: not ready again within ${Math.round(allowedMs / 1_000)} s: ${late.join('; ')}`)
  audit.check()
  struck.push(...strikes.map((one) => ({ kind: one.kind, unavailableMs: one.unavailableMs, readyMs: backMs })))
  say(`${strikes.map(wordsOf).join('\n           ')}; all ready ${(backMs / 1_000).toFixed(1)} s later`)
}

interface Strike {
  readonly kind: FaultKind
  readonly fault: Fault
  readonly mendedMs: number
  readonly unavailableMs: number | undefined
  /** Until so many validators answered as make a quorum, where there was none. */
  readonly startingMs: number
}

function wordsOf({ kind, fault, unavailableMs, startingMs }: Strike): string {
  const waited = unavailableMs === undefined ? 'NO BLOCK' : `${fault.stopsChain ? 'block again after' : 'longest wait for a block'} ${unavailableMs} ms`
  return `${kind.padEnd(15)} ${fault.words()}: ${waited}${startingMs > 0 ? `, a quorum having answered after ${startingMs} ms` : ''}`
}

/** Strikes, mends and waits for the next block. */
async function strike({ heads }: Arena, kind: FaultKind, ground: Ground): Promise<Strike> {
  const { field, onViolation } = ground
  const fault = await makers[kind](ground)
  const struckMs = performance.now()
  await fault.strike()
  await hold(ground, heads, fault, kind)
  const mendedMs = performance.now()
  await fault.mend()
  const startingMs = fault.stopsChain ? await quorumAnswers(heads, field, mendedMs) : 0
  const [fromMs, boundMs] = fault.stopsChain ? [mendedMs + startingMs, resumesMs] : [struckMs, goesOnMs]
  const blockMs = await heads.next(mendedMs, boundMs + startingMs)
  const unavailableMs = blockMs === undefined ? undefined : Math.round(blockMs <= fromMs ? 0 : heads.longestWait(fromMs, blockMs))
  if (unavailableMs === undefined || unavailableMs > boundMs) onViolation(`${kind} of ${fault.words()}: ${unavailableMs === undefined ? `no block within ${boundMs} ms after it was over` : `no block for ${unavailableMs} ms`}`)
  await fault.after?.()
  return { kind, fault, mendedMs, unavailableMs, startingMs }
}

/** How long it took until so many validators answered as make a quorum: processes start at the machine's pace. */
async function quorumAnswers(heads: Heads, field: Field, sinceMs: number): Promise<number> {
  while (performance.now() < sinceMs + readyMs) {
    const atMs = heads.answering(sinceMs, field.quorum)
    if (atMs !== undefined) return Math.round(atMs - sinceMs)
    await pause(tickMs)
  }
  return readyMs
}

/** Where the chain must stand still, looks that it does. */
async function hold({ onViolation }: Ground, heads: Heads, { stopsChain, holdMs, words }: Fault, kind: FaultKind): Promise<void> {
  if (!stopsChain) {
    await pause(holdMs)
    return
  }
  await pause(Math.min(holdMs, underWayMs))
  const before = heads.best()
  await pause(Math.max(0, holdMs - underWayMs))
  if (heads.best() > before) onViolation(`${kind} of ${words()}: block ${heads.best()} became final without a quorum`)
}

function report({ seed, validators }: ChaosOptions, minutes: number, arena: Arena | undefined, violations: readonly string[], skipped: ChaosReport['skipped']): ChaosReport {
  const struck = arena?.struck ?? []
  const kinds = [...new Set(struck.map(({ kind }) => kind))].sort()
  const waits = (of: readonly Struck[]): Spread => spread(of.flatMap(({ unavailableMs }) => unavailableMs ?? []))
  const counts = arena?.ground.audit.counts()
  return {
    minutes: Math.round(minutes * 100) / 100,
    faults: Object.fromEntries(kinds.map((kind) => [kind, struck.filter((one) => one.kind === kind).length])),
    acknowledged: arena?.load.acknowledged.length ?? 0,
    lost: counts?.lost ?? 0,
    doubled: counts?.doubled ?? 0,
    divergent: counts?.divergent ?? 0,
    unavailableMs: waits(struck),
    violations,
    seed,
    validators,
    sent: arena?.load.sent.size ?? 0,
    unknown: arena?.load.unknown.size ?? 0,
    unknownRan: counts?.unknownRan ?? 0,
    blocks: counts?.blocks ?? 0,
    unavailableMsByKind: Object.fromEntries(kinds.map((kind) => [kind, waits(struck.filter((one) => one.kind === kind))])),
    readyMs: spread(struck.map((one) => one.readyMs)),
    skipped,
    errors: Object.fromEntries(arena?.load.errors ?? []),
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { p50: sorted[Math.floor((sorted.length - 1) / 2)] ?? 0, max: sorted.at(-1) ?? 0 }
}
