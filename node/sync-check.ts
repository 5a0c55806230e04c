// Whether what a peer sent in answer to `sync` holds. The certificate makes a block final whoever sent it.
import type { SignatureCheck } from '../consensus/certificate.ts'
import { decisionChecks, type VerificationContext } from '../consensus/verification.ts'
import type { Height } from '../primitives/brand.ts'
import { equalBytes } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import type { SignedItem } from '../primitives/signature.ts'
import { readyTransaction } from '../state/families.ts'
import { decodeTransaction } from '../state/transaction.ts'
import type { SyncBlock } from './exchange.ts'
import { bindsReferences, type Payload, payloadOf } from './payloads.ts'
import type { Verifier } from './world.ts'

/**
 * The payload of a final block as a peer sent it, or why it does not hold. Signatures of its transactions were checked by the quorum that made it final.
 * Throws `verifier/…`.
 */
export async function checkSyncBlock({ decision, references, envelopes }: SyncBlock, next: Height, context: VerificationContext, verifier: Pick<Verifier, 'verifyBatch'>): Promise<Payload | string> {
  const { header } = decision
  if (header.height !== next) return 'not the next height'
  const listed = decisionChecks(decision, context)
  if (!listed.ok) return listed.code === 'unknown-set' ? 'unknown-set' : listed.reason
  if (!bindsReferences(header, references) || envelopes.length !== references.length) return 'not the payload that the header binds'
  if (!(await allVerify(listed.checks, verifier))) return 'a commit signature that does not verify'
  try {
    const transactions = envelopes.map((encoded) => readyTransaction(decodeTransaction(encoded)))
    return transactions.some(({ transaction }, i) => !equalBytes(transaction.reference, references[i] as Uint8Array)) ? 'an envelope that the header does not bind' : payloadOf(header, references, transactions)
  } catch (error) {
    if (!(error instanceof DongbaekError)) throw error
    return error.message
  }
}

/** Throws `verifier/…`. */
export async function allVerify(checks: readonly SignatureCheck[], verifier: Pick<Verifier, 'verifyBatch'>): Promise<boolean> {
  return !(await verifier.verifyBatch(checks.map(itemOf))).includes(false)
}

function itemOf({ publicKey, bytes, signature }: SignatureCheck): SignedItem {
  return { algorithm: 'ed25519', publicKey, message: bytes, signature }
}

/** The heights go up by one from `from`, and there are no more than were asked for. */
export function isRun(blocks: readonly SyncBlock[], from: Height, count: number): boolean {
  return blocks.length <= count && blocks.every(({ decision }, i) => decision.header.height === from + i)
}
