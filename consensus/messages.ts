// The messages between replicas. Three types, never mixed: an unsigned content, the signed message as it travels, and a message
// whose every signature has been checked (`Verified`), which is all that the replica takes.
// Where a message tells its sender, it is an index into the validator set of its height, or of its epoch.
import { concatBytes } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { domain } from '../primitives/hash.ts'
import { consensusMessageBytesMax, validatorsMax } from '../primitives/limits.ts'
import { bytes, hash, height, integer, list, optional, record, slug, union, view, type Infer } from '../primitives/schema.ts'
import { blockHeader, blockHeight } from './block.ts'
import { checkpointCertificate, decision, foundation, preparedBlock } from './certificate.ts'
import { manifestBytesMax, windowMax } from './limits.ts'
import { checkpointContent, signature } from './votes.ts'

const validator = integer(0, validatorsMax - 1)

/**
 * The primary of `view` proposes a block. Signed: voteBytes('pre-prepare'), so that the signature can stand in a certificate.
 * `manifest` lists what the block orders; it is bound by header.payload.
 */
export const prePrepare = record({ view, header: blockHeader, manifest: bytes(0, manifestBytesMax), signature })
export type PrePrepare = Infer<typeof prePrepare>

/** Signed: voteBytes('prepare'). Never by the primary of `view`. */
export const prepare = record({ view, height: blockHeight, blockHash: hash, validator, signature })
/** Signed: voteBytes('commit'). */
export const commit = record({ view, height: blockHeight, blockHash: hash, validator, signature })
export type SlotVote = Infer<typeof prepare>

/** Signed: checkpointBytes. */
export const checkpoint = record({ content: checkpointContent, validator, signature })
export type Checkpoint = Infer<typeof checkpoint>

const viewChangeFields = {
  /** Activation height of the epoch whose view is changed. */
  epoch: blockHeight,
  /** The view to change to. */
  view,
  validator,
  /** The highest final block known; absent for the genesis. */
  base: optional(decision),
  /** For each height above the base, without a gap, the prepared certificate of the highest view. They form a chain on the base. */
  prepared: list(preparedBlock, 0, windowMax),
} as const

/** As a NewView shows it, which has the foundation of the highest base alone. */
export const signedViewChange = record({ ...viewChangeFields, signature })
/** Paper, section 4.4: VIEW-CHANGE(v+1, n, C, P, i). From then on the sender votes in no lower view. `foundation` is that of the base, and there whenever a base is. */
export const viewChange = record({ ...viewChangeFields, signature, foundation: optional(foundation) })
export type SignedViewChange = Infer<typeof signedViewChange>
export type ViewChange = Infer<typeof viewChange>

/** An adopted block by its hash, with the new primary's PrePrepare signature for it. */
export const adoptedBlock = record({ blockHash: hash, signature })

const newViewFields = {
  epoch: blockHeight,
  view,
  /** A quorum, ascending by validator, each for this epoch and view. */
  viewChanges: list(signedViewChange, 1, validatorsMax),
  /** The chain that follows from the view changes (newview.ts), lowest first. */
  adopted: list(adoptedBlock, 0, windowMax),
} as const

/** Paper, section 4.4: NEW-VIEW(v+1, V, O). Signed by the primary of `view`. `foundation` is that of the highest base, and there whenever a base is. */
export const newView = record({ ...newViewFields, signature, foundation: optional(foundation) })
export type NewView = Infer<typeof newView>

/**
 * Where a replica stands, as a hint to others; it binds to nothing. `wish` is the view it would rather be in: `view` when content, higher
 * when it waits in vain. `active`: 0 between its ViewChange and the NewView, 1 in the view, 2 in it and with a primary
 * that is distrusted for what it has done, so that no block takes the wish back.
 */
const statusFields = {
  epoch: blockHeight,
  view,
  active: integer(0, 2),
  wish: view,
  committed: height,
  checkpoint: height,
  validator,
} as const
export const status = record({ ...statusFields, signature })
export type Status = Infer<typeof status>

/** A checkpoint certificate for whoever has not got it. Carries no signature but its own. */
export const certified = record({ certificate: checkpointCertificate })

export const message = union({
  'pre-prepare': prePrepare,
  prepare,
  commit,
  checkpoint,
  'view-change': viewChange,
  'new-view': newView,
  status,
  certified,
})
export type Message = Infer<typeof message>
export type MessageOf<K extends Message['type']> = Extract<Message, { readonly type: K }>

const unsignedViewChange = record({ chain: slug, ...viewChangeFields })
const unsignedNewView = record({ chain: slug, ...newViewFields })
const unsignedStatus = record({ chain: slug, ...statusFields })

export type ViewChangeContent = Omit<ViewChange, 'signature' | 'foundation'>
export type NewViewContent = Omit<NewView, 'signature' | 'foundation'>
export type StatusContent = Omit<Status, 'signature'>

/** A ViewChange as a NewView shows it. */
export function withoutFoundation(change: ViewChange): SignedViewChange {
  const { foundation: _, ...signed } = change
  return signed
}

export function viewChangeBytes(chain: string, content: ViewChangeContent): Uint8Array {
  return concatBytes(domain('vote/view-change'), encode(unsignedViewChange, { chain, ...content }))
}

export function newViewBytes(chain: string, content: NewViewContent): Uint8Array {
  return concatBytes(domain('vote/new-view'), encode(unsignedNewView, { chain, ...content }))
}

export function statusBytes(chain: string, content: StatusContent): Uint8Array {
  return concatBytes(domain('vote/status'), encode(unsignedStatus, { chain, ...content }))
}

export function encodeMessage(one: Message): Uint8Array {
  return encode(message, one)
}

/** Throws `codec/…` on anything but the canonical encoding of a message. */
export function decodeMessage(encoded: Uint8Array): Message {
  return decode(message, encoded, consensusMessageBytesMax)
}

declare const verified: unique symbol
/** Every signature in the value has been checked against the key that its structure demands. Only node's verifier makes it (verification.ts). */
export type Verified<T> = T & { readonly [verified]: true }
