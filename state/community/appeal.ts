// community.appeal: the author of a hidden post asks that another moderator look at it; and community.decideAppeal, that moderator's answer.
import { toBase64url } from '../../primitives/bytes.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { appealed, appealRejected, restored } from './events.ts'
import { appealTable } from './keys.ts'
import { dropAppeal, findPost, moderatedPost, putPost, whereOf } from './posts.ts'
import { type AppealPayload, appealPayload, type DecideAppealPayload, decideAppealPayload } from './types.ts'

export const appeal = kind({
  kind: 'community.appeal',
  summary: 'Asks that another moderator decide about the sender’s hidden post. Once for each time that it is hidden.',
  payload: appealPayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, ground }: AppealPayload): Refusal | undefined => {
    const post = findPost(view, id)
    if (post === undefined) return refuse('community/unknown-post')
    if (post.author !== transaction.sender) return refuse('community/not-author', { livingArea: post.livingArea })
    if (post.erased !== undefined) return refuse('community/post-erased')
    const { hidden } = post
    if (hidden === undefined) return refuse('community/not-hidden')
    if (hidden.appeal !== undefined) return refuse('community/already-appealed')
    putPost(view, id, { ...post, hidden: { ...hidden, appeal: { ground, atMs: block.timeMs } } })
    view.put(appealTable, [post.livingArea, toBase64url(id)], { post: id })
    emit(appealed({ ...whereOf(id, post), by: transaction.sender, ground }))
    return undefined
  },
})

export const decideAppeal = kind({
  kind: 'community.decideAppeal',
  summary: 'Shows a post again or lets it stay hidden, on its author’s appeal. By a moderator other than the one who hid it.',
  payload: decideAppealPayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, restore, reason }: DecideAppealPayload): Refusal | undefined => {
    const { sender } = transaction
    const post = moderatedPost(view, id, sender, block)
    if ('code' in post) return post
    const { hidden, ...shown } = post
    if (hidden?.appeal === undefined || hidden.appeal.rejected !== undefined) return refuse('community/no-appeal')
    if (hidden.by === sender) return refuse('community/own-decision')
    dropAppeal(view, id, post)
    if (restore) {
      putPost(view, id, shown)
      emit(restored({ ...whereOf(id, post), by: sender, reason }))
      return undefined
    }
    putPost(view, id, { ...post, hidden: { ...hidden, appeal: { ...hidden.appeal, rejected: { by: sender, atMs: block.timeMs, reason } } } })
    emit(appealRejected({ ...whereOf(id, post), by: sender, reason }))
    return undefined
  },
})
