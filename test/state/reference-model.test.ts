// A second, naive implementation of the points and reservation families, written from their documents (test/reference-model/), comes to the same receipt of every transaction and
// the same rows after every block: here with a crowd, which meets every bound; in all-families.test.ts at random; by `npm run model` as often as one likes.
import t from 'tap'
import { crowdLife } from '../reference-model/crowd.ts'
import { createInvariants } from '../reference-model/invariants.ts'
import type { Tally } from '../reference-model/life.ts'

t.test('a crowd: lines, lots and refunds over many blocks, and as much of everything as there may be', (t) => {
  const tally: Tally = new Map()
  const transactions = crowdLife({ onResult: (what) => tally.set(what, (tally.get(what) ?? 0) + 1), onBlock: createInvariants() })
  t.ok(transactions > 3_000)
  for (const what of ['points/too-many-programs', 'reservation/day-full', 'reservation/hold-expired', 'points.reclaim ok', 'by the chain: reservation.refundRefused']) t.ok((tally.get(what) ?? 0) > 0, what)
  // more than the least bound of one block
  for (const what of ['points.reclaimed', 'reservation.lapsed', 'reservation.drawn', 'reservation.promoted', 'reservation.refunded']) t.ok((tally.get(`by the chain: ${what}`) ?? 0) > 250, what)
  t.end()
})
