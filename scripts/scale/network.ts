// Validators on simulated machines, with clients at each of them: a closed loop that keeps so many transactions under way, or an open one of a rate.
import type { BlockHeader } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import type { Output } from '../../consensus/output.ts'
import { toHex } from '../../primitives/bytes.ts'
import { Kernel } from '../../test/simulator/kernel.ts'
import { keyring, type SimulatedKey } from '../../test/simulator/keys.ts'
import { manifestOf, payloadHash } from '../../test/simulator/payload.ts'
import { type Random, randomOf } from '../../test/simulator/random.ts'
import { latencySummary, type LatencySummary, round } from '../bench/statistics.ts'
import type { Costs } from './costs.ts'
import { consensus, epochOf } from './lockstep.ts'
import { Machine } from './machine.ts'
import { ScaleValidator } from './validator.ts'

export interface ScaleOptions {
  readonly validators: number
  /** From one machine to another, in one direction. */
  readonly linkMs: number
  readonly bitsPerSecond: number
  readonly cores: number
  /** All validators on one machine, to compare with a measured run. */
  readonly shared?: boolean
  readonly costs: Costs
  readonly seed: number
  readonly load: { readonly outstanding: number } | { readonly perSecond: number }
  /** Blocks before anything counts. */
  readonly warmBlocks: number
  /** So many blocks and so many transactions count at least. */
  readonly blocks: number
  readonly transactions: number
}

export interface ScaleResult {
  readonly txPerSecond: number
  readonly txPerBlock: number
  readonly latencyMs: LatencySummary
  /** Shares of the time that the busiest of each kind was busy. */
  readonly busy: { readonly primary: number; readonly others: number; readonly workers: number; readonly disk: number; readonly line: number }
  /** CPU time of all validators, over all threads. */
  readonly cpuUsPerTx: number
  readonly mainUsPerTx: number
  readonly bytesPerTx: number
  readonly views: number
  readonly fetched: number
  readonly synced: number
}

/** In one call of a client, as npm run bench does. */
const callTransactionsMax = 100
const simulatedMsMax = 600_000

interface Reading {
  readonly ms: number
  readonly main: readonly number[]
  readonly workers: readonly number[]
  readonly helpers: number
  readonly disk: readonly number[]
  readonly out: readonly number[]
}

export class ScaleNetwork {
  readonly kernel = new Kernel()
  readonly costs: Costs
  readonly linkMs: number
  readonly bitsPerSecond: number
  readonly stepUs: number
  readonly transactionsInBlockMax = consensus.transactionsMax
  readonly transactionsMax: number
  readonly validators: readonly ScaleValidator[] = []
  readonly #keys: readonly SimulatedKey[]
  readonly #options: ScaleOptions
  readonly #random: Random
  readonly #manifests: (readonly number[])[] = []
  readonly #byPayload = new Map<string, readonly number[]>()
  readonly #sets = new Map<string, ReadonlySet<number>>()
  readonly #decisions = new Map<number, Decision>()
  readonly #submittedMs: number[] = []
  /** The validator that each was handed to. */
  readonly #taker: number[] = []
  #next = 0
  #views = 0
  #from: Reading | undefined
  #to: Reading | undefined
  #blocks = 0
  #transactions = 0
  readonly #latencies: number[] = []

  constructor(options: ScaleOptions) {
    const { validators, linkMs, bitsPerSecond, cores, shared = false, costs, seed, load, warmBlocks, blocks, transactions } = options
    this.#options = options
    this.costs = costs
    this.linkMs = linkMs
    this.bitsPerSecond = bitsPerSecond
    const stepUs = costs.stepUs[validators]
    if (stepUs === undefined) throw new RangeError(`the calibration has no steps of ${validators} validators: leave --calibration out, or take one that was made for them`)
    this.stepUs = stepUs
    this.#random = randomOf(seed)
    this.transactionsMax = (warmBlocks + blocks + 2 * consensus.pipelineDepth) * this.transactionsInBlockMax + transactions + ('outstanding' in load ? load.outstanding : 0)
    const { keys } = keyring(validators, false)
    this.#keys = keys
    const epoch = epochOf(keys)
    const one = new Machine(this.kernel, cores)
    const nodes: ScaleValidator[] = []
    this.validators = nodes
    keys.forEach((key, i) => nodes.push(new ScaleValidator(this, i, shared ? one : new Machine(this.kernel, cores), key, epoch)))
  }

