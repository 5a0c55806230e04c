// What a run must have met to mean anything: every refusal and every event of both families, and what the chain does by itself.
import { pointsFamily } from '../../state/points/family.ts'
import { reservationFamily } from '../../state/reservation/family.ts'
import type { Tally } from './life.ts'

const byTheChain = ['points.reclaimed', 'points.released', 'points.granted', 'points.rejected', 'points.clawedBack', 'reservation.lapsed', 'reservation.promoted', 'reservation.registrationEnded', 'reservation.drawn', 'reservation.drawFailed', 'reservation.refunded', 'reservation.refundRefused']

/** Names that did not occur. */
export function missing(tally: Tally): readonly string[] {
  const events = [...pointsFamily.events, ...reservationFamily.events].map(({ type }) => type)
  const codes = [...Object.keys(pointsFamily.codes), ...Object.keys(reservationFamily.codes)]
  const isMissing = (name: string): boolean => !tally.has(name) && !tally.has(`by the chain: ${name}`)
  return [...codes, ...events].filter(isMissing).concat(byTheChain.map((type) => `by the chain: ${type}`).filter((name) => !tally.has(name)))
}
