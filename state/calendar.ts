// The calendar of block times, in whole numbers: no locale and no time zone data. Korea is nine hours ahead of UTC all year. Days are counted from 1 January 1970,
// months from January of the year 0.
import type { TimeMs } from '../primitives/brand.ts'

export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
export const dayMs = 24 * hourMs
const koreaMs = 9 * hourMs

/** The day in Korea on which a time falls. */
export function dayOf(ms: number): number {
  return Math.floor((ms + koreaMs) / dayMs)
}

/** Midnight, the beginning of the day in Korea, plus some minutes. */
export function timeOn(day: number, minutes: number): number {
  return day * dayMs - koreaMs + minutes * minuteMs
}

/** The midnight that ends a day in Korea. */
export function dayEndsMs(day: number): TimeMs {
  return timeOn(day + 1, 0) as TimeMs
}

/** The month in Korea of a time. */
export function monthOf(ms: number): number {
  const { year, month } = civil(dayOf(ms))
  return year * 12 + month - 1
}

/** 1 is Monday (ISO 8601); 1 January 1970 was a Thursday. */
export function weekdayOf(day: number): number {
  return ((day + 3) % 7) + 1
}

/** A day as `2026-05-22`. */
export function dateOf(day: number): string {
  const { year, month, date } = civil(day)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(date).padStart(2, '0')}`
}

/**
 * The proleptic Gregorian date of a day from 1970 on. Eras of 400 years begin on 1 March, so that a leap day is the last of its year (Howard Hinnant, "chrono-compatible low-level date
 * algorithms", civil_from_days).
 */
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