  keyOf({ index }: ScaleValidator): Uint8Array {
    return (this.#keys[index] as SimulatedKey).publicKey
  }

  manifestFor(transactions: readonly number[]): Uint8Array {
    const manifest = manifestOf([this.#manifests.length])
    this.#manifests.push(transactions)
    this.#byPayload.set(toHex(payloadHash(manifest)), transactions)
    return manifest
  }

  transactionsOf({ payload }: BlockHeader): readonly number[] {
    return this.#byPayload.get(toHex(payload)) ?? []
  }

  setOf({ payload }: BlockHeader): ReadonlySet<number> {
    const key = toHex(payload)
    const known = this.#sets.get(key) ?? new Set(this.#byPayload.get(key))
    this.#sets.set(key, known)
    return known
  }

  decided(decision: Decision): void {
    this.#decisions.set(decision.header.height, decision)
  }

  decisionsBetween(from: number, to: number): readonly Decision[] {
    return [...this.#decisions.values()].filter(({ header }) => header.height >= from && header.height <= to)
  }

  noteViews({ views }: Output): void {
    for (const { what, view } of views) if (what === 'entered') this.#views = Math.max(this.#views, view)
  }

  executed(at: ScaleValidator, { height }: BlockHeader, transactions: readonly number[]): void {
    const { warmBlocks, blocks, transactions: wanted, load } = this.#options
    const { nowMs } = this.kernel
    const own = transactions.filter((one) => this.#taker[one] === at.index)
    if (this.#from !== undefined && this.#to === undefined) for (const one of own) this.#latencies.push(nowMs - (this.#submittedMs[one] as number))
    if (at.index === 0) {
      if (height === warmBlocks) this.#from = this.#read()
      else if (height > warmBlocks && this.#to === undefined) {
        this.#blocks++
        this.#transactions += transactions.length
        if (this.#blocks >= blocks && this.#transactions >= wanted) this.#to = this.#read()
      }
    }
    if ('outstanding' in load) this.#submit(at, own.length)
  }

  #submit(at: ScaleValidator, count: number): void {
    for (let left = count; left > 0 && this.#to === undefined; left -= callTransactionsMax) {
      const call = Array.from({ length: Math.min(left, callTransactionsMax) }, () => this.#next++)
      if (this.#next > this.transactionsMax) throw new Error('more transactions than the run has room for')
      for (const one of call) {
        this.#submittedMs[one] = this.kernel.nowMs
        this.#taker[one] = at.index
      }
      at.submit(call)
    }
  }

  #arrive(perSecond: number): void {
    this.kernel.after((-Math.log(1 - this.#random.next()) / perSecond) * 1_000, () => {
      if (this.#to !== undefined) return
      this.#submit(this.#random.pick(this.validators), 1)
      this.#arrive(perSecond)
    })
  }

  #read(): Reading {
    const { validators } = this
    return {
      ms: this.kernel.nowMs,
      main: validators.map(({ main }) => main.busyUs),
      workers: validators.flatMap(({ verifying }) => verifying.workers.map(({ busyUs }) => busyUs)),
      helpers: validators.reduce((sum, { helpers, batches }) => sum + helpers.busyUs + batches.busyUs, 0),
      disk: validators.map(({ disk }) => disk.busyMs),
      out: validators.map(({ line }) => line.bytesOut),
    }
  }

  run(): ScaleResult {
    const { load } = this.#options
    for (const one of this.validators) one.give({ type: 'start' })
    if ('outstanding' in load) this.validators.forEach((one, i) => this.#submit(one, Math.floor((load.outstanding * (i + 1)) / this.validators.length) - Math.floor((load.outstanding * i) / this.validators.length)))
    else this.#arrive(load.perSecond)
    if (!this.kernel.runUntil(simulatedMsMax, () => this.#to !== undefined)) throw new Error(`after ${simulatedMsMax / 1_000} s of simulated time the blocks are not final`)
    return this.#result(this.#from as Reading, this.#to as Reading)
  }

  #result(from: Reading, to: Reading): ScaleResult {
    const ms = to.ms - from.ms
    const share = (used: number): number => round(used / ms, 2)
    const gained = (of: (reading: Reading) => readonly number[]): readonly number[] => of(to).map((figure, i) => figure - (of(from)[i] as number))
    const sum = (figures: readonly number[]): number => figures.reduce((total, one) => total + one, 0)
    const main = gained((reading) => reading.main)
    const [primary, ...others] = main.map((us) => us / 1_000) as [number, ...number[]]
    const out = gained((reading) => reading.out)
    return {
      txPerSecond: Math.round((this.#transactions / ms) * 1_000),
      txPerBlock: round(this.#transactions / this.#blocks),
      latencyMs: latencySummary(this.#latencies),
      busy: {
        primary: share(primary),
        others: share(Math.max(...others)),
        workers: share(Math.max(0, ...gained((reading) => reading.workers)) / 1_000),
        disk: share(Math.max(...gained((reading) => reading.disk))),
        line: share((Math.max(...out) * 8_000) / this.bitsPerSecond),
      },
      cpuUsPerTx: round((sum(main) + sum(gained((reading) => reading.workers)) + to.helpers - from.helpers) / this.#transactions),
      mainUsPerTx: round(sum(main) / this.validators.length / this.#transactions),
      bytesPerTx: Math.round(sum(out) / this.validators.length / this.#transactions),
      views: this.#views,
      fetched: sum(this.validators.map(({ fetched }) => fetched)),
      synced: sum(this.validators.map(({ synced }) => synced)),
    }
  }
}
