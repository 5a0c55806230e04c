// Boxes on the map, in microdegrees.
import type { Box } from '../../state/reservation/geometry.ts'
import type { Position } from '../../state/reservation/types.ts'
import type { Param } from './sql.ts'

/** A condition on `facilities f`: within the box, edges included. */
export function inBox({ west, south, east, north }: Box, param: Param): string {
  return `f.latitude BETWEEN ${param(south)} AND ${param(north)} AND f.longitude BETWEEN ${param(west)} AND ${param(east)}`
}

/** Metres of a degree of latitude at the least, so that the box holds the whole circle. */
const metresPerDegree = 110_000

/** Holds every point within so many metres. */
export function boxAround({ longitude, latitude }: Position, distanceM: number): Box {
  const up = Math.ceil((distanceM / metresPerDegree) * 1_000_000)
  const farthest = Math.min(89, (Math.abs(latitude) + up) / 1_000_000)
  const aside = Math.ceil(up / Math.cos((farthest * Math.PI) / 180))
  return { west: longitude - aside, east: longitude + aside, south: latitude - up, north: latitude + up }
}
