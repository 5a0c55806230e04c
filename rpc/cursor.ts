// Cursors of the feeds: a place, and the mark of what it is a place in. What stands at a place never changes, but a page moves on over all that its filter leaves
// out, and each channel counts things of its own: a cursor that went on with another filter or in another channel would pass over things without a word.
import { toBase64url, utf8 } from '../primitives/bytes.ts'
import { DongbaekError } from '../primitives/errors.ts'
import { taggedHash } from '../primitives/hash.ts'
import { type Channel, filter as filterSchema, type Filter } from './api/events.ts'

/** Of the next thing to look at: the block, and the place in it. */
export interface Place {
  readonly height: number
  readonly index: number
}

const markBytes = 6
/** Of filters in use: a subscription asks with every page. */
const hashes = new WeakMap<Filter, string>()

/** The channel's letter and, of a filter, some characters of its hash: enough to notice a mistake, the same on every node. The order of types does not count. */
export function markOf(channel: Channel, filter: Filter | undefined): string {
  const letter = channel.charAt(0)
  if (filter === undefined || Object.values(filter).every((condition) => condition === undefined)) return letter
  const known = hashes.get(filter) ?? hashOf(filter)
  hashes.set(filter, known)
  return letter + known
}

function hashOf({ types, ...rest }: Filter): string {
  const ordered = filterSchema.toJson({ ...rest, ...(types !== undefined && { types: [...new Set(types)].sort() }) })
  return toBase64url(taggedHash('feed-filter', utf8(JSON.stringify(ordered))).subarray(0, markBytes))
}

export function cursorOf({ height, index }: Place, mark: string): string {
  return `${height}.${index}.${mark}`
}

/** The beginning of the chain ("") or of a block (`<height>.0`) is a place in every feed. Throws `rpc/cursor-filter` for a cursor of another one. */
export function placeOf(cursor: string, mark: string): Place {
  if (cursor === '') return { height: 1, index: 0 }
  const [height, index, own = mark] = cursor.split('.')
  if (own !== mark) throw new DongbaekError('rpc/cursor-filter', 'the cursor comes from another channel or filter. Go on with the one it came from, or begin anew at the beginning of a block: <height>.0', { cursor })
  return { height: Number(height), index: Number(index) }
}
