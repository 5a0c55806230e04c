// Public facilities to begin with. Reported is one thing only: that the platform opened in the first floor of City Hall (city announcement, 14 May 2024).
// All the others are ASSUMPTIONS, three to a living area and named after it: no list was at hand. The city's operators register the real ones.
import type { Category, FacilityDefinition, LivingArea } from '../../state/reservation/types.ts'
import { livingAreas } from './living-areas.ts'

interface Sample {
  readonly category: Category
  readonly ko: string
  readonly en: string
  /** From the centre of the living area, in microdegrees; some hundred metres. */
  readonly east: number
  readonly north: number
}

/** Assumption: every living area has these two. */
const everywhere: readonly Sample[] = [
  { category: 'library', ko: '도서관', en: 'Library', east: 1_800, north: 900 },
  { category: 'community-centre', ko: '주민센터 강당', en: 'Community Centre Hall', east: -1_700, north: 700 },
]

/** Assumption: and one of these, in turn. */
const inTurn: readonly Sample[] = [
  { category: 'lecture', ko: '평생학습관 강의실', en: 'Lifelong Learning Hall', east: 300, north: -1_600 },
  { category: 'children', ko: '들락날락 어린이공간', en: 'Children’s Centre', east: 300, north: -1_600 },
  { category: 'sports', ko: '국민체육센터', en: 'Sports Centre', east: 300, north: -1_600 },
  { category: 'senior', ko: '노인복지관', en: 'Senior Welfare Centre', east: 300, north: -1_600 },
]

function sample({ id, name, centre }: LivingArea, { category, ko, en, east, north }: Sample): FacilityDefinition {
  return {
    id: `${id}-${category}`,
    livingArea: id,
    category,
    title: { ko: `${name.ko} ${ko}`, en: `${name.en} ${en}` },
    position: { longitude: centre.longitude + east, latitude: centre.latitude + north },
  }
}

/** Reported: that there is one, on the first floor. Assumptions: its title, and the position to about a hundred metres. */
const cityHall: FacilityDefinition = {
  id: 'city-hall-open-citizen-centre',
  livingArea: 'yeonsan',
  category: 'citizen-centre',
  title: { ko: '부산광역시청 1층 열린시민센터', en: 'Open Citizen Centre, first floor of City Hall' },
  position: { longitude: 129_075_000, latitude: 35_179_700 },
}

export const facilities: readonly FacilityDefinition[] = [
  cityHall,
  ...livingAreas.flatMap((area, i) => [...everywhere, inTurn[i % inTurn.length] as Sample].map((one) => sample(area, one))),
]
