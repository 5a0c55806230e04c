// The opening day, played on the rules alone: blocks of what the benchmark sends, executed on a store in memory instead of a network.
import t from 'tap'
import { buildGenesis } from '../../genesis/ceremony.ts'
import { chainIdOf } from '../../genesis/genesis.ts'
import { devnet } from '../../genesis/presets/devnet.ts'
import { silentLog } from '../../node/log.ts'
import { openChain } from '../../node/open-chain.ts'
import type { Hash, Height, TimeMs } from '../../primitives/brand.ts'
import { fromBase64url } from '../../primitives/bytes.ts'
import { dayAt, playDay, tooLate } from '../../scripts/bench/opening-day.ts'
import type { Prepared } from '../../scripts/bench/pool.ts'
import { executeBlock } from '../../state/execute.ts'
import { readyTransaction } from '../../state/families.ts'
import { readSums, sumsHold } from '../../state/points/sums.ts'
import { decodeTransaction } from '../../state/transaction.ts'
import { createOverlay } from '../../state/view.ts'
import { nodeCards, publicKeyOf, seedOf } from '../support/genesis.ts'
import { createMemoryStore } from '../support/memory-store.ts'

t.test('every household gets its points, and exactly as many young residents a pass as there are passes', async (t) => {
  const genesis = buildGenesis(devnet, { name: 'test', timeMs: Date.now() - 60_000, nodes: nodeCards(4), offices: devnet.offices.map(({ id }) => ({ office: id, publicKey: publicKeyOf(id) })) })
  const database = createMemoryStore()
  const { state } = await openChain(database, genesis, 64, silentLog)
  const outcomes = new Map<string, number>()
  let height = 0
  const run = (sent: readonly Prepared[]): void => {
    const transactions = sent.map(({ encoded }) => readyTransaction(decodeTransaction(fromBase64url(encoded) as Uint8Array)))
    const { receipts } = executeBlock(state, { chain: chainIdOf(genesis), height: ++height as Height, hash: new Uint8Array(32) as Hash, timeMs: Date.now() as TimeMs, transactions })
    for (const { status, code } of receipts) outcomes.set(code ?? status, (outcomes.get(code ?? status) ?? 0) + 1)
  }
  const day = dayAt(0.001, Date.now() - 60_000)
  const steps: string[] = []
  await playDay(
    { chainId: chainIdOf(genesis), seedOf, nodes: [] },
    { finish: async (transactions) => run(transactions), send: async (pool, count) => run(await pool.take(count)) },
    day,
    10,
    (name) => void steps.push(name),
  )
  t.strictSame(steps, ['Registered', 'Applied', 'Raced'])
  const view = createOverlay(state.source, state.cache)
  const [fund, pass] = [readSums(view, day.fund.program), readSums(view, day.pass.program)]
  t.match(fund, { budget: 41_200_000, held: 41_200_000, unallocated: 0, grants: 122 })
  t.match(pass, { held: 500_000, unallocated: 0, grants: 5, applications: 15 })
  t.ok(sumsHold(fund) && sumsHold(pass))
  // two programmes, 172 registrations, 122 households, 5 with a pass and 10 in line; the rest too late
  t.strictSame(Object.fromEntries(outcomes), { ok: 2 + 172 + 122 + 15, [tooLate]: 35 })
})
