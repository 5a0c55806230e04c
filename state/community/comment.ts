// community.comment: a reply to a post, to news or to another comment. All comments of a post stand in one thread, in the order of the chain.
import { toBase64url } from '../../primitives/bytes.ts'
import { type Context, kind, type Refusal } from '../family.ts'
import { checkBody, enterBody } from './body.ts'
import { commented } from './events.ts'
import { threadTable } from './keys.ts'
import { addCounts, livePost, putPost, readCounts, whereOf } from './posts.ts'
import { countOne } from './rate.ts'
import { type CommentPayload, commentPayload } from './types.ts'

export const comment = kind({
  kind: 'community.comment',
  summary: 'Comments on a post or replies to a comment.',
  payload: commentPayload,
  apply: ({ block, transaction, view, emit }: Context, payload: CommentPayload): Refusal | undefined => {
    const { parent: parentId, bodyHash, bodyBytes } = payload
    const parent = livePost(view, parentId)
    if ('code' in parent) return parent
    const root = parent.root ?? parentId
    // the whole thread falls silent with the post at its top
    const top = livePost(view, root)
    if ('code' in top) return top
    const refusal = checkBody(view, payload) ?? countOne(view, transaction.sender, 'comments', block)
    if (refusal !== undefined) return refusal
    const { id, sender } = transaction
    const { livingArea, board } = parent
    const number = readCounts(view, root).comments + 1
    addCounts(view, root, { comments: 1 })
    view.put(threadTable, [toBase64url(root), number], { post: id })
    enterBody(view, id, payload)
    putPost(view, id, { form: 'comment', author: sender, livingArea, board, number, root, parent: parentId, bodyHash, bodyBytes, atMs: block.timeMs, height: block.height })
    emit(commented({ ...whereOf(id, parent), root, parent: parentId, author: sender, bodyHash, bodyBytes }))
    return undefined
  },
})
