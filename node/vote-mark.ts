// The vote log's position as the store remembers it. A row with each block says how far the log was on the disk when the block was put; the log was synced
// before that, the store at any time after. So on a disk that keeps what it says it keeps the log is always at or beyond the row. A log that ends before it,
// or is another, is an older copy or was cut short: votes that were given are missing in it. The row's log is written and synced before that log may vote
// (assembly.ts), and its last position when the node stops, so that an open vote at the end is missed too.
import { equalBytes, utf8 } from '../primitives/bytes.ts'
import { decode, encode } from '../primitives/codec.ts'
import { bytes, integer, record } from '../primitives/schema.ts'
import type { StoreOp, StoreReader, VotePosition } from './world.ts'

const markKey = utf8('mvotes')
const markRow = record({ log: bytes(16, 16), batch: integer() })
const markBytesMax = 64

export function voteMark(position: VotePosition): StoreOp {
  return { type: 'put', key: markKey, value: encode(markRow, position) }
}

/** Of whatever log. */
export function remembersVotes(store: Pick<StoreReader, 'get'>): boolean {
  return store.get(markKey) !== undefined
}

/** Why the log cannot be all that this validator has signed, in words; undefined when nothing speaks against it. Throws `store/damaged`. */
export function whyVotesMissing(store: Pick<StoreReader, 'get'>, { log, batch }: VotePosition): string | undefined {
  const encoded = store.get(markKey)
  if (encoded === undefined) return 'the vote log and the store do not belong together (the store knows of no vote log)'
  const mark = decode(markRow, encoded, markBytesMax)
  if (!equalBytes(mark.log, log)) return 'the vote log is not the one that the store was written beside'
  return batch < mark.batch ? `the vote log ends with batch ${batch}, and the store was written when it had ${mark.batch}` : undefined
}
