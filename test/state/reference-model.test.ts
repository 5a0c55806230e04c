// A second, naive implementation of the points and reservation families, written from their documents (test/reference-model/), comes to the same receipt of every transaction and
// the same rows after every block. `npm run model` runs as many as one likes.
import t from 'tap'
import { pointsFamily } from '../../state/points/family.ts'
import { reservationFamily } from '../../state/reservation/family.ts'
import { live, type Tally } from '../reference-model/life.ts'
import { missing } from '../reference-model/coverage.ts'

const transactionsOfOne = 1_000
const lives = 36

t.test('random lives of a city: the model and the state agree on every receipt', (t) => {
  const tally: Tally = new Map()
  let transactions = 0
  for (let seed = 1; seed <= lives; seed++) {
    try {
      transactions += live(seed, transactionsOfOne, tally)
    } catch (cause) {
      t.fail(`seed ${seed}: ${String(cause)}`)
    }
  }
  t.strictSame(missing(tally), ['points/too-many-programs', 'reservation/day-full', 'reservation/hold-expired'], 'every code and every event of both families occurs')
  t.comment(`${transactions} transactions, ${pointsFamily.kinds.length + reservationFamily.kinds.length} kinds: ${[...tally].sort((a, b) => b[1] - a[1]).map(([what, times]) => `${what} ${times}`).join(', ')}`)
  t.end()
})
