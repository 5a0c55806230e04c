// The state tree against its definition, computed naively: the root of random contents, whatever the order and the history; and proofs, every byte of which counts.
import fc from 'fast-check'
import t from 'tap'
import { compareBytes, concatBytes, equalBytes } from '../../primitives/bytes.ts'
import { sha256, zeroHash } from '../../primitives/hash.ts'
import { keyHashOf, verifyStateProof } from '../../state/proof.ts'
import { createStateTree, type StateProof, type StateTree, type TreeChange } from '../../state/tree.ts'

interface Leaf {
  readonly keyHash: Uint8Array
  readonly valueHash: Uint8Array
}

/** Straight from the definition: split by the next bit; a lone leaf is its own hash. */
function naiveRoot(leaves: readonly Leaf[], depth = 0): Uint8Array {
  if (leaves.length === 0) return zeroHash
  const [only] = leaves
  if (leaves.length === 1 && only !== undefined) return sha256(concatBytes(Uint8Array.of(0), only.keyHash, only.valueHash))
  const bit = ({ keyHash }: Leaf): number => ((keyHash[depth >> 3] as number) >> (7 - (depth % 8))) & 1
  return sha256(concatBytes(Uint8Array.of(1), naiveRoot(leaves.filter((leaf) => bit(leaf) === 0), depth + 1), naiveRoot(leaves.filter((leaf) => bit(leaf) === 1), depth + 1)))
}

interface Stored {
  readonly tree: StateTree
  readonly pages: Map<string, Uint8Array>
  readonly content: Map<string, Uint8Array>
  readonly put: (changes: readonly (readonly [key: string, value: Uint8Array | undefined])[]) => void
}

function stored(pagesMax = 1_000): Stored {
  const pages = new Map<string, Uint8Array>()
  const content = new Map<string, Uint8Array>()
  const tree = createStateTree((path) => pages.get(path), pagesMax)
  return {
    tree,
    pages,
    content,
    put: (changes) => {
      for (const [key, value] of changes) {
        if (value === undefined) content.delete(key)
        else content.set(key, value)
      }
      for (const { path, page } of tree.update(changes.map(([key, value]) => ({ keyHash: keyHashOf(key), valueHash: value === undefined ? undefined : sha256(value) })))) {
        if (page === undefined) pages.delete(path)
        else pages.set(path, page)
      }
    },
  }
}

function byPath(pages: ReadonlyMap<string, Uint8Array>): readonly (readonly [path: string, page: Uint8Array])[] {
  return [...pages].sort(([a], [b]) => (a < b ? -1 : 1))
}

function expected(content: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return naiveRoot([...content].map(([key, value]) => ({ keyHash: keyHashOf(key), valueHash: sha256(value) })))
}

const change = fc.tuple(fc.integer({ min: 0, max: 60 }).map((n) => `key/${n}`), fc.option(fc.uint8Array({ minLength: 1, maxLength: 4 }), { nil: undefined, freq: 3 }))
const block = fc.array(change, { maxLength: 20 }).map((changes) => [...new Map(changes)])

t.test('the root is that of the content, after every block of random changes', (t) => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 8 }), fc.constantFrom(1, 8, 40, 1_000), (blocks, pagesMax) => {
      const one = stored(pagesMax)
      for (const changes of blocks) {
        one.put(changes)
        if (!equalBytes(one.tree.root(), expected(one.content))) return false
      }
      // read back from the pages alone, and with a cache of next to nothing
      const again = createStateTree((path) => one.pages.get(path), 2)
      return equalBytes(again.root(), one.tree.root())
    }),
    { numRuns: 400 },
  )
  t.pass('400 histories')
  t.end()
})

t.test('a small cache and a long history change nothing, and an empty content leaves an empty tree', (t) => {
  const [small, ...others] = [4, 24, 200, 10_000].map(stored) as [Stored, ...Stored[]]
  for (let round = 0; round < 30; round++) {
    const changes = Array.from({ length: 40 }, (_, i) => [`k/${(round * 37 + i * 11) % 500}`, (round + i) % 5 === 0 ? undefined : Uint8Array.of(round, i)] as const)
    const unique = [...new Map(changes)]
    small.put(unique)
    for (const other of others) {
      other.put([...unique].reverse())
      t.same(other.tree.root(), small.tree.root(), `round ${round}`)
      t.same(byPath(other.pages), byPath(small.pages), `round ${round}`)
    }
  }
  t.same(small.tree.root(), expected(small.content))
  t.ok(small.pages.size < 700, 'pages of gone subtrees are gone')
  small.put([...small.content.keys()].map((key) => [key, undefined] as const))
  t.same(small.tree.root(), zeroHash)
  t.same([...small.pages.keys()], [''])
  t.end()
})

