// dongbaek statement: what an auditor gets adds up, over pages and days, and what does not is refused with its date.
import t from 'tap'
import type { Json } from '../../primitives/schema.ts'
import { csvOf, readStatement } from '../../node/cli/statement.ts'
import type { Client } from '../../rpc/client/index.ts'
import { apply, city, kids, later, mina, shop, spend } from '../state/points-city.ts'

type Asked = Pick<Client, 'call'>

t.test('a statement of three days, as CSV', async (t) => {
  const world = city()
  apply(world, mina)
  spend(world, mina, shop, 1_000)
  later(world, 1)
  const bought = spend(world, mina, shop, 2_000)
  later(world, 4)
  world.send(shop, 'points.refund', { purchase: bought.id, amount: 500 })
  // pages of two days
  const client: Asked = { call: ((method: string, params: Record<string, Json>) => world.ask(method, method === 'points_statement' ? { ...params, limit: 2 } : params)) as Client['call'] }
  const days = await readStatement(client, kids)
  t.same(days.map(({ date, height }) => [date, height]), [['2024-10-04', 7], ['2024-10-05', 8], ['2024-10-08', 9]])
  const rows = csvOf(days).map((row) => row.split(','))
  t.equal(rows.length, 5)
  t.equal(new Set(rows.map((row) => row.length)).size, 1)
  const column = (name: string): readonly string[] => rows.slice(1).map((row) => row[rows[0]?.indexOf(name) ?? -1] ?? '')
  t.same(column('date'), ['2024-10-04', '2024-10-05', '2024-10-08', 'total'])
  t.same(column('spent'), ['1000', '2000', '0', '3000'])
  t.same(column('refunded'), ['0', '0', '500', '500'])
  t.same(column('held after'), ['299000', '297000', '297500', '297500'])
  t.same(column('unsettled before'), ['0', '1000', '3000', '0'])

  type Page = { readonly items: readonly Record<string, Record<string, number>>[] }
  const tampered = (change: (day: Record<string, Record<string, number>>) => object): Asked => ({
    call: (async (method: string, params: Record<string, Json>) => {
      const answer = await world.ask(method, params)
      return method === 'points_statement' ? { items: (answer as Page).items.map((day, i) => (i === 1 ? { ...day, ...change(day) } : day)) } : answer
    }) as Client['call'],
  })
  const refused = { code: 'statement/does-not-add-up', data: { date: '2024-10-05' } }
  await t.rejects(readStatement(tampered(({ flows }) => ({ flows: { ...flows, spent: 1 } })), kids), refused)
  await t.rejects(readStatement(tampered(({ opening }) => ({ opening: { ...opening, held: 1 } })), kids), refused)
  await t.rejects(readStatement(tampered(({ closing, flows }) => ({ closing: { ...closing, budget: 1 }, flows: { ...flows, toppedUp: 0 } })), kids), refused)
  const disagrees: Asked = { call: (async (method: string, params: Record<string, Json>) => (method === 'points_audit' ? world.ask(method, { program: kids, height: 7 }) : world.ask(method, params))) as Client['call'] }
  await t.rejects(readStatement(disagrees, kids), { code: 'statement/does-not-add-up', data: { date: '2024-10-08' } })
})
