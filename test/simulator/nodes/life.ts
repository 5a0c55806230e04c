// One life of a simulated process: from its start to its end. It may end at any of its doors to the world, and none of them does anything for it afterwards:
// what was asked for is never answered, what is sent goes nowhere. That is a crash at any effect and at any await.
export class Life {
  alive = true
  /** Doors left until it crashes; undefined when none is planned. */
  crashIn: number | undefined
  readonly #onCrash: () => void

  constructor(onCrash: () => void) {
    this.#onCrash = onCrash
  }

  /** Passed at every door; false when nobody is there any more. */
  passes(): boolean {
    if (!this.alive) return false
    if (this.crashIn === undefined || this.crashIn-- > 0) return true
    this.#onCrash()
    return false
  }
}

/** What a dead process waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => {})
}
