// A living area for tests of reservations.
import type { LivingArea } from '../../state/reservation/types.ts'

export const westArea: LivingArea = {
  id: 'west',
  name: { ko: '서쪽', en: 'West' },
  district: { ko: '중구', en: 'Jung-gu' },
  centre: { longitude: 129_005_000, latitude: 35_105_000 },
  polygon: [
    { longitude: 129_000_000, latitude: 35_100_000 },
    { longitude: 129_010_000, latitude: 35_100_000 },
    { longitude: 129_005_000, latitude: 35_110_000 },
  ],
}
