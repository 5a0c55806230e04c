// The boards to begin with, and the limits of posting. ASSUMPTIONS all: reported is only that living areas get a community of their own.
import { type Board, cityWide, type CommunityGenesis, settingsDefault } from '../../state/community/types.ts'
import type { LivingArea } from '../../state/reservation/types.ts'

/** Assumption: every living area has these. */
const ofEachArea = [
  { board: 'talk', title: { ko: '이웃 이야기', en: 'Neighbours’ talk' }, open: 'citizens' },
  { board: 'share', title: { ko: '나눔과 모임', en: 'Sharing and meeting' }, open: 'citizens' },
  { board: 'notice', title: { ko: '생활권 소식', en: 'Notices' }, open: 'news' },
] as const satisfies readonly Omit<Board, 'livingArea'>[]

/** Assumption: and the city this. */
const ofTheCity = { livingArea: cityWide, board: 'news', title: { ko: '부산 소식', en: 'News of Busan' }, open: 'news' } as const satisfies Board

export function communityOf(livingAreas: readonly LivingArea[]): CommunityGenesis {
  return { boards: [ofTheCity, ...livingAreas.flatMap(({ id }) => ofEachArea.map((board) => ({ livingArea: id, ...board })))], settings: settingsDefault }
}
