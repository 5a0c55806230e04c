// community.restore: a moderator shows a hidden post again, and says why.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { restored } from './events.ts'
import { dropAppeal, moderatedPost, putPost, whereOf } from './posts.ts'
import { type RestorePayload, restorePayload } from './types.ts'

export const restore = kind({
  kind: 'community.restore',
  summary: 'Shows a hidden post or comment again. By a moderator of its living area.',
  payload: restorePayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, reason }: RestorePayload): Refusal | undefined => {
    const post = moderatedPost(view, id, transaction.sender, block)
    if ('code' in post) return post
    const { hidden, ...shown } = post
    if (hidden === undefined) return refuse('community/not-hidden')
    dropAppeal(view, id, post)
    putPost(view, id, shown)
    emit(restored({ ...whereOf(id, post), by: transaction.sender, reason }))
    return undefined
  },
})
