// Reading ahead, over a real database: what a block of spends looks up comes from one reading of the store and not from hundreds, the result is the same, and what is damaged is found as without it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { checkedSource } from '../../node/checked-state.ts'
import { createExecutor } from '../../node/executor.ts'
import { readAheadSample } from '../../node/limits.ts'
import { payloadOf } from '../../node/payloads.ts'
import { createReadAhead, type ReadAhead } from '../../node/read-ahead.ts'
import { buildStateCity, type StateCity } from '../../scripts/bench/state-city.ts'
import { type ExecutableBlock, executeBlock, type Executed, type State } from '../../state/execute.ts'
import { createSeenIds } from '../../state/seen.ts'
import { createStateTree } from '../../state/tree.ts'
import { createValueCache } from '../../state/view.ts'

const accounts = 2_000
const spends = 200

interface Bench {
  readonly state: State
  readonly readAhead: ReadAhead
  /** What was read one by one, and how often the store was asked for many. */
  readonly reads: { readonly values: string[]; readonly pages: string[]; many: number }
}

/** Empty caches over the city's store; `lost` is a row that a reading of many does not find. */
function bench({ store }: StateCity, lost?: string): Bench {
  const reads: Bench['reads'] = { values: [], pages: [], many: 0 }
  const tree = createStateTree((at) => {
    reads.pages.push(at)
    return store.treePage(at)
  }, 4_000)
  const cache = createValueCache(10_000)
  const readAhead = createReadAhead(
    {
      stateValue: (key) => {
        reads.values.push(key)
        return store.stateValue(key)
      },
      stateRows: async (keys, paths) => {
        reads.many++
        const rows = await store.stateRows(keys, paths)
        return { ...rows, values: rows.values.map((value, i) => (keys[i] === lost ? undefined : value)) }
      },
    },
    { cache, tree },
  )
  tree.root()
  return { state: { source: checkedSource(readAhead.get, tree, 'the store'), cache, tree, seen: createSeenIds() }, readAhead, reads }
}

const isCitizens = (key: string): boolean => /^(?:did|points\.account)\//.test(key)

t.test('reading ahead', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-read-ahead-'))
  const city = await buildStateCity(path.join(folder, 'store'), accounts)
  t.teardown(async () => {
    await city.close()
    rmSync(folder, { recursive: true, force: true })
  })
  let next = 0
  const { executable } = city.spends(spends, () => (next += 7) % accounts)
  const few: ExecutableBlock = { ...executable, transactions: executable.transactions.slice(0, readAheadSample - 1) }

  const alone = bench(city)
  const expected = executeBlock(alone.state, executable)
  t.ok(alone.reads.values.filter(isCitizens).length >= 2 * spends, 'without it, each spend reads its DID and its account')
  t.ok(alone.reads.pages.length > spends, 'and pages')

  await t.test('one reading of many takes the place of hundreds', async (t) => {
    const { state, readAhead, reads } = bench(city)
    await readAhead.fetch(executable.transactions)
    t.ok(reads.many > 0 && reads.many <= 3)
    const executed = executeBlock(state, executable)
    t.strictSame(executed.stateRoot, expected.stateRoot)
    t.strictSame(executed.receipts, expected.receipts)
    const senders = new Set(executable.transactions.map(({ transaction }) => transaction.sender as string))
    t.strictSame(reads.values.filter((key) => isCitizens(key) && senders.has(key.split('/').at(-1) ?? '')), [])
    t.ok(reads.pages.length < alone.reads.pages.length / 5, `${reads.pages.length} pages one by one instead of ${alone.reads.pages.length}`)
    readAhead.forget()
    await readAhead.fetch(executable.transactions)
    t.ok(reads.many <= 3, 'what is in memory is not fetched again')
  })

  await t.test('a few rows are read when they are needed', async (t) => {
    const { readAhead, reads } = bench(city)
    await readAhead.fetch(few.transactions)
    t.equal(reads.many, 0)
  })

  await t.test('a row that is lost is found, and what was fetched is forgotten', async (t) => {
    const key = `did/${executable.transactions[0]?.transaction.sender}`
    const { state, readAhead, reads } = bench(city, key)
    await readAhead.fetch(executable.transactions)
    t.throws(() => executeBlock(state, executable), { code: 'store/damaged' })
    readAhead.forget()
    t.ok(readAhead.get(key) !== undefined)
    t.strictSame(reads.values.at(-1), key)
  })
  await t.test('the executor fetches for each block anew: the same citizens spend in one block after the other, and none sees what the one before has changed', async (t) => {
    const { state, readAhead, reads } = bench(city)
    const { store } = city
    // a cache of next to nothing, so that every block reads its citizens from the store
    const forgetful: State = { ...state, cache: createValueCache(2) }
    // the last is too small to be read ahead for
    for (const count of [spends, spends, readAheadSample - 1]) {
      let citizen = 0
      const { executable, final } = city.spends(count, () => citizen++)
      const executed = await new Promise<Executed>((resolve, reject) => {
        createExecutor({
          chainId: executable.chain,
          state: forgetful,
          store,
          readAhead,
          clock: { soon: setImmediate },
          obtain: async () => payloadOf(final.decision.header, final.references, executable.transactions),
          opsOf: () => [],
          onExecuted: (done) => resolve(done.executed),
          onFatal: reject,
        }).deliver(final.decision)
      })
      t.ok(executed.receipts.every(({ status }) => status === 'ok'))
    }
    t.ok(reads.many >= 2)
  })
})
