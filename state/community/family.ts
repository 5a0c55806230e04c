// The community board: posts per living area, news of the city, and their moderation.
import { family } from '../family.ts'

export const communityFamily = family({ name: 'community', kinds: [], events: [], queries: [], codes: {} })
