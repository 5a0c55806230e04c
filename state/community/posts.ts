// What the kinds share about posts: finding, counting, and who moderates.
import type { Did, TransactionId } from '../../primitives/brand.ts'
import { toBase64url } from '../../primitives/bytes.ts'
import { type BlockInfo, refuse, type Refusal } from '../family.ts'
import { hasRole } from '../roles.ts'
import type { ReadView, WriteView } from '../view.ts'
import { appealTable, countsTable, feedKey, feedTable, postNumberTable, postTable } from './keys.ts'
import type { Counts, Post } from './types.ts'

export function findPost(view: ReadView, id: TransactionId): Post | undefined {
  return view.get(postTable, toBase64url(id))
}

export function putPost(view: WriteView, id: TransactionId, post: Post): void {
  view.put(postTable, [toBase64url(id)], post)
}

/** A post that can be commented on and reacted to. */
export function livePost(view: ReadView, id: TransactionId): Post | Refusal {
  const post = findPost(view, id)
  if (post === undefined) return refuse('community/unknown-post')
  if (post.erased !== undefined) return refuse('community/post-erased')
  return post.hidden === undefined ? post : refuse('community/post-hidden', { code: post.hidden.reason.code })
}

/** A post that is not erased, if the sender moderates its living area. */
export function moderatedPost(view: ReadView, id: TransactionId, sender: Did, block: BlockInfo): Post | Refusal {
  const post = findPost(view, id)
  if (post === undefined) return refuse('community/unknown-post')
  if (!isModerator(view, sender, post.livingArea, block)) return refuse('community/not-moderator', { livingArea: post.livingArea })
  return post.erased === undefined ? post : refuse('community/post-erased')
}

export function isModerator(view: ReadView, holder: Did, livingArea: string, block: BlockInfo): boolean {
  return hasRole(view, holder, 'moderator', livingArea, block.timeMs)
}

const noCounts: Counts = { comments: 0, like: 0, thanks: 0, agree: 0, disagree: 0, sad: 0 }

export function readCounts(view: ReadView, id: TransactionId): Counts {
  return view.get(countsTable, toBase64url(id)) ?? noCounts
}

/** Adds to some of the counts. */
export function addCounts(view: WriteView, id: TransactionId, add: Partial<Counts>): void {
  const before = readCounts(view, id)
  const sum = (name: keyof Counts): number => before[name] + (add[name] ?? 0)
  view.put(countsTable, [toBase64url(id)], { comments: sum('comments'), like: sum('like'), thanks: sum('thanks'), agree: sum('agree'), disagree: sum('disagree'), sad: sum('sad') })
}

/** Nothing is left to decide once the post is shown again or erased. */
export function dropAppeal(view: WriteView, id: TransactionId, { livingArea, hidden }: Post): void {
  if (hidden?.appeal !== undefined && hidden.appeal.rejected === undefined) view.remove(appealTable, [livingArea, toBase64url(id)])
}

/** Gives the post its number on its board and enters it into the board's feed. */
export function enterFeed(view: WriteView, livingArea: string, board: string, id: TransactionId): number {
  const number = (view.get(postNumberTable, livingArea, board)?.last ?? 0) + 1
  view.put(postNumberTable, [livingArea, board], { last: number })
  view.put(feedTable, [livingArea, board, feedKey(number)], { post: id })
  return number
}

/** The part of every event that says where. */
export function whereOf(id: TransactionId, { livingArea, board }: Pick<Post, 'livingArea' | 'board'>): { readonly post: TransactionId; readonly livingArea: string; readonly board: string } {
  return { post: id, livingArea, board }
}
