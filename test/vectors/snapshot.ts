// Vectors of snapshots: a small state cut at the first nibble, its parts, the manifest and the questions.
import type { Hash, Height } from '../../primitives/brand.ts'
import { compareBytes, toHex, utf8 } from '../../primitives/bytes.ts'
import { sha256 } from '../../primitives/hash.ts'
import type { Json } from '../../primitives/schema.ts'
import { encodePart, joinParts, partOf, type SnapshotEntry, subtreeOf } from '../../state/snapshot.ts'
import { encodeManifest, encodeSnapshotQuestion, manifest as manifestSchema, type Manifest, snapshotHash } from '../../node/snapshot-exchange.ts'
import { contentOf } from './ledger.ts'

export function snapshotVectors(): Json {
  const entries: readonly SnapshotEntry[] = Array.from({ length: 24 }, (_, i) => ({ keyHash: sha256(utf8(`table/${i}`)), key: `table/${i}`, value: utf8(`value ${i}`) })).sort((a, b) => compareBytes(a.keyHash, b.keyHash))
  const prefixes = [...new Set(entries.map(({ keyHash }) => toHex(keyHash).slice(0, 1)))]
  const cut = prefixes.map((prefix) => {
    const own = entries.filter(({ keyHash }) => toHex(keyHash).startsWith(prefix))
    return { entries: own, part: partOf(subtreeOf(own, prefix).node, prefix) }
  })
  const parts = cut.map(({ part }) => part)
  const root = joinParts(parts)?.root as Hash
  const made: Manifest = { certificate: { content: contentOf(root), signatures: [{ validator: 0, signature: new Uint8Array(64) }] }, parts }
  return {
    parts: cut.map(({ entries: own, part }) => ({ prefix: part.prefix, entries: own.map(({ key, value }) => ({ key, value: toHex(value) })), encoded: toHex(encodePart(own)) })),
    root: toHex(root),
    manifest: { value: manifestSchema.toJson(made), encoded: toHex(encodeManifest(made)), hash: toHex(snapshotHash(made)) },
    questions: [
      { question: { type: 'manifest' as const }, tree: [{ text: 'manifest' }, [null]] },
      { question: { type: 'manifest' as const, height: 100_000 as Height }, tree: [{ text: 'manifest' }, [100_000]] },
      { question: { type: 'part' as const, height: 100_000 as Height, index: 7 }, tree: [{ text: 'part' }, [100_000, 7]] },
      { question: { type: 'blocks' as const, from: 98_200 as Height, count: 64 }, tree: [{ text: 'blocks' }, [98_200, 64]] },
    ].map(({ question, tree }) => ({ tree, encoded: toHex(encodeSnapshotQuestion(question)) })),
  }
}
