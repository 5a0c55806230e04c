// One simulated machine's disk: a vote log, with payloads in between its records, and a block store; a crash may take their unsynced tails.
import type { BlockHeader } from '../../consensus/block.ts'
import type { CheckpointCertificate, Decision } from '../../consensus/certificate.ts'
import { decodeRecord, encodeRecord, type LogRecord } from '../../consensus/record.ts'
import { neededRecords } from '../../consensus/restore.ts'
import type { Epoch } from '../../consensus/validators.ts'
import type { Height } from '../../primitives/brand.ts'
import type { Random } from './random.ts'

export interface Block {
  readonly decision: Decision
  readonly manifest: Uint8Array
}

/** What executing a block gave; computed again when the tail is lost. */
export interface Result {
  readonly height: Height
  readonly blockHash: Decision['certificate']['blockHash']
  readonly stateRoot: Decision['certificate']['blockHash']
  readonly nextSet?: Epoch
}

export class Disk {
  log: LogRecord[] = []
  #syncedRecords = 0
  blocks: Block[] = []
  #syncedBlocks = 0
  stable: CheckpointCertificate | undefined
  #syncedStable: CheckpointCertificate | undefined
  /** By payload hash in hex. */
  readonly payloads = new Map<string, Uint8Array>()
  /** Those that are not synced yet, with how many records stand before them. */
  readonly #payloadsAfter = new Map<string, number>()
  readonly headers = new Map<string, BlockHeader>()

  append(records: readonly LogRecord[], throughBytes: boolean): void {
    for (const record of records) this.log.push(throughBytes ? decodeRecord(encodeRecord(record)) : record)
  }

  keepPayload(key: string, manifest: Uint8Array): void {
    if (this.payloads.has(key)) return
    this.payloads.set(key, manifest)
    this.#payloadsAfter.set(key, this.log.length)
  }

  syncLog(): void {
    this.#syncedRecords = this.log.length
    this.#payloadsAfter.clear()
  }

  isLogSynced(): boolean {
    return this.#syncedRecords === this.log.length && this.#payloadsAfter.size === 0
  }

  storeBlock(block: Block): void {
    if (block.decision.header.height === this.blocks.length + 1) this.blocks.push(block)
  }

  syncStore(): void {
    this.#syncedBlocks = this.blocks.length
    this.#syncedStable = this.stable
  }

  /** Power is cut: of what was not synced, any beginning may have reached the disk. */
  crash(random: Random): void {
    const kept = this.#syncedRecords + random.below(this.log.length - this.#syncedRecords + 1)
    this.log.length = kept
    for (const [key, after] of this.#payloadsAfter) if (after > kept || (after === kept && random.chance(0.5))) this.payloads.delete(key)
    this.syncLog()
    this.blocks.length = this.#syncedBlocks + random.below(this.blocks.length - this.#syncedBlocks + 1)
    this.#syncedBlocks = this.blocks.length
    if ((this.stable?.content.height ?? 0) > this.blocks.length || random.chance(0.5)) this.stable = this.#syncedStable
    this.#syncedStable = this.stable
  }

  /** Rewrites the vote log without what the synced store makes superfluous. */
  compact(): void {
    this.syncLog()
    this.log = neededRecords(this.log, { stored: this.#syncedBlocks as Height, stable: (this.#syncedStable?.content.height ?? 0) as Height })
    this.syncLog()
  }
}
