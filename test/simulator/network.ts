// Links between simulated endpoints: loss, delay, duplication, and directions that are cut.
import type { Kernel } from './kernel.ts'
import type { Random } from './random.ts'

export interface LinkQuality {
  readonly loss: number
  readonly duplication: number
  readonly delayMs: readonly [number, number]
  /** Some packets take much longer, and so overtake each other. */
  readonly slow: number
  readonly slowMs: number
}

export const goodLinks: LinkQuality = { loss: 0, duplication: 0, delayMs: [0.2, 3], slow: 0, slowMs: 0 }

export class Network {
  readonly #kernel: Kernel
  readonly #random: Random
  readonly #cut = new Set<number>()
  #wave = 0
  quality: LinkQuality = goodLinks
  /** Packets of this kind are mostly lost on the way to these endpoints: slots get prepared and not committed, views entered by some. */
  starved: { readonly kind: string; readonly to: ReadonlySet<number>; /** Only what is about heights above this. */ readonly above?: number } | undefined
  /** Kinds of packets of which none reaches an endpoint. */
  readonly withheld = new Map<number, ReadonlySet<string>>()
  counts = { lost: 0, duplicated: 0, delayed: 0, cut: 0, delivered: 0 }

  constructor(kernel: Kernel, random: Random) {
    this.#kernel = kernel
    this.#random = random
  }

  /** `height`: what the packet is about; 0 when it is about none. */
  send(from: number, to: number, kind: string, deliver: () => void, height = 0): void {
    const { quality, counts } = this
    const random = this.#random
    if (this.#cut.has(from * 1024 + to)) {
      counts.cut++
      return
    }
    if (this.withheld.get(to)?.has(kind) === true) {
      counts.lost++
      return
    }
    if (this.starved?.kind === kind && this.starved.to.has(to) && height > (this.starved.above ?? -1) && random.chance(0.9)) {
      counts.lost++
      return
    }
    if (quality.loss > 0 && random.chance(quality.loss)) {
      counts.lost++
      return
    }
    const copies = quality.duplication > 0 && random.chance(quality.duplication) ? 2 : 1
    if (copies === 2) counts.duplicated++
    for (let i = 0; i < copies; i++) {
      let delayMs = random.between(quality.delayMs[0], quality.delayMs[1])
      if (quality.slow > 0 && random.chance(quality.slow)) {
        delayMs += random.between(0, quality.slowMs)
        counts.delayed++
      }
      counts.delivered++
      const wave = this.#wave
      this.#kernel.after(delayMs, () => wave === this.#wave && deliver())
    }
  }

  /** Everything that is under way now is lost. */
  loseInFlight(): void {
    this.#wave++
  }

  cut(from: number, to: number): void {
    this.#cut.add(from * 1024 + to)
  }

  mend(from: number, to: number): void {
    this.#cut.delete(from * 1024 + to)
  }

  mendAll(): void {
    this.#cut.clear()
  }

  /** `quality`: what links are like when nothing is wrong with them. */
  heal(quality = goodLinks): void {
    this.mendAll()
    this.starved = undefined
    this.withheld.clear()
    this.quality = quality
  }
}
