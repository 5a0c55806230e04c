// The proposer: what a primary puts into the next block. In order of arrival, leaving out what blocks still open order already.
import type { Proposal } from '../consensus/input.ts'
import type { Propose } from '../consensus/output.ts'
import type { Hash, TimeMs } from '../primitives/brand.ts'
import type { ReadyTransaction } from '../state/families.ts'
import type { Seen } from '../state/seen.ts'
import type { Mempool } from './mempool.ts'
import { manifestOf, type Payloads, payloadRoot } from './payloads.ts'

export interface BlockLimits {
  readonly transactionsMax: number
  readonly bytesMax: number
}

export interface MadeProposal {
  readonly proposal: Proposal
  readonly references: readonly Hash[]
  readonly transactions: readonly ReadyTransaction[]
}

/** What is ordered already: by blocks that ran (`hasRun`), or by blocks between the executed head and the parent. */
export interface AlreadyOrdered {
  readonly payloads: Payloads
  readonly executedHead: Hash
  readonly hasRun: (transaction: Seen) => boolean
}

/** Undefined when there is nothing to order. `nowMs` is this node's clock; block time never runs backwards. */
export function makeProposal(request: Propose, mempool: Mempool, { payloads, executedHead, hasRun }: AlreadyOrdered, limits: BlockLimits, nowMs: number): MadeProposal | undefined {
  const { view, height, parent, parentTimeMs } = request
  const ordered = payloads.orderedBetween(executedHead, parent)
  const timeMs = Math.max(nowMs, parentTimeMs + 1) as TimeMs
  // what is too late for this block time would get a refusal that its sender could still have been spared
  const skip = (id: string, { transaction }: ReadyTransaction): boolean => ordered(id) || hasRun(transaction) || transaction.validUntilMs < timeMs
  const transactions = mempool.take(limits.transactionsMax, limits.bytesMax, skip)
  if (transactions.length === 0) return undefined
  const references = transactions.map(({ transaction }) => transaction.reference)
  const proposal: Proposal = { type: 'proposal', view, height, parent, timeMs, payload: payloadRoot(references), payloadCount: references.length, manifest: manifestOf(references) }
  return { proposal, references, transactions }
}

