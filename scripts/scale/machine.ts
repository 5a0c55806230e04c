// A simulated machine: cores that threads share, a disk that syncs for all who wait at once, and a line to the others. Only times are simulated; what runs is real.
import { verifyInlineMax, verifyParcelItems, verifyWorkersMax } from '../../node/limits.ts'
import type { Kernel } from '../../test/simulator/kernel.ts'
import { type Costs, diskBytesPerMs, frameBytes, segmentBytes, segmentHeaderBytes } from './costs.ts'

/** First in, first out; an array's own shift would copy thousands. */
class Queue<T> {
  #items: T[] = []
  #next = 0

  get length(): number {
    return this.#items.length - this.#next
  }

  push(item: T): void {
    this.#items.push(item)
  }

  shift(): T | undefined {
    if (this.#next === this.#items.length) return undefined
    const item = this.#items[this.#next++]
    if (this.#next > 1_024 && 2 * this.#next > this.#items.length) {
      this.#items = this.#items.slice(this.#next)
      this.#next = 0
    }
    return item
  }
}

export class Machine {
  readonly kernel: Kernel
  readonly cores: number
  #free: number
  readonly #waiting = new Queue<Thread>()

  constructor(kernel: Kernel, cores: number) {
    this.kernel = kernel
    this.cores = cores
    this.#free = cores
  }

  ask(thread: Thread): void {
    if (this.#free === 0) this.#waiting.push(thread)
    else {
      this.#free--
      thread.turn()
    }
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next.turn()
  }
}

interface Job {
  /** Asked when it begins. */
  readonly us: () => number
  readonly done: () => void
}

/** Does one thing after the other, each when a core is free. */
export class Thread {
  readonly #machine: Machine
  readonly #jobs = new Queue<Job>()
  #busy = false
  busyUs = 0

  constructor(machine: Machine) {
    this.#machine = machine
  }

  run(us: number | (() => number), done: () => void): void {
    this.#jobs.push({ us: typeof us === 'number' ? () => us : us, done })
    if (this.#busy) return
    this.#busy = true
    this.#machine.ask(this)
  }

  get waiting(): number {
    return this.#jobs.length
  }

  /** The machine gives it a core, for one job. */
  turn(): void {
    const { us, done } = this.#jobs.shift() as Job
    const taken = us()
    this.busyUs += taken
    this.#machine.kernel.after(taken / 1_000, () => {
      done()
      this.#machine.release()
      if (this.#jobs.length > 0) this.#machine.ask(this)
      else this.#busy = false
    })
  }
}

/** The verifier of a node: parcels for workers, and on the thread that votes what is too little for them. */
export class Verifying {
  readonly #main: Thread
  readonly #costs: Costs
  readonly workers: readonly Thread[]

  constructor(machine: Machine, main: Thread, costs: Costs) {
    this.#main = main
    this.#costs = costs
    this.workers = Array.from({ length: Math.min(machine.cores - 1, verifyWorkersMax) }, () => new Thread(machine))
  }

  check(signatures: number, done: () => void): void {
    const { verifyUs, workerUs, parcelUs } = this.#costs
    if (signatures <= verifyInlineMax || this.workers.length === 0) {
      this.#main.run(signatures * verifyUs, done)
      return
    }
    this.#main.run(signatures * parcelUs, () => {
      let open = Math.ceil(signatures / verifyParcelItems)
      for (let left = signatures; left > 0; left -= verifyParcelItems) {
        const worker = this.workers.reduce((least, one) => (one.waiting < least.waiting ? one : least))
        // its verdicts come as an event of their own
        worker.run(Math.min(left, verifyParcelItems) * workerUs, () => --open === 0 && this.#main.run(0, done))
      }
    })
  }
}

/** The vote log: all that wait share the next sync. */
export class VoteDisk {
  readonly #kernel: Kernel
  readonly #costs: Costs
  readonly #helpers: Thread
  #waiting: { readonly bytes: number; readonly done: () => void }[] = []
  #working = false
  busyMs = 0
  syncs = 0

  constructor(kernel: Kernel, costs: Costs, helpers: Thread) {
    this.#kernel = kernel
    this.#costs = costs
    this.#helpers = helpers
  }

  append(bytes: number, done: () => void): void {
    this.#waiting.push({ bytes, done })
    if (!this.#working) this.#work()
  }

  #work(): void {
    const taken = this.#waiting
    if (taken.length === 0) {
      this.#working = false
      return
    }
    this.#working = true
    this.#waiting = []
    const bytes = taken.reduce((sum, one) => sum + one.bytes, 0)
    const ms = this.#costs.syncMs + bytes / diskBytesPerMs
    this.busyMs += ms
    this.syncs++
    this.#helpers.run(this.#costs.syncUs, () => {})
    this.#kernel.after(ms, () => {
      for (const { done } of taken) done()
      this.#work()
    })
  }
}

/** What a message takes on the wire: frames and headers besides itself. */
export function wireBytes(bytes: number): number {
  return bytes + frameBytes + Math.ceil((bytes + frameBytes) / segmentBytes) * segmentHeaderBytes
}

/** A machine's line to all others: what goes out waits for what went before it, and so does what comes in. */
export class Line {
  readonly #kernel: Kernel
  readonly #bytesPerMs: number
  #outFreeMs = 0
  #inFreeMs = 0
  bytesOut = 0

  constructor(kernel: Kernel, bitsPerSecond: number) {
    this.#kernel = kernel
    this.#bytesPerMs = bitsPerSecond / 8_000
  }

  send(bytes: number, delayMs: number, to: Line, arrived: () => void): void {
    const size = wireBytes(bytes)
    this.bytesOut += size
    this.#outFreeMs = Math.max(this.#kernel.nowMs, this.#outFreeMs) + size / this.#bytesPerMs
    this.#kernel.at(this.#outFreeMs + delayMs, () => to.#take(size, arrived))
  }

  #take(size: number, arrived: () => void): void {
    // the last byte has come over a line as fast as this one: only what comes from several at once waits
    const fromMs = this.#kernel.nowMs - size / this.#bytesPerMs
    this.#inFreeMs = Math.max(fromMs, this.#inFreeMs) + size / this.#bytesPerMs
    if (this.#inFreeMs <= this.#kernel.nowMs) arrived()
    else this.#kernel.at(this.#inFreeMs, arrived)
  }
}
