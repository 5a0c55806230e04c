// What correct validators have signed, over all their lives: at most one signature of a kind for a place, none for a view below a promised one, none for a
// height that is final there already.
import { blockHash } from '../../consensus/block.ts'
import type { Message } from '../../consensus/messages.ts'
import type { ValidatorSet } from '../../consensus/validators.ts'
import type { Height } from '../../primitives/brand.ts'
import { equalBytes, toHex } from '../../primitives/bytes.ts'

export interface Signatory {
  readonly name: string
  readonly publicKey: Uint8Array
  /** How often it began anew on a network that had nothing prepared yet: what it had signed before binds it no more. */
  readonly incarnation: () => number
  readonly setAt: (height: Height) => ValidatorSet | undefined
  /** Activation height of the epoch that it is in, or that governs the height. */
  readonly epoch: (height: Height) => Height
  /** The last height delivered in this life. */
  readonly delivered: () => number
}

interface Signed {
  readonly signature: string
  readonly block: string
}

export class SignatureRecord {
  readonly #fail: (what: string) => void
  /** By validator, kind and place. */
  readonly #signed = new Map<string, Signed>()
  /** By validator and epoch: the highest view it has promised to have left the lower ones for. */
  readonly #promised = new Map<string, number>()

  constructor(fail: (what: string) => void) {
    this.#fail = fail
  }

  /** A message leaves a correct validator. */
  sent(who: Signatory, message: Message): void {
    switch (message.type) {
      case 'pre-prepare':
        this.#votes(who, 'proposal', message.view, message.header.height, message.signature, blockHash(message.header))
        return
      case 'prepare':
      case 'commit':
        this.#votes(who, message.type, message.view, message.height, message.signature, message.blockHash)
        return
      case 'checkpoint':
        this.#once(who, 'checkpoint', `${message.content.height}`, message.signature, message.content.blockHash)
        return
      case 'view-change': {
        this.#once(who, 'view-change', `${message.epoch} ${message.view}`, message.signature, message.signature)
        const key = `${identityOf(who)} ${message.epoch}`
        this.#promised.set(key, Math.max(this.#promised.get(key) ?? 0, message.view))
        return
      }
      case 'new-view': {
        // anyone may pass it on; its primary alone signed it
        const set = who.setAt(message.epoch)
        const primary = set?.validators[message.view % (set?.validators.length ?? 1)]
        if (primary === undefined || !equalBytes(primary.publicKey, who.publicKey)) return
        this.#once(who, 'new-view', `${message.epoch} ${message.view}`, message.signature, message.signature)
        const base = Math.max(message.epoch - 1, ...message.viewChanges.map((one) => one.base?.header.height ?? 0))
        message.adopted.forEach((one, i) => this.#once(who, 'proposal', `${message.view} ${base + 1 + i}`, one.signature, one.blockHash))
        return
      }
      case 'status':
      case 'certified':
        return
    }
  }

  #votes(who: Signatory, kind: string, view: number, height: number, signature: Uint8Array, block: Uint8Array): void {
    if (!this.#once(who, kind, `${view} ${height}`, signature, block)) return
    const epoch = who.epoch(height as Height)
    const promised = this.#promised.get(`${identityOf(who)} ${epoch}`) ?? 0
    if (view < promised && height >= epoch) this.#fail(`${who.name} signs a ${kind} in view ${view} after its ViewChange to ${promised}`)
    const delivered = who.delivered()
    if (height <= delivered) this.#fail(`${who.name} signs a ${kind} for ${height} after committing ${delivered}`)
  }

  /** One signature of a kind for a place, whatever happened to the replica in between. True when it is new. */
  #once(who: Signatory, kind: string, place: string, signature: Uint8Array, block: Uint8Array): boolean {
    const key = `${identityOf(who)} ${kind} ${place}`
    const known = this.#signed.get(key)
    const hex = toHex(signature)
    if (known === undefined) {
      this.#signed.set(key, { signature: hex, block: toHex(block) })
      return true
    }
    if (known.signature !== hex) this.#fail(`${who.name} signs two ${kind}s at (${place}): ${known.block.slice(0, 6)} and ${toHex(block).slice(0, 6)}`)
    return false
  }
}

function identityOf({ publicKey, incarnation }: Signatory): string {
  return `${toHex(publicKey)} ${incarnation()}`
}
