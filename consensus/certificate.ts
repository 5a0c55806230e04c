// Certificates: a quorum of signatures over one statement, to be shown to others. Three kinds:
//   prepared    PrePrepare of the primary and Prepares for (view, height, block): no other block can be prepared there (paper, section 4.2)
//   commit      Commits for (view, height, block): the block is final
//   checkpoint  Checkpoints for (height, block, state root, next set): the state is certified (paper, section 4.3)
// A certificate is checked in two parts: its structure here, and its signatures by whoever verifies the triples listed here.
import { equalBytes } from '../primitives/bytes.ts'
import { validatorsMax } from '../primitives/limits.ts'
import { hash, integer, list, optional, record, view, type Infer } from '../primitives/schema.ts'
import { blockHash, blockHeader, blockHeight } from './block.ts'
import { windowMax } from './limits.ts'
import { isQuorum } from './quorum.ts'
import { primaryIndex, type ValidatorSet } from './validators.ts'
import { checkpointBytes, checkpointContent, signature, voteBytes } from './votes.ts'

export const signatureEntry = record({ validator: integer(0, validatorsMax - 1), signature })
export type SignatureEntry = Infer<typeof signatureEntry>

const signatures = list(signatureEntry, 1, validatorsMax)

/** Signers ascend. Whether it is a prepared or a commit certificate is said by where it stands; the signed bytes differ. */
export const slotCertificate = record({ view, height: blockHeight, blockHash: hash, signatures })
export type SlotCertificate = Infer<typeof slotCertificate>

export const checkpointCertificate = record({ content: checkpointContent, signatures })
export type CheckpointCertificate = Infer<typeof checkpointCertificate>

/** A block with what makes it prepared. */
export const preparedBlock = record({ header: blockHeader, certificate: slotCertificate })
export type PreparedBlock = Infer<typeof preparedBlock>

/** A block with what makes it final. */
export const decision = record({ header: blockHeader, certificate: slotCertificate })
export type Decision = Infer<typeof decision>

/**
 * What a final block stands on: a certified checkpoint, which a quorum has executed (absent: the genesis), and every final block above it and below the block itself,
 * lowest first. Whoever has both lacks the certificate of no block. It needs no signature but those of its certificates.
 */
export const foundation = record({ checkpoint: optional(checkpointCertificate), decided: list(decision, 0, windowMax) })
export type Foundation = Infer<typeof foundation>

/** One signature to check: `publicKey` signed `bytes`. */
export interface SignatureCheck {
  readonly publicKey: Uint8Array
  readonly bytes: Uint8Array
  readonly signature: Uint8Array
}

/** Distinct, ascending, members of the set, and a quorum of it. */
export function signersFormQuorum(set: ValidatorSet, entries: readonly SignatureEntry[]): boolean {
  const signers = new Set<number>()
  let last = -1
  for (const { validator } of entries) {
    if (validator <= last || validator >= set.validators.length) return false
    last = validator
    signers.add(validator)
  }
  return isQuorum(set, signers)
}

/** The certificate is for this very block, by a quorum of the set of its height. */
export function certifies({ header, certificate }: Decision | PreparedBlock, set: ValidatorSet): boolean {
  return (
    certificate.height === header.height && equalBytes(certificate.blockHash, blockHash(header)) && signersFormQuorum(set, certificate.signatures)
  )
}

function keyOf(set: ValidatorSet, index: number): Uint8Array {
  return (set.validators[index] as ValidatorSet['validators'][number]).publicKey
}

/** Structure must have been checked before. */
export function commitChecks(certificate: SlotCertificate, set: ValidatorSet, chain: string): SignatureCheck[] {
  const signed = voteBytes('commit', chain, certificate.view, certificate.height, certificate.blockHash)
  return certificate.signatures.map((entry) => ({ publicKey: keyOf(set, entry.validator), bytes: signed, signature: entry.signature }))
}

/** The primary's entry is its PrePrepare, every other a Prepare. Structure must have been checked before. */
export function preparedChecks(certificate: SlotCertificate, set: ValidatorSet, chain: string): SignatureCheck[] {
  const primary = primaryIndex(set, certificate.view)
  const { view: inView, height, blockHash: block } = certificate
  const prepare = voteBytes('prepare', chain, inView, height, block)
  return certificate.signatures.map((entry) => ({
    publicKey: keyOf(set, entry.validator),
    bytes: entry.validator === primary ? voteBytes('pre-prepare', chain, inView, height, block) : prepare,
    signature: entry.signature,
  }))
}

/** Structure must have been checked before. */
export function checkpointChecks(certificate: CheckpointCertificate, set: ValidatorSet, chain: string): SignatureCheck[] {
  const signed = checkpointBytes(chain, certificate.content)
  return certificate.signatures.map((entry) => ({ publicKey: keyOf(set, entry.validator), bytes: signed, signature: entry.signature }))
}

