// community.react: one reaction of each DID to each post, changed or taken back at will.
import { toBase64url } from '../../primitives/bytes.ts'
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { reacted } from './events.ts'
import { reactionTable } from './keys.ts'
import { addCounts, livePost, whereOf } from './posts.ts'
import { countOne } from './rate.ts'
import { type ReactPayload, reactPayload } from './types.ts'

export const react = kind({
  kind: 'community.react',
  summary: 'Reacts to a post or comment, changes the reaction, or takes it back.',
  payload: reactPayload,
  apply: ({ block, transaction, view, emit }: Context, { post: id, reaction }: ReactPayload): Refusal | undefined => {
    const post = livePost(view, id)
    if ('code' in post) return post
    const { sender } = transaction
    const before = view.get(reactionTable, toBase64url(id), sender)?.reaction
    if (before === reaction) return reaction === undefined ? refuse('community/no-reaction') : refuse('community/same-reaction', { reaction })
    const refusal = countOne(view, sender, 'reactions', block)
    if (refusal !== undefined) return refusal
    addCounts(view, id, { ...(before !== undefined && { [before]: -1 }), ...(reaction !== undefined && { [reaction]: 1 }) })
    if (reaction === undefined) view.remove(reactionTable, [toBase64url(id), sender])
    else view.put(reactionTable, [toBase64url(id), sender], { reaction })
    emit(reacted({ ...whereOf(id, post), by: sender, ...(reaction !== undefined && { reaction }) }))
    return undefined
  },
})
