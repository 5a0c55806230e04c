// Where the family keeps what.
import { integer, record, transactionId } from '../../primitives/schema.ts'
import { table } from '../table.ts'
import { board, bodyRecord, counts, post, rate, reactionKind, settings } from './types.ts'

/** community.settings/current */
export const settingsTable = table('community.settings', settings)
/** community.board/<living area>/<board> */
export const boardTable = table('community.board', board)
/** community.posts/<living area>/<board>: posts on it so far */
export const postNumberTable = table('community.posts', record({ last: integer() }))
/** community.post/<post>, the post's id in base64url */
export const postTable = table('community.post', post)
/** community.counts/<post> */
export const countsTable = table('community.counts', counts)
/** community.feed/<living area>/<board>/<2^53 − 1 − number>: so that a walk by key gives the newest first */
export const feedTable = table('community.feed', record({ post: transactionId }))
/** community.appeal/<living area>/<post>: appeals that nobody has decided */
export const appealTable = table('community.appeal', record({ post: transactionId }))
/** community.thread/<post>/<number>: the comments under a post, in the order of the chain */
export const threadTable = table('community.thread', record({ post: transactionId }))
/** community.reaction/<post>/<did> */
export const reactionTable = table('community.reaction', record({ reaction: reactionKind }))
/** community.body/<hash of a body, in base64url> */
export const bodyTable = table('community.body', bodyRecord)
/** community.rate/<did> */
export const rateTable = table('community.rate', rate)

export function feedKey(number: number): number {
  return Number.MAX_SAFE_INTEGER - number
}
