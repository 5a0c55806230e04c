// Snapshots of the state: the same bytes from the same state, each part checked by itself against the root, and nothing forged taken.
import t from 'tap'
import { equalBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import { checkPart, cutParts, encodePart, entryBytes, joinParts, partBytesMax, partOf, type SnapshotEntry, type SnapshotPart, subtreeOf } from '../../state/snapshot.ts'
import { createStateTree } from '../../state/tree.ts'

const entryOf = (i: number): SnapshotEntry => {
  const key = `table/${i}`
  return { keyHash: sha256(utf8(key)), key, value: utf8(`value ${i}`) }
}
const entriesOf = (count: number): readonly SnapshotEntry[] => Array.from({ length: count }, (_, i) => entryOf(i)).sort((a, b) => (toHex(a.keyHash) < toHex(b.keyHash) ? -1 : 1))
const under = (entries: readonly SnapshotEntry[], prefix: string): readonly SnapshotEntry[] => entries.filter(({ keyHash }) => toHex(keyHash).startsWith(prefix))

const inOrder = (pages: ReadonlyMap<string, string>): readonly string[] => [...pages].map(([path, page]) => `${path} ${page}`).sort((a, b) => (a < b ? -1 : 1))

interface Cut {
  readonly parts: readonly SnapshotPart[]
  readonly bodies: readonly Uint8Array[]
}
function cutAt(entries: readonly SnapshotEntry[], prefixes: readonly string[]): Cut {
  const filled = prefixes.filter((prefix) => under(entries, prefix).length > 0)
  return { parts: filled.map((prefix) => partOf(subtreeOf(under(entries, prefix), prefix).node, prefix)), bodies: filled.map((prefix) => encodePart(under(entries, prefix))) }
}
const nibbles: readonly string[] = Array.from({ length: 16 }, (_, i) => i.toString(16))
const all = (depth: number): readonly string[] => (depth === 0 ? [''] : all(depth - 1).flatMap((prefix) => nibbles.map((nibble) => prefix + nibble)))

t.test('parts of any depth come to the root and the pages of the tree that was built change by change', async (t) => {
  for (const count of [1, 2, 3, 17, 400]) {
    const entries = entriesOf(count)
    const stored = new Map<string, Uint8Array>()
    const tree = createStateTree((path) => stored.get(path), 1_000)
    for (const { keyHash, value } of entries) for (const { path, page } of tree.update([{ keyHash, valueHash: sha256(value) }])) if (page === undefined) stored.delete(path)
    else stored.set(path, page)
    for (const depth of [0, 1, 2, 3]) {
      const { parts, bodies } = cutAt(entries, all(depth))
      const joined = joinParts(parts)
      const pages = new Map([...(joined?.pages ?? []), ...parts.flatMap((part, i) => checkPart(part, bodies[i] as Uint8Array).pages)].map(({ path, page }) => [path, toHex(page as Uint8Array)]))
      t.same([toHex(joined?.root ?? new Uint8Array()), inOrder(pages)], [toHex(tree.root()), inOrder(new Map([...stored].map(([path, page]) => [path, toHex(page)])))], `${count} entries cut at depth ${depth}`)
    }
  }
})

t.test('a part with anything changed, left out, added or moved is refused', async (t) => {
  const entries = entriesOf(60)
  const { parts, bodies } = cutAt(entries, all(1))
  const [part, body] = [parts[3] as SnapshotPart, bodies[3] as Uint8Array]
  const own = under(entries, part.prefix)
  t.equal(checkPart(part, body).entries.length, own.length)
  for (let at = 0; at < body.length; at++) {
    const forged = body.slice()
    forged[at] = (forged[at] as number) ^ 1
    t.throws(() => checkPart(part, forged), { code: 'snapshot/malformed' }, `byte ${at}`)
  }
  for (const forged of [own.slice(1), [...own, own.at(-1) as SnapshotEntry], [...own].reverse(), under(entries, parts[4]?.prefix ?? ''), []]) t.throws(() => checkPart(part, encodePart(forged)), { code: 'snapshot/malformed' })
  t.throws(() => checkPart(part, body.subarray(0, body.length - 1)), { code: 'snapshot/malformed' })
})

t.test('a list of parts that is not the state’s comes to another root or to none', async (t) => {
  const { parts } = cutAt(entriesOf(60), all(1))
  const root = joinParts(parts)?.root ?? new Uint8Array()
  const isOther = (forged: readonly SnapshotPart[]): boolean => {
    const joined = joinParts(forged)
    return joined === undefined || !equalBytes(joined.root, root)
  }
  t.ok(isOther(parts.slice(1)))
  t.ok(isOther([...parts].reverse()))
  t.ok(isOther([...parts, parts.at(-1) as SnapshotPart]))
  t.ok(isOther(parts.map((part, i) => (i === 2 ? ({ ...part, hash: sha256(utf8('x')) } as SnapshotPart) : part))))
  t.ok(isOther([{ type: 'inner', prefix: '', hash: sha256(utf8('x')) as never }, ...parts]))
  t.ok(isOther([]))
})

t.test('parts are cut where they fit', async (t) => {
  const bytes = (prefix: string): number => (prefix === '' ? 3 * partBytesMax : prefix.startsWith('a') ? (prefix.length === 1 ? 2 * partBytesMax : partBytesMax / 8) : prefix === 'b' ? 7 : 0)
  t.same(cutParts('', bytes, 64), [...nibbles.map((nibble) => `a${nibble}`), 'b'])
  t.same(cutParts('', () => partBytesMax, 64), [''])
  t.equal(entryBytes('ab', new Uint8Array(3)), encodePart([{ key: 'ab', value: new Uint8Array(3) }]).length)
})
