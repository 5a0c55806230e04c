// The choice of a new view (consensus/newview.ts).
import t from 'tap'
import { blockHash, refOf, type BlockHeader, type BlockRef } from '../../consensus/block.ts'
import type { Decision, PreparedBlock } from '../../consensus/certificate.ts'
import type { ViewChange } from '../../consensus/messages.ts'
import { chooseChain } from '../../consensus/newview.ts'
import type { Height, View } from '../../primitives/brand.ts'
import { toHex } from '../../primitives/bytes.ts'
import { genesis, headerOn } from './bench.ts'

const signatures = [{ validator: 0, signature: new Uint8Array(64) }]

function chainOn(base: BlockRef, transactions: readonly number[]): BlockHeader[] {
  const out: BlockHeader[] = []
  let at = base
  for (const transaction of transactions) {
    const header = headerOn(at, 0, transaction)
    out.push(header)
    at = refOf(header)
  }
  return out
}

const certified = (view: number, header: BlockHeader): PreparedBlock => ({ header, certificate: { view: view as View, height: header.height, blockHash: blockHash(header), signatures } })
const committed: (view: number, header: BlockHeader) => Decision = certified

function change(validator: number, prepared: readonly PreparedBlock[], base?: Decision): ViewChange {
  return { epoch: 1 as Height, view: 9 as View, validator, prepared, signature: new Uint8Array(64), ...(base === undefined ? {} : { base }) }
}

function adopted(changes: readonly ViewChange[]): string[] {
  return chooseChain(changes, genesis).adopted.map((header) => toHex(blockHash(header)))
}
const names = (headers: readonly BlockHeader[]): string[] => headers.map((header) => toHex(blockHash(header)))

t.test('nothing prepared: nothing adopted', (t) => {
  const choice = chooseChain([change(0, []), change(1, []), change(2, [])], genesis)
  t.same(choice, { base: genesis, decision: undefined, adopted: [] })
  t.end()
})

t.test('the highest view wins, then the greatest height', (t) => {
  const [a1] = chainOn(genesis, [1]) as [BlockHeader]
  const [b1, b2] = chainOn(genesis, [2, 3]) as [BlockHeader, BlockHeader]
  t.same(adopted([change(0, [certified(0, a1)]), change(1, [certified(1, b1)]), change(2, [])]), names([b1]))
  t.same(adopted([change(0, [certified(1, b1)]), change(1, [certified(1, b1), certified(1, b2)]), change(2, [certified(0, a1)])]), names([b1, b2]))
  t.end()
})

t.test('a re-prepared beginning in a later view does not hide a block committed further up', (t) => {
  // Slots 1 to 3 are prepared in view 0, and 3 is committed by someone outside this quorum. In view 1, replica 2 gets no further than slot 1.
  const chain = chainOn(genesis, [1, 2, 3])
  const [b1, b2, b3] = chain as [BlockHeader, BlockHeader, BlockHeader]
  const voter = change(1, [certified(0, b1), certified(0, b2), certified(0, b3)])
  const restarted = change(2, [certified(1, b1)])
  t.same(adopted([change(0, []), voter, restarted]), names(chain), 'taking (view 1, height 1) alone would lose slots 2 and 3')
  t.end()
})

t.test('what conflicts with a later view above the prefix is left out', (t) => {
  const [b1, b2] = chainOn(genesis, [1, 2]) as [BlockHeader, BlockHeader]
  const [c1, c2, c3] = chainOn(genesis, [4, 5, 6]) as [BlockHeader, BlockHeader, BlockHeader]
  t.same(adopted([change(0, [certified(0, c1), certified(0, c2), certified(0, c3)]), change(1, [certified(2, b1)]), change(2, [certified(1, b1), certified(1, b2)])]), names([b1, b2]))
  t.end()
})

t.test('the highest final block is the base, and certificates beside it do not count', (t) => {
  const [a1, a2, a3] = chainOn(genesis, [1, 2, 3]) as [BlockHeader, BlockHeader, BlockHeader]
  const [b1, b2] = chainOn(genesis, [7, 8]) as [BlockHeader, BlockHeader]
  const choice = chooseChain([change(0, [certified(4, a3)], committed(4, a2)), change(1, [certified(1, a2)], committed(1, a1)), change(2, [certified(3, b1), certified(3, b2)])], genesis)
  t.equal(toHex(choice.base.hash), toHex(blockHash(a2)))
  t.same(names(choice.adopted), names([a3]))
  t.end()
})

t.test('fabric #1111: new view computed over another set than the backups. The order of the view changes does not matter', (t) => {
  const [b1, b2, b3] = chainOn(genesis, [1, 2, 3]) as [BlockHeader, BlockHeader, BlockHeader]
  const [c1, c2] = chainOn(genesis, [4, 5]) as [BlockHeader, BlockHeader]
  const changes = [
    change(0, [certified(3, b1), certified(1, b2), certified(1, b3)]),
    change(1, [certified(2, c1), certified(2, c2)]),
    change(2, [certified(1, b2)], committed(1, b1)),
    change(3, []),
  ]
  const wanted = adopted(changes)
  t.same(wanted, names([b2, b3]))
  for (let i = 0; i < changes.length; i++) t.same(adopted([...changes.slice(i), ...changes.slice(0, i)]), wanted)
  t.same(adopted([...changes].reverse()), wanted)
  t.end()
})
