// One simulated machine's disk: what of the store and of the vote log would be found after a power cut, and what is wrong with it.
// LevelDB's log is one file, so a sync makes durable all batches before it, and a cut leaves a beginning of what came after.
import type { Random } from '../random.ts'

/** New values by key, undefined where the key goes. Keys as strings of one character a byte. */
export type Changes = ReadonlyMap<string, Uint8Array | undefined>

export class Disk {
  /** The store as it is read. */
  rows: Map<string, Uint8Array>
  /** How to take back what is not durable yet, in order. */
  #undo: Map<string, Uint8Array | undefined>[] = []
  /** Keys whose values were hit by a bad sector. */
  readonly damagedRows = new Set<string>()
  votes: Uint8Array[] = []
  /** Handed to the vote log and not acknowledged: a beginning of it may be found. */
  pendingVotes: Uint8Array[] = []
  damagedVotes = false
  full = false
  /** The vote log is being rewritten as this: after a crash it is either this or what was there. */
  rewriting: readonly Uint8Array[] | undefined

  constructor(rows: ReadonlyMap<string, Uint8Array>) {
    this.rows = new Map(rows)
  }

  apply(changes: Changes): void {
    const undo = new Map<string, Uint8Array | undefined>()
    for (const [key, value] of changes) {
      undo.set(key, this.rows.get(key))
      if (value === undefined) this.rows.delete(key)
      else this.rows.set(key, value)
      this.damagedRows.delete(key)
    }
    this.#undo.push(undo)
  }

  syncStore(): void {
    this.#undo = []
  }

  /** The process ends; with a power cut, what the operating system had not written is gone too. */
  crash(random: Random, powerCut: boolean): void {
    if (powerCut) {
      for (let lost = random.below(this.#undo.length + 1); lost > 0; lost--) {
        for (const [key, value] of this.#undo.pop() ?? []) {
          if (value === undefined) this.rows.delete(key)
          else this.rows.set(key, value)
        }
      }
    }
    // what came through is on the disk now, or the machine would not start from it
    this.#undo = []
    if (this.rewriting !== undefined && random.chance(0.5)) {
      this.votes = [...this.rewriting]
      this.pendingVotes = []
    }
    this.rewriting = undefined
    this.votes.push(...this.pendingVotes.slice(0, random.below(this.pendingVotes.length + 1)))
    this.pendingVotes = []
  }

  /** The operator moves the data folder away. */
  empty(rows: ReadonlyMap<string, Uint8Array>): void {
    this.rows = new Map(rows)
    this.#undo = []
    this.damagedRows.clear()
    this.votes = []
    this.pendingVotes = []
    this.damagedVotes = false
    this.rewriting = undefined
  }

  /** A bad sector under one value of those that blocks are executed and served from. */
  damageRow(random: Random): string | undefined {
    const keys = [...this.rows.keys()].filter((key) => 'bprsn'.includes(key[0] as string))
    if (keys.length === 0) return undefined
    const key = random.pick(keys)
    this.damagedRows.add(key)
    return key
  }
}
