// points_statement: a programme's money by Korean day, for an auditor. Each day has the terms before it, what moved, and the terms after it, which follow from
// the two; the terms after one day are those before the next. So the statement adds up by itself, without believing anybody.
import { boolean, height, integer, record, slug, token } from '../../primitives/schema.ts'
import { pageFields, pageOf, pageResult, query } from '../query.ts'
import { dateOf, dayOf } from '../calendar.ts'
import { dayTable, flows, type Sums, sumsTable, sumTerms } from './keys.ts'
import { addUp, flowsBetween, noFlows, noTerms, sameTerms, termsAfter, termsOf } from './movements.ts'

export const statementDay = record({
  /** Days since the epoch by the Korean calendar, and its date. */
  day: integer(),
  date: token(/\d{4}-\d{2}-\d{2}/, 10, 'a date such as 2026-05-22'),
  /** The last block of the day in which money moved: points_audit of it says the same. */
  height,
  opening: sumTerms,
  /** What moved on that day: docs/points.md says from where to where. */
  flows,
  closing: sumTerms,
  /** The opening and what moved come to the closing, and the closing adds up to its budget. */
  holds: boolean,
})

export const statementQuery = query({
  method: 'points_statement',
  summary: 'A programme’s money day by day, by the Korean calendar: terms before, what moved, terms after. Days on which nothing moved are left out; the last is not over yet.',
  params: record({ program: slug, ...pageFields }),
  result: pageResult(statementDay),
  run: async (view, params) => {
    const { program } = params
    const latest = view.get(sumsTable, program)
    if (latest === undefined) return undefined
    const { cursor, limit } = pageOf(params)
    const page = await view.scan(dayTable, [program], { cursor, limit })
    // the day that goes on has no row yet
    const isLast = page.next === undefined && page.items.length < limit
    const closings: readonly Sums[] = [...page.items.map(({ value }) => value), ...(isLast ? [latest] : [])]
    let before = cursor === undefined ? undefined : view.get(dayTable, program, Number(cursor))
    const items = closings.map((sums) => {
      const [opening, closing] = [before === undefined ? noTerms : termsOf(before), termsOf(sums)]
      const moved = flowsBetween(before?.flows ?? noFlows, sums.flows)
      before = sums
      const day = dayOf(sums.timeMs)
      return { day, date: dateOf(day), height: sums.height, opening, flows: moved, closing, holds: addUp(closing) && sameTerms(closing, termsAfter(opening, moved)) }
    })
    return { items, next: page.next ?? (isLast ? undefined : page.items.at(-1)?.key[1]) }
  },
})
