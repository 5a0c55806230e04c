// A transaction for reading: its payload decoded by the schema of its kind.
import { decode } from '../../primitives/codec.ts'
import { DongbaekError } from '../../primitives/errors.ts'
import { transactionBytesMax } from '../../primitives/limits.ts'
import type { Infer, JsonObject } from '../../primitives/schema.ts'
import { kinds } from '../../state/families.ts'
import type { Transaction } from '../../state/transaction.ts'
import type { transactionView } from '../api/tx.ts'

export function viewOf(transaction: Transaction): Infer<typeof transactionView> {
  return { ...transaction, payload: payloadOf(transaction) }
}

/** Empty for a payload that today's schemas no longer read: the bytes are always there. */
function payloadOf({ kind, payload }: Transaction): JsonObject {
  const known = kinds.get(kind)
  if (known === undefined) return {}
  try {
    return known.payload.toJson(decode(known.payload, payload, transactionBytesMax)) as JsonObject
  } catch (thrown) {
    if (thrown instanceof DongbaekError) return {}
    throw thrown
  }
}
