// The one list of transaction families. Adding a family: its folder, and a line here and, for its events, in events.ts.
import { DongbaekError } from '../primitives/errors.ts'
import { decode } from '../primitives/codec.ts'
import { transactionBytesMax } from '../primitives/limits.ts'
import { communityFamily } from './community/family.ts'
import { credentialFamily } from './credential/family.ts'
import { didFamily } from './did/family.ts'
import type { Family, Kind } from './family.ts'
import { governanceFamily } from './governance/family.ts'
import { pointsFamily } from './points/family.ts'
import { reservationFamily } from './reservation/family.ts'
import type { Transaction } from './transaction.ts'

/** In the order in which they begin a block and apply their genesis. */
export const families: readonly Family[] = [governanceFamily, didFamily, credentialFamily, pointsFamily, reservationFamily, communityFamily]

export const kinds: ReadonlyMap<string, Kind<never>> = new Map(families.flatMap((family) => family.kinds.map((kind) => [kind.kind, kind] as const)))

/** Codes of the envelope's own rules; each family lists its own. */
export const envelopeCodes: Readonly<Record<string, string>> = {
  'tx/duplicate': 'A transaction with this id has already run. Read its receipt instead of sending it again.',
  'tx/expired': 'The block time is past validUntilMs. Make a new transaction with a later one.',
  'tx/valid-until-too-far': 'validUntilMs lies further ahead than the chain allows. Use an earlier one.',
  'tx/wrong-chain': 'The transaction was made for another chain. Read the chain id from node_status.',
  'tx/unknown-kind': 'No such kind of transaction. See rpc.discover for the kinds.',
  'tx/payload-invalid': 'The payload does not fit the schema of its kind.',
  'tx/signers': 'The first signature must be the sender’s, further signers distinct and in ascending order.',
  'tx/signature-invalid': 'A signature does not verify under the key it names.',
  'tx/family-paused': 'Governance has paused this family of transactions. Make a new one when it is resumed; see governance_rules.',
  'tx/key-not-authorised': 'The key is not an authentication key of the signer’s DID, or the DID is deactivated.',
}

/** A transaction with its kind found and its payload decoded, ready to run. */
export interface ReadyTransaction {
  readonly transaction: Transaction
  readonly kind: Kind<never>
  readonly payload: never
}

/** Throws `tx/unknown-kind` or `tx/payload-invalid`. */
export function readyTransaction(transaction: Transaction): ReadyTransaction {
  const kind = kinds.get(transaction.kind)
  if (kind === undefined) throw new DongbaekError('tx/unknown-kind', `there is no transaction kind ${transaction.kind}`, { kind: transaction.kind })
  try {
    return { transaction, kind, payload: decode(kind.payload, transaction.payload, transactionBytesMax) }
  } catch (cause) {
    if (!(cause instanceof DongbaekError)) throw cause
    throw new DongbaekError('tx/payload-invalid', `the payload of ${transaction.kind} is not valid: ${cause.message}`, cause.data, { cause })
  }
}
