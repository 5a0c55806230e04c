// dongbaek statement: a programme's money by Korean day, for an auditor, as CSV or JSON. Every row is checked on the way: what it opens with and what moved
// come to what it closes with, and it opens with what the day before closed with; the last row is compared with the audit of its height.
import type { Command } from 'commander'
import { DongbaekError } from '../../primitives/errors.ts'
import type { Infer, Json } from '../../primitives/schema.ts'
import type { Client } from '../../rpc/client/index.ts'
import { addUp, movementNames, noTerms, sameTerms, terms, termsAfter, termsOf } from '../../state/points/movements.ts'
import { sums as sumsSchema } from '../../state/points/keys.ts'
import { statementDay } from '../../state/points/query-statement.ts'
import { answer } from './output.ts'
import { connect, type RemoteOptions, unreachable, withRemote } from './remote.ts'

const pageDays = 366

type Day = Infer<typeof statementDay>

export function addStatement(program: Command): void {
  withRemote(program.command('statement <programme>').description('a programme’s money day by day, as CSV (or --json), checked that it adds up: dongbaek statement multi-child > multi-child.csv')).action(
    async (id: string, options: RemoteOptions) => {
      const client = connect(options)
      try {
        const days = await readStatement(client, id)
        answer(options, { program: id, days: days.map(statementDay.toJson) }, csvOf(days))
      } catch (error) {
        throw unreachable(error, options.rpc)
      }
    },
  )
}

/** All days of a programme. Throws `statement/does-not-add-up` with the date. */
export async function readStatement(client: Pick<Client, 'call'>, program: string): Promise<readonly Day[]> {
  const days: Day[] = []
  let cursor: string | undefined
  do {
    const page = await client.call('points_statement', { program, limit: pageDays, ...(cursor !== undefined && { cursor }) })
    days.push(...page.items.map((item) => statementDay.fromJson(item as Json, 'day')))
    cursor = page.next
  } while (cursor !== undefined)
  checkStatement(days)
  const last = days.at(-1)
  if (last !== undefined) {
    const { sums, holds } = await client.call('points_audit', { program, height: last.height })
    if (!holds || !sameTerms(sumsSchema.fromJson(sums as Json, 'sums'), last.closing)) throw wrong(last, `the audit of height ${last.height} says otherwise`)
  }
  return days
}

function checkStatement(days: readonly Day[]): void {
  let before = noTerms
  for (const day of days) {
    const { opening, closing } = day
    if (!sameTerms(opening, before)) throw wrong(day, 'it does not open with what the day before closed with')
    if (!sameTerms(termsAfter(opening, day.flows), closing)) throw wrong(day, 'what it opens with and what moved do not come to what it closes with')
    if (!addUp(closing)) throw wrong(day, 'its terms do not come to the budget')
    before = termsOf(closing)
  }
}

function wrong({ date }: Day, why: string): DongbaekError {
  return new DongbaekError('statement/does-not-add-up', `the statement is wrong on ${date}: ${why}. Ask another node, and have this one checked`, { date })
}

/** RFC 4180. One row a day, and a last one with the totals of what moved: with it, budget = toppedUp − cut, and so on for each term. */
export function csvOf(days: readonly Day[]): readonly string[] {
  const opening = ['budget', ...terms] as const
  const heading = ['date', 'height', ...opening.map((term) => `${term} before`), ...movementNames, ...opening.map((term) => `${term} after`)]
  const rows = days.map((day) => [day.date, day.height, ...opening.map((term) => day.opening[term]), ...movementNames.map((name) => day.flows[name]), ...opening.map((term) => day.closing[term])])
  const last = days.at(-1)
  const totals = last === undefined ? [] : [['total', last.height, ...opening.map(() => 0), ...movementNames.map((name) => days.reduce((sum, day) => sum + BigInt(day.flows[name]), 0n)), ...opening.map((term) => last.closing[term])]]
  return [heading, ...rows, ...totals].map((row) => row.join(','))
}
