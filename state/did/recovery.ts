// The recovery key: committed by its hash, kept apart from the phone, shown once when it is used.
import { equalBytes } from '../../primitives/bytes.ts'
import { assert } from '../../primitives/errors.ts'
import type { Transaction } from '../transaction.ts'
import { type DidKey, recoveryHashOf } from './types.ts'

/** The key with which the sender signed. */
export function signingKey({ signatures }: Transaction): Uint8Array {
  const first = signatures[0]
  assert(first !== undefined, 'a signature of the sender')
  return first.key
}

/** True if the commitment is to one of the keys of the document, where everybody can read it. */
export function exposesRecovery(keys: readonly DidKey[], recovery: Uint8Array | undefined): boolean {
  return recovery !== undefined && keys.some(({ key }) => equalBytes(recoveryHashOf(key), recovery))
}
