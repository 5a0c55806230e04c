// The chain that bench:state measures on: citizens put there as rows must be to the rules as those who registered and applied.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import t from 'tap'
import { buildStateCity } from '../../scripts/bench/state-city.ts'
import { executeBlock } from '../../state/execute.ts'
import { readSums, sumsHold } from '../../state/points/sums.ts'
import { createOverlay } from '../../state/view.ts'

t.test('every citizen can spend, and the sums hold', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dongbaek-test-bench-state-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const accounts = 40
  const { store, state, spends, bytesPerAccount, close } = await buildStateCity(path.join(folder, 'store'), accounts)
  t.ok(bytesPerAccount > 300, `${bytesPerAccount} bytes an account`)
  let turn = 0
  for (let block = 0; block < 2; block++) {
    const { executable, final } = spends(accounts, () => turn++ % accounts)
    const executed = executeBlock(state, executable)
    t.strictSame(executed.receipts.map(({ status, code }) => code ?? status), executed.receipts.map(() => 'ok'))
    await store.putBlock(final, executed)
  }
  t.equal(store.head().height, 3)
  const view = createOverlay(state.source, state.cache)
  const sums = readSums(view, 'multi-child')
  t.ok(sumsHold(sums))
  t.match(sums, { grants: accounts, unsettled: 2 * accounts * 100, held: accounts * (300_000 - 200) })
  await close()
})