t.test('keys that share nearly all of their hash hang as deep as they must, and are found there, proven and taken out again', (t) => {
  const pages = new Map<string, Uint8Array>()
  const tree = createStateTree((path) => pages.get(path), 4)
  const put = (changes: readonly TreeChange[]): void => {
    for (const { path, page } of tree.update(changes)) {
      if (page === undefined) pages.delete(path)
      else pages.set(path, page)
    }
  }
  // nobody can make such keys; the tree must not rely on that
  const leaves = [12, 13, 14, 15, 31, 62, 63].map((nibble): Leaf => {
    const keyHash = sha256(Uint8Array.of(1))
    keyHash[nibble >> 1] = (keyHash[nibble >> 1] as number) ^ (nibble % 2 === 0 ? 0x10 : 1)
    return { keyHash, valueHash: sha256(Uint8Array.of(nibble)) }
  })
  leaves.forEach((leaf, i) => {
    put([leaf])
    t.strictSame(tree.root(), naiveRoot(leaves.slice(0, i + 1)))
  })
  t.ok([...pages.keys()].some((path) => path.length === 62), 'down to the last nibbles')
  const again = createStateTree((path) => pages.get(path), 4)
  for (const { keyHash, valueHash } of leaves) {
    t.strictSame([tree.leaf(keyHash), again.leaf(keyHash)], [valueHash, valueHash])
    t.strictSame(again.prove(keyHash).terminal, { keyHash, valueHash })
  }
  t.equal(again.count(), leaves.length)
  leaves.forEach(({ keyHash }, i) => {
    put([{ keyHash, valueHash: undefined }])
    t.strictSame(tree.root(), naiveRoot(leaves.slice(i + 1)))
  })
  t.strictSame([...pages.keys()], [''])
  t.end()
})

t.test('presence and absence are proven, and nothing else', (t) => {
  fc.assert(
    fc.property(block, fc.integer({ min: 0, max: 90 }), (changes, n) => {
      const one = stored()
      one.put(changes)
      const key = `key/${n}`
      const value = one.content.get(key)
      const proof = one.tree.prove(keyHashOf(key))
      const root = one.tree.root()
      const wrong = value === undefined ? Uint8Array.of(1) : undefined
      return verifyStateProof(root, key, value, proof) && !verifyStateProof(root, key, wrong, proof) && !verifyStateProof(root, key, Uint8Array.of(9, 9, 9, 9, 9), proof)
    }),
    { numRuns: 300 },
  )
  t.pass('300 proofs')
  t.end()
})

t.test('a proof with any byte changed, a sibling added or left out, is refused', (t) => {
  const one = stored()
  one.put(Array.from({ length: 200 }, (_, i) => [`key/${i}`, Uint8Array.of(i)] as const))
  const root = one.tree.root()
  for (const [key, value] of [['key/7', Uint8Array.of(7)], ['absent/1', undefined], ['absent/2', undefined]] as const) {
    const proof = one.tree.prove(keyHashOf(key))
    t.ok(verifyStateProof(root, key, value, proof))
    const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
    const changed: StateProof[] = [
      ...proof.siblings.flatMap((sibling, i) => Array.from(sibling, (_, at) => ({ ...proof, siblings: proof.siblings.with(i, flip(sibling, at)) }))),
      ...proof.siblings.map((_, i) => ({ ...proof, siblings: proof.siblings.toSpliced(i, 1) })),
      { ...proof, siblings: [...proof.siblings, sha256(Uint8Array.of(1))] },
      ...[1, 2, 256 - proof.siblings.length, 257].map((more) => ({ ...proof, siblings: [...proof.siblings, ...Array<Uint8Array>(more).fill(zeroHash)] })),
      ...Array.from(proof.keyHash, (_, at) => ({ ...proof, keyHash: flip(proof.keyHash, at) })),
      ...(proof.terminal === undefined ? [] : (['keyHash', 'valueHash'] as const).flatMap((field) => Array.from(proof.terminal?.[field] ?? [], (_, at) => ({ ...proof, terminal: { ...(proof.terminal as NonNullable<StateProof['terminal']>), [field]: flip(proof.terminal?.[field] as Uint8Array, at) } })))),
      { ...proof, terminal: proof.terminal === undefined ? { keyHash: keyHashOf('key/7'), valueHash: sha256(Uint8Array.of(7)) } : undefined },
    ]
    t.notOk(changed.some((forged) => verifyStateProof(root, key, value, forged)), `${changed.length} forgeries of ${key}`)
    t.notOk(Array.from(root, (_, at) => flip(root, at)).some((other) => verifyStateProof(other, key, value, proof)), 'another root')
  }
  t.ok(compareBytes(root, zeroHash) !== 0)
  const empty = stored().tree
  t.ok(verifyStateProof(zeroHash, 'key/1', undefined, empty.prove(keyHashOf('key/1'))), 'nothing in an empty tree')
  t.notOk(verifyStateProof(zeroHash, 'key/1', undefined, { ...empty.prove(keyHashOf('key/1')), siblings: [zeroHash] }))
  t.end()
})

t.test('a page that was read is not read again, whether it is looked at or changed, and what was changed is what is looked at', (t) => {
  const one = stored()
  one.put(Array.from({ length: 200 }, (_, i) => [`key/${i}`, Uint8Array.of(i)] as const))
  let reads: string[] = []
  const tree = createStateTree((path) => {
    reads.push(path)
    return one.pages.get(path)
  }, 1_000)
  const keyHash = keyHashOf('key/7')
  const before = tree.leaf(keyHash)
  t.strictSame(before, sha256(Uint8Array.of(7)))
  t.ok(reads.length > 1, 'the tree has pages below its root')
  const looked = reads
  reads = []
  for (const value of [99, 100]) {
    const valueHash = sha256(Uint8Array.of(value))
    const written = tree.update([{ keyHash, valueHash }])
    t.strictSame(written.map(({ path }) => path).sort(), [...looked].sort(), 'the pages of the look')
    t.strictSame(tree.leaf(keyHash), valueHash)
  }
  tree.update([{ keyHash, valueHash: undefined }])
  t.equal(tree.leaf(keyHash), undefined)
  t.strictSame(reads, [])
  t.end()
})
