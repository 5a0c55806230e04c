// The Korean calendar of block times, in whole numbers: nine hours ahead of UTC all year, no locale and no time zone data. Days are counted from
// 1 January 1970, months from January of the year 0. The date of a day number follows H. Hinnant, "chrono-compatible low-level date algorithms".
import type { TimeMs } from '../../primitives/brand.ts'

export const minuteMs = 60_000
const dayMs = 86_400_000
const koreaMs = 9 * 3_600_000

/** The day of a time. */
export function dayOf(nowMs: number): number {
  return Math.floor((nowMs + koreaMs) / dayMs)
}

/** The midnight that ends a day. */
export function dayEndsMs(day: number): TimeMs {
  return ((day + 1) * dayMs - koreaMs) as TimeMs
}

/** The month of a time. */
export function monthOf(nowMs: number): number {
  const { year, month } = civil(dayOf(nowMs))
  return year * 12 + month - 1
}

/** A day as `2026-05-22`. */
export function dateOf(day: number): string {
  const { year, month, date } = civil(day)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}

/** Eras of 400 years that begin on 1 March, so that a leap day is the last of its year. For days from 1970 on. */
function civil(day: number): { readonly year: number; readonly month: number; readonly date: number } {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, date: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 }
}
