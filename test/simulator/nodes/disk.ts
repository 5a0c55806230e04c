// One simulated machine's disk: what of the store and of the vote log would be found after a power cut, and what is wrong with it.
// A sync makes durable all batches before it, and a cut leaves a beginning of what came after; of what the store has gathered kill -9 leaves no more (node/store.ts).
import { storePendingBatchesMax } from '../../../node/limits.ts'
import { votingEntry } from '../../../node/vote-entries.ts'
import type { Random } from '../random.ts'

/** New values by key, undefined where the key goes. Keys as strings of one character a byte. */
export type Changes = ReadonlyMap<string, Uint8Array | undefined>

/** A vote log as it lies on the disk: its identity, what it holds, and how many batches have come to it so far. */
export interface Votes {
  readonly log: Uint8Array
  readonly batch: number
  readonly records: readonly Uint8Array[]
}

function newVotes(number: number, records: readonly Uint8Array[] = []): Votes {
  return { log: new Uint8Array(16).fill(number), batch: records.length, records }
}

export class Disk {
  /** The store as it is read. */
  rows: Map<string, Uint8Array>
  /** How to take back what is not durable yet, in order. */
  #undo: Map<string, Uint8Array | undefined>[] = []
  /** Keys whose values were hit by a bad sector. */
  readonly damagedRows = new Set<string>()
  /** At first that of a key which was never used (node/unused-key.ts). */
  votes: Votes = newVotes(0, [votingEntry(undefined)])
  /** What the vote log is about to be: after a crash it is either this or what was there, since a batch is whole or cut. */
  nextVotes: Votes | undefined
  damagedVotes = false
  full = false
  #logs = 0

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
    const losable = powerCut ? this.#undo.length : Math.min(this.#undo.length, 2 * storePendingBatchesMax)
    for (let lost = random.below(losable + 1); lost > 0; lost--) {
      for (const [key, value] of this.#undo.pop() ?? []) {
        if (value === undefined) this.rows.delete(key)
        else this.rows.set(key, value)
      }
    }
    // what came through is on the disk now, or the machine would not start from it
    this.#undo = []
    if (this.nextVotes !== undefined && random.chance(0.5)) this.votes = this.nextVotes
    this.nextVotes = undefined
  }

  /** A log with an identity of its own. */
  anotherLog(): Votes {
    return newVotes(++this.#logs)
  }

  loseVotes(): void {
    this.votes = this.anotherLog()
    this.nextVotes = undefined
    this.damagedVotes = false
  }

  putVotesBack(votes: Votes): void {
    this.votes = votes
    this.nextVotes = undefined
  }

  /** The operator moves the data folder away. */
  empty(rows: ReadonlyMap<string, Uint8Array>): void {
    this.rows = new Map(rows)
    this.#undo = []
    this.damagedRows.clear()
    this.loseVotes()
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
