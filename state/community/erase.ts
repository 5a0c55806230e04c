// community.erase: a tombstone in place of the post. Nodes delete the body; the chain, which never held it, stays verifiable.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { eraseBody } from './body.ts'
import { erased } from './events.ts'
import { dropAppeal, findPost, isModerator, putPost, whereOf } from './posts.ts'
import { type ErasePayload, erasePayload } from './types.ts'

export const erase = kind({
  kind: 'community.erase',
  summary: 'Erases a post or comment for good. By its author, or with a reason by a moderator of its living area.',
  payload: erasePayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, reason }: ErasePayload): Refusal | undefined => {
    const { sender } = transaction
    const post = findPost(view, id)
    if (post === undefined) return refuse('community/unknown-post')
    if (post.author !== sender) {
      if (!isModerator(view, sender, post.livingArea, block)) return refuse('community/not-author', { livingArea: post.livingArea })
      if (reason === undefined) return refuse('community/reason-required')
    }
    if (post.erased !== undefined) return refuse('community/post-erased')
    dropAppeal(view, id, post)
    const why = reason !== undefined && { reason }
    putPost(view, id, { ...post, erased: { by: sender, atMs: block.timeMs, ...why } })
    eraseBody(view, id, post, block.timeMs)
    emit(erased({ ...whereOf(id, post), by: sender, bodyHash: post.bodyHash, ...why }))
    return undefined
  },
})
