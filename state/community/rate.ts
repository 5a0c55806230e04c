// How much one DID may do in a window of block time. One record a DID; windows begin at multiples of their length, so nothing is kept of earlier ones.
import type { Did } from '../../primitives/brand.ts'
import { type BlockInfo, refuse, type Refusal } from '../family.ts'
import type { WriteView } from '../view.ts'
import { rateTable } from './keys.ts'
import { readSettings } from './settings.ts'
import type { Rate } from './types.ts'

export type RateName = 'posts' | 'comments' | 'reactions'

/** Counts one more, or refuses. Called after every other rule, as what is refused is not counted. */
export function countOne(view: WriteView, holder: Did, name: RateName, block: BlockInfo): Refusal | undefined {
  const settings = readSettings(view)
  const limits: Readonly<Record<RateName, number>> = { posts: settings.postsPerWindow, comments: settings.commentsPerWindow, reactions: settings.reactionsPerWindow }
  const window = Math.floor(block.timeMs / settings.windowMs)
  const kept = view.get(rateTable, holder)
  const rate: Rate = kept?.window === window ? kept : { window, posts: 0, comments: 0, reactions: 0 }
  if (rate[name] >= limits[name]) return refuse('community/rate-limit', { what: name, limit: limits[name], nextWindowMs: (window + 1) * settings.windowMs })
  view.put(rateTable, [holder], { ...rate, [name]: rate[name] + 1 })
  return undefined
}
