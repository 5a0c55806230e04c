// A fault in steps. A replica adopts a new view that begins above what is final here: from now on its votes stand on a block that it lacks. It is kept from fetching that block until it has voted above it
// and left the view; then its log is cut down to what is needed and its power fails, so that on its next way out of a view it has nothing but its log to say where its prepared blocks stand.
import type { LogRecord } from '../../consensus/record.ts'
import type { SimulatedNode } from './node.ts'
import type { World } from './world.ts'

/** What the question for blocks is answered with: all of it is withheld, since half an answer makes the asker ask again at once. */
const answer = ['blocks', 'certified'] as const

export class Stranding {
  readonly #world: World
  #stranded: { readonly node: SimulatedNode; step: 'adopted' | 'prepared' | 'left' } | undefined

  constructor(world: World) {
    this.#world = world
  }

  /** A record of a correct node has reached its disk. True when the fault begins here. */
  persisted(node: SimulatedNode, record: LogRecord, starve: (kind: string, durationMs: number) => void): boolean {
    const { random, network, kernel, timing } = this.#world
    const stranded = this.#stranded
    if (record.type === 'newView') {
      const base = Math.max(...record.viewChanges.map((one) => one.base?.header.height ?? 0))
      if (stranded !== undefined || (node.replica?.status().committed ?? base) >= base || !random.chance(0.5)) return false
      const begun = { node, step: 'adopted' as const }
      this.#stranded = begun
      network.withheld.set(node.id, new Set([...answer, 'commit']))
      kernel.after(20 * timing.viewTimeoutMs, () => {
        if (this.#stranded !== begun) return
        this.#stranded = undefined
        network.withheld.delete(node.id)
      })
      return true
    }
    if (stranded?.node !== node) return false
    if (record.type === 'certificate' && stranded.step === 'adopted') {
      stranded.step = 'prepared'
      starve('commit', 3 * timing.viewTimeoutMs)
    } else if (record.type === 'viewChange' && stranded.step === 'prepared') {
      stranded.step = 'left'
      node.disk.compact()
      node.crashIn = random.below(3)
      network.withheld.set(node.id, new Set([...answer, 'commit', 'new-view']))
      starve('new-view', 4 * timing.viewTimeoutMs)
    }
    return false
  }
}
