// Plane geometry in whole microdegrees. Products stay below 2^53 inside Korea (8·10^6 × 6·10^6), so every test is exact.

interface Point {
  readonly longitude: number
  readonly latitude: number
}

/** A box in microdegrees, its edges included. */
export interface Box {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

/** Positive if c lies left of the line from a to b, zero if on it. */
function side(a: Point, b: Point, c: Point): number {
  return (b.longitude - a.longitude) * (c.latitude - a.latitude) - (b.latitude - a.latitude) * (c.longitude - a.longitude)
}

/** True if c, known to be on the line through a and b, lies between them. */
function between(a: Point, b: Point, c: Point): boolean {
  return (
    c.longitude >= Math.min(a.longitude, b.longitude) &&
    c.longitude <= Math.max(a.longitude, b.longitude) &&
    c.latitude >= Math.min(a.latitude, b.latitude) &&
    c.latitude <= Math.max(a.latitude, b.latitude)
  )
}

/** True if the two segments share a point. */
export function segmentsMeet(a: Point, b: Point, c: Point, d: Point): boolean {
  const [abc, abd, cda, cdb] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)]
  if (Math.sign(abc) * Math.sign(abd) < 0 && Math.sign(cda) * Math.sign(cdb) < 0) return true
  return (abc === 0 && between(a, b, c)) || (abd === 0 && between(a, b, d)) || (cda === 0 && between(c, d, a)) || (cdb === 0 && between(c, d, b))
}

/** Twice the signed area, positive for an anticlockwise ring. Measured from the first point, which keeps the products small. */
function doubleArea(ring: readonly Point[]): number {
  const origin = ring[0] as Point
  let sum = 0
  for (let i = 1; i + 1 < ring.length; i++) sum += side(origin, ring[i] as Point, ring[i + 1] as Point)
  return sum
}

/** What is wrong with an open ring, if anything: it must be simple and anticlockwise (RFC 7946 section 3.1.6). */
export function ringFault(ring: readonly Point[]): string | undefined {
  const at = (i: number): Point => ring[i % ring.length] as Point
  const count = ring.length
  for (let i = 0; i < count; i++) {
    // neighbours share one point and nothing more: the next edge must not turn back over this one
    const [a, b, c] = [at(i), at(i + 1), at(i + 2)]
    if (side(a, b, c) === 0 && (between(a, b, c) || between(b, c, a))) return 'a polygon whose edges do not fold back'
    for (let j = i + 2; j < count; j++) {
      if (i === 0 && j === count - 1) continue
      if (segmentsMeet(a, b, at(j), at(j + 1))) return 'a polygon whose edges do not cross'
    }
  }
  return doubleArea(ring) > 0 ? undefined : 'a polygon given anticlockwise'
}

/** True if the point lies in the ring or on its edge. */
export function ringHolds(ring: readonly Point[], point: Point): boolean {
  let inside = false
  for (let i = 0; i < ring.length; i++) {
    const [a, b] = [ring[i] as Point, ring[(i + 1) % ring.length] as Point]
    const turn = side(a, b, point)
    if (turn === 0 && between(a, b, point)) return true
    // an edge counts if the ray to the east crosses it; its lower end belongs to it, its upper end does not
    if (a.latitude > point.latitude !== b.latitude > point.latitude && turn > 0 === b.latitude > a.latitude) inside = !inside
  }
  return inside
}

export function boxHolds(box: Box, point: Point): boolean {
  return point.longitude >= box.west && point.longitude <= box.east && point.latitude >= box.south && point.latitude <= box.north
}

/** True if the ring and the box have a point in common. */
export function ringMeetsBox(ring: readonly Point[], box: Box): boolean {
  const corners: readonly Point[] = [
    { longitude: box.west, latitude: box.south },
    { longitude: box.east, latitude: box.south },
    { longitude: box.east, latitude: box.north },
    { longitude: box.west, latitude: box.north },
  ]
  if (ring.some((point) => boxHolds(box, point)) || corners.some((corner) => ringHolds(ring, corner))) return true
  return ring.some((a, i) => corners.some((c, j) => segmentsMeet(a, ring[(i + 1) % ring.length] as Point, c, corners[(j + 1) % 4] as Point)))
}
