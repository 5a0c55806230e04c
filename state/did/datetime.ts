// Times as DID Core wants them: XML Datetime in UTC, to the second. Integer arithmetic, since rules and queries know no clock or calendar of the machine.
import type { TimeMs } from '../../primitives/brand.ts'
import { dateOf, dayMs } from '../calendar.ts'

/** 9999-12-31T23:59:59.999Z: later times have no such form. */
const latestMs = 253_402_300_799_999

export function toDatetime(timeMs: TimeMs): string {
  const bounded = Math.min(timeMs, latestMs)
  const seconds = Math.floor((bounded % dayMs) / 1_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${dateOf(Math.floor(bounded / dayMs))}T${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}Z`
}
