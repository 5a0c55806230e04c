// Who acts in the other four families of a random city: residents whose DIDs change, moderators, issuers and governors. The model knows none of them.
import type { RoleName } from '../../state/roles.ts'
import { testActor, type TestActor } from '../support/state-harness.ts'

export const residents = Array.from({ length: 8 }, (_, i) => testActor(`resident ${i}`))
/** Not registered at the beginning. */
export const newcomers = Array.from({ length: 40 }, (_, i) => testActor(`newcomer ${i}`))
export const moderators = [testActor('moderator'), testActor('other moderator')]
/** May make moderators. */
export const headModerator = testActor('head of the moderators')
export const editor = testActor('editor of the city')
export const issuers = [testActor('issuer of schemas'), testActor('issuer of courses')]
export const registrars = [testActor('registrar of the west'), testActor('registrar of the east')]
export const governors = ['city', 'city', 'bank', 'bank'].map((organisation, i) => ({ organisation, actor: testActor(`governor ${i}`) }))

export const boards = [
  { board: 'talk', open: 'citizens' },
  { board: 'market', open: 'citizens' },
  { board: 'news', open: 'news' },
] as const
export const communitySettings = { bodyBytesMax: 5_000, windowMs: 600_000, postsPerWindow: 3, commentsPerWindow: 4, reactionsPerWindow: 6 }

export const otherActors: readonly TestActor[] = [...residents, ...moderators, headModerator, editor, ...issuers, ...registrars, ...governors.map(({ actor }) => actor)]
export const otherRoles: readonly (readonly [TestActor, RoleName, string])[] = [
  ...moderators.map((each) => [each, 'moderator', 'city'] as const),
  [headModerator, 'moderator', '*'],
  [editor, 'officer', 'city'],
  [issuers[0] as TestActor, 'issuer', '*'],
  [issuers[1] as TestActor, 'issuer', 'pottery'],
  ...registrars.map((each) => [each, 'registrar', '*'] as const),
  ...governors.map(({ organisation, actor }) => [actor, 'governor', organisation] as const),
]
