// community.news: news of the city or of a living area, by those who speak for it.
import { type Context, kind, refuse, type Refusal } from '../family.ts'
import { hasRole } from '../roles.ts'
import { checkBody, enterBody } from './body.ts'
import { posted } from './events.ts'
import { boardTable } from './keys.ts'
import { enterFeed, isModerator, putPost, whereOf } from './posts.ts'
import { type NewsPayload, newsPayload } from './types.ts'

export const news = kind({
  kind: 'community.news',
  summary: 'Publishes news with a headline on a board for news. By a moderator or officer with the living area (or city) as scope.',
  payload: newsPayload,
  apply: ({ block, transaction, view, emit }: Context, payload: NewsPayload): Refusal | undefined => {
    const { livingArea, board: name, title, bodyHash, bodyBytes } = payload
    const { id, sender } = transaction
    const board = view.get(boardTable, livingArea, name)
    if (board === undefined) return refuse('community/unknown-board', { livingArea, board: name })
    if (board.open !== 'news') return refuse('community/not-news', { livingArea, board: name })
    if (!isModerator(view, sender, livingArea, block) && !hasRole(view, sender, 'officer', livingArea, block.timeMs)) return refuse('community/not-editor', { livingArea })
    const refusal = checkBody(view, payload)
    if (refusal !== undefined) return refusal
    const number = enterFeed(view, livingArea, name, id)
    enterBody(view, id, payload)
    putPost(view, id, { form: 'news', author: sender, livingArea, board: name, title, number, bodyHash, bodyBytes, atMs: block.timeMs, height: block.height })
    emit(posted({ ...whereOf(id, payload), form: 'news', author: sender, title, bodyHash, bodyBytes }))
    return undefined
  },
})
