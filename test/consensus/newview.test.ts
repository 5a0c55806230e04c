// The choice of a new view: which chain a quorum of ViewChanges binds the next primary to.
import fc from 'fast-check'
import t from 'tap'
import { blockHash, refOf, type BlockHeader } from '../../consensus/block.ts'
import type { ViewChange } from '../../consensus/messages.ts'
import { chooseChain } from '../../consensus/newview.ts'
import { toHex } from '../../primitives/bytes.ts'
import { chainOn, committee, genesis, newcomer } from './fixture.ts'

const people = committee(4)
const names = (headers: readonly BlockHeader[]): string[] => headers.map((header) => toHex(blockHash(header)))
const chosen = (...changes: readonly ViewChange[]): string[] => names(chooseChain(changes, genesis).adopted)

t.test('nothing prepared, nothing adopted', (t) => {
  t.same(chooseChain([people.viewChange(0, 1), people.viewChange(1, 1), people.viewChange(2, 1)], genesis), { base: genesis, decision: undefined, adopted: [] })
  t.end()
})

t.test('the certificate of the highest view wins over a longer chain of a lower one', (t) => {
  const old = chainOn(genesis, ['a', 'b', 'c'])
  const young = chainOn(genesis, ['x'], 1)
  const low = people.viewChange(0, 3, old.map((header) => people.prepared(0, header)))
  const high = people.viewChange(1, 3, young.map((header) => people.prepared(1, header)))
  t.same(chosen(low, high, people.viewChange(2, 3)), names(young))
  t.same(chosen(people.viewChange(2, 3), high, low), names(young), 'whatever the order')
  t.end()
})

t.test('regression: a replica that re-prepared only the beginning of a chain does not hide what was committed further up', (t) => {
  // View 0 prepared a and b, and b was committed somewhere. View 1 began with the same chain, and one replica got as far as preparing a there.
  const [a, b] = chainOn(genesis, ['a', 'b']) as [BlockHeader, BlockHeader]
  const early = people.viewChange(0, 2, [people.prepared(0, a), people.prepared(0, b)])
  const late = people.viewChange(1, 2, [people.prepared(1, a)])
  t.same(chosen(early, late, people.viewChange(3, 2)), names([a, b]))
  t.same(chosen(late, early, people.viewChange(3, 2)), names([a, b]))
  const both = people.viewChange(1, 2, [people.prepared(1, a), people.prepared(0, b)])
  t.same(chosen(both, people.viewChange(2, 2), people.viewChange(3, 2)), names([a, b]))
  t.end()
})

t.test('a chain that does not stand on what is chosen is left out', (t) => {
  const [a, b] = chainOn(genesis, ['a', 'b']) as [BlockHeader, BlockHeader]
  const [x, y, z] = chainOn(genesis, ['x', 'y', 'z'], 1) as [BlockHeader, BlockHeader, BlockHeader]
  const mine = people.viewChange(0, 5, [people.prepared(2, a), people.prepared(2, b)])
  const other = people.viewChange(1, 5, [people.prepared(1, x), people.prepared(1, y), people.prepared(1, z)])
  t.same(chosen(mine, other, people.viewChange(2, 5)), names([a, b]))
  t.end()
})

t.test('the highest final block shown is the base, whoever shows it', (t) => {
  const [a, b, c] = chainOn(genesis, ['a', 'b', 'c']) as [BlockHeader, BlockHeader, BlockHeader]
  const behind = people.viewChange(0, 3, [people.prepared(1, a), people.prepared(1, b), people.prepared(1, c)])
  const ahead = people.viewChange(1, 3, [], people.decision(1, b))
  const choice = chooseChain([behind, ahead, people.viewChange(2, 3)], genesis)
  t.same(choice.base, refOf(b))
  t.same(names(choice.adopted), names([c]))
  t.end()
})

t.test('the order of the ViewChanges never matters', (t) => {
  const blocks = chainOn(genesis, ['a', 'b', 'c', 'd'])
  const views = fc.array(fc.nat(3), { maxLength: 4 }).map((list) => list.sort((x, y) => y - x))
  fc.assert(
    fc.property(fc.array(views, { minLength: 3, maxLength: 3 }), fc.shuffledSubarray([0, 1, 2], { minLength: 3 }), (replicas, order) => {
      const changes = replicas.map((own, i) => people.viewChange(i, 9, own.map((view, at) => people.prepared(view, blocks[at] as BlockHeader))))
      const straight = chosen(...changes)
      t.same(straight, chosen(...order.map((i) => changes[i] as ViewChange)))
      t.equal(straight.length, Math.max(...replicas.map((own) => own.length)), 'what anyone prepared of the one chain is kept')
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('pitfall: new view computed over another set than the backups’; every backup computes the choice itself and blames another', (t) => {
  const [a] = chainOn(genesis, ['a']) as [BlockHeader]
  const changes = [people.viewChange(0, 1, [people.prepared(0, a)]), people.viewChange(1, 1), people.viewChange(2, 1)]
  const right = newcomer(people, 3)
  right.hear(people.newView(1, changes))
  t.match(right.status, { view: 1, mode: 'normal', open: 1 })
  const wrong = newcomer(people, 3)
  wrong.hear(people.newView(1, changes, []))
  t.match(wrong.status, { view: 0, wish: 2 })
  t.match(wrong.outputs.flatMap((output) => output.blame), [{ kind: 'new-view', validator: { name: 'v1' } }])
  t.end()
})
