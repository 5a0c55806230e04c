// The table of sizes in docs/consensus.md is computed here and compared.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { faultsTolerated, isQuorum, quorumSize } from '../../consensus/quorum.ts'
import type { ValidatorSet } from '../../consensus/validators.ts'

const root = path.join(import.meta.dirname, '../..')
const page = readFileSync(path.join(root, 'docs/consensus.md'), 'utf8')

function setOf(members: readonly [number, number], minimums: readonly [number, number]): ValidatorSet {
  const organisations = ['city', 'bank']
  const validators = members.flatMap((count, o) => Array.from({ length: count }, (_, i) => ({ name: `${organisations[o]}-${i}`, organisation: organisations[o] as string, publicKey: new Uint8Array(32) })))
  return { validators, minimums: minimums.flatMap((minimum, o) => (minimum === 0 ? [] : [{ organisation: organisations[o] as string, minimum }])) }
}

/** How many members of the organisations may be down, (city, bank), so that the others still form a quorum. */
function goesOnWith(members: readonly [number, number], set: ValidatorSet, down: readonly [number, number]): boolean {
  const up = set.validators.map((_, i) => i).filter((i) => (i < members[0] ? i >= down[0] : i - members[0] >= down[1]))
  return isQuorum(set, new Set(up))
}

function mostDown(members: readonly [number, number], set: ValidatorSet): { readonly city: number; readonly bank: number; readonly anyone: number } {
  const highest = (holds: (count: number) => boolean): number => {
    let count = 0
    while (holds(count + 1)) count++
    return count
  }
  return {
    city: highest((count) => count <= members[0] && goesOnWith(members, set, [count, 0])),
    bank: highest((count) => count <= members[1] && goesOnWith(members, set, [0, count])),
    // wherever they sit
    anyone: highest((count) => Array.from({ length: count + 1 }, (_, city) => city).every((city) => city <= members[0] && count - city <= members[1] && goesOnWith(members, set, [city, count - city]))),
  }
}

function sizesTable(): string[] {
  const lines = [
    '| n | f = safe with, anyone | q | plain: goes on with, anyone | halves | minimums, two thirds | still safe with one organisation stolen and, of the other, at most | two thirds: goes on with, anyone | of the larger half | of the smaller half |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (let n = 4; n <= 31; n++) {
    const members = [Math.ceil(n / 2), Math.floor(n / 2)] as const
    const minimums = [Math.floor((2 * members[0]) / 3) + 1, Math.floor((2 * members[1]) / 3) + 1] as const
    const plain = mostDown(members, setOf(members, [0, 0]))
    const strict = mostDown(members, setOf(members, minimums))
    const liars = members.map((count) => Math.ceil(count / 3) - 1)
    lines.push(`| ${n} | ${faultsTolerated(n)} | ${quorumSize(n)} | ${plain.anyone} | ${members.join(' + ')} | ${minimums.join(' + ')} | ${liars.join(' or ')} | ${strict.anyone} | ${strict.city} | ${strict.bank} |`)
  }
  return lines
}

t.test('the table of sizes is what the quorum rule gives', (t) => {
  const wanted = sizesTable()
  const shown = page.split('\n').filter((line) => wanted.includes(line))
  t.same(shown, wanted, 'docs/consensus.md')
  t.end()
})

t.test('what the table says of plain sets holds with minimums of one each, and for either half', (t) => {
  for (let n = 4; n <= 31; n++) {
    const members = [Math.ceil(n / 2), Math.floor(n / 2)] as const
    const anyone = n - quorumSize(n)
    for (const minimums of [[0, 0], [1, 1]] as const) t.same(mostDown(members, setOf(members, minimums)), { city: anyone, bank: anyone, anyone }, `n = ${n}, minimums ${minimums.join(' + ')}`)
  }
  t.end()
})

t.test('minimums of one each: the loss of an organisation halts a network of two halves either way', (t) => {
  for (let n = 4; n <= 31; n++) {
    const members = [Math.ceil(n / 2), Math.floor(n / 2)] as const
    for (const minimums of [[0, 0], [1, 1]] as const) {
      const set = setOf(members, minimums)
      if (goesOnWith(members, set, [members[0], 0]) || goesOnWith(members, set, [0, members[1]])) t.fail(`n = ${n}`)
    }
  }
  t.pass()
  t.end()
})
