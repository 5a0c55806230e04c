// Days and times of day in Korea, which is nine hours ahead of UTC all year: a fixed offset, no time zone database.
import { integer, list } from '../../primitives/schema.ts'

export const minuteMs = 60_000
export const hourMs = 3_600_000
export const dayMs = 24 * hourMs
const koreaMs = 9 * hourMs

/** A day of the Korean calendar, counted from 1 January 1970. Until 2100. */
export const day = integer(0, 47_482)

/** When something meets, week by week: on these days of the week (ISO 8601: 1 is Monday), at these times. */
export const meetsFields = {
  weekdays: list(integer(1, 7), 1, 7),
  times: list(integer(0, 24 * 60 - 1), 1, 96),
  /** Length of each, in minutes. */
  minutes: integer(1, 24 * 60),
} as const

export const patternFields = {
  firstDay: day,
  lastDay: day,
  ...meetsFields,
  /** Days left out, such as holidays, in ascending order. */
  exceptDays: list(day, 0, 100),
} as const

export interface Pattern {
  readonly firstDay: number
  readonly lastDay: number
  readonly weekdays: readonly number[]
  /** Minutes after midnight. */
  readonly times: readonly number[]
  readonly minutes: number
  readonly exceptDays: readonly number[]
}

const patternDaysMax = 366

/** The day in Korea on which a time falls. */
export function dayOf(ms: number): number {
  return Math.floor((ms + koreaMs) / dayMs)
}

/** Midnight, the beginning of the day in Korea, plus some minutes. */
export function timeOn(at: number, minutes: number): number {
  return at * dayMs - koreaMs + minutes * minuteMs
}

/** 1 is Monday; 1 January 1970 was a Thursday. */
export function weekdayOf(at: number): number {
  return ((at + 3) % 7) + 1
}

/** yyyymmdd. Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days; for days from 1970 on. */
export function dateOf(at: number): string {
  const z = at + 719_468
  const era = Math.floor(z / 146_097)
  const ofEra = z - era * 146_097
  const yearOfEra = Math.floor((ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365)
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * ofYear + 2) / 153)
  const date = ofYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted < 10 ? shifted + 3 : shifted - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${year}${String(month).padStart(2, '0')}${String(date).padStart(2, '0')}`
}

/** hhmm of minutes after midnight. */
export function clockOf(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}${String(minutes % 60).padStart(2, '0')}`
}

/** The days of a pattern, in order. Bounded by its own check. */
export function daysOf({ firstDay, lastDay, weekdays, exceptDays }: Pick<Pattern, 'firstDay' | 'lastDay' | 'weekdays' | 'exceptDays'>): readonly number[] {
  return Array.from({ length: lastDay - firstDay + 1 }, (_, i) => firstDay + i).filter((at) => weekdays.includes(weekdayOf(at)) && !exceptDays.includes(at))
}

/** What of a pattern is not in order, if anything: one pattern is written in one way. */
export function patternFault(pattern: Pattern, slotsMax: number): string | undefined {
  const { firstDay, lastDay, weekdays, times, exceptDays } = pattern
  if (lastDay < firstDay || lastDay - firstDay >= patternDaysMax) return `lastDay not before firstDay, and at most ${patternDaysMax} days`
  if (![weekdays, times, exceptDays].every(isAscending)) return 'weekdays, times and exceptDays in ascending order, each once'
  const slots = daysOf(pattern).length * times.length
  return slots === 0 || slots > slotsMax ? `1 to ${slotsMax} slots` : undefined
}

function isAscending(values: readonly number[]): boolean {
  return values.every((value, i) => i === 0 || value > (values[i - 1] as number))
}
