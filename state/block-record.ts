// What of a block stands in the state: bound into the root of its height, and from the next block on what the rules may know of it.
import { hash, record, timeMs } from '../primitives/schema.ts'
import { table } from './table.ts'

/** chain.block/<height>: binds a block and its receipts into the state of its height. */
export const blockRecordTable = table('chain.block', record({ hash, timeMs, receiptsRoot: hash }))
