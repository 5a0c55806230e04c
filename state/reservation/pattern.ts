// Patterns of a timetable: when something meets, week by week, by the days and times of day of Korea.
import { integer, list } from '../../primitives/schema.ts'
import { dateOf, weekdayOf } from '../calendar.ts'

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

/** yyyymmdd, as in the names of slots. */
export function compactDateOf(at: number): string {
  return dateOf(at).replaceAll('-', '')
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
