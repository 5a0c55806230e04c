// What an exploration is about: four validators (or so), one of them a liar or none, a few heights and views; and short names for blocks and messages.
import { blockHash, refOf, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { Decision } from '../../consensus/certificate.ts'
import { defaultTiming, type ReplicaConfig } from '../../consensus/config.ts'
import type { Message } from '../../consensus/messages.ts'
import { primaryIndex, scheduleOf, type Epoch, type ValidatorSet } from '../../consensus/validators.ts'
import { verifyDecision, verifyMessage } from '../../consensus/verification.ts'
import type { Hash, Height, TimeMs, View } from '../../primitives/brand.ts'
import { equalBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { taggedHash } from '../../primitives/hash.ts'
import { keyring, type Keyring } from '../simulator/keys.ts'
import { manifestOf, payloadHash, transactionsOf } from '../simulator/payload.ts'

export const chain = 'explored'
export const genesis: BlockRef = { height: 0 as Height, hash: taggedHash('explored', utf8('genesis')), timeMs: 0 as TimeMs }

export interface Bounds {
  readonly validators: number
  /** Index of the validator that lies; undefined when all are correct. */
  readonly liar: number | undefined
  /** Blocks are proposed up to this height. */
  readonly heights: number
  /** Views 0 … views − 1. */
  readonly views: number
  /** How often each correct replica may crash and start again from its log. */
  readonly restarts: number
}

export interface Block {
  /** Where it was proposed first and by which of its primary's proposals, on its parent's name: `0a` at height 1, `0a.1x` on it. */
  readonly name: string
  readonly header: BlockHeader
  readonly hash: Hash
  readonly manifest: Uint8Array
}

export class ExploredWorld {
  readonly bounds: Bounds
  readonly set: ValidatorSet
  readonly epoch: Epoch
  readonly #keyring: Keyring
  readonly #made = new Map<string, { readonly value: unknown }>()
  readonly #blocks = new Map<string, Block>()
  readonly #names = new Map<string, string>([[toHex(genesis.hash), '-']])

  constructor(bounds: Bounds) {
    this.bounds = bounds
    this.#keyring = keyring(bounds.validators, false)
    this.set = { validators: this.#keyring.keys.map(({ publicKey }, i) => ({ name: `v${i}`, organisation: i % 2 === 0 ? 'city' : 'bank', publicKey })), minimums: [] }
    this.epoch = { activation: 1 as Height, set: this.set }
  }

  /** What depends on `key` alone is made once. */
  once<T>(key: string, make: () => T): T {
    const known = this.#made.get(key)
    // The key says what it is: nothing else is ever kept under it.
    if (known !== undefined) return known.value as T
    const value = make()
    this.#made.set(key, { value })
    return value
  }

  get correct(): number[] {
    return this.set.validators.map((_, i) => i).filter((i) => i !== this.bounds.liar)
  }

  configOf(index: number): ReplicaConfig {
    return {
      chain,
      genesis,
      // The log holds more than is ever proposed: checkpoints are not what this is about.
      parameters: { window: 8, checkpointInterval: 4 },
      timing: defaultTiming,
      pipelineDepth: this.bounds.heights,
      publicKey: (this.set.validators[index] as ValidatorSet['validators'][number]).publicKey,
      sign: (bytes) => this.sign(index, bytes),
      bindsManifest: (header, manifest) => transactionsOf(manifest)?.length === header.payloadCount && equalBytes(payloadHash(manifest), header.payload),
    }
  }

  sign(index: number, bytes: Uint8Array): Uint8Array {
    const key = this.#keyring.keys[index]
    if (key === undefined) throw new Error(`there is no validator ${index}`)
    return key.sign(bytes)
  }

  verified<T extends Message>(message: T) {
    return verifyMessage(message, { chain, genesis, schedule: scheduleOf([this.epoch], 0 as Height, 8) }, this.#keyring.verify)
  }

  /** Whether a final block is shown with a certificate that others take. */
  isDecision(decision: Decision): boolean {
    return verifyDecision(decision, { chain, genesis, schedule: scheduleOf([this.epoch], 0 as Height, 8) }, this.#keyring.verify) !== undefined
  }

  primary(view: number): number {
    return primaryIndex(this.set, view as View)
  }

  /** The block that the primary of `view` makes on `parent`; `variant` tells its several ones apart. */
  block(view: number, parent: BlockRef, variant: string): Block {
    const below = this.nameOf(parent.hash)
    const name = `${below === '-' ? '' : `${below}.`}${view}${variant}`
    let block = this.#blocks.get(name)
    if (block === undefined) {
      const manifest = manifestOf([this.#blocks.size])
      const timeMs = (parent.timeMs + 1) as TimeMs
      const header: BlockHeader = { chain, height: (parent.height + 1) as Height, parent: parent.hash, timeMs, proposer: this.primary(view), payload: payloadHash(manifest), payloadCount: 1 }
      block = { name, header, hash: blockHash(header), manifest }
      this.#blocks.set(name, block)
      this.#names.set(toHex(block.hash), name)
    }
    return block
  }

  nameOf(hash: Uint8Array): string {
    return this.#names.get(toHex(hash)) ?? '?'
  }

  named(name: string): Block {
    const block = this.#blocks.get(name)
    if (block === undefined) throw new Error(`there is no block ${name}`)
    return block
  }

  refOf(name: string): BlockRef {
    return name === '-' ? genesis : refOf(this.named(name).header)
  }
}
