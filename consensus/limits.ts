// The bounds of consensus. What every replica must share stands in primitives/limits.ts; these bound one replica's own memory and messages.
import { blockTransactionsMax } from '../primitives/limits.ts'

/** The opaque list of what a block orders: an id of 32 bytes a transaction, with room for framing. */
export const manifestBytesMax = blockTransactionsMax * 40 + 1024
/** Largest watermark window a genesis may ask for; a view change carries a certificate for each slot in it, prepared or final. */
export const windowMax = 128
/** Contradictions kept as evidence for one validator; one is enough to remove it, more would only fill memory. */
export const evidencePerValidatorMax = 8
/** Slots whose own proposals are repeated when nothing moves: a manifest is large, and the lowest slots are what the others wait for. */
export const repeatedProposalsMax = 4
/** One input fires a bounded number of rules; more rounds than this must be our own bug. */
export const advanceRoundsMax = 10_000
