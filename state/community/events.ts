// What happened on the boards, for those who follow.
import { did, hash, integer, oneOf, optional, slug, text, transactionId } from '../../primitives/schema.ts'
import { event } from '../family.ts'
import { appealGround, bodyBytesLimit, reactionKind, reason } from './types.ts'

const where = { post: transactionId, livingArea: slug, board: slug } as const
const body = { bodyHash: hash, bodyBytes: integer(1, bodyBytesLimit) } as const

export const posted = event('community.posted', 'A post or news appeared on a board.', { ...where, form: oneOf('post', 'news'), author: did, title: optional(text(1, 120)), ...body })
export const commented = event('community.commented', 'A comment appeared under a post.', { ...where, root: transactionId, parent: transactionId, author: did, ...body })
export const reacted = event('community.reacted', 'A reaction was given, changed or, if none is named, taken back.', { ...where, by: did, reaction: optional(reactionKind) })
export const hidden = event('community.hidden', 'A moderator hid a post.', { ...where, by: did, reason })
export const restored = event('community.restored', 'A moderator showed a hidden post again.', { ...where, by: did, reason })
export const appealed = event('community.appealed', 'The author of a hidden post asks another moderator to decide.', { ...where, by: did, ground: appealGround })
export const appealRejected = event('community.appealRejected', 'On appeal another moderator let the post stay hidden.', { ...where, by: did, reason })
export const erased = event('community.erased', 'A post was erased for good: nodes delete the body with this hash.', { ...where, by: did, bodyHash: hash, reason: optional(reason) })

export const communityEvents = [posted, commented, reacted, hidden, restored, appealed, appealRejected, erased]
