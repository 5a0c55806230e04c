// The set of ids against a set of strings, and ids made to fall upon one place.
import fc from 'fast-check'
import t from 'tap'
import { toHex } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { createIdSet } from '../../state/id-set.ts'

t.test('it holds what a set of strings holds, whatever the multiplier', (t) => {
  // few beginnings, so that places are contended, and several ids to each
  const id = fc.tuple(fc.nat(40), fc.nat(6)).map(([beginning, rest]) => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? beginning : i === 31 ? rest : 7)))
  fc.assert(
    fc.property(fc.array(id, { maxLength: 400 }), fc.array(id, { maxLength: 50 }), fc.integer(), (added, asked, multiplier) => {
      const ids = createIdSet(multiplier | 1)
      const model = new Set<string>()
      for (const one of added) {
        ids.add(one)
        model.add(toHex(one))
      }
      for (const one of [...added, ...asked]) if (ids.has(one) !== model.has(toHex(one))) return false
      return true
    }),
  )
  t.end()
})

t.test('it grows, and takes no array that it was given', (t) => {
  const ids = createIdSet(0x9e37_79b1)
  const idOf = (i: number): Uint8Array => sha256(`${i}`)
  for (let i = 0; i < 10_000; i++) ids.add(idOf(i))
  for (let i = 0; i < 10_000; i++) if (!ids.has(idOf(i))) t.fail(`${i} is missing`)
  for (let i = 10_000; i < 20_000; i++) if (ids.has(idOf(i))) t.fail(`${i} was never added`)
  const mine = idOf(20_000)
  ids.add(mine)
  mine[5] = (mine[5] as number) ^ 1
  t.equal(ids.has(mine), false)
  t.equal(ids.has(idOf(20_000)), true)
  t.end()
})
