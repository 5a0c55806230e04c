// Simulated time: events in order of their time, then of their scheduling.

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class Kernel {
  #heap: Event[] = []
  #order = 0
  nowMs = 0
  events = 0

  at(atMs: number, run: () => void): void {
    const heap = this.#heap
    const event: Event = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run }
    let i = heap.push(event) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(event, heap[parent] as Event)) break
      heap[i] = heap[parent] as Event
      i = parent
    }
    heap[i] = event
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run)
  }

  /** Runs until `done` holds or the time is up; says whether `done` holds. */
  runUntil(endMs: number, done: () => boolean): boolean {
    for (;;) {
      if (done()) return true
      if (!this.#runNext(endMs)) return done()
    }
  }

  /**
   * The same over code with promises: whatever follows from an event by promises is done before the next event, completely. A tick begins when no microtask
   * is left, so nothing of this takes a turn of the event loop. Rejects with what an event throws.
   */
  async settleUntil(endMs: number, done: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (done()) resolve(true)
          else if (!this.#runNext(endMs)) queueMicrotask(() => process.nextTick(() => resolve(done())))
          else queueMicrotask(() => process.nextTick(step))
        } catch (error) {
          reject(error)
        }
      }
      step()
    })
  }

  /** False when nothing is left to run until then. */
  #runNext(endMs: number): boolean {
    const next = this.#heap[0]
    if (next === undefined || next.atMs > endMs) {
      this.nowMs = endMs
      return false
    }
    this.#pop()
    this.nowMs = next.atMs
    this.events++
    next.run()
    return true
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++
      if (!before(heap[child] as Event, last)) break
      heap[i] = heap[child] as Event
      i = child
    }
    heap[i] = last
  }
}

function before(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
