// The community board: posts per living area, news of the city, and their moderation. Bodies are kept outside the blocks, by hash, and can be
// erased for good; who hid what and why stays on the chain.
import { family } from '../family.ts'
import { appeal, decideAppeal } from './appeal.ts'
import { communityCodes } from './codes.ts'
import { comment } from './comment.ts'
import { erase } from './erase.ts'
import { communityEvents } from './events.ts'
import { hide } from './hide.ts'
import { news } from './news.ts'
import { post } from './post.ts'
import { communityQueries } from './queries.ts'
import { react } from './react.ts'
import { restore } from './restore.ts'
import { communityGenesis } from './settings.ts'

export const communityFamily = family({
  name: 'community',
  kinds: [post, news, comment, react, hide, restore, appeal, decideAppeal, erase],
  events: communityEvents,
  codes: communityCodes,
  queries: communityQueries,
  genesis: communityGenesis,
})
