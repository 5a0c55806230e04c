// Which rows of the state a transaction will probably touch, told without running it, so that they can be fetched beforehand and all at once. A hint: it decides how fast a
// transaction runs, never what it does.
import { didTable } from './did/documents.ts'
import type { ReadyTransaction } from './families.ts'
import type { LikelyRow } from './family.ts'
import { stateKey } from './table.ts'

/** The DIDs of its signers, and what its kind names. */
export function likelyRows({ transaction, kind, payload }: ReadyTransaction): readonly LikelyRow[] {
  const dids = transaction.signatures.map(({ signer }): LikelyRow => ({ key: stateKey(didTable, [signer]), use: 'read' }))
  const own = kind.likely?.(transaction, payload)
  return own === undefined ? dids : [...dids, ...own]
}
