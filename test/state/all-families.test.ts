// A hundred thousand random transactions of all kinds of all families. Checked at every block: two nodes come to the same roots, one of them pausing within its blocks and starting
// anew now and then; money adds up, no seat is sold twice, nothing runs twice (test/reference-model/invariants.ts); no code and no event that docs/transactions.md does not name for the
// kind; and of points and reservations, every receipt and row is what the reference model comes to.
import t from 'tap'
import { families } from '../../state/families.ts'
import { missing } from '../reference-model/coverage.ts'
import { checkDescribed } from '../reference-model/described.ts'
import { createInvariants } from '../reference-model/invariants.ts'
import { live, type Tally } from '../reference-model/life.ts'

const wanted = 100_000
const transactionsOfOne = 1_000
/** What only a crowd meets for certain (reference-model.test.ts). */
const ofCrowds: ReadonlySet<string> = new Set(['points/too-many-programs', 'reservation/day-full', 'reservation/hold-expired', 'reservation.refundRefused', 'by the chain: reservation.refundRefused'])
/** A life ends long before, since its nodes do not know the rules that would come (validator-sets.test.ts). */
const ofOtherRules = 'governance.ruleSetActivated'

t.test('random lives of a city', (t) => {
  const tally: Tally = new Map()
  let transactions = 0
  for (let seed = 1; transactions < wanted; seed++) {
    const checkInvariants = createInvariants()
    try {
      transactions += live(seed, transactionsOfOne, tally, {
        others: 0.35,
        onBlock: (block, executed) => {
          checkInvariants(block, executed)
          checkDescribed(block, executed)
        },
      })
    } catch (cause) {
      t.fail(`seed ${seed}: ${String(cause)}`)
      break
    }
  }
  t.ok(transactions >= wanted, `${transactions} transactions`)
  t.strictSame(missing(tally).filter((name) => !ofCrowds.has(name)), [], 'every code and every event of points and reservation occurs')
  const kinds = families.flatMap((family) => family.kinds.map(({ kind }) => kind))
  t.strictSame(kinds.filter((kind) => !tally.has(`${kind} ok`) || !tally.has(`${kind} refused`)), [], 'every kind is done and refused')
  const events = families.flatMap((family) => family.events.map(({ type }) => type))
  t.strictSame(events.filter((type) => !tally.has(type) && !tally.has(`by the chain: ${type}`) && !ofCrowds.has(type)), [ofOtherRules], 'every event occurs')
  t.comment([...tally].sort(([, a], [, b]) => b - a).map(([what, times]) => `${what} ${times}`).join(', '))
  t.end()
})
