// The community board: boards, posts, comments and what became of them. A body stands outside the chain under its hash, so that it can be erased
// for good; here is only who posted where and when. Whoever makes a body puts a random salt into it: the hash of a short text alone could be guessed.
import { boolean, did, hash, height, type Infer, integer, list, oneOf, optional, record, refine, slug, timeMs, transactionId } from '../../primitives/schema.ts'
import { publicText } from '../public-text.ts'

/** The living area of boards for the whole city; no living area may be named so. */
export const cityWide = 'city'

/** No genesis may allow more: the most that any node stores and answers. */
export const bodyBytesLimit = 65_536
const boardsMax = 2_000

export const board = record({
  livingArea: slug,
  board: slug,
  title: record({ ko: publicText(1, 60), en: publicText(1, 80) }),
  /** citizens: anyone posts · news: moderators and officers only, anyone comments. */
  open: oneOf('citizens', 'news'),
})
export type Board = Infer<typeof board>

const perWindow = integer(0, 1_000_000)

const settingsFields = {
  bodyBytesMax: integer(1, bodyBytesLimit),
  /** Windows of block time, beginning at multiples of their length. Each DID may do so much in each. */
  windowMs: integer(1_000, 7 * 24 * 3_600_000),
  postsPerWindow: perWindow,
  commentsPerWindow: perWindow,
  reactionsPerWindow: perWindow,
} as const
export const settings = record(settingsFields)
export type Settings = Infer<typeof settings>
/** Some of them, within the same bounds, as governance decides. */
export const settingsChange = refine(record({ bodyBytesMax: optional(settingsFields.bodyBytesMax), windowMs: optional(settingsFields.windowMs), postsPerWindow: optional(settingsFields.postsPerWindow), commentsPerWindow: optional(settingsFields.commentsPerWindow), reactionsPerWindow: optional(settingsFields.reactionsPerWindow) }), (change) => (Object.values(change).some((value) => value !== undefined) ? undefined : 'at least one setting'))
export type SettingsChange = Infer<typeof settingsChange>

/** `current` with what the change names. */
export function changedSettings(current: Settings, change: SettingsChange): Settings {
  return {
    bodyBytesMax: change.bodyBytesMax ?? current.bodyBytesMax,
    windowMs: change.windowMs ?? current.windowMs,
    postsPerWindow: change.postsPerWindow ?? current.postsPerWindow,
    commentsPerWindow: change.commentsPerWindow ?? current.commentsPerWindow,
    reactionsPerWindow: change.reactionsPerWindow ?? current.reactionsPerWindow,
  }
}

/** Of a genesis that names no settings. */
export const settingsDefault: Settings = { bodyBytesMax: 16_384, windowMs: 600_000, postsPerWindow: 10, commentsPerWindow: 30, reactionsPerWindow: 100 }

export const genesisSection = refine(record({ boards: list(board, 0, boardsMax), settings: optional(settings) }), ({ boards }) =>
  new Set(boards.map((item) => `${item.livingArea}/${item.board}`)).size === boards.length ? undefined : 'boards that differ in living area or name',
)
export type CommunityGenesis = Infer<typeof genesisSection>

export const reasonCodes = ['spam', 'abuse', 'personal-data', 'illegal', 'off-topic', 'mistake', 'other'] as const
/** Why a moderator acted. The text is on the chain for good: it speaks of the rule, never of a person. */
export const reason = record({ code: oneOf(...reasonCodes), text: publicText(1, 200) })
export type Reason = Infer<typeof reason>

const acted = { by: did, atMs: timeMs } as const

export const appealGrounds = ['rule-not-broken', 'misunderstood', 'quoted', 'other'] as const
export const appealGround = oneOf(...appealGrounds)
/** The author says that the moderator was wrong; another moderator decides. One for each time the post is hidden; words about it belong into a body. */
export const appeal = record({ ground: appealGround, atMs: timeMs, rejected: optional(record({ ...acted, reason })) })

/** A post, a piece of news or a comment. Its id is that of its transaction. */
export const post = record({
  form: oneOf('post', 'news', 'comment'),
  author: did,
  livingArea: slug,
  board: slug,
  /** Of news only: a headline of the city. Citizens' words are in the body alone. */
  title: optional(publicText(1, 120)),
  /** From 1: the place among the posts of the board, or among the comments under one post. */
  number: integer(1),
  /** Of comments: the post at the top, and what is replied to. */
  root: optional(transactionId),
  parent: optional(transactionId),
  bodyHash: hash,
  bodyBytes: integer(1, bodyBytesLimit),
  atMs: timeMs,
  height,
  hidden: optional(record({ ...acted, reason, appeal: optional(appeal) })),
  /** A tombstone: the body is gone for good. */
  erased: optional(record({ ...acted, reason: optional(reason) })),
})
export type Post = Infer<typeof post>

export const reactionKinds = ['like', 'thanks', 'agree', 'disagree', 'sad'] as const
export const reactionKind = oneOf(...reactionKinds)
export type ReactionKind = Infer<typeof reactionKind>

const count = integer()
export const counts = record({ comments: count, like: count, thanks: count, agree: count, disagree: count, sad: count })
export type Counts = Infer<typeof counts>

/** Under a body's hash: which post it belongs to, and whether it is erased. */
export const bodyRecord = record({ post: transactionId, bytes: integer(1, bodyBytesLimit), erasedAtMs: optional(timeMs) })

/** What a DID did in its current window. */
export const rate = record({ window: integer(), posts: integer(), comments: integer(), reactions: integer() })
export type Rate = Infer<typeof rate>

// Payloads, by kind.
const body = { bodyHash: hash, bodyBytes: integer(1, bodyBytesLimit) } as const

export const postPayload = record({ livingArea: slug, board: slug, ...body })
export const newsPayload = record({ livingArea: slug, board: slug, title: publicText(1, 120), ...body })
export const commentPayload = record({ parent: transactionId, ...body })
/** Without a reaction: takes the earlier one back. */
export const reactPayload = record({ post: transactionId, reaction: optional(reactionKind) })
export const hidePayload = record({ post: transactionId, reason })
export const restorePayload = record({ post: transactionId, reason })
export const appealPayload = record({ post: transactionId, ground: appealGround })
export const decideAppealPayload = record({ post: transactionId, restore: boolean, reason })
/** An author needs no reason, a moderator does. */
export const erasePayload = record({ post: transactionId, reason: optional(reason) })

export type PostPayload = Infer<typeof postPayload>
export type NewsPayload = Infer<typeof newsPayload>
export type CommentPayload = Infer<typeof commentPayload>
export type ReactPayload = Infer<typeof reactPayload>
export type HidePayload = Infer<typeof hidePayload>
export type RestorePayload = Infer<typeof restorePayload>
export type AppealPayload = Infer<typeof appealPayload>
export type DecideAppealPayload = Infer<typeof decideAppealPayload>
export type ErasePayload = Infer<typeof erasePayload>
