// community.post: a citizen's post on a board of a living area, or of the whole city.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { checkBody, enterBody } from './body.ts'
import { posted } from './events.ts'
import { boardTable } from './keys.ts'
import { enterFeed, putPost, whereOf } from './posts.ts'
import { countOne } from './rate.ts'
import { type PostPayload, postPayload } from './types.ts'

export const post = kind({
  kind: 'community.post',
  summary: 'Posts on a board. The body is handed to community_putBody; here is its hash.',
  payload: postPayload,
  apply: ({ block, transaction, view, emit }: Context, payload: PostPayload): Refusal | undefined => {
    const { livingArea, board: name, bodyHash, bodyBytes } = payload
    const board = view.get(boardTable, livingArea, name)
    if (board === undefined) return refuse('community/unknown-board', { livingArea, board: name })
    if (board.open === 'news') return refuse('community/news-only', { livingArea, board: name })
    const refusal = checkBody(view, payload) ?? countOne(view, transaction.sender, 'posts', block)
    if (refusal !== undefined) return refusal
    const { id, sender } = transaction
    const number = enterFeed(view, livingArea, name, id)
    enterBody(view, id, payload)
    putPost(view, id, { form: 'post', author: sender, livingArea, board: name, number, bodyHash, bodyBytes, atMs: block.timeMs, height: block.height })
    emit(posted({ ...whereOf(id, payload), form: 'post', author: sender, bodyHash, bodyBytes }))
    return undefined
  },
})
