// The bounds that every node must share, since they decide what is valid. Bounds of one node's own queues stand in node/limits.ts.

/** A signed transaction, encoded. Large enough for a batch issue of 500 grants. */
export const transactionBytesMax = 65_536
/** Transactions in one block. */
export const blockTransactionsMax = 4_000
/** Sum of the encoded transactions in one block; bounds a frame, a fetch and the work of one execution. */
export const blockBytesMax = 4 * 1_048_576
/** Signatures on one transaction: the sender and its countersigners. */
export const transactionSignaturesMax = 4
/** Validators in one set. A certificate carries up to this many signatures. */
export const validatorsMax = 64
/** A consensus message, encoded; a new view carries a quorum of view changes with their certificates. */
export const consensusMessageBytesMax = 2 * 1_048_576
/** A key of the state, in UTF-8 bytes. */
export const stateKeyBytesMax = 512
/** A value of the state, encoded. */
export const stateValueBytesMax = 131_072
