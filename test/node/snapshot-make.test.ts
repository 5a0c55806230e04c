// Making a snapshot from entries of all sizes: small ones that share a file, and such as fill or exceed what is written to it at once.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { CheckpointCertificate } from '../../consensus/certificate.ts'
import { snapshotBufferBytes } from '../../node/limits.ts'
import { makeSnapshot, readPartFile } from '../../node/snapshot-make.ts'
import type { Height } from '../../primitives/brand.ts'
import { compareBytes, equalBytes } from '../../primitives/bytes.ts'
import { sha256, zeroHash } from '../../primitives/hash.ts'
import { keyHashOf } from '../../state/proof.ts'
import { checkPart, encodePart, entryBytes } from '../../state/snapshot.ts'
import { createStateTree } from '../../state/tree.ts'

type Entries = ReadonlyMap<string, Uint8Array>

const folder = t.testdir()

function certificateOf(entries: Entries): CheckpointCertificate {
  const tree = createStateTree(() => undefined, 1_000)
  tree.update([...entries].map(([key, value]) => ({ keyHash: keyHashOf(key), valueHash: sha256(value) })))
  return { content: { height: 16 as Height, blockHash: zeroHash, stateRoot: tree.root(), nextSet: zeroHash }, signatures: [{ validator: 0, signature: new Uint8Array(64) }] }
}

async function made(entries: Entries, certificate = certificateOf(entries)): Promise<{ readonly read: readonly (readonly [string, Uint8Array])[]; readonly rests: number }> {
  const at = join(mkdtempSync(join(folder, 'made-')), 'snapshot')
  let rests = 0
  const state = {
    entries: async function* () {
      yield* entries
    },
  }
  const manifest = await makeSnapshot({ state, certificate, folder: at, rest: async () => void rests++ })
  const read: (readonly [string, Uint8Array])[] = []
  for (const [index, part] of manifest.parts.entries()) for (const { key, value } of checkPart(part, await readPartFile(at, index)).entries) read.push([key, value])
  return { read, rests }
}

t.test('entries smaller and larger than what is written at once come back, each once, by key hash', async (t) => {
  const entries = new Map<string, Uint8Array>()
  for (let i = 0; i < 3_000; i++) entries.set(`small/${i}`, new Uint8Array(i % 300).fill(i))
  // of one file: the first fills what is written at once to the byte, the second exceeds it, others come before, between and behind
  const mates = Array.from({ length: 40_000 }, (_, i) => `large/${i}`).filter((key) => keyHashOf(key)[0] === 0xab).slice(0, 40)
  const [full, over, ...others] = mates as [string, string, ...string[]]
  others.forEach((key, i) => entries.set(key, new Uint8Array(i * 500).fill(i)))
  entries.set(full, new Uint8Array(snapshotBufferBytes - entryBytes(full, new Uint8Array())).fill(1))
  entries.set(over, new Uint8Array(snapshotBufferBytes + 1).fill(2))
  const keys = [...entries.keys()].sort((a, b) => compareBytes(keyHashOf(a), keyHashOf(b)))
  for (const order of [entries, new Map([...entries].reverse())]) {
    const { read, rests } = await made(order)
    t.strictSame(read.map(([key]) => key), keys)
    t.ok(read.every(([key, value]) => equalBytes(value, entries.get(key) as Uint8Array)))
    t.ok(rests > 5, 'others have their turn')
  }
})

t.test('a state that does not come to the certified root makes none', async (t) => {
  const entries = new Map([['a/1', Uint8Array.of(1)], ['a/2', Uint8Array.of(2)]])
  await t.rejects(made(new Map([...entries, ['a/2', Uint8Array.of(3)]]), certificateOf(entries)), { code: 'store/damaged' })
  await t.rejects(made(new Map([['a/1', Uint8Array.of(1)]]), certificateOf(entries)), { code: 'store/damaged' })
})

t.test('a key that is not ASCII is no key of the state', (t) => {
  t.throws(() => encodePart([{ key: 'a/가', value: Uint8Array.of(1) }]), /in ASCII/)
  t.throws(() => encodePart([{ key: 'a/é', value: Uint8Array.of(1) }]), /in ASCII/)
  t.end()
})
