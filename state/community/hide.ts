// community.hide: a moderator takes a post out of sight, with a reason that stays on the chain. The body stays, in case it is restored.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { hidden } from './events.ts'
import { moderatedPost, putPost, whereOf } from './posts.ts'
import { type HidePayload, hidePayload } from './types.ts'

export const hide = kind({
  kind: 'community.hide',
  summary: 'Hides a post or comment. By a moderator of its living area.',
  payload: hidePayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, reason }: HidePayload): Refusal | undefined => {
    const post = moderatedPost(view, id, transaction.sender, block)
    if ('code' in post) return post
    if (post.hidden !== undefined) return refuse('community/already-hidden', { by: post.hidden.by })
    putPost(view, id, { ...post, hidden: { by: transaction.sender, atMs: block.timeMs, reason } })
    emit(hidden({ ...whereOf(id, post), by: transaction.sender, reason }))
    return undefined
  },
})
