// What the family answers about itself. Bodies are the node's to serve, by community_getBody.
import type { TransactionId } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { did, type Infer, list, optional, record, slug, transactionId } from '../../primitives/schema.ts'
import { pageFields, pageItemsMax, pageOf, pageResult, query } from '../query.ts'
import type { QueryView, ReadView } from '../view.ts'
import { appealTable, boardTable, feedTable, reactionTable, threadTable } from './keys.ts'
import { findPost, readCounts } from './posts.ts'
import { readSettings } from './settings.ts'
import { board, counts, post, reactionKind, settings } from './types.ts'

export const postAnswer = record({ id: transactionId, post, counts })
export type PostAnswer = Infer<typeof postAnswer>

function answerPost(view: ReadView, id: TransactionId): PostAnswer | undefined {
  const found = findPost(view, id)
  return found === undefined ? undefined : { id, post: found, counts: readCounts(view, id) }
}

function answerPosts(view: QueryView, rows: readonly { readonly value: { readonly post: TransactionId } }[]): readonly PostAnswer[] {
  return rows.map(({ value }) => answerPost(view, value.post)).filter((found) => found !== undefined)
}

export const boards = query({
  method: 'community_boards',
  summary: 'The boards, by living area; those of the whole city are under city. With the limits of posting.',
  params: record({ livingArea: optional(slug), ...pageFields }),
  result: record({ items: list(board, 0, pageItemsMax), next: pageFields.cursor, settings }),
  run: async (view, params) => {
    const { items, next } = await view.scan(boardTable, params.livingArea === undefined ? [] : [params.livingArea], pageOf(params))
    return { items: items.map(({ value }) => value), ...(next !== undefined && { next }), settings: readSettings(view) }
  },
})

export const posts = query({
  method: 'community_posts',
  summary: 'The posts of a board, newest first; hidden and erased ones included, and marked.',
  params: record({ livingArea: slug, board: slug, ...pageFields }),
  result: pageResult(postAnswer),
  run: async (view, params) => {
    if (view.get(boardTable, params.livingArea, params.board) === undefined) return undefined
    const { items, next } = await view.scan(feedTable, [params.livingArea, params.board], pageOf(params))
    return { items: answerPosts(view, items), ...(next !== undefined && { next }) }
  },
})

export const onePost = query({
  method: 'community_post',
  summary: 'A post or comment. Of a post also the comments under it, in the order of the chain, by page; of did, if given, its reaction.',
  params: record({ post: transactionId, did: optional(did), ...pageFields }),
  result: record({ id: transactionId, post, counts, reaction: optional(reactionKind), comments: list(postAnswer, 0, pageItemsMax), next: pageFields.cursor }),
  run: async (view, params) => {
    const found = answerPost(view, params.post)
    if (found === undefined) return undefined
    const key = toBase64url(params.post)
    const reaction = params.did === undefined ? undefined : view.get(reactionTable, key, params.did)?.reaction
    const { items, next } = await view.scan(threadTable, [key], pageOf(params))
    return { ...found, ...(reaction !== undefined && { reaction }), comments: answerPosts(view, items), ...(next !== undefined && { next }) }
  },
})

export const appeals = query({
  method: 'community_appeals',
  summary: 'Hidden posts of a living area whose authors wait for the decision on an appeal.',
  params: record({ livingArea: slug, ...pageFields }),
  result: pageResult(postAnswer),
  run: async (view, params) => {
    const { items, next } = await view.scan(appealTable, [params.livingArea], pageOf(params))
    return { items: answerPosts(view, items), ...(next !== undefined && { next }) }
  },
})

export const communityQueries = [boards, posts, onePost, appeals]
