// The community family, as docs/transactions.md describes it.
import type { ChapterReference, KindReference } from './chapter.ts'

const moderator = 'A moderator (role `moderator`) of the living area, `city` for boards of the whole city, or of `*`.'
const body = ['community/body-too-large', 'community/body-erased', 'community/body-taken'] as const
const living = ['community/unknown-post', 'community/post-erased', 'community/post-hidden'] as const
const moderated = ['community/unknown-post', 'community/not-moderator', 'community/post-erased'] as const

const kinds: Readonly<Record<string, KindReference>> = {
  'community.post': {
    who: 'Anybody, on a board of citizens, `postsPerWindow` in a window of block time.',
    rules: ['community/unknown-board', 'community/news-only', ...body, 'community/rate-limit'],
    events: ['community.posted'],
    cost: 'reads the board, the settings, the body’s row, the sender’s rate; writes the last two, the post, the board’s last number and its feed.',
  },
  'community.news': {
    who: 'A moderator, or an officer (role `officer`), with the living area, or `city`, or `*` as scope; on a board for news.',
    rules: ['community/unknown-board', 'community/not-news', 'community/not-editor', ...body],
    events: ['community.posted'],
    cost: 'reads the board, up to 4 roles, the settings, the body’s row; writes that, the post, the board’s last number and its feed.',
  },
  'community.comment': {
    who: 'Anybody, on a post, news or a comment, `commentsPerWindow` in a window. With the post at its top the whole thread falls silent.',
    rules: [...living, 'of the post at the top: the same', ...body, 'community/rate-limit'],
    events: ['community.commented'],
    cost: 'reads the parent and the post at the top, the settings, the body’s row, the sender’s rate; writes the last two, the comment, the counts and the thread.',
  },
  'community.react': {
    who: 'Anybody, once for each post or comment, `reactionsPerWindow` in a window; without `reaction` the earlier one is taken back.',
    rules: [...living, 'community/same-reaction', 'community/no-reaction', 'community/rate-limit'],
    events: ['community.reacted'],
    cost: 'reads the post, the reaction, the sender’s rate; writes the last two and the counts.',
  },
  'community.hide': { who: moderator, rules: [...moderated, 'community/already-hidden'], events: ['community.hidden'], cost: 'reads the post and 2 roles, writes the post.' },
  'community.restore': { who: moderator, rules: [...moderated, 'community/not-hidden'], events: ['community.restored'], cost: 'reads the post and 2 roles, writes the post.' },
  'community.appeal': {
    who: 'The author of a hidden post or comment, once for each time that it is hidden.',
    rules: ['community/unknown-post', 'community/not-author', 'community/post-erased', 'community/not-hidden', 'community/already-appealed'],
    events: ['community.appealed'],
    cost: 'reads the post, writes the post and the list of appeals.',
  },
  'community.decideAppeal': {
    who: `${moderator} Not the one who hid the post, who may restore it.`,
    rules: [...moderated, 'community/no-appeal', 'community/own-decision'],
    events: ['community.restored', 'community.appealRejected'],
    cost: 'reads the post and 2 roles, writes the post and the list of appeals.',
  },
  'community.erase': {
    who: 'The author; or a moderator of the living area, with a reason. Nodes delete the body; the tombstone stays, and the chain, which never held the body, stays verifiable.',
    rules: ['community/unknown-post', 'community/not-author', 'community/reason-required', 'community/post-erased'],
    events: ['community.erased'],
    cost: 'reads the post and 2 roles, writes the post and the body’s row.',
  },
}

export const communityReference: ChapterReference = {
  family: 'community',
  intro:
    'Boards of the living areas and of the city, which genesis names. A body stands outside the blocks under its SHA-256, at most `bodyBytesMax` of the settings (65,536 bytes at most), and is handed to `community_putBody` before the transaction; it holds a random salt, since the hash of a short text could be guessed. ' +
    'A reason is a code and a text of the rule, never of a person. Windows begin at multiples of `windowMs` of block time; what is refused is not counted.',
  kinds,
}
