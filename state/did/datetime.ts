// Times as DID Core wants them: XML Datetime in UTC, to the second. Integer arithmetic, since rules and queries know no clock or calendar of the machine.
// The calendar is the proleptic Gregorian one, counted in eras of 400 years from 1 March (Howard Hinnant, "chrono-compatible low-level date algorithms").
import type { TimeMs } from '../../primitives/brand.ts'

const dayMs = 86_400_000
const eraDays = 146_097
/** Days from 1 March of year 0 to 1 January 1970. */
const epochShift = 719_468
/** 9999-12-31T23:59:59.999Z: later times have no such form. */
const latestMs = 253_402_300_799_999

export function toDatetime(timeMs: TimeMs): string {
  const bounded = Math.min(timeMs, latestMs)
  const days = Math.floor(bounded / dayMs) + epochShift
  const era = Math.floor(days / eraDays)
  const dayOfEra = days - era * eraDays
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const seconds = Math.floor((bounded % dayMs) / 1_000)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}Z`
}
