// A second, naive implementation of the points and reservation families, written from their documents (test/reference-model/), comes to the same receipt of every transaction and
// the same rows after every block: here with a crowd, which meets every bound; in all-families.test.ts at random; by `npm run model` as often as one likes.
import t from 'tap'
import type { ReadyTransaction } from '../../state/families.ts'
import type { Executed } from '../../state/execute.ts'
import { didTable } from '../../state/did/documents.ts'
import { accountTable, type Sums, sumsTable } from '../../state/points/keys.ts'
import { seatsTable } from '../../state/reservation/keys.ts'
import { decodeValue, encodeValue, type Table } from '../../state/table.ts'
import type { StateChange } from '../../state/view.ts'
import { crowdLife } from '../reference-model/crowd.ts'
import { createInvariants } from '../reference-model/invariants.ts'
import { live, type Tally } from '../reference-model/life.ts'

t.test('a crowd: lines, lots and refunds over many blocks, and as much of everything as there may be', (t) => {
  const tally: Tally = new Map()
  const transactions = crowdLife({ onResult: (what) => tally.set(what, (tally.get(what) ?? 0) + 1), onBlock: createInvariants() })
  t.ok(transactions > 3_000)
  for (const what of ['points/too-many-programs', 'reservation/day-full', 'reservation/hold-expired', 'points.reclaim ok', 'by the chain: reservation.refundRefused']) t.ok((tally.get(what) ?? 0) > 0, what)
  // more than the least bound of one block
  for (const what of ['points.reclaimed', 'reservation.lapsed', 'reservation.drawn', 'reservation.promoted', 'reservation.refunded']) t.ok((tally.get(`by the chain: ${what}`) ?? 0) > 250, what)
  t.end()
})

interface Block {
  readonly transactions: readonly ReadyTransaction[]
  readonly executed: Executed
}

t.test('each of the invariants that are checked at every block can fail', (t) => {
  const blocks: Block[] = []
  live(7, 400, new Map(), { others: 0.5, onBlock: (transactions, executed) => void blocks.push({ transactions, executed }) })
  const without = (block: Block, at: number): readonly Block[] => [...blocks.slice(0, at), block]
  const judge = (history: readonly Block[]): void => {
    const check = createInvariants()
    for (const { transactions, executed } of history) check(transactions, executed)
  }
  t.doesNotThrow(() => judge(blocks), 'as it was')

  /** The history up to the first block that fits, which is told otherwise. */
  const told = (fits: (block: Block) => boolean, change: (executed: Executed) => Partial<Executed>): readonly Block[] => {
    const at = blocks.findIndex(fits)
    const block = blocks[at]
    if (block === undefined) throw new Error('no such block')
    return without({ ...block, executed: { ...block.executed, ...change(block.executed) } }, at)
  }
  const isOk = ({ status }: Executed['receipts'][number]): boolean => status === 'ok'
  const receipts = (index: number, more: object) => ({ receipts: all }: Executed): Partial<Executed> => ({ receipts: all.with(index, { ...(all[index] as Executed['receipts'][number]), ...more }) })
  /** Of the first row of a table that fits. */
  const row = <T>(table: Table<T>, change: (value: T) => T, fits: (value: T) => boolean = () => true): readonly Block[] => {
    const isIt = ({ key, value }: StateChange): boolean => value !== undefined && key.startsWith(`${table.name}/`) && fits(decodeValue(table, value))
    return told(
      ({ executed }) => executed.changes.some(isIt),
      ({ changes }) => ({ changes: changes.map((each) => (each === changes.find(isIt) ? { ...each, value: encodeValue(table, change(decodeValue(table, each.value as Uint8Array))) } : each)) }),
    )
  }
  const sums = (change: (value: Sums) => object): readonly Block[] => row(sumsTable, (value) => ({ ...value, ...change(value) }))
  const flows = (name: keyof Sums['flows']): readonly Block[] => sums(({ flows: all }) => ({ flows: { ...all, [name]: all[name] + 1 } }))
  const isFull = (block: Block): boolean => block.executed.receipts.length > 1 && isOk(block.executed.receipts[0] as Executed['receipts'][number])
  const isRefused = (block: Block): boolean => block.executed.receipts[0]?.status === 'refused'
  const filled = blocks.findIndex(isFull)

  const broken: readonly (readonly [string, readonly Block[]])[] = [
    ['a receipt for each transaction, in order', told(isFull, ({ receipts: all }) => ({ receipts: all.toReversed() }))],
    ['a receipt for each transaction, in order', told(isFull, ({ receipts: all }) => ({ receipts: all.slice(1) }))],
    ['a code for each refusal', told(isFull, receipts(0, { code: 'points/use-window' }))],
    ['a code for each refusal', told(isRefused, receipts(0, { code: undefined }))],
    ['nothing happens with a refusal', told(isRefused, receipts(0, { events: [{ type: 'points.spent' }] }))],
    ['no transaction runs twice', [...blocks.slice(0, filled + 1), { ...(blocks[filled] as Block), executed: { ...(blocks[filled] as Block).executed, changes: [] } }]],
    ['add up', sums(({ unallocated }) => ({ unallocated: unallocated + 1 }))],
    ['what was paid', sums(({ paid }) => ({ paid: paid + 1 }))],
    ['what was paid', sums(({ held }) => ({ onHold: held + 1 }))],
    ['what came into', flows('toppedUp')],
    ['what came into', flows('lapsed')],
    ['what was granted', flows('granted')],
    ['what is held', flows('spent')],
    ['what was spent', flows('settled')],
    ['pays more than it is', row(accountTable, (value) => ({ ...value, grants: value.grants.map((grant) => ({ ...grant, onHold: (grant.amount + 1) as typeof grant.amount })) }), ({ grants }) => grants.length > 0)],
    ['is sold twice', row(seatsTable, (value) => ({ ...value, confirmed: 100_000 }))],
    ['rise', [...blocks, { transactions: [], executed: { ...(blocks[0] as Block).executed, receipts: [], changes: blocks.flatMap(({ executed }) => executed.changes.filter(({ key, value }) => value !== undefined && key.startsWith(`${didTable.name}/`))).slice(-1) } }]],
  ]
  for (const [what, history] of broken) t.throws(() => judge(history), { message: new RegExp(what) }, what)
  t.end()
})
