// Simulated payloads: a manifest lists the numbers of the transactions that a block orders.
import type { Hash } from '../../primitives/brand.ts'
import { taggedHash } from '../../primitives/hash.ts'

export function manifestOf(ids: readonly number[]): Uint8Array {
  const out = new Uint8Array(4 * ids.length)
  const view = new DataView(out.buffer)
  ids.forEach((id, i) => view.setUint32(4 * i, id))
  return out
}

export function transactionsOf(manifest: Uint8Array): number[] | undefined {
  if (manifest.length % 4 !== 0) return undefined
  const view = new DataView(manifest.buffer, manifest.byteOffset, manifest.byteLength)
  return Array.from({ length: manifest.length / 4 }, (_, i) => view.getUint32(4 * i))
}

export function payloadHash(manifest: Uint8Array): Hash {
  return taggedHash('payload', manifest)
}
